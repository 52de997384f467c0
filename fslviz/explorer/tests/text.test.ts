import assert from "node:assert/strict";
import test from "node:test";
import { LOSSES, MINING } from "../src/catalogue";
import type { Manifest } from "../src/data/pack";
import { type PageContents, textToState } from "../src/state/parse";
import { currentThreshold, initialState, type State } from "../src/state/state";
import { SAMPLES } from "../src/state/symbols";
import { stateToText, symbolsToText } from "../src/state/text";
import { clampView, clampZoom, FILL, MAX_ZOOM, MIN_ZOOM, placeInView, REACH, WHOLE } from "../src/state/view";
import { OWN_SEATS } from "../src/training/class-places";

const entry = (loss: string, margin: number | null) => ({ loss, margin });
const SPACES = {
  "triplet@0.5": entry("triplet", 0.5),
  "triplet@1": entry("triplet", 1),
  softmax: entry("softmax", null),
  "cosface@0.1": entry("cosface", 0.1),
  "cosface@0.8": entry("cosface", 0.8),
};
const MANIFEST = { spaces: SPACES } as unknown as Manifest;
const WORLD = {
  spaces: SPACES,
  shown: 5000,
  trail: 1000,
  parts: new Set(["enrol", "lab", "draw"]),
  kept: [{ name: "kept", samples: ["AAABBB"] }],
} as unknown as PageContents;
const OPENED = initialState(
  { losses: ["triplet", "cosface"], parts: ["enrol", "lab"], margins: {}, step: 1, threshold: null, selection: [] },
  MANIFEST,
);
const said = (change: Partial<State>) => stateToText({ ...OPENED, ...change }, OPENED);

test("a page opens with what is usual, or with what it asks for", () => {
  assert.deepEqual(OPENED.networks, { triplet: "triplet@1", softmax: "softmax", cosface: "cosface@0.1" });
  const asked = {
    losses: ["cosface"],
    parts: [],
    margins: { cosface: 0.8 },
    step: 0.5,
    threshold: 0.3,
    selection: [7],
  };
  const state = initialState(asked, MANIFEST);
  assert.deepEqual([state.networks.cosface, state.moment], ["cosface@0.8", 0.5]);
  assert.deepEqual(state.selection, { kind: "digits", digits: [7] });
  assert.equal(currentThreshold(state), 0.3);
  assert.equal(currentThreshold({ ...state, networks: { ...state.networks, cosface: "cosface@0.1" } }), null); // another network's
  assert.equal(state.lab.margin, 0.8);
});

test("a network of six digits is trained in the lab by its loss", () => {
  const spaces = { ...SPACES, "triplet-six": entry("triplet-six", 0.5) } as unknown as Manifest["spaces"];
  const asked = { losses: ["triplet-six"], parts: [], margins: {}, step: 1, threshold: null, selection: [] };
  const { networks, lab } = initialState(asked, { ...MANIFEST, spaces });
  assert.deepEqual([networks["triplet-six"], lab.loss, lab.margin], ["triplet-six", "triplet", 1]);
});

test("a place of the square is seen where it lies, y upwards, and no view goes beyond the reach", () => {
  const half = 1 / FILL;
  assert.deepEqual(placeInView([0, 0], WHOLE), [-half, half]);
  assert.deepEqual(placeInView([1, 0.5], { x: 2, y: -1, zoom: 4 }), [2 + half / 4, -1]);
  assert.deepEqual(placeInView([0.5, 1], { x: 2, y: -1, zoom: 4 }), [2, -1 - half / 4]);
  assert.deepEqual(clampView({ x: 1, y: -2, zoom: 3 }), { x: 1, y: -2, zoom: 3 });
  assert.deepEqual(clampView({ x: 9, y: -9, zoom: 3 }), { x: REACH, y: -REACH, zoom: 3 });
  assert.deepEqual([1e-3, 2, 1e3].map(clampZoom), [MIN_ZOOM, 2, MAX_ZOOM]);
});

test("what is as usual is left out", () => {
  assert.equal(stateToText(OPENED, OPENED), "");
  assert.equal(said({ moment: 0.5 }), "v2;step:0.5");
});

