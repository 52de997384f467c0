// Enrol symbols beside the ten digits; verify the drawing on the pad against each template at a threshold.
import { NAMES, el, percent } from "./dom.js";

const BINS = 60, MOST = 5;

export class Gallery {
  constructor(explorer) {
    Object.assign(this, { explorer, symbols: new Map() });
    this.chosen = el("select", { ariaLabel: "space to verify in", onchange: () => explorer.set({ space: this.chosen.value, threshold: null }) });
    this.name = el("input", { type: "text", value: "✶", maxLength: 12, ariaLabel: "name of the symbol", size: 6 });
    this.list = el("div.bar");
    this.verdict = el("p.verdict", { role: "status" });
    this.bars = el("div.bars", { role: "list", ariaLabel: "distance of the drawing to each template" });
    this.slider = el("input", { type: "range", min: 0, max: 1, step: 0.001, ariaLabel: "threshold",
      oninput: () => explorer.set({ threshold: +this.slider.value * this.top }, false) });
    this.chart = el("div.histogram");
    this.rates = el("p.figures");
    this.root = el("section.enrol", { ariaLabel: "enrol and verify" }, el("h4", {}, "Enrol and verify"),
      el("div.bar", {}, el("label", {}, "in ", this.chosen), el("label", {}, "as ", this.name),
        el("button.chip", { type: "button", onclick: () => this.enrol() }, "Enrol this drawing")),
      this.list, this.verdict, this.bars, this.chart, this.slider, this.rates);
  }

  enrol() {
    const name = this.name.value.trim(), { explorer } = this, samples = this.symbols.get(name) ?? [];
    const problem = !explorer.image ? "Draw something first: it is the drawing on the pad that is enrolled."
      : !name ? "Give the symbol a name first." : /^\d$/.test(name) ? "The ten digits are enrolled already: take another name."
      : samples.length >= MOST ? `${name} has ${MOST} samples already.` : "";
    if (problem) return (this.verdict.textContent = problem);
    this.symbols.set(name, [...samples, explorer.image]);
    explorer.pad.clear();
  }

  // Templates: the mean of the known training digits of each class, and of each symbol's samples, as they are compared.
  async update(late) {
    const { explorer } = this, { pack, losses, space: loss } = explorer, { grain, mean, std } = pack.manifest;
    const { space, probe } = explorer.panels.get(loss), { name } = explorer.current(loss), { labels, knownLabels } = explorer;
    const [known, points, network] = await Promise.all([pack.places(`${name}/known`, grain), pack.places(`${name}/points`, grain),
      explorer.network(name)]);
    if (late()) return;
    const groups = Array.from({ length: 10 }, (_, k) => [`${k}`, []]);
    knownLabels.forEach((k, i) => groups[k][1].push([known[2 * i], known[2 * i + 1]]));
    for (const [symbol, samples] of this.symbols)
      groups.push([symbol, samples.map((image) => space.fromOutput(network.embed(image.map((v) => (v - mean) / std))))]);
    const average = (all) => [0, 1].map((j) => all.reduce((sum, p) => sum + p[j], 0) / all.length);
    this.templates = groups.map(([name, places]) => ({ name, samples: places.length,
      at: space.template(places), place: average(places) }));
    const key = `${name} ${JSON.stringify([...this.symbols].map(([n, s]) => [n, s.length]))}`;
    if (this.key !== key) this.measure(space, points, labels);
    this.key = key;
    this.say(loss, losses, probe, space);
  }

  // The distances of the shown test digits to every template: genuine to their own, impostor to all others.
  measure(space, points, labels) {
    this.genuine = [];
    this.impostor = [];
    labels.forEach((label, i) => {
      const [x, y] = space.compared([points[2 * i], points[2 * i + 1]]);
      this.templates.forEach(({ at }, k) => (k === label ? this.genuine : this.impostor).push(Math.hypot(x - at[0], y - at[1])));
    });
    for (const kind of [this.genuine, this.impostor]) kind.sort((a, b) => a - b);
    this.top = this.impostor[Math.floor(this.impostor.length * 0.98)];
    let [low, high] = [0, this.top];
    for (let i = 0; i < 40; i++) { // the threshold at which FMR and FNMR are equal, by halving
      const middle = (low + high) / 2;
      if (share(this.impostor, middle) < 1 - share(this.genuine, middle)) low = middle;
      else high = middle;
    }
    this.equal = high;
  }

