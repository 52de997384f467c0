// The state's text, in an address: "v2;show:triplet@1,cosface@0.8;step:0.5;lit:classes,4,9". What is as it was at first
// on a page is left out. parse.ts reads it.
import { OWN_SEATS } from "../training/class-places";
import { currentThreshold, type Selection, type State } from "./state";
import { isDrawing } from "./strokes";
import type { OwnSymbol } from "./symbols";
import { WHOLE } from "./view";

export const VERSION = "v2";
const ROOM = 12_000; // letters that enrolled symbols may take in an address: 50 signs of some strokes

// Names are in base64, which no decoding of an address changes, however often it is decoded.
const opaque = (name: string) => {
  const bytes = String.fromCharCode(...new TextEncoder().encode(name));
  return btoa(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
};

// Enrolled symbols as a text, to be kept or passed on.
export const symbolsToText = (symbols: OwnSymbol[]) =>
  symbols.map(({ name, samples }) => [opaque(name), ...samples].join(".")).join();

// Whether an address has room for the symbols of a state.
export const fitsAddress = ({ symbols }: State) => symbolsToText(symbols).length <= ROOM;

export function stateToText(state: State, initial: State): string {
  const round = (v: number) => String(+v.toPrecision(4));
  const view = (loss: string) => [loss, ...Object.values(state.views[loss]).map(round)];
  const moved = state.losses.filter((loss) => state.views[loss] !== WHOLE);
  const words: Record<string, (s: State) => (string | number)[]> = {
    show: (s) => s.losses.map((loss) => s.networks[loss]),
    step: (s) => [round(s.moment)],
    lit: (s) => selectionWords(s.selection),
    pin: (s) => s.pins,
    view: (s) => (s === initial ? [] : s.together ? (moved.includes(s.lead) ? view(s.lead) : []) : moved.flatMap(view)),
    zoom: (s) => [s.together ? "together" : "apart"],
    space: (s) => [s.gallerySpace],
    threshold: (s) => (currentThreshold(s) === null ? [] : [s.threshold!.network, round(s.threshold!.value)]),
    lab: ({ lab: { loss, margin, scale, mining, leftOut, seed, from, seats } }) => {
      const moved = `${seats}` === `${OWN_SEATS}` ? [] : [seats.join("")];
      return [loss, round(margin), scale, mining, leftOut.join("") || "none", seed, from, ...moved];
    },
    areas: (s) => [s.areas ? "ten" : "none"],
    own: (s) => [s.symbols.length ? (fitsAddress(s) ? symbolsToText(s.symbols) : "kept") : s.emptied ? "none" : ""],
    drawing: (s) => [isDrawing(s.drawing) ? s.drawing : ""],
    pad: (s) => [s.wide ? "line" : "sign"],
    reader: (s) => [s.reader],
    fmr: (s) => [round(s.fmr)],
  };
  const changed = Object.entries(words).filter(([, of]) => `${of(state)}` !== `${of(initial)}`);
  if (!changed.length) return "";
  return [VERSION, ...changed.map(([key, of]) => `${key}:${of(state)}`)].join(";");
}

function selectionWords(selection: Selection | null): (string | number)[] {
  if (!selection) return ["none"];
  if (selection.kind === "classes") return [selection.kind, ...selection.classes];
  if (selection.kind === "digits") return [selection.kind, ...selection.digits];
  if ("from" in selection) return [selection.kind, selection.from, selection.to];
  const { network, moment } = selection;
  if (selection.kind === "around") return [selection.kind, network, moment, selection.digit];
  return ["loop", network, moment, selection.count, ...selection.outline.flat()];
}
