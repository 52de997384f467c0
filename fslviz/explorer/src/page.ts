// The explorer as a whole. Data flows one way: a hand sets the state, the parts that it asks for are loaded, panels and
// gallery are told, all is painted.
import { Address } from "./address";
import { Bars } from "./bars";
import { type Rgb, surroundings } from "./colour";
import { arrange, el, still } from "./dom";
import { Gallery } from "./gallery";
import type { Place } from "./geometry";
import { prepare } from "./ink";
import { answer } from "./lit";
import { Live } from "./live";
import { Look } from "./look";
import { Rates, templates } from "./measure";
import { type Host, navigate } from "./navigate";
import type { Pack } from "./pack";
import { Pad } from "./pad";
import { told } from "./pairs";
import { Panel } from "./panel";
import { Probes } from "./probes";
import { pair, scene } from "./scene";
import { read, type State, threshold, usual, type View, write } from "./state";
import { Trainer } from "./trainer";
import { follow } from "./views";

// What a page or a notebook asks for: which spaces, which parts beside them, and the state to open with.
export interface Options {
  losses: string[];
  parts: string[];
  margins: Record<string, number>;
  step: number;
  threshold: number | null;
  selection: number[];
}

const BUDGET = 10; // ms of a frame in which squares are painted: what is left over waits for the next
const KEPT = 200; // times that are kept for a look at them
const UNREADABLE = "The view in this link could not be read, and is left aside.";
let count = 0;

export class Page implements Host {
  state!: State;
  panels = new Map<string, Panel>();
  lit: Set<number> | null = null;
  cursor = -1;
  lasso = false;
  loop: Host["loop"] = null;
  frame = 0;
  ink: Rgb = [0, 0, 0];
  sweeps: Record<string, string[]> = {}; // the networks of each loss, by margin
  labels = { shown: new Uint8Array(), known: new Uint8Array() };
  colours: Rgb[] = [];
  gallery?: Gallery;
  readonly probes: Probes;
  readonly times = { frame: [] as number[], pen: [] as number[] };
  readonly life = new AbortController();
  private usual!: State;
  private grid = el("div.grid");
  private notice = el("p.note", { role: "status", hidden: true });
  private shade = el("span.shade", { ariaHidden: "true" });
  private live = new Live();
  private bars!: Bars;
  private pad?: Pad;
  private trainer?: Trainer;
  private look?: Look;
  private address?: Address;
  private troubles = new Map<string, string>();
  private rates = new Map<string, Rates>();
  private asked = "";
  private turn = 0;
  private strokes = 0; // drawings so far
  private penned = 0;
  private printing = false;
  private next = 0; // the panel to paint first

  // `addressed`: whether the state stands in the page's address. `changes`: told of each change of it.
  constructor(
    readonly root: HTMLElement,
    readonly pack: Pack,
    private options: Options,
    private addressed: boolean,
    private changes: () => void = () => {},
  ) {
    this.probes = new Probes(pack);
  }

  async start() {
    this.root.replaceChildren(el("p.note", { role: "status" }, "Loading the spaces …"));
    try {
      const { manifest } = await this.pack.open();
      const { losses, margins, step, threshold, selection } = this.options;
      this.colours = manifest.colours.map((c) => [1, 3, 5].map((i) => Number.parseInt(c.slice(i, i + 2), 16)) as Rgb);
      for (const [name, { loss }] of Object.entries(manifest.spaces)) (this.sweeps[loss] ??= []).push(name);
      const unknown = losses.filter((l) => !this.sweeps[l]);
      if (unknown.length) throw new Error(`No loss ${unknown}: there are ${Object.keys(this.sweeps).join(", ")}.`);
      const labels = new Uint8Array(await this.pack.part("labels"));
      this.labels = { shown: labels.subarray(0, manifest.shown), known: labels.subarray(manifest.shown) };
      const plain = usual(losses, manifest.spaces, { ...manifest.default, ...margins });
      const name = plain.names[plain.space];
      const limit = threshold === null ? null : { name, at: threshold };
      this.usual = {
        ...plain,
        step,
        threshold: limit,
        lit: selection.length ? { kind: "digits", digits: selection } : null,
      };
      this.state = this.usual;
      this.build();
    } catch (error) {
      this.root.replaceChildren(el("p.note.error", { role: "alert" }, (error as Error).message));
      return;
    }
    this.take(this.address?.begin() ?? "");
    await this.update(false);
    this.root.dataset.ready = "yes";
  }

