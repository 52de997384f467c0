// A drawing's strokes, each a list of places on the pad, as a text that an address can carry.
import { type Place, simplifyLine } from "../common/geometry";

const OFF = 0.003; // of the pad, a tenth of an image's pixel: what a corner that is dropped may matter
const GRID = 511; // steps along each side of the pad: a place is 18 bits, three signs
const SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const LONG = 4000; // signs of a drawing, at most

// With no more corners than they need; "" for none.
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
