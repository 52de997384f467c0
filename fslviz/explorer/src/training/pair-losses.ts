// The losses that compare pairs of places, with their gradients.
import { add, type Batch, type Gradients, type LossSettings } from "./loss-types";

// Hadsell, Chopra and LeCun 2006, equation 4: d^2/2 for a pair of one class, max(0, m - d)^2/2 for one of two. Either
// kind is averaged, and counts as much as the other.
export function contrastive({ z, y }: Batch, { margin: m }: LossSettings): Gradients {
  const b = y.length;
  const gradient = new Float32Array(2 * b);
  const counts = [0, 0]; // pairs of two classes, of one
  for (let i = 0; i < b; i++) for (let j = 0; j < i; j++) counts[+(y[i] === y[j])]++;
  const kinds = Math.max(1, counts.filter((n) => n).length);
  let value = 0;
  for (let i = 0; i < b; i++)
    for (let j = 0; j < i; j++) {
      const [dx, dy] = [z[2 * i] - z[2 * j], z[2 * i + 1] - z[2 * j + 1]];
      const d = Math.hypot(dx, dy);
      const sameClass = y[i] === y[j];
      const weight = 1 / counts[+sameClass] / kinds;
      if (sameClass) value += (weight * d ** 2) / 2;
      else if (d < m) value += (weight * (m - d) ** 2) / 2;
      const slope = sameClass ? weight : d < m && d > 0 ? (-weight * (m - d)) / d : 0; // by d, over d
      add(gradient, i, slope * dx, slope * dy);
      add(gradient, j, -slope * dx, -slope * dy);
    }
  return { value, z: gradient };
}

// Schroff, Kalenichenko and Philbin 2015, equation 3: max(0, d_ap - d_an + alpha), squared distances, averaged over the
// triplets that mining takes. Where a triplet costs, its hinge is linear: it is enough to count, for each pair, the
// triplets that cost in which it is the positive one, less those in which it is the negative one.
export function triplet({ z, y }: Batch, { margin, mining }: LossSettings, random: () => number): Gradients {
  const b = y.length;
  const mine = MINES[mining];
  if (!mine) throw new Error(`no mining ${mining}`);
  const gradient = new Float64Array(2 * b);
  let [value, taken] = [0, 0];
  const d = new Float64Array(b); // of each place to the anchor
  const counts = new Float64Array(b);
  const take = (p: number, n: number) => {
    taken++;
    const over = d[p] - d[n] + margin;
    if (over <= 0) return;
    value += over;
    counts[p]++;
    counts[n]--;
  };
  for (let a = 0; a < b; a++) {
    const [positives, negatives]: number[][] = [[], []];
    for (let i = 0; i < b; i++) {
      d[i] = (z[2 * i] - z[2 * a]) ** 2 + (z[2 * i + 1] - z[2 * a + 1]) ** 2;
      if (i !== a) (y[i] === y[a] ? positives : negatives).push(i);
    }
    if (!negatives.length || !positives.length) continue;
    mine({ d, positives, negatives, random }, take);
    for (let i = 0; i < b; i++) {
      if (!counts[i]) continue;
      for (let j = 0; j < 2; j++) {
        const slope = 2 * counts[i] * (z[2 * i + j] - z[2 * a + j]);
        gradient[2 * i + j] += slope;
        gradient[2 * a + j] -= slope;
      }
      counts[i] = 0;
    }
  }
  const count = Math.max(1, taken);
  return { value: value / count, z: Float32Array.from(gradient, (g) => g / count) };
}

// Which triplets of an anchor are taken, as Triplet in losses.py has it. `d`: squared distances to the anchor.
interface Candidates {
  d: Float64Array;
  positives: number[];
  negatives: number[];
  random: () => number;
}
type Take = (positive: number, negative: number) => void;

const farthest = (d: Float64Array, of: number[]) => of.reduce((far, i) => (d[i] > d[far] ? i : far));
const nearest = (d: Float64Array, of: number[]) => of.reduce((near, i) => (d[i] < d[near] ? i : near));

const MINES: Record<string, (of: Candidates, take: Take) => void> = {
  all: ({ positives, negatives }, take) => {
    for (const p of positives) for (const n of negatives) take(p, n);
  },
  random: ({ positives, negatives, random }, take) => {
    for (const p of positives) take(p, negatives[Math.floor(random() * negatives.length)]);
  },
  semihard: ({ d, positives, negatives }, take) => {
    for (const p of positives) {
      const farther = negatives.filter((n) => d[n] > d[p]);
      take(p, farther.length ? nearest(d, farther) : farthest(d, negatives));
    }
  },
  hard: ({ d, positives, negatives }, take) => take(farthest(d, positives), nearest(d, negatives)),
};
