import assert from "node:assert/strict";
import test from "node:test";
import { charactersOf } from "../src/alphabet/characters";
import type { Place } from "../src/common/geometry";
import { interval } from "../src/common/interval";
import { redrawn } from "../src/embedding/hand";
import { imageOf } from "../src/embedding/image";
import { parted } from "../src/embedding/line";
import { enrolled, MOST, type OwnSymbol, SAMPLES } from "../src/state/symbols";
import { generator } from "../src/training/random";

const CROSS: Place[][] = [
  [
    [0.2, 0.5],
    [0.8, 0.5],
  ],
  [
    [0.5, 0.2],
    [0.5, 0.8],
  ],
];
const BOX: Place[][] = [
  [
    [0.2, 0.2],
    [0.8, 0.2],
    [0.8, 0.8],
    [0.2, 0.8],
    [0.2, 0.2],
  ],
];

test("the interval of a share is Wilson's", () => {
  const [low, high] = interval(7, 10);
  assert.ok(Math.abs(low - 0.3968) < 1e-3 && Math.abs(high - 0.8922) < 1e-3);
  assert.equal(interval(0, 5)[0], 0);
  assert.equal(interval(5, 5)[1], 1);
});

test("the hand draws a sign anew: the same strokes, nearly, on the pad, and no two alike", () => {
  const random = generator(0);
  const off = (a: Float32Array, b: Float32Array) => Math.hypot(...a.map((v, i) => v - b[i]));
  const [cross, box] = [CROSS, BOX].map((strokes) => imageOf(strokes)!);
  const images = Array.from({ length: 30 }, () => {
    const drawn = redrawn(CROSS, random);
    assert.equal(drawn.length, 2);
    assert.ok(drawn.flat().every((p) => p.every((v) => v >= 0 && v <= 1)));
    return imageOf(drawn)!;
  });
  assert.ok(images.every((image) => off(image, cross) < off(image, box)));
  assert.ok(images.every((a, i) => images.every((b, j) => i === j || off(a, b) > 0.5)));
  const [again] = [generator(0)].map((same) => redrawn(CROSS, same));
  assert.deepEqual(imageOf(again), images[0]);
});

test("a dot and one straight stroke can be drawn anew", () => {
  for (const strokes of [[[[0.5, 0.5]]], [[[0.5, 0.1], [0.5, 0.9]]]] as Place[][][]) // biome-ignore format: short
    assert.ok(redrawn(strokes, generator(1)).flat().flat().every(Number.isFinite));
});

// Signs side by side on a pad three times as wide as high, each `size` of its height, `gap` of a size apart.
function line(signs: Place[][][], size: number, gap: number): Place[][] {
  return signs.flatMap((strokes, k) =>
    strokes.map((stroke) =>
      stroke.map(([x, y]): Place => {
        const across = 0.1 + k * size * (1 + gap) + ((x - 0.2) / 0.6) * size;
        return [across / 3, 0.2 + ((y - 0.2) / 0.6) * size];
      }),
    ),
  );
}

test("a line is parted where there are gaps, and where it is doubtful that is said", () => {
  const three = parted(line([CROSS, BOX, CROSS], 0.5, 0.5), 3);
  assert.deepEqual(
    three.map(({ strokes, gap, wide }) => [strokes.length, gap || wide]),
    [
      [2, false],
      [1, false],
      [2, false],
    ],
  );
  const near = parted(line([CROSS, BOX, CROSS], 0.5, 0.18), 3);
  assert.ok(near.every(({ gap }) => gap));
  const [touching] = parted(line([BOX, BOX, BOX], 0.5, 0), 3);
  assert.ok(touching.wide && !touching.gap);
  assert.deepEqual(parted([], 3), []);
  assert.equal(parted(line([CROSS], 0.5, 0), 3).length, 1);
});

test("pieces keep their shape", () => {
  const pieces = parted(line([CROSS, BOX], 0.5, 0.6), 3);
  for (const [i, strokes] of [CROSS, BOX].entries()) {
    const [a, b] = [imageOf(pieces[i].strokes)!, imageOf(strokes)!];
    assert.ok(Math.max(...a.map((v, j) => Math.abs(v - b[j]))) < 0.2);
  }
});

test("a sign is taken, or a line says why not, and what was there stays", () => {
  const one = enrolled([], " cross ", "AAABBB", false);
  assert.deepEqual(one, [{ name: "cross", samples: ["AAABBB"] }]);
  const two = enrolled(one, "cross", "CCCDDD", false);
  assert.deepEqual(two, [{ name: "cross", samples: ["AAABBB", "CCCDDD"] }]);
  assert.equal(one[0].samples.length, 1);
  const full = [{ name: "a", samples: Array.from({ length: SAMPLES }, () => "AAABBB") }];
  const many: OwnSymbol[] = Array.from({ length: MOST }, (_, i) => ({ name: `s${i}`, samples: ["AAABBB"] }));
  assert.throws(() => enrolled([], "x", "", false), /Draw something/);
  assert.throws(() => enrolled([], "\u200b", "AAABBB", false), /visible name/);
  assert.throws(() => enrolled([], "7", "AAABBB", true), /ten digits/);
  assert.equal(enrolled([], "7", "AAABBB", false)[0].name, "7");
  assert.throws(() => enrolled(full, "a", "AAABBB", false), /5 samples/);
  assert.throws(() => enrolled(many, "new", "AAABBB", false), /50 signs already/);
  assert.equal(enrolled(many, "s3", "CCCDDD", false)[3].samples.length, 2);
});

test("characters are read from their bytes", () => {
  const bytes = Uint8Array.from([0, 109, 109, 0, 255, 54, 54, 60, 60, 255, 254, 1, 2, 3, 4, 255, 254]);
  const [first, second] = charactersOf(bytes);
  assert.deepEqual(first[0], [
    [0, 1],
    [1, 0],
  ]);
  assert.equal(first.length, 2);
  assert.equal(second.length, 1);
});

test("no sign is taken that could not be read back", () => {
  assert.throws(() => enrolled([], "a", "AAA".repeat(1400), false), /too long/);
  assert.throws(() => enrolled([], "\ufb2c".repeat(12), "AAABBB", false), /shorter/);
  const [{ name }] = enrolled([], "e\u200b\u0301", "AAABBB", false);
  assert.equal(name, "\u00e9");
});
