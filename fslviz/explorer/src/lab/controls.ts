// The lab's controls: what its training is held to, and what is told of it.
import { hex, type Rgb } from "../common/colour";
import { button, fillMenu, el, focused, menu, NAMES, setPressed, slider } from "../common/elements";
import type { LabSettings as Held } from "../state/state";
import { BATCH, MINING, MOST, RAMP, SCALED, WARM } from "../catalogue";
import type { Point } from "./history";

const LARGEST = 999_999; // seed

export interface LabActions {
  set(change: Partial<Held>, deed?: boolean): void;
  play(): void;
  step(): void;
  afresh(): void;
  toggle(what: "slow" | "forces"): boolean; // what it is now
  save(): void;
  tell(line: string): void; // that something could not be done as it was asked
}

// What stands beside the controls: whether it runs, and what it has learned.
export interface LabProgress {
  running: boolean;
  begun: string; // what is trained now began from, "" for nothing
  hasPicture: boolean; // whether there is a picture
  share: number; // of margin and scale that is in force
  figures: string;
  points: Point[];
}

export class Controls {
  readonly root = el("div.controls");
  readonly play: HTMLButtonElement;
  private loss: HTMLSelectElement;
  private margin: HTMLInputElement;
  private scale: HTMLInputElement;
  private mining: HTMLSelectElement;
  private seed = el("input", { type: "number", min: 0, max: LARGEST, step: 1, ariaLabel: "seed" });
  private from: HTMLSelectElement;
  private words = { margin: el("b"), scale: el("b") };
  private labels: Record<"margin" | "scale" | "mining", HTMLElement>;
  private digits: HTMLButtonElement[];
  private figures = el("p.figures");
  private notInForce = el("p.fault.lacks", { hidden: true }); // what is shown here and not in force
  private curve = el("div.losses");
  private python = el("code", { tabIndex: -1 });
  private save: HTMLButtonElement;
  private settings?: Held;

  // `margins`: those that a loss begins with.
  constructor(
    colours: Rgb[],
    margins: Record<string, number>,
    private actions: LabActions,
  ) {
    const hold: LabActions["set"] = (change, deed) => this.changed(change, deed);
    this.loss = menu("loss to learn with", (loss) => hold({ loss, margin: margins[loss] ?? 0 }, true));
    fillMenu(
      this.loss,
      Object.entries(NAMES).filter(([loss]) => !loss.endsWith("-six")),
      "contrastive",
    );
    this.margin = slider("margin to learn with", [0, 1, 0.001], (v) => hold({ margin: marginAt(v, this.loss.value) }));
    this.scale = slider("scale to learn with", [1, 64, 1], (scale) => hold({ scale }));
    this.mining = menu("mining", (mining) => hold({ mining: mining as Held["mining"] }, true));
    fillMenu(
      this.mining,
      MINING.map((m) => [m, m]),
      "all",
    );
    this.seed.onchange = () => this.sow();
    this.from = menu("where it starts", (from) => hold({ from: from as Held["from"] }, true));
    fillMenu(
      this.from,
      [
        ["trained", "a trained network"],
        ["chance", "chance"],
      ],
      "trained",
    );
    this.labels = {
      margin: el("label.wide", {}, "margin ", this.words.margin, this.margin),
      scale: el("label.wide", {}, "scale ", this.words.scale, this.scale),
      mining: el("label", {}, "mining ", this.mining),
    };
    this.play = button("Start", () => actions.play());
    this.save = button("Save picture", () => actions.save());
    this.root.addEventListener("focusout", () => setTimeout(() => this.settings && this.show(this.settings)));
    this.digits = colours.map((c, k) => this.digit(hex(c), k));
    const bar = (...children: (Node | string)[]) => el("div.bar", {}, ...children);
    this.root.append(
      bar(el("label", {}, "loss ", this.loss), this.labels.mining),
      this.labels.margin,
      this.labels.scale,
      bar("without ", el("span.set", { role: "group", ariaLabel: "digits left out" }, ...this.digits)),
      bar(
        this.play,
        button("One step", () => actions.step()),
        this.chip("Slow", "slow"),
        this.chip("Forces", "forces"),
      ),
      bar(
        el("label", {}, "from ", this.from),
        el("label", {}, "seed ", this.seed),
        button("Afresh", () => actions.afresh()),
      ),
      this.figures,
      this.notInForce,
      this.curve,
      bar(
        this.python,
        button("Copy", () => this.copy()),
        this.save,
      ),
    );
  }

  private chip(text: string, what: "slow" | "forces") {
    const chip = button(text, () => setPressed(chip, this.actions.toggle(what)));
    setPressed(chip, false);
    return chip;
  }

  private digit(colour: string, k: number) {
    const deed = () => {
      const left = this.digits.flatMap((chip, c) => (chip.ariaPressed === "true" ? [c] : []));
      const now = left.includes(k) ? left.filter((c) => c !== k) : [...left, k].sort();
      if (now.length <= 8) this.changed({ leftOut: now }, true);
      else this.actions.tell("Two classes must stay: with one there is nothing to tell apart.");
    };
    const ariaLabel = `leave the digits ${k} out of the training`;
    return el("button.digit", { type: "button", style: `--c:${colour}`, ariaLabel, onclick: deed }, `${k}`);
  }

  // What a hand has set: its control has it already.
  private changed(change: Partial<Held>, deed?: boolean) {
    if (this.settings) this.settings = { ...this.settings, ...change };
    this.actions.set(change, deed);
  }

  private sow() {
    const given = this.seed.value;
    const seed = Math.min(LARGEST, Math.max(0, Math.round(this.seed.valueAsNumber) || 0));
    this.seed.value = `${seed}`;
    this.changed({ seed }, true);
    if (given !== `${seed}`)
      this.actions.tell(`The seed is ${seed}: seeds are whole numbers from 0 to ${LARGEST.toLocaleString("en")}.`);
  }

