// The lab: a network that learns in the page, before the reader's eyes, and obeys the hand while it does.
import type { Rgb } from "../colour";
import { distance, el, percent } from "../dom";
import { at, type Place } from "../geometry";
import { greys, type Pack } from "../pack";
import { Painter, type Scene } from "../painter";
import { AFAR, type Lab as Held } from "../state";
import { Controls } from "./controls";
import { LabSpace } from "./space";
import type { Asked, Order, Report } from "./worker";

const [TRAIN, SHOWN] = [5000, 2000]; // digits it learns from, and digits that are shown and never learned from
const FORCE = 0.25; // of the frame: the longest arrow
const POINTS = 200; // of the curve of the loss

export interface Host {
  state: { lab: Held };
  set(change: { lab: Held }, deed: boolean): void;
  drawings(): { name: string; image: Float32Array }[]; // what is drawn or enrolled, to lie beside the digits
  around(): Pick<Scene, "dark" | "paper"> & { css: string };
}

export class Lab {
  readonly root = el("section.lab", { ariaLabel: "lab" });
  readonly space = new LabSpace();
  readonly painter: Painter;
  report: Report | null = null;
  private worker: Worker | null = null;
  private beginning: Promise<void> | null = null;
  private turn = 0; // of starts and stops
  private running = false;
  private on = { slow: false, forces: false };
  private begun = ""; // the seed and the start of what is trained now
  private frame = 0;
  private losses: number[] = [];
  private rights: number[] = []; // 15-NN, beside the losses
  private drawn: string[] = [];
  private controls: Controls;
  private note = el("p.fault", { hidden: true });
  private invitation = el(
    "p.trouble",
    {},
    "Start fetches the digits (0.8 MB) and trains in this page: nothing is sent.",
  );
  private scaled = el("span.scale", { ariaHidden: "true" }, el("i"), el("span"));

  constructor(
    private pack: Pack,
    labels: Uint8Array,
    colours: Rgb[],
    private host: Host,
    signal: AbortSignal,
  ) {
    this.painter = new Painter(this.space, labels, colours);
    document.addEventListener("visibilitychange", () => this.worker && this.ask(), { signal });
    const { under, dots, over } = this.painter;
    Object.assign(over, { role: "img", ariaLabel: "the space as it is learned" });
    this.controls = new Controls(colours, pack.manifest.default, {
      hold: (change, deed = false) => host.set({ lab: { ...host.state.lab, ...change } }, deed),
      play: () => (this.running ? this.pause() : this.run()),
      step: () => this.step(),
      afresh: () => this.afresh(),
      toggle: (what) => this.toggle(what),
      save: () => this.save(),
    });
    const square = el("div.square", {}, under, dots, over, this.scaled, this.invitation);
    this.root.append(
      el("h4", {}, "Train it here"),
      this.note,
      el("div.bench", {}, el("div.panel", {}, square), this.controls.root),
    );
    this.say();
  }

  private toggle(what: "slow" | "forces") {
    this.on[what] = !this.on[what];
    this.ask();
    return this.on[what];
  }

  // ---- the worker

  private send(order: Order) {
    this.worker?.postMessage(order);
  }

  private ask() {
    const { loss, margin, scale, mining, left } = this.host.state.lab;
    const drawings = this.host.drawings();
    this.drawn = drawings.map(({ name }) => name);
    const greys = drawings.map(({ image }) => Uint8Array.from(image, (v) => Math.round(255 * v)));
    const held = { margin, scale, mining };
    const { slow, forces } = this.on;
    const running = this.running && !document.hidden; // a page that nobody sees doesn't train
    const asked = { loss, held, left, running, slow, forces, drawings: greys } as Asked;
    this.send({ kind: "ask", asked });
  }

  // A worker with the digits, made when it is first wanted. A page from a file may start none but from a blob.
  private begin(): Promise<void> {
    if (this.worker) return Promise.resolve();
    this.beginning ??= this.fetch(this.turn).finally(() => {
      this.beginning = null;
    });
    return this.beginning;
  }

  private async fetch(turn: number) {
    this.note.hidden = true;
    this.controls.play.disabled = true;
    try {
      const [code, bytes, start] = await Promise.all(
        ["lab", "lab/digits", "lab/net"].map((part) => this.pack.part(part)),
      );
      if (turn !== this.turn) return; // stopped meanwhile
      const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
      const worker = new Worker(url);
      URL.revokeObjectURL(url);
      worker.onmessage = ({ data }) => this.told(data);
      worker.onerror = (event) => this.told({ error: event.message || "it could not be started" });
      this.worker = worker;
      const all = new Uint8Array(bytes);
      const half = 392 * (TRAIN + SHOWN);
      const images = greys(all.subarray(0, half));
      const labels = all.subarray(half);
      const part = (from: number, count: number) => ({
        images: images.slice(784 * from, 784 * (from + count)),
        labels: labels.slice(from, from + count),
      });
      const { mean, std } = this.pack.manifest;
      const digits = { train: part(0, TRAIN), shown: part(TRAIN, SHOWN), standard: { mean, std } };
      const { seed, from } = this.host.state.lab;
      this.begun = `${seed} ${from}`;
      this.send({ kind: "begin", ...digits, seed, start: from === "trained" ? new Float32Array(start) : null });
      this.losses = [];
      this.rights = [];
    } catch (error) {
      this.told({ error: (error as Error).message });
    } finally {
      this.controls.play.disabled = false;
    }
  }

