// A drawing as an image of 28 x 28 greys, as MNIST has its digits. All is reckoned in arrays: what a canvas gives back when
// it is read may be falsified by a browser that guards its reader.
import type { Place } from "../common/geometry";

export const SIDE = 28;
const PEN = 2.3; // MNIST's, in pixels, however large one draws
const FINE = 4; // samples of a pixel along each side

// Strokes (each a list of places on the pad) as MNIST has its digits: the box of the ink fits 20 x 20 pixels, its centre
// of mass lies in the middle. Null where there is no ink.
export function imageOf(strokes: Place[][]): Float32Array | null {
  const all = strokes.flat();
  if (!all.length) return null;
  const spans = [0, 1].map((i) => [Math.min(...all.map((p) => p[i])), Math.max(...all.map((p) => p[i]))]);
  const scale = (20 - PEN) / Math.max(...spans.map(([low, high]) => high - low), 0.05);
  const render = (shift: Place) => {
    const to = (p: Place) => p.map((v, i) => 14 + shift[i] + (v - (spans[i][0] + spans[i][1]) / 2) * scale) as Place;
    return rendered(strokes.map((stroke) => stroke.map(to)));
  };
  const image = render([0, 0]);
  let [mass, mx, my] = [0, 0, 0];
  image.forEach((v, i) => {
    mass += v;
    mx += v * ((i % SIDE) + 0.5);
    my += v * (Math.floor(i / SIDE) + 0.5);
  });
  return render([14.5 - mx / mass, 14.5 - my / mass]); // where MNIST has it, half a pixel off the middle
}

// Strokes in pixels, drawn with a round pen. Each sample is as dark as the nearest stroke is near.
function rendered(strokes: Place[][]): Float32Array {
  const side = SIDE * FINE;
  const [fine, image] = [new Float32Array(side * side), new Float32Array(SIDE * SIDE)];
  const reach = PEN / 2 + 1 / FINE;
  for (const stroke of strokes)
    for (let s = 0; s < stroke.length; s++) {
      const [[ax, ay], [bx, by]] = [stroke[Math.max(0, s - 1)], stroke[s]];
      const [dx, dy] = [bx - ax, by - ay];
      const length = dx * dx + dy * dy || 1;
      const [x0, x1] = range(Math.min(ax, bx) - reach, Math.max(ax, bx) + reach);
      const [y0, y1] = range(Math.min(ay, by) - reach, Math.max(ay, by) + reach);
      for (let y = y0; y < y1; y++)
        for (let x = x0; x < x1; x++) {
          const [px, py] = [(x + 0.5) / FINE - ax, (y + 0.5) / FINE - ay];
          const t = Math.min(1, Math.max(0, (px * dx + py * dy) / length));
          const cover = 0.5 + (PEN / 2 - Math.hypot(px - t * dx, py - t * dy)) * FINE;
          const at = y * side + x;
          if (cover > fine[at]) fine[at] = Math.min(1, cover);
        }
    }
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) image[((y / FINE) | 0) * SIDE + ((x / FINE) | 0)] += fine[y * side + x] / FINE ** 2;
  return image;
}

const range = (low: number, high: number) => [
  Math.max(0, Math.floor(low * FINE)),
  Math.min(SIDE * FINE, Math.ceil(high * FINE)),
];
