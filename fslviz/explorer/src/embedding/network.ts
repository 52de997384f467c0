// The trained networks, run in the page: EmbeddingNet of fslviz/models.py with its normalisation folded in.
import { t } from "../common/texts";
import wasm from "./conv.wasm";

type Conv = (input: number, size: number, channels: number, out: number, stride: number, ...at: number[]) => void;

const LAYERS = [
  [28, 1, 32, 1],
  [28, 32, 32, 2],
  [14, 32, 64, 1],
  [14, 64, 64, 2],
]; // size, in, out, stride
const CHANNELS = 192; // of them all
const WEIGHTS = 64_800;
const FEATURES = 7 * 7 * 64; // that the linear layer takes
let memory: WebAssembly.Memory;
let top = 0;
let conv: Conv;
let images: number[]; // one network at a time runs, in the same room
let begun: Promise<Problem | null> | undefined;

// A line that says why what needs a network, such as drawing, does not work here.
export type Problem = (what: string) => string;

function allocate(count: number) {
  const at = top;
  top += (count * 4 + 15) & ~15;
  if (top > memory.buffer.byteLength) memory.grow(Math.ceil((top - memory.buffer.byteLength) / 65536));
  return at;
}
const floats = (at: number, count: number) => new Float32Array(memory.buffer, at, count);

// Why no network runs here, or null. Asked when a page is built: what needs none must not fall with it.
export function networkProblem(): Promise<Problem | null> {
  begun ??= (async () => {
    if (!globalThis.WebAssembly)
      return (what) => t("{0} need WebAssembly, which this browser does not run (as in Lockdown Mode).", what);
    try {
      memory = new WebAssembly.Memory({ initial: 64 });
      images = [allocate(30 * 30), ...LAYERS.map(([size, , out, stride]) => allocate((size / stride + 2) ** 2 * out))];
      conv = (await WebAssembly.instantiate(wasm, { env: { memory } })).instance.exports.conv as Conv;
      return null;
    } catch (error) {
      const policy = error instanceof WebAssembly.CompileError; // the program is sound, so it was forbidden
      return (what) =>
        policy
          ? t("{0} need WebAssembly, which the security policy of this page forbids.", what)
          : t("{0} need WebAssembly, which could not be started.", what);
    }
  })();
  return begun;
}

export class Network {
  private layers: [number, number][];
  private scale: Float32Array;
  private bias: Float32Array;
  private linear: Int8Array;
  private dims: number;

  static async read(bytes: ArrayBuffer): Promise<Network> {
    const problem = await networkProblem();
    if (problem) throw new Error(problem(t("The networks")));
    return new Network(bytes);
  }

  private constructor(bytes: ArrayBuffer) {
    this.dims = (bytes.byteLength - 8 * CHANNELS - WEIGHTS) / (8 + FEATURES); // a scale and a bias each, in 4 bytes
    const head = new Float32Array(bytes, 0, 2 * (CHANNELS + this.dims));
    const weights = new Int8Array(bytes, head.byteLength);
    let f = 0;
    let w = 0;
    this.layers = LAYERS.map(([, channels, out]) => {
      const count = 9 * channels * out;
      const [weight, bias, scale] = [allocate(count), allocate(out), head.subarray(f, f + out)];
      const spread = floats(weight, count);
      for (let i = 0; i < count; i++) spread[i] = weights[w + i] * scale[i % out];
      floats(bias, out).set(head.subarray(f + out, f + 2 * out));
      f += 2 * out;
      w += count;
      return [weight, bias];
    });
    [this.scale, this.bias, this.linear] = [
      head.subarray(f, f + this.dims),
      head.subarray(f + this.dims),
      weights.subarray(w),
    ];
  }

  // The embedding of an image of 784 standardised pixels.
  embed(image: Float32Array): number[] {
    const input = floats(images[0], 900);
    for (let y = 0; y < 28; y++) input.set(image.subarray(28 * y, 28 * y + 28), 30 * (y + 1) + 1);
    LAYERS.forEach(([size, channels, out, stride], i) =>
      conv(images[i], size, channels, out, stride, ...this.layers[i], images[i + 1]),
    );
    const padded = floats(images[4], 81 * 64);
    const h = new Float32Array(FEATURES);
    for (let y = 0; y < 7; y++) h.set(padded.subarray(((y + 1) * 9 + 1) * 64, ((y + 1) * 9 + 8) * 64), y * 7 * 64);
    return Array.from({ length: this.dims }, (_, d) => {
      let sum = 0;
      for (let i = 0, w = d * FEATURES; i < FEATURES; i++, w++) sum += h[i] * this.linear[w];
      return sum * this.scale[d] + this.bias[d];
    });
  }
}
