// The pad to draw on, by pointer, by touch, or by keys: a square for one sign, or wide for a line of them. It owns the
// strokes; what they mean is the page's.
import { button, context2d, el, focused } from "../common/elements";
import type { Place } from "../common/geometry";
import { t } from "../common/texts";
import { listenToPointer } from "../input/pointer";
import { strokesToText, textToStrokes } from "../state/strokes";

export const WIDE = 3; // times as wide as high
const STEP = 0.05; // a key's step, as a share of the pad's height
const SIDE = 400; // of its canvas
const DOT = 0.04; // what a tap may slip: it leaves a dot, which is no drawing
const ARROWS: Record<string, Place> = {
  ArrowLeft: [-STEP, 0],
  ArrowRight: [STEP, 0],
  ArrowUp: [0, -STEP],
  ArrowDown: [0, STEP],
};

export class Pad {
  strokes: Place[][] = [];
  private pen: Place = [0.5, 0.2];
  private down = false; // the pen that keys move
  private keys = false;
  private drawing = false; // a pointer does
  private outside = false;
  private frame = 0;
  private ink = "#888";
  private text = ""; // the text of what is drawn
  private shape = 1; // the pad's width, its height being 1
  readonly root: HTMLElement;
  private canvas: HTMLCanvasElement;

  // `drawn`: told of the strokes' text, at most once a frame, however fast it is. `dots`: whether a sign may have some.
  constructor(
    private drawn: (text: string) => void,
    private dots = false,
  ) {
    const properties = {
      width: SIDE,
      height: SIDE,
      tabIndex: 0,
      role: "application",
      ariaLabel: t(
        "Drawing pad. Arrows move the pen, Space puts it down or lifts it, Backspace undoes a stroke, Delete clears.",
      ),
    };
    this.canvas = el("canvas.pad", properties);
    const undo = button(t("Undo"), () => this.undo());
    const clear = button(t("Clear"), () => this.clear());
    this.root = el(
      "section.draw",
      { ariaLabel: t("draw") },
      el("h4", {}, t("Draw")),
      this.canvas,
      el("div.bar", {}, undo, clear),
    );
    listenToPointer(this.canvas, {
      start: (at) => {
        [this.drawing, this.keys, this.down] = [true, false, false];
        this.strokes.push([at]);
        this.changed();
        return true;
      },
      move: (at) => this.move(at),
      end: () => this.lift(),
    });
    this.canvas.addEventListener("keydown", (e) => this.key(e));
    this.canvas.onfocus = this.canvas.onblur = () => this.paint();
  }

  // Where the pen is outside the pad, nothing is drawn.
  private move(at: Place) {
    if (!this.drawing) return;
    const seen = at.map((v) => Math.min(1, Math.max(0, v))) as Place;
    const inside = at.every((v, i) => v === seen[i]);
    if (inside && this.outside) this.strokes.push([]);
    if (inside || !this.outside) this.strokes.at(-1)?.push(seen);
    this.outside = !inside;
    this.changed();
  }

  private key(e: KeyboardEvent) {
    const step = ARROWS[e.key];
    this.keys = true;
    if (step && !e.altKey && !e.metaKey) {
      const [x, y] = this.pen;
      const within = (v: number) => Math.min(0.98, Math.max(0.02, v));
      this.pen = [within(x + step[0] / this.shape), within(y + step[1])];
      if (this.down) this.strokes.at(-1)?.push([...this.pen]);
    } else if (e.key === " ") {
      if (this.down) this.lift();
      else if (!this.drawing) {
        this.down = true;
        this.strokes.push([[...this.pen]]);
      }
    } else if (e.key === "Delete") this.clear();
    else if (e.key === "Backspace" || (e.key === "z" && (e.ctrlKey || e.metaKey))) this.undo();
    else return;
    e.preventDefault();
    this.changed();
  }

  private lift() {
    this.drawing = this.down = this.outside = false;
    this.strokes = this.kept;
    cancelAnimationFrame(this.frame);
    this.tell(); // at once: what is enrolled now is the whole drawing
  }

  private undo() {
    this.drawing = this.down = this.outside = false;
    this.strokes.pop();
    this.changed();
  }

  clear() {
    this.strokes = [];
    this.undo();
  }

  // What counts of the strokes: a dot alone is no drawing.
  private get kept() {
    const long = this.strokes.filter((stroke) => this.long(stroke));
    return this.dots && long.length ? this.strokes.filter(({ length }) => length) : long;
  }

  private long(stroke: Place[]) {
    const [width, height] = [0, 1].map((i) => stroke.map((p) => p[i])).map((s) => Math.max(...s) - Math.min(...s));
    return Math.max(width * this.shape, height) >= DOT;
  }

  private changed() {
    this.frame ||= requestAnimationFrame(() => this.tell());
  }

  private tell() {
    this.frame = 0;
    this.paint();
    const text = strokesToText(this.kept);
    if (text === this.text) return; // a pen that only moves draws nothing
    this.text = text;
    this.drawn(text);
  }

  // Show another drawing than the reader's, or another shape of the pad.
  show(text: string, wide = false) {
    const shape = wide ? WIDE : 1;
    if (text === this.text && shape === this.shape) return;
    this.shape = shape;
    this.canvas.width = SIDE * shape;
    this.root.classList.toggle("fx-wide-pad", wide);
    this.text = text;
    this.strokes = textToStrokes(text);
    this.drawing = this.down = this.outside = false;
    this.paint();
  }

  // `ink`: the colour to draw in from now on, where the page's has changed.
  paint(ink = this.ink) {
    this.ink = ink;
    const [ctx, side, { width }] = [context2d(this.canvas), SIDE, this.canvas];
    ctx.clearRect(0, 0, width, side);
    Object.assign(ctx, { strokeStyle: ink, fillStyle: ink, lineWidth: 22, lineCap: "round", lineJoin: "round" });
    for (const stroke of this.strokes) {
      ctx.beginPath();
      for (const [x, y] of [stroke[0], ...stroke]) ctx.lineTo(x * width, y * side);
      ctx.stroke();
    }
    if (!this.strokes.length) {
      Object.assign(ctx, { font: "26px system-ui, sans-serif", textAlign: "center" });
      ctx.fillText(t("draw here"), width / 2, side / 2);
    }
    if (!this.keys || focused(this.canvas) !== this.canvas) return;
    ctx.beginPath();
    ctx.arc(this.pen[0] * width, this.pen[1] * side, 14, 0, 7);
    Object.assign(ctx, { lineWidth: 4, strokeStyle: this.down ? "#e76300" : ink });
    ctx.stroke();
  }
}
