// Symbols enrolled beside the ten digits; the drawing on the pad identified, or one claim verified, at a threshold.
import { histogram } from "../squares/margin-curve";
import { arrangeChildren, button, fillMenu, distance, el, menu, NAMES, percent, slider } from "../common/elements";
import type { Place } from "../common/geometry";
import { imageOf, textToStrokes } from "../embedding/image";
import { Scores, type Template, template, templates } from "../space/scores";
import { cleaned, firstSign, isDigit, visible } from "../state/symbol-names";
import type { Network } from "../embedding/network";
import type { Space } from "../space/space";
import { SAMPLES, type State } from "../state/state";
import { templateDistance, verdict, distanceRow } from "./verdict";

export interface GalleryInput {
  loss: string;
  losses: string[];
  networkName: string; // of the network
  space: Space;
  known: Float32Array; // places of the training digits that make the templates
  points: Float32Array;
  network: Network | null; // where there are drawings to embed
  drawing: Place | null; // where the drawing on the pad lies, where the spaces show it
  threshold: number | null;
  areas: boolean;
}

export class Gallery {
  readonly root: HTMLElement;
  private images = new Map<string, Float32Array>(); // of drawings, by their text
  private networkName = ""; // the name of the one that is measured
  private threshold = 0; // the threshold in force
  private claim = ""; // a name, or "" for none
  private measured = "";
  private templates: Template[] = [];
  private scores: Scores | null = null;
  private spaceMenu: HTMLSelectElement;
  private claimMenu: HTMLSelectElement;
  private name: HTMLInputElement;
  private list = el("div.bar");
  private verdict = el("p.verdict");
  private bars = el("div.bars", { role: "list", ariaLabel: "distance of the drawing to each template" });
  private chart = el("div.histogram");
  private figures = el("p.figures");
  private slider: HTMLInputElement;
  private areas = el("input", { type: "checkbox" });

  constructor(
    private labels: { shown: Uint8Array; known: Uint8Array },
    private standardised: (image: Float32Array) => Float32Array,
    private host: {
      state: State;
      clear(): void; // the pad
      set(change: Partial<State>, newEntry: boolean): void;
    },
    private drawable: boolean, // whether a drawing can be placed at all
  ) {
    this.spaceMenu = menu("space to verify in", (space) => host.set({ gallerySpace: space }, true));
    this.claimMenu = menu("claimed name", (claim) => {
      this.claim = claim;
      host.set({}, false);
    });
    this.name = el("input", { type: "text", value: "✶", maxLength: 12, ariaLabel: "name of the symbol", size: 6 });
    const as = [el("label", {}, "as ", this.name), button("Enrol this drawing", () => this.enrol())];
    this.slider = slider("threshold", [0, 1, 0.001], (v) => {
      if (this.scores) host.set({ threshold: { name: this.networkName, at: v * this.scores.sliderMax } }, false);
    });
    this.areas.onchange = () => host.set({ areas: this.areas.checked }, true);
    this.root = el("section.enrol", { ariaLabel: "enrol and verify" });
    this.root.append(
      el("h4", {}, "Enrol and verify"),
      el("div.bar", {}, el("label", {}, "in ", this.spaceMenu), ...(drawable ? as : [])),
      this.list,
      el("div.bar", {}, el("label", {}, "the drawing claims to be ", this.claimMenu)),
      this.verdict,
      this.bars,
      this.chart,
      this.slider,
      this.figures,
      el("label.check", {}, this.areas, " show what each digit's template accepts"),
    );
  }

  private enrol() {
    const name = cleaned(this.name.value);
    const { drawing, symbols } = this.host.state;
    const before = symbols.find((symbol) => symbol.name === name);
    const symbol = { name, samples: [...(before?.samples ?? []), drawing] };
    let problem = "";
    if (!drawing) problem = "Draw something first: it is the drawing on the pad that is enrolled.";
    else if (!visible(name)) problem = "Give the symbol a name that can be seen.";
    else if (isDigit(name)) problem = "The ten digits are enrolled already: take another name.";
    else if (symbol.samples.length > SAMPLES) problem = `It has ${SAMPLES} samples already.`;
    if (problem) {
      this.verdict.textContent = problem;
      return;
    }
    this.host.set({ symbols: before ? symbols.map((o) => (o === before ? symbol : o)) : [...symbols, symbol] }, true);
    this.host.clear();
  }

  private forget(name: string) {
    const own = this.host.state.symbols.filter((symbol) => symbol.name !== name);
    if (!own.length) this.name.focus();
    this.host.set({ symbols: own }, true);
  }

  get empty() {
    return !this.host.state.symbols.length;
  }

  // A sample of each symbol.
  get drawings() {
    return this.host.state.symbols.map(({ name, samples }) => ({ name: firstSign(name), image: this.image(samples[0]) }));
  }