const STATES: Partial<State>[] = [
  { losses: ["cosface", "triplet"] },
  { losses: ["triplet", "softmax", "cosface"], networks: { ...OPENED.networks, triplet: "triplet@0.5" } },
  { moment: 0 },
  { moment: 0.1234 },
  { selection: { kind: "classes", classes: [4, 9] } },
  { selection: { kind: "digits", digits: [0, 4999] } },
  { selection: { kind: "around", network: "triplet@1", moment: 1, digit: 17 } },
  { selection: { kind: "lost", from: "triplet@1", to: "cosface@0.8" } },
  { selection: { kind: "won", from: "softmax", to: "triplet@1" } },
  {
    selection: {
      kind: "lasso",
      network: "triplet@1",
      moment: 0.5,
      count: 12,
      outline: [
        [0, 0],
        [0.5, -0.25],
        [1e-3, 1],
      ],
    },
  },
  { selection: { kind: "around", network: "triplet@1", moment: 0.5, digit: 999 } },
  {
    selection: {
      kind: "lasso",
      network: "triplet@1",
      moment: 1,
      count: 5000,
      outline: [
        [0, 0],
        [1, 0],
        [1, 1],
      ],
    },
  },
  { pins: [3] },
  { pins: [3, 4999] },
  { views: { ...OPENED.views, triplet: { x: 0.5, y: -0.25, zoom: 4 } } },
  {
    together: false,
    views: { triplet: { x: 0.5, y: 0, zoom: 2 }, softmax: WHOLE, cosface: { x: 0, y: 0.1, zoom: 0.5 } },
  },
  { lead: "cosface", views: { ...OPENED.views, cosface: { x: 0.5, y: -0.25, zoom: 4 } } },
  { gallerySpace: "cosface", threshold: { network: "cosface@0.1", value: 0.75 } },
  { areas: true },
  { drawing: "AAABBB~CCC" },
  {
    symbols: [
      { name: "???", samples: Array(SAMPLES).fill("AAABBB") },
      { name: "~~~ Zoë", samples: ["AAA~BBBCCC"] },
    ],
  },
  {
    lab: {
      loss: "triplet",
      margin: 0,
      scale: 16,
      mining: "hard",
      leftOut: [],
      seed: 999999,
      from: "chance",
      seats: OWN_SEATS,
    },
  },
  {
    lab: {
      loss: "sphereface",
      margin: 9,
      scale: 64,
      mining: "all",
      leftOut: [0, 1, 2, 3, 4, 5, 6, 7],
      seed: 0,
      from: "trained",
      seats: [0, 1, 2, 3, 9, 5, 6, 7, 8, 4],
    },
  },
];

test("a state comes back from its text", () => {
  for (const change of STATES) {
    const text = said(change);
    assert.ok(text.startsWith("v2;"), text);
    const found = textToState(text, OPENED, WORLD);
    assert.equal(stateToText(found, OPENED), text);
    for (const key of Object.keys(change) as (keyof State)[]) assert.deepEqual(found[key], change[key], text);
  }
});

const BAD = [
  "",
  "v2;",
  "v1;step:0.5",
  "v3;step:0.5",
  "v2;step",
  "v2;step:",
  "v2;step:2",
  "v2;step:-0.1",
  "v2;step:.5",
  "v2;step:NaN",
  "v2;step:0.5,0.5",
  "v2;step:0.5;step:0.5",
  "v2;stop:0.5",
  "v2;__proto__:1",
  "v2;constructor:1",
  "v2;show:",
  "v2;show:triplet",
  "v2;show:triplet@1,triplet@0.5",
  "v2;show:toString",
  "v2;lit:classes,10",
  "v2;lit:classes,4,4",
  "v2;lit:classes,1.5",
  "v2;lit:digits,5000",
  "v2;lit:classes",
  "v2;lit:digits",
  "v2;lit:around,softmax,0.5,1000", // beyond those that are followed along a training
  "v2;view:triplet,4.1,0,2",
  "v2;view:triplet,0,-4.1,2",
  "v2;lit:none,1",
  "v2;lit:all",
  "v2;lit:around,triplet@1,1",
  "v2;lit:around,triplet@2,1,7",
  "v2;lit:loop,triplet@1,1,5,0,0,1,1",
  "v2;lit:loop,triplet@1,1,5,0,0,1,1,2",
  "v2;lit:loop,triplet@1,1,5,0,0,1,0,1,1,2",
  "v2;lit:spiral,triplet@1,1,5,0,0,1,0,1,1",
  "v2;own:YQ.AAA.A",
  "v2;lit:loop,triplet@1,1,5001,0,0,1,0,1,1",
  "v2;lit:loop,triplet@1,0.5,1001,0,0,1,0,1,1", // as above
  "v2;pin:1,2,3",
  "v2;pin:1,1",
  "v2;pin:-1",
  "v2;view:triplet,0,0",
  "v2;view:triplet,0,0,41",
  "v2;view:softmax,0,0,2",
  "v2;view:triplet,Infinity,0,2",
  "v2;view:triplet,0,0,2,cosface,0,0,2",
  "v2;zoom:both",
  "v2;space:softmax",
  "v2;threshold:triplet@1,-1",
  "v2;threshold:cosface@0.1,1",
  "v2;areas:all",
  "v2;lab:triplet,1,16,all,none,0",
  "v2;lab:triplet,1,16,all,none,0,trained,1",
  "v2;lab:triplet,17,16,all,none,0,trained",
  "v2;lab:softmax,1,16,all,none,0,trained",
  "v2;lab:sphereface,0,16,all,none,0,trained",
  "v2;lab:sphereface,1.5,16,all,none,0,trained",
  "v2;lab:cosface,0.1,0,all,none,0,trained",
  "v2;lab:cosface,0.1,65,all,none,0,trained",
  "v2;lab:triplet,1,16,easy,none,0,trained",
  "v2;lab:triplet,1,16,all,44,0,trained",
  "v2;lab:triplet,1,16,all,012345678,0,trained",
  "v2;lab:triplet,1,16,all,none,1000000,trained",
  "v2;lab:triplet,1,16,all,none,1.5,trained",
  "v2;lab:triplet,1,16,all,none,0,here",
  "v2;lab:triplet-six,1,16,all,none,0,trained",
];

