// What is said of a drawing: accepted or rejected, and how far it is from each template.
import { bdi, el } from "../common/elements";
import { formatDistance } from "../common/format";
import { tNodes } from "../common/texts";
import { accepts } from "../common/threshold";

export interface NamedDistance {
  name: string;
  distance: number;
}

// The verdict on distances to templates, nearest first: of one claim, or of all who are enrolled.
export function verdict(distances: NamedDistance[], threshold: number, claim: string): (Node | string)[] {
  const accepted = distances.filter(({ distance }) => accepts(threshold, distance)).map(({ name }) => bdi(name));
  const [nearest] = distances;
  if (claim) {
    const told = [bdi(claim), formatDistance(nearest.distance)];
    return accepted.length
      ? tNodes("Claims to be {0}: accepted, within the threshold, at {1}.", ...told)
      : tNodes("Claims to be {0}: rejected, beyond the threshold, at {1}.", ...told);
  }
  if (!accepted.length) return tNodes("Rejected: the nearest, {0}, is beyond the threshold.", bdi(nearest.name));
  const any = accepted.reduce((one, other) => el("span", {}, ...tNodes("{0} or {1}", one, other)));
  return tNodes("Accepted as {0}: within the threshold.", any);
}

// A row of the list: a bar as long as the distance, and where the threshold stands. `end`: the distance of a whole bar.
export function distanceRow({ name, distance }: NamedDistance, threshold: number, end: number) {
  const share = (v: number) => `${Math.min(100, (100 * v) / end)}%`;
  const bar = el(accepts(threshold, distance) ? "span.in" : "span.out", { style: `width:${share(distance)}` });
  const limit = el("span.limit", { style: `left:${share(threshold)}` });
  const label = el("span.name", { title: name }, name);
  const track = el("span.track", {}, bar, limit);
  return el("div.row", { role: "listitem" }, label, track, el("span.figures", {}, formatDistance(distance)));
}
