// What a training in the page can be held to.
export const LOSSES = ["contrastive", "triplet", "softmax", "normface", "sphereface", "cosface", "arcface"] as const;
export type Loss = (typeof LOSSES)[number];
export const PAIRS: Loss[] = ["contrastive", "triplet"]; // which have no classes to tell
export const MINING = ["all", "random", "semihard", "hard"];
export const MOST: Record<string, number> = { contrastive: 16, triplet: 16, sphereface: 9, cosface: 2, arcface: 3 };
