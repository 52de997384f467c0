// The explorer as a whole. Data flows one way: a hand sets the state, the parts that it asks for are loaded, panels and
// gallery are told, all is painted.
import { Address } from "./address";
import { Beside } from "./beside";
import type { Rgb } from "./colour";
import { arrange, button, el, pen } from "./dom";
import { Frames } from "./frames";
import { enrolled, read, roomy, symbols, write } from "./link";
import { Live } from "./live";
import { Loader } from "./loader";
import { type Host, navigate } from "./navigate";
import { lacks } from "./network";
import type { Pack } from "./pack";
import { told } from "./pairs";
import { Panel } from "./panel";
import { pair } from "./scene";
import { type Options, type Own, type State, threshold, usual, type View } from "./state";
import { follow } from "./views";

const REFUSED =
  "The browser gives no canvas to draw on: it may be short of memory. Close other pages, then load this one again.";
const FORGETS = "Enrolled until you leave: this browser keeps nothing for this page.";
const UNREADABLE = "The view in this link could not be read, and is left aside.";

export class Page implements Host {
  state!: State;
  readonly panels = new Map<string, Panel>();
  cursor = -1;
  lasso = false;
  loop: Host["loop"] = null;
  sweeps: Record<string, string[]> = {}; // the networks of each loss, by margin
  labels = { shown: new Uint8Array(), known: new Uint8Array() };
  colours: Rgb[] = [];
  readonly frames: Frames;
  readonly loader: Loader;
  readonly life = new AbortController();
  usual!: State;
  private grid = el("div.grid");
  private notice = el("p.note", { role: "status", hidden: true });
  private shade = el("span.shade", { ariaHidden: "true" });
  private live = new Live();
  private beside!: Beside;
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
    const [scene, view] = [() => this.scene(), (loss: string) => this.shown(loss)];
    this.frames = new Frames(
      { root, shade, panels, scene, view, inked: (ink) => this.beside?.pad?.paint(ink) },
      this.life.signal,
    );
  }

  async start() {
    this.root.replaceChildren(this.notice);
    this.tell("Loading the spaces …");
    this.sweeps = {};
    try {
      const { manifest } = await this.pack.open();
      const { losses } = this.options;
      this.colours = manifest.colours.map((c) => [1, 3, 5].map((i) => Number.parseInt(c.slice(i, i + 2), 16)) as Rgb);
      for (const [name, { loss }] of Object.entries(manifest.spaces)) (this.sweeps[loss] ??= []).push(name);
      const unknown = losses.filter((l) => !this.sweeps[l]);
      if (unknown.length) throw new Error(`No loss ${unknown}: there are ${Object.keys(this.sweeps).join(", ")}.`);
      const labels = new Uint8Array(await this.pack.part("labels"));
      this.labels = { shown: labels.subarray(0, manifest.shown), known: labels.subarray(manifest.shown) };
      this.usual = usual(this.options, manifest);
      this.state = { ...this.usual, own: this.kept() };
      this.build(await lacks());
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
    this.beside = new Beside(this, this.options.parts, lack, (text) => this.draw(text));
    this.root.replaceChildren(this.notice, ...this.beside.around(this.grid), this.shade, this.live.root);
    if (this.lab && this.key) document.addEventListener("click", (event) => this.follow(event), { signal });
    this.watch(signal);
  }

  // What makes the picture stale that is no deed of the reader's.
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
    return this.beside.gallery;
  }

  get look() {
    return this.beside.look;
  }

  get lab() {
    return this.beside.lab;
  }

  // ---- the state

  set(change: Partial<State>, deed: boolean) {
    this.notice.hidden = true;
    if (!("step" in change)) this.beside.trainer?.stop();
    const views = Object.fromEntries(this.state.losses.map((loss) => [loss, this.shown(loss)]));
    if (change.together === false) change.views = { ...this.state.views, ...views };
    if (change.together) change.views = { ...this.usual.views, [this.state.lead]: this.shown(this.state.lead) };
    this.state = { ...this.state, ...change };
    if (change.own) this.keep();
    this.address?.write(write(this.state, this.usual), deed);
    this.changes();
    return this.update(!("step" in change));
  }

  reset() {
    Object.assign(this, { lasso: false, cursor: -1 });
    if (this.look) this.look.bend.amount = 0;
    this.beside.trainer?.stop();
    const { own, drawing } = this.state; // the reader's work stays
    this.set({ ...this.usual, own, drawing }, true);
  }

  tool(lasso: boolean) {
    this.lasso = lasso;
    this.say();
  }

  link() {
    return this.address?.link(write(this.state, this.usual)) ?? null;
  }

  // What a link to this state has no room for, or "".
  get left() {
    return roomy(this.state) ? "" : "the symbols, which are too many for it";
  }

  clear() {
    this.beside.pad?.clear();
  }

  // The squares as they are shown, side by side under their names.
  save() {
    const { ground, css } = this.frames.around;
    const squares = this.state.losses.map((loss) => this.panel(loss).painter.whole(ground));
    const [side, head] = [Math.max(...squares.map((s) => s.width)), 24 * devicePixelRatio];
    const sheet = el("canvas", { width: side * squares.length, height: side + head });
    const ctx = pen(sheet);
    ctx.fillStyle = ground;
    ctx.fillRect(0, 0, sheet.width, sheet.height);
    Object.assign(ctx, { fillStyle: css, font: `${head * 0.6}px system-ui, sans-serif`, textBaseline: "middle" });
    squares.forEach((square, i) => {
      const name = this.state.names[this.state.losses[i]];
      ctx.fillText(name, side * i + head / 3, head / 2);
      if (square.width) ctx.drawImage(square, side * i, head, side, side);
    });
    el("a", { href: sheet.toDataURL(), download: "spaces.png" }).click();
  }

  // ---- what the reader has enrolled, kept where the browser keeps anything

  private get shelf() {
    return `fslviz ${this.key} ${location.pathname}`;
  }

  private kept(): Own[] {
    try {
      return this.options.parts.includes("enrol") && this.key ? symbols(localStorage.getItem(this.shelf)!) : [];
    } catch {
      return []; // nothing, or no text of ours
    }
  }

  private keep() {
    const { own } = this.state;
    try {
      if (!this.key) return; // a notebook's own page
      if (own.length) localStorage.setItem(this.shelf, enrolled(own));
      else localStorage.removeItem(this.shelf);
    } catch {
      if (own.length) this.tell(FORGETS);
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
    if (this.state.together) this.state.views = { ...this.usual.views, [loss]: view };
    this.address?.write(write(this.state, this.usual), false);
    this.paint();
  }

  shown(loss: string): View {
    const { together, lead, views } = this.state;
    const [space, other] = [loss, lead].map((l) => this.panels.get(l)?.space);
    return together && loss !== lead && space && other ? follow(space, other, views[lead]) : views[loss];
  }

  // Whether the text could be read.
  private take(text: string): boolean {
    const { spaces, shown, trail } = this.pack.manifest;
    const { own, drawing } = this.state; // a text that tells of none takes none away
    const usual = { ...this.usual, own, drawing };
    try {
      const world = { spaces, shown, trail, parts: new Set(this.options.parts) };
      this.state = text ? read(text, usual, world) : usual;
      this.notice.hidden = true;
      return true;
    } catch {
      this.notice.textContent = UNREADABLE;
      this.notice.hidden = false;
      return false;
    }
  }

  private arrived(text: string) {
    this.beside.trainer?.stop();
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
    this.beside.trainer?.stop();
    this.cursor = -1;
    const trains = /;lab:/.test(text);
    if (!trains) this.state = { ...this.state, lab };
    (trains ? this.lab?.root : this.grid)?.scrollIntoView({ block: "nearest" });
    this.address?.write(write(this.state, this.usual), true);
    this.changes();
    this.update(true);
    if (trains) this.lab?.afresh(true);
  }

  // A drawing is placed by the trained networks; one that goes leads nowhere.
  private draw(text: string) {
    this.cursor = -1;
    this.set(text ? { drawing: text, step: 1, pins: [] } : { drawing: "" }, false);
  }

  // ---- what is shown of it

  // What lies beside the digits in the lab: the drawing, and a sample of each symbol.
  drawings() {
    const { drawing } = this.loader.probes;
    return [...(drawing ? [{ name: "✎", image: drawing }] : []), ...(this.gallery?.drawings ?? [])];
  }

  around() {
    return this.frames.around;
  }

  update(glide: boolean) {
    this.loader.probes.draw(this.state.drawing);
    this.beside.pad?.show(this.state.drawing);
    this.lab?.changed();
    const roots = this.state.losses.map((loss) => this.panel(loss).root);
    arrange(this.grid, roots);
    return this.loader.update(glide);
  }

  panel(loss: string): Panel {
    const made = this.panels.get(loss);
    if (made) return made;
    const { manifest } = this.pack;
    const pick = (i: number) => {
      this.set({ names: { ...this.state.names, [loss]: this.sweeps[loss][i] } }, false);
    };
    const sweep = this.sweeps[loss].map((name) => manifest.spaces[name]);
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
    const { losses, names, step } = this.state;
    const { spaces } = this.pack.manifest;
    this.beside.bars.say(this.loader.lit);
    this.root.classList.toggle("fx-lassoing", this.lasso);
    const two = pair(this);
    for (const loss of losses) {
      const panel = this.panel(loss);
      const name = names[loss];
      const set =
        loss === this.state.space && this.gallery ? (threshold(this.state) ?? this.gallery.usual(name)) : undefined;
      const limit = set ?? this.loader.rates.get(name)?.usual;
      const whole = two?.every((i) => i < panel.space.n) && limit !== undefined && panel.space.name === name;
      const words = whole ? told(panel.space, this.labels.shown, two!, limit) : "";
      panel.say({ entry: spaces[name], place: this.sweeps[loss].indexOf(name), step, pair: words });
    }
    const { seen } = spaces[names[losses[0]]];
    this.beside.trainer?.say(step, seen[Math.round(step * (seen.length - 1))]);
    const first = this.panel(losses[0]);
    if (!this.beside.trainer?.going)
      this.live.say([this.beside.bars.said, first.said, this.gallery?.said].filter(Boolean).join(". "));
  }

  show() {
    this.say();
    this.paint();
  }

  paint() {
    this.frames.paint();
    this.lab?.paint();
  }

  lighted() {
    this.changes();
  }

  bent() {
    this.loader.bend().catch((error) => this.tell(error.message));
  }

  // What the squares show of the state.
  private scene() {
    const { state, cursor, loop, labels, colours, gallery, pack } = this;
    const { lit, probes } = this.loader;
    return { state, cursor, lit, loop, labels, colours, gallery, pack, drawing: probes.drawing };
  }
}