  private image(text: string): Float32Array {
    if (!this.images.has(text)) this.images.set(text, imageOf(textToStrokes(text))!);
    return this.images.get(text)!;
  }

  get said() {
    return this.verdict.textContent ?? "";
  }

  // Where a network's threshold stands when nobody has moved it; undefined while another is measured.
  defaultThreshold(name: string) {
    return name === this.networkName ? this.scores?.defaultThreshold : undefined;
  }

  // What cannot be verified, in one line.
  showProblem(trouble: string) {
    this.verdict.textContent = trouble;
    this.templates = [];
    this.measured = this.networkName = this.chart.innerHTML = this.figures.textContent = "";
    this.scores = null;
    this.slider.disabled = true;
    this.bars.replaceChildren();
  }

  update(room: GalleryInput) {
    const { space, known, points, network } = room;
    const { symbols } = this.host.state;
    const key = JSON.stringify([room.networkName, symbols, !network]);
    if (this.measured !== key) {
      const place = (text: string) => space.fromOutput(network!.embed(this.standardised(this.image(text))));
      const placed = network ? symbols : [];
      this.templates = [
        ...templates(space, known, this.labels.known),
        ...placed.map(({ name, samples }) => template(space, name, samples.map(place))),
      ];
      this.scores = new Scores(space, points, this.labels.shown, this.templates);
    }
    [this.measured, this.networkName] = [key, room.networkName];
    this.say(room, room.threshold ?? this.scores!.defaultThreshold);
  }

  private say({ loss, losses, space, drawing, areas }: GalleryInput, threshold: number) {
    const { sliderMax } = this.scores!;
    this.threshold = threshold;
    this.slider.disabled = false;
    if (!this.templates.some(({ name }) => name === this.claim)) this.claim = "";
    fillMenu(
      this.spaceMenu,
      losses.map((l) => [l, NAMES[l]]),
      loss,
    );
    const names = this.templates.map(({ name }) => [name, name] as [string, string]);
    fillMenu(this.claimMenu, [["", "nobody: who is it?"], ...names], this.claim);
    this.chips();
    const { fmr, fnmr } = this.scores!.ratesAt(threshold);
    this.slider.value = `${threshold / sliderMax}`;
    this.figures.textContent = `threshold ${distance(threshold)} · FMR ${percent(fmr)} · FNMR ${percent(fnmr)}`;
    this.slider.setAttribute("aria-valuetext", this.figures.textContent);
    this.chart.innerHTML = histogram(this.scores!.genuine, this.scores!.impostor, sliderMax, threshold);
    this.areas.checked = areas;
    const asked = this.templates.filter(({ name }) => !this.claim || name === this.claim);
    const far = drawing ? asked.map((t) => ({ name: t.name, d: templateDistance(space, drawing, t) })) : [];
    far.sort((a, b) => a.d - b.d);
    this.bars.replaceChildren(...far.map(({ name, d }) => distanceRow(name, d, threshold, sliderMax)));
    this.verdict.replaceChildren(...(far.length ? verdict(far, threshold, this.claim) : [this.invite()]));
  }

  private invite(): string {
    if (!this.drawable) return "";
    if (this.host.state.drawing) return "The drawing is placed by the trained networks: go to the end of the training.";
    if (!this.empty) return "Now draw a probe: the symbol again, a digit, or something else.";
    return "Draw a symbol of your own, no digit, and enrol it from one to five drawings.";
  }

  private chips() {
    const chips = this.host.state.symbols.map(({ name, samples: { length } }) => {
      const old = [...this.list.children].find((c) => (c as HTMLElement).dataset.name === name) as HTMLElement;
      const said = [el("span.name", { title: name }, name), `: ${length} ${length > 1 ? "samples" : "sample"} ✕`];
      const chip = old ?? button("", () => this.forget(name), { ariaLabel: `forget ${name}` });
      chip.dataset.name = name;
      if (chip.dataset.samples !== `${length}`) chip.replaceChildren(...said);
      chip.dataset.samples = `${length}`;
      return chip;
    });
    arrangeChildren(this.list, chips);
  }

  // Where the enrolled symbols lie, and what is accepted as whom.
  marks({ loss, areas }: { loss: string; areas: boolean }, space: Space, colour: (k: number) => string) {
    const drawn = loss === this.spaceMenu.value && space.moment === 1 && space.name === this.networkName;
    const symbols = this.templates.slice(10);
    const ten = areas ? this.templates.slice(0, 10) : [];
    if (!drawn) return { rings: [], areas: [] };
    return {
      rings: symbols.map(({ place, name }) => ({ place, text: firstSign(name), fill: "#ffe14d" })),
      areas: [...ten, ...symbols].map(({ place, compared, name }) => {
        const digit = this.templates.findIndex((t) => t.name === name);
        return { place, compared, reach: this.threshold, colour: colour(digit) };
      }),
    };
  }
}
