// The reader's own alphabet: a sign is learned from one drawing, and read while the pen moves.
import { bdi, button, el, setPressed, slider } from "../common/elements";
import { formatPercent } from "../common/format";
import type { Place } from "../common/geometry";
import { sentences, t, tNodes } from "../common/texts";
import { accepts } from "../common/threshold";
import type { Pack } from "../data/pack";
import { redrawn } from "../embedding/hand";
import { imageOf } from "../embedding/image";
import { parted } from "../embedding/line";
import { WIDE } from "../side-panels/pad";
import { drawnSign, READERS, type State } from "../state/state";
import { strokesToText, textToStrokes } from "../state/strokes";
import { cleaned, isDigit } from "../state/symbol-names";
import { enrolled, MOST, type OwnSymbol, Refusal } from "../state/symbols";
import { readAlphabet, saveAlphabet } from "./alphabet-file";
import { Cards } from "./cards";
import { charactersOf, NearestCharacters, picture } from "./characters";
import { distance, SignReader } from "./sign-reader";
import { readerName, Trial } from "./trial";

export interface AlphabetHost {
  state: State;
  set(change: Partial<State>, newEntry: boolean): void;
}

export class Alphabet {
  readonly root = el("section.alphabet", { ariaLabel: t("your alphabet") });
  readonly signs: SignReader;
  readonly trial: Trial;
  private cards: Cards;
  private nearest: NearestCharacters;
  private request = 0;
  private next = Math.floor(50 * Math.random()); // of the characters to draw
  private paired = ""; // for what the pairs that are too near were sought
  private pairs: [number, number][] = [];
  private name = el("input", { type: "text", maxLength: 12, ariaLabel: t("name of the sign"), size: 6 });
  private verdict = el("p.verdict");
  private line = el("div.line");
  private said = el("p", { role: "status" }); // of what was just done
  private doubts = el("p.note", { hidden: true });
  private figures = el("p.figures");
  private slider: HTMLInputElement;
  private readers: HTMLButtonElement[];
  private wide = button(t("A line of writing"), () => {
    this.tell("");
    this.host.set({ wide: !this.host.state.wide, drawing: "" }, true);
  });
  private file = el("input", { type: "file", accept: ".txt,text/plain", hidden: true });

  // `standardised`: an image as the networks take it. `digits`: whether the ten digits are enrolled beside the signs.
  constructor(
    private pack: Pack,
    standardised: (image: Float32Array) => Float32Array,
    private host: AlphabetHost,
    private digits: boolean,
  ) {
    this.signs = new SignReader(pack, standardised);
    this.cards = new Cards({
      teach: (name) => this.teach(name),
      draw: (name) => this.redraw(host.state.symbols.find((one) => one.name === name)!),
      forget: (name) => this.forget(name),
    });
    this.nearest = new NearestCharacters(pack, this.signs, () => this.update());
    this.trial = new Trial({
      signs: this.signs,
      symbols: () => host.state.symbols,
      drawing: () => drawnSign(host.state),
      fmr: () => host.state.fmr,
      clear: () => host.set({ drawing: "", wide: false }, false),
      drawForMe: (sign) => (sign ? this.redraw(sign) : this.drawNew(true)),
      changed: () => this.update(),
    });
    this.readers = READERS.map((reader) => button("", () => this.host.set({ reader }, true)));
    this.slider = slider(t("share of different signs that pass"), [0, 1, 1], (i) => {
      host.set({ fmr: this.signs.about.fmr[i] }, false);
    });
    this.name.onkeydown = ({ key, isComposing }) => {
      if (key === "Enter" && !isComposing) this.learn();
    };
    this.file.onchange = () => this.open();
  }

  // Builds it, once what is known of the networks has come.
  async start() {
    await this.signs.open();
    const { about } = this.signs;
    this.readers.forEach((chip, i) => (chip.textContent = readerName(this.signs, READERS[i])));
    this.slider.max = `${about.fmr.length - 1}`;
    const save = button(t("Save"), () => this.save());
    const open = button(t("Open"), () => this.file.click());
    const forMe = button(t("A sign for me"), () => this.drawNew(false));
    const learn = button(t("Learn it"), () => this.learn());
    const limits = t(
      "It reads shapes as they stand: a sign drawn upside down is mostly another sign. It was made for lines, not for photographs.",
    );
    const group = { role: "group", ariaLabel: t("how many characters the network has met") };
    const readers = new DocumentFragment();
    readers.append(...this.readers);
    this.root.append(
      el("h4", {}, t("Your alphabet")),
      this.trial.root,
      this.verdict,
      this.line,
      el("div.bar", {}, el("label", {}, ...tNodes("name {0}", this.name)), learn, forMe),
      this.said,
      this.cards.root,
      this.doubts,
      el("div.bar", group, ...tNodes("The network has met {0} characters", readers)),
      el("label.cutoff", {}, t("threshold"), this.slider),
      this.figures,
      el("div.bar", {}, this.wide, this.trial.begin, save, open, this.file),
      this.nearest.root,
      el("p.figures", {}, limits),
    );
  }

