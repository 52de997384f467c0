// A training that never ends and can be changed while it goes on: a batch at a time, with whatever loss and margin the
// reader holds at the moment.
import { comparesPairs, type Loss, RATES } from "../catalogue";
import { OWN_SEATS, placesOfMeans } from "./class-places";
import type { Gradients, Head, LossSettings } from "./loss-types";
import { lossAndGradients } from "./losses";
import { Network, SIDE } from "./network";
import { Adam, Muon } from "./optimizers";
import { generator } from "./random";
import { BATCH, lambdaAt, shareAt } from "./schedule";
import type { Kernel } from "./wasm-kernel";

const PART = 250; // images that are embedded at a time
const MUON = { pairs: 0.02, classes: 0.03 }; // rates from chance
const HALF = 60_000; // images seen after which the rates have halved
const REST = 1 / 4; // of those rates: where they stay, as there is no end, and on from a trained network, which else forgets others
const AVERAGE_DECAY = 0.99; // what is shown is a mean of the weights over some hundred steps, as a falling rate would give

export interface Digits {
  images: Uint8Array; // (N, 784) greys, 0 to 255
  labels: Uint8Array;
}

export class Training {
  readonly network: Network;
  readonly head: Head = { weight: new Float32Array(20), bias: new Float32Array(10) };
  steps = 0;
  leftOut = new Set<number>(); // the classes that are left out
  private seats = OWN_SEATS;
  private random: () => number;
  private muons: Muon[];
  private adams: [Adam, () => Float32Array][];
  private mean: Float32Array[]; // of the weights and biases
  private headOptimizers: Adam[];

  constructor(
    kernel: Kernel,
    private digits: Digits,
    private standard: { mean: number; std: number },
    seed: number,
  ) {
    this.random = generator(seed);
    this.network = new Network(kernel, PART);
    this.network.start(this.random);
    const { weights, biases, gradients, slopes } = this.network;
    this.muons = weights.map((w, l) => new Muon(kernel, w, gradients[l], w.length / this.inputs(l)));
    this.adams = biases.map((b, l) => [new Adam(b), () => slopes[l].values]);
    this.mean = this.parts.map((part) => part.values.slice());
    this.head.weight.set(placesOfMeans(digits.images, digits.labels));
    this.headOptimizers = [this.head.weight, this.head.bias].map((values) => new Adam({ values }));
  }

  get seen() {
    return this.steps * BATCH;
  }

  // Whether there is a space already, in which classes have places.
  get hasSpace() {
    return this.pretrained || this.steps > 100;
  }

  // Go on from weights and biases, one after another, instead of from chance; there is nothing to warm up.
  load(flat: Float32Array) {
    let at = 0;
    this.parts.forEach((part, l) => {
      part.values.set(flat.subarray(at, at + part.length));
      this.mean[l].set(part.values);
      at += part.length;
    });
    this.pretrained = true;
  }

  private pretrained = false; // whether scale and margin are there from the first step

  private inputs(l: number) {
    return this.network.weights[l].length / this.network.biases[l].length;
  }

  private get parts() {
    return [...this.network.weights, ...this.network.biases];
  }

  // Class weights for the space as it is: each class's mean place, as a linear classifier of places would have them.
  settle() {
    const places = this.embed(this.digits, 1000);
    const { weight, bias } = this.head;
    const counts = new Float32Array(10);
    weight.fill(0);
    for (let i = 0; i < 1000; i++) {
      counts[this.digits.labels[i]]++;
      for (let j = 0; j < 2; j++) weight[2 * this.digits.labels[i] + j] += places[2 * i + j];
    }
    for (let c = 0; c < 10; c++) {
      for (let j = 0; j < 2; j++) weight[2 * c + j] /= counts[c];
      bias[c] = -(weight[2 * c] ** 2 + weight[2 * c + 1] ** 2) / 2;
    }
    this.seats = OWN_SEATS;
  }

  // Let each class have the weight of its seat: `seats[c]` is the class whose own it is. The weights themselves stay as they are.
  seat(seats: number[]) {
    const { weight, bias } = this.head;
    const [weights, biases] = [weight.slice(), bias.slice()];
    seats.forEach((seat, c) => {
      const before = this.seats.indexOf(seat);
      weight.set(weights.subarray(2 * before, 2 * before + 2), 2 * c);
      bias[c] = biases[before];
    });
    this.seats = seats;
  }

