// What the lab tells of its settings.
import { lossEntry } from "../catalogue";
import { formatCount } from "../common/format";
import type { LabSettings } from "../state/state";
import { BATCH, RAMP_BATCHES, WARMUP_BATCHES } from "../training/schedule";

const MOST_TOLD = 4; // classes that have moved, one by one

// What a training began from: that can't be changed while it goes on.
export const origin = ({ seed, from }: LabSettings) =>
  `${from === "trained" ? "a trained network" : "random weights"}, seed ${seed}`;

// What the controls show that the training does not have, in a line, or "". `begun`: what it began from; `share`: of margin
// and scale that is in force.
export function notYetInForce(settings: LabSettings, begun: string, share: number): string {
  const lines: string[] = [];
  if (begun && begun !== origin(settings))
    lines.push(`This training started from ${begun}. Begin again to start from ${origin(settings)}.`);
  if (share < 1) {
    const { margin, scale } = lossEntry(settings.loss);
    const what = !margin ? "the scale comes" : scale === null ? "the margin comes" : "margin and scale come";
    const [first, last] = [
      WARMUP_BATCHES * BATCH,
      (scale === null ? WARMUP_BATCHES : WARMUP_BATCHES + RAMP_BATCHES) * BATCH,
    ];
    const since = scale === null ? "" : ` after ${formatCount(first)} images`;
    const all = `full after ${formatCount(last)}`;
    lines.push(`From random weights, ${what} in slowly${since}, ${all}: ${Math.floor(100 * share)}% now.`);
  }
  return lines.join(" ");
}

// Which classes have another's place on the circle, or among the class weights: "Now 4 in the place of 9, 9 in the place of 4."
export function movedText(seats: number[]): string {
  const moved = seats.flatMap((seat, c) => (seat === c ? [] : [`${c} in the place of ${seat}`]));
  if (moved.length > MOST_TOLD) return `Now ${moved.length} classes are in the place of others.`;
  return moved.length ? `Now ${moved.join(", ")}.` : "";
}

// The line that trains the like in Python, with the book's own network.
export function pythonLine({ loss, margin, scale, mining, leftOut, seed }: LabSettings): string {
  const kept = [...Array(10).keys()].filter((k) => !leftOut.includes(k));
  const digits = leftOut.length ? `fslviz.load().classes(${kept.join(", ")})` : "fslviz.load()";
  const entry = lossEntry(loss);
  const options = [
    entry.margin ? `, margin=${margin}` : "",
    entry.scale === null ? "" : `, scale=${scale}`,
    entry.mining.length ? `, mining="${mining}"` : "",
  ].join("");
  return `fslviz.train("${loss}", ${digits}, seed=${seed}${options})`;
}