test("enrolled symbols are a text that an address keeps as it is, each of its own name and few samples", () => {
  const own = (name: string, count: number) => ({ name, samples: Array(count).fill("AAA") });
  const text = (...all: State["symbols"]) => `v2;own:${symbolsToText(all)}`;
  assert.ok(/^v2;own:[\w.,-]+$/.test(text(own("???", 1), own("~~~", SAMPLES))));
  for (const all of [[own("a", 0)], [own("a", SAMPLES + 1)], [own("7", 1)], [own("", 1)], [own("a", 1), own("a", 2)]])
    assert.throws(() => textToState(text(...all), OPENED, WORLD), JSON.stringify(all));
});

test("what is chosen among the losses shown is one of them", () => {
  const { gallerySpace, lead } = textToState("v2;show:cosface@0.1", OPENED, WORLD);
  assert.deepEqual([gallerySpace, lead], ["cosface", "cosface"]);
});

test("networks of six digits and of ten are never side by side", () => {
  const spaces = { ...WORLD.spaces, "triplet-six": entry("triplet-six", 1) } as unknown as PageContents["spaces"];
  for (const text of ["v2;show:triplet-six", "v2;show:cosface@0.1,triplet-six"])
    assert.throws(() => textToState(text, OPENED, { ...WORLD, spaces }), text);
});

test("the lab takes each loss to the ends of its margins and no farther, and each way of mining", () => {
  const lab = (loss: string, margin: number, mining = "all") =>
    textToState(`v2;lab:${loss},${margin},16,${mining},none,1,trained`, OPENED, WORLD).lab;
  for (const [loss, { margin }] of Object.entries(LOSSES)) {
    const { least, most } = margin ?? { least: 0, most: 0 };
    for (const end of [least, most]) assert.equal(lab(loss, end).margin, end, loss);
    for (const beyond of [least - 1, most + 1]) assert.throws(() => lab(loss, beyond), `${loss} ${beyond}`);
  }
  for (const mining of MINING) assert.equal(lab("triplet", 1, mining).mining, mining);
});

test("a text that is not whole, or tells what the page has not, is put aside", () => {
  for (const text of BAD) assert.throws(() => textToState(text, OPENED, WORLD), text);
  const bare = { ...WORLD, parts: new Set<string>() };
  for (const text of [
    "v2;areas:ten",
    "v2;threshold:triplet@1,1",
    "v2;lab:triplet,1,16,all,none,0,trained",
    "v2;drawing:AAA",
    "v2;own:YQ.AAA",
  ]) {
    textToState(text, OPENED, WORLD);
    assert.throws(() => textToState(text, OPENED, bare), `${text} on a page without that part`);
  }
});

test("an alphabet's state is told, and read where there is one", () => {
  const signs = { ...WORLD, parts: new Set(["alphabet"]) } as PageContents;
  const symbols = [{ name: "7", samples: ["AAABBB"] }];
  const change: Partial<State> = { reader: "10", fmr: 0.05, wide: true, symbols };
  const opened = { ...OPENED, losses: [] };
  const text = stateToText({ ...opened, ...change }, opened);
  assert.equal(text, "v2;own:Nw.AAABBB;pad:line;reader:10;fmr:0.05");
  assert.deepEqual(textToState(text, opened, signs), { ...opened, ...change });
  const many = Array.from({ length: 50 }, (_, i) => ({ name: `s${i}`, samples: ["AAABBB".repeat(60)] }));
  assert.equal(stateToText({ ...opened, symbols: many }, opened), "v2;own:kept"); // too many for a link
  assert.deepEqual(textToState("v2;own:kept", opened, signs).symbols, WORLD.kept);
  assert.equal(stateToText({ ...opened, emptied: true }, opened), "v2;own:none");
  assert.deepEqual(textToState("v2;own:none", { ...opened, symbols: many }, signs).symbols, []);
  const square = { ...opened, drawing: "AAABBB" };
  assert.equal(textToState("v2;pad:line", square, signs).drawing, ""); // it was drawn on the other pad
  assert.equal(textToState("v2;drawing:CCCDDD;pad:line", square, signs).drawing, "CCCDDD");
  assert.equal(stateToText({ ...opened, drawing: "AAA".repeat(1400) }, opened), ""); // longer than a link takes
  assert.throws(() => textToState(text, OPENED, WORLD)); // the ten digits are enrolled there, and 7 is one
  for (const bent of ["reader:11", "reader:toString", "fmr:-1", "fmr:2", "pad:wide", "show:softmax"])
    assert.throws(() => textToState(`v2;${bent}`, opened, signs), bent);
  assert.throws(() => textToState("v2;reader:10", OPENED, WORLD));
});
