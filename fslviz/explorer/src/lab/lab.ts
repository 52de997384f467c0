// The lab: a network that learns in the page, before the reader's eyes, and obeys the hand while it does.
import type { Rgb } from "../common/colour";
import { distance, el, NAMES, percent } from "../common/elements";
import { placeAt, type Place } from "../common/geometry";
import { Announcer } from "../common/announcer";
import { greys, type Pack } from "../data/pack";
import { Painter, type Scene } from "../drawing/painter";
import { WHOLE, type LabSettings as Held } from "../state/state";
import { Controls, origin } from "./controls";
import { MOST } from "../catalogue";
import { History } from "./history";
import { LabSpace } from "./frame";
import type { Orders, Order, Report } from "../training/worker";

const [TRAIN, SHOWN] = [5000, 2000]; // digits it learns from, and digits that are shown and never learned from
const FORCE = 0.25; // of the frame: the longest arrow
const SAME = 1.25; // times larger or smaller: what is no change worth a word

export interface LabHost {
  state: { lab: Held };
  set(change: { lab: Held }, newEntry: boolean): void;
  drawings(): { name: string; image: Float32Array }[]; // what is drawn or enrolled, to lie beside the digits
  surroundings(): Pick<Scene, "dark" | "paper"> & { css: string };
}

