// The explorer as a whole. Data flows one way: a hand sets the state, the parts that it asks for are loaded, panels and
// gallery are told, all is painted.
import { Address } from "./address";
import { SidePanels } from "./side-panels";
import type { Rgb } from "../common/colour";
import { arrangeChildren, button, el, context2d } from "../common/elements";
import { RenderLoop } from "../squares/render-loop";
import { symbolsToText, textToState, fitsAddress, textToSymbols, stateToText } from "../state/text";
import { Announcer } from "../common/announcer";
import { Loader } from "./loader";
import { type NavigationHost, navigate } from "../input/navigation";
import { networkProblem } from "../embedding/network";
import type { Pack } from "../data/pack";
import { pairText } from "../space/pairs";
import { Panel } from "../squares/panel";
import { askedPair } from "../squares/scene";
import { type Options, type OwnSymbol, type State, currentThreshold, initialState, type View } from "../state/state";
import { linkedView } from "../space/linked-view";

const REFUSED =
  "The browser gives no canvas to draw on: it may be short of memory. Close other pages, then load this one again.";
const FORGETS = "Enrolled until you leave: this browser keeps nothing for this page.";
const UNREADABLE = "The view in this link could not be read, and is left aside.";

export class Page implements NavigationHost {
  state!: State;
  readonly panels = new Map<string, Panel>();
  cursor = -1;
  lassoing = false;
  lasso: NavigationHost["lasso"] = null;
  networksOf: Record<string, string[]> = {}; // the networks of each loss, by margin
  labels = { shown: new Uint8Array(), known: new Uint8Array() };
  colours: Rgb[] = [];
  readonly renderLoop: RenderLoop;
  readonly loader: Loader;
  readonly life = new AbortController();
  initial!: State;
  private grid = el("div.grid");
  private notice = el("p.note", { role: "status", hidden: true });
  private shade = el("span.shade", { ariaHidden: "true" });
  private announcer = new Announcer();
  private sidePanels!: SidePanels;
  private address?: Address;

  // `key`: under which the state stands in the page's address, "" where it does not. `changes`: told of each change of it.
  constructor(
    readonly root: HTMLElement,
    readonly pack: Pack,
    private options: Options,
    private key: string,
    private changes: () => void = () => {},
  ) {
    this.loader = new Loader(pack, this);
    const { shade } = this;
    const panels = () => this.state.losses.map((loss) => this.panel(loss));
    const [scene, view] = [() => this.scene(), (loss: string) => this.viewOf(loss)];
    this.renderLoop = new RenderLoop(
      { root, shade, panels, scene, view, inked: (ink) => this.sidePanels?.pad?.paint(ink) },
      this.life.signal,
    );
  }

  async start() {
    this.root.replaceChildren(this.notice);
    this.tell("Loading the spaces …");
    this.networksOf = {};
    try {
      const { manifest } = await this.pack.open();
      const { losses } = this.options;
      this.colours = manifest.colours.map((c) => [1, 3, 5].map((i) => Number.parseInt(c.slice(i, i + 2), 16)) as Rgb);
      for (const [name, { loss }] of Object.entries(manifest.spaces)) (this.networksOf[loss] ??= []).push(name);
      const unknown = losses.filter((l) => !this.networksOf[l]);
      if (unknown.length) throw new Error(`No loss ${unknown}: there are ${Object.keys(this.networksOf).join(", ")}.`);
      const labels = new Uint8Array(await this.pack.part("labels"));
      this.labels = { shown: labels.subarray(0, manifest.shown), known: labels.subarray(manifest.shown) };
      this.initial = initialState(this.options, manifest);
      this.state = { ...this.initial, symbols: this.kept() };
      this.build(await networkProblem());
    } catch (error) {
      const again = button("Try again", () => {
        this.pack.forget();
        this.start();
      });
      this.root.replaceChildren(el("p.note.error", { role: "alert" }, (error as Error).message, " ", again));
      return;
    }
    this.take(this.address?.begin() ?? "");
    await this.update(false);
    this.root.dataset.ready = "yes";
  }

