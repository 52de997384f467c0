// What a training in the page can be held to.
export const LOSSES = ["contrastive", "triplet", "softmax", "normface", "sphereface", "cosface", "arcface"] as const;
export type Loss = (typeof LOSSES)[number];
export const PAIRS: Loss[] = ["contrastive", "triplet"]; // which have no classes to tell
export const MINING = ["all", "random", "semihard", "hard"];
export const MOST: Record<string, number> = { contrastive: 16, triplet: 16, sphereface: 9, cosface: 2, arcface: 3 };
export const SCALED: Loss[] = ["normface", "cosface", "arcface"]; // whose logits are a scale times cosines

export const BATCH = 128;
export const WARM = 1200; // batches from chance until the network's places are spread; then scale and margin come in
export const RAMP = 800; // batches that they take to
export const LEAST = 5; // SphereFace's lambda, which has come down to it by then
