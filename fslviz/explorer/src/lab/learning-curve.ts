// The loss and 15-NN over the images seen.
import { formatCount } from "../common/format";
import type { Point } from "./history";

export function learningCurve(points: Point[]): string {
  if (points.length < 2) return "";
  const losses = points.map(({ loss }) => loss);
  const most = Math.max(...losses) || 1;
  const [first, last] = [points[0].images, points[points.length - 1].images];
  const line = (values: number[], top: number) =>
    values.map((v, i) => `${points[i].images - first},${(1 - v / top).toFixed(3)}`).join(" ");
  const rights = points.map(({ accuracy }) => accuracy);
  const seen = formatCount(last);
  const said = `the loss, from 0 to ${most.toPrecision(2)}, and 15-NN, from 0 to 100%, over ${seen} images seen`;
  return `<svg viewBox="0 0 ${last - first} 1" preserveAspectRatio="none" role="img" aria-label="${said}">
    <polyline class="fx-eer" points="${line(losses, most)}"/><polyline class="fx-nn" points="${line(rights, 1)}"/></svg>
    <div class="fx-key"><span class="fx-eer">loss</span><span class="fx-nn">15-NN</span></div>`;
}
