// The state that a text tells (text.ts writes it). A text is taken up whole or not at all.
import { LOSSES, MINING, ofSixDigits, SCALES } from "../catalogue";
import type { Place } from "../common/geometry";
import type { Entry } from "../data/pack";
import { OWN_SEATS } from "../training/class-places";
import { LARGEST_SEED, type LabSettings, MOST_LEFT_OUT, READERS, type Selection, type State } from "./state";
import { isDrawing } from "./strokes";
import { isDigit, isName } from "./symbol-names";
import { MOST, type OwnSymbol, SAMPLES } from "./symbols";
import { VERSION } from "./text";
import { MAX_ZOOM, MIN_ZOOM, REACH, type View, WHOLE } from "./view";

// What a page has: a text may tell of nothing else.
export interface PageContents {
  spaces: Record<string, Entry>;
  shown: number; // test images
  trail: number; // those of them that are followed along a training
  parts: Set<string>;
  kept: OwnSymbol[]; // those that the browser keeps
}

type Words = string[];

// The state of a text. Throws where it is not whole, or tells what this page has not.
export function textToState(text: string, initial: State, contents: PageContents): State {
  const [version, ...parts] = text.split(";");
  check(version === VERSION);
  const state = { ...initial, networks: { ...initial.networks }, views: { ...initial.views } };
  const keys = parts.map((s) => s.split(":")[0]);
  const order = Object.keys(TAKES).filter((key) => keys.includes(key)); // a space is of the losses shown
  check(order.length === keys.length); // each known, and once
  for (const key of order) {
    const words = parts[keys.indexOf(key)].slice(key.length + 1);
    const [needs, most] = NEEDS[key] ?? [];
    check(words !== "" || key === "pin");
    check(!needs || needs.split(" or ").some((part) => contents.parts.has(part)));
    const all = words === "" ? [] : words.split(",");
    check(all.length <= (most ?? Number.POSITIVE_INFINITY));
    TAKES[key](state, all, contents);
  }
  check(!state.together || Object.values(state.views).filter((v) => v !== WHOLE).length <= 1);
  return state;
}

// The parts of a page that a key belongs to, "" for none, and how many words it has at most.
const NEEDS: Record<string, [parts: string, most: number]> = {
  step: ["", 1],
  zoom: ["", 1],
  space: ["", 1],
  threshold: ["enrol", 2],
  lab: ["lab", 8],
  areas: ["enrol", 1],
  own: ["enrol or alphabet", Number.POSITIVE_INFINITY],
  drawing: ["draw or alphabet", 1],
  pad: ["alphabet", 1],
  reader: ["alphabet", 1],
  fmr: ["alphabet", 1],
};

// Each takes the words of its key into the state.
const TAKES: Record<string, (state: State, words: Words, contents: PageContents) => void> = {
  show: (state, words, contents) => {
    check(state.losses.length); // of a page that shows spaces
    state.losses = distinct(words.map((name) => contents.spaces[network(name, contents)].loss));
    check(state.losses.every((loss) => ofSixDigits(loss) === ofSixDigits(state.gallerySpace)));
    words.forEach((name, i) => (state.networks[state.losses[i]] = name));
    if (!state.losses.includes(state.gallerySpace)) state.gallerySpace = state.losses[0];
    if (!state.losses.includes(state.lead)) state.lead = state.losses[0];
  },
  step: (state, [word]) => {
    state.moment = moment(word);
  },
  lit: (state, words, contents) => {
    state.selection = selection(words, contents);
  },
  pin: (state, words, contents) => {
    state.pins = distinct(words.map((w) => digit(w, 1, contents)));
    check(state.pins.length <= 2);
  },
  view: (state, words) => {
    const views = viewsOf(words);
    check(Object.keys(views).every((loss) => state.losses.includes(loss)));
    Object.assign(state.views, views);
    [state.lead] = words;
  },
  zoom: (state, [way]) => {
    check(way === "together" || way === "apart");
    state.together = way === "together";
  },
  space: (state, [loss]) => {
    check(state.losses.includes(loss));
    state.gallerySpace = loss;
  },
  threshold: (state, [name, value]) => {
    check(name === state.networks[state.gallerySpace]);
    state.threshold = { network: name, value: number(value, 0, 1e9) };
  },
  lab: (state, words) => {
    state.lab = labSettings(words);
  },
  areas: (state, [which]) => {
    check(which === "ten" || which === "none");
    state.areas = which === "ten";
  },
  // A link has no room for very many: then they are those that the browser keeps.
  own: (state, words, { parts, kept }) => {
    const text = words.join();
    state.emptied = text === "none";
    state.symbols = text === "kept" ? kept : state.emptied ? [] : textToSymbols(text);
    check(!parts.has("enrol") || !state.symbols.some(({ name }) => isDigit(name)));
  },
  pad: (state, [kind]) => {
    check(kind === "line" || kind === "sign");
    if (state.wide !== (kind === "line")) state.drawing = ""; // it was drawn on the other pad
    state.wide = kind === "line";
  },
  drawing: (state, [text]) => {
    check(isDrawing(text));
    state.drawing = text;
  },
  reader: (state, [name]) => {
    const reader = READERS.find((one) => one === name);
    check(reader);
    state.reader = reader;
  },
  fmr: (state, [share]) => {
    state.fmr = number(share, 0, 1);
  },
};

