// Symbols enrolled beside the ten digits; the drawing on the pad identified, or one claim verified, at a threshold.
import { arrangeChildren, button, el, fillMenu, menu, slider } from "../common/elements";
import { formatDistance, formatPercent } from "../common/format";
import type { Place } from "../common/geometry";
import { displayName } from "../common/loss-name";
import { t, tNodes } from "../common/texts";
import type { Scores } from "../space/scores";
import type { Space } from "../space/space";
import { drawnSign, type State } from "../state/state";
import { firstSign } from "../state/symbol-names";
import { enrolled, Refusal } from "../state/symbols";
import { Enrolment, type Verifier } from "./enrolment";
import { histogram } from "./histogram";
import { distanceRow, verdict } from "./verdict";

export interface GalleryHost {
  state: State;
  set(change: Partial<State>, newEntry: boolean): void;
}

export class Gallery {
  readonly root: HTMLElement;
  private enrolment: Enrolment;
  private threshold = 0; // in force
  private claim = ""; // a name, or "" for none
  private spaceMenu: HTMLSelectElement;
  private claimMenu: HTMLSelectElement;
  private name: HTMLInputElement;
  private list = el("div.bar");
  private verdict = el("p.verdict");
  private bars = el("div.bars", { role: "list", ariaLabel: t("distance of the drawing to each template") });
  private chart = el("div.histogram");
  private figures = el("p.figures");
  private slider: HTMLInputElement;
  private areas = el("input", { type: "checkbox" });

  // `standardised`: an image as the networks take it; `drawable`: whether a drawing can be placed at all.
  constructor(
    labels: { test: Uint8Array; known: Uint8Array },
    standardised: (image: Float32Array) => Float32Array,
    private host: GalleryHost,
    private drawable: boolean,
  ) {
    this.enrolment = new Enrolment(labels, standardised);
    this.spaceMenu = menu(t("space to verify in"), (gallerySpace) => host.set({ gallerySpace }, true));
    this.claimMenu = menu(t("claimed name"), (claim) => {
      this.claim = claim;
      host.set({}, false);
    });
    this.name = el("input", { type: "text", value: "✶", maxLength: 12, ariaLabel: t("name of the symbol"), size: 6 });
    const as = [el("label", {}, ...tNodes("as {0}", this.name)), button(t("Enrol this drawing"), () => this.enrol())];
    this.slider = slider(t("threshold"), [0, 1, 0.001], (v) => {
      const { scores, networkName: network } = this.enrolment;
      if (scores) host.set({ threshold: { network, value: v * scores.sliderMax } }, false);
    });
    this.areas.onchange = () => host.set({ areas: this.areas.checked }, true);
    this.root = el("section.enrol", { ariaLabel: t("enrol and verify") });
    this.root.append(
      el("h4", {}, t("Enrol and verify")),
      el("div.bar", {}, el("label", {}, ...tNodes("in {0}", this.spaceMenu)), ...(drawable ? as : [])),
      this.list,
      el("div.bar", {}, el("label", {}, ...tNodes("the drawing claims to be {0}", this.claimMenu))),
      this.verdict,
      this.bars,
      this.chart,
      this.slider,
      this.figures,
      el("label.check", {}, this.areas, " ", t("show what each digit's template accepts")),
    );
  }

  private enrol() {
    const { symbols } = this.host.state;
    try {
      const more = enrolled(symbols, this.name.value, drawnSign(this.host.state), true);
      this.host.set({ symbols: more, drawing: "" }, true);
    } catch (problem) {
      if (!(problem instanceof Refusal)) throw problem;
      this.verdict.textContent = problem.message;
    }
  }

  private forget(name: string) {
    const symbols = this.host.state.symbols.filter((symbol) => symbol.name !== name);
    if (!symbols.length) this.name.focus();
    this.host.set({ symbols }, true);
  }

  get empty() {
    return !this.host.state.symbols.length;
  }

  // A sample of each symbol.
  get drawings() {
    const { symbols } = this.host.state;
    return symbols.map(({ name, samples }) => ({ name: firstSign(name), image: this.enrolment.image(samples[0]) }));
  }

