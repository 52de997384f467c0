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
// triplets that mining takes.
export function triplet({ z, y }: Batch, { margin, mining }: LossSettings, random: () => number): Gradients {
  const b = y.length;
  const gradient = new Float64Array(2 * b);
  let [value, taken] = [0, 0];
  const d = new Float64Array(b); // of each place to the anchor
  const cost = (a: number, p: number, n: number) => {
    taken++;
    const over = d[p] - d[n] + margin;
    if (over <= 0) return;
    value += over;
    for (let j = 0; j < 2; j++) {
      const [za, zp, zn] = [z[2 * a + j], z[2 * p + j], z[2 * n + j]];
      gradient[2 * a + j] += 2 * (zn - zp);
      gradient[2 * p + j] += 2 * (zp - za);
      gradient[2 * n + j] += 2 * (za - zn);
    }
  };
  for (let a = 0; a < b; a++) {
    for (let i = 0; i < b; i++) d[i] = (z[2 * i] - z[2 * a]) ** 2 + (z[2 * i + 1] - z[2 * a + 1]) ** 2;
    const positives = [...y.keys()].filter((i) => i !== a && y[i] === y[a]);
    const negatives = [...y.keys()].filter((i) => y[i] !== y[a]).sort((i, j) => d[i] - d[j]);
    if (!negatives.length || !positives.length) continue;
    if (mining === "hard")
      cost(
        a,
        positives.reduce((p, i) => (d[i] > d[p] ? i : p)),
        negatives[0],
      );
    else
      for (const p of positives) {
        if (mining === "all") for (const n of negatives) cost(a, p, n);
        else if (mining === "random") cost(a, p, negatives[Math.floor(random() * negatives.length)]);
        else if (mining === "semihard")
          cost(a, p, negatives.find((n) => d[n] > d[p]) ?? negatives[negatives.length - 1]);
        else throw new Error(`no mining ${mining}`);
      }
  }
  const count = Math.max(1, taken);
  return { value: value / count, z: Float32Array.from(gradient, (g) => g / count) };
}
