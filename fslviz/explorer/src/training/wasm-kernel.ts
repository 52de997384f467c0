// Numbers in the linear memory that the kernel reckons in.
import plain from "./kernel.wasm";
import relaxed from "./relaxed.wasm";

export interface Kernel {
  matmul(m: number, n: number, k: number, a: number, row: number, step: number, b: number, c: number): void;
  patches(count: number, side: number, channels: number, image: number, to: number): void;
  gather(count: number, side: number, channels: number, from: number, image: number): void;
  leaky(count: number, n: number, x: number, bias: number): void;
  unleaky(count: number, n: number, y: number, d: number, bias: number): void;
  memory: WebAssembly.Memory;
  top: number; // the first free byte
  relaxed: boolean;
}

export interface Tensor {
  address: number; // its address
  length: number;
  readonly values: Float32Array;
}

// The kernel, with multiply-add where the browser has it: which it has is found by trying.
export async function kernel(): Promise<Kernel> {
  for (const bytes of typeof WebAssembly === "undefined" ? [] : [relaxed, plain])
    try {
      const memory = new WebAssembly.Memory({ initial: 16 });
      const { instance } = await WebAssembly.instantiate(bytes, { env: { memory } });
      return { ...(instance.exports as unknown as Kernel), memory, top: 1024, relaxed: bytes === relaxed };
    } catch {}
  throw new Error("This browser has no WebAssembly SIMD, which the lab needs.");
}

export function tensor(kernel: Kernel, length: number): Tensor {
  const at = kernel.top;
  const { memory } = kernel;
  kernel.top += (4 * length + 63) & ~63;
  if (kernel.top > memory.buffer.byteLength) memory.grow(Math.ceil((kernel.top - memory.buffer.byteLength) / 65536));
  let view = new Float32Array(memory.buffer, at, length);
  return {
    address: at,
    length,
    get values() {
      if (!view.length && length) view = new Float32Array(memory.buffer, at, length); // memory that grows moves
      return view;
    },
  };
}