  private build() {
    const has = (part: string) => this.options.parts.includes(part);
    const six = (loss: string) => loss.endsWith("-six"); // all ten digits, or six: never side by side
    const offered = Object.keys(this.sweeps).filter((loss) => has("choose") && six(loss) === six(this.usual.space));
    const { signal } = this.life;
    if (this.addressed)
      this.address = new Address(`explorer${++count > 1 ? count : ""}`, (text) => this.arrived(text), signal);
    this.bars = new Bars(offered, this.colours, this);
    if (has("training")) this.trainer = new Trainer((step) => this.set({ step }, false));
    if (has("draw")) this.pad = new Pad((strokes, penned) => this.draw(strokes, penned));
    if (has("enrol"))
      this.gallery = new Gallery(this.labels, this.probes.standard, {
        drawing: () => this.probes.drawing,
        clear: () => this.pad?.clear(),
        set: ({ threshold, ...change }, deed) => {
          const name = this.state.names[this.state.space];
          this.set(
            threshold === undefined ? change : { threshold: threshold === null ? null : { name, at: threshold } },
            deed,
          );
        },
      });
    if (has("look")) this.look = new Look(this.pack, this.labels.shown, this);
    const lower = el("div.lower", {}, ...[this.pad, this.gallery].flatMap((part) => (part ? [part.root] : [])));
    lower.hidden = !lower.children.length;
    this.root.replaceChildren(this.notice, this.bars.root, this.grid);
    this.root.append(...[this.trainer, this.look].flatMap((part) => (part ? [part.root] : [])), lower);
    this.root.append(this.shade, this.live.root);
    if (this.look) this.root.insertBefore(lower, this.look.root);
    this.watch(signal);
  }

  // What makes the picture stale that is no deed of the reader's.
  private watch(signal: AbortSignal) {
    const paint = () => this.paint();
    const observers = [new ResizeObserver(paint), new MutationObserver(paint)] as const;
    observers[0].observe(this.grid);
    observers[1].observe(document.documentElement, { attributes: true });
    for (const query of ["(prefers-color-scheme: dark)", "(forced-colors: active)"])
      matchMedia(query).addEventListener("change", paint, { signal });
    addEventListener("beforeprint", () => this.print(true), { signal });
    addEventListener("afterprint", () => this.print(false), { signal });
    signal.addEventListener("abort", () => observers.forEach((o) => o.disconnect()));
  }

  // ---- the state

  set(change: Partial<State>, deed: boolean) {
    this.notice.hidden = true;
    if (!("step" in change)) this.trainer?.stop();
    const views = Object.fromEntries(this.state.losses.map((loss) => [loss, this.shown(loss)]));
    if (change.together === false) change.views = { ...this.state.views, ...views };
    if (change.together) change.views = { ...this.usual.views, [this.state.lead]: this.shown(this.state.lead) };
    this.state = { ...this.state, ...change };
    this.address?.write(write(this.state, this.usual), deed);
    this.changes();
    return this.update(!("step" in change));
  }

  reset() {
    Object.assign(this, { lasso: false, cursor: -1 });
    if (this.look) this.look.bend.amount = 0;
    this.trainer?.stop();
    this.set({ ...this.usual }, true);
  }

  tool(lasso: boolean) {
    this.lasso = lasso;
    this.say();
  }

