// The errors of a loss over its margins, above the slider that goes through them.
import { lossEntry } from "../catalogue";
import { el } from "../common/elements";
import { t } from "../common/texts";
import type { Entry } from "../data/pack";

const TICKS = [0.01, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.5];
const APART = 0.17; // of the height: what a tick's label needs

export class MarginCurve {
  readonly root: HTMLElement;
  private mark: HTMLElement;

  constructor(
    private networks: Entry[],
    byDefault: number,
  ) {
    const errors = { nn: networks.map((s) => 1 - s.merits["15-NN"]), eer: networks.map((s) => s.merits.EER) };
    const all = [...errors.nn, ...errors.eer];
    const [low, high] = [Math.min(...all) / 1.25, Math.max(...all) * 1.25];
    const up = (v: number) => Math.log(v / low) / Math.log(high / low);
    const line = (values: number[]) => values.map((v, i) => `${i},${(1 - up(v)).toFixed(4)}`).join(" ");
    const place = (i: number) => `left:${(100 * i) / (networks.length - 1)}%`;
    const box = `0 0 ${networks.length - 1} 1`;
    const plot = el("div.plot", {
      role: "img",
      ariaLabel: t(
        "errors over the margins {0} to {1}, on a scale of ratios",
        networks[0].margin!,
        networks.at(-1)!.margin!,
      ),
    });
    plot.innerHTML = `<svg viewBox="${box}" preserveAspectRatio="none"><polyline class="fx-nn" points="${line(errors.nn)}"/>
      <polyline class="fx-eer" points="${line(errors.eer)}"/></svg>`;
    let last = -1;
    for (const tick of TICKS.filter((v) => v > low && v < high && up(v) < 0.95)) {
      if (up(tick) - last < APART) continue;
      last = up(tick);
      plot.append(el("span.level", { style: `bottom:${100 * last}%` }, `${+(100 * tick).toPrecision(2)}%`));
    }
    // Beyond it no arrangement of ten classes on a circle, 36 degrees apart, satisfies the loss.
    const limit = lossEntry(networks[0].loss).margin?.limit ?? Number.POSITIVE_INFINITY;
    const over = networks.findIndex((s) => s.margin! > limit);
    if (over > 0) {
      const [a, b] = [networks[over - 1].margin!, networks[over].margin!];
      const edge = place(over - 1 + (limit - a) / (b - a));
      plot.append(el("span.edge", { style: edge }, el("span", {}, t("limit {0}", limit.toFixed(2)))));
    }
    this.mark = el("span.mark");
    plot.append(this.mark);
    const middle = networks.findIndex((s) => s.margin === byDefault);
    const ticks = networks.map(({ margin }, i) => {
      const end = (i === 0 && middle > 1) || (i === networks.length - 1 && middle < i - 1); // where there is room for both
      const said = i === middle ? `▴${margin}` : end ? `${margin}` : "";
      return el("span", { style: place(i), title: i === middle ? t("{0}, the default", margin!) : `${margin}` }, said);
    });
    const key = el(
      "div.key",
      {},
      el("span.nn", {}, t("15-NN error")),
      el("span", {}, t("▴ default")),
      el("span.eer", {}, t("EER")),
    );
    this.root = el("div.curve", {}, key, plot, el("div.ticks", { ariaHidden: "true" }, ...ticks));
  }

  show(i: number) {
    this.mark.style.left = `${(100 * i) / (this.networks.length - 1)}%`;
  }
}
