// What is said of a drawing: accepted or rejected, and how far it is from each template.
import { distance, el } from "../common/elements";
import type { Place } from "../common/geometry";
import type { Template } from "../space/scores";
import type { Space } from "../space/space";

export interface NamedDistance {
  name: string;
  d: number;
}

// A name within another text: neither changes the direction of the other.
const bdi = (name: string) => el("bdi", {}, name);

// The verdict on distances to templates, nearest first: of one claim, or of all who are enrolled.
export function verdict(far: NamedDistance[], threshold: number, claim: string): (Node | string)[] {
  const accepted = far.filter(({ d }) => d <= threshold).map(({ name }) => name);
  const [nearest] = far;
  if (claim) {
    const verdict = accepted.length ? "accepted, within" : "rejected, beyond";
    return ["Claims to be ", bdi(claim), `: ${verdict} the threshold, at ${distance(nearest.d)}.`];
  }
  if (!accepted.length) return ["Rejected: the nearest, ", bdi(nearest.name), ", is beyond the threshold."];
  return [
    "Accepted as ",
    ...accepted.flatMap((name, i) => (i ? [" or ", bdi(name)] : [bdi(name)])),
    ": within the threshold.",
  ];
}

export function templateDistance(space: Space, place: Place, template: Template): number {
  const [x, y] = space.compared(place);
  return Math.hypot(x - template.compared[0], y - template.compared[1]);
}

export function distanceRow(name: string, d: number, threshold: number, top: number) {
  const end = (v: number) => `${Math.min(100, (100 * v) / top)}%`;
  const bar = el(d <= threshold ? "span.in" : "span.out", { style: `width:${end(d)}` });
  const limit = el("span.limit", { style: `left:${end(threshold)}` });
  const said = el("span.name", { title: name }, name);
  return el(
    "div.row",
    { role: "listitem" },
    said,
    el("span.track", {}, bar, limit),
    el("span.figures", {}, distance(d)),
  );
}
