// An image of 28 x 28 greys, bent.
import { t } from "../common/texts";
import { SIDE } from "./image";

// The ways in which a digit can be bent, with the bounds of the slider and what is said of a digit that is bent.
export const BENDS: Record<string, { most: number; name(): string; say(whose: string, v: number): string }> = {
  rotate: {
    most: 90,
    name: () => t("turned"),
    say: (whose, v) => t("{0}, turned {1}°; its path through every space is drawn.", whose, v.toFixed(0)),
  },
  slant: {
    most: 45,
    name: () => t("slanted"),
    say: (whose, v) => t("{0}, slanted {1}°; its path through every space is drawn.", whose, v.toFixed(0)),
  },
  thicken: {
    most: 1.5,
    name: () => t("thickened"),
    say: (whose, v) =>
      t("{0}, thickened by {1} pixels; its path through every space is drawn.", whose, (2 * v).toFixed(1)),
  },
};

// An image bent by an amount (degrees, or pixels on each side of a stroke).
export function bent(image: Float32Array, kind: string, amount: number): Float32Array {
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
    if (kind === "thicken") return thick(x + middle, y + middle);
    if (kind === "slant") return grey(x + y * Math.tan(angle) + middle, y + middle);
    return grey(x * cos + y * sin + middle, y * cos - x * sin + middle);
  });
}
