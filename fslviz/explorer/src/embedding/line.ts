// A line of writing, parted into its signs where there are gaps.
import { high, low, type Place, span } from "../common/geometry";

const GAP = 0.25; // between two signs, as a share of the tallest one's height
const DOUBT = 0.12; // a gap this wide may be one
const WIDE = 1.8; // heights: what is wider may be more than one sign

export interface Piece {
  strokes: Place[][]; // in heights of the pad
  gap: boolean; // whether a gap in it may part two signs
  wide: boolean; // whether it may be more than one sign
}

// Strokes on a pad `shape` times as wide as high, as pieces from left to right.
export function parted(given: Place[][], shape: number): Piece[] {
  const strokes = given.map((stroke) => stroke.map(([x, y]): Place => [x * shape, y]));
  const touching = merged(strokes, 0);
  const tallest = Math.max(0, ...touching.map((piece) => span(piece, 1)));
  return merged(strokes, GAP * tallest).map((piece) => ({
    strokes: piece,
    gap: merged(piece, DOUBT * tallest).length > 1,
    wide: span(piece, 0) > WIDE * tallest,
  }));
}

// Strokes in groups from left to right: no two within a gap of each other lie in different ones.
function merged(strokes: Place[][], gap: number): Place[][][] {
  const groups: Place[][][] = [];
  for (const stroke of [...strokes].sort((a, b) => low([a], 0) - low([b], 0))) {
    const last = groups.at(-1);
    if (last && low([stroke], 0) - high(last, 0) <= gap) last.push(stroke);
    else groups.push([stroke]);
  }
  return groups;
}
