// What a reader has set: the whole of it, and what it is on a page that was just opened.
import { baseLoss, defaultMargin, LOSS_NAMES, SCALES } from "../catalogue";
import type { Place } from "../common/geometry";
import type { Manifest } from "../data/pack";
import { OWN_SEATS } from "../training/class-places";
import type { OwnSymbol } from "./symbols";
import { type View, WHOLE } from "./view";

// Which digits are lit, as a question that any page can answer.
export type Selection =
  | { kind: "classes"; classes: number[] }
  | { kind: "lasso"; network: string; moment: number; count: number; outline: Place[] }
  | { kind: "around"; network: string; moment: number; digit: number }
  | { kind: "lost" | "won"; from: string; to: string }
  | { kind: "digits"; digits: number[] };

// What the lab trains with.
export interface LabSettings {
  loss: string;
  margin: number;
  scale: number;
  mining: string;
  leftOut: number[]; // classes
  seed: number;
  from: "trained" | "chance";
  seats: number[]; // for each class, whose class weight it has in place of its own: two that change places have each other's
}
export const MOST_LEFT_OUT = 8; // classes: two must stay
export const LARGEST_SEED = 999_999;

// The networks that read the reader's alphabet, by the characters that they have met. "pixels" is none.
export const READERS = ["pixels", "10", "100", "1000", "all"] as const;
export type Reader = (typeof READERS)[number];

export interface State {
  losses: string[];
  networks: Record<string, string>; // of the network shown for each loss, such as "cosface@0.1"
  moment: number; // of the training, 0 to 1
  selection: Selection | null;
  pins: number[]; // the digits held: none, one, or a pair
  lead: string; // the loss whose view the others follow
  together: boolean;
  views: Record<string, View>;
  gallerySpace: string; // the loss whose space verifies
  threshold: { network: string; value: number } | null; // it belongs to one network; null: where the page opens
  lab: LabSettings;
  areas: boolean; // whether the ten digits' accepted regions are drawn
  symbols: OwnSymbol[];
  emptied: boolean; // whether the reader has forgotten them all
  drawing: string; // on the pad, "" for none
  wide: boolean; // whether the pad takes a line of writing
  reader: Reader; // of the alphabet
  fmr: number; // that the alphabet's threshold has: the share of different signs that it takes for one
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
export function initialState(options: Options, { spaces }: Manifest): State {
  const { losses, step, threshold, selection } = options;
  const marginOf = (loss: string) => options.margins[loss] ?? defaultMargin(loss);
  const networks: Record<string, string> = {};
  for (const [name, { loss, margin }] of Object.entries(spaces))
    if (!(loss in networks) || margin === marginOf(loss)) networks[loss] = name;
  const [lead = LOSS_NAMES[0]] = losses; // where no space is shown, of none
  return {
    losses,
    networks,
    moment: step,
    selection: selection.length ? { kind: "digits", digits: selection } : null,
    pins: [],
    lead,
    together: true,
    views: Object.fromEntries(Object.keys(networks).map((loss) => [loss, WHOLE])),
    gallerySpace: lead,
    threshold: threshold === null ? null : { network: networks[lead], value: threshold },
    lab: {
      loss: baseLoss(lead),
      margin: marginOf(baseLoss(lead)) ?? 0,
      scale: SCALES.default,
      mining: "all",
      leftOut: [],
      seed: 0,
      from: "trained",
      seats: OWN_SEATS,
    },
    areas: false,
    symbols: [],
    emptied: false,
    drawing: "",
    wide: false,
    reader: "all",
    fmr: 0.01,
  };
}

// The one sign that is drawn, "" for none: a line of them is no sign.
export const drawnSign = ({ drawing, wide }: State) => (wide ? "" : drawing);

// The threshold that the reader has set for the network that verifies now, if any.
export function currentThreshold({ threshold, networks, gallerySpace }: State): number | null {
  return threshold?.network === networks[gallerySpace] ? threshold.value : null;
}
