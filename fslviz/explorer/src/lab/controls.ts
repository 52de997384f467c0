// The lab's controls: what its training has, and what is told of it.
import { defaultMargin, LOSS_NAMES, lossEntry, MINING, SCALES } from "../catalogue";
import { hex, type Rgb } from "../common/colour";
import { button, el, fillMenu, focused, menu, setPressed, slider } from "../common/elements";
import { formatCount } from "../common/format";
import { displayName } from "../common/loss-name";
import { t, tNodes, tr } from "../common/texts";
import { LARGEST_SEED, type LabSettings, MOST_LEFT_OUT } from "../state/state";
import { OWN_SEATS } from "../training/class-places";
import type { Point } from "./history";
import { learningCurve } from "./learning-curve";
import { movedText, notYetInForce, pythonLine } from "./texts";

const origins = (): [string, string][] => [
  ["trained", t("a trained network")],
  ["chance", t("random weights")],
];

interface LabActions {
  set(change: Partial<LabSettings>, newEntry?: boolean): void;
  play(): void;
  step(): void;
  afresh(): void;
  toggle(what: "slow" | "forces"): boolean; // what it is now
  changePlaces(a: number, b: number): void;
  save(): void;
  tell(line: string): void; // that something could not be done as it was asked
}

// What stands beside the controls: whether it runs, and what it has learned.
interface LabProgress {
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
  private seed = el("input", { type: "number", min: 0, max: LARGEST_SEED, step: 1, ariaLabel: t("seed") });
  private from: HTMLSelectElement;
  private words = { margin: el("b"), scale: el("b") };
  private labels: Record<"margin" | "scale" | "mining", HTMLElement>;
  private digits: HTMLButtonElement[];
  private places: HTMLElement;
  private moved = el("span");
  private putBack: HTMLButtonElement;
  private figures = el("p.figures");
  private notInForce = el("p.fault.lacks", { hidden: true }); // what is shown here and not in force
  private curve = el("div.losses");
  private python = el("code", { tabIndex: -1 });
  private save: HTMLButtonElement;
  private settings?: LabSettings;

  constructor(
    colours: Rgb[],
    private actions: LabActions,
  ) {
    this.loss = menu(t("loss to learn with"), (loss) => this.change({ loss, margin: defaultMargin(loss) ?? 0 }, true));
    this.margin = slider(t("margin to learn with"), [0, 1, 0.001], (v) =>
      this.change({ margin: marginAt(v, this.loss.value) }),
    );
    this.scale = slider(t("scale to learn with"), [SCALES.least, SCALES.most, 1], (scale) => this.change({ scale }));
    this.mining = menu(t("mining"), (mining) => this.change({ mining }, true));
    this.from = menu(t("where it starts"), (from) => this.change({ from: from as LabSettings["from"] }, true));
    fillMenu(
      this.loss,
      LOSS_NAMES.map((loss) => [loss, displayName(loss)]),
      LOSS_NAMES[0],
    );
    fillMenu(
      this.mining,
      MINING.map((m) => [m, tr(m)]),
      MINING[0],
    );
    fillMenu(this.from, origins(), "trained");
    this.seed.onchange = () => this.sow();
    this.labels = {
      margin: el("label.wide", {}, t("margin"), " ", this.words.margin, this.margin),
      scale: el("label.wide", {}, t("scale"), " ", this.words.scale, this.scale),
      mining: el("label", {}, ...tNodes("mining {0}", this.mining)),
    };
    this.play = button(t("Start"), () => actions.play());
    this.save = button(t("Save picture"), () => actions.save());
    this.places = this.placesRow();
    this.putBack = button(t("Put back"), () => this.change({ seats: OWN_SEATS }, true));
    this.digits = colours.map((c, k) => this.digit(hex(c), k));
    this.root.addEventListener("focusout", () => setTimeout(() => this.settings && this.show(this.settings)));
    this.root.append(...this.rows());
  }

  private rows(): HTMLElement[] {
    const { actions } = this;
    const bar = (...children: (Node | string)[]) => el("div.bar", {}, ...children);
    const digits = el("span.set", { role: "group", ariaLabel: t("digits left out") }, ...this.digits);
    const step = button(t("One step"), () => actions.step());
    const afresh = button(t("Begin again"), () => actions.afresh());
    const copy = button(t("Copy"), () => this.copy());
    return [
      bar(el("label", {}, ...tNodes("loss {0}", this.loss)), this.labels.mining),
      this.labels.margin,
      this.labels.scale,
      bar(...tNodes("without {0}", digits)),
      this.places,
      bar(this.moved, this.putBack),
      bar(this.play, step, this.chip(t("Slow"), "slow"), this.chip(t("Forces"), "forces")),
      bar(el("label", {}, ...tNodes("from {0}", this.from)), el("label", {}, ...tNodes("seed {0}", this.seed)), afresh),
      this.figures,
      this.notInForce,
      this.curve,
      bar(this.python, copy, this.save),
    ];
  }

