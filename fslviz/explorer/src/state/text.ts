// The state's text, in an address: "v2;show:triplet@1,cosface@0.8;step:0.5;lit:classes,4,9". What is as usual on a page
// is left out. A text is taken up whole or not at all.
import type { Place } from "../common/geometry";
import { isDrawing } from "../embedding/image";
import { LOSSES, MINING, MOST } from "../catalogue";
import { isName } from "./symbol-names";
import type { Entry } from "../data/pack";
import { WHOLE, MIN_ZOOM, type LabSettings, type Selection, MAX_ZOOM, type OwnSymbol, REACH, SAMPLES, type State, six, currentThreshold } from "./state";

const VERSION = "v2";
const ROOM = 1500; // signs that enrolled symbols may take in an address

export interface PageContents {
  spaces: Record<string, Entry>;
  shown: number; // test images
  trail: number; // those of them that are followed along a training
  parts: Set<string>;
}

// Names are opaque, however often an address is decoded on its way.
const opaque = (name: string) => {
  const bytes = String.fromCharCode(...new TextEncoder().encode(name));
  return btoa(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
};
function unopaque(text: string): string {
  const bytes = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
    Uint8Array.from(bytes, (c) => c.charCodeAt(0)),
  );
}

// Enrolled symbols as a text, to be kept or passed on.
export const symbolsToText = (own: OwnSymbol[]) => own.map(({ name, samples }) => [opaque(name), ...samples].join(".")).join();

// Those that a text tells. Throws where it tells none.
export function textToSymbols(text: string): OwnSymbol[] {
  const own = text.split(",").map((word) => {
    const [first, ...samples] = word.split(".");
    const name = unopaque(first);
    check(isName(name) && samples.length > 0 && samples.length <= SAMPLES && samples.every(isDrawing));
    return { name, samples };
  });
  check(new Set(own.map(({ name }) => name)).size === own.length);
  return own;
}

// Whether an address has room for the symbols of a state.
export const fitsAddress = ({ symbols }: State) => symbolsToText(symbols).length <= ROOM;

export function stateToText(state: State, usual: State): string {
  const round = (v: number) => String(+v.toPrecision(4));
  const view = (loss: string) => [loss, ...Object.values(state.views[loss]).map(round)];
  const seen = state.losses.filter((loss) => state.views[loss] !== WHOLE);
  const said: Record<string, (s: State) => (string | number)[]> = {
    show: (s) => s.losses.map((loss) => s.networks[loss]),
    step: (s) => [round(s.moment)],
    lit: (s) => (s.selection ? lit(s.selection) : ["none"]),
    pin: (s) => s.pins,
    view: (s) => (s === usual ? [] : s.together ? (seen.includes(s.lead) ? view(s.lead) : []) : seen.flatMap(view)),
    zoom: (s) => [s.together ? "together" : "apart"],
    space: (s) => [s.gallerySpace],
    threshold: (s) => (currentThreshold(s) === null ? [] : [s.threshold!.name, round(s.threshold!.at)]),
    lab: ({ lab }) => [
      lab.loss,
      round(lab.margin),
      lab.scale,
      lab.mining,
      lab.leftOut.join("") || "none",
      lab.seed,
      lab.from,
    ],
    areas: (s) => [s.areas ? "ten" : "none"],
    own: (s) => (fitsAddress(s) ? [symbolsToText(s.symbols)] : []),
    drawing: (s) => [s.drawing],
  };
  const changed = Object.entries(said).filter(([, words]) => `${words(state)}` !== `${words(usual)}`);
  if (!changed.length) return "";
  return [VERSION, ...changed.map(([key, words]) => `${key}:${words(state)}`)].join(";");
}

function lit(lit: Selection): (string | number)[] {
  if (lit.kind === "classes") return [lit.kind, ...lit.classes];
  if (lit.kind === "digits") return [lit.kind, ...lit.digits];
  if (lit.kind === "around") return [lit.kind, lit.network, lit.moment, lit.digit];
  if (lit.kind === "loop") return [lit.kind, lit.network, lit.moment, lit.count, ...lit.outline.flat()];
  return [lit.kind, lit.from, lit.to];
}

function check(test: unknown): asserts test {
  if (!test) throw new Error("not a state that this page has");
}

function number(text: string | undefined, low: number, high: number, whole = false): number {
  check(text !== undefined && /^-?\d+(\.\d+)?(e-\d+)?$/.test(text));
  const value = Number(text);
  check(value >= low && value <= high && (!whole || Number.isInteger(value)));
  return value;
}

