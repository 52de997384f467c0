// One space on the page: its square, the strip of images, its figures, and the slider of its margin.
import { defaultMargin } from "../catalogue";
import type { Rgb } from "../common/colour";
import { el, slider } from "../common/elements";
import { formatCount, formatDistance, formatPercent } from "../common/format";
import { displayName } from "../common/loss-name";
import { t } from "../common/texts";
import type { Entry, Pack } from "../data/pack";
import { Painter } from "../drawing/painter";
import type { Scene } from "../drawing/scene";
import type { Bend, Probe } from "../embedding/probes";
import { Space } from "../space/space";
import { MarginCurve } from "./margin-curve";
import { Thumbnails } from "./thumbnails";

export class Panel {
  readonly space: Space;
  readonly painter: Painter;
  readonly thumbnails = new Thumbnails();
  readonly root: HTMLElement;
  probe: Probe | null = null; // of the drawing on the pad
  problem = ""; // why nothing is shown
  drawingProblem = ""; // why the drawing can't be placed
  bend: Bend | null = null; // of a digit that is bent
  inSight = true; // whether it stands within the window
  private figures = el("p.figures");
  private pair = el("p.pair");
  private problemLine = el("p.trouble");
  private scale = el("span.scale", { ariaHidden: "true" }, el("i"), el("span"));
  private curve?: MarginCurve;
  private slider?: HTMLInputElement;

  // `networks`: those of the loss over its margins; `pick`: told the place of the one that the reader wants.
  constructor(
    readonly loss: string,
    pack: Pack,
    labels: Uint8Array,
    colours: Rgb[],
    networks: Entry[],
    pick: ((i: number) => void) | null,
  ) {
    this.space = new Space(pack);
    this.painter = new Painter(this.space, labels, colours);
    const { under, dots, over } = this.painter;
    const ariaLabel = t(
      "{0} space. Arrows go from digit to digit, Space holds one, a second makes a pair, Enter highlights the region around, Shift with arrows moves the view, plus and minus zoom, Escape lets go.",
      displayName(loss),
    );
    Object.assign(over, { tabIndex: 0, role: "application", ariaLabel });
    const square = el("div.square", {}, under, dots, over, this.scale, this.problemLine);
    const name = t("{0} space", displayName(loss));
    const strip = this.thumbnails.root;
    this.root = el("section.panel", { ariaLabel: name }, el("h4", {}, displayName(loss)), square, strip, this.pair);
    this.root.append(this.figures);
    if (!pick || networks.length < 2) return;
    this.curve = new MarginCurve(networks, defaultMargin(loss)!);
    this.slider = slider(t("{0} margin", displayName(loss)), [0, networks.length - 1, 1], pick);
    this.root.append(el("div.margin", {}, this.curve.root, this.slider));
  }

  get said() {
    const [near, pair] = [this.thumbnails.said, this.pair.textContent];
    return near && pair ? t("{0}; {1}", near, pair) : near || pair || "";
  }

  // The words beside the picture. `place`: of the network among those of its loss; `moment`: of the training.
  say({ entry, place, moment, pair }: { entry: Entry; place: number; moment: number; pair: string }) {
    const { margin, classes, merits, seen, along, loss } = entry;
    const name = classes ? t("met {0}", classes.join(" ")) : margin === null ? t("no margin") : t("margin {0}", margin);
    const kept = Math.round(moment * (seen.length - 1));
    const images = formatCount(seen[kept]);
    const figures =
      moment < 1
        ? [t("{0}, after {1} images", name, images), t("1-NN {0} of 1,000", formatPercent(along[kept]))]
        : [name, t("15-NN {0} · EER {1}", formatPercent(merits["15-NN"]), formatPercent(merits.EER))];
    this.figures.textContent = this.problem ? name : figures.join("\n");
    this.pair.textContent = pair;
    this.problemLine.textContent = this.problem;
    this.slider?.setAttribute("aria-valuetext", this.figures.textContent);
    if (this.slider) this.slider.value = `${place}`;
    this.curve?.show(place);
    this.root.dataset.loss = loss;
  }

  paint(scene: Scene) {
    this.painter.paint(scene);
    const { n, entry, moment } = this.space;
    this.scale.hidden = !n || moment < 1 || entry.cosine; // in the cosine family it is the angle alone that counts
    if (this.scale.hidden) return;
    const length = +((entry.radius * 0.3) / scene.view.zoom).toPrecision(1);
    const [bar, words] = [...this.scale.children] as HTMLElement[];
    bar.style.width = `${100 * this.painter.share(length / entry.radius)}%`;
    words.textContent = length < 0.001 ? formatDistance(length) : `${length}`;
  }
}
