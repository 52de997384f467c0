// A small convolutional network and its derivative, side by side: two 3x3 convolutions of stride 2 with leaky ReLUs, and
// a linear layer to two dimensions. What each layer does forward, the function under it takes back (backpropagation as
// in Karpathy's micrograd, on whole batches).
import { type Kernel, type Tensor, tensor } from "./tensor";

export const SIDE = 28;
export const WIDTHS = [16, 32];
const OUT = 8; // columns of the last layer: two that count, for eight numbers are reckoned at once

export class Network {
  readonly weights: Tensor[] = []; // (9, 16), (144, 32), (1568, 8)
  readonly biases: Tensor[] = [];
  readonly gradients: Tensor[] = []; // of the weights
  readonly slopes: Tensor[] = []; // of the biases
  readonly image: Tensor; // (most, 28, 28, 1): what goes in
  readonly place: Tensor; // (most, 8): what comes out, in the first two columns
  readonly pull: Tensor; // its gradient
  private rows: Tensor[] = []; // patches of each layer's input
  private values: Tensor[] = []; // what each layer gives
  private backs: Tensor[] = []; // gradients of those, and of the patches
  private turned: Tensor[] = []; // weights, rows for columns

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
    this.pull = tensor(kernel, most * OUT);
    this.spread = tensor(kernel, this.rows[1].length);
  }

  private spread: Tensor; // gradient of the second layer's patches

  private layer(inputs: number, outputs: number) {
    for (const all of [this.weights, this.gradients, this.turned]) all.push(tensor(this.kernel, inputs * outputs));
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
      kernel.patches(count, side, channels, input.at, rows[l].at);
      side /= 2;
      const patches = count * side * side;
      values[l].values.fill(0, 0, patches * width);
      kernel.matmul(patches, width, 9 * channels, rows[l].at, 9 * channels, 1, weights[l].at, values[l].at);
      kernel.leaky(patches, width, values[l].at, biases[l].at);
      [channels, input] = [width, values[l]];
    });
    const inputs = side * side * channels;
    const last = WIDTHS.length;
    for (let i = 0; i < count; i++) this.place.values.set(biases[last].values, OUT * i);
    kernel.matmul(count, OUT, inputs, input.at, inputs, 1, weights[last].at, this.place.at);
    return columns(this.place.values, count);
  }

  // The gradients of all weights and biases, from that of the places (count, 2) that `forward` gave last.
  backward(count: number, gradient: Float32Array) {
    const { kernel, weights, gradients, slopes, rows, values, backs, turned } = this;
    for (const part of [...gradients, ...slopes]) part.values.fill(0);
    this.pull.values.fill(0, 0, OUT * count);
    for (let i = 0; i < count; i++) for (let j = 0; j < 2; j++) this.pull.values[OUT * i + j] = gradient[2 * i + j];
    const last = WIDTHS.length;
    const [inputs, below] = [weights[last].length / OUT, values[last - 1]];
    kernel.matmul(inputs, OUT, count, below.at, 1, inputs, this.pull.at, gradients[last].at);
    for (let i = 0; i < OUT * count; i++) slopes[last].values[i % OUT] += this.pull.values[i];
    turn(weights[last], inputs, OUT, turned[last]);
    backs[last - 1].values.fill(0, 0, count * inputs);
    kernel.matmul(count, inputs, OUT, this.pull.at, OUT, 1, turned[last].at, backs[last - 1].at);
    for (let l = last - 1; l >= 0; l--) {
      const [width, channels, side] = [WIDTHS[l], l ? WIDTHS[l - 1] : 1, SIDE >> (l + 1)];
      const [patches, size] = [count * side * side, 9 * channels];
      kernel.unleaky(patches, width, values[l].at, backs[l].at, slopes[l].at);
      kernel.matmul(size, width, patches, rows[l].at, 1, size, backs[l].at, gradients[l].at);
      if (!l) continue; // nobody asks for the gradient of the images
      turn(weights[l], size, width, turned[l]);
      this.spread.values.fill(0, 0, patches * size);
      kernel.matmul(patches, size, width, backs[l].at, width, 1, turned[l].at, this.spread.at);
      kernel.gather(count, 2 * side, channels, this.spread.at, backs[l - 1].at);
    }
  }
}

function columns(values: Float32Array, count: number): Float32Array {
  return Float32Array.from({ length: 2 * count }, (_, i) => values[OUT * (i >> 1) + (i & 1)]);
}

// A matrix (m, n) as one of (n, m).
function turn({ values }: Tensor, m: number, n: number, to: Tensor) {
  for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) to.values[j * m + i] = values[i * n + j];
}
