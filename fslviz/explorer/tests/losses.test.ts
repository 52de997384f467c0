import assert from "node:assert/strict";
import test from "node:test";
import { comparesPairs, LOSS_NAMES, type Loss, lossEntry, MINING } from "../src/catalogue";
import type { Head, LossSettings } from "../src/training/loss-types";
import { lossAndGradients } from "../src/training/losses";
import { near, numbers } from "./near";

const random = numbers(1);
// In double precision, so that a slope can be taken over a span that no kink lies in.
const drawn = (n: number) => Float64Array.from({ length: n }, () => 2 * (random() - 0.5)) as unknown as Float32Array;
const HEAD: Head = { weight: drawn(20), bias: drawn(10) };
const Y = Uint8Array.from({ length: 24 }, (_, i) => (i * 7) % 5);
const Z = drawn(48);
const held = (change: Partial<LossSettings> = {}): LossSettings => ({
  margin: 1,
  scale: 16,
  mining: "all",
  share: 1,
  lambda: 5,
  ...change,
});

// Each loss at margins inside and at the ends of what the lab takes, angular ones also on the way to their scale.
function* settings(loss: Loss): Generator<LossSettings> {
  const { least, most, whole } = lossEntry(loss).margin ?? { least: 0, most: 0, whole: false };
  for (const margin of new Set([least, whole ? 4 : most / 20, most]))
    for (const mining of loss === "triplet" ? MINING : ["all"])
      for (const share of comparesPairs(loss) ? [1] : [1, 0.4])
        yield held({ margin, mining, share, lambda: 5 / share });
}

test("each gradient is the slope of its loss, by places, class weights and biases", () => {
  for (const loss of LOSS_NAMES)
    for (const setting of settings(loss)) {
      const go = () => lossAndGradients(loss, Z, Y, setting, HEAD, numbers(3));
      const back = go();
      const parts: [Float32Array, Float32Array | undefined][] = [
        [Z, back.z],
        [HEAD.weight, back.weight],
        [HEAD.bias, loss === "softmax" ? back.bias : undefined],
      ];
      const most = Math.max(...back.z.map(Math.abs), 1e-3);
      for (const [values, gradient] of parts)
        for (let i = 0; gradient && i < values.length; i += 3) {
          const here = values[i];
          const ends = [-1, 1].map((way) => {
            values[i] = here + way * 1e-6;
            return go().value;
          });
          values[i] = here;
          const slope = (ends[1] - ends[0]) / 2e-6;
          near(gradient[i], slope, 1e-4 * Math.max(most, Math.abs(slope)), `${loss} ${JSON.stringify(setting)} ${i}`);
        }
    }
});

const d = (i: number, j: number) => Math.hypot(Z[2 * i] - Z[2 * j], Z[2 * i + 1] - Z[2 * j + 1]);
const all = [...Y.keys()];
const average = (values: number[]) => values.reduce((s, v) => s + v, 0) / values.length;

test("contrastive is the mean of its two kinds of pairs", () => {
  for (const m of [0, 0.3, 1, 16]) {
    const pairs = all.flatMap((i) => all.slice(0, i).map((j) => [i, j]));
    const cost = (sameClass: boolean) =>
      average(
        pairs
          .filter(([i, j]) => (Y[i] === Y[j]) === sameClass)
          .map(([i, j]) => (sameClass ? d(i, j) ** 2 : Math.max(0, m - d(i, j)) ** 2) / 2),
      );
    near(lossAndGradients("contrastive", Z, Y, held({ margin: m }), HEAD).value, (cost(true) + cost(false)) / 2, 1e-9);
  }
});

test("contrastive pushes up to its margin and no farther, and not without a direction", () => {
  const pair = (far: number) =>
    lossAndGradients("contrastive", Float32Array.from([0, 0, far, 0]), Uint8Array.from([0, 1]), held(), HEAD);
  for (const [far, value, push] of [
    [0.5, 0.125, 0.5],
    [1, 0, 0],
    [1.5, 0, 0],
    [0, 0.5, 0],
  ]) {
    near(pair(far).value, value, 1e-9);
    assert.deepEqual(
      [...pair(far).z].map((v) => v + 0),
      [push, 0, -push + 0, 0],
      `${far}`,
    );
  }
});

test("triplet takes the triplets that its mining names", () => {
  const square = (i: number, j: number) => d(i, j) ** 2;
  for (const margin of [0, 0.4, 16]) {
    const costs: Record<string, number[]> = { all: [], semihard: [], hard: [] };
    for (const a of all) {
      const positives = all.filter((p) => p !== a && Y[p] === Y[a]);
      const negatives = all.filter((n) => Y[n] !== Y[a]).map((n) => square(a, n));
      const cost = (p: number, n: number) => Math.max(0, p - n + margin);
      const near = Math.min(...negatives);
      costs.hard.push(cost(Math.max(...positives.map((p) => square(a, p))), near));
      for (const p of positives.map((p) => square(a, p))) {
        costs.all.push(...negatives.map((n) => cost(p, n)));
        const beyond = negatives.filter((n) => n > p);
        costs.semihard.push(cost(p, beyond.length ? Math.min(...beyond) : Math.max(...negatives)));
      }
    }
    for (const mining of ["all", "semihard", "hard"] as const)
      near(
        lossAndGradients("triplet", Z, Y, held({ margin, mining }), HEAD).value,
        average(costs[mining]),
        1e-9,
        mining,
      );
  }
});

