// The pad to draw on, by pointer, by touch, or by keys.
import { el } from "./dom.js";

const STEP = 0.05, DOT = 0.04; // shares of the pad: a key's step, and what a tap may slip

export class Pad {
  constructor(explorer) {
    Object.assign(this, { explorer, strokes: [], pen: [0.5, 0.2], down: false, drawing: null });
    const canvas = (this.canvas = el("canvas.pad", { width: 400, height: 400, tabIndex: 0, role: "application",
      ariaLabel: "Drawing pad. Arrows move the pen, Space puts it down or lifts it, Backspace undoes a stroke, Delete clears." }));
    const button = (text, onclick) => el("button.chip", { type: "button", onclick }, text);
    this.root = el("section.draw", { ariaLabel: "draw" }, el("h4", {}, "Draw"), canvas,
      el("div.bar", {}, button("Undo", () => this.undo()), button("Clear", () => this.clear())));
    const at = (e) => {
      const box = canvas.getBoundingClientRect();
      return [(e.clientX - box.left) / box.width, (e.clientY - box.top) / box.height];
    };
    // One pointer draws, with its first button, from down to up; ink that would not be seen is none.
    canvas.onpointerdown = (e) => {
      if (this.drawing !== null || e.button || !e.isPrimary) return;
      canvas.setPointerCapture(e.pointerId);
      this.drawing = e.pointerId;
      this.keys = false;
      this.down = false;
      this.strokes.push([at(e)]);
      this.changed();
    };
    canvas.onpointermove = (e) => {
      if (this.drawing !== e.pointerId) return;
      const place = at(e), seen = place.map((v) => Math.min(1, Math.max(0, v))), within = place.every((v, i) => v === seen[i]);
      if (within && this.outside) this.strokes.push([]);
      if (within || !this.outside) this.strokes.at(-1).push(seen);
      this.outside = !within;
      this.changed();
    };
    canvas.onpointerup = canvas.onpointercancel = canvas.onlostpointercapture = (e) => this.drawing === e.pointerId && this.lift();
    canvas.onkeydown = (e) => {
      const way = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] }[e.key];
      this.keys = true;
      if (way) {
        this.pen = this.pen.map((v, i) => Math.min(0.98, Math.max(0.02, v + way[i])));
        if (this.down) this.strokes.at(-1).push([...this.pen]);
      } else if (e.key === " ") {
        if (this.down) this.lift();
        else if (this.drawing === null) {
          this.down = true;
          this.strokes.push([[...this.pen]]);
        }
      } else if (e.key === "Delete") this.clear();
      else if (e.key === "Backspace" || (e.key === "z" && (e.ctrlKey || e.metaKey))) this.undo();
      else return;
      e.preventDefault();
      this.changed();
    };
    canvas.onfocus = canvas.onblur = () => this.paint();
    this.paint();
  }

  // The end of a stroke. A tap leaves a dot, which is no drawing.
  lift() {
    this.drawing = null;
    this.down = this.outside = false;
    const stroke = this.strokes.at(-1) ?? [], spans = [0, 1].map((i) => stroke.map((p) => p[i]));
    if (stroke.length && spans.every((s) => Math.max(...s) - Math.min(...s) < DOT)) this.strokes.pop();
    this.changed();
  }

  undo() {
    this.drawing = null;
    this.down = this.outside = false;
    this.strokes.pop();
    this.changed();
  }

  clear() {
    this.strokes = [];
    this.undo();
  }

  // At most one embedding a frame, however fast the pen.
  changed() {
    const penned = performance.now();
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.paint();
      this.explorer.draw(this.strokes, penned);
    });
  }

  paint() {
    const ctx = this.canvas.getContext("2d"), side = this.canvas.width, ink = getComputedStyle(this.canvas).color;
    ctx.clearRect(0, 0, side, side);
    Object.assign(ctx, { strokeStyle: ink, fillStyle: ink, lineWidth: 22, lineCap: "round", lineJoin: "round" });
    for (const stroke of this.strokes) {
      ctx.beginPath();
      for (const [x, y] of [stroke[0], ...stroke]) ctx.lineTo(x * side, y * side);
      ctx.stroke();
    }
    if (!this.strokes.length) {
      ctx.font = "26px system-ui, sans-serif";
      ctx.textAlign = "center";
      ctx.fillText("draw here", side / 2, side / 2);
    }
    if (this.keys && document.activeElement === this.canvas) {
      ctx.beginPath();
      ctx.arc(this.pen[0] * side, this.pen[1] * side, 14, 0, 7);
      Object.assign(ctx, { lineWidth: 4, strokeStyle: this.down ? "#e76300" : ink });
      ctx.stroke();
    }
  }
}
