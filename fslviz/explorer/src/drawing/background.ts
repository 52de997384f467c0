// What lies under the dots: the wedges of the classes, and the regions that a threshold accepts.
import { hex } from "../common/colour";
import { context2d } from "../common/elements";
import { cut, type Place } from "../common/geometry";
import type { Scene, Sheet } from "./scene";

// The region of each class, where its logit w.x + b is the largest, and the regions that a threshold accepts.
export function paintBackground(sheet: Sheet, areas: Scene["areas"]) {
  const { side, space, colours } = sheet;
  const { entry, moment, progress, n } = space;
  const ctx = context2d(sheet.under);
  ctx.clearRect(0, 0, side, side);
  if (!n) return;
  const corners = [0, 1, 2, 3].map((i) => sheet.toPlace([i === 1 || i === 2 ? side : 0, i > 1 ? side : 0]));
  const { weight, bias, classes } = entry;
  weight?.forEach((w, c) => {
    if (moment < 1) return;
    let region = corners;
    weight.forEach((v, other) => {
      const over = ([x, y]: Place) => (w[0] - v[0]) * x + (w[1] - v[1]) * y + bias[c] - bias[other];
      if (other !== c) region = cut(region, over);
    });
    ctx.beginPath();
    for (const p of region) ctx.lineTo(...sheet.toPixel(p));
    ctx.globalAlpha = 0.13 * progress;
    ctx.fillStyle = hex(colours[classes ? classes[c] : c]);
    ctx.fill();
  });
  for (const area of areas) paintArea(sheet, ctx, area);
}

// A disc around a template, or where angles count a sector: all that is at most `reach` from it.
function paintArea(
  sheet: Sheet,
  ctx: CanvasRenderingContext2D,
  { place, compared, reach, colour }: Scene["areas"][number],
) {
  const ratio = devicePixelRatio;
  ctx.beginPath();
  if (sheet.space.entry.cosine) {
    const [middle, half] = [Math.atan2(-compared[1], compared[0]), 2 * Math.asin(Math.min(1, reach / 2))];
    const origin = sheet.toPixel([0, 0]);
    ctx.moveTo(...origin);
    ctx.arc(...origin, sheet.side * 2 + 3 * sheet.unit, middle - half, middle + half);
    ctx.closePath();
  } else ctx.arc(...sheet.toPixel(place), (reach / sheet.space.entry.radius) * sheet.unit, 0, 7);
  Object.assign(ctx, { globalAlpha: 0.22, fillStyle: colour, strokeStyle: colour, lineWidth: 1.5 * ratio });
  ctx.fill();
  ctx.globalAlpha = 1;
  ctx.stroke();
}
