import assert from "node:assert/strict";
import test from "node:test";
import { shareAccepted } from "../src/common/threshold";

test("a threshold accepts a distance that equals it", () => {
  const distances = [1, 2, 2, 2, 3];
  for (const [threshold, count] of [
    [0.5, 0],
    [1, 1],
    [1.5, 1],
    [2, 4],
    [2.9, 4],
    [3, 5],
    [9, 5],
  ])
    assert.equal(shareAccepted(threshold, distances), count / 5, `${threshold}`);
});
