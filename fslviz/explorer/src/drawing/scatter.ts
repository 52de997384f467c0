// The dots of a space, laid pixel by pixel into a canvas.
import type { Rgb } from "../common/colour";
import { context2d } from "../common/elements";
import type { Sheet } from "./scene";

export class Scatter {
  private pixels: ImageData | null = null;

  draw({ dots, side, unit, view, labels, colours, space }: Sheet, selected: Set<number> | null, dark: boolean) {
    const ctx = context2d(dots);
    if (this.pixels?.width !== side) this.pixels = new ImageData(side, side);
    const [data, places] = [new Uint32Array(this.pixels.data.buffer).fill(0), space.places()];
    const radius = (space.n > 2000 ? 1.25 : 2) * devicePixelRatio * Math.min(2, view.zoom ** 0.3);
    const dot = stamp(Math.round(4 * radius) / 4, side);
    const paint = (wanted: boolean, alpha: number) => {
      for (let i = 0; i < space.n; i++) {
        if (selected && selected.has(i) !== wanted) continue;
        const x = Math.round(side / 2 + (places[2 * i] - view.x) * unit);
        const y = Math.round(side / 2 - (places[2 * i + 1] - view.y) * unit);
        if (x < 4 || y < 4 || x >= side - 4 || y >= side - 4) continue;
        splat(data, y * side + x, dot, colours[labels[i]], alpha);
      }
    };
    if (selected) paint(false, dark ? 0.16 : 0.12);
    paint(true, selected ? 0.95 : 0.75);
    ctx.putImageData(this.pixels, 0, 0);
  }
}

// A disc's cover of the pixels around its middle: how far on each lies, and how much of it is covered.
const stamps = new Map<string, [Int32Array, Float32Array]>();
function stamp(radius: number, side: number): [Int32Array, Float32Array] {
  const key = `${radius} ${side}`;
  let found = stamps.get(key);
  if (!found) {
    const r = Math.min(4, Math.ceil(radius));
    const [shifts, covers]: number[][] = [[], []];
    for (let y = -r; y <= r; y++)
      for (let x = -r; x <= r; x++) {
        const cover = Math.min(1, radius + 0.5 - Math.hypot(x, y));
        if (cover > 0) [shifts, covers].forEach((all, i) => all.push(i ? cover : y * side + x));
      }
    found = [Int32Array.from(shifts), Float32Array.from(covers)];
    stamps.set(key, found);
  }
  return found;
}

// Lay a dot over what is there; a pixel is A B G R.
function splat(
  data: Uint32Array,
  at: number,
  [shifts, covers]: [Int32Array, Float32Array],
  [r, g, b]: Rgb,
  alpha: number,
) {
  for (let i = 0; i < shifts.length; i++) {
    const pixel = at + shifts[i];
    const was = data[pixel];
    const a = covers[i] * alpha;
    const under = was >>> 24;
    if (!under) data[pixel] = ((a * 255) << 24) | (b << 16) | (g << 8) | r;
    else {
      const R = was & 255;
      const G = (was >> 8) & 255;
      const B = (was >> 16) & 255;
      const cover = (under + (255 - under) * a) << 24;
      data[pixel] = cover | ((B + (b - B) * a) << 16) | ((G + (g - G) * a) << 8) | (R + (r - R) * a);
    }
  }
}
