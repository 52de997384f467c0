// What is measured in a space on request: thresholds, the worst pairs, and what moved between two spaces.
import { letInputIn } from "../common/elements";
import { placeAt, mean, type Place, shareAccepted } from "../common/geometry";
import type { Space } from "./space";

const NEIGHBOURS = 15;
const PART = 250; // digits that long work does at a time
const RUN_AT = 0.01; // the share of impostors that a lock lets in: where chapter 6 runs one
const MOVED = 8; // of 15 neighbours: a digit that has lost or won so many of its class has moved

export interface Template {
  name: string;
  samples: number;
  compared: Place; // as distances take it
  place: Place; // where it is drawn
}

export function template(space: Space, name: string, places: Place[]): Template {
  return { name, samples: places.length, compared: space.template(places), place: mean(places) };
}

// Those of the ten classes: the mean of the training digits of each.
export function templates(space: Space, known: Float32Array, labels: Uint8Array): Template[] {
  const groups: Place[][] = Array.from({ length: 10 }, () => []);
  labels.forEach((k, i) => groups[k].push(placeAt(known, i)));
  return groups.map((places, k) => template(space, `${k}`, places));
}

// The distances of test digits to templates of the ten classes: genuine to their own, impostor to all others, rising.
export class Scores {
  genuine: Float64Array;
  impostor: Float64Array;
  defaultThreshold: number; // the threshold at which impostors are accepted as often as a lock should

  constructor(space: Space, points: Float32Array, labels: Uint8Array, templates: Template[]) {
    const [genuine, impostor]: number[][] = [[], []];
    labels.forEach((label, i) => {
      const [x, y] = space.compared(placeAt(points, i));
      templates.forEach((t, k) => (k === label ? genuine : impostor).push(Math.hypot(x - t.compared[0], y - t.compared[1])));
    });
    [this.genuine, this.impostor] = [genuine, impostor].map((all) => Float64Array.from(all).sort());
    this.defaultThreshold = this.impostor[Math.floor(this.impostor.length * RUN_AT)];
  }

  // What a slider for the threshold ends at.
  get sliderMax() {
    return this.impostor[Math.floor(this.impostor.length * 0.98)];
  }

  ratesAt(threshold: number) {
    return { fmr: shareAccepted(this.impostor, threshold), fnmr: 1 - shareAccepted(this.genuine, threshold) };
  }
}

export interface Pair {
  digits: [number, number];
  distance: number;
}

// The pairs of digits that a space tells worst: of two classes and nearest, of one class and farthest. Each digit once.
export async function worst(
  space: Space,
  labels: Uint8Array,
  count: number,
): Promise<Record<"alike" | "torn", Pair[]>> {
  const compared = Array.from({ length: space.n }, (_, i) => space.compared(space.place(i)));
  const far = (i: number, j: number) => Math.hypot(compared[i][0] - compared[j][0], compared[i][1] - compared[j][1]);
  const alike: Pair[] = [];
  const torn: Pair[] = [];
  for (let i = 0; i < space.n; i++) {
    if (i % PART === 0) await letInputIn();
    let [near, least, away, most] = [-1, Number.POSITIVE_INFINITY, -1, -1];
    for (let j = 0; j < space.n; j++) {
      if (i === j) continue;
      const d = far(i, j);
      if (labels[i] !== labels[j] && d < least) [near, least] = [j, d];
      if (labels[i] === labels[j] && d > most) [away, most] = [j, d];
    }
    if (near >= 0) alike.push({ digits: [i, near], distance: least });
    if (away >= 0) torn.push({ digits: [i, away], distance: most });
  }
  const once = (pairs: Pair[], sign: number) => {
    const used = new Set<number>();
    return pairs
      .sort((a, b) => sign * (a.distance - b.distance))
      .filter(({ digits }) => !digits.some((d) => used.has(d)) && digits.forEach((d) => used.add(d)) === undefined)
      .slice(0, count);
  };
  return { alike: once(alike, 1), torn: once(torn, -1) };
}

// How many of the 15 nearest of each digit are of its class.
async function ownNeighbours(space: Space, labels: Uint8Array): Promise<number[]> {
  const nearest = nearestByGrid(space);
  const found: number[] = [];
  for (let i = 0; i < space.n; i++) {
    if (i % PART === 0) await letInputIn();
    found.push(nearest(i).filter((j) => labels[j] === labels[i]).length);
  }
  return found;
}

// The nearest digits of each, by a grid: places that are compared are brought into cells of a few digits each.
function nearestByGrid(space: Space): (i: number) => number[] {
  const compared = Array.from({ length: space.n }, (_, i) => space.compared(space.place(i)));
  const reach = compared.map(([x, y]) => Math.max(Math.abs(x), Math.abs(y))).sort((a, b) => a - b);
  const cell = (reach[Math.floor(reach.length * 0.98)] || 1) / 24;
  const cells = new Map<string, number[]>();
  const key = (x: number, y: number) => `${x},${y}`;
  const where = compared.map(([x, y]) => [Math.floor(x / cell), Math.floor(y / cell)]);
  where.forEach(([x, y], i) => cells.set(key(x, y), [...(cells.get(key(x, y)) ?? []), i]));
  return (i) => {
    const [x, y] = compared[i];
    for (let ring = 1; ; ring *= 2) {
      const found: number[] = [];
      for (let dx = -ring; dx <= ring; dx++)
        for (let dy = -ring; dy <= ring; dy++)
          found.push(...(cells.get(key(where[i][0] + dx, where[i][1] + dy)) ?? []));
      const far = (j: number) => Math.hypot(compared[j][0] - x, compared[j][1] - y);
      const sure = found.filter((j) => j !== i && far(j) <= ring * cell); // nothing nearer lies outside
      if (sure.length < NEIGHBOURS && ring < 4096) continue;
      const all = sure.length >= NEIGHBOURS ? sure : [...compared.keys()].filter((j) => j !== i);
      return all.sort((a, b) => far(a) - far(b)).slice(0, NEIGHBOURS);
    }
  };
}

// The digits that have lost neighbours of their class, or won some, from one space to another.
export async function moved(from: Space, to: Space, labels: Uint8Array): Promise<Record<"lost" | "won", number[]>> {
  const [before, after] = [await ownNeighbours(from, labels), await ownNeighbours(to, labels)];
  const all = [...before.keys()];
  return {
    lost: all.filter((i) => before[i] - after[i] >= MOVED),
    won: all.filter((i) => after[i] - before[i] >= MOVED),
  };
}