  get said() {
    return this.verdict.textContent ?? "";
  }

  // Where a network's threshold stands until it is moved; undefined while another is measured.
  defaultThreshold(network: string) {
    const { networkName, scores } = this.enrolment;
    return network === networkName ? scores?.defaultThreshold : undefined;
  }

  // What cannot be verified, in one line.
  showProblem(problem: string) {
    this.verdict.textContent = problem;
    this.enrolment.clear();
    this.chart.replaceChildren();
    this.figures.textContent = "";
    this.slider.disabled = true;
    this.bars.replaceChildren();
  }

  // `drawing`: where the drawing on the pad lies, where the space shows it.
  update(verifier: Verifier, drawing: Place | null, threshold: number | null) {
    const scores = this.enrolment.update(verifier, this.host.state.symbols);
    this.threshold = threshold ?? scores.defaultThreshold;
    this.menus();
    this.chips();
    this.say(scores);
    this.judge(verifier.space, drawing, scores.sliderMax);
  }

  private menus() {
    const { losses, gallerySpace, areas } = this.host.state;
    const names = this.enrolment.templates.map(({ name }) => name);
    if (!names.includes(this.claim)) this.claim = "";
    fillMenu(
      this.spaceMenu,
      losses.map((l) => [l, displayName(l)]),
      gallerySpace,
    );
    const claims = names.map((name): [string, string] => [name, name]);
    fillMenu(this.claimMenu, [["", t("nobody: who is it?")], ...claims], this.claim); // "" identifies the drawing
    this.areas.checked = areas;
  }

  private say(scores: Scores) {
    const { threshold, slider, figures, chart } = this;
    const { fmr, fnmr } = scores.ratesAt(threshold);
    const rates = [fmr, fnmr].map(formatPercent);
    figures.textContent = t("threshold {0} · FMR {1} · FNMR {2}", formatDistance(threshold), ...rates);
    slider.disabled = false;
    slider.value = `${threshold / scores.sliderMax}`;
    slider.setAttribute("aria-valuetext", figures.textContent);
    chart.replaceChildren(...histogram(scores.genuine, scores.impostor, scores.sliderMax, threshold));
  }

  private judge(space: Space, drawing: Place | null, end: number) {
    const distances = drawing ? this.enrolment.distances(space, drawing, this.claim) : [];
    this.bars.replaceChildren(...distances.map((one) => distanceRow(one, this.threshold, end)));
    const words = distances.length ? verdict(distances, this.threshold, this.claim) : [this.invite()];
    this.verdict.replaceChildren(...words);
  }

  private invite(): string {
    if (!this.drawable) return "";
    if (drawnSign(this.host.state))
      return t("Drawings are embedded by the trained networks: go to the end of the training.");
    if (!this.empty) return t("Now draw a probe: the symbol again, a digit, or something else.");
    return t("Draw a symbol of your own that is no digit, and enrol it from one to five drawings.");
  }

  private chips() {
    const chips = this.host.state.symbols.map(({ name, samples: { length } }) => {
      const old = [...this.list.children].find((c) => (c as HTMLElement).dataset.name === name) as HTMLElement;
      const label = el("span.name", { title: name }, name);
      const count = `${length}`;
      const words = length === 1 ? tNodes("{0}: 1 sample ✕", label) : tNodes("{0}: {1} samples ✕", label, count);
      const chip = old ?? button("", () => this.forget(name), { ariaLabel: t("forget {0}", name) });
      chip.dataset.name = name;
      if (chip.dataset.samples !== count) chip.replaceChildren(...words);
      chip.dataset.samples = count;
      return chip;
    });
    arrangeChildren(this.list, chips);
  }

  // Where the enrolled symbols lie in a space, and what is accepted as whom.
  marks({ loss, areas }: { loss: string; areas: boolean }, space: Space, colour: (k: number) => string) {
    const drawn = loss === this.spaceMenu.value && space.moment === 1 && space.name === this.enrolment.networkName;
    return drawn ? this.enrolment.marks(this.threshold, areas, colour) : { rings: [], areas: [] };
  }
}