  async run() {
    await this.begin();
    this.running = this.worker !== null;
    this.ask();
    this.say();
  }

  pause() {
    this.running = false;
    this.ask();
    this.say();
  }

  private async step() {
    if (this.running) this.pause();
    const fresh = !this.worker;
    await this.begin();
    if (fresh) this.ask();
    this.send({ kind: "step" });
  }

  // From the start again, with the seed that is set; the old worker and its memory go.
  private afresh() {
    const running = this.running;
    this.stop();
    if (running) this.run();
  }

  stop() {
    this.turn++;
    this.worker?.terminate();
    this.worker = null;
    this.running = false;
    this.report = null;
    this.space.clear();
    this.painter.blank();
    this.losses = [];
    this.rights = [];
    this.say();
  }

  private told(data: Report | { error: string }) {
    if ("error" in data) {
      this.stop();
      this.note.textContent = `The lab can't train here: ${data.error}`;
      this.note.hidden = false;
      return;
    }
    const { loss } = this.host.state.lab;
    const accuracy = data.accuracy ?? this.report?.accuracy ?? null;
    this.report = { ...data, accuracy };
    if (!Number.isNaN(data.value)) {
      this.losses.push(data.value);
      this.rights.push(accuracy ?? 0);
    }
    if (this.losses.length > POINTS)
      [this.losses, this.rights] = [this.losses, this.rights].map((all) => all.filter((_, i) => i % 2));
    this.space.show(data.places, data.head !== null, data.head, loss === "softmax");
    this.say();
    this.paint();
  }

  // ---- what is shown

  // What follows from a change of the state, or of what is drawn.
  changed() {
    const { seed, from } = this.host.state.lab;
    if (this.worker && this.begun !== `${seed} ${from}`) this.afresh();
    else if (this.worker) this.ask();
    this.say();
    this.paint();
  }

  say() {
    const { report, running, losses, rights } = this;
    this.scaled.hidden = !report;
    this.invitation.hidden = report !== null;
    const figures = report
      ? this.summary(report)
      : "A narrow sibling of the book's network, 8,000 weights for 72,000, on 5,000 digits. Nothing is sent.";
    this.controls.say(this.host.state.lab, { running, begun: this.worker !== null, figures, losses, rights });
  }

  private summary({ value, images, speed, accuracy }: Report) {
    const loss = Number.isNaN(value) ? (this.losses.at(-1) ?? Number.NaN) : value;
    const parts = [
      Number.isNaN(loss) ? "" : `loss ${loss.toPrecision(3)}`,
      accuracy === null ? "" : `15-NN ${percent(accuracy)}`,
      `${images.toLocaleString("en")} images seen`,
      speed ? `${Math.round(speed).toLocaleString("en")} a second` : "",
      `radius ${distance(this.space.spread)}`,
    ];
    return parts.filter(Boolean).join(" · ");
  }

  paint() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.square();
      if (this.space.progress < 1) this.paint();
    });
  }

  private square() {
    if (!this.report) return;
    const { css, dark, paper } = this.host.around();
    const { drawings, batch } = this.report;
    const placed = this.drawn.slice(0, drawings.length / 2); // one that was drawn just now has no place yet
    const rings = placed.map((name, i) => ({
      place: this.space.framed(at(drawings, i)),
      text: name,
      fill: "#ffe14d",
    }));
    const still = { view: AFAR, lit: null, path: [], links: [], areas: [], loop: null };
    const arrows = batch ? this.arrows(batch) : [];
    this.painter.paint({ ...still, rings, arrows, ink: css, dark, paper });
    const { entry } = this.space;
    const [bar, words] = [...this.scaled.children] as HTMLElement[];
    const length = +(entry.radius * 0.3).toPrecision(1);
    bar.style.width = `${100 * this.painter.share(length / entry.radius)}%`;
    words.textContent = `${+length.toPrecision(3)}`;
  }

  // Where the loss pulls each place of a batch: against its gradient, the longest as long as a quarter of the frame.
  private arrows({ places, forces }: NonNullable<Report["batch"]>): Place[][] {
    let most = 1e-12;
    for (let i = 0; i < forces.length; i += 2) most = Math.max(most, Math.hypot(forces[i], forces[i + 1]));
    return Array.from({ length: places.length / 2 }, (_, i) => {
      const from = this.space.framed(at(places, i));
      const [fx, fy] = at(forces, i);
      return [from, [from[0] - (FORCE * fx) / most, from[1] - (FORCE * fy) / most]];
    });
  }

  private save() {
    const { under, dots, over, side } = this.painter;
    const sheet = el("canvas", { width: side, height: side });
    const ctx = sheet.getContext("2d")!;
    ctx.fillStyle = this.host.around().dark ? "#121212" : "#ffffff";
    ctx.fillRect(0, 0, side, side);
    for (const layer of [under, dots, over]) ctx.drawImage(layer, 0, 0);
    el("a", { href: sheet.toDataURL(), download: `${this.host.state.lab.loss}.png` }).click();
  }
}