  get announced() {
    return this.verdict.textContent ?? "";
  }

  // ---- what the reader does

  private learn() {
    const { symbols, drawing, wide } = this.host.state;
    const taken = new Set(symbols.map(({ name }) => name));
    let number = 1;
    while (taken.has(t("sign {0}", number))) number++;
    const name = this.name.value.trim() || t("sign {0}", number);
    if (wide) return this.tell(t("A line holds more than one sign: go back to the square to learn one."));
    if (!drawing) this.tell(t("Draw something first: a line or more, a dot is not enough."));
    else if (this.enrol(name)) this.name.value = "";
  }

  private teach(name: string) {
    const { drawing, wide } = this.host.state;
    if (wide || !drawing) this.tell(t("Draw a sign on the square first, then press the card that it belongs to."));
    else this.enrol(name);
  }

  // Whether the drawing was taken.
  private enrol(given: string): boolean {
    try {
      const symbols = enrolled(this.host.state.symbols, given, this.host.state.drawing, this.digits);
      const name = cleaned(given);
      const { length } = symbols.find((one) => one.name === name)!.samples;
      this.host.set({ symbols, drawing: "" }, true);
      const words =
        length > 1
          ? tNodes("{0} has {1} drawings now.", bdi(name), `${length}`)
          : tNodes("{0} is learned. Draw it again.", bdi(name));
      this.tell(...words);
      return true;
    } catch (problem) {
      if (!(problem instanceof Refusal)) throw problem;
      this.tell(problem.message);
      return false;
    }
  }

  private forget(name: string) {
    const symbols = this.host.state.symbols.filter((one) => one.name !== name);
    if (!symbols.length) this.name.focus();
    this.host.set({ symbols }, true);
    this.tell(...tNodes("{0} is forgotten.", bdi(name)));
  }

  // A sign of the reader's, drawn anew by the simulated hand.
  private redraw({ samples }: OwnSymbol) {
    this.draw(textToStrokes(any(samples)));
  }

  // A character that no network has met. Those of the trial's strangers are others.
  private async drawNew(stranger: boolean) {
    const request = this.request;
    try {
      const all = charactersOf(new Uint8Array(await this.pack.part("alphabet/new")));
      const some = all.filter((_, i) => (i % 2 === 1) === stranger);
      if (request === this.request) this.draw(some[this.next++ % some.length]); // else the reader has moved on
    } catch (error) {
      this.tell((error as Error).message);
    }
  }

  private draw(strokes: Place[][]) {
    this.host.set({ wide: false, drawing: strokesToText(redrawn(strokes, Math.random)) }, false);
  }

  private save() {
    if (this.host.state.symbols.length) saveAlphabet(this.host.state.symbols);
    else this.tell(t("There is nothing to save yet."));
  }

  private async open() {
    const [file] = this.file.files ?? [];
    this.file.value = "";
    if (!file) return;
    try {
      const opened = await readAlphabet(file);
      if (this.digits && opened.some(({ name }) => isDigit(name)))
        throw new Refusal(t("One of its signs is named after a digit, and the ten digits are enrolled already."));
      const names = new Set(opened.map(({ name }) => name));
      const kept = this.host.state.symbols.filter(({ name }) => !names.has(name));
      if (kept.length + opened.length > MOST)
        throw new Refusal(t("With these there would be more than {0} signs.", MOST));
      this.host.set({ symbols: [...kept, ...opened] }, true);
      this.tell(t("Signs from {0}: {1}.", file.name, opened.length));
    } catch (problem) {
      this.tell((problem as Error).message);
    }
  }

  private tell(...words: (Node | string)[]) {
    this.said.replaceChildren(...words);
  }

  // ---- what is shown of it

  // While a network is on its way, that is said; what comes late is not shown.
  async update() {
    const request = ++this.request;
    const late = () => request !== this.request;
    const { state } = this.host;
    this.readers.forEach((chip, i) => setPressed(chip, READERS[i] === state.reader));
    setPressed(this.wide, state.wide);
    this.wide.disabled = this.trial.running;
    this.cards.arrange(state.symbols);
    if (state.drawing) this.tell("");
    this.judge();
    if (state.drawing && !this.signs.has(state.reader)) {
      try {
        await this.signs.load(state.reader);
      } catch (error) {
        if (!late()) this.verdict.textContent = (error as Error).message;
        return;
      }
      if (this.host.state.reader === state.reader) this.judge();
    }
    if (!late()) await this.nearest.update(state.reader, drawnSign(state), late);
  }

