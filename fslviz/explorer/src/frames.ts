// When squares are painted, and how many at once: what has changed, within a frame's time.
import { surroundings } from "./colour";
import type { Panel } from "./panel";
import { type Around, type Shown, scene } from "./scene";
import type { View } from "./state";

const BUDGET = 10; // ms of a frame: what is left over waits for the next

const PAPER: Around = { css: "#000", ink: [0, 0, 0], ground: "#fff", dark: false, paper: true };

export interface Easel {
  root: HTMLElement;
  shade: HTMLElement; // an element that nobody sees
  panels(): Panel[];
  scene(): Shown;
  view(loss: string): View;
  inked(ink: string): void; // told when the page's ink has changed
}

export class Frames {
  waiting = 0; // for a frame
  around: Around = PAPER; // how the page is painted
  private printing = false;
  private next = 0; // the panel to begin with
  private due = 0; // panels that have not been painted since something changed

  constructor(
    private easel: Easel,
    signal: AbortSignal,
  ) {
    addEventListener("beforeprint", () => this.print(true), { signal });
    addEventListener("afterprint", () => this.print(false), { signal });
    signal.addEventListener("abort", () => cancelAnimationFrame(this.waiting));
  }

  paint() {
    this.due = Number.POSITIVE_INFINITY;
    this.frame();
  }

  private frame() {
    this.waiting ||= requestAnimationFrame(() => {
      this.waiting = 0;
      this.squares(performance.now() + BUDGET);
    });
  }

  // Paint what has changed, one square at least, until the frame's time is up: the next goes on where this one stopped.
  private squares(until: number) {
    const { easel, printing } = this;
    const around = printing ? PAPER : { ...surroundings(easel.root, easel.shade), paper: false };
    easel.root.classList.toggle("fx-dark", around.dark);
    if (`${around.ink}` !== `${this.around.ink}` || around.paper !== this.around.paper) easel.inked(around.css);
    this.around = around;
    const panels = easel.panels();
    const shown = easel.scene();
    this.due = Math.min(this.due, panels.length);
    while (this.due-- > 0) {
      const panel = panels[this.next++ % panels.length];
      const shows = scene(shown, panel, easel.view(panel.loss), around); // its strip, too, where none sees it
      if (panel.seen || printing) panel.paint(shows);
      if (this.due > 0 && performance.now() > until) return this.frame();
    }
    if (panels.some((p) => p.space.progress < 1)) this.paint();
  }

  // On paper: dark on white, whatever the screen has.
  private print(printing: boolean) {
    this.printing = printing;
    if (printing) {
      this.due = Number.POSITIVE_INFINITY;
      this.squares(Number.POSITIVE_INFINITY);
    } else this.paint();
  }
}
