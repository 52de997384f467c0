// The lab's square: the space as it is learned, with its scale and, where they are wanted, its forces.
import { YELLOW } from "../common/colour";
import { el } from "../common/elements";
import { formatCount } from "../common/format";
import { apart, type Place, placeAt } from "../common/geometry";
import { t } from "../common/texts";
import { classCentres } from "../drawing/overlay";
import type { Painter } from "../drawing/painter";
import type { Scene } from "../drawing/scene";
import { listenToPointer } from "../input/pointer";
import { WHOLE } from "../state/view";
import type { Report } from "../training/worker";
import type { LabSpace } from "./lab-space";

const FORCE = 0.25; // of the frame: the longest arrow
const NAME = 14; // CSS pixels from the middle of a class's name that still take hold of it
const SAME = 1.25; // times larger or smaller: what is no change worth a word

export class Square {
  readonly root: HTMLElement;
  private held = -1; // the class whose name is dragged
  private at: Place = [0, 0]; // and where to, in shares of the square
  frame = 0; // that is waited for
  private scale = el("span.scale", { ariaHidden: "true" }, el("i"), el("span"));

  // `picture`: the last report, if any, and how the page is painted. `invitation`: stands where there is none.
  // `changePlaces`: told when one class's name is dropped on another's.
  constructor(
    private space: LabSpace,
    private painter: Painter,
    private invitation: HTMLElement,
    private picture: () => { report: Report | null; names: string[]; css: string } & Pick<Scene, "dark" | "paper">,
    changePlaces: (a: number, b: number) => void,
  ) {
    const { under, dots, over } = painter;
    over.setAttribute("role", "img");
    this.root = el("div.square", {}, under, dots, over, this.scale, invitation);
    listenToPointer(over, {
      start: (at) => {
        [this.held, this.at] = [this.nameAt(at), at];
        return this.held >= 0;
      },
      move: (at) => {
        this.at = at;
        this.paint();
      },
      end: (whole) => {
        const [from, to] = [this.held, whole ? this.nameAt(this.at) : -1];
        this.held = -1;
        this.paint();
        if (to >= 0) changePlaces(from, to);
      },
      hover: (at) => {
        over.style.cursor = this.nameAt(at) >= 0 ? "grab" : "";
      },
    });
  }

  // The class whose name lies at a place, other than the one that is dragged; -1 for none, or where classes have no weights.
  private nameAt([x, y]: Place): number {
    if (!this.picture().report?.head) return -1;
    const { side } = this.painter;
    const near = classCentres(this.painter).map((centre, c) =>
      centre && c !== this.held ? apart(this.painter.toPixel(centre), [x * side, y * side]) : Number.POSITIVE_INFINITY,
    );
    const least = Math.min(...near);
    return least < NAME * devicePixelRatio ? near.indexOf(least) : -1;
  }

  // The name that is dragged, and what it would change places with.
  private dragged(): Scene["rings"] {
    if (this.held < 0) return [];
    const { side } = this.painter;
    const [x, y] = this.at;
    const to = this.nameAt(this.at);
    const target = to < 0 ? [] : [{ place: classCentres(this.painter)[to]!, text: `${to}`, fill: YELLOW }];
    return [...target, { place: this.painter.toPlace([x * side, y * side]), text: `${this.held}`, fill: YELLOW }];
  }

  // `figures`: of what is shown, "" for nothing.
  say(figures: string) {
    this.scale.hidden = !figures;
    this.invitation.hidden = figures !== "";
    const said = figures ? t("the space as it is learned: {0}", figures) : t("the space as it is learned");
    this.painter.over.setAttribute("aria-label", said);
  }

  paint() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
      if (this.space.progress < 1) this.paint();
    });
  }

  private draw() {
    const { report, names, css, dark, paper } = this.picture();
    if (!report) return;
    const { drawings, batch } = report;
    const placed = names.slice(0, drawings.length / 2); // one that was drawn just now has no place yet
    const rings = placed.map((text, i) => ({ place: this.space.framed(placeAt(drawings, i)), text, fill: YELLOW }));
    const nothing = { view: WHOLE, selected: null, path: [], links: [], areas: [], lasso: null };
    const arrows = batch ? this.arrows(batch) : [];
    this.painter.paint({ ...nothing, rings: [...rings, ...this.dragged()], arrows, ink: css, dark, paper });
    const { radius } = this.space.entry;
    const [bar, words] = [...this.scale.children] as HTMLElement[];
    const length = +(radius * 0.3).toPrecision(1);
    bar.style.width = `${100 * this.painter.share(length / radius)}%`;
    words.textContent = this.lengthText(+length.toPrecision(3));
  }

  // The scale's length, with how the space has grown since its training began, where it has.
  private lengthText(length: number) {
    const { grown } = this.space;
    if (grown > 1 / SAME && grown < SAME) return `${length}`;
    if (!grown) return t("{0} · a single point", length);
    if (grown < 1) return t("{0} · 1/{1} of its first size", length, rounded(1 / grown));
    return t("{0} · {1} times its first size", length, rounded(grown));
  }

  // Where the loss pulls each place of a batch: against its gradient, the longest as long as a quarter of the frame.
  private arrows({ places, forces }: NonNullable<Report["batch"]>): Place[][] {
    let most = 1e-12;
    for (let i = 0; i < forces.length; i += 2) most = Math.max(most, Math.hypot(forces[i], forces[i + 1]));
    return Array.from({ length: places.length / 2 }, (_, i) => {
      const from = this.space.framed(placeAt(places, i));
      const [fx, fy] = placeAt(forces, i);
      return [from, [from[0] - (FORCE * fx) / most, from[1] - (FORCE * fy) / most]];
    });
  }

  // The picture in a file. False where the browser gives no canvas for it.
  save(name: string): boolean {
    const { under, dots, over, side } = this.painter;
    const sheet = el("canvas", { width: side, height: side });
    const ctx = sheet.getContext("2d");
    if (!ctx) return false;
    ctx.fillStyle = this.picture().dark ? "#121212" : "#ffffff";
    ctx.fillRect(0, 0, side, side);
    for (const layer of [under, dots, over]) ctx.drawImage(layer, 0, 0);
    el("a", { href: sheet.toDataURL(), download: name }).click();
    return true;
  }
}

const rounded = (v: number) => (v < 10 ? v.toFixed(1) : v < 1e6 ? formatCount(Math.round(v)) : v.toExponential(0));
