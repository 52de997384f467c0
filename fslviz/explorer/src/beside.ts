// What stands beside the squares: made as a page asks for it, and laid out around them.
import { Bars } from "./bars";
import { el } from "./dom";
import { Gallery } from "./gallery";
import type { Place } from "./geometry";
import { Lab } from "./lab/lab";
import { Look } from "./look";
import { Pad } from "./pad";
import type { Page } from "./page";
import { Trainer } from "./trainer";

export class Beside {
  readonly bars: Bars;
  readonly trainer?: Trainer;
  readonly pad?: Pad;
  readonly gallery?: Gallery;
  readonly look?: Look;
  readonly lab?: Lab;

  // `parts`: those that are asked for. `draw`: told of the strokes on the pad.
  constructor(page: Page, parts: string[], draw: (strokes: Place[][]) => void) {
    const { pack, labels, colours, loader, life } = page;
    const has = (part: string) => parts.includes(part);
    const six = (loss: string) => loss.endsWith("-six"); // all ten digits, or six: never side by side
    const offered = Object.keys(page.sweeps).filter((loss) => has("choose") && six(loss) === six(page.usual.space));
    this.bars = new Bars(offered, colours, page);
    if (has("training")) this.trainer = new Trainer((step) => page.set({ step }, false));
    if (has("draw")) this.pad = new Pad(draw);
    if (has("enrol"))
      this.gallery = new Gallery(labels, loader.probes.standard, {
        drawing: () => loader.probes.drawing,
        clear: () => this.pad?.clear(),
        set: ({ threshold, ...change }, deed) => {
          const name = page.state.names[page.state.space];
          const limit = threshold == null ? null : { name, at: threshold };
          page.set(threshold === undefined ? change : { threshold: limit }, deed);
        },
      });
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
    return [this.bars.root, grid, trainer, drawn, look, lab].filter((root) => root !== undefined);
  }
}