test("random mining draws each negative, the last one too", () => {
  const z = Float32Array.from([0, 0, 1, 0, 2, 0, 3, 0]);
  const y = Uint8Array.from([0, 0, 1, 1]); // of anchor 0: a positive at 1, negatives at 2 and 3
  const setting = held({ margin: 16, mining: "random" });
  for (const [draw, n] of [
    [0, 0],
    [0.49, 0],
    [0.5, 1],
    [0.999999, 1],
  ]) {
    const cost = (p: number, far: number[]) => p - far[n] + 16;
    const expected = average([cost(1, [4, 9]), cost(1, [1, 4]), cost(1, [4, 1]), cost(1, [9, 4])]);
    near(lossAndGradients("triplet", z, y, setting, HEAD, () => draw).value, expected, 1e-9, `${draw}`);
  }
});

test("without a triplet there is nothing to pay", () => {
  const { value, z } = lossAndGradients(
    "triplet",
    Float32Array.from([0, 0, 1, 0]),
    Uint8Array.from([1, 2]),
    held(),
    HEAD,
  );
  assert.deepEqual([value, ...z], [0, 0, 0, 0, 0]);
});

// The cross-entropy of one place, by its definition.
function entropy(
  loss: Loss,
  x: number,
  y: number,
  label: number,
  { margin, scale, share, lambda }: LossSettings,
): number {
  const length = Math.hypot(x, y);
  const logits = all.slice(0, 10).map((j) => {
    const [u, v] = [HEAD.weight[2 * j], HEAD.weight[2 * j + 1]];
    if (loss === "softmax") return u * x + v * y + HEAD.bias[j];
    const cos = Math.min(1, Math.max(-1, (u * x + v * y) / length / Math.hypot(u, v)));
    const theta = Math.acos(cos);
    const m = share * margin;
    const k = Math.min(margin - 1, Math.floor((margin * theta) / Math.PI));
    const psi = (-1) ** k * Math.cos(margin * theta) - 2 * k;
    const target: Record<string, number> = {
      normface: cos,
      cosface: cos - m,
      arcface: theta + m < Math.PI ? Math.cos(theta + m) : cos - m * Math.sin(m),
      sphereface: (lambda * cos + psi) / (1 + lambda),
    };
    const long = loss === "sphereface" ? length : share * scale + (1 - share) * length;
    return long * (j === label ? target[loss] : cos);
  });
  return Math.log(logits.reduce((s, l) => s + Math.exp(l), 0)) - logits[label];
}

test("the losses of classes are cross-entropies of their targets", () => {
  for (const loss of LOSS_NAMES.filter((l) => !comparesPairs(l)))
    for (const setting of settings(loss)) {
      const expected = average(all.map((i) => entropy(loss, Z[2 * i], Z[2 * i + 1], Y[i], setting)));
      near(lossAndGradients(loss, Z, Y, setting, HEAD).value, expected, 1e-5, `${loss} ${JSON.stringify(setting)}`);
    }
});

test("logits may be of any size", () => {
  const far = Z.map((v) => 1e5 * v);
  const { value } = lossAndGradients("softmax", far, Y, held(), HEAD);
  const worst = all.map((i) => {
    const logits = all
      .slice(0, 10)
      .map((j) => HEAD.weight[2 * j] * far[2 * i] + HEAD.weight[2 * j + 1] * far[2 * i + 1]);
    return Math.max(...logits) - logits[Y[i]];
  });
  near(value, average(worst), 5);
});

test("at a margin of none, CosFace and ArcFace are NormFace", () => {
  const plain = lossAndGradients("normface", Z, Y, held(), HEAD);
  for (const loss of ["cosface", "arcface"] as const) {
    const same = lossAndGradients(loss, Z, Y, held({ margin: 0 }), HEAD);
    near(same.value, plain.value, 1e-9, loss);
    same.z.forEach((g, i) => near(g, plain.z[i], 1e-6, loss));
  }
});

test("a place without a direction has even cosines and no gradient", () => {
  for (const loss of ["normface", "cosface", "arcface"] as const) {
    const { value, z, weight } = lossAndGradients(
      loss,
      new Float32Array(2),
      Uint8Array.from([3]),
      held({ margin: 0 }),
      HEAD,
    );
    near(value, Math.log(10), 1e-6, loss);
    assert.ok(
      [...z, ...weight!].every((g) => g === 0),
      loss,
    );
  }
});

test("ArcFace on the axes themselves is finite", () => {
  const head = { weight: Float32Array.from({ length: 20 }, (_, i) => Number(i % 2 === 0)), bias: new Float32Array(10) };
  for (const x of [1, -1])
    for (const margin of [0, 0.5, 3]) {
      const { value, z, weight } = lossAndGradients(
        "arcface",
        Float32Array.from([x, 0]),
        Uint8Array.from([0]),
        held({ margin }),
        head,
      );
      const cos = x > 0 ? Math.cos(margin) : -1 - margin * Math.sin(margin); // beyond pi it goes on as a line
      near(value, Math.log(9 * Math.exp(16 * x) + Math.exp(16 * cos)) - 16 * cos, 1e-5, `${x} ${margin}`);
      assert.ok([...z, ...weight!].every(Number.isFinite));
    }
});
