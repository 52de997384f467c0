// Images of 28 x 28 greys made here: from strokes as MNIST has its digits, and from another image, bent. All is
// reckoned in arrays: what a canvas gives back when it is read may be falsified by a browser that guards its reader.
import { simplifyLine, type Place } from "../common/geometry";

const SIDE = 28;
const PEN = 2.3; // MNIST's, in pixels, however large one draws
const FINE = 4; // samples of a pixel along each side

const OFF = 0.003; // of the pad, a tenth of an image's pixel: what a corner that is dropped may matter
const GRID = 511; // steps along each side of the pad: a place is 18 bits, three signs
const SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const LONG = 4000; // signs of a drawing, at most

// Strokes as a text that an address can carry, with no more corners than they need; "" for none.
export function strokesToText(strokes: Place[][]): string {
  const place = (p: Place) => {
    const [x, y] = p.map((v) => Math.round(Math.min(1, Math.max(0, v)) * GRID));
    return [x >> 3, ((x & 7) << 3) | (y >> 6), y & 63].map((n) => SIGNS[n]).join("");
  };
  return strokes.map((stroke) => simplifyLine(stroke, OFF).map(place).join("")).join("~");
}

export const isDrawing = (text: string) => text.length <= LONG && /^([\w-]{3})+(~([\w-]{3})+)*$/.test(text);

export function textToStrokes(text: string): Place[][] {
  const place = (signs: string): Place => {
    const [a, b, c] = [...signs].map((s) => SIGNS.indexOf(s));
    return [((a << 3) | (b >> 3)) / GRID, (((b & 7) << 6) | c) / GRID];
  };
  return text ? text.split("~").map((stroke) => stroke.match(/.../g)!.map(place)) : [];
}

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

// The ways in which a digit can be bent, with the bounds of the slider and what its value means.
export const BENDS: Record<string, { name: string; most: number; say: (v: number) => string }> = {
  turn: { name: "turned", most: 90, say: (v) => `${v.toFixed(0)}°` },
  slant: { name: "slanted", most: 45, say: (v) => `${v.toFixed(0)}°` },
  thicken: { name: "thickened", most: 1.5, say: (v) => `by ${(2 * v).toFixed(1)} pixels` },
};

// An image bent by an amount (degrees, or pixels on each side of a stroke).
export function bent(image: Float32Array, way: string, amount: number): Float32Array {
  const angle = (amount * Math.PI) / 180;
  const grey = (x: number, y: number) => {
    const [i, j] = [Math.floor(x), Math.floor(y)];
    const [u, v] = [x - i, y - j];
    const one = (a: number, b: number) => (a < 0 || b < 0 || a >= SIDE || b >= SIDE ? 0 : image[b * SIDE + a]);
    return (one(i, j) * (1 - u) + one(i + 1, j) * u) * (1 - v) + (one(i, j + 1) * (1 - u) + one(i + 1, j + 1) * u) * v;
  };
  const around = Array.from({ length: 12 }, (_, k) => (k * Math.PI) / 6);
  const thick = (x: number, y: number) => {
    const near = around.map((a) => grey(x + Math.abs(amount) * Math.cos(a), y + Math.abs(amount) * Math.sin(a)));
    return amount < 0 ? Math.min(grey(x, y), ...near) : Math.max(grey(x, y), ...near);
  };
  const middle = (SIDE - 1) / 2;
  return Float32Array.from({ length: SIDE * SIDE }, (_, i) => {
    const [x, y] = [(i % SIDE) - middle, Math.floor(i / SIDE) - middle];
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    if (way === "thicken") return thick(x + middle, y + middle);
    if (way === "slant") return grey(x + y * Math.tan(angle) + middle, y + middle);
    return grey(x * cos + y * sin + middle, y * cos - x * sin + middle);
  });
}