  link() {
    return this.address?.link(write(this.state, this.usual)) ?? null;
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

  private take(text: string) {
    const { spaces, shown } = this.pack.manifest;
    try {
      const world = { spaces, shown, parts: new Set(this.options.parts) };
      this.state = text ? read(text, this.usual, world) : this.usual;
      this.notice.hidden = true;
    } catch {
      this.notice.textContent = UNREADABLE;
      this.notice.hidden = false;
    }
  }

  private arrived(text: string) {
    this.trainer?.stop();
    this.take(text);
    this.cursor = -1;
    this.root.scrollIntoView({ block: "nearest" });
    this.changes();
    this.update(true);
  }

  private draw(strokes: Place[][], penned: number) {
    this.probes.drawing = prepare(strokes);
    this.strokes++;
    this.cursor = -1;
    this.set({ step: 1, pins: [] }, false).then(() => {
      this.penned = penned;
    });
  }

  // ---- what the state asks for

  async update(glide: boolean) {
    const turn = ++this.turn;
    const late = () => turn !== this.turn; // while a part is on its way the reader may move on
    const { losses, names, step } = this.state;
    const panels = losses.map((loss) => this.panel(loss));
    arrange(
      this.grid,
      panels.map((p) => p.root),
    );
    this.grid.style.setProperty("--n", `${panels.length}`);
    const show = async (panel: Panel) => {
      this.troubles.delete(panel.loss);
      await panel.space.show(names[panel.loss], step, glide && !still());
    };
    await Promise.all(panels.map((p) => show(p).catch((error) => this.troubles.set(p.loss, error.message))));
    if (late()) return;
    this.say();
    this.paint();
    const place = async (panel: Panel) => {
      panel.blind = "";
      await this.probes.place(panel, names[panel.loss], late);
      if (this.state.pins.length) await this.rate(names[panel.loss], panel);
    };
    await Promise.all(panels.map((p) => place(p).catch((error) => (p.blind = error.message))));
    if (!late()) await this.light(late);
    if (!late()) await this.verify(late);
    if (late()) return;
    this.say();
    this.paint();
    this.look?.update().catch((error) => this.tell(error.message));
    if (this.look?.root.open) this.bent();
  }

  private panel(loss: string): Panel {
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

  // The digits that are lit.
  private async light(late: () => boolean) {
    const { lit } = this.state;
    const asked = JSON.stringify(lit);
    if (asked === this.asked) return;
    try {
      const digits = lit && (await answer(lit, this.pack, this.labels.shown));
      if (late()) return;
      this.lit = digits && new Set(digits);
      if (lit?.kind === "loop" && digits?.length !== lit.count)
        this.tell(`The loop in this link held ${lit.count} digits when it was made; here it holds ${digits?.length}.`);
      this.asked = asked;
      this.changes();
    } catch (error) {
      this.tell((error as Error).message);
    }
  }

  private tell(text: string) {
    this.notice.textContent = text;
    this.notice.hidden = false;
  }

  private async rate(name: string, { space }: Panel) {
    if (this.rates.has(name)) return;
    const [known, points] = await Promise.all(["known", "points"].map((part) => this.pack.places(`${name}/${part}`)));
    if (space.name === name)
      this.rates.set(name, new Rates(space, points, this.labels.shown, templates(space, known, this.labels.known)));
  }

  private async verify(late: () => boolean) {
    const { gallery, state } = this;
    if (!gallery) return;
    const { space: loss, losses, names, areas } = state;
    const { space, probe } = this.panel(loss);
    const name = names[loss];
    try {
      const asked = this.probes.drawing || !gallery.empty ? this.probes.network(name) : null;
      const [known, points, network] = await Promise.all([
        this.pack.places(`${name}/known`),
        this.pack.places(`${name}/points`),
        asked,
      ]);
      if (late() || space.name !== name) return;
      const drawing = probe?.name === name && space.step === 1 ? probe.place : null;
      gallery.update({
        loss,
        losses,
        name,
        space,
        known,
        points,
        network,
        drawing,
        areas,
        threshold: threshold(state),
      });
    } catch (error) {
      if (!late()) gallery.lacks((error as Error).message);
    }
  }

  // A digit on its way as the slider bends it: the one held, or the drawing.
  async bent() {
    const { look, probes } = this;
    if (!look) return;
    const [pin] = this.state.pins;
    const drawn = pin === undefined;
    try {
      const image = drawn ? probes.drawing : await this.pack.image("digits", pin);
      look.say(image, drawn ? "Your drawing" : `The ${this.labels.shown[pin]}`);
      const bends = image && look.root.open && look.bend.amount && this.state.step === 1;
      for (const loss of this.state.losses) {
        const panel = this.panel(loss);
        const name = this.state.names[loss];
        const key = drawn ? `drawing ${this.strokes}` : `digit ${pin}`;
        panel.bend = bends && panel.space.name === name ? await probes.bend(panel, name, image, key, look.bend) : null;
      }
    } catch (error) {
      this.tell((error as Error).message);
    }
    this.paint();
  }

  // ---- what is said and painted

  // The words and marks beside the pictures.
  say() {
    const { losses, names, step } = this.state;
    const { spaces } = this.pack.manifest;
    this.bars.say(this.lit);
    this.root.classList.toggle("fx-lassoing", this.lasso);
    const two = pair(this);
    for (const loss of losses) {
      const panel = this.panel(loss);
      const name = names[loss];
      const set =
        loss === this.state.space && this.gallery ? (threshold(this.state) ?? this.gallery.threshold) : undefined;
      const limit = set ?? this.rates.get(name)?.usual;
      const whole = two?.every((i) => i < panel.space.n) && limit !== undefined && panel.space.name === name;
      const words = whole ? told(panel.space, this.labels.shown, two!, limit) : "";
      const trouble = this.troubles.get(loss) ?? "";
      panel.say({ entry: spaces[name], place: this.sweeps[loss].indexOf(name), step, pair: words, trouble });
    }
    const { seen } = spaces[names[losses[0]]];
    this.trainer?.say(step, seen[Math.round(step * (seen.length - 1))]);
    const first = this.panel(losses[0]);
    if (!this.trainer?.going)
      this.live.say([this.bars.said, first.said, this.gallery?.said].filter(Boolean).join(". "));
  }

  paint() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      const began = performance.now();
      this.squares(began + BUDGET);
      keep(this.times.frame, performance.now() - began);
      if (this.penned) keep(this.times.pen, performance.now() - this.penned);
      this.penned = 0;
    });
  }

  // Paint what has changed, until the frame's time is up: the next begins where this one stopped.
  private squares(until: number) {
    const around = surroundings(this.root, this.shade);
    const { css, ink, dark } = this.printing ? { css: "#000", ink: [0, 0, 0] as Rgb, dark: false } : around;
    this.root.classList.toggle("fx-dark", dark);
    if (`${ink}` !== `${this.ink}`) this.pad?.paint();
    this.ink = ink;
    const panels = this.state.losses.map((loss) => this.panel(loss));
    const shown = { ...this.parts, state: this.state, cursor: this.cursor, lit: this.lit, loop: this.loop };
    for (let i = 0; i < panels.length; i++) {
      const panel = panels[(this.next + i) % panels.length];
      const shows = scene(shown, panel, this.shown(panel.loss), css, ink, dark); // its strip, too, where none sees it
      if (!panel.seen && !this.printing) continue;
      if (performance.now() > until) {
        this.next = (this.next + i) % panels.length;
        return this.paint();
      }
      panel.paint(shows);
    }
    if (panels.some((p) => p.space.progress < 1)) this.paint();
  }

  private get parts() {
    const { labels, colours, gallery, pack } = this;
    return { labels, colours, gallery, pack, drawing: this.probes.drawing };
  }

  // On paper: dark on white, whatever the screen has.
  private print(printing: boolean) {
    this.printing = printing;
    if (printing) this.squares(Number.POSITIVE_INFINITY);
    else this.paint();
  }
}

function keep(times: number[], ms: number) {
  times.push(ms);
  if (times.length > KEPT) times.shift();
}