export class Lab {
  readonly root = el("section.lab", { ariaLabel: "lab", dir: "ltr" }); // English, and pictures with a left and a right
  readonly space = new LabSpace();
  readonly painter: Painter;
  report: Report | null = null;
  private worker: Worker | null = null;
  private beginning: Promise<void> | null = null;
  private generation = 0; // of starts and stops
  private running = false; // whether it is wanted at work: it may have to be fetched first
  private toggles = { slow: false, forces: false };
  private begun = ""; // from what the training of now began
  private frame = 0;
  private history = new History();
  private drawn: string[] = [];
  private controls: Controls;
  private announcer = new Announcer();
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
    private host: LabHost,
    signal: AbortSignal,
  ) {
    this.painter = new Painter(this.space, labels, colours);
    document.addEventListener("visibilitychange", () => this.worker && this.ask(), { signal });
    const { under, dots, over } = this.painter;
    over.setAttribute("role", "img");
    this.controls = new Controls(colours, pack.manifest.default, {
      set: (change, deed = false) => this.set(change, deed),
      play: () => (this.running ? this.pause() : this.run()),
      step: () => this.step(),
      afresh: () => this.afresh(),
      toggle: (what) => this.toggle(what),
      save: () => this.save(),
      tell: (line) => this.tell(line),
    });
    const square = el("div.square", {}, under, dots, over, this.scaled, this.invitation);
    this.root.append(
      el("h4", {}, "Train it here"),
      this.note,
      el("div.bench", {}, el("div.panel", {}, square), this.controls.root),
      this.announcer.root,
    );
  }

  private set(change: Partial<Held>, newEntry: boolean) {
    this.tell("");
    this.host.set({ lab: { ...this.host.state.lab, ...change } }, newEntry);
    if (this.worker && this.begun !== origin(this.host.state.lab)) this.afresh(); // which is why it was changed
  }

  private tell(line: string) {
    this.note.textContent = line;
    this.note.hidden = !line;
    this.say();
  }

  private toggle(what: "slow" | "forces") {
    this.toggles[what] = !this.toggles[what];
    this.ask();
    return this.toggles[what];
  }

  // ---- the worker

  private send(order: Order) {
    this.worker?.postMessage(order);
  }

  private ask() {
    const { loss, margin, scale, mining, leftOut } = this.host.state.lab;
    const drawings = this.host.drawings();
    this.drawn = drawings.map(({ name }) => name);
    const greys = drawings.map(({ image }) => Uint8Array.from(image, (v) => Math.round(255 * v)));
    const held = { margin, scale, mining };
    const { slow, forces } = this.toggles;
    const running = this.running && !document.hidden; // a page that nobody sees doesn't train
    const asked = { loss, settings: held, leftOut, running, slow, forces, drawings: greys } as Orders;
    this.send({ kind: "ask", asked });
  }

  // A worker with the digits, made when it is first wanted.
  private begin(): Promise<void> {
    if (this.worker) return Promise.resolve();
    this.beginning ??= this.fetch(this.generation);
    return this.beginning;
  }

  // A page from a file may start no worker but from a blob.
  private async fetch(turn: number) {
    try {
      const [code, bytes, start] = await Promise.all(
        ["lab", "lab/digits", "lab/net"].map((part) => this.pack.part(part)),
      );
      if (turn !== this.generation) return; // stopped meanwhile
      const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
      const worker = new Worker(url);
      URL.revokeObjectURL(url);
      worker.onmessage = ({ data }) => worker === this.worker && this.receive(data); // one that was ended may have told more
      worker.onerror = (event) => this.receive({ error: event.message || "it could not be started" });
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
      this.begun = origin(this.host.state.lab);
      this.send({ kind: "begin", ...digits, seed, start: from === "trained" ? new Float32Array(start) : null });
      this.ask();
      this.say();
    } catch (error) {
      if (turn === this.generation) this.receive({ error: (error as Error).message });
    }
  }

  run() {
    this.running = true;
    this.tell("");
    if (this.worker) this.ask();
    else this.begin();
  }

  pause() {
    this.running = false;
    this.ask();
    this.say();
  }

  private async step() {
    if (this.running) this.pause();
    this.tell("");
    const { generation } = this;
    await this.begin();
    if (generation === this.generation) this.send({ kind: "step" });
  }

  // From the start again, with the seed that is set; the old worker and its memory go.
  afresh(running = this.running) {
    this.stop();
    if (running) this.run();
  }

  stop() {
    this.generation++;
    this.worker?.terminate();
    this.worker = this.beginning = null;
    this.running = false;
    this.begun = "";
    this.report = null;
    this.space.clear();
    this.painter.blank();
    this.history = new History();
    this.tell("");
  }

  private receive(data: Report | { error: string }) {
    if ("error" in data) {
      this.stop();
      return this.tell(`The lab can't train here: ${data.error}`);
    }
    if (!data.places.every(Number.isFinite)) {
      this.stop();
      return this.tell("The training ran away: its places are no numbers any more. It can be started again.");
    }
    const { loss } = this.host.state.lab;
    const accuracy = data.accuracy ?? this.report?.accuracy ?? null;
    const count = data.images - (this.report?.images ?? 0);
    this.report = { ...data, accuracy };
    if (count > 0) this.history.add({ images: data.images, count, loss: data.value, accuracy: accuracy ?? 0 });
    this.space.show(data.places, data.drawings, data.head !== null, data.head, loss === "softmax");
    this.say();
    this.paint();
  }

  // ---- what is shown

  // What follows from a change of the state, or of what is drawn. What is trained goes on as it began.
  changed() {
    this.controls.show(this.host.state.lab);
    if (this.worker) this.ask();
    this.say();
    this.paint();
  }

  say() {
    const { report, running, begun, history, note } = this;
    this.scaled.hidden = !report;
    this.invitation.hidden = report !== null;
    const idle = "A narrow sibling of the book's network, 8,000 weights for 72,000, on 5,000 digits. Nothing is sent.";
    const figures = report ? this.summary(report) : running ? "Fetching the digits …" : idle;
    const share = report?.share ?? 1;
    this.controls.say({ running, begun, hasPicture: report !== null, share, figures, points: history.points });
    this.painter.over.setAttribute("aria-label", `the space as it is learned${report ? `: ${figures}` : ""}`);
    const { loss, margin } = this.host.state.lab;
    const held = `${NAMES[loss]}${loss in MOST ? `, margin ${margin}` : ""}`;
    const doing = running ? `Training: ${held}` : report ? `Paused: ${held}. ${figures}` : "";
    this.announcer.say([note.textContent, doing].filter(Boolean).join(" "));
  }

  private summary({ value, images, speed, accuracy }: Report) {
    const loss = Number.isNaN(value) ? (this.history.points.at(-1)?.loss ?? Number.NaN) : value;
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
    const { css, dark, paper } = this.host.surroundings();
    const { drawings, batch } = this.report;
    const placed = this.drawn.slice(0, drawings.length / 2); // one that was drawn just now has no place yet
    const rings = placed.map((name, i) => ({
      place: this.space.framed(placeAt(drawings, i)),
      text: name,
      fill: "#ffe14d",
    }));
    const still = { view: WHOLE, selected: null, path: [], links: [], areas: [], lasso: null };
    const arrows = batch ? this.arrows(batch) : [];
    this.painter.paint({ ...still, rings, arrows, ink: css, dark, paper });
    const { entry } = this.space;
    const [bar, words] = [...this.scaled.children] as HTMLElement[];
    const length = +(entry.radius * 0.3).toPrecision(1);
    bar.style.width = `${100 * this.painter.share(length / entry.radius)}%`;
    words.textContent = `${+length.toPrecision(3)}${this.grown}`;
  }

  // How the space has grown since its training began, in words, where it has.
  private get grown() {
    const { grown } = this.space;
    if (grown > 1 / SAME && grown < SAME) return "";
    if (!grown) return " · a single point";
    return ` · ${grown < 1 ? `1/${rounded(1 / grown)} of` : `${rounded(grown)} times`} its first size`;
  }

  // Where the loss pulls each place of a batch: against its gradient, the longest as long as a quarter of the frame.
  private arrows({ places, forces }: NonNullable<Report["batch"]>): Place[][] {
    let most = 1e-12;
    for (let i = 0; i < forces.length; i += 2) most = Math.max(most, Math.hypot(forces[i], forces[i + 1]));
    return Array.from({ length: places.length / 2 }, (_, i) => {
      const from = this.space.framed(placeAt(places, i));
      const [fx, fy] = placeAt(forces, i);
      return [from, [from[0] - (FORCE * fx) / most, from[1] - (FORCE * fy) / most]];
    });
  }

  private save() {
    const { under, dots, over, side } = this.painter;
    const sheet = el("canvas", { width: side, height: side });
    const ctx = sheet.getContext("2d");
    if (!ctx) return this.tell("The browser gives no canvas to save a picture with.");
    ctx.fillStyle = this.host.surroundings().dark ? "#121212" : "#ffffff";
    ctx.fillRect(0, 0, side, side);
    for (const layer of [under, dots, over]) ctx.drawImage(layer, 0, 0);
    el("a", { href: sheet.toDataURL(), download: `${this.host.state.lab.loss}.png` }).click();
  }
}

const rounded = (v: number) =>
  v < 10 ? v.toFixed(1) : v < 1e6 ? Math.round(v).toLocaleString("en") : v.toExponential(0);
