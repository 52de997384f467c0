// The part of a space that a square shows.
import type { Place } from "../common/geometry";

export interface View {
  x: number;
  y: number;
  zoom: number;
}

export const FILL = 0.82; // of half a square: where the rim of a space lies
export const WHOLE: View = { x: 0, y: 0, zoom: 1 };
export const MAX_ZOOM = 40;
export const MIN_ZOOM = 0.3;
export const REACH = 4; // of the rim: no digit of any space lies farther out, so no view does

const clamped = (v: number, low: number, high: number) => Math.min(high, Math.max(low, v));
export const clampZoom = (zoom: number) => clamped(zoom, MIN_ZOOM, MAX_ZOOM);
export const clampView = ({ x, y, zoom }: View): View => {
  return { x: clamped(x, -REACH, REACH), y: clamped(y, -REACH, REACH), zoom };
};

// The place of a space that lies at shares of its square's sides, (0, 0) at its upper left.
export function placeInView([u, v]: Place, { x, y, zoom }: View): Place {
  return [x + (2 * u - 1) / (FILL * zoom), y + (1 - 2 * v) / (FILL * zoom)];
}
