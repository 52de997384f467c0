// Draws a space on three canvases, one over the other: background (wedges, accepted regions), dots, and overlay. Each is
// drawn again only when what it shows has changed. Dots are laid pixel by pixel: no WebGL, so nothing falls back.
import type { Rgb } from "../common/colour";
import { context2d } from "../common/elements";
import type { Place } from "../common/geometry";
import { FILL, placeInView, WHOLE } from "../state/view";
import { paintBackground } from "./background";
import { paintOverlay } from "./overlay";
import { Scatter } from "./scatter";
import type { Plane, Scene, Sheet } from "./scene";

export class Painter implements Sheet {
  under = canvas("under");
  dots = canvas("dots");
  over = canvas("points");
  side = 0; // pixels of the canvases
  view = WHOLE;
  ground = ""; // what lies behind all layers, while the top one is to hold all that is seen
  private scatter = new Scatter();
  private drawn = ["", "", ""];

  constructor(
    readonly space: Plane,
    readonly labels: Uint8Array,
    readonly colours: Rgb[],
  ) {
    this.over.removeAttribute("aria-hidden");
  }

  // Pixels of a place's unit.
  get unit() {
    return (this.side / 2) * FILL * this.view.zoom;
  }

  toPixel([x, y]: Place): Place {
    return [this.side / 2 + (x - this.view.x) * this.unit, this.side / 2 - (y - this.view.y) * this.unit];
  }

  toPlace([px, py]: Place): Place {
    return placeInView([px / this.side, py / this.side], this.view);
  }

  // The digit under a pixel, or -1.
  hit(pixel: Place, within = 12 * devicePixelRatio): number {
    const [x, y] = this.toPlace(pixel);
    const { target } = this.space;
    let [found, least] = [-1, (within / this.unit) ** 2];
    for (let i = 0; i < this.space.n; i++) {
      const d = (target[2 * i] - x) ** 2 + (target[2 * i + 1] - y) ** 2;
      if (d < least) [found, least] = [i, d];
    }
    return found;
  }

  // A length of the space as a share of the canvas's side.
  share(length: number) {
    return (length * FILL * this.view.zoom) / 2;
  }

  paint(scene: Scene) {
    const side = Math.round(this.over.clientWidth * devicePixelRatio);
    if (!side) return;
    if (side !== this.side) {
      for (const one of [this.under, this.dots, this.over]) one.width = one.height = side;
      [this.side, this.drawn] = [side, ["", "", ""]];
    }
    this.view = scene.view;
    const { name, moment, n, progress } = this.space;
    const shown = JSON.stringify([name, moment, n, progress, scene.view, scene.dark]);
    const { areas, selected, path, links, arrows, rings, lasso, ink, paper } = scene;
    this.once(0, [shown, areas, this.space.entry?.weight], () => paintBackground(this, areas));
    this.once(1, [shown, id(selected)], () => this.scatter.draw(this, selected, scene.dark));
    this.once(2, [shown, path, links, arrows, rings, lasso, ink, paper], () => paintOverlay(this, scene));
    if (this.ground) this.whole(this.ground);
  }

  // All that is seen, on the top layer: what a browser saves of a canvas is that canvas alone.
  whole(ground: string) {
    const ctx = context2d(this.over);
    ctx.globalCompositeOperation = "destination-over";
    for (const layer of [this.dots, this.under]) ctx.drawImage(layer, 0, 0);
    ctx.fillStyle = ground;
    ctx.fillRect(0, 0, this.side, this.side);
    ctx.globalCompositeOperation = "source-over";
    this.drawn[2] = ""; // it is painted again with the next change
    return this.over;
  }

  // Nothing is shown until the next painting.
  blank() {
    for (const one of [this.under, this.dots, this.over]) context2d(one).clearRect(0, 0, this.side, this.side);
    this.drawn = ["", "", ""];
  }

  private once(layer: number, shows: unknown, draw: () => void) {
    const key = JSON.stringify(shows);
    if (this.drawn[layer] !== key) draw();
    this.drawn[layer] = key;
  }
}

const ids = new WeakMap<object, number>();
let count = 0;

// A number for a set, that is as good as its content: a set is never changed here.
function id(set: Set<number> | null) {
  if (!set) return 0;
  if (!ids.has(set)) ids.set(set, ++count);
  return ids.get(set);
}

function canvas(name: string) {
  const node = document.createElement("canvas");
  node.className = `fx-${name}`;
  node.setAttribute("aria-hidden", "true");
  return node;
}
