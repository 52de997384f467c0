// What the lab tells of its settings.
import { lossEntry } from "../catalogue";
import { formatCount } from "../common/format";
import { listed, sentences, t } from "../common/texts";
import type { LabSettings } from "../state/state";
import { BATCH, RAMP_BATCHES, WARMUP_BATCHES } from "../training/schedule";

const MOST_TOLD = 4; // classes that have moved, one by one

// What a training began from: that can't be changed while it goes on.
export const origin = ({ seed, from }: LabSettings) =>
  from === "trained" ? t("a trained network, seed {0}", seed) : t("random weights, seed {0}", seed);

// What the controls show that the training does not have, in a line, or "". `begun`: what it began from; `share`: of margin
// and scale that is in force.
export function notYetInForce(settings: LabSettings, begun: string, share: number): string {
  const lines: string[] = [];
  if (begun && begun !== origin(settings))
    lines.push(t("This training started from {0}. Begin again to start from {1}.", begun, origin(settings)));
  if (share < 1) {
    const { margin, scale } = lossEntry(settings.loss);
    const [first, last] = [WARMUP_BATCHES, WARMUP_BATCHES + RAMP_BATCHES].map((n) => formatCount(n * BATCH));
    const now = Math.floor(100 * share);
    if (scale === null)
      lines.push(t("From random weights, the margin comes in slowly, full after {0}: {1}% now.", first, now));
    else if (!margin)
      lines.push(
        t(
          "From random weights, the scale comes in slowly after {0} images, full after {1}: {2}% now.",
          first,
          last,
          now,
        ),
      );
    else
      lines.push(
        t(
          "From random weights, margin and scale come in slowly after {0} images, full after {1}: {2}% now.",
          first,
          last,
          now,
        ),
      );
  }
  return sentences(lines);
}

// Which classes have another's place on the circle, or among the class weights: "Now 4 in the place of 9, 9 in the place of 4."
export function movedText(seats: number[]): string {
  const moved = seats.flatMap((seat, c) => (seat === c ? [] : [t("{0} in the place of {1}", c, seat)]));
  if (moved.length > MOST_TOLD) return t("Now {0} classes are in the place of others.", moved.length);
  return moved.length ? t("Now {0}.", listed(moved)) : "";
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