// The state that a text tells. Throws where it is not whole, or tells what this page has not.
export function textToState(text: string, usual: State, { spaces, shown, trail, parts }: PageContents): State {
  const [version, ...said] = text.split(";");
  check(version === VERSION);
  const state = { ...usual, names: { ...usual.networks }, views: { ...usual.views } };
  const distinct = <T>(all: T[]): T[] => {
    check(new Set(all).size === all.length);
    return all;
  };
  const network = (name: string | undefined): string => {
    check(name && Object.hasOwn(spaces, name));
    return name;
  };
  const digit = (w: string, step = 1) => number(w, 0, (step < 1 ? trail : shown) - 1, true);
  const moment = (w: string) => number(w, 0, 1);
  const some = <T>(all: T[]): T[] => {
    check(all.length);
    return distinct(all);
  };
  const readers: Record<string, (words: string[]) => void> = {
    show: (words) => {
      state.losses = distinct(words.map((name) => spaces[network(name)].loss));
      check(state.losses.every((loss) => six(loss) === six(usual.gallerySpace)));
      words.forEach((name, i) => (state.names[state.losses[i]] = name));
      if (!state.losses.includes(state.gallerySpace)) state.gallerySpace = state.losses[0];
      if (!state.losses.includes(state.lead)) state.lead = state.losses[0];
    },
    step: ([at, ...more]) => {
      check(!more.length);
      state.moment = moment(at);
    },
    lit: ([kind, ...words]) => {
      const [a, b] = words;
      if (kind === "none" && !words.length) state.selection = null;
      else if (kind === "classes") state.selection = { kind, classes: some(words.map((w) => number(w, 0, 9, true))) };
      else if (kind === "digits") state.selection = { kind, digits: some(words.map((w) => digit(w))) };
      else if (kind === "around" && words.length === 3)
        state.selection = { kind, network: network(a), moment: moment(b), digit: digit(words[2], moment(b)) };
      else if ((kind === "lost" || kind === "won") && words.length === 2)
        state.selection = { kind, from: network(a), to: network(b) };
      else {
        const corners = words.slice(3).map((w) => number(w, -1e4, 1e4));
        check(kind === "loop" && corners.length % 2 === 0 && corners.length >= 6);
        const way = Array.from({ length: corners.length / 2 }, (_, i) => corners.slice(2 * i, 2 * i + 2) as Place);
        const count = number(words[2], 1, moment(b) < 1 ? trail : shown, true);
        state.selection = { kind, network: network(a), moment: moment(b), count, outline: way };
      }
    },
    pin: (words) => {
      state.pins = distinct(words.map((w) => digit(w)));
      check(state.pins.length <= 2);
    },
    view: (words) => {
      check(words.length && words.length % 4 === 0);
      const losses = words.filter((_, i) => i % 4 === 0);
      check(distinct(losses).every((loss) => state.losses.includes(loss)));
      losses.forEach((loss, i) => {
        const [x, y] = [1, 2].map((j) => number(words[4 * i + j], -REACH, REACH));
        state.views[loss] = { x, y, zoom: number(words[4 * i + 3], MIN_ZOOM, MAX_ZOOM) };
      });
      state.lead = losses[0];
    },
    zoom: ([way, ...more]) => {
      check((way === "together" || way === "apart") && !more.length);
      state.together = way === "together";
    },
    space: ([loss, ...more]) => {
      check(state.losses.includes(loss) && !more.length);
      state.gallerySpace = loss;
    },
    threshold: ([name, at, ...more]) => {
      check(parts.has("enrol") && name === state.names[state.gallerySpace] && !more.length);
      state.threshold = { name, at: number(at, 0, 1e9) };
    },
    lab: ([loss, margin, scale, mining, left, seed, from, ...more]) => {
      check(parts.has("lab") && !more.length && (LOSSES as readonly string[]).includes(loss) && MINING.includes(mining));
      check(from === "trained" || from === "chance");
      check(left === "none" || /^[0-9]{1,8}$/.test(left));
      state.lab = {
        loss,
        margin: number(margin, +(loss === "sphereface"), MOST[loss] ?? 0, loss === "sphereface"),
        scale: number(scale, 1, 64),
        mining: mining as LabSettings["mining"],
        leftOut: distinct(left === "none" ? [] : [...left].map(Number)),
        seed: number(seed, 0, 999999, true),
        from,
      };
    },
    areas: ([which, ...more]) => {
      check(parts.has("enrol") && (which === "ten" || which === "none") && !more.length);
      state.areas = which === "ten";
    },
    own: (words) => {
      check(parts.has("enrol"));
      state.symbols = textToSymbols(words.join());
    },
    drawing: ([text, ...more]) => {
      check(parts.has("draw") && isDrawing(text) && !more.length);
      state.drawing = text;
    },
  };
  const keys = said.map((s) => s.split(":")[0]);
  const order = Object.keys(readers).filter((key) => keys.includes(key)); // a space is of the losses shown
  check(order.length === keys.length); // each known, and once
  for (const key of order) {
    const words = said[keys.indexOf(key)].slice(key.length + 1);
    check(words !== "" || key === "pin");
    readers[key](words === "" ? [] : words.split(","));
  }
  check(state.together ? Object.values(state.views).filter((v) => v !== WHOLE).length <= 1 : true);
  return state;
}
