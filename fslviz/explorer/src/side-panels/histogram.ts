// Histograms of genuine and impostor distances, with the threshold.
import { formatDistance } from "../common/format";

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
  const said = `distances of test digits to the templates, up to ${formatDistance(top)}: genuine and impostor`;
  return `<svg viewBox="0 0 ${width} ${height}" preserveAspectRatio="none" role="img" aria-label="${said}">
    <path class="fx-genuine" d="${path(genuine)}"/><path class="fx-impostor" d="${path(impostor)}"/>
    <line class="fx-cut" x1="${x}" x2="${x}" y1="0" y2="${height}"/></svg>
    <div class="fx-key"><span class="fx-genuine">genuine</span><span class="fx-impostor">impostor</span></div>`;
}
