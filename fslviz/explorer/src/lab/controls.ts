// The lab's controls: what its training is held to, and what is told of it.
import { hex, type Rgb } from "../colour";
import { button, choices, el, menu, NAMES, press, slider } from "../dom";
import type { Lab as Held } from "../state";
import { MINING, MOST } from "./held";

const SCALED = ["normface", "cosface", "arcface"];
const LARGEST = 999_999; // seed

export interface Deeds {
  hold(change: Partial<Held>, deed?: boolean): void;
  play(): void;
  step(): void;
  afresh(): void;
  toggle(what: "slow" | "forces"): boolean; // what it is now
  save(): void;
}

// What stands beside the controls: whether it runs, and what it has learned.
export interface Told {
  running: boolean;
  begun: boolean;
  figures: string;
  losses: number[];
  rights: number[]; // 15-NN, beside the losses
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
  private curve = el("div.losses");
  private python = el("code");

  // `margins`: those that a loss begins with.
  constructor(
    colours: Rgb[],
    margins: Record<string, number>,
    private deeds: Deeds,
  ) {
    const { hold } = deeds;
    this.loss = menu("loss to learn with", (loss) => hold({ loss, margin: margins[loss] ?? 0 }, true));
    choices(
      this.loss,
      Object.entries(NAMES).filter(([loss]) => !loss.endsWith("-six")),
      "contrastive",
    );
    this.margin = slider("margin to learn with", [0, 1, 0.001], (v) => hold({ margin: marginAt(v, this.loss.value) }));
    this.scale = slider("scale to learn with", [1, 64, 1], (scale) => hold({ scale }));
    this.mining = menu("mining", (mining) => hold({ mining: mining as Held["mining"] }, true));
    choices(
      this.mining,
      MINING.map((m) => [m, m]),
      "all",
    );
    const whole = () => Math.min(LARGEST, Math.max(0, Math.round(this.seed.valueAsNumber) || 0));
    this.seed.onchange = () => hold({ seed: whole() }, true);
    this.from = menu("where it starts", (from) => hold({ from: from as Held["from"] }, true));
    choices(
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
    this.play = button("Start", () => deeds.play());
    this.digits = colours.map((c, k) => this.digit(hex(c), k));
    const bar = (...children: (Node | string)[]) => el("div.bar", {}, ...children);
    this.root.append(
      bar(el("label", {}, "loss ", this.loss), this.labels.mining),
      this.labels.margin,
      this.labels.scale,
      bar("without ", el("span.set", { role: "group", ariaLabel: "digits left out" }, ...this.digits)),
      bar(
        this.play,
        button("One step", () => deeds.step()),
        this.chip("Slow", "slow"),
        this.chip("Forces", "forces"),
      ),
      bar(
        el("label", {}, "from ", this.from),
        el("label", {}, "seed ", this.seed),
        button("Afresh", () => deeds.afresh()),
      ),
      this.figures,
      this.curve,
      bar(
        this.python,
        button("Copy", () => navigator.clipboard?.writeText(this.python.textContent ?? "")),
        button("Save picture", () => deeds.save()),
      ),
    );
  }

  private chip(text: string, what: "slow" | "forces") {
    const chip = button(text, () => press(chip, this.deeds.toggle(what)));
    press(chip, false);
    return chip;
  }

  private digit(colour: string, k: number) {
    const deed = () => {
      const left = this.digits.flatMap((chip, c) => (chip.ariaPressed === "true" ? [c] : []));
      const now = left.includes(k) ? left.filter((c) => c !== k) : [...left, k].sort();
      if (now.length <= 8) this.deeds.hold({ left: now }, true); // two classes stay, or there is nothing to tell apart
    };
    const ariaLabel = `leave the digits ${k} out of the training`;
    return el("button.digit", { type: "button", style: `--c:${colour}`, ariaLabel, onclick: deed }, `${k}`);
  }

  say(held: Held, told: Told) {
    const { loss, margin, scale, mining, left, seed, from } = held;
    this.from.value = from;
    this.play.textContent = told.running ? "Pause" : told.begun ? "Go on" : "Start";
    this.loss.value = loss;
    this.mining.value = mining;
    this.seed.value = `${seed}`;
    this.labels.margin.hidden = !(loss in MOST);
    this.labels.scale.hidden = !SCALED.includes(loss);
    this.labels.mining.hidden = loss !== "triplet";
    if (loss in MOST) {
      this.margin.step = loss === "sphereface" ? `${1 / (MOST.sphereface - 1)}` : "0.001";
      this.margin.value = `${placeOf(margin, loss)}`;
    }
    this.words.margin.textContent = `${margin}`;
    this.margin.setAttribute("aria-valuetext", `${margin}`);
    this.scale.value = `${scale}`;
    this.words.scale.textContent = `${scale}`;
    this.digits.forEach((chip, k) => press(chip, left.includes(k)));
    this.python.textContent = python(held);
    this.figures.textContent = told.figures;
    this.curve.innerHTML = curve(told.losses, told.rights);
  }
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
function python({ loss, margin, mining, left, seed }: Held): string {
  const kept = [...Array(10).keys()].filter((k) => !left.includes(k));
  const digits = left.length ? `fslviz.load().classes(${kept.join(", ")})` : "fslviz.load()";
  const options = [loss in MOST ? `, margin=${margin}` : "", loss === "triplet" ? `, mining="${mining}"` : ""].join("");
  return `fslviz.train("${loss}", ${digits}, seed=${seed}${options})`;
}

function curve(losses: number[], rights: number[]): string {
  if (losses.length < 2) return "";
  const most = Math.max(...losses) || 1;
  const line = (values: number[], top: number) => values.map((v, i) => `${i},${(1 - v / top).toFixed(3)}`).join(" ");
  const said = `the loss, from 0 to ${most.toPrecision(2)}, and 15-NN, from 0 to 100%, over the images seen`;
  return `<svg viewBox="0 0 ${losses.length - 1} 1" preserveAspectRatio="none" role="img" aria-label="${said}">
    <polyline class="fx-eer" points="${line(losses, most)}"/><polyline class="fx-nn" points="${line(rights, 1)}"/></svg>
    <div class="fx-key"><span class="fx-eer">loss</span><span class="fx-nn">15-NN</span></div>`;
}
