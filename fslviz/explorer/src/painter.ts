// Draws a space on three canvases, one over the other: grounds (wedges, accepted regions), dots, and marks. Each is
// drawn again only when what it shows has changed. Dots are laid pixel by pixel: no WebGL, so nothing falls back.
import { hex, type Rgb } from "./colour";
import { cut, type Place } from "./geometry";
import { Scatter } from "./scatter";
import type { Space } from "./space";
import { AFAR, type View } from "./state";

const FILL = 0.82; // of half the canvas: where the rim of a space lies

export interface Scene {
  view: View;
  lit: Set<number> | null; // null: all alike
  path: Place[]; // of a digit that is bent
  links: Place[][]; // from a digit or drawing to its neighbours, or of a pair
  rings: { place: Place; fill?: string; text?: string }[];
  areas: { place: Place; at: Place; reach: number; colour: string }[];
  loop: Place[] | null; // in pixels
  ink: string;
  dark: boolean;
}

export class Painter {
  under = canvas("under");
  dots = canvas("dots");
  over = canvas("points");
  side = 0; // pixels of the canvases
  view = AFAR;
  private scatter = new Scatter();
  private drawn = ["", "", ""];

  constructor(
    private space: Space,
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
    return [(px - this.side / 2) / this.unit + this.view.x, (this.side / 2 - py) / this.unit + this.view.y];
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
    const { name, step, n, progress } = this.space;
    const shown = JSON.stringify([name, step, n, progress, scene.view, scene.dark]);
    const { areas, lit, path, links, rings, loop, ink } = scene;
    this.once(0, [shown, areas], () => this.grounds(areas));
    this.once(1, [shown, id(lit)], () => this.scatter.draw(this, this.space, lit, scene.dark));
    this.once(2, [shown, path, links, rings, loop, ink], () => this.marks(scene));
  }

  private once(layer: number, shows: unknown, draw: () => void) {
    const key = JSON.stringify(shows);
    if (this.drawn[layer] !== key) draw();
    this.drawn[layer] = key;
  }

  // The region of each class, where its logit w.x + b is the largest, and the regions that a threshold accepts.
  private grounds(areas: Scene["areas"]) {
    const [ctx, { entry, step, progress, n }, side] = [this.under.getContext("2d")!, this.space, this.side];
    ctx.clearRect(0, 0, side, side);
    if (!n) return;
    const corners = (
      [
        [0, 0],
        [side, 0],
        [side, side],
        [0, side],
      ] as Place[]
    ).map((p) => this.toPlace(p));
    const { weight, bias, classes } = entry;
    weight?.forEach((w, c) => {
      if (step < 1) return;
      let region = corners;
      weight.forEach((v, other) => {
        const over = ([x, y]: Place) => (w[0] - v[0]) * x + (w[1] - v[1]) * y + bias[c] - bias[other];
        if (other !== c) region = cut(region, over);
      });
      ctx.beginPath();
      for (const p of region) ctx.lineTo(...this.toPixel(p));
      ctx.globalAlpha = 0.13 * progress;
      ctx.fillStyle = hex(this.colours[classes ? classes[c] : c]);
      ctx.fill();
    });
    for (const area of areas) this.area(ctx, area);
  }

  // A disc around a template, or where angles count a sector: all that is at most `reach` from it.
  private area(ctx: CanvasRenderingContext2D, { place, at, reach, colour }: Scene["areas"][number]) {
    const ratio = devicePixelRatio;
    ctx.beginPath();
    if (this.space.entry.cosine) {
      const [middle, half] = [Math.atan2(-at[1], at[0]), 2 * Math.asin(Math.min(1, reach / 2))];
      const origin = this.toPixel([0, 0]);
      ctx.moveTo(...origin);
      ctx.arc(...origin, this.side * 2 + 3 * this.unit, middle - half, middle + half);
      ctx.closePath();
    } else ctx.arc(...this.toPixel(place), (reach / this.space.entry.radius) * this.unit, 0, 7);
    Object.assign(ctx, { globalAlpha: 0.22, fillStyle: colour, strokeStyle: colour, lineWidth: 1.5 * ratio });
    ctx.fill();
    ctx.globalAlpha = 1;
    ctx.stroke();
  }

  private marks({ path, links, rings, loop, ink }: Scene) {
    const [ctx, ratio] = [this.over.getContext("2d")!, devicePixelRatio];
    ctx.clearRect(0, 0, this.side, this.side);
    ctx.font = `600 ${11 * ratio}px system-ui, sans-serif`;
    Object.assign(ctx, { textAlign: "center", textBaseline: "middle", lineJoin: "round" });
    this.centres().forEach((centre, label) => {
      if (!centre) return;
      const pixel = this.toPixel(centre);
      ring(ctx, pixel, 8.5 * ratio, hex(this.colours[label]), 1.5 * ratio, "#fffffff0");
      ctx.fillStyle = "#222";
      ctx.fillText(`${label}`, pixel[0], pixel[1] + ratio / 2);
    });
    Object.assign(ctx, { strokeStyle: ink, lineWidth: ratio });
    for (const line of links) {
      stroke(
        ctx,
        line.map((p) => this.toPixel(p)),
      );
      ring(ctx, this.toPixel(line[1]), 4 * ratio, ink, 1.5 * ratio);
    }
    if (path.length) {
      ctx.lineWidth = 2.5 * ratio;
      stroke(
        ctx,
        path.map((p) => this.toPixel(p)),
      );
    }
    for (const { place, fill, text } of rings) {
      const pixel = this.toPixel(place);
      ring(ctx, pixel, (text ? 9 : 7) * ratio, ink, (text ? 2 : 3) * ratio, fill);
      ctx.fillStyle = "#222";
      if (text) ctx.fillText(text, pixel[0], pixel[1] + ratio / 2);
    }
    if (!loop) return;
    ctx.lineWidth = 1.5 * ratio;
    ctx.setLineDash([4 * ratio, 3 * ratio]);
    stroke(ctx, loop);
    ctx.setLineDash([]);
  }

  // The mean place of each class (null where it has none).
  private centres(): (Place | null)[] {
    const [places, sums] = [this.space.places(), this.colours.map(() => [0, 0, 0])];
    for (let i = 0; i < this.space.n; i++) {
      const sum = sums[this.labels[i]];
      sum[0] += places[2 * i];
      sum[1] += places[2 * i + 1];
      sum[2]++;
    }
    return sums.map(([x, y, count]) => (count ? [x / count, y / count] : null));
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

function ring(
  ctx: CanvasRenderingContext2D,
  [x, y]: Place,
  radius: number,
  colour: string,
  width: number,
  fill?: string,
) {
  ctx.save();
  ctx.beginPath();
  ctx.arc(x, y, radius, 0, 7);
  Object.assign(ctx, { fillStyle: fill ?? "transparent", strokeStyle: colour, lineWidth: width });
  ctx.fill();
  ctx.stroke();
  ctx.restore();
}

function stroke(ctx: CanvasRenderingContext2D, line: Place[]) {
  ctx.beginPath();
  for (const p of line) ctx.lineTo(...p);
  ctx.stroke();
}
