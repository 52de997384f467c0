// A figure with controls: every picture that they can make was drawn when the page was built, and is put together here
// from its pieces. They are fetched once a control is touched.
import { Announcer } from "../common/announcer";
import { surroundings } from "../common/colour";
import { button, el, setPressed, slider } from "../common/elements";
import { listed, t, tr } from "../common/texts";
import { inflate } from "../data/pack";

interface Control {
  name: string;
  values: string[];
  at: number;
  choice: boolean; // one of some words, no number along a slider
}

type Slot = [controls: number[], indices: number[]];
type Pictures = [pieces: string[], slots: Slot[]];

export class MovingFigure {
  chosen: number[];
  private pictures: Promise<Pictures> | null = null;
  private announcer = new Announcer();
  private problem = el("p.fault", { role: "alert", hidden: true });
  private readouts: (() => void)[] = [];
  private words: string; // of the notebook's picture: true where all stands as it did there

  // `image`: where the notebook's own picture stands.
  constructor(
    root: HTMLElement,
    readonly image: HTMLImageElement,
    private controls: Control[],
    private ask: () => Promise<Uint8Array<ArrayBuffer>>,
  ) {
    this.chosen = controls.map(({ at }) => at);
    this.controls = controls.map((one) => ({ ...one, name: tr(one.name), values: one.values.map(tr) })); // from Python
    this.words = image.alt;
    root.dir = "ltr"; // as the figure is: its axes don't turn with the page
    const made = this.controls.map((control, k) => (control.choice ? this.chips(control, k) : this.slider(control, k)));
    root.replaceChildren(...made, this.problem, this.announcer.root);
    const shade = el("span.shade");
    root.append(shade);
    const dress = () => root.classList.toggle("fx-dark", surroundings(root, shade).dark);
    new MutationObserver(dress).observe(document.documentElement, { attributes: true });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", dress);
    for (const type of ["pointerenter", "pointerdown", "focusin"]) root.addEventListener(type, () => this.fetch());
    dress();
    this.say();
  }

  private slider({ name, values }: Control, k: number) {
    const shown = el("b");
    const input = slider(name, [0, values.length - 1, 1], (i) => this.choose(k, i));
    input.value = `${this.chosen[k]}`; // from here on nothing but a hand moves it
    this.readouts.push(() => {
      const value = values[this.chosen[k]];
      shown.textContent = value;
      input.setAttribute("aria-valuetext", value);
    });
    return el("label.moved", {}, el("span", {}, name), shown, input);
  }

  private chips({ name, values }: Control, k: number) {
    const chips = values.map((value, i) => button(value, () => this.choose(k, i)));
    this.readouts.push(() => chips.forEach((chip, i) => setPressed(chip, i === this.chosen[k])));
    return el("div.bar", { role: "group", ariaLabel: name }, el("span", {}, name), ...chips);
  }

  private say() {
    for (const say of this.readouts) say();
  }

  private fetch(): Promise<Pictures> {
    this.pictures ??= this.ask()
      .then(inflate)
      .then((bytes) => JSON.parse(new TextDecoder().decode(bytes)) as Pictures);
    this.pictures.catch(() => {
      this.pictures = null; // the next touch asks again
    });
    return this.pictures;
  }

  private async choose(k: number, i: number) {
    this.chosen = this.chosen.map((before, c) => (c === k ? i : before));
    this.say();
    try {
      this.show(this.picture(await this.fetch()));
    } catch (error) {
      this.problem.textContent = t("The other pictures can't be read: {0}", (error as Error).message);
      this.problem.hidden = false;
    }
  }

  private picture([pieces, slots]: Pictures): string {
    const texts = slots.map(([by, indices]) => {
      const place = by.reduce((sum, k) => sum * this.controls[k].values.length + this.chosen[k], 0);
      return pieces[indices[place]];
    });
    return texts.join("");
  }

  // The picture, as large as the notebook's, and what it shows for those who can't see it.
  private show(text: string) {
    const { image } = this;
    this.problem.hidden = true;
    const read = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
    image.width = Math.round((Number.parseFloat(read.getAttribute("width") ?? "") * DPI) / 72);
    image.src = `data:image/svg+xml,${encodeURIComponent(text)}`;
    const settings = this.controls.map(({ name, values }, k) => `${name} ${values[this.chosen[k]]}`);
    const facts = [...read.querySelectorAll("desc")].map((desc) => fact(desc.textContent ?? ""));
    const words = t("{0}: {1}", listed(settings), listed(facts));
    image.alt = this.controls.every(({ at }, k) => at === this.chosen[k]) ? this.words : words;
    this.announcer.say(words);
  }
}

// What Python says of a picture, in the page's language.
function fact(english: string): string {
  const [, line, first, last] = /^(.+) from (\S+) to (\S+)$/.exec(english) ?? [];
  if (line) return t("{0} from {1} to {2}", tr(line), first, last);
  const [, histogram, middle] = /^(.+) around (\S+)$/.exec(english) ?? [];
  if (histogram) return t("{0} around {1}", tr(histogram), middle);
  const [, up, across] = /^(.+) over (.+)$/.exec(english) ?? [];
  return up ? t("{0} over {1}", tr(up), tr(across)) : listed(english.split("\n").map(tr));
}

const DPI = 150; // of the notebook's pictures
