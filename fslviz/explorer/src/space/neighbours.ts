// What neighbours tell of a space: its worst pairs, and which digits moved from one space to another.
import { letInputIn } from "../common/timing";
import type { Space } from "./space";

const NEIGHBOURS = 15;
const PART = 250; // digits that long work does at a time
const MOVED = 8; // of 15 neighbours: a digit that has lost or won so many of its class has moved

export interface Pair {
  digits: [number, number];
  distance: number;
}

// The pairs of digits that a space tells worst: of two classes and nearest, of one class and farthest. Each digit once.
export async function worst(
  space: Space,
  labels: Uint8Array,
  count: number,
): Promise<Record<"hardNegatives" | "hardPositives", Pair[]>> {
  const compared = Array.from({ length: space.n }, (_, i) => space.compared(space.place(i)));
  const far = (i: number, j: number) => Math.hypot(compared[i][0] - compared[j][0], compared[i][1] - compared[j][1]);
  const hardNegatives: Pair[] = [];
  const hardPositives: Pair[] = [];
  for (let i = 0; i < space.n; i++) {
    if (i % PART === 0) await letInputIn();
    let [near, least, away, most] = [-1, Number.POSITIVE_INFINITY, -1, -1];
    for (let j = 0; j < space.n; j++) {
      if (i === j) continue;
      const d = far(i, j);
      if (labels[i] !== labels[j] && d < least) [near, least] = [j, d];
      if (labels[i] === labels[j] && d > most) [away, most] = [j, d];
    }
    if (near >= 0) hardNegatives.push({ digits: [i, near], distance: least });
    if (away >= 0) hardPositives.push({ digits: [i, away], distance: most });
  }
  const once = (pairs: Pair[], sign: number) => {
    const used = new Set<number>();
    return pairs
      .sort((a, b) => sign * (a.distance - b.distance))
      .filter(({ digits }) => !digits.some((d) => used.has(d)) && digits.forEach((d) => used.add(d)) === undefined)
      .slice(0, count);
  };
  return { hardNegatives: once(hardNegatives, 1), hardPositives: once(hardPositives, -1) };
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
