// The lab: a network that learns in the page, before the reader's eyes, with what the reader sets while it does.
import { type Loss, lossEntry } from "../catalogue";
import { Announcer } from "../common/announcer";
import type { Rgb } from "../common/colour";
import { el } from "../common/elements";
import { formatCount, formatDistance, formatPercent } from "../common/format";
import { displayName } from "../common/loss-name";
import { sentences, t } from "../common/texts";
import type { Pack } from "../data/pack";
import { Painter } from "../drawing/painter";
import type { Scene } from "../drawing/scene";
import type { LabSettings, State } from "../state/state";
import type { Report } from "../training/worker";
import { Controls } from "./controls";
import { History } from "./history";
import { LabSpace } from "./lab-space";
import { Square } from "./square";
import { origin } from "./texts";
import { WorkerClient } from "./worker-client";

export interface LabHost {
  state: State;
  set(change: Partial<State>, newEntry: boolean): void;
  drawings(): { name: string; image: Float32Array }[]; // what is drawn or enrolled, to lie beside the digits
  surroundings(): Pick<Scene, "dark" | "paper"> & { css: string };
}

export class Lab {
  readonly root = el("section.lab", { ariaLabel: t("lab"), dir: "ltr" }); // its pictures have a left and a right
  readonly space = new LabSpace();
  readonly painter: Painter;
  readonly square: Square;
  report: Report | null = null;
  private worker: WorkerClient;
  private running = false; // whether it is wanted at work: it may have to be fetched first
  private toggles = { slow: false, forces: false };
  private begun = ""; // from what the training of now began
  private history = new History();
  private drawn: string[] = []; // names of the drawings that the worker knows
  private controls: Controls;
  private announcer = new Announcer();
  private note = el("p.fault", { hidden: true });

  constructor(
    pack: Pack,
    labels: Uint8Array,
    colours: Rgb[],
    private host: LabHost,
    signal: AbortSignal,
  ) {
    this.painter = new Painter(this.space, labels, colours);
    const picture = () => ({ report: this.report, names: this.drawn, ...host.surroundings() });
    const changePlaces = (a: number, b: number) => this.changePlaces(a, b);
    const words = t("Start fetches the digits (0.8 MB) and trains in this page: nothing is sent.");
    const invitation = el("p.trouble", {}, words);
    this.square = new Square(this.space, this.painter, invitation, picture, changePlaces);
    const begun = () => {
      this.begun = origin(host.state.lab);
      this.instruct();
      this.say();
    };
    this.worker = new WorkerClient(pack, (data) => this.receive(data), begun);
    document.addEventListener("visibilitychange", () => this.instruct(), { signal });
    this.controls = new Controls(colours, {
      set: (change, newEntry = false) => this.set(change, newEntry),
      play: () => (this.running ? this.pause() : this.run()),
      step: () => this.step(),
      afresh: () => this.afresh(),
      toggle: (what) => this.toggle(what),
      changePlaces,
      save: () => this.save(),
      tell: (line) => this.tell(line),
    });
    const bench = el("div.bench", {}, el("div.panel", {}, this.square.root), this.controls.root);
    this.root.append(el("h4", {}, t("Train it here")), this.note, bench, this.announcer.root);
  }

  private set(change: Partial<LabSettings>, newEntry: boolean) {
    this.tell("");
    this.host.set({ lab: { ...this.host.state.lab, ...change } }, newEntry);
    if (this.worker.exists && this.begun !== origin(this.host.state.lab)) this.afresh(); // which is why it was changed
  }

  // Each of two classes takes the other's class weight.
  private changePlaces(a: number, b: number) {
    const { seats } = this.host.state.lab;
    this.set({ seats: seats.map((seat, c) => (c === a ? seats[b] : c === b ? seats[a] : seat)) }, true);
  }

  private tell(line: string) {
    this.note.textContent = line;
    this.note.hidden = !line;
    this.say();
  }

  private toggle(what: "slow" | "forces") {
    this.toggles[what] = !this.toggles[what];
    this.instruct();
    return this.toggles[what];
  }

