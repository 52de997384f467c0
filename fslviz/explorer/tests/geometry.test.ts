import assert from "node:assert/strict";
import test from "node:test";
import { apart, cut, mean, type Place, placeAt, simplifyLine, simplifyLoop, within } from "../src/common/geometry";
import { near, numbers } from "./near";

const SQUARE: Place[] = [
  [0, 0],
  [1, 0],
  [1, 1],
  [0, 1],
];

// Twice the area, by the shoelace formula.
const area = (p: Place[]) =>
  Math.abs(
    p.reduce(
      (s, [x, y], i) => s + x * placeAt(p.flat(), (i + 1) % p.length)[1] - y * placeAt(p.flat(), (i + 1) % p.length)[0],
      0,
    ),
  ) / 2;

test("a loop holds what lies in it, whichever way round it is drawn", () => {
  for (const loop of [SQUARE, [...SQUARE].reverse()]) {
    assert.ok(within([0.5, 0.5], loop));
    assert.ok(within([0.01, 0.99], loop));
    for (const [x, y] of [
      [-0.1, 0.5],
      [1.1, 0.5],
      [0.5, -0.1],
      [0.5, 1.1],
      [2, 2],
    ] as Place[])
      assert.ok(!within([x, y], loop), `${[x, y]}`);
  }
});

test("a notch of a loop is outside it", () => {
  const notched: Place[] = [
    [0, 0],
    [4, 0],
    [4, 4],
    [2, 1],
    [0, 4],
  ];
  assert.ok(!within([2, 3], notched));
  assert.ok(within([0.5, 2], notched));
  assert.ok(within([3.5, 2], notched));
  assert.ok(within([2, 0.5], notched));
});

test("a place on a line through a corner is counted once", () => {
  const diamond: Place[] = [
    [0, -1],
    [1, 0],
    [0, 1],
    [-1, 0],
  ];
  assert.ok(within([0, 0], diamond)); // its ray goes through the corner at (1, 0)
  assert.ok(!within([-2, 0], diamond)); // and this one's through two
});

test("a loop made simpler keeps the corners that matter", () => {
  const more = SQUARE.flatMap(([x, y], i) => {
    const [u, v] = SQUARE[(i + 1) % 4];
    return [
      [x, y],
      [(x + u) / 2, (y + v) / 2 + 0.001],
    ] as Place[];
  });
  assert.deepEqual(simplifyLoop(more, 4), SQUARE);
  assert.deepEqual(simplifyLoop([...more].reverse(), 4), [...SQUARE].reverse());
  assert.deepEqual(simplifyLoop(more, 8), more);
  assert.equal(more.length, 8); // what is given stays as it is
});

// How far a place lies from a line of corners: from the nearest of the places along it.
const off = ([x, y]: Place, line: Place[]) =>
  Math.min(
    ...line.slice(1).flatMap(([bx, by], i) => {
      const [ax, ay] = line[i];
      return Array.from({ length: 201 }, (_, k) =>
        apart([x, y], [ax + (k / 200) * (bx - ax), ay + (k / 200) * (by - ay)]),
      );
    }),
  );

test("a line with fewer corners lies nowhere farther from the whole than is said", () => {
  const random = numbers(2);
  const line: Place[] = Array.from({ length: 60 }, (_, i) => [i / 60, random() / 2]);
  let before = line.length;
  for (const limit of [0.02, 0.1, 0.3]) {
    const kept = simplifyLine(line, limit);
    assert.deepEqual([kept[0], kept.at(-1)], [line[0], line[59]]);
    assert.ok(kept.length < before, `${limit}: ${kept.length}`);
    for (const p of line) assert.ok(off(p, kept) <= limit + 0.003, `${limit}: ${p}`);
    before = kept.length;
  }
  const corner: Place[] = [
    [0, 0],
    [1, 1],
    [2, 0],
  ];
  assert.deepEqual(simplifyLine(corner, 0.1), corner); // each corner once
  assert.deepEqual(simplifyLine(corner, 1.1), [corner[0], corner[2]]);
  const roof = Array.from({ length: 21 }, (_, i): Place => [i / 10, 1 - Math.abs(i / 10 - 1)]);
  assert.deepEqual(simplifyLine(roof, 0.1), corner); // the corner that lies farthest, and no other
  const back: Place[] = [
    [0, 0],
    [3, 0],
    [1, 0],
  ];
  assert.deepEqual(simplifyLine(back, 0.1), back); // beyond the ends too
});

test("a polygon is cut by a half-plane", () => {
  near(area(cut(SQUARE, ([x]) => x - 0.25)), 0.75, 1e-12);
  near(area(cut(SQUARE, ([x, y]) => x + y - 1)), 0.5, 1e-12);
  assert.deepEqual(
    cut(SQUARE, () => 1),
    SQUARE,
  );
  assert.deepEqual(
    cut(SQUARE, () => -1),
    [],
  );
  near(area(cut(SQUARE, ([x]) => x)), 1, 1e-12); // an edge that lies on the line stays
});

test("means, distances, places in a row", () => {
  assert.deepEqual(
    mean([
      [0, 2],
      [4, 4],
    ]),
    [2, 3],
  );
  assert.equal(apart([1, 1], [4, 5]), 5);
  assert.deepEqual(placeAt([1, 2, 3, 4], 1), [3, 4]);
});
