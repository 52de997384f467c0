// What a loss takes and gives: places z (B, 2) and labels y (B), as losses.py and margins.py have them.

export interface Batch {
  z: Float32Array;
  y: Uint8Array;
}

export interface Head {
  weight: Float32Array; // (C, 2)
  bias: Float32Array; // (C)
}

export interface LossSettings {
  margin: number;
  scale: number;
  mining: string;
  share: number; // of scale and margin that have come in: a training from scratch begins without
  lambda: number; // of SphereFace's plain cosine
}

// The loss, and its gradient by the places, and by the class weights and biases where it has some.
export interface Gradients {
  value: number;
  z: Float32Array; // (B, 2)
  weight?: Float32Array; // (C, 2)
  bias?: Float32Array; // (C)
}

export function add(to: Float32Array, i: number, x: number, y: number) {
  to[2 * i] += x;
  to[2 * i + 1] += y;
}
