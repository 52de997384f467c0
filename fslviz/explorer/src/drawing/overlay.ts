// What lies over the dots: the names of the classes, what is pointed at or held and what it is linked to, a lasso.
import { hex } from "../common/colour";
import { context2d } from "../common/elements";
import type { Place } from "../common/geometry";
import type { Scene, Sheet } from "./scene";

export function paintOverlay(sheet: Sheet, { path, links, arrows, rings, lasso, ink, paper }: Scene) {
  const { side, under, dots, over, colours } = sheet;
  const [ctx, ratio] = [context2d(over), devicePixelRatio];
  const pixels = (line: Place[]) => line.map((p) => sheet.toPixel(p));
  ctx.clearRect(0, 0, side, side);
  if (paper) for (const layer of [under, dots]) ctx.drawImage(layer, 0, 0); // Chromium prints it opaque
  ctx.font = `600 ${11 * ratio}px system-ui, sans-serif`;
  Object.assign(ctx, { textAlign: "center", textBaseline: "middle", lineJoin: "round" });
  const badges = classCentres(sheet).map((centre) => centre && sheet.toPixel(centre));
  pushApart(
    badges.filter((badge) => badge !== null),
    19 * ratio,
  );
  badges.forEach((pixel, label) => {
    if (!pixel) return;
    ring(ctx, pixel, 8.5 * ratio, hex(colours[label]), 1.5 * ratio, "#fffffff0");
    ctx.fillStyle = "#222";
    ctx.fillText(`${label}`, pixel[0], pixel[1] + ratio / 2);
  });
  Object.assign(ctx, { strokeStyle: ink, lineWidth: ratio });
  for (const line of links) {
    stroke(ctx, pixels(line));
    ring(ctx, sheet.toPixel(line[1]), 4 * ratio, ink, 1.5 * ratio);
  }
  for (const line of arrows) arrow(ctx, pixels(line), 4 * ratio);
  if (path.length) {
    ctx.lineWidth = 2.5 * ratio;
    stroke(ctx, pixels(path));
  }
  for (const { place, fill, text } of rings) {
    const pixel = sheet.toPixel(place);
    ring(ctx, pixel, (text ? 9 : 7) * ratio, ink, (text ? 2 : 3) * ratio, fill);
    ctx.fillStyle = "#222";
    if (text) ctx.fillText(text, pixel[0], pixel[1] + ratio / 2);
  }
  if (!lasso) return;
  ctx.lineWidth = 1.5 * ratio;
  ctx.setLineDash([4 * ratio, 3 * ratio]);
  stroke(
    ctx,
    lasso.map(([x, y]) => [x * side, y * side]),
  );
  ctx.setLineDash([]);
}

// The mean place of each class (null where it has none).
export function classCentres({
  space,
  labels,
  colours,
}: Pick<Sheet, "space" | "labels" | "colours">): (Place | null)[] {
  const [places, sums] = [space.places(), colours.map(() => [0, 0, 0])];
  for (let i = 0; i < space.n; i++) {
    const sum = sums[labels[i]];
    sum[0] += places[2 * i];
    sum[1] += places[2 * i + 1];
    sum[2]++;
  }
  return sums.map(([x, y, count]) => (count ? [x / count, y / count] : null));
}

// Moves spots until they lie at least so far apart: a name on another can't be read.
function pushApart(spots: Place[], gap: number) {
  for (let round = 0; round < 20; round++)
    spots.forEach((a, i) => {
      for (const b of spots.slice(i + 1)) {
        const [x, y] = [b[0] - a[0], b[1] - a[1]];
        const [far, move] = [Math.hypot(x, y), (gap - Math.hypot(x, y)) / 2];
        if (move <= 0) continue;
        const [dx, dy] = far ? [(x / far) * move, (y / far) * move] : [0, move];
        Object.assign(a, [a[0] - dx, a[1] - dy]);
        Object.assign(b, [b[0] + dx, b[1] + dy]);
      }
    });
}

function ring(
  ctx: CanvasRenderingContext2D,
  [x, y]: Place,
  radius: number,
  colour: string,
  width: number,
  fill?: string,
) {
  ctx.save();
  ctx.beginPath();
  ctx.arc(x, y, radius, 0, 7);
  Object.assign(ctx, { fillStyle: fill ?? "transparent", strokeStyle: colour, lineWidth: width });
  ctx.fill();
  ctx.stroke();
  ctx.restore();
}

function stroke(ctx: CanvasRenderingContext2D, line: Place[]) {
  ctx.beginPath();
  for (const p of line) ctx.lineTo(...p);
  ctx.stroke();
}

function arrow(ctx: CanvasRenderingContext2D, [from, to]: Place[], head: number) {
  const angle = Math.atan2(to[1] - from[1], to[0] - from[0]);
  stroke(ctx, [from, to]);
  if (Math.hypot(to[0] - from[0], to[1] - from[1]) < head) return;
  const barb = (off: number): Place => [to[0] - head * Math.cos(angle + off), to[1] - head * Math.sin(angle + off)];
  stroke(ctx, [barb(0.5), to, barb(-0.5)]);
}
