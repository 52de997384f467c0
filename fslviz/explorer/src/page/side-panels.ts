// What stands beside the spaces: made as a page asks for it, and laid out around them.

import { Alphabet } from "../alphabet/alphabet";
import { ofSixDigits } from "../catalogue";
import { el } from "../common/elements";
import { t } from "../common/texts";
import type { Pack } from "../data/pack";
import type { Problem } from "../embedding/network";
import { Lab, type LabHost } from "../lab/lab";
import { Gallery, type GalleryHost } from "../side-panels/gallery";
import { Inspector, type InspectorHost } from "../side-panels/inspector";
import { Pad } from "../side-panels/pad";
import { Toolbar, type ToolbarActions } from "../side-panels/toolbar";
import { TrainingSlider } from "../side-panels/training-slider";
import type { State } from "../state/state";
import type { Contents } from "./contents";
import type { Loader } from "./loader";

interface SidePanelsHost extends Contents, ToolbarActions, GalleryHost, InspectorHost, LabHost {
  pack: Pack;
  loader: Loader;
  life: AbortController;
  state: State;
  set(change: Partial<State>, newEntry: boolean): Promise<void>;
}

export class SidePanels {
  readonly toolbar: Toolbar;
  readonly trainingSlider?: TrainingSlider;
  readonly pad?: Pad;
  readonly gallery?: Gallery;
  readonly alphabet?: Alphabet;
  readonly inspector?: Inspector;
  readonly lab?: Lab;
  private note?: HTMLElement; // of what is missing
  private spaces: boolean; // whether any are shown

  // `parts`: those that are asked for. `problem`: why no network runs here, or null. `draw`: told of what is on the pad.
  constructor(page: SidePanelsHost, parts: string[], problem: Problem | null, draw: (text: string) => void) {
    const { pack, labels, colours, loader, life } = page;
    const reckons = (part: string) => ["draw", "lab", "alphabet"].includes(part);
    if (problem && parts.some(reckons)) this.note = el("p.note", {}, problem(t("Drawing and training")));
    const has = (part: string) => parts.includes(part) && !(problem && reckons(part));
    const six = ofSixDigits(page.initial.gallerySpace);
    const offered = Object.keys(page.networksOf).filter((loss) => has("choose") && ofSixDigits(loss) === six);
    this.toolbar = new Toolbar(offered, colours, page);
    this.spaces = page.state.losses.length > 0;
    if (has("training")) this.trainingSlider = new TrainingSlider((moment) => page.set({ moment }, false));
    if (has("draw") || has("alphabet")) this.pad = new Pad(draw, has("alphabet"));
    if (has("alphabet")) this.alphabet = new Alphabet(pack, loader.probes.standardised, page, parts.includes("enrol"));
    if (has("enrol")) this.gallery = new Gallery(labels, loader.probes.standardised, page, !problem);
    if (has("look")) this.inspector = new Inspector(pack, labels.test, page);
    if (has("lab")) {
      this.lab = new Lab(pack, labels.test, colours, page, life.signal);
      life.signal.addEventListener("abort", () => this.lab?.stop());
    }
  }

  // All that there is, from top to bottom.
  around(grid: HTMLElement): HTMLElement[] {
    const lower = [this.pad, this.alphabet, this.gallery].flatMap((part) => (part ? [part.root] : []));
    const roots = [this.trainingSlider, this.inspector, this.lab].map((part) => part?.root);
    const [training, inspector, lab] = roots;
    const drawn = lower.length ? el(this.alphabet ? "div.lower.signs" : "div.lower", {}, ...lower) : undefined;
    const all = [this.toolbar.root, grid, training, this.note, drawn, inspector, lab].filter(
      (root) => root !== undefined,
    );
    return this.spaces ? all : [...all.slice(1), this.toolbar.root]; // without spaces it has the link alone
  }
}