  private build(lack: string) {
    const { signal } = this.life;
    if (this.key) this.address = new Address(this.key, (text) => this.arrived(text), signal);
    this.sidePanels = new SidePanels(this, this.options.parts, lack, (text) => this.draw(text));
    this.root.replaceChildren(this.notice, ...this.sidePanels.arrangedAround(this.grid), this.shade, this.announcer.root);
    if (this.lab && this.key) document.addEventListener("click", (event) => this.follow(event), { signal });
    this.watch(signal);
  }

  // What makes the picture stale and does not come from the reader.
  private watch(signal: AbortSignal) {
    const paint = () => {
      this.paint();
      this.lab?.paint();
    };
    const scaled = () => {
      paint();
      matchMedia(`(resolution: ${devicePixelRatio}dppx)`).addEventListener("change", scaled, { signal, once: true });
    };
    // Moved to another screen, or zoomed: a size in CSS pixels tells nothing of it.
    scaled();
    this.root.addEventListener("refused", () => this.tell(REFUSED), { signal });
    const observers = [new ResizeObserver(paint), new MutationObserver(paint)] as const;
    observers[0].observe(this.grid);
    for (const node of [document.documentElement, document.body]) observers[1].observe(node, { attributes: true });
    for (const query of ["(prefers-color-scheme: dark)", "(forced-colors: active)"])
      matchMedia(query).addEventListener("change", paint, { signal });
    signal.addEventListener("abort", () => observers.forEach((o) => o.disconnect()));
  }

  get gallery() {
    return this.sidePanels.gallery;
  }

  get inspector() {
    return this.sidePanels.inspector;
  }

  get lab() {
    return this.sidePanels.lab;
  }

  // ---- the state

  set(change: Partial<State>, newEntry: boolean) {
    this.notice.hidden = true;
    if (!("step" in change)) this.sidePanels.trainingSlider?.stop();
    const views = Object.fromEntries(this.state.losses.map((loss) => [loss, this.viewOf(loss)]));
    if (change.together === false) change.views = { ...this.state.views, ...views };
    if (change.together) change.views = { ...this.initial.views, [this.state.lead]: this.viewOf(this.state.lead) };
    this.state = { ...this.state, ...change };
    if (change.symbols) this.keep();
    this.address?.write(stateToText(this.state, this.initial), newEntry);
    this.changes();
    return this.update(!("step" in change));
  }

  reset() {
    Object.assign(this, { lasso: false, cursor: -1 });
    if (this.inspector) this.inspector.bend.amount = 0;
    this.sidePanels.trainingSlider?.stop();
    const { symbols, drawing } = this.state; // the reader's work stays
    this.set({ ...this.initial, symbols, drawing }, true);
  }

  chooseTool(lassoing: boolean) {
    this.lassoing = lassoing;
    this.say();
  }

  link() {
    return this.address?.link(stateToText(this.state, this.initial)) ?? null;
  }

  // What a link to this state has no room for, or "".
  get missingFromLink() {
    return fitsAddress(this.state) ? "" : "the symbols, which are too many for it";
  }

  clear() {
    this.sidePanels.pad?.clear();
  }

  // The squares as they are shown, side by side under their names.
  save() {
    const { ground, css } = this.renderLoop.surroundings;
    const squares = this.state.losses.map((loss) => this.panel(loss).painter.whole(ground));
    const [side, head] = [Math.max(...squares.map((s) => s.width)), 24 * devicePixelRatio];
    const sheet = el("canvas", { width: side * squares.length, height: side + head });
    const ctx = context2d(sheet);
    ctx.fillStyle = ground;
    ctx.fillRect(0, 0, sheet.width, sheet.height);
    Object.assign(ctx, { fillStyle: css, font: `${head * 0.6}px system-ui, sans-serif`, textBaseline: "middle" });
    squares.forEach((square, i) => {
      const name = this.state.networks[this.state.losses[i]];
      ctx.fillText(name, side * i + head / 3, head / 2);
      if (square.width) ctx.drawImage(square, side * i, head, side, side);
    });
    el("a", { href: sheet.toDataURL(), download: "spaces.png" }).click();
  }

