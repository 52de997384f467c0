// What stands beside the squares: made as a page asks for it, and laid out around them.
import { Toolbar } from "../panels/toolbar";
import { el } from "../common/elements";
import { Gallery } from "../panels/gallery";
import { Lab } from "../lab/lab";
import { Inspector } from "../panels/inspector";
import { Pad } from "../panels/pad";
import type { Page } from "./page";
import { six } from "../state/state";
import { TrainingSlider } from "../panels/training-slider";

export class SidePanels {
  readonly toolbar: Toolbar;
  readonly trainingSlider?: TrainingSlider;
  readonly pad?: Pad;
  readonly gallery?: Gallery;
  readonly inspector?: Inspector;
  readonly lab?: Lab;

  // `parts`: those that are asked for. `lack`: why no network runs here, or "". `draw`: told of what is on the pad.
  constructor(
    page: Page,
    parts: string[],
    private problem: string,
    draw: (text: string) => void,
  ) {
    const { pack, labels, colours, loader, life } = page;
    const needs = ["draw", "lab"].some((part) => parts.includes(part));
    this.problem = problem && needs ? `Drawing and training ${problem}` : "";
    const has = (part: string) => parts.includes(part) && !(problem && (part === "draw" || part === "lab"));
    const offered = Object.keys(page.networksOf).filter((loss) => has("choose") && six(loss) === six(page.initial.gallerySpace));
    this.toolbar = new Toolbar(offered, colours, page);
    if (has("training")) this.trainingSlider = new TrainingSlider((step) => page.set({ moment: step }, false));
    if (has("draw")) this.pad = new Pad(draw);
    if (has("enrol")) this.gallery = new Gallery(labels, loader.probes.standardised, page, !problem);
    if (has("look")) this.inspector = new Inspector(pack, labels.shown, page);
    if (has("lab")) {
      this.lab = new Lab(pack, labels.shown, colours, page, life.signal);
      life.signal.addEventListener("abort", () => this.lab?.stop());
    }
  }

  // All that there is, from top to bottom.
  arrangedAround(grid: HTMLElement): HTMLElement[] {
    const lower = [this.pad, this.gallery].flatMap((part) => (part ? [part.root] : []));
    const roots = [this.trainingSlider, this.inspector, this.lab].map((part) => part?.root);
    const [trainer, look, lab] = roots;
    const drawn = lower.length ? el("div.lower", {}, ...lower) : undefined;
    const note = this.problem ? el("p.note", {}, this.problem) : undefined;
    return [this.toolbar.root, grid, trainer, note, drawn, look, lab].filter((root) => root !== undefined);
  }
}
