// The simulated hand that the networks learned from (fslviz/characters.py, whose numbers these are): it draws a sign anew.
import { high, low, mean, type Place, span } from "../common/geometry";
import { normal } from "../training/random";

const UNIT = 1 / 109; // of the square that the hand draws in
const STEP = 3; // units between two points of a stroke
const [TURN, STRETCH, MOVE] = [0.2, 0.15, 5]; // of a stroke: radians, a share of its length, units
const BEND = 1.8; // of the whole: the deviation of each of three waves across it and three along it, units
const [SLANT, SHEAR, WIDEN] = [0.25, 0.35, 0.15]; // of the whole: radians, a share of its height, a share of its width
const FILLS = 0.7; // of the pad: the larger side of what is drawn

// Strokes on the pad, as the hand writes them this time.
export function redrawn(strokes: Place[][], random: () => number): Place[][] {
  const differ = (most: number) => most * (2 * random() - 1);
  const size = Math.max(span(strokes, 0), span(strokes, 1), 0.05);
  const units = (stroke: Place[]) => evenly(stroke.map(([x, y]) => [(x * 80) / size, (y * 80) / size]));
  const apart = strokes.map(units).map((stroke) => {
    const [mx, my] = mean(stroke);
    const [turn, stretch] = [differ(TURN), 1 + differ(STRETCH)];
    const [cos, sin] = [stretch * Math.cos(turn), stretch * Math.sin(turn)];
    const [dx, dy] = [mx + differ(MOVE), my + differ(MOVE)];
    return stroke.map(([x, y]): Place => [cos * (x - mx) - sin * (y - my) + dx, sin * (x - mx) + cos * (y - my) + dy]);
  });
  const waves = [0, 1].map(() => [1, 2, 3].map((k) => [BEND * normal(random), Math.PI * (2 * random() - 1), k]));
  const wave = (axis: number, v: number) =>
    waves[axis].reduce((sum, [height, phase, k]) => sum + height * Math.sin(Math.PI * UNIT * k * v + phase), 0);
  const [slant, shear, wide] = [differ(SLANT), differ(SHEAR), 1 + differ(WIDEN)];
  const [cos, sin] = [Math.cos(slant), Math.sin(slant)];
  const bent = (p: Place): Place => {
    const [x, y] = [p[0] + wave(0, p[1]), p[1] + wave(1, p[0])];
    return [wide * cos * x + (shear * cos - sin) * y, wide * sin * x + (shear * sin + cos) * y];
  };
  return onPad(apart.map((stroke) => stroke.map(bent)));
}

// Strokes moved to the middle of the pad, as large as a hand draws there.
function onPad(strokes: Place[][]): Place[][] {
  const scale = FILLS / Math.max(span(strokes, 0), span(strokes, 1), 40);
  const [left, top] = [0, 1].map((i) => (low(strokes, i) + high(strokes, i)) / 2);
  return strokes.map((stroke) => stroke.map(([x, y]) => [0.5 + (x - left) * scale, 0.5 + (y - top) * scale]));
}

// A stroke with points a step apart.
function evenly(stroke: Place[]): Place[] {
  const points: Place[] = [stroke[0]];
  for (let i = 1; i < stroke.length; i++) {
    const [[ax, ay], [bx, by]] = [stroke[i - 1], stroke[i]];
    const steps = Math.max(1, Math.round(Math.hypot(bx - ax, by - ay) / STEP));
    for (let s = 1; s <= steps; s++) points.push([ax + ((bx - ax) * s) / steps, ay + ((by - ay) * s) / steps]);
  }
  return points;
}
