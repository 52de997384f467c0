import assert from "node:assert/strict";
import test from "node:test";
import { type Place, placeAt } from "../src/common/geometry";
import type { Pack } from "../src/data/pack";
import { moved, worst } from "../src/space/neighbours";
import { Scores, template, templates } from "../src/space/scores";
import { Space } from "../src/space/space";
import { near, numbers } from "./near";

const WHOLE = {
  middle: [0, 0],
  turn: [
    [1, 0],
    [0, 1],
  ],
};

async function space(places: number[], cosine = false, radius = 1) {
  const entry = { ...WHOLE, cosine, radius };
  const pack = { moment: async () => Float32Array.from(places), manifest: { spaces: { one: entry } } };
  const made = new Space(pack as unknown as Pack);
  await made.show("one", 1, false);
  return made;
}

// Ten classes on a ring of the plane, their digits around them.
function ring(count: number, seed: number, spread: number) {
  const random = numbers(seed);
  const labels = Uint8Array.from({ length: count }, (_, i) => i % 10);
  const places = [...labels].flatMap((k) =>
    [Math.cos, Math.sin].map((f) => f((2 * Math.PI * k) / 10) + spread * (random() - 0.5)),
  );
  return { labels, places };
}

test("a template is the mean of its samples, and in the cosine family a direction", async () => {
  const samples: Place[] = [
    [3, 0],
    [0, 1],
  ];
  const plain = template(await space([0, 0], false, 2), "a", samples);
  assert.deepEqual(
    [plain.place, plain.compared],
    [
      [1.5, 0.5],
      [3, 1],
    ],
  );
  const {
    compared: [x, y],
  } = template(await space([0, 0], true), "a", samples);
  near(x, Math.SQRT1_2, 1e-12); // each sample counts as a direction, however long it is
  near(y, Math.SQRT1_2, 1e-12);
});

test("error rates are shares of genuine and impostor distances", async () => {
  const { labels, places } = ring(200, 1, 0.5);
  for (const cosine of [false, true]) {
    const here = await space(places, cosine, 3);
    const all = templates(here, Float32Array.from(places), labels);
    const rates = new Scores(here, Float32Array.from(places), labels, all);
    assert.deepEqual([rates.genuine.length, rates.impostor.length], [200, 1800]);
    all.forEach((t, k) => {
      const mine = [...labels.keys()].filter((i) => labels[i] === k);
      near(t.place[0], mine.reduce((s, i) => s + places[2 * i], 0) / 20, 1e-6); // of the digits of its class
    });
    const f = Math.fround;
    for (const limit of [0.05, 0.3, 1, rates.genuine[0], rates.impostor[17]]) {
      let [accepted, refused] = [0, 0];
      labels.forEach((label, i) => {
        const z = here.compared([f(places[2 * i]), f(places[2 * i + 1])]);
        all.forEach((t, k) => {
          const near = Math.hypot(z[0] - t.compared[0], z[1] - t.compared[1]) <= limit; // a threshold is within the reach
          accepted += +(k !== label && near);
          refused += +(k === label && !near);
        });
      });
      near(rates.ratesAt(limit).fmr, accepted / 1800, 1e-12);
      near(rates.ratesAt(limit).fnmr, refused / 200, 1e-12);
    }
    near(rates.ratesAt(rates.defaultThreshold).fmr, 0.01, 1e-12); // one impostor in a hundred is let in
    const more = [...rates.genuine, ...rates.impostor].filter((d) => d > rates.defaultThreshold);
    assert.ok(rates.ratesAt(Math.min(...more)).fmr > 0.01); // and at the next distance one more
    assert.ok(rates.sliderMax > rates.defaultThreshold && rates.ratesAt(rates.sliderMax).fmr >= 0.98);
  }
});

test("the worst pairs: of two classes and near, of one and far, each digit once", async () => {
  const here = await space([0, 0, 1, 0, 10, 0, 10.5, 0, 30, 0, 31, 0, 99, 0]);
  const labels = Uint8Array.from([0, 1, 0, 1, 2, 2, 3]); // the last is alone
  const { hardNegatives, hardPositives } = await worst(here, labels, 9);
  assert.deepEqual(
    hardNegatives.map(({ digits, distance }) => [[...digits].sort(), distance]),
    [
      [[2, 3], 0.5],
      [[0, 1], 1],
      [[5, 6], 68],
    ],
  );
  assert.deepEqual(
    hardPositives.map(({ distance }) => distance),
    [10, 9.5, 1],
  );
  for (const pairs of [hardNegatives, hardPositives]) {
    const digits = pairs.flatMap((p) => p.digits);
    assert.equal(new Set(digits).size, digits.length);
  }
  assert.equal((await worst(here, labels, 1)).hardPositives.length, 1);
});

test("which digits moved, by a grid as by every distance", async () => {
  for (const cosine of [false, true]) {
    const [one, two] = [ring(400, 1, 0.6), ring(400, 2, 1.6)];
    two.places[0] = 6; // one lies far from all others
    const spaces = await Promise.all([one, two].map(({ places }) => space(places, cosine)));
    const own = spaces.map((s) =>
      [...one.labels].map((label, i) => {
        const far = (j: number) => s.distance(s.place(i), s.place(j));
        const others = [...one.labels.keys()].filter((j) => j !== i).sort((a, b) => far(a) - far(b));
        return others.slice(0, 15).filter((j) => one.labels[j] === label).length;
      }),
    );
    const changed = own[0].map((before, i) => own[1][i] - before);
    const found = await moved(spaces[0], spaces[1], one.labels);
    assert.deepEqual(
      found.lost,
      [...changed.keys()].filter((i) => changed[i] <= -8),
    );
    assert.deepEqual(
      found.won,
      [...changed.keys()].filter((i) => changed[i] >= 8),
    );
    assert.ok(found.lost.length > 10);
    const back = await moved(spaces[1], spaces[0], one.labels);
    assert.deepEqual([back.lost, back.won], [found.won, found.lost]);
  }
});

test("distances are those of the network's units, or of directions", async () => {
  const f = await space([3, 4, 0, 2], false, 2);
  near(f.distance(placeAt(f.target, 0), placeAt(f.target, 1)), 2 * Math.hypot(3, 2), 1e-6);
  const g = await space([3, 4, 0, 2], true);
  near(g.distance(placeAt(g.target, 0), placeAt(g.target, 1)), Math.hypot(0.6, 0.2), 1e-6);
  near(g.distance([0, 0], [0, 2]), 1, 1e-12); // no direction: no nearer to one than to another
});