  // How much of its margin and scale a loss has by now, 0 to 1: from chance they come in slowly.
  share(loss: Loss) {
    return shareAt(loss, this.fromChance);
  }

  private get fromChance() {
    return this.pretrained ? Number.POSITIVE_INFINITY : this.steps;
  }

  // One batch. `settings`: those that the reader has now. Gives the loss, which digits it took and how far each was shifted, and
  // the force on each.
  step(loss: Loss, settings: Pick<LossSettings, "margin" | "scale" | "mining">) {
    const { network, random } = this;
    const picked = this.batch();
    const shifts = picked.map(() => [0, 1].map(() => Math.floor(random() * 3) - 1));
    this.put(this.digits, picked, shifts);
    const y = Uint8Array.from(picked, (i) => this.digits.labels[i]);
    const z = network.forward(BATCH);
    const progress = { share: this.share(loss), lambda: lambdaAt(this.fromChance) };
    const back = lossAndGradients(loss, z, y, { ...settings, ...progress }, this.head, random);
    network.backward(BATCH, back.z);
    this.follow(loss, back);
    return { value: back.value, forces: back.z, picked, shifts };
  }

  // A step of each weight, and of the means.
  private follow(loss: Loss, { weight, bias }: Gradients) {
    const rate = this.pretrained ? REST : Math.max(REST, 1 / (1 + this.seen / HALF));
    for (const muon of this.muons) muon.step(rate * MUON[comparesPairs(loss) ? "pairs" : "classes"]);
    for (const [adam, slopes] of this.adams) adam.step(slopes(), rate * RATES.adam);
    if (weight) this.headOptimizers[0].step(weight, RATES.head);
    if (bias) this.headOptimizers[1].step(bias, RATES.head);
    this.steps++;
    this.parts.forEach((part, l) => {
      const mean = this.mean[l];
      const keep = this.pretrained ? AVERAGE_DECAY : Math.min(AVERAGE_DECAY, this.steps / (this.steps + 9));
      const { values } = part;
      for (let i = 0; i < values.length; i++) mean[i] = values[i] + keep * (mean[i] - values[i]);
    });
  }

  private batch(): number[] {
    const { labels } = this.digits;
    const picked: number[] = [];
    while (picked.length < BATCH) {
      const i = Math.floor(this.random() * labels.length);
      if (!this.leftOut.has(labels[i])) picked.push(i);
    }
    return picked;
  }

  private put({ images }: Digits, picked: number[], shifts?: number[][]) {
    const { mean, std } = this.standard;
    const to = this.network.image.values;
    to.fill(-mean / std, 0, 784 * picked.length);
    picked.forEach((index, n) => {
      const [dx, dy] = shifts?.[n] ?? [0, 0];
      for (let y = Math.max(0, dy); y < Math.min(SIDE, SIDE + dy); y++) {
        const [from, at] = [784 * index + SIDE * (y - dy) - dx, 784 * n + SIDE * y];
        for (let x = Math.max(0, dx); x < Math.min(SIDE, SIDE + dx); x++)
          to[at + x] = (images[from + x] / 255 - mean) / std;
      }
    });
  }

  // Places (N, 2) of digits, by the mean of the weights.
  embed(digits: Digits, count = digits.labels.length): Float32Array {
    return this.placed(digits, [...Array(count).keys()]);
  }

  // Places (B, 2) of a batch, likewise.
  placesOf(picked: number[], shifts: number[][]): Float32Array {
    return this.placed(this.digits, picked, shifts);
  }

  private placed(digits: Digits, picked: number[], shifts?: number[][]): Float32Array {
    const own = this.parts.map((part) => part.values.slice());
    this.parts.forEach((part, l) => part.values.set(this.mean[l]));
    const places = new Float32Array(2 * picked.length);
    for (let i = 0; i < picked.length; i += PART) {
      const part = picked.slice(i, i + PART);
      this.put(digits, part, shifts?.slice(i, i + PART));
      places.set(this.network.forward(part.length), 2 * i);
    }
    this.parts.forEach((part, l) => part.values.set(own[l]));
    return places;
  }
}
