// The loss and 15-NN over the images seen.
import { el, graph } from "../common/elements";
import { formatCount } from "../common/format";
import { t } from "../common/texts";
import type { Point } from "./history";

export function learningCurve(points: Point[]): Element[] {
  if (points.length < 2) return [];
  const losses = points.map(({ loss }) => loss);
  const most = Math.max(...losses) || 1;
  const [first, last] = [points[0].images, points[points.length - 1].images];
  const line = (values: number[], top: number) =>
    values.map((v, i) => `${points[i].images - first},${(1 - v / top).toFixed(3)}`).join(" ");
  const rights = points.map(({ accuracy }) => accuracy);
  const said = t(
    "the loss, from 0 to {0}, and 15-NN, from 0 to 100%, over {1} images seen",
    most.toPrecision(2),
    formatCount(last),
  );
  const lines = `<polyline class="fx-eer" points="${line(losses, most)}"/>
    <polyline class="fx-nn" points="${line(rights, 1)}"/>`;
  const key = el("div.key", {}, el("span.eer", {}, t("loss")), el("span.nn", {}, t("15-NN")));
  return [graph([last - first, 1], lines, said), key];
}
