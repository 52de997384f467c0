// A strip of images: a digit or a drawing, then its neighbours.
import type { Rgb } from "../common/colour";
import { context2d, el } from "../common/elements";
import { t } from "../common/texts";

const CELLS = 6;
const CELL = 30; // pixels: an image of 28, and room around it
const none = () => t("no digit chosen");
const hint = () =>
  matchMedia("(pointer: coarse)").matches ? t("tap a digit; two fingers zoom") : t("point at a digit");

export class Thumbnails {
  private canvas = el("canvas.strip", { role: "img", ariaLabel: none() });
  private hint = el("span.hint", { ariaHidden: "true" }, hint());
  private asked = "";
  said = ""; // of what is shown, "" where there is nothing
  readonly root = el("div.film", {}, this.canvas, this.hint);

  // `images`: asked for only where they are not shown already. `name`: what they are. `said`: "" for none.
  async show(name: string, said: string, ink: Rgb, images: () => Promise<Float32Array[]>) {
    const asked = `${name} ${ink}`;
    if (this.asked === asked) return;
    this.asked = asked;
    this.said = said;
    this.canvas.setAttribute("aria-label", said || none());
    try {
      const shown = said ? await images() : [];
      if (this.asked !== asked) return;
      this.draw(shown, ink);
      this.hint.textContent = said ? "" : hint();
    } catch (error) {
      if (this.asked === asked) this.showProblem((error as Error).message);
    }
  }

  // What cannot be shown, in one line.
  showProblem(problem: string) {
    this.asked = problem;
    this.draw([], [0, 0, 0]);
    this.hint.textContent = problem;
  }

  private draw(images: Float32Array[], ink: Rgb) {
    [this.canvas.width, this.canvas.height] = [CELLS * CELL, CELL];
    const ctx = context2d(this.canvas);
    images.forEach((image, n) => paintImage(ctx, image, n * CELL + 1, 1, ink));
    ctx.strokeStyle = `rgb(${ink})`;
    if (images.length) ctx.strokeRect(0.5, 0.5, CELL - 1, CELL - 1);
  }
}

// An image of 784 greys in the ink of the page.
export function paintImage(ctx: CanvasRenderingContext2D, image: Float32Array, x: number, y: number, [r, g, b]: Rgb) {
  const pixels = new ImageData(28, 28);
  for (let i = 0; i < 784; i++) pixels.data.set([r, g, b, 255 * image[i]], 4 * i);
  ctx.putImageData(pixels, x, y);
}
