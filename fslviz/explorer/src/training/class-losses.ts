// The losses of classes, with their gradients: a cross-entropy of logits.
import { type Loss, lossEntry } from "../catalogue";
import { add, type Batch, type Gradients, type Head, type LossSettings } from "./loss-types";
import { TARGETS } from "./targets";

// The logits of one place, and how a gradient by them goes back to the place and to the class weights.
interface Logits {
  logits: number[];
  back(slopes: number[], gradient: Gradients, i: number): void;
}
type LogitFunction = (x: [number, number], y: number, head: Head) => Logits;

// Cross-entropy: -log e^{l_y} / sum_j e^{l_j}, with the gradient softmax(l) - 1_y.
export function crossEntropy({ z, y }: Batch, head: Head, logitsOf: LogitFunction): Gradients {
  const b = y.length;
  const gradient: Gradients = { value: 0, z: new Float32Array(2 * b), weight: new Float32Array(head.weight.length) };
  for (let i = 0; i < b; i++) {
    const { logits, back } = logitsOf([z[2 * i], z[2 * i + 1]], y[i], head);
    const most = Math.max(...logits);
    const sum = logits.reduce((s, l) => s + Math.exp(l - most), 0);
    gradient.value += (Math.log(sum) + most - logits[y[i]]) / b;
    back(
      logits.map((l, j) => (Math.exp(l - most) / sum - +(j === y[i])) / b),
      gradient,
      i,
    );
  }
  return gradient;
}

// l_j = w_j . x + b_j.
export const linear: LogitFunction = (x, _, { weight, bias }) => ({
  logits: Array.from(bias, (b, j) => weight[2 * j] * x[0] + weight[2 * j + 1] * x[1] + b),
  back(slopes, gradient, i) {
    gradient.bias ??= new Float32Array(bias.length);
    slopes.forEach((g, j) => {
      add(gradient.z, i, g * weight[2 * j], g * weight[2 * j + 1]);
      add(gradient.weight!, j, g * x[0], g * x[1]);
      gradient.bias![j] += g;
    });
  },
});

// l_j = L cos theta_j, and for the true class L t(cos theta_y): L is the scale, and while the scale comes in a mean of
// it and of the place's length; for SphereFace it is the length.
export function angular(loss: Loss, { scale, share, margin, lambda }: LossSettings): LogitFunction {
  const scaled = lossEntry(loss).scale !== null;
  const own = scaled ? 1 - share : 1; // the part of L that is the length
  const target = TARGETS[loss];
  return (x, y, { weight, bias }) => {
    const length = Math.hypot(...x);
    const there = length > 1e-6; // a zero vector has no direction: its cosines are 0, and so are their gradients
    const cos = Array.from(bias, (_, j) => {
      const w = Math.hypot(weight[2 * j], weight[2 * j + 1]);
      return there ? clamp((x[0] * weight[2 * j] + x[1] * weight[2 * j + 1]) / length / w) : 0;
    });
    const L = own * length + (1 - own) * scale;
    const [t, slope] = target(cos[y], scaled ? share * margin : margin, lambda);
    return {
      logits: cos.map((c, j) => L * (j === y ? t : c)),
      back(slopes, gradient, i) {
        if (!there) return;
        slopes.forEach((g, j) => {
          const by = g * L * (j === y ? slope : 1); // the gradient by cos theta_j
          const [wx, wy] = [weight[2 * j], weight[2 * j + 1]];
          const w = Math.hypot(wx, wy);
          for (const [k, v] of [wx, wy].entries()) {
            gradient.z[2 * i + k] += (by * (v / w - (cos[j] * x[k]) / length)) / length;
            gradient.z[2 * i + k] += (g * (j === y ? t : cos[j]) * own * x[k]) / length;
            gradient.weight![2 * j + k] += (by * (x[k] / length - (cos[j] * v) / w)) / w;
          }
        });
      },
    };
  };
}

const clamp = (v: number) => Math.min(1, Math.max(-1, v));
