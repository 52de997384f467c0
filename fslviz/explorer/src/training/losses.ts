// Every loss of the book with its gradient.
import type { Loss } from "../catalogue";
import { angular, crossEntropy, linear } from "./class-losses";
import type { Batch, Gradients, Head, LossSettings } from "./loss-types";
import { contrastive, triplet } from "./pair-losses";

type LossFunction = (batch: Batch, settings: LossSettings, head: Head, random: () => number) => Gradients;

const ofAngles =
  (loss: Loss): LossFunction =>
  (batch, settings, head) =>
    crossEntropy(batch, head, angular(loss, settings));

const LOSS_FUNCTIONS: Record<Loss, LossFunction> = {
  contrastive,
  triplet: (batch, settings, _, random) => triplet(batch, settings, random),
  softmax: (batch, _, head) => crossEntropy(batch, head, linear),
  normface: ofAngles("normface"),
  sphereface: ofAngles("sphereface"),
  cosface: ofAngles("cosface"),
  arcface: ofAngles("arcface"),
};

export function lossAndGradients(
  loss: Loss,
  z: Float32Array,
  y: Uint8Array,
  settings: LossSettings,
  head: Head,
  random = Math.random,
): Gradients {
  return LOSS_FUNCTIONS[loss]({ z, y }, settings, head, random);
}
