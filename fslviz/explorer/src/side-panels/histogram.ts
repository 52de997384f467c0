// Histograms of genuine and impostor distances, with the threshold.
import { el, graph } from "../common/elements";
import { formatDistance } from "../common/format";
import { t } from "../common/texts";

export function histogram(genuine: ArrayLike<number>, impostor: ArrayLike<number>, top: number, threshold: number) {
  const [bins, width, height] = [60, 300, 70];
  const path = (values: ArrayLike<number>) => {
    const counts = new Array(bins).fill(0);
    for (let i = 0; i < values.length && values[i] < top; i++) counts[Math.floor((values[i] / top) * bins)]++;
    const peak = Math.max(...counts, 1);
    const steps = counts.map((n, i) => `L${(i * width) / bins},${height - ((height - 4) * n) / peak} h${width / bins}`);
    return `M0,${height} ${steps.join(" ")} L${width},${height}Z`;
  };
  const x = Math.min(width, (threshold / top) * width) || 0;
  const lines = `<path class="fx-genuine" d="${path(genuine)}"/><path class="fx-impostor" d="${path(impostor)}"/>
    <line class="fx-cut" x1="${x}" x2="${x}" y1="0" y2="${height}"/>`;
  const said = t("distances of test digits to the templates, up to {0}: genuine and impostor", formatDistance(top));
  const key = el("div.key", {}, el("span.genuine", {}, t("genuine")), el("span.impostor", {}, t("impostor")));
  return [graph([width, height], lines, said), key];
}
