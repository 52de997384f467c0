// What a space says of two digits: their distance, the verdict on it, and what the loss or its margin makes of it.
import { baseLoss, LAMBDA } from "../catalogue";
import { formatCount, formatDistance } from "../common/format";
import { apart, type Place } from "../common/geometry";
import { accepts } from "../common/threshold";
import { TARGETS } from "../training/targets";
import type { Space } from "./space";

export function pairText(space: Space, labels: Uint8Array, [i, j]: number[], limit: number): string {
  const d = space.distance(space.place(i), space.place(j));
  const verdict = accepts(limit, d) ? "accepted" : "rejected";
  const angle = space.entry.cosine ? ` (${degrees(2 * Math.asin(Math.min(1, d / 2)))})` : "";
  const pair = `a ${labels[i]} and a ${labels[j]}, ${formatDistance(d)} apart${angle}`;
  return `${pair}: ${verdict} at ${formatDistance(limit)}\n${lossText(space, labels, [i, j], d)}`;
}

const degrees = (radians: number) => `${((radians * 180) / Math.PI).toFixed(0)}°`;

function lossText(space: Space, labels: Uint8Array, [i, j]: number[], d: number): string {
  const { margin, loss } = space.entry;
  const kind = baseLoss(loss);
  const sameClass = labels[i] === labels[j];
  const m = margin!; // null only where the loss has none, and nothing below asks for it
  if (kind === "contrastive") {
    if (sameClass) return `pulled together: ½ d² = ${formatDistance(d ** 2 / 2)}`;
    return d < m
      ? `pushed apart: ½ (${m} − d)² = ${formatDistance((m - d) ** 2 / 2)}`
      : `beyond the margin ${m}: costs nothing`;
  }
  if (kind === "triplet") return tripletText(space, labels, [i, j], d, m);
  return [i, j].map((digit) => classText(space, labels[digit], space.place(digit), kind, m)).join("\n");
}

// In how many triplets of the digits shown the pair costs something: as anchor and positive, or anchor and negative.
function tripletText(space: Space, labels: Uint8Array, [i, j]: number[], d: number, m: number): string {
  const sameClass = labels[i] === labels[j];
  let [active, all] = [0, 0];
  for (let k = 0; k < space.n; k++) {
    if (k === i || (labels[k] === labels[i]) === sameClass) continue;
    const other = space.distance(space.place(i), space.place(k));
    all++;
    if ((sameClass ? d ** 2 - other ** 2 : other ** 2 - d ** 2) + m > 0) active++;
  }
  const third = sameClass ? "negatives" : "positives";
  return `costs something with ${formatCount(active)} of ${formatCount(all)} ${third}`;
}

// Whether a digit of a class keeps the margin to every other class.
function classText({ entry }: Space, label: number, place: Place, kind: string, m: number): string {
  const own = entry.classes ? entry.classes.indexOf(label) : label;
  if (own < 0) return `the ${label}: a class that it has not met`;
  const length = apart(place, [0, 0]) || 1e-12;
  const logit = (w: Place, c: number) =>
    entry.cosine
      ? (w[0] * place[0] + w[1] * place[1]) / length / apart(w, [0, 0])
      : w[0] * place[0] + w[1] * place[1] + entry.bias[c];
  const logits = entry.weight!.map(logit);
  const most = Math.max(...logits.filter((_, c) => c !== own));
  if (!entry.cosine) {
    const sum = logits.reduce((s, v) => s + Math.exp(v - Math.max(...logits)), 0);
    return `the ${label}: probability ${(Math.exp(logits[own] - Math.max(...logits)) / sum).toFixed(2)}`;
  }
  const [value] = TARGETS[kind](Math.min(1, Math.max(-1, logits[own])), m, LAMBDA.last);
  return `the ${label}: ${FORMULAS[kind](m)} = ${value.toFixed(2)} ${value >= most ? "≥" : "<"} ${most.toFixed(2)} of the next class`;
}

// What stands in for the cosine of the true class, where a training ends.
const FORMULAS: Record<string, (m: number) => string> = {
  normface: () => "cos θ",
  sphereface: () => `(${LAMBDA.last} cos θ + ψ(θ)) / ${LAMBDA.last + 1}`,
  cosface: (m) => `cos θ − ${m}`,
  arcface: (m) => `cos(θ + ${m})`,
};
