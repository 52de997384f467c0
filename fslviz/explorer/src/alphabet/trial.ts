// A trial: the page asks for the reader's signs in random order, and for some that are none of them; then it says how well
// each network has read them.
import { bdi, button, el } from "../common/elements";
import { formatCount, formatPercent } from "../common/format";
import { interval } from "../common/interval";
import { sentences, t, tNodes } from "../common/texts";
import { accepts } from "../common/threshold";
import { READERS, type Reader } from "../state/state";
import type { OwnSymbol } from "../state/symbols";
import type { SignReader } from "./sign-reader";

const ASKED = 10; // drawings of a trial
const STRANGERS = 3; // of them none of the reader's signs

export interface TrialHost {
  signs: SignReader;
  symbols(): OwnSymbol[];
  drawing(): string; // on the pad, "" for none
  fmr(): number;
  clear(): void; // the pad
  drawForMe(sign: OwnSymbol | null): void; // one of the signs, or a stranger
  changed(): void; // that a trial has begun or ended
}

interface Answer {
  asked: string | null; // a sign's name, or null for a stranger
  drawing: string;
}

export class Trial {
  readonly root = el("div.trial", { hidden: true });
  readonly begin = button(t("Trial"), () => this.start());
  private questions: (string | null)[] = [];
  private answers: Answer[] = [];
  private cards: OwnSymbol[] = []; // as they were when the trial began
  private prompt = el("p.verdict", { role: "status" });
  private line = el("p", {});
  private result = el("div", {});
  private bar: HTMLElement;

  constructor(private host: TrialHost) {
    const done = button(t("This is it"), () => this.answer());
    const draw = button(t("Draw it for me"), () =>
      host.drawForMe(this.cards.find(({ name }) => name === this.questions[this.answers.length]) ?? null),
    );
    const stop = button(t("Stop"), () => this.stop());
    this.bar = el("div.bar", {}, done, draw, stop);
    this.root.append(el("h4", {}, t("Trial")), this.prompt, this.bar, this.line, this.result);
  }

  get running() {
    return this.answers.length < this.questions.length;
  }

  private start() {
    this.cards = this.host.symbols();
    this.root.hidden = false;
    this.result.replaceChildren();
    this.answers = [];
    this.questions = this.cards.length ? asked(this.cards.map(({ name }) => name)) : [];
    this.line.textContent = this.questions.length
      ? t("The answers are hidden until the end.")
      : t("Learn two or three signs first: the trial asks for them.");
    this.host.clear();
    this.ask();
  }

  private ask() {
    const question = this.questions[this.answers.length];
    this.bar.hidden = this.prompt.hidden = !this.running;
    const count = [this.answers.length + 1, this.questions.length].map(String);
    if (!this.running) this.prompt.textContent = "";
    else if (question === null)
      this.prompt.textContent = t("{0} of {1}: draw something that is none of your signs", ...count);
    else this.prompt.replaceChildren(...tNodes("{0} of {1}: draw {2}", ...count, bdi(question)));
    this.host.changed();
  }

  private answer() {
    const drawing = this.host.drawing();
    if (!drawing) {
      this.line.textContent = t("Draw it on the square first, or let it be drawn for you.");
      return;
    }
    this.answers.push({ asked: this.questions[this.answers.length], drawing });
    this.line.textContent = "";
    this.host.clear();
    this.ask();
    if (this.running) return;
    this.begin.focus({ preventScroll: true }); // what was pressed is gone
    this.tell();
  }

  stop() {
    this.questions = this.questions.slice(0, this.answers.length);
    this.line.textContent = "";
    this.ask();
    if (this.answers.length) this.tell();
    else this.close();
  }

  private close() {
    this.root.hidden = true;
    this.begin.focus({ preventScroll: true }); // what was pressed is gone
  }

  private async tell() {
    const { answers } = this;
    this.line.textContent = t("Reading them with each network …");
    const problems = new Set<string>();
    const rows = [];
    for (const reader of READERS) {
      try {
        await this.host.signs.load(reader);
        rows.push(this.row(reader, answers));
      } catch (error) {
        problems.add((error as Error).message);
      }
    }
    if (answers !== this.answers || this.running) return;
    const heads = [t("characters met"), t("your signs read rightly"), t("strangers rejected")];
    const head = el("tr", {}, ...heads.map((text) => el("th", { scope: "col" }, text)));
    const close = button(t("Close"), () => this.close());
    this.result.replaceChildren(el("table", {}, el("thead", {}, head), el("tbody", {}, ...rows)), close);
    this.line.replaceChildren(t("In brackets: the 95% confidence interval."));
    if (problems.size)
      this.line.replaceChildren(
        sentences([...problems]),
        " ",
        button(t("Try again"), () => this.tell()),
      );
  }

  private row(reader: Reader, answers: Answer[]) {
    const { signs } = this.host;
    const { threshold } = signs.threshold(reader, this.host.fmr());
    const right = answers.map(({ asked, drawing }) => {
      const { nearest, far } = signs.read(reader, signs.image(drawing), this.cards);
      return asked === null ? !accepts(threshold, far) : accepts(threshold, far) && this.cards[nearest].name === asked;
    });
    const of = (stranger: boolean) => right.filter((_, i) => (answers[i].asked === null) === stranger);
    const cells = [false, true].map((stranger) => el("td", {}, counted(of(stranger))));
    return el("tr", {}, el("th", { scope: "row" }, readerName(signs, reader)), ...cells);
  }
}

export function readerName(signs: SignReader, reader: Reader) {
  return reader === "pixels" ? t("none: pixels") : formatCount(signs.about.readers[reader].met);
}

function counted(right: boolean[]) {
  const [k, n] = [right.filter(Boolean).length, right.length];
  if (!n) return t("none asked");
  const [low, high] = interval(k, n).map((v) => formatPercent(v).replace(/\.\d%/, ""));
  return t("{0} of {1} ({2} to {3}%)", k, n, low, high);
}

// Which signs are asked for, null for a stranger: each sign as often as the others, or nearly, in random order.
function asked(names: string[]): (string | null)[] {
  const rounds = Array.from({ length: ASKED }, () => shuffled(names))
    .flat()
    .slice(0, ASKED - STRANGERS);
  return shuffled([...rounds, ...Array.from({ length: STRANGERS }, () => null)]);
}

function shuffled<T>(all: T[]): T[] {
  const drawn = all.map((value) => [Math.random(), value] as const);
  return drawn.sort((a, b) => a[0] - b[0]).map(([, value]) => value);
}