  // Two classes change places by their names in the square, or here.
  private placesRow() {
    const all = OWN_SEATS.map((c): [string, string] => [`${c}`, `${c}`]);
    const [a, b] = [t("a class"), t("the class to change places with")].map((name, i) => {
      const one = menu(name, () => {});
      fillMenu(one, all, `${i}`);
      return one;
    });
    const change = button(t("Change places"), () => {
      if (a.value !== b.value) this.actions.changePlaces(+a.value, +b.value);
      else this.actions.tell(t("Choose two different classes."));
    });
    return el("div.bar", {}, ...tNodes("class {0} and {1}", a, b), change);
  }

  private chip(text: string, what: "slow" | "forces") {
    const chip = button(text, () => setPressed(chip, this.actions.toggle(what)));
    setPressed(chip, false);
    return chip;
  }

  private digit(colour: string, k: number) {
    const toggle = () => {
      const left = this.digits.flatMap((chip, c) => (chip.ariaPressed === "true" ? [c] : []));
      const now = left.includes(k) ? left.filter((c) => c !== k) : [...left, k].sort();
      if (now.length <= MOST_LEFT_OUT) this.change({ leftOut: now }, true);
      else this.actions.tell(t("At least two classes must stay."));
    };
    const ariaLabel = t("leave the digits {0} out of the training", k);
    return el("button.digit", { type: "button", style: `--c:${colour}`, ariaLabel, onclick: toggle }, `${k}`);
  }

  // What the reader has set: its control has it already.
  private change(change: Partial<LabSettings>, newEntry?: boolean) {
    if (this.settings) this.settings = { ...this.settings, ...change };
    this.actions.set(change, newEntry);
  }

  private sow() {
    const given = this.seed.value;
    const seed = Math.min(LARGEST_SEED, Math.max(0, Math.round(this.seed.valueAsNumber) || 0));
    this.seed.value = `${seed}`;
    this.change({ seed }, true);
    if (given !== `${seed}`)
      this.actions.tell(t("The seed is {0}: seeds are whole numbers from 0 to {1}.", seed, formatCount(LARGEST_SEED)));
  }

  // A page opened from a file may have no clipboard: then the line is chosen, to be copied by hand.
  private async copy() {
    try {
      await navigator.clipboard.writeText(this.python.textContent ?? "");
      this.actions.tell(t("The line is copied."));
    } catch {
      this.python.focus();
      getSelection()?.selectAllChildren(this.python);
      this.actions.tell(t("The browser gives no access to the clipboard. The line is selected: copy it by hand."));
    }
  }

  // What the training has. A control that has the focus stays as the reader has left it, unless another value than it gave
  // is set, as by the browser's Back.
  show(settings: LabSettings) {
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
    const entry = lossEntry(loss);
    this.labels.margin.hidden = !entry.margin;
    this.labels.scale.hidden = entry.scale === null;
    this.labels.mining.hidden = !entry.mining.length;
    if (entry.margin) {
      const { least, most, whole } = entry.margin;
      this.margin.step = whole ? `${1 / (most - least)}` : "0.001";
      put("margin", `${placeOf(margin, loss)}`);
    }
    this.places.hidden = entry.family === "pairs";
    this.putBack.hidden = this.places.hidden || `${settings.seats}` === `${OWN_SEATS}`;
    this.moved.textContent = this.putBack.hidden ? "" : movedText(settings.seats);
    this.words.margin.textContent = `${margin}`;
    this.margin.setAttribute("aria-valuetext", `${margin}`);
    this.words.scale.textContent = `${scale}`;
    this.digits.forEach((chip, k) => setPressed(chip, leftOut.includes(k)));
    const line = pythonLine(settings);
    if (this.python.textContent !== line) this.python.textContent = line; // else what is chosen of it would be lost
  }

  // What has come of it.
  say({ running, begun, hasPicture, share, figures, points }: LabProgress) {
    this.play.textContent = running ? t("Pause") : begun ? t("Go on") : t("Start");
    this.save.disabled = !hasPicture;
    this.figures.textContent = figures;
    this.notInForce.textContent = this.settings ? notYetInForce(this.settings, begun, share) : "";
    this.notInForce.hidden = !this.notInForce.textContent;
    this.curve.replaceChildren(...learningCurve(points));
  }
}

// The margins that matter lie close to the least: the slider goes by their square root.
function marginAt(place: number, loss: string): number {
  const { least, most, whole } = lossEntry(loss).margin!;
  return whole ? Math.round(least + place * (most - least)) : +(least + (most - least) * place ** 2).toFixed(3);
}

function placeOf(margin: number, loss: string): number {
  const { least, most, whole } = lossEntry(loss).margin!;
  const share = (margin - least) / (most - least);
  return whole ? share : Math.sqrt(share);
}
