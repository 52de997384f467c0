// The explorer as a whole. Data flows one way: the reader sets the state, the parts that it asks for are loaded, squares
// and panels are told, all is painted.
import { Announcer } from "../common/announcer";
import { hex } from "../common/colour";
import { arrangeChildren, button, el } from "../common/elements";
import { t } from "../common/texts";
import type { Pack } from "../data/pack";
import { networkProblem, type Problem } from "../embedding/network";
import { type NavigationHost, navigate } from "../input/navigation";
import { Panel } from "../panels/panel";
import { savePicture } from "../panels/picture-file";
import { RenderLoop } from "../panels/render-loop";
import type { Space } from "../space/space";
import { drawnSign, type Options } from "../state/state";
import { watchAppearance } from "./appearance";
import { loadContents, NOTHING } from "./contents";
import { Loader } from "./loader";
import { PageState } from "./page-state";
import { readOut } from "./readouts";
import { SidePanels } from "./side-panels";

export class Page extends PageState implements NavigationHost {
  readonly panels = new Map<string, Panel>();
  lasso: NavigationHost["lasso"] = null;
  networksOf = NOTHING.networksOf;
  labels = NOTHING.labels;
  colours = NOTHING.colours;
  readonly renderLoop: RenderLoop;
  readonly loader: Loader;
  readonly life = new AbortController();
  readonly announcer = new Announcer();
  sidePanels!: SidePanels;
  private grid = el("div.grid");
  private notice = el("p.note", { role: "status", hidden: true });
  private shade = el("span.shade", { ariaHidden: "true" });

  constructor(
    readonly root: HTMLElement,
    readonly pack: Pack,
    options: Options,
    key: string,
    changes: () => void = () => {},
  ) {
    super(options, key, changes);
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
    this.tell(t("Loading …"));
    try {
      Object.assign(this, await loadContents(this.pack, this.options.losses));
      this.begin(this.pack.manifest);
      this.build(await networkProblem());
      await this.sidePanels.alphabet?.start();
    } catch (error) {
      const again = button(t("Try again"), () => {
        this.pack.forget();
        this.start();
      });
      this.root.replaceChildren(el("p.note.error", { role: "alert" }, (error as Error).message, " ", again));
      return;
    }
    const text = this.address?.begin() ?? "";
    this.take(text);
    if (text && !this.state.losses.length) this.root.scrollIntoView({ block: "nearest" });
    await this.update(false);
    this.root.dataset.ready = "yes";
  }

  private build(problem: Problem | null) {
    const { signal } = this.life;
    this.addressed(signal);
    this.sidePanels = new SidePanels(this, this.options.parts, problem, (text) => this.draw(text));
    this.root.replaceChildren(this.notice, ...this.sidePanels.around(this.grid), this.shade, this.announcer.root);
    const clicked = (event: MouseEvent) => {
      if (this.follow(event)) this.lab?.afresh(true);
    };
    if (this.lab && this.key) document.addEventListener("click", clicked, { signal });
    watchAppearance(this.grid, () => this.paint(), signal);
    const refused = () =>
      this.tell(
        t(
          "The browser gives no canvas to draw on: it may be short of memory. Close other pages, then load this one again.",
        ),
      );
    this.root.addEventListener("refused", refused, { signal });
  }

  get gallery() {
    return this.sidePanels.gallery;
  }

  get alphabet() {
    return this.sidePanels.alphabet;
  }

  get inspector() {
    return this.sidePanels.inspector;
  }

  get lab() {
    return this.sidePanels.lab;
  }

  // ---- what the reader does

  reset() {
    if (this.inspector) this.inspector.bend.amount = 0;
    super.reset();
  }

  chooseTool(lassoing: boolean) {
    this.lassoing = lassoing;
    this.say();
  }

  save() {
    const { surroundings } = this.renderLoop;
    const squares = this.state.losses.map((loss) => this.panel(loss).painter.whole(surroundings.ground));
    const names = this.state.losses.map((loss) => this.state.networks[loss]);
    savePicture(squares, names, surroundings);
  }

  point(digit: number) {
    if (digit === this.cursor) return;
    this.cursor = digit;
    this.show();
  }

  bendChanged() {
    this.loader.bend().catch((error) => this.tell(error.message));
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
    const { drawing, wide } = this.state;
    this.loader.probes.draw(drawnSign(this.state));
    this.sidePanels.pad?.show(drawing, wide);
    this.alphabet?.update().then(() => this.say());
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
    const networks = this.networksOf[loss].map((name) => manifest.spaces[name]);
    const slides = this.options.parts.includes("margin") ? pick : null;
    const panel = new Panel(loss, this.pack, this.labels.test, this.colours, networks, slides);
    this.panels.set(loss, panel);
    navigate(panel, this);
    const scrolled = ([{ isIntersecting }]: IntersectionObserverEntry[]) => {
      panel.inSight = isIntersecting;
      if (isIntersecting) this.paint();
    };
    const observer = new IntersectionObserver(scrolled, { rootMargin: "100px" });
    observer.observe(panel.root);
    this.life.signal.addEventListener("abort", () => observer.disconnect());
    return panel;
  }

  protected space(loss: string) {
    return this.panels.get(loss)?.space;
  }

  protected stopPlaying() {
    this.sidePanels.trainingSlider?.stop();
  }

  protected scrollTo(part: "lab" | "spaces") {
    (part === "lab" ? this.lab?.root : this.grid)?.scrollIntoView({ block: "nearest" });
  }

  tell(text: string) {
    this.notice.textContent = text;
    this.notice.hidden = false;
  }

  // `text`: a notice that is over; any, if none is told.
  untell(text = this.notice.textContent) {
    if (this.notice.textContent === text) this.notice.hidden = true;
  }

  say() {
    this.root.classList.toggle("fx-lassoing", this.lassoing);
    readOut(this);
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

  // What the squares show of the state.
  private scene() {
    const { state, cursor, lasso, labels, pack, colours, gallery } = this;
    const { selected, probes } = this.loader;
    const marks = (loss: string, space: Space, css: string) =>
      gallery?.marks({ loss, areas: state.areas }, space, (k) => (k < 10 ? hex(colours[k]) : css));
    return { state, cursor, selected, lasso, labels, pack, drawing: probes.drawing, marks };
  }
}
