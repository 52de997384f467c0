// Every loss of the book with its gradient. Places z (B, 2) and labels y (B), as losses.py and margins.py have them;
// given back are the loss, its gradient by z, and by the class weights where there are some.

import type { Loss } from "../catalogue";

export interface Head {
  weight: Float32Array; // (C, 2)
  bias: Float32Array; // (C)
}

export interface LossSettings {
  margin: number;
  scale: number;
  mining: "all" | "random" | "semihard" | "hard";
  share: number; // of scale and margin that have come in: a training from scratch begins without
  lambda: number; // of SphereFace's plain cosine
}

export interface Gradients {
  value: number;
  z: Float32Array; // (B, 2)
  weight?: Float32Array; // (C, 2)
  bias?: Float32Array; // (C)
}

type Batch = { z: Float32Array; y: Uint8Array; b: number };

export function lossAndGradients(loss: Loss, z: Float32Array, y: Uint8Array, held: LossSettings, head: Head, random = Math.random): Gradients {
  const batch = { z, y, b: y.length };
  if (loss === "contrastive") return contrastive(batch, held.margin);
  if (loss === "triplet") return triplet(batch, held, random);
  return softmax(batch, head, loss === "softmax" ? linear : angular(loss, held));
}

// ---- pairs

// Hadsell, Chopra and LeCun 2006, equation 4: d^2/2 for a pair of one class, max(0, m - d)^2/2 for one of two. Either
// kind is averaged, and counts as much as the other.
function contrastive({ z, y, b }: Batch, m: number): Gradients {
  const gradient = new Float32Array(2 * b);
  const counts = [0, 0]; // pairs of two classes, of one
  for (let i = 0; i < b; i++) for (let j = 0; j < i; j++) counts[+(y[i] === y[j])]++;
  const kinds = Math.max(1, counts.filter((n) => n).length);
  let value = 0;
  for (let i = 0; i < b; i++)
    for (let j = 0; j < i; j++) {
      const [dx, dy] = [z[2 * i] - z[2 * j], z[2 * i + 1] - z[2 * j + 1]];
      const d = Math.hypot(dx, dy);
      const alike = y[i] === y[j];
      const weight = 1 / counts[+alike] / kinds;
      if (alike) value += (weight * d ** 2) / 2;
      else if (d < m) value += (weight * (m - d) ** 2) / 2;
      const slope = alike ? weight : d < m && d > 0 ? (-weight * (m - d)) / d : 0; // by d, over d
      add(gradient, i, slope * dx, slope * dy);
      add(gradient, j, -slope * dx, -slope * dy);
    }
  return { value, z: gradient };
}

// Schroff, Kalenichenko and Philbin 2015, equation 3: max(0, d_ap - d_an + alpha), squared distances, averaged over the
// triplets that mining takes.
function triplet({ z, y, b }: Batch, { margin, mining }: LossSettings, random: () => number): Gradients {
  const gradient = new Float64Array(2 * b);
  let [value, taken] = [0, 0];
  const d = new Float64Array(b); // of each place to the anchor
  const cost = (a: number, p: number, n: number) => {
    taken++;
    const over = d[p] - d[n] + margin;
    if (over <= 0) return;
    value += over;
    for (let j = 0; j < 2; j++) {
      const [za, zp, zn] = [z[2 * a + j], z[2 * p + j], z[2 * n + j]];
      gradient[2 * a + j] += 2 * (zn - zp);
      gradient[2 * p + j] += 2 * (zp - za);
      gradient[2 * n + j] += 2 * (za - zn);
    }
  };
  for (let a = 0; a < b; a++) {
    for (let i = 0; i < b; i++) d[i] = (z[2 * i] - z[2 * a]) ** 2 + (z[2 * i + 1] - z[2 * a + 1]) ** 2;
    const positives = [...y.keys()].filter((i) => i !== a && y[i] === y[a]);
    const negatives = [...y.keys()].filter((i) => y[i] !== y[a]).sort((i, j) => d[i] - d[j]);
    if (!negatives.length || !positives.length) continue;
    if (mining === "hard")
      cost(
        a,
        positives.reduce((p, i) => (d[i] > d[p] ? i : p)),
        negatives[0],
      );
    else
      for (const p of positives) {
        if (mining === "all") for (const n of negatives) cost(a, p, n);
        else if (mining === "random") cost(a, p, negatives[Math.floor(random() * negatives.length)]);
        else cost(a, p, negatives.find((n) => d[n] > d[p]) ?? negatives[negatives.length - 1]);
      }
  }
  const count = Math.max(1, taken);
  return { value: value / count, z: Float32Array.from(gradient, (g) => g / count) };
}

