// When squares are painted, and how many at once: what has changed, within a frame's time.
import { type Surroundings, surroundings } from "../common/colour";
import type { View } from "../state/view";
import type { Panel } from "./panel";
import { type SceneSource, squareScene } from "./square-scene";

const BUDGET = 10; // ms of a frame: what is left over waits for the next

const PAPER: Surroundings = { css: "#000", ink: [0, 0, 0], ground: "#fff", dark: false, paper: true };

interface RenderSource {
  root: HTMLElement;
  shade: HTMLElement; // an element out of sight
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
    const now = printing ? PAPER : surroundings(source.root, source.shade);
    source.root.classList.toggle("fx-dark", now.dark);
    if (`${now.ink}` !== `${this.surroundings.ink}` || now.paper !== this.surroundings.paper) source.inked(now.css);
    this.surroundings = now;
    const panels = source.panels();
    const shown = source.scene();
    this.due = Math.min(this.due, panels.length);
    while (this.due-- > 0) {
      const panel = panels[this.next++ % panels.length];
      const scene = squareScene(shown, panel, source.view(panel.loss), now); // its strip, too, out of sight
      if (panel.inSight || printing) panel.paint(scene);
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