  // ---- what the reader has enrolled, kept where the browser keeps anything

  private get storageKey() {
    return `fslviz ${this.key} ${location.pathname}`;
  }

  private kept(): OwnSymbol[] {
    try {
      return this.options.parts.includes("enrol") && this.key ? textToSymbols(localStorage.getItem(this.storageKey)!) : [];
    } catch {
      return []; // nothing, or no text of ours
    }
  }

  private keep() {
    const { symbols } = this.state;
    try {
      if (!this.key) return; // a notebook's own page
      if (symbols.length) localStorage.setItem(this.storageKey, symbolsToText(symbols));
      else localStorage.removeItem(this.storageKey);
    } catch {
      if (symbols.length) this.tell(FORGETS);
    }
  }

  point(digit: number) {
    if (digit === this.cursor) return;
    this.cursor = digit;
    this.say();
    this.paint();
  }

  view(loss: string, view: View) {
    this.notice.hidden = true;
    this.state = { ...this.state, views: { ...this.state.views, [loss]: view }, lead: loss };
    if (this.state.together) this.state.views = { ...this.initial.views, [loss]: view };
    this.address?.write(stateToText(this.state, this.initial), false);
    this.paint();
  }

  viewOf(loss: string): View {
    const { together, lead, views } = this.state;
    const [space, other] = [loss, lead].map((l) => this.panels.get(l)?.space);
    return together && loss !== lead && space && other ? linkedView(space, other, views[lead]) : views[loss];
  }

  // Whether the text could be read.
  private take(text: string): boolean {
    const { spaces, shown, trail } = this.pack.manifest;
    const { symbols, drawing } = this.state; // a text that tells of none takes none away
    const usual = { ...this.initial, own: symbols, drawing };
    try {
      const world = { spaces, shown, trail, parts: new Set(this.options.parts) };
      this.state = text ? textToState(text, usual, world) : usual;
      this.notice.hidden = true;
      return true;
    } catch {
      this.notice.textContent = UNREADABLE;
      this.notice.hidden = false;
      return false;
    }
  }

  private arrived(text: string) {
    this.sidePanels.trainingSlider?.stop();
    const before = JSON.stringify(this.state.lab);
    this.take(text);
    this.cursor = -1;
    const lab = before !== JSON.stringify(this.state.lab);
    (lab ? this.lab?.root : this.grid)?.scrollIntoView({ block: "nearest" });
    this.changes();
    this.update(true);
  }

  // A link of this page. One to the lab is there to be seen at work: its training begins, however often it is followed;
  // one to anything else leaves what the lab is held to.
  private follow(event: MouseEvent) {
    const { button, ctrlKey, metaKey, shiftKey, altKey, defaultPrevented } = event;
    const [link] = event.composedPath().filter((node) => node instanceof HTMLAnchorElement);
    if (button || ctrlKey || metaKey || shiftKey || altKey || defaultPrevented || !link || link.target) return;
    const here = link.href.split("#")[0] === location.href.split("#")[0];
    const text = here && new URLSearchParams(link.hash.slice(1)).get(this.key);
    const { lab } = this.state;
    if (!text || !this.take(text)) return;
    event.preventDefault();
    this.sidePanels.trainingSlider?.stop();
    this.cursor = -1;
    const trains = /;lab:/.test(text);
    if (!trains) this.state = { ...this.state, lab };
    (trains ? this.lab?.root : this.grid)?.scrollIntoView({ block: "nearest" });
    this.address?.write(stateToText(this.state, this.initial), true);
    this.changes();
    this.update(true);
    if (trains) this.lab?.afresh(true);
  }

