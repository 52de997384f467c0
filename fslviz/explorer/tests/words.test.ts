import assert from "node:assert/strict";
import test from "node:test";
import { displayName } from "../src/common/loss-name";
import { listed, t, tNodes, tr } from "../src/common/texts";
import { movedText, origin } from "../src/lab/texts";
import { enrolled } from "../src/state/symbols";

const CHINESE = {
  "{0} of {1}: draw {2}": "請畫 {2}（第 {0} 題，共 {1} 題）",
  "{0} of six digits": "{0}（六個數字）",
  "{0} in the place of {1}": "{0} 在 {1} 的位置",
  "Now {0}.": "現在{0}。",
  ", ": "、",
  "Give it a visible name.": "請取一個看得見的名稱。",
  hard: "困難",
};

// What a body gives in a page of this language.
function inChinese<T>(body: () => T): T {
  Object.assign(globalThis, { fslvizTexts: CHINESE });
  try {
    return body();
  } finally {
    Object.assign(globalThis, { fslvizTexts: undefined });
  }
}

test("a text has its values where the page's language wants them", () => {
  assert.equal(t("{0} of {1}: draw {2}", 1, 10, "a star"), "1 of 10: draw a star");
  assert.equal(
    inChinese(() => t("{0} of {1}: draw {2}", 1, 10, "★")),
    "請畫 ★（第 1 題，共 10 題）",
  );
  assert.equal(
    inChinese(() => t("Not in the table: {0}", 1)),
    "Not in the table: 1",
  );
});

test("a value is taken as it is", () => {
  assert.equal(t("teach {0}", "{0} $& {1}"), "teach {0} $& {1}");
  assert.deepEqual(tNodes("It is {0}.", "{0}"), ["It is ", "{0}", "."]);
});

test("elements stand where the page's language wants them", () => {
  const name = {} as Node;
  assert.deepEqual(tNodes("{0} of {1}: draw {2}", "1", "10", name), ["1", " of ", "10", ": draw ", name]);
  const there = inChinese(() => tNodes("{0} of {1}: draw {2}", "1", "10", name));
  assert.deepEqual(there, ["請畫 ", name, "（第 ", "1", " 題，共 ", "10", " 題）"]);
  assert.ok(there[1] === name);
});

test("a list, a loss and a text from elsewhere are in the page's language", () => {
  assert.deepEqual([listed([4, 9]), displayName("triplet-six"), tr("hard")], ["4, 9", "Triplet of six digits", "hard"]);
  assert.deepEqual(
    inChinese(() => [listed([4, 9]), displayName("triplet-six"), displayName("cosface"), tr("hard")]),
    ["4、9", "Triplet（六個數字）", "CosFace", "困難"],
  );
});

test("what was made of pieces is one text", () => {
  const swapped = [0, 1, 2, 3, 9, 5, 6, 7, 8, 4];
  assert.equal(movedText(swapped), "Now 4 in the place of 9, 9 in the place of 4.");
  assert.equal(
    inChinese(() => movedText(swapped)),
    "現在4 在 9 的位置、9 在 4 的位置。",
  );
  assert.equal(origin({ seed: 3, from: "chance" } as Parameters<typeof origin>[0]), "random weights, seed 3");
});

test("what is thrown is in the page's language", () => {
  assert.throws(() => enrolled([], " ", "AAABBB", true), /Give it a visible name\./);
  inChinese(() => assert.throws(() => enrolled([], " ", "AAABBB", true), /請取一個看得見的名稱。/));
});
