// Squares in a file, side by side under their names.
import { context2d, el } from "../common/elements";

export function savePicture(
  squares: HTMLCanvasElement[],
  names: string[],
  { ground, css }: { ground: string; css: string },
) {
  const [side, head] = [Math.max(...squares.map((s) => s.width)), 24 * devicePixelRatio];
  const sheet = el("canvas", { width: side * squares.length, height: side + head });
  const ctx = context2d(sheet);
  ctx.fillStyle = ground;
  ctx.fillRect(0, 0, sheet.width, sheet.height);
  Object.assign(ctx, { fillStyle: css, font: `${head * 0.6}px system-ui, sans-serif`, textBaseline: "middle" });
  squares.forEach((square, i) => {
    ctx.fillText(names[i], side * i + head / 3, head / 2);
    if (square.width) ctx.drawImage(square, side * i, head, side, side);
  });
  el("a", { href: sheet.toDataURL(), download: "spaces.png" }).click();
}