  say(loss, losses, probe, space) {
    const { explorer } = this, threshold = explorer.threshold ?? this.equal;
    this.chosen.replaceChildren(...losses.map((l) => el("option", { value: l, selected: l === loss }, NAMES[l])));
    this.list.replaceChildren(...[...this.symbols].map(([name, samples]) => el("button.chip", { type: "button",
      ariaLabel: `forget ${name}`, onclick: () => { this.symbols.delete(name); explorer.changed(); } },
    `${name}: ${samples.length} ${samples.length > 1 ? "samples" : "sample"} ✕`)));
    this.slider.value = threshold / this.top;
    const fmr = share(this.impostor, threshold), fnmr = 1 - share(this.genuine, threshold);
    this.rates.textContent = `threshold ${threshold.toFixed(3)} · FMR ${percent(fmr)} · FNMR ${percent(fnmr)}`;
    this.slider.setAttribute("aria-valuetext", this.rates.textContent);
    this.histogram(threshold);
    if (!probe || !explorer.image) {
      this.bars.replaceChildren();
      this.verdict.textContent = this.symbols.size ? "Now draw a probe: the symbol again, a digit, or something else."
        : "Draw a symbol of your own, no digit, and enrol it from one to five drawings.";
      return;
    }
    const [x, y] = space.compared(probe.place);
    const far = this.templates.map((t) => ({ ...t, d: Math.hypot(x - t.at[0], y - t.at[1]) })).sort((a, b) => a.d - b.d);
    this.bars.replaceChildren(...far.map(({ name, d }) => el("div.row", { role: "listitem" }, el("span", {}, name),
      el("span.track", {}, el(d <= threshold ? "span.bar-in" : "span.bar-out", { style: `width:${Math.min(100, 100 * d / this.top)}%` }),
        el("span.limit", { style: `left:${Math.min(100, 100 * threshold / this.top)}%` })), el("span.figures", {}, d.toFixed(3)))));
    const in_ = far.filter((t) => t.d <= threshold).map((t) => t.name);
    this.verdict.textContent = in_.length ? `Accepted as ${in_.join(" or ")}: within the threshold.`
      : `Rejected: the nearest, ${far[0].name}, is beyond the threshold.`;
  }

  histogram(threshold) {
    const width = 300, height = 70, x = (d) => (d / this.top) * width;
    const path = (values) => {
      const bins = new Array(BINS).fill(0);
      for (const v of values) if (v < this.top) bins[Math.floor(v / this.top * BINS)]++;
      const peak = Math.max(...bins);
      return `M0,${height} ` + bins.map((n, i) => `L${i * width / BINS},${height - (height - 4) * n / peak} h${width / BINS}`).join(" ") + ` L${width},${height}Z`;
    };
    this.chart.innerHTML = `<svg viewBox="0 0 ${width} ${height}" preserveAspectRatio="none" role="img" aria-label="distances of test digits: genuine and impostor">
      <path class="fx-genuine" d="${path(this.genuine)}"/><path class="fx-impostor" d="${path(this.impostor)}"/>
      <line class="fx-mark" x1="${x(threshold)}" x2="${x(threshold)}" y1="0" y2="${height}"/></svg>
      <div class="fx-key"><span class="fx-genuine">genuine</span><span class="fx-impostor">impostor</span></div>`;
  }

  // What the enrolled symbols show in a space: their place, once it is known.
  marks({ loss }) {
    if (loss !== this.explorer.space || !this.templates || this.explorer.step < 1) return [];
    return this.templates.slice(10).map(({ place, name }) => ({ place, text: name.slice(0, 2) }));
  }
}

// The share of rising values that are at most a limit.
function share(values, limit) {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] <= limit) low = middle + 1;
    else high = middle;
  }
  return low / values.length;
}
