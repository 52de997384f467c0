// How the weights follow their gradients: Muon for matrices, Adam for the rest.
import { RATES } from "../catalogue";
import { type Kernel, type Tensor, tensor } from "./wasm-kernel";

const MOMENTUM = 0.95;
const [A, B, C] = [3.4445, -4.775, 2.0315]; // the polynomial that brings singular values near 1

// Muon (Jordan 2024): the step is the gradient's momentum, made orthogonal by five steps of Newton and Schulz.
export class Muon {
  private momentum: Float32Array;
  private x: Tensor;
  private next: Tensor;
  private gram: Tensor;
  private square: Tensor;

  // A weight (inputs, outputs); outputs a multiple of 8.
  constructor(
    private kernel: Kernel,
    private weight: Tensor,
    private gradient: Tensor,
    private outputs: number,
  ) {
    this.momentum = new Float32Array(weight.length);
    this.x = tensor(kernel, weight.length);
    this.next = tensor(kernel, weight.length);
    this.gram = tensor(kernel, outputs * outputs);
    this.square = tensor(kernel, outputs * outputs);
  }

  step(rate: number) {
    const { kernel, momentum, gradient, weight, x, next, gram, square, outputs } = this;
    const inputs = weight.length / outputs;
    const [g, v, w] = [gradient.values, x.values, weight.values];
    let norm = 0;
    for (let i = 0; i < g.length; i++) {
      momentum[i] += (1 - MOMENTUM) * (g[i] - momentum[i]);
      v[i] = g[i] + MOMENTUM * (momentum[i] - g[i]); // Nesterov's
      norm += v[i] ** 2;
    }
    const scale = 1 / Math.max(Math.sqrt(norm), 1e-7);
    for (let i = 0; i < v.length; i++) v[i] *= scale;
    for (let k = 0; k < 5; k++) {
      for (const part of [gram, square, next]) part.values.fill(0);
      kernel.matmul(outputs, outputs, inputs, x.address, 1, outputs, x.address, gram.address); // x'x
      kernel.matmul(outputs, outputs, outputs, gram.address, outputs, 1, gram.address, square.address);
      square.values.forEach((s, i, all) => {
        all[i] = C * s + B * gram.values[i] + (i % (outputs + 1) ? 0 : A);
      });
      kernel.matmul(inputs, outputs, outputs, x.address, outputs, 1, square.address, next.address); // x (A + B x'x + C (x'x)^2)
      v.set(next.values);
    }
    const wide = rate * Math.sqrt(Math.max(1, outputs / inputs));
    for (let i = 0; i < w.length; i++) w[i] -= wide * v[i];
  }
}

// Adam (Kingma and Ba 2015).
export class Adam {
  private first: Float32Array;
  private second: Float32Array;
  private t = 0;

  constructor(private weight: { values: Float32Array }) {
    this.first = new Float32Array(weight.values.length);
    this.second = new Float32Array(weight.values.length);
  }

  step(gradient: Float32Array, rate: number) {
    const { weight, first, second } = this;
    const beta = RATES.betas;
    this.t++;
    const [a, b] = beta.map((v) => 1 - v ** this.t);
    gradient.forEach((g, i) => {
      first[i] += (1 - beta[0]) * (g - first[i]);
      second[i] += (1 - beta[1]) * (g * g - second[i]);
      weight.values[i] -= (rate * first[i]) / a / (Math.sqrt(second[i] / b) + 1e-8);
    });
  }
}
