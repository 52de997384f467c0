// A small convolutional network and its derivative, side by side: two 3x3 convolutions of stride 2 with leaky ReLUs, and
// a linear layer to two dimensions. What each layer does forward, the function under it takes back (backpropagation as
// in Karpathy's micrograd, on whole batches).
import { LAB } from "../catalogue";
import { type Kernel, type Tensor, tensor } from "./wasm-kernel";

export const SIDE = 28;
const WIDTHS = LAB.widths;
const OUT = LAB.columns; // of the last layer: two that count, for eight numbers are reckoned at once

export class Network {
  readonly weights: Tensor[] = []; // (9, 16), (144, 32), (1568, 8)
  readonly biases: Tensor[] = [];
  readonly gradients: Tensor[] = []; // of the weights
  readonly slopes: Tensor[] = []; // of the biases
  readonly image: Tensor; // (most, 28, 28, 1): what goes in
  readonly place: Tensor; // (most, 8): what comes out, in the first two columns
  readonly placeGradient: Tensor; // its gradient
  private rows: Tensor[] = []; // patches of each layer's input
  private values: Tensor[] = []; // what each layer gives
  private backs: Tensor[] = []; // gradients of those, and of the patches
  private transposed: Tensor[] = []; // weights, rows for columns

  // `most`: images at a time.
  constructor(
    private kernel: Kernel,
    readonly most: number,
  ) {
    this.image = tensor(kernel, most * SIDE * SIDE);
    let [side, channels] = [SIDE, 1];
    for (const width of WIDTHS) {
      side /= 2;
      this.layer(9 * channels, width);
      this.rows.push(tensor(kernel, most * side * side * 9 * channels));
      this.values.push(tensor(kernel, most * side * side * width));
      this.backs.push(tensor(kernel, most * side * side * width));
      channels = width;
    }
    this.layer(side * side * channels, OUT);
    this.place = tensor(kernel, most * OUT);
    this.placeGradient = tensor(kernel, most * OUT);
    this.spread = tensor(kernel, this.rows[1].length);
  }

  private spread: Tensor; // gradient of the second layer's patches

  private layer(inputs: number, outputs: number) {
    for (const all of [this.weights, this.gradients, this.transposed]) all.push(tensor(this.kernel, inputs * outputs));
    for (const all of [this.biases, this.slopes]) all.push(tensor(this.kernel, outputs));
  }

  // As PyTorch begins: uniform within 1/sqrt(inputs).
  start(random: () => number) {
    this.weights.forEach((weight, l) => {
      const inputs = weight.length / this.biases[l].length;
      const bound = 1 / Math.sqrt(inputs);
      for (const part of [weight, this.biases[l]])
        part.values.forEach((_, i, all) => (all[i] = bound * (2 * random() - 1)));
      if (l === WIDTHS.length) for (let i = 0; i < weight.length; i++) if (i % OUT > 1) weight.values[i] = 0;
    });
    this.biases[WIDTHS.length].values.fill(0, 2);
  }

  // Places (count, 2) of the first `count` images that stand in `image`.
  forward(count: number): Float32Array {
    const { kernel, weights, biases, rows, values } = this;
    let [side, channels, input] = [SIDE, 1, this.image];
    WIDTHS.forEach((width, l) => {
      kernel.patches(count, side, channels, input.address, rows[l].address);
      side /= 2;
      const patches = count * side * side;
      values[l].values.fill(0, 0, patches * width);
      kernel.matmul(
        patches,
        width,
        9 * channels,
        rows[l].address,
        9 * channels,
        1,
        weights[l].address,
        values[l].address,
      );
      kernel.leaky(patches, width, values[l].address, biases[l].address);
      [channels, input] = [width, values[l]];
    });
    const inputs = side * side * channels;
    const last = WIDTHS.length;
    for (let i = 0; i < count; i++) this.place.values.set(biases[last].values, OUT * i);
    kernel.matmul(count, OUT, inputs, input.address, inputs, 1, weights[last].address, this.place.address);
    return columns(this.place.values, count);
  }

  // The gradients of all weights and biases, from that of the places (count, 2) that `forward` gave last.
  backward(count: number, gradient: Float32Array) {
    const { kernel, weights, gradients, slopes, rows, values, backs, transposed } = this;
    for (const part of [...gradients, ...slopes]) part.values.fill(0);
    this.placeGradient.values.fill(0, 0, OUT * count);
    for (let i = 0; i < count; i++)
      for (let j = 0; j < 2; j++) this.placeGradient.values[OUT * i + j] = gradient[2 * i + j];
    const last = WIDTHS.length;
    const [inputs, below] = [weights[last].length / OUT, values[last - 1]];
    kernel.matmul(inputs, OUT, count, below.address, 1, inputs, this.placeGradient.address, gradients[last].address);
    for (let i = 0; i < OUT * count; i++) slopes[last].values[i % OUT] += this.placeGradient.values[i];
    transpose(weights[last], inputs, OUT, transposed[last]);
    backs[last - 1].values.fill(0, 0, count * inputs);
    kernel.matmul(
      count,
      inputs,
      OUT,
      this.placeGradient.address,
      OUT,
      1,
      transposed[last].address,
      backs[last - 1].address,
    );
    for (let l = last - 1; l >= 0; l--) {
      const [width, channels, side] = [WIDTHS[l], l ? WIDTHS[l - 1] : 1, SIDE >> (l + 1)];
      const [patches, size] = [count * side * side, 9 * channels];
      kernel.unleaky(patches, width, values[l].address, backs[l].address, slopes[l].address);
      kernel.matmul(size, width, patches, rows[l].address, 1, size, backs[l].address, gradients[l].address);
      if (!l) continue; // nobody asks for the gradient of the images
      transpose(weights[l], size, width, transposed[l]);
      this.spread.values.fill(0, 0, patches * size);
      kernel.matmul(patches, size, width, backs[l].address, width, 1, transposed[l].address, this.spread.address);
      kernel.gather(count, 2 * side, channels, this.spread.address, backs[l - 1].address);
    }
  }
}

function columns(values: Float32Array, count: number): Float32Array {
  return Float32Array.from({ length: 2 * count }, (_, i) => values[OUT * (i >> 1) + (i & 1)]);
}

// A matrix (m, n) as one of (n, m).
function transpose({ values }: Tensor, m: number, n: number, to: Tensor) {
  for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) to.values[j * m + i] = values[i * n + j];
}
