import assert from "node:assert/strict";
import test from "node:test";
import { History } from "../src/lab/history";
import { LabSpace } from "../src/lab/lab-space";
import { FILL } from "../src/state/view";
import { near, numbers } from "./near";

Object.assign(globalThis, { matchMedia: () => ({ matches: true }) }); // no glide: a picture is what was told last

const COUNT = 500;
const random = numbers(5);
// Digits in a round cluster, some of them twice as far out as nearly all.
const CLUSTER = Array.from({ length: COUNT }, (_, i) => {
  const [angle, far] = [2 * Math.PI * random(), Math.sqrt(random()) * (i % 100 ? 1 : 2)];
  return [far * Math.cos(angle), far * Math.sin(angle)];
});
const NONE = new Float32Array(0);

function told(size: number, middle: [number, number]) {
  return Float32Array.from(CLUSTER.flatMap(([x, y]) => [size * x + middle[0], size * y + middle[1]]));
}

// The farthest that something lies from the middle of the square, 1 being its edge, and the usual distance.
function seen(space: LabSpace) {
  const places = space.places();
  const far = Array.from({ length: space.n }, (_, i) => FILL * Math.hypot(places[2 * i], places[2 * i + 1]));
  far.sort((a, b) => a - b);
  return { most: far[far.length - 1], half: far[far.length >> 1] };
}

const WAYS: Record<string, (i: number) => [number, [number, number]]> = {
  "a collapse": (i) => [3 * 0.7 ** i, [0, 0]],
  "a collapse that drifts away": (i) => [3 * 0.5 ** i, [5 - 4 * 0.9 ** i, 0.2 * i]],
  "a blow-up": (i) => [1e-3 * 1.6 ** i, [0, 0]],
  "a blow-up at once": (i) => [i < 5 ? 1 : 1e4, [i, i]],
  "leaps to and fro": (i) => [i % 2 ? 1 : 50, [i % 3 ? -90 : 90, 7]],
};

test("whatever a space does, all of it lies inside the square and none of it is too small to be seen", () => {
  for (const [way, moves] of Object.entries(WAYS)) {
    const space = new LabSpace();
    for (let i = 0; i < 20; i++) {
      const [size, middle] = moves(i);
      space.show(told(size, middle), NONE, false, null, false);
      const { most, half } = seen(space);
      assert.ok(most < 0.94 && half > 0.1, `${way} at ${i}: ${most}, ${half}`);
      near(space.grown, size / moves(0)[0], 0.02 * space.grown, way);
      for (const v of space.framed(middle)) near(v, 0, 0.1, `${way}: the middle`);
    }
  }
});

test("a space that shrinks is seen to shrink, and one that stays comes to fill the square", () => {
  const space = new LabSpace();
  space.show(told(1, [0, 0]), NONE, false, null, false);
  const before = seen(space).half;
  space.show(told(0.5, [0, 0]), NONE, false, null, false);
  assert.ok(seen(space).half < 0.6 * before);
  for (let i = 0; i < 40; i++) space.show(told(0.5, [0, 0]), NONE, false, null, false);
  near(seen(space).half, before, 0.01);
  near(seen(space).most, 0.93, 0.01);
});

test("rays stay around the origin, and a drawing far out is inside too", () => {
  const space = new LabSpace();
  const head = { weight: new Float32Array(20).fill(1), bias: new Float32Array(10) };
  space.show(told(1, [6, 0]), NONE, true, head, false);
  assert.deepEqual(space.framed([0, 0]), [0, 0]);
  assert.ok(seen(space).most < 0.94);
  space.show(told(1, [0, 0]), Float32Array.from([0, 40, 1, 1]), false, null, false);
  assert.ok(FILL * Math.hypot(...space.framed([0, 40])) < 0.94);
  near(space.spread, 1, 0.05); // of the digits alone
});

test("all digits on one point are a point in the middle, and a restart begins anew", () => {
  const space = new LabSpace();
  space.show(told(2, [0, 0]), NONE, false, null, false);
  space.show(told(0, [3, 3]), NONE, false, null, false);
  assert.deepEqual([space.spread, space.grown], [0, 0]);
  assert.ok(seen(space).most < 0.01);
  space.show(told(500, [0, 0]), NONE, false, null, false);
  space.clear();
  assert.equal(space.n, 0);
  space.show(told(5, [1, 1]), NONE, false, null, false);
  near(space.grown, 1, 1e-9);
  assert.ok(seen(space).half > 0.3);
});

