// How a training in the page goes: its batches, and when margin and scale come in.
import { LAMBDA, type Loss, lossEntry } from "../catalogue";

export const BATCH = 128;
export const WARMUP_BATCHES = 1200; // batches from chance until the network's places are spread; then scale and margin come in
export const RAMP_BATCHES = 800; // batches that they take to

// SphereFace's blend after so many batches from chance: how much the plain cosine weighs beside the margin's.
export function lambdaAt(steps: number): number {
  const { first, last } = LAMBDA;
  return Math.max(last, first / (1 + ((first / last - 1) * steps) / WARMUP_BATCHES));
}

// How much of its margin and scale a loss has after so many batches from chance, 0 to 1.
export function shareAt(loss: Loss, steps: number): number {
  const { family, scale } = lossEntry(loss);
  if (family !== "cosine") return 1;
  if (scale === null) return LAMBDA.last / lambdaAt(steps);
  return Math.min(1, Math.max(0, (steps - WARMUP_BATCHES) / RAMP_BATCHES));
}
