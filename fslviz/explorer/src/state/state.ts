// What a reader has set: the whole of it, and what it is on a page that was just opened.
import type { Place } from "../common/geometry";
import type { Manifest } from "../data/pack";

export interface View {
  x: number;
  y: number;
  zoom: number;
}

// Which digits are lit, as a question that any page can answer.
export type Selection =
  | { kind: "classes"; classes: number[] }
  | { kind: "lasso"; network: string; moment: number; count: number; outline: Place[] }
  | { kind: "around"; network: string; moment: number; digit: number }
  | { kind: "lost" | "won"; from: string; to: string }
  | { kind: "digits"; digits: number[] };

// What a training in the page is held to.
export interface LabSettings {
  loss: string;
  margin: number;
  scale: number;
  mining: "all" | "random" | "semihard" | "hard";
  leftOut: number[]; // classes that are left out
  seed: number;
  from: "trained" | "chance";
}

// A symbol that the reader has enrolled: its name, and each drawing as a text of strokes.
export interface OwnSymbol {
  name: string;
  samples: string[];
}
export const SAMPLES = 5; // of a symbol, at most

export interface State {
  losses: string[];
  networks: Record<string, string>; // of the network shown for each loss, such as "cosface@0.1"
  moment: number; // the place in the training, 0 to 1
  selection: Selection | null;
  pins: number[]; // the digits held: none, one, or a pair
  lead: string; // the loss whose view the others follow
  together: boolean;
  views: Record<string, View>;
  gallerySpace: string; // the loss whose space verifies
  threshold: { name: string; at: number } | null; // it belongs to one network; null: where the page opens
  lab: LabSettings;
  areas: boolean; // whether the ten digits' accepted regions are drawn
  symbols: OwnSymbol[];
  drawing: string; // on the pad, "" for none
}

export const FILL = 0.82; // of half a square: where the rim of a space lies
export const WHOLE: View = { x: 0, y: 0, zoom: 1 };
export const MAX_ZOOM = 40; // the largest zoom
export const MIN_ZOOM = 0.3;

export const REACH = 4; // of the rim: no digit of any space lies farther out, so no view does

const clamped = (v: number, low: number, high: number) => Math.min(high, Math.max(low, v));
export const clampZoom = (zoom: number) => clamped(zoom, MIN_ZOOM, MAX_ZOOM);
export const clampView = ({ x, y, zoom }: View): View => {
  return { x: clamped(x, -REACH, REACH), y: clamped(y, -REACH, REACH), zoom };
};

// The place of a space that lies at shares of its square's sides, (0, 0) at its upper left.
export function placeInView([u, v]: Place, { x, y, zoom }: View): Place {
  return [x + (2 * u - 1) / (FILL * zoom), y + (1 - 2 * v) / (FILL * zoom)];
}

// What a page or a notebook asks for: which spaces, which parts beside them, and the state to open with.
export interface Options {
  losses: string[];
  parts: string[];
  margins: Record<string, number>;
  step: number;
  threshold: number | null;
  selection: number[];
}

// The state to open with, and to come back to.
export function initialState(options: Options, { spaces, default: usual }: Manifest): State {
  const { losses, step, threshold, selection } = options;
  const margins: Record<string, number> = { ...usual, ...options.margins };
  const names: Record<string, string> = {};
  for (const [name, { loss, margin }] of Object.entries(spaces))
    if (!(loss in names) || margin === margins[loss]) names[loss] = name;
  const [lead] = losses;
  return {
    losses,
    networks: names,
    moment: step,
    selection: selection.length ? { kind: "digits", digits: selection } : null,
    pins: [],
    lead,
    together: true,
    views: Object.fromEntries(Object.keys(names).map((loss) => [loss, WHOLE])),
    gallerySpace: lead,
    threshold: threshold === null ? null : { name: names[lead], at: threshold },
    lab: {
      loss: kind(lead),
      margin: margins[kind(lead)] ?? 0,
      scale: 16,
      mining: "all",
      leftOut: [],
      seed: 0,
      from: "trained",
    },
    areas: false,
    symbols: [],
    drawing: "",
  };
}

const kind = (loss: string) => loss.replace("-six", "");
export const six = (loss: string) => loss.endsWith("-six"); // of six digits, or of all ten: never side by side

// The threshold that the reader has set for the network that verifies now, if any.
export function currentThreshold({ threshold, networks, gallerySpace }: State): number | null {
  return threshold?.name === networks[gallerySpace] ? threshold.at : null;
}