test("what divides the classes is told in units of the frame", () => {
  const space = new LabSpace();
  const head = { weight: told(1, [0.2, 0.1]).slice(0, 20), bias: told(3, [0, 0]).slice(0, 10) };
  const score = (weight: ArrayLike<number>, bias: number, [x, y]: number[]) => weight[0] * x + weight[1] * y + bias;
  space.show(told(7, [3, 4]), NONE, true, head, true);
  assert.equal(space.entry.cosine, false);
  assert.deepEqual(space.framed([space.entry.radius, 0]), [1, 0]);
  head.bias.forEach((b, c) => {
    const w = head.weight.subarray(2 * c, 2 * c + 2);
    near(score(space.entry.weight![c], space.entry.bias[c], space.framed([5, -2])), score(w, b, [5, -2]), 1e-4);
  });
  space.show(told(7, [3, 4]), NONE, true, head, false);
  assert.equal(space.entry.cosine, true);
  space.entry.weight!.forEach(([x, y], c) => {
    const [u, v] = head.weight.subarray(2 * c, 2 * c + 2);
    near(Math.hypot(x, y), 1, 1e-6); // a direction
    near(x * v, y * u, 1e-6);
    assert.ok(x * u >= 0 && y * v >= 0);
  });
  space.show(told(7, [3, 4]), NONE, false, null, false);
  assert.deepEqual([space.entry.cosine, space.entry.weight], [false, undefined]);
});

test("places glide from where they were seen", () => {
  let now = 0;
  const { performance } = globalThis;
  Object.assign(globalThis, { matchMedia: () => ({ matches: false }) });
  Object.defineProperty(globalThis, "performance", { value: { now: () => now }, configurable: true });
  const space = new LabSpace();
  space.show(told(1, [0, 0]), NONE, true, null, false);
  now += 1e4;
  const before = space.places();
  space.show(told(1, [0, 0]).reverse(), NONE, true, null, false);
  assert.deepEqual(space.places(), before);
  now += 75; // half of the way
  space.places().forEach((v, i) => near(v, (before[i] + space.target[i]) / 2, 1e-6));
  now += 75;
  assert.equal(space.places(), space.target);
  Object.defineProperty(globalThis, "performance", { value: performance, configurable: true });
  Object.assign(globalThis, { matchMedia: () => ({ matches: true }) });
});

test("each picture is a new one to the painter, where nothing glides too", () => {
  const space = new LabSpace();
  const { moment } = space;
  space.show(told(1, [0, 0]), NONE, false, null, false);
  space.show(told(2, [0, 0]), NONE, false, null, false);
  assert.equal(space.moment, moment + 2);
});

test("a history keeps its beginning and its end, and each image counts once", () => {
  const history = new History();
  const loss = (i: number) => 2 - i / 5000;
  for (let i = 0; i < 5000; i++) history.add({ images: 640 * (i + 1), count: 640, loss: loss(i), accuracy: i / 5000 });
  const { points } = history;
  assert.ok(points.length > 90 && points.length <= 200, `${points.length}`);
  assert.equal(points[points.length - 1].images, 640 * 5000);
  const middle = points.filter(({ images }) => images <= 640 * 2500).length / points.length;
  near(middle, 0.5, 0.02); // half of the points for half of the images
  assert.equal(
    points.reduce((sum, { count }) => sum + count, 0),
    640 * 5000,
  );
  near(points.reduce((sum, { count, loss }) => sum + count * loss, 0) / (640 * 5000), 1.5, 0.001);
  let seen = 0;
  for (const { images, count, accuracy } of points) {
    near(images, (seen += count), 0.5);
    near(accuracy, (images / 640 - 1) / 5000, 1e-9); // as it was at the point's end
  }
  const spans = points.slice(1, -1).map(({ images }, i) => images - points[i].images);
  assert.ok(Math.max(...spans) <= 2 * Math.min(...spans), `${spans}`);
  for (let i = 5000; i < 60000; i++) history.add({ images: 640 * (i + 1), count: 640, loss: 1, accuracy: 1 });
  assert.ok(history.points.length <= 200, "however long it goes on");
});

test("a short history is told as it was", () => {
  const history = new History();
  for (let i = 0; i < 150; i++) history.add({ images: 128 * (i + 1), count: 128, loss: i, accuracy: 0 });
  assert.deepEqual(
    history.points.map(({ loss }) => loss),
    [...Array(150).keys()],
  );
});
