// An image of 28 x 28 greys, bent.
import { SIDE } from "./image";

// The ways in which a digit can be bent, with the bounds of the slider and what its value means.
export const BENDS: Record<string, { name: string; most: number; say: (v: number) => string }> = {
  rotate: { name: "turned", most: 90, say: (v) => `${v.toFixed(0)}°` },
  slant: { name: "slanted", most: 45, say: (v) => `${v.toFixed(0)}°` },
  thicken: { name: "thickened", most: 1.5, say: (v) => `by ${(2 * v).toFixed(1)} pixels` },
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
