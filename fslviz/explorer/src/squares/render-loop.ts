// When squares are painted, and how many at once: what has changed, within a frame's time.
import { surroundings } from "../common/colour";
import type { Panel } from "./panel";
import { type Surroundings, type SceneSource, scene } from "./scene";
import type { View } from "../state/state";

const BUDGET = 10; // ms of a frame: what is left over waits for the next

const PAPER: Surroundings = { css: "#000", ink: [0, 0, 0], ground: "#fff", dark: false, paper: true };

export interface RenderSource {
  root: HTMLElement;
  shade: HTMLElement; // an element that nobody sees
  panels(): Panel[];
  scene(): SceneSource;
  view(loss: string): View;
  inked(ink: string): void; // told when the page's ink has changed
}

export class RenderLoop {
  waiting = 0; // for a frame
  surroundings: Surroundings = PAPER; // how the page is painted
  private printing = false;
  private next = 0; // the panel to begin with
  private due = 0; // panels that have not been painted since something changed

  constructor(
    private source: RenderSource,
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
    const { source, printing } = this;
    const around = printing ? PAPER : { ...surroundings(source.root, source.shade), paper: false };
    source.root.classList.toggle("fx-dark", around.dark);
    if (`${around.ink}` !== `${this.surroundings.ink}` || around.paper !== this.surroundings.paper) source.inked(around.css);
    this.surroundings = around;
    const panels = source.panels();
    const shown = source.scene();
    this.due = Math.min(this.due, panels.length);
    while (this.due-- > 0) {
      const panel = panels[this.next++ % panels.length];
      const shows = scene(shown, panel, source.view(panel.loss), around); // its strip, too, where none sees it
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
