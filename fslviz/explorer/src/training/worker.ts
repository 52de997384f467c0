// The lab's worker: trains as long as the page wants it to, changes what the page asks for between two batches, and
// sends a picture of the space now and then.
import { comparesPairs, type Loss, lossEntry } from "../catalogue";
import { knnAccuracy } from "./knn-accuracy";
import type { LossSettings } from "./loss-types";
import { lossAndGradients } from "./losses";
import { BATCH } from "./schedule";
import { type Digits, Training } from "./training";
import { kernel } from "./wasm-kernel";

// What the page wants of it.
interface Instructions {
  loss: Loss;
  settings: Pick<LossSettings, "margin" | "scale" | "mining">;
  leftOut: number[]; // classes that are left out
  seats: number[]; // for each class, whose class weight it has
  running: boolean;
  slow: boolean; // a batch a second
  forces: boolean; // whether the force on each place of a batch is given
  drawings: Uint8Array[]; // images of 784 greys to embed beside the digits
}

export type Order =
  | { kind: "begin"; train: Digits; shown: Digits; seed: number; start: Float32Array | null; standard: Standard }
  | { kind: "instruct"; instructions: Instructions }
  | { kind: "step" };

interface Standard {
  mean: number;
  std: number;
}

export interface Report {
  places: Float32Array; // (shown, 2)
  drawings: Float32Array; // (drawings, 2)
  value: number; // the loss, a mean over the batches since the last report
  images: number; // seen so far
  speed: number; // images a second by the clock, 0 where it isn't at work
  share: number; // of margin and scale that is in force
  accuracy: number | null; // 15-NN of what is shown, where it was measured
  head: { weight: Float32Array; bias: Float32Array } | null;
  batch: { places: Float32Array; forces: Float32Array } | null; // places as those shown, by the mean of the weights
}

const SHOW = 120; // ms between two pictures, at least
const SHARE = 0.25; // of the time that pictures may take
const MEASURE = 1500; // ms between two measurements of 15-NN
const SLOW = 900; // ms

let training: Training;
let train: Digits;
let shown: Digits;
let asked: Instructions;
let [value, batches, since] = [0, 0, 0]; // since the last report, and when that was begun
let [reported, measured] = [0, Number.NEGATIVE_INFINITY];
let cost = 0; // ms of the last picture
let going = false;
let last: ReturnType<Training["step"]> | null = null;

async function obey(order: Order) {
  if (order.kind === "begin") {
    ({ train, shown } = order);
    training = new Training(await kernel(), train, order.standard, order.seed);
    if (order.start) training.load(order.start);
    measured = Number.NEGATIVE_INFINITY;
  } else if (order.kind === "instruct") {
    const first = !asked;
    const classed = asked && !comparesPairs(asked.loss);
    asked = order.instructions;
    if (!comparesPairs(asked.loss) && !classed && training.hasSpace) training.settle();
    training.leftOut = new Set(asked.leftOut);
    training.seat(asked.seats);
    if (first || !asked.running) report(true); // what it starts from, or stands at
    if (asked.running && !going) {
      since = performance.now();
      trainOn();
    }
  } else {
    batch();
    report(true);
  }
}

function batch() {
  last = training.step(asked.loss, asked.settings);
  value += last.value;
  batches++;
}

// Batches until it is time for a picture; then what the page wants comes first.
function trainOn() {
  going = asked.running;
  if (!going) return;
  const wait = asked.slow ? SLOW : 0;
  do batch();
  while (!wait && performance.now() - reported < Math.max(SHOW, cost / SHARE));
  report(false);
  setTimeout(trainOn, wait);
}

function report(whole: boolean) {
  const began = performance.now();
  const places = training.embed(shown);
  const drawn = asked.drawings;
  const drawings = new Uint8Array(784 * drawn.length);
  drawn.forEach((image, i) => drawings.set(image, 784 * i));
  const measures = whole || began - measured > MEASURE;
  if (measures) measured = began;
  const result: Report = {
    places,
    drawings: training.embed({ images: drawings, labels: new Uint8Array(drawn.length) }),
    value: batches ? value / batches : Number.NaN,
    images: training.seen,
    speed: asked.running && !asked.slow && batches ? (batches * BATCH * 1000) / (began - since) : 0,
    share: training.share(asked.loss),
    accuracy: measures ? right(places) : null,
    head: comparesPairs(asked.loss) ? null : training.head,
    batch: asked.forces && last ? { places: training.placesOf(last.picked, last.shifts), forces: last.forces } : null,
  };
  [value, batches, since] = [0, 0, began];
  postMessage(result);
  reported = performance.now();
  cost = measures ? cost : reported - began;
}

function right(places: Float32Array): number {
  return knnAccuracy(training.embed(train), train.labels, places, shown.labels, lossEntry(asked.loss).cosine);
}

// A script that is loaded into a page instead of a worker lays its parts open, to be tested.
if (typeof document === "undefined") {
  let before = Promise.resolve(); // one order after another
  addEventListener("message", ({ data }: MessageEvent<Order>) => {
    before = before.then(() => obey(data)).catch((error: Error) => postMessage({ error: error.message }));
  });
} else Object.assign(globalThis, { fslvizLab: { lossAndGradients, Training, kernel } });