  private save() {
    if (!this.square.save(`${this.host.state.lab.loss}.png`))
      this.tell(t("The browser gives no canvas to save a picture with."));
  }

  // ---- the training

  private instruct() {
    if (!this.worker.exists) return;
    const { loss, margin, scale, mining, leftOut, seats } = this.host.state.lab;
    const drawings = this.host.drawings();
    this.drawn = drawings.map(({ name }) => name);
    const instructions = {
      ...this.toggles,
      loss: loss as Loss,
      settings: { margin, scale, mining },
      leftOut,
      seats,
      running: this.running && !document.hidden, // a page out of sight doesn't train
      drawings: drawings.map(({ image }) => Uint8Array.from(image, (v) => Math.round(255 * v))),
    };
    this.worker.send({ kind: "instruct", instructions });
  }

  private begin() {
    return this.worker.begin(() => this.host.state.lab);
  }

  run() {
    this.running = true;
    this.tell("");
    if (this.worker.exists) this.instruct();
    else this.begin();
  }

  pause() {
    this.running = false;
    this.instruct();
    this.say();
  }

  private async step() {
    if (this.running) this.pause();
    this.tell("");
    if (await this.begin()) this.worker.send({ kind: "step" });
  }

  // From the start again, with the seed that is set; the old worker and its memory go.
  afresh(running = this.running) {
    this.stop();
    if (running) this.run();
  }

  stop() {
    this.worker.end();
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
      return this.tell(t("The lab can't train here: {0}", data.error));
    }
    if (!data.places.every(Number.isFinite)) {
      this.stop();
      return this.tell(t("The training diverged: its values are no longer numbers. You can start it again."));
    }
    const linear = lossEntry(this.host.state.lab.loss).family === "linear";
    const accuracy = data.accuracy ?? this.report?.accuracy ?? null;
    const count = data.images - (this.report?.images ?? 0);
    this.report = { ...data, accuracy };
    if (count > 0) this.history.add({ images: data.images, count, loss: data.value, accuracy: accuracy ?? 0 });
    this.space.show(data.places, data.drawings, data.head !== null, data.head, linear);
    this.say();
    this.paint();
  }

  // ---- what is shown

  // What follows from a change of the state, or of what is drawn. What is trained goes on as it began.
  changed() {
    this.controls.show(this.host.state.lab);
    this.instruct();
    this.say();
    this.paint();
  }

  paint() {
    this.square.paint();
  }

  private say() {
    const { report, running, begun, history, note } = this;
    const figures = report ? this.summary(report) : "";
    const hasPicture = report !== null;
    const idle = t(
      "A smaller version of the book's network (8,000 weights instead of 72,000), on 5,000 digits. Nothing is sent.",
    );
    const words = figures || (running ? t("Fetching the digits …") : idle);
    const share = report?.share ?? 1;
    this.controls.say({ running, begun, hasPicture, share, figures: words, points: history.points });
    this.square.say(figures);
    const { loss, margin } = this.host.state.lab;
    const what = lossEntry(loss).margin ? t("{0}, margin {1}", displayName(loss), margin) : displayName(loss);
    const doing = running ? t("Training: {0}", what) : report ? t("Paused: {0}. {1}", what, figures) : "";
    this.announcer.say(sentences([note.textContent ?? "", doing]));
  }

  private summary({ value, images, speed, accuracy }: Report) {
    const loss = Number.isNaN(value) ? (this.history.points.at(-1)?.loss ?? Number.NaN) : value;
    const parts = [
      Number.isNaN(loss) ? "" : t("loss {0}", loss.toPrecision(3)),
      accuracy === null ? "" : t("15-NN {0}", formatPercent(accuracy)),
      t("{0} images seen", formatCount(images)),
      speed ? t("{0} a second", formatCount(Math.round(speed))) : "",
      t("radius {0}", formatDistance(this.space.spread)),
    ];
    return parts.filter(Boolean).join(" · ");
  }
}
