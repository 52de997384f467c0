// A closer look, on request: a digit bent by a slider, the worst pairs of a space, what moved from one to another.
import type { Rgb } from "../common/colour";
import { arrangeChildren, button, context2d, el, fillMenu, menu, slider } from "../common/elements";
import { formatDistance } from "../common/format";
import { displayName } from "../common/loss-name";
import { t, tNodes } from "../common/texts";
import type { Pack } from "../data/pack";
import { BENDS } from "../embedding/bend";
import { paintImage } from "../panels/thumbnails";
import { moved, type Pair, worst } from "../space/neighbours";
import { spaceOf } from "../space/space";
import type { State } from "../state/state";

const PAIRS = 6; // of each kind

export interface InspectorHost {
  state: State;
  initial: State;
  renderLoop: { surroundings: { ink: Rgb } };
  set(change: Partial<State>, newEntry: boolean): void;
  bendChanged(): void;
  update(glide: boolean): void;
}

export class Inspector {
  readonly root = el("details.look");
  readonly bend = { kind: "rotate", amount: 0 };
  private kind: HTMLSelectElement;
  private slider: HTMLInputElement;
  private said = el("p.figures");
  private picture = el("canvas.bent", { width: 28, height: 28, role: "img", ariaLabel: t("the digit as it is bent") });
  private where: HTMLSelectElement;
  private lists = { hardNegatives: el("div.pairs"), hardPositives: el("div.pairs") };
  private from: HTMLSelectElement;
  private to: HTMLSelectElement;
  private changes = el("div.bar");
  private requested = "";

  constructor(
    private pack: Pack,
    private labels: Uint8Array,
    private host: InspectorHost,
  ) {
    this.kind = menu(t("how a digit is bent"), (kind) => this.bent(kind, 0));
    this.slider = slider(t("how far it is bent"), [-1, 1, 0.02], (v) =>
      this.bent(this.bend.kind, v * BENDS[this.bend.kind].most),
    );
    this.where = menu(t("space of the worst pairs"), () => this.update());
    this.from = menu(t("from"), () => this.update());
    this.to = menu(t("to"), () => this.update());
    fillMenu(
      this.kind,
      Object.entries(BENDS).map(([kind, { name }]) => [kind, name()]),
      "rotate",
    );
    const pairs = el("section.wide", {}, el("h4", {}, t("The worst pairs")));
    pairs.append(el("label.bar", {}, ...tNodes("in {0}", this.where)));
    pairs.append(el("p.figures", {}, t("Of two classes, and nearest:")), this.lists.hardNegatives);
    pairs.append(el("p.figures", {}, t("Of one class, and farthest apart:")), this.lists.hardPositives);
    const bend = el("section", {}, el("h4", {}, t("A digit, bent")), el("div.bar", {}, this.picture, this.kind));
    bend.append(this.slider, this.said);
    const changes = el("section", {}, el("h4", {}, t("What moved")));
    changes.append(el("div.bar", {}, ...tNodes("{0} to {1}", this.from, this.to)), this.changes);
    this.root.append(el("summary", {}, t("Look closer: bend a digit, what moved, the worst pairs")));
    this.root.append(el("div.looks", {}, bend, changes, pairs));
    this.root.addEventListener("toggle", () => this.host.update(false));
  }

  private bent(kind: string, amount: number) {
    Object.assign(this.bend, { kind, amount });
    this.host.bendChanged();
  }

  // What is bent: an image as it is now, or none.
  say(image: Float32Array | null, whose: string) {
    const { kind, amount } = this.bend;
    this.slider.value = `${amount / BENDS[kind].most}`;
    this.slider.disabled = !image;
    this.said.textContent = image
      ? BENDS[kind].say(whose, amount)
      : t("Click a digit in a space, or draw one, then move the slider.");
    this.slider.setAttribute("aria-valuetext", this.said.textContent);
    const ctx = context2d(this.picture);
    ctx.clearRect(0, 0, 28, 28);
    if (image) paintImage(ctx, image, 0, 0, this.ink);
  }

  // The lists, for the spaces that are shown now.
  async update() {
    if (!this.root.open) return;
    this.offer();
    const [space, from, to] = [this.host.state.networks[this.where.value], this.from.value, this.to.value];
    const asked = `${space} ${from} ${to} ${this.ink}`;
    if (this.requested === asked) return;
    this.requested = asked;
    const late = () => this.requested !== asked;
    const spaces = await Promise.all([space, from, to].map((name) => spaceOf(this.pack, name)));
    if (late()) return;
    const { hardNegatives, hardPositives } = await worst(spaces[0], this.labels, PAIRS);
    await Promise.all([
      this.list(this.lists.hardNegatives, hardNegatives),
      this.list(this.lists.hardPositives, hardPositives),
    ]);
    if (late()) return;
    const found = await moved(spaces[1], spaces[2], this.labels);
    if (late()) return;
    const chip = (kind: "lost" | "won", words: string) =>
      button(words, () => this.host.set({ selection: { kind, from, to } }, true));
    arrangeChildren(this.changes, [
      chip("lost", t("{0} lost neighbours of their class", found.lost.length)),
      chip("won", t("{0} won some", found.won.length)),
    ]);
  }

  private get ink() {
    return this.host.renderLoop.surroundings.ink;
  }

  // The spaces to choose from; what was chosen stays where it can.
  private offer() {
    const { losses, networks } = this.host.state;
    const all = Object.entries(this.pack.manifest.spaces).filter(([, { loss }]) => losses.includes(loss));
    const offered = all.map(([name, { loss, margin, classes }]): [string, string] => {
      return [name, displayName(loss) + (margin === null || classes ? "" : ` ${margin}`)];
    });
    const keep = (select: HTMLSelectElement, values: string[], otherwise: string) =>
      values.includes(select.value) ? select.value : otherwise;
    const values = offered.map(([name]) => name);
    const [first, second = first] = losses;
    const other = values.find((v) => v !== networks[first]) ?? networks[first];
    fillMenu(
      this.where,
      losses.map((l) => [l, displayName(l)]),
      keep(this.where, losses, first),
    );
    fillMenu(this.from, offered, keep(this.from, values, networks[first]));
    fillMenu(this.to, offered, keep(this.to, values, second === first ? other : networks[second]));
  }

  private async list(root: HTMLElement, pairs: Pair[]) {
    const buttons = pairs.map(async ({ digits, distance: d }) => {
      const images = await Promise.all(digits.map((i) => this.pack.image("digits", i)));
      const canvas = el("canvas", { width: 58, height: 28, ariaHidden: "true" });
      images.forEach((image, n) => paintImage(context2d(canvas), image, 30 * n, 0, this.ink));
      const [a, b] = digits.map((i) => this.labels[i]);
      const name = t("a {0} and a {1}, {2} apart", a, b, formatDistance(d));
      const show = () => this.host.set({ pins: digits, views: this.host.initial.views }, true);
      const properties = { type: "button", ariaLabel: name, title: name, onclick: show };
      return el("button.pairing", properties, canvas, formatDistance(d));
    });
    arrangeChildren(root, await Promise.all(buttons));
  }
}