  // A drawing is placed by the trained networks; one that goes leads nowhere.
  private draw(text: string) {
    this.cursor = -1;
    this.set(text ? { drawing: text, moment: 1, pins: [] } : { drawing: "" }, false);
  }

  // ---- what is shown of it

  // What lies beside the digits in the lab: the drawing, and a sample of each symbol.
  drawings() {
    const { drawing } = this.loader.probes;
    return [...(drawing ? [{ name: "✎", image: drawing }] : []), ...(this.gallery?.drawings ?? [])];
  }

  surroundings() {
    return this.renderLoop.surroundings;
  }

  update(glide: boolean) {
    this.loader.probes.draw(this.state.drawing);
    this.sidePanels.pad?.show(this.state.drawing);
    this.lab?.changed();
    const roots = this.state.losses.map((loss) => this.panel(loss).root);
    arrangeChildren(this.grid, roots);
    return this.loader.update(glide);
  }

  panel(loss: string): Panel {
    const made = this.panels.get(loss);
    if (made) return made;
    const { manifest } = this.pack;
    const pick = (i: number) => {
      this.set({ networks: { ...this.state.networks, [loss]: this.networksOf[loss][i] } }, false);
    };
    const sweep = this.networksOf[loss].map((name) => manifest.spaces[name]);
    const slides = this.options.parts.includes("margin") ? pick : null;
    const panel = new Panel(loss, this.pack, this.labels.shown, this.colours, sweep, slides);
    this.panels.set(loss, panel);
    navigate(panel, this);
    const look = ([{ isIntersecting }]: IntersectionObserverEntry[]) => {
      panel.seen = isIntersecting;
      if (isIntersecting) this.paint();
    };
    const observer = new IntersectionObserver(look, { rootMargin: "100px" });
    observer.observe(panel.root);
    this.life.signal.addEventListener("abort", () => observer.disconnect());
    return panel;
  }

  tell(text: string) {
    this.notice.textContent = text;
    this.notice.hidden = false;
  }

  untell(text: string) {
    if (this.notice.textContent === text) this.notice.hidden = true;
  }

  // The words and marks beside the pictures.
  say() {
    const { losses, networks, moment } = this.state;
    const { spaces } = this.pack.manifest;
    this.sidePanels.toolbar.say(this.loader.selected);
    this.root.classList.toggle("fx-lassoing", this.lassoing);
    const two = askedPair(this);
    for (const loss of losses) {
      const panel = this.panel(loss);
      const name = networks[loss];
      const set =
        loss === this.state.gallerySpace && this.gallery ? (currentThreshold(this.state) ?? this.gallery.defaultThreshold(name)) : undefined;
      const limit = set ?? this.loader.scores.get(name)?.defaultThreshold;
      const whole = two?.every((i) => i < panel.space.n) && limit !== undefined && panel.space.name === name;
      const words = whole ? pairText(panel.space, this.labels.shown, two!, limit) : "";
      panel.say({ entry: spaces[name], place: this.networksOf[loss].indexOf(name), step: moment, pair: words });
    }
    const { seen } = spaces[networks[losses[0]]];
    this.sidePanels.trainingSlider?.say(moment, seen[Math.round(moment * (seen.length - 1))]);
    const first = this.panel(losses[0]);
    if (!this.sidePanels.trainingSlider?.isPlaying)
      this.announcer.say([this.sidePanels.toolbar.said, first.said, this.gallery?.said].filter(Boolean).join(". "));
  }

  show() {
    this.say();
    this.paint();
  }

  paint() {
    this.renderLoop.paint();
    this.lab?.paint();
  }

  selectionChanged() {
    this.changes();
  }

  bendChanged() {
    this.loader.bend().catch((error) => this.tell(error.message));
  }

  // What the squares show of the state.
  private scene() {
    const { state, cursor, lasso, labels, colours, gallery, pack } = this;
    const { selected, probes } = this.loader;
    return { state, cursor, selected, lasso, labels, colours, gallery, pack, drawing: probes.drawing };
  }
}
