// What stands beside the squares: made as a page asks for it, and laid out around them.
import { Bars } from "./bars";
import { el } from "./dom";
import { Gallery } from "./gallery";
import { Lab } from "./lab/lab";
import { Look } from "./look";
import { Pad } from "./pad";
import type { Page } from "./page";
import { six } from "./state";
import { Trainer } from "./trainer";

export class Beside {
  readonly bars: Bars;
  readonly trainer?: Trainer;
  readonly pad?: Pad;
  readonly gallery?: Gallery;
  readonly look?: Look;
  readonly lab?: Lab;

  // `parts`: those that are asked for. `lack`: why no network runs here, or "". `draw`: told of what is on the pad.
  constructor(
    page: Page,
    parts: string[],
    private lack: string,
    draw: (text: string) => void,
  ) {
    const { pack, labels, colours, loader, life } = page;
    const needs = ["draw", "lab"].some((part) => parts.includes(part));
    this.lack = lack && needs ? `Drawing and training ${lack}` : "";
    const has = (part: string) => parts.includes(part) && !(lack && (part === "draw" || part === "lab"));
    const offered = Object.keys(page.sweeps).filter((loss) => has("choose") && six(loss) === six(page.usual.space));
    this.bars = new Bars(offered, colours, page);
    if (has("training")) this.trainer = new Trainer((step) => page.set({ step }, false));
    if (has("draw")) this.pad = new Pad(draw);
    if (has("enrol")) this.gallery = new Gallery(labels, loader.probes.standard, page, !lack);
    if (has("look")) this.look = new Look(pack, labels.shown, page);
    if (has("lab")) {
      this.lab = new Lab(pack, labels.shown, colours, page, life.signal);
      life.signal.addEventListener("abort", () => this.lab?.stop());
    }
  }

  // All that there is, from top to bottom.
  around(grid: HTMLElement): HTMLElement[] {
    const lower = [this.pad, this.gallery].flatMap((part) => (part ? [part.root] : []));
    const roots = [this.trainer, this.look, this.lab].map((part) => part?.root);
    const [trainer, look, lab] = roots;
    const drawn = lower.length ? el("div.lower", {}, ...lower) : undefined;
    const note = this.lack ? el("p.note", {}, this.lack) : undefined;
    return [this.bars.root, grid, trainer, note, drawn, look, lab].filter((root) => root !== undefined);
  }
}