  // A page opened from a file may have no clipboard: then the line is chosen, to be copied by hand.
  private async copy() {
    try {
      await navigator.clipboard.writeText(this.python.textContent ?? "");
      this.actions.tell("The line is copied.");
    } catch {
      this.python.focus();
      getSelection()?.selectAllChildren(this.python);
      this.actions.tell("The browser gives no clipboard: the line is chosen, to be copied by hand.");
    }
  }

  // What the training is held to. A control that has the focus stays as the hand has left it, unless another value than
  // it gave is held, as by the browser's Back.
  show(settings: Held) {
    const { loss, margin, scale, mining, leftOut, seed, from } = settings;
    const before = this.settings;
    const put = (key: "from" | "loss" | "mining" | "seed" | "scale" | "margin", value: string) => {
      if (focused(this[key]) !== this[key] || settings[key] !== before?.[key]) this[key].value = value;
    };
    this.settings = settings;
    put("from", from);
    put("loss", loss);
    put("mining", mining);
    put("seed", `${seed}`);
    put("scale", `${scale}`);
    this.labels.margin.hidden = !(loss in MOST);
    this.labels.scale.hidden = !(SCALED as string[]).includes(loss);
    this.labels.mining.hidden = loss !== "triplet";
    if (loss in MOST) {
      this.margin.step = loss === "sphereface" ? `${1 / (MOST.sphereface - 1)}` : "0.001";
      put("margin", `${placeOf(margin, loss)}`);
    }
    this.words.margin.textContent = `${margin}`;
    this.margin.setAttribute("aria-valuetext", `${margin}`);
    this.words.scale.textContent = `${scale}`;
    this.digits.forEach((chip, k) => setPressed(chip, leftOut.includes(k)));
    const line = python(settings);
    if (this.python.textContent !== line) this.python.textContent = line; // else what is chosen of it would be lost
  }

  // What has come of it.
  say({ running, begun, hasPicture, share, figures, points }: LabProgress) {
    this.play.textContent = running ? "Pause" : begun ? "Go on" : "Start";
    this.save.disabled = !hasPicture;
    this.figures.textContent = figures;
    this.notInForce.textContent = this.settings ? notYetInForce(this.settings, begun, share) : "";
    this.notInForce.hidden = !this.notInForce.textContent;
    this.curve.innerHTML = curve(points);
  }
}

// What a training began from: that can't be changed while it goes on.
export const origin = ({ seed, from }: Held) => `${from === "trained" ? "a trained network" : "chance"}, seed ${seed}`;

// What the controls show that the training does not have, in a line, or "".
function notYetInForce(held: Held, begun: string, share: number): string {
  const lines: string[] = [];
  if (begun && begun !== origin(held))
    lines.push(`This training began from ${begun}; Afresh begins from ${origin(held)}.`);
  if (share < 1) {
    const what = { normface: "the scale comes", sphereface: "the margin comes" }[held.loss] ?? "margin and scale come";
    const [first, last] = [WARM * BATCH, (held.loss === "sphereface" ? WARM : WARM + RAMP) * BATCH];
    const since = held.loss === "sphereface" ? "" : ` after ${first.toLocaleString("en")} images`;
    const all = `wholly there after ${last.toLocaleString("en")}`;
    lines.push(`From chance ${what} in slowly${since}, ${all}: ${Math.floor(100 * share)}% by now.`);
  }
  return lines.join(" ");
}

// The margins that matter lie close to 0: the slider goes by their square root.
function marginAt(place: number, loss: string): number {
  if (loss === "sphereface") return Math.round(1 + place * (MOST.sphereface - 1));
  return +(MOST[loss] * place ** 2).toFixed(3);
}

function placeOf(margin: number, loss: string): number {
  if (loss === "sphereface") return (margin - 1) / (MOST.sphereface - 1);
  return Math.sqrt(margin / MOST[loss]);
}

// The line that trains the like in Python, with the book's own network.
function python({ loss, margin, scale, mining, leftOut, seed }: Held): string {
  const kept = [...Array(10).keys()].filter((k) => !leftOut.includes(k));
  const digits = leftOut.length ? `fslviz.load().classes(${kept.join(", ")})` : "fslviz.load()";
  const options = [
    loss in MOST ? `, margin=${margin}` : "",
    (SCALED as string[]).includes(loss) ? `, scale=${scale}` : "",
    loss === "triplet" ? `, mining="${mining}"` : "",
  ].join("");
  return `fslviz.train("${loss}", ${digits}, seed=${seed}${options})`;
}

function curve(points: Point[]): string {
  if (points.length < 2) return "";
  const losses = points.map(({ loss }) => loss);
  const most = Math.max(...losses) || 1;
  const [first, last] = [points[0].images, points[points.length - 1].images];
  const line = (values: number[], top: number) =>
    values.map((v, i) => `${points[i].images - first},${(1 - v / top).toFixed(3)}`).join(" ");
  const rights = points.map(({ accuracy }) => accuracy);
  const seen = last.toLocaleString("en");
  const said = `the loss, from 0 to ${most.toPrecision(2)}, and 15-NN, from 0 to 100%, over ${seen} images seen`;
  return `<svg viewBox="0 0 ${last - first} 1" preserveAspectRatio="none" role="img" aria-label="${said}">
    <polyline class="fx-eer" points="${line(losses, most)}"/><polyline class="fx-nn" points="${line(rights, 1)}"/></svg>
    <div class="fx-key"><span class="fx-eer">loss</span><span class="fx-nn">15-NN</span></div>`;
}