  private judge() {
    const { symbols, reader, fmr, drawing, wide } = this.host.state;
    const at = this.signs.threshold(reader, fmr);
    const doubtful = new Set(this.tooNear(symbols, at.threshold).flat());
    const hidden = this.trial.running;
    const reads = drawing && symbols.length && !hidden;
    const ready = this.signs.has(reader);
    const reading = reads && ready && !wide ? this.signs.read(reader, this.signs.image(drawing), symbols) : null;
    this.cards.say(reading, at.threshold, 2 * at.threshold, doubtful);
    this.line.replaceChildren();
    if (hidden) this.verdict.textContent = t("The answer is hidden until the trial ends.");
    else if (!symbols.length)
      this.verdict.textContent = t("Draw a sign that nobody has ever seen, and press Learn it. Then draw it again.");
    else if (!reads) this.verdict.textContent = t("Draw one of your signs, or something else.");
    else if (!ready) this.verdict.textContent = t("Fetching the network …");
    else if (!reading) this.readLine(symbols, at.threshold);
    else {
      const nearest = bdi(symbols[reading.nearest].name);
      const words = accepts(at.threshold, reading.far)
        ? tNodes("It is {0}.", nearest)
        : tNodes("None of these: the nearest, {0}, is beyond the threshold.", nearest);
      this.verdict.replaceChildren(...words);
    }
    this.say(symbols.length, at);
  }

  private say(count: number, { threshold, fmr, fnmr }: { threshold: number; fmr: number; fnmr: number }) {
    this.slider.value = `${this.signs.level(fmr)}`;
    const crowd = formatPercent(1 - (1 - fmr) ** count);
    const pairs = t(
      "At {0}, {1} of the pairs of different characters pass, and {2} of the pairs of one character do not: measured on characters that no network was trained on.",
      threshold.toFixed(2),
      formatPercent(fmr),
      formatPercent(fnmr),
    );
    const all = t("With {0} signs, about {1} of such strangers pass, and more of signs that look alike.", count, crowd);
    this.figures.textContent = count > 1 ? `${pairs} ${all}` : pairs;
    this.slider.setAttribute("aria-valuetext", formatPercent(fmr));
  }

  // A line of writing as a row of names.
  private readLine(symbols: OwnSymbol[], threshold: number) {
    const { reader, drawing } = this.host.state;
    const pieces = parted(textToStrokes(drawing), WIDE);
    const doubts: string[] = [];
    const read = pieces.map(({ strokes, gap, wide }, i) => {
      const { nearest, far } = this.signs.read(reader, imageOf(strokes)!, symbols);
      const within = accepts(threshold, far);
      if (gap) doubts.push(t("Piece {0} may be two signs: leave a wider gap, or none.", i + 1));
      else if (wide && !within) doubts.push(t("Piece {0} may be more than one sign: leave a gap between them.", i + 1));
      const name = within ? symbols[nearest].name : "–";
      return el(within ? "span.piece" : "span.piece.unread", {}, picture(strokes), el("span.name", {}, name));
    });
    this.line.replaceChildren(...read);
    const names = el("span", {}, ...read.flatMap((piece, i) => [i ? " " : "", bdi(piece.textContent ?? "")]));
    const words = doubts.length ? tNodes("It says: {0}. {1}", names, sentences(doubts)) : tNodes("It says: {0}", names);
    this.verdict.replaceChildren(...words);
  }

  // Signs nearer to each other than the threshold: those that were just learned are pointed out.
  private tooNear(symbols: OwnSymbol[], threshold: number): [number, number][] {
    const { reader } = this.host.state;
    if (!this.signs.has(reader)) {
      this.doubts.hidden = true;
      this.paired = "";
      return [];
    }
    const asked = JSON.stringify([reader, threshold, symbols]);
    if (asked !== this.paired) {
      this.paired = asked;
      const places = symbols.map((one) => this.signs.template(reader, one));
      this.pairs = places.flatMap((a, i) =>
        places.slice(0, i).flatMap((b, j): [number, number][] => (accepts(threshold, distance(a, b)) ? [[j, i]] : [])),
      );
      this.doubts.hidden = !this.pairs.length;
      const [first] = this.pairs.slice(-1);
      if (first) {
        const [a, b] = first.map((i) => bdi(symbols[i].name));
        const words = tNodes(
          "{0} and {1} are closer to each other than the threshold: draw one of them in another way, give each a second drawing, or move the threshold down.",
          a,
          b,
        );
        this.doubts.replaceChildren(...words);
      }
    }
    return this.pairs;
  }
}

function any<T>(all: T[]): T {
  return all[Math.floor(all.length * Math.random())];
}
