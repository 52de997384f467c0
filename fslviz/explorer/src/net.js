// The trained networks, run in the page: EmbeddingNet of fslviz/models.py with its normalisation folded in.
import wasm from "./conv.wasm";

const LAYERS = [[28, 1, 32, 1], [28, 32, 32, 2], [14, 32, 64, 1], [14, 64, 64, 2]]; // size, in, out, stride
const memory = new WebAssembly.Memory({ initial: 64 });
let top = 0;
let conv;

function room(count) {
  const at = top;
  top += (count * 4 + 15) & ~15;
  if (top > memory.buffer.byteLength) memory.grow(Math.ceil((top - memory.buffer.byteLength) / 65536));
  return at;
}
const floats = (at, count) => new Float32Array(memory.buffer, at, count);
const images = [room(30 * 30), ...LAYERS.map(([size, , out, stride]) => room((size / stride + 2) ** 2 * out))];

export class Network {
  static async read(bytes) {
    conv ??= (await WebAssembly.instantiate(wasm, { env: { memory } })).instance.exports.conv;
    return new Network(bytes);
  }

  constructor(bytes) {
    const head = new Float32Array(bytes, 0, 388), weights = new Int8Array(bytes, 388 * 4);
    let f = 0, w = 0;
    this.layers = LAYERS.map(([, channels, out]) => {
      const count = 9 * channels * out, weight = room(count), bias = room(out), scale = head.subarray(f, f + out);
      const spread = floats(weight, count);
      for (let i = 0; i < count; i++) spread[i] = weights[w + i] * scale[i % out];
      floats(bias, out).set(head.subarray(f + out, f + 2 * out));
      f += 2 * out;
      w += count;
      return [weight, bias];
    });
    [this.scale, this.bias, this.linear] = [head.subarray(f, f + 2), head.subarray(f + 2), weights.subarray(w)];
  }

  // The embedding (2) of an image of 784 standardised pixels.
  embed(image) {
    const input = floats(images[0], 900);
    for (let y = 0; y < 28; y++) input.set(image.subarray(28 * y, 28 * y + 28), 30 * (y + 1) + 1);
    LAYERS.forEach(([size, channels, out, stride], i) =>
      conv(images[i], size, channels, out, stride, ...this.layers[i], images[i + 1]));
    const h = floats(images[4], 81 * 64), place = [0, 0];
    for (let y = 0, w = 0; y < 7; y++) for (let x = 0; x < 7; x++) for (let c = 0; c < 64; c++, w++) {
      const v = h[((y + 1) * 9 + x + 1) * 64 + c];
      place[0] += v * this.linear[w];
      place[1] += v * this.linear[3136 + w];
    }
    return place.map((v, j) => v * this.scale[j] + this.bias[j]);
  }
}

// Strokes (each a list of [x, y] on the pad) as MNIST has its digits: the box of the ink fits 20x20 pixels, its centre
// of mass lies in the middle of 28x28. Null where there is no ink. The pen is as wide as MNIST's, however large one draws.
const PEN = 2.3, FINE = 4;
let ink;

export function prepare(strokes) {
  const all = strokes.flat();
  if (!all.length) return null;
  ink ??= Object.assign(document.createElement("canvas"), { width: 28 * FINE, height: 28 * FINE })
    .getContext("2d", { willReadFrequently: true });
  const [xs, ys] = [0, 1].map((i) => all.map((p) => p[i]));
  const [x0, x1, y0, y1] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const scale = (20 - PEN) / Math.max(x1 - x0, y1 - y0, 0.05);
  const render = (dx, dy) => {
    ink.setTransform(1, 0, 0, 1, 0, 0);
    ink.clearRect(0, 0, 28 * FINE, 28 * FINE);
    ink.setTransform(FINE, 0, 0, FINE, 0, 0);
    Object.assign(ink, { lineWidth: PEN, lineCap: "round", lineJoin: "round" });
    for (const stroke of strokes) {
      ink.beginPath();
      for (const [x, y] of [stroke[0], ...stroke])
        ink.lineTo(14 + dx + (x - (x0 + x1) / 2) * scale, 14 + dy + (y - (y0 + y1) / 2) * scale);
      ink.stroke();
    }
    const fine = ink.getImageData(0, 0, 28 * FINE, 28 * FINE).data, image = new Float32Array(784);
    for (let i = 0; i < (28 * FINE) ** 2; i++) {
      const x = i % (28 * FINE), y = (i / (28 * FINE)) | 0;
      image[((y / FINE) | 0) * 28 + ((x / FINE) | 0)] += fine[4 * i + 3] / 255 / FINE ** 2;
    }
    return image;
  };
  const image = render(0, 0);
  let mass = 0, mx = 0, my = 0;
  image.forEach((v, i) => { mass += v; mx += v * (i % 28 + 0.5); my += v * (((i / 28) | 0) + 0.5); });
  return render(14.5 - mx / mass, 14.5 - my / mass); // where MNIST has it, half a pixel off the middle
}