// ---- classes

// The logits of one place, and how a gradient by them goes back to the place and to the class weights.
interface Logits {
  logits: number[];
  back(slopes: number[], gradient: Gradients, i: number): void;
}
type LogitFunction = (x: [number, number], y: number, head: Head) => Logits;

// Cross-entropy: -log e^{l_y} / sum_j e^{l_j}, with the gradient softmax(l) - 1_y.
function softmax({ z, y, b }: Batch, head: Head, judge: LogitFunction): Gradients {
  const gradient: Gradients = { value: 0, z: new Float32Array(2 * b) };
  gradient.weight = new Float32Array(head.weight.length);
  gradient.bias = new Float32Array(head.bias.length);
  for (let i = 0; i < b; i++) {
    const { logits, back } = judge([z[2 * i], z[2 * i + 1]], y[i], head);
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
const linear: LogitFunction = (x, _, { weight, bias }) => ({
  logits: Array.from(bias, (b, j) => weight[2 * j] * x[0] + weight[2 * j + 1] * x[1] + b),
  back(slopes, gradient, i) {
    slopes.forEach((g, j) => {
      add(gradient.z, i, g * weight[2 * j], g * weight[2 * j + 1]);
      add(gradient.weight!, j, g * x[0], g * x[1]);
      gradient.bias![j] += g;
    });
  },
});

// l_j = L cos theta_j, and for the true class L t(cos theta_y): L is the scale, or on the way there a mean of it and of
// the place's length; SphereFace's is the length alone.
function angular(loss: Loss, { scale, share, margin, lambda }: LossSettings): LogitFunction {
  const own = loss === "sphereface" ? 1 : 1 - share; // the part of L that is the length
  const target = TARGETS[loss as keyof typeof TARGETS];
  return (x, y, { weight, bias }) => {
    const length = Math.hypot(...x);
    const there = length > 1e-6; // a zero vector has no direction: its cosines are 0, and so are their gradients
    const cos = Array.from(bias, (_, j) => {
      const w = Math.hypot(weight[2 * j], weight[2 * j + 1]);
      return there ? clamp((x[0] * weight[2 * j] + x[1] * weight[2 * j + 1]) / length / w) : 0;
    });
    const L = own * length + (1 - own) * scale;
    const [t, slope] = target(cos[y], loss === "sphereface" ? margin : share * margin, lambda);
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

// What stands in for cos theta of the true class, and its derivative by it.
const TARGETS: Record<string, (cos: number, m: number, lambda: number) => [number, number]> = {
  normface: (cos) => [cos, 1],
  // Wang et al. 2018, equation 4: cos theta - m.
  cosface: (cos, m) => [cos - m, 1],
  // Deng et al. 2019, equation 3: cos(theta + m), and beyond pi, where it turns up again, cos theta - m sin m.
  arcface: (cos, m) => {
    if (cos <= -Math.cos(m)) return [cos - m * Math.sin(m), 1];
    const square = (1 - cos) * (1 + cos);
    const slope = square >= 1e-6 ? (Math.sin(m) * cos) / Math.sqrt(square) : 0; // at cos 1 it grows without end
    return [cos * Math.cos(m) - Math.sqrt(square) * Math.sin(m), Math.cos(m) + slope];
  },
  // Liu et al. 2017, equation 7: (lambda cos theta + psi) / (1 + lambda), psi = (-1)^k cos(m theta) - 2k; cos(m theta) by
  // Chebyshev's recurrence, its derivative m U_{m-1} by the same.
  sphereface: (cos, m, lambda) => {
    let [before, now] = [1, cos];
    let [under, over] = [0, 1]; // U_{-1}, U_0
    for (let i = 1; i < m; i++) {
      [before, now] = [now, 2 * cos * now - before];
      [under, over] = [over, 2 * cos * over - under];
    }
    const k = Math.min(m - 1, Math.floor((m * Math.acos(cos)) / Math.PI));
    const sign = k % 2 ? -1 : 1;
    return [(lambda * cos + sign * now - 2 * k) / (1 + lambda), (lambda + sign * m * over) / (1 + lambda)];
  },
};

const clamp = (v: number) => Math.min(1, Math.max(-1, v));

function add(to: Float32Array, i: number, x: number, y: number) {
  to[2 * i] += x;
  to[2 * i + 1] += y;
}