function selection([kind, ...words]: Words, contents: PageContents): Selection | null {
  const [a, b] = words;
  if (kind === "none" && !words.length) return null;
  if (kind === "classes") return { kind, classes: some(words.map((w) => number(w, 0, 9, true))) };
  if (kind === "digits") return { kind, digits: some(words.map((w) => digit(w, 1, contents))) };
  if (kind === "around" && words.length === 3)
    return { kind, network: network(a, contents), moment: moment(b), digit: digit(words[2], moment(b), contents) };
  if ((kind === "lost" || kind === "won") && words.length === 2)
    return { kind, from: network(a, contents), to: network(b, contents) };
  const corners = words.slice(3).map((w) => number(w, -1e4, 1e4));
  check(kind === "loop" && corners.length % 2 === 0 && corners.length >= 6);
  const outline = Array.from({ length: corners.length / 2 }, (_, i) => corners.slice(2 * i, 2 * i + 2) as Place);
  const count = number(words[2], 1, countAt(moment(b), contents), true);
  return { kind: "lasso", network: network(a, contents), moment: moment(b), count, outline };
}

function viewsOf(words: Words): Record<string, View> {
  check(words.length && words.length % 4 === 0);
  const losses = distinct(words.filter((_, i) => i % 4 === 0));
  const view = (i: number): View => {
    const [x, y] = [1, 2].map((j) => number(words[4 * i + j], -REACH, REACH));
    return { x, y, zoom: number(words[4 * i + 3], MIN_ZOOM, MAX_ZOOM) };
  };
  return Object.fromEntries(losses.map((loss, i) => [loss, view(i)]));
}

function labSettings([loss, margin, scale, mining, left, seed, from, seated]: Words): LabSettings {
  check(Object.hasOwn(LOSSES, loss) && MINING.includes(mining));
  check(from === "trained" || from === "chance");
  check(left === "none" || /^[0-9]+$/.test(left));
  const { least, most, whole } = LOSSES[loss].margin ?? { least: 0, most: 0, whole: false };
  const leftOut = distinct(left === "none" ? [] : [...left].map(Number));
  check(leftOut.length <= MOST_LEFT_OUT);
  check(seated === undefined || /^[0-9]{10}$/.test(seated));
  return {
    loss,
    margin: number(margin, least, most, whole),
    scale: number(scale, SCALES.least, SCALES.most),
    mining,
    leftOut,
    seed: number(seed, 0, LARGEST_SEED, true),
    from,
    seats: seated === undefined ? OWN_SEATS : distinct([...seated].map(Number)),
  };
}

// Enrolled symbols of a text. Throws where it tells none.
export function textToSymbols(text: string): OwnSymbol[] {
  const symbols = text.split(",").map((word) => {
    const [first, ...samples] = word.split(".");
    const name = clear(first);
    check(isName(name) && samples.length > 0 && samples.length <= SAMPLES && samples.every(isDrawing));
    return { name, samples };
  });
  distinct(symbols.map(({ name }) => name));
  check(symbols.length <= MOST);
  return symbols;
}

function clear(opaque: string): string {
  const bytes = atob(opaque.replaceAll("-", "+").replaceAll("_", "/"));
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
    Uint8Array.from(bytes, (c) => c.charCodeAt(0)),
  );
}

// ---- words

function check(test: unknown): asserts test {
  if (!test) throw new Error("not a state that this page has");
}

function distinct<T>(all: T[]): T[] {
  check(new Set(all).size === all.length);
  return all;
}

function some<T>(all: T[]): T[] {
  check(all.length);
  return distinct(all);
}

function number(text: string | undefined, low: number, high: number, whole = false): number {
  check(text !== undefined && /^-?\d+(\.\d+)?(e-\d+)?$/.test(text));
  const value = Number(text);
  check(value >= low && value <= high && (!whole || Number.isInteger(value)));
  return value;
}

function network(name: string, { spaces }: PageContents): string {
  check(name && Object.hasOwn(spaces, name));
  return name;
}

const moment = (word: string) => number(word, 0, 1);
const countAt = (moment: number, { shown, trail }: PageContents) => (moment < 1 ? trail : shown);
const digit = (word: string, moment: number, contents: PageContents) => {
  return number(word, 0, countAt(moment, contents) - 1, true);
};
