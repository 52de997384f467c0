import assert from "node:assert/strict";
import test from "node:test";
import { wrong } from "../floors.mjs";

const SOUND = {
  "catalogue.ts": "",
  "data/pack.ts": 'import { LOSSES } from "../catalogue";',
  "state/state.ts": 'import type {\n  Pack,\n} from "../data/pack";\nimport { VIEW } from "./view";',
  "state/view.ts": 'import json from "../../catalogue.json";',
  "main.ts": 'export { state } from "./state/state";',
};

test("a file may import its own floor and those below", () => {
  assert.deepEqual(wrong(SOUND), []);
});

test("an import from a floor above is wrong, and so is a circle, and a file on no floor", () => {
  const up = { ...SOUND, "data/pack.ts": 'import type { State } from "../state/view";' };
  assert.deepEqual(wrong(up), ["data/pack.ts imports state/view.ts, from a floor above"]);
  const circle = { ...SOUND, "state/view.ts": 'export { S } from "./state";' };
  assert.deepEqual(wrong(circle), ["a circle: state/state.ts > state/view.ts > state/state.ts"]);
  assert.deepEqual(wrong({ "attic/a.ts": "" }), ["attic/a.ts lies on no floor"]);
});
