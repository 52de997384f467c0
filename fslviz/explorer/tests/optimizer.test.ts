import assert from "node:assert/strict";
import test from "node:test";
import { Adam, Muon } from "../src/training/optimizers";
import { kernel, tensor } from "../src/training/wasm-kernel";
import { near, numbers } from "./near";

test("Adam follows the mean of the gradients over the root of that of their squares", () => {
  const [rate, values, random] = [0.01, Float32Array.from([3, -2]), numbers(4)];
  const adam = new Adam({ values });
  const seen: number[][] = [];
  for (let t = 0; t < 60; t++) {
    const before = [...values];
    seen.push([t ? 0.1 * random() : 1, -random()]);
    adam.step(Float32Array.from(seen[t]), rate);
    // Means in which each earlier gradient counts for less.
    const mean = (beta: number, of: (g: number) => number, i: number) => {
      const weights = seen.map((_, k) => beta ** (t - k));
      return weights.reduce((s, w, k) => s + w * of(seen[k][i]), 0) / weights.reduce((s, w) => s + w, 0);
    };
    for (const i of [0, 1]) {
      const step = (rate * mean(0.9, (g) => g, i)) / Math.sqrt(mean(0.99, (g) => g * g, i));
      near(before[i] - values[i], step, 2e-6, `step ${t}`);
    }
  }
});

test("Muon goes as far in every direction, whatever the gradient, and farther where it is wide", async () => {
  const random = numbers(6);
  for (const [inputs, outputs, wide] of [
    [32, 8, 1],
    [4, 16, 2],
  ]) {
    const made = await kernel();
    const [weight, gradient] = [0, 1].map(() => tensor(made, inputs * outputs));
    const muon = new Muon(made, weight, gradient, outputs);
    for (let t = 0; t < 3; t++) {
      const before = weight.values.slice();
      gradient.values.forEach((_, i, all) => (all[i] = 1e3 * (random() - 0.5)));
      muon.step(0.1);
      const step = before.map((v, i) => (v - weight.values[i]) / 0.1);
      // The squares of its lengths along as many directions as it has.
      const square = step.reduce((s, v) => s + v * v, 0) / Math.min(inputs, outputs) / wide ** 2;
      near(square, 0.85, 0.35, `${inputs} to ${outputs}, step ${t}`);
    }
    const before = weight.values.slice();
    gradient.values.fill(0);
    muon.step(0.1);
    assert.ok(weight.values.some((v, i) => Math.abs(v - before[i]) > 0.01)); // on, as it was going
  }
});
