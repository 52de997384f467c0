// What a space says of two digits: their distance, the verdict on it, and what the loss or its margin makes of it.
import { baseLoss, LAMBDA } from "../catalogue";
import { formatCount, formatDistance } from "../common/format";
import { apart, type Place } from "../common/geometry";
import { t } from "../common/texts";
import { accepts } from "../common/threshold";
import { TARGETS } from "../training/targets";
import type { Space } from "./space";

export function pairText(space: Space, labels: Uint8Array, [i, j]: number[], limit: number): string {
  const d = space.distance(space.place(i), space.place(j));
  const verdict = verdictText([labels[i], labels[j]], d, limit, space.entry.cosine);
  return `${verdict}\n${lossText(space, labels, [i, j], d)}`;
}

function verdictText([a, b]: number[], d: number, limit: number, angular: boolean): string {
  const accepted = accepts(limit, d);
  const [far, at] = [d, limit].map(formatDistance);
  if (angular) {
    const angle = degrees(2 * Math.asin(Math.min(1, d / 2)));
    return accepted
      ? t("a {0} and a {1}, {2} apart ({3}): accepted at {4}", a, b, far, angle, at)
      : t("a {0} and a {1}, {2} apart ({3}): rejected at {4}", a, b, far, angle, at);
  }
  return accepted
    ? t("a {0} and a {1}, {2} apart: accepted at {3}", a, b, far, at)
    : t("a {0} and a {1}, {2} apart: rejected at {3}", a, b, far, at);
}

const degrees = (radians: number) => `${((radians * 180) / Math.PI).toFixed(0)}°`;

function lossText(space: Space, labels: Uint8Array, [i, j]: number[], d: number): string {
  const { margin, loss } = space.entry;
  const kind = baseLoss(loss);
  const sameClass = labels[i] === labels[j];
  const m = margin!; // null only where the loss has none, and nothing below asks for it
  if (kind === "contrastive") {
    if (sameClass) return t("pulled together: ½ d² = {0}", formatDistance(d ** 2 / 2));
    return d < m
      ? t("pushed apart: ½ ({0} − d)² = {1}", m, formatDistance((m - d) ** 2 / 2))
      : t("beyond the margin {0}: costs nothing", m);
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
  const counts = [active, all].map(formatCount);
  return sameClass
    ? t("costs something with {0} of {1} negatives", ...counts)
    : t("costs something with {0} of {1} positives", ...counts);
}

// Whether a digit of a class keeps the margin to every other class.
function classText({ entry }: Space, label: number, place: Place, kind: string, m: number): string {
  const own = entry.classes ? entry.classes.indexOf(label) : label;
  if (own < 0) return t("the {0}: a class that it has not met", label);
  const length = apart(place, [0, 0]) || 1e-12;
  const logit = (w: Place, c: number) =>
    entry.cosine
      ? (w[0] * place[0] + w[1] * place[1]) / length / apart(w, [0, 0])
      : w[0] * place[0] + w[1] * place[1] + entry.bias[c];
  const logits = entry.weight!.map(logit);
  const most = Math.max(...logits.filter((_, c) => c !== own));
  if (!entry.cosine) {
    const sum = logits.reduce((s, v) => s + Math.exp(v - Math.max(...logits)), 0);
    return t("the {0}: probability {1}", label, (Math.exp(logits[own] - Math.max(...logits)) / sum).toFixed(2));
  }
  const [value] = TARGETS[kind](Math.min(1, Math.max(-1, logits[own])), m, LAMBDA.last);
  const compared = `${FORMULAS[kind](m)} = ${value.toFixed(2)} ${value >= most ? "≥" : "<"} ${most.toFixed(2)}`;
  return t("the {0}: {1} of the next class", label, compared);
}

// What stands in for the cosine of the true class, where a training ends.
const FORMULAS: Record<string, (m: number) => string> = {
  normface: () => "cos θ",
  sphereface: () => `(${LAMBDA.last} cos θ + ψ(θ)) / ${LAMBDA.last + 1}`,
  cosface: (m) => `cos θ − ${m}`,
  arcface: (m) => `cos(θ + ${m})`,
};
