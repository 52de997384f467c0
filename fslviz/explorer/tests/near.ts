import assert from "node:assert/strict";

export function near(actual: number, expected: number, off: number, what = "") {
  assert.ok(Math.abs(actual - expected) <= off, `${what}: ${actual} is not ${expected}, to ${off}`);
}

// Numbers from 0 to 1, the same at each run (Park and Miller's generator).
export function numbers(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48271) % 2147483647) / 2147483647;
}
