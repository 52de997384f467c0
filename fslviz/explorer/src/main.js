// The explorer: linked embedding spaces, their margins and trainings, a pad to draw on, a gallery to enrol in.
import css from "./style.css";
import { Network, prepare } from "./net.js";
import { Pack, fromScripts } from "./pack.js";
import { Space, hex } from "./space.js";
import { Gallery } from "./gallery.js";
import { Pad } from "./pad.js";
import { NAMES, el, percent } from "./dom.js";

const HELP = "Arrows go from digit to digit, Enter lights the region around, Shift with arrows moves the view, "
  + "plus and minus zoom, Escape starts afresh.";
const VERSION = "v1"; // of the state in the address
// Beyond these margins no arrangement of ten classes on a circle, 36 degrees apart, satisfies the loss.
const LIMITS = { cosface: 1 - Math.cos(Math.PI / 5), arcface: Math.PI / 5 };
const base = document.currentScript?.src.replace(/[^/]*$/, "");
let count = 0;

class Explorer {
  constructor(root, pack, { losses, parts, margins }, told = () => {}) {
    Object.assign(this, { root, pack, told, losses: losses.split(","), parts: new Set(parts.split(",")), given: JSON.parse(margins) });
    Object.assign(this, { margins: {}, step: 1, classes: [], picked: [], digit: -1, together: true, threshold: null });
    Object.assign(this, { space: this.losses[0], tool: "pan", image: null, networks: new Map(), panels: new Map() });
    Object.assign(this, { views: {}, times: { frame: [], pen: [] }, life: new AbortController(), key: "explorer" + (++count > 1 ? count : "") });
  }

  async start() {
    this.root.replaceChildren(el("p.note", { role: "status" }, "Loading the spaces …"));
    try {
      const { manifest } = await this.pack.open();
      this.colours = manifest.colours.map((c) => [1, 3, 5].map((i) => parseInt(c.slice(i, i + 2), 16)));
      this.sweeps = {};
      for (const [name, space] of Object.entries(manifest.spaces)) (this.sweeps[space.loss] ??= []).push({ name, ...space });
      const unknown = this.losses.filter((l) => !this.sweeps[l]);
      if (unknown.length) throw new Error(`No loss ${unknown}: there are ${Object.keys(this.sweeps).join(", ")}.`);
      for (const [loss, sweep] of Object.entries(this.sweeps)) {
        this.margins[loss] = Math.max(0, sweep.findIndex((s) => s.margin === (this.given[loss] ?? manifest.default[loss])));
        this.views[loss] = { x: 0, y: 0, zoom: 1 };
      }
      const labels = new Uint8Array(await this.pack.part("labels"));
      [this.labels, this.knownLabels] = [labels.subarray(0, manifest.shown), labels.subarray(manifest.shown)];
      this.build();
      await this.reopen(false);
    } catch (error) {
      this.root.replaceChildren(el("p.note.error", { role: "alert" }, error.message));
      return;
    }
    this.root.dataset.ready = "yes";
  }

  current(loss) {
    return this.sweeps[loss][this.margins[loss]];
  }

  // ---- what stands on the page

  build() {
    const has = (part) => this.parts.has(part);
    this.grid = el("div.grid");
    const kind = (loss) => loss.endsWith("-six"); // all ten digits, or six: never side by side unless asked for
    this.offered = Object.keys(this.sweeps).filter((loss) => kind(loss) === kind(this.losses[0]));
    this.lossButtons = this.offered.map((loss) => el("button.chip", { type: "button", onclick: () => {
      const chosen = this.losses.includes(loss) ? this.losses.filter((l) => l !== loss) : [...this.losses, loss];
      if (chosen.length) this.set({ losses: Object.keys(this.sweeps).filter((l) => chosen.includes(l)) });
    } }, NAMES[loss]));
    this.classButtons = this.colours.map((c, k) => el("button.digit", { type: "button", style: `--c:${hex(c)}`,
      ariaLabel: `light the digits ${k}`, onclick: () => this.set({ picked: [], classes: this.classes.includes(k)
        ? this.classes.filter((x) => x !== k) : [...this.classes, k] }) }, `${k}`));
    const tool = (name, text) => el("button.chip", { type: "button", onclick: () => this.set({ tool: name }) }, text);
    this.tools = { pan: tool("pan", "Move"), lasso: tool("lasso", "Lasso") };
    this.link = el("input", { type: "checkbox", checked: this.together, onchange: () => this.set({ together: this.link.checked }) });
    const reset = el("button.chip", { type: "button", onclick: () => this.reset() }, "Reset");
    this.root.replaceChildren(
      ...(has("choose") ? [el("div.bar", { role: "group", ariaLabel: "losses" }, ...this.lossButtons)] : []),
      el("div.bar", {}, el("span.set", { role: "group", ariaLabel: "light a class" }, ...this.classButtons),
        el("span.set", { role: "group", ariaLabel: "tools" }, this.tools.pan, this.tools.lasso, reset),
        el("label.check", {}, this.link, " zoom together")),
      this.grid);
    if (has("training")) {
      this.play = el("button.chip", { type: "button", onclick: () => this.playing ? this.stop() : this.run() }, "Play");
      this.stepper = el("input", { type: "range", min: 0, max: 1, step: 0.01, ariaLabel: "place in the training",
        oninput: () => { this.stop(); this.set({ step: +this.stepper.value }, false); } });
      this.seen = el("output.figures");
      this.root.append(el("div.bar.training", {}, el("strong", {}, "Training"), this.play, this.stepper, this.seen));
    }
    if (has("draw")) this.pad = new Pad(this);
    if (has("enrol")) this.gallery = new Gallery(this);
    const lower = el("div.lower", {}, ...[this.pad?.root, this.gallery?.root].filter(Boolean));
    if (lower.children.length) this.root.append(lower);
    this.dark = () => {
      for (let node = this.root; node; node = node.parentElement) {
        const [r, g, b, a = 1] = getComputedStyle(node).backgroundColor.match(/[\d.]+/g).map(Number);
        if (a > 0) return r + g + b < 382;
      }
      return false;
    };
    const redraw = () => this.redraw(), { signal } = this.life;
    const observers = [new ResizeObserver(redraw), new MutationObserver(redraw)];
    observers[0].observe(this.grid);
    observers[1].observe(document.documentElement, { attributes: true });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw, { signal });
    addEventListener("hashchange", () => {
      if (!location.hash.includes(`${this.key}=`)) return;
      this.root.scrollIntoView({ block: "nearest" });
      this.reopen(true);
    }, { signal });
    signal.addEventListener("abort", () => observers.forEach((o) => o.disconnect()));
  }

  panel(loss) {
    const under = el("canvas.under", { ariaHidden: "true" });
    const canvas = el("canvas.points", { tabIndex: 0, role: "application", ariaLabel: `${NAMES[loss]} space. ${HELP}` });
    const strip = el("canvas.strip", { role: "img", ariaLabel: "no digit chosen" });
    const space = new Space(under, canvas, this.pack), sweep = this.sweeps[loss];
    const figures = el("p.figures"), children = [
      el("h4", {}, NAMES[loss]), el("div.square", {}, under, canvas, el("span.scale", {}, el("i"), el("span"))),
      el("div.film", {}, strip, el("span.hint", { ariaHidden: "true" }, "point at a digit")), figures];
    const panel = { loss, space, canvas, strip, figures, root: null };
    if (sweep.length > 1 && this.parts.has("margin")) {
      panel.slider = el("input", { type: "range", min: 0, max: sweep.length - 1, step: 1, ariaLabel: `${NAMES[loss]} margin`,
        oninput: () => { this.stop(); this.margins = { ...this.margins, [loss]: +panel.slider.value }; this.changed(); } });
      panel.curve = curve(sweep, LIMITS[loss]);
      children.push(panel.curve.root, panel.slider);
    }
    panel.root = el("section.panel", { ariaLabel: `${NAMES[loss]} space` }, ...children);
    this.listen(panel);
    return panel;
  }

  // ---- hands and keys on a space

  listen({ loss, space, canvas }) {
    const fingers = new Map(), pixel = (e) => {
      const box = canvas.getBoundingClientRect(), ratio = canvas.width / box.width;
      return [(e.clientX - box.left) * ratio, (e.clientY - box.top) * ratio];
    };
    const move = (from, to, zoom) => {
      const views = this.together ? Object.values(this.views) : [this.views[loss]];
      const [a, b] = [space.toPlace(from), space.toPlace(to)];
      for (const view of views) {
        const near = Math.min(40, Math.max(0.3, view.zoom * zoom)), share = 1 - view.zoom / near;
        view.x += a[0] - b[0] + share * (b[0] - view.x);
        view.y += a[1] - b[1] + share * (b[1] - view.y);
        view.zoom = near;
      }
      this.changed(false);
    };
    canvas.onpointerdown = (e) => {
      canvas.setPointerCapture(e.pointerId);
      fingers.set(e.pointerId, pixel(e));
      if (this.tool === "lasso") this.loop = { loss, way: [pixel(e)] };
    };
    canvas.onpointermove = (e) => {
      const to = pixel(e), from = fingers.get(e.pointerId);
      if (!from) return this.pick(space.hit(to));
      if (this.loop) {
        this.loop.way.push(to);
        return this.redraw();
      }
      const other = [...fingers].find(([id]) => id !== e.pointerId)?.[1];
      const apart = (p) => Math.hypot(p[0] - other[0], p[1] - other[1]);
      move(from, to, other ? apart(to) / Math.max(apart(from), 1) : 1);
      fingers.set(e.pointerId, to);
    };
    canvas.onpointerup = canvas.onpointercancel = (e) => {
      fingers.delete(e.pointerId);
      if (e.type === "pointerup" && e.pointerType !== "mouse" && !this.loop) this.pick(space.hit(pixel(e), 24 * devicePixelRatio));
      if (!this.loop) return;
      const { way } = this.loop, inside = [];
      this.loop = null;
      for (let i = 0; i < space.n; i++) if (within(space.toPixel(space.place(i)), way)) inside.push(i);
      this.set({ picked: inside, classes: [] });
    };
    canvas.onpointerleave = (e) => e.pointerType === "mouse" && !fingers.size && this.pick(-1);
    canvas.addEventListener("wheel", (e) => {
      if (!e.ctrlKey && !e.metaKey && document.activeElement !== canvas) return; // else the page could not be scrolled
      e.preventDefault();
      move(pixel(e), pixel(e), Math.exp(-e.deltaY / 300));
    }, { passive: false });
    canvas.ondblclick = (e) => move(pixel(e), pixel(e), 2);
    canvas.onkeydown = (e) => {
      const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }, way = ways[e.key];
      const half = canvas.width / 2, middle = [half, half];
      if (way && e.shiftKey) move(middle, [half - way[0] * half / 4, half + way[1] * half / 4], 1);
      else if (way) this.pick(beside(space, this.digit, way));
      else if (e.key === "+" || e.key === "=") move(middle, middle, 1.5);
      else if (e.key === "-") move(middle, middle, 1 / 1.5);
      else if (e.key === "Enter" && this.digit >= 0) this.set({ classes: [], picked: space.nearest(space.target, space.place(this.digit), 100) });
      else if (e.key === "Escape") this.reset();
      else return;
      e.preventDefault();
    };
  }

  pick(digit) {
    if (digit === this.digit) return;
    this.digit = digit;
    this.update(false);
  }

  reset() {
    for (const view of Object.values(this.views)) Object.assign(view, { x: 0, y: 0, zoom: 1 });
    this.set({ classes: [], picked: [], digit: -1 });
  }

  // ---- the training

  run() {
    let before = performance.now();
    if (this.step >= 1) this.step = 0;
    this.playing = true;
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches, rest = still ? 600 : 0;
    const tick = async () => {
      if (!this.playing) return;
      const now = performance.now();
      this.step = Math.min(1, this.step + (still ? 1 / 6 : (now - before) / 6000));
      before = now;
      await this.changed(false);
      if (this.step >= 1) return this.stop();
      setTimeout(() => requestAnimationFrame(tick), rest);
    };
    requestAnimationFrame(tick);
    this.play.textContent = "Pause";
  }

  stop() {
    if (!this.playing) return;
    this.playing = false;
    this.play.textContent = "Play";
    this.changed(false);
  }

  // ---- state, and what follows from it

  set(state, glide = true) {
    Object.assign(this, state);
    return this.changed(glide);
  }

  changed(glide = true) {
    this.write();
    this.told(this);
    return this.update(glide);
  }

  async update(glide) {
    const turn = (this.turn = {}), late = () => turn !== this.turn; // while a part is on its way the reader may move on
    for (const loss of this.losses) if (!this.panels.has(loss)) this.panels.set(loss, this.panel(loss));
    const shown = this.losses.map((loss) => this.panels.get(loss));
    if (this.grid.childElementCount !== shown.length || shown.some((p, i) => this.grid.children[i] !== p.root))
      this.grid.replaceChildren(...shown.map((p) => p.root));
    this.grid.style.setProperty("--n", Math.min(4, shown.length));
    if (!this.losses.includes(this.space)) this.space = this.losses[0];
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    try {
      if (this.root.dataset.ready) this.root.querySelector(".fx-error")?.remove();
      await Promise.all(shown.map(({ loss, space }) => space.show(this.current(loss).name, this.step, glide && !still)));
      if (this.image && !late()) await this.embed(late);
      if (!late()) await this.gallery?.update(late);
    } catch (error) {
      if (!this.root.dataset.ready) throw error;
      this.root.prepend(el("p.note.error", { role: "alert" }, error.message));
    }
    if (late()) return;
    this.say();
    this.redraw();
  }

  // The words and marks beside the pictures.
  say() {
    const press = (button, on) => button.setAttribute("aria-pressed", on);
    this.offered.forEach((loss, i) => press(this.lossButtons[i], this.losses.includes(loss)));
    this.classButtons.forEach((b, k) => press(b, this.classes.includes(k)));
    for (const [name, button] of Object.entries(this.tools)) press(button, this.tool === name);
    this.root.classList.toggle("fx-lassoing", this.tool === "lasso");
    this.link.checked = this.together;
    this.link.parentElement.hidden = this.losses.length < 2;
    for (const loss of this.losses) {
      const { figures, slider, curve, space, root } = this.panels.get(loss), now = this.current(loss);
      const { "15-NN": accuracy, EER } = now.merits, none = now.classes ? `met ${now.classes.join(" ")}` : "no margin";
      const margin = now.margin === null ? none : `margin ${now.margin}`;
      figures.textContent = `${margin}\n15-NN ${percent(accuracy)} · EER ${percent(EER)}`;
      if (slider) {
        slider.value = this.margins[loss];
        slider.setAttribute("aria-valuetext", figures.textContent);
        curve.mark(this.margins[loss]);
      }
      const scale = root.querySelector(".fx-scale"), { zoom } = this.views[loss], length = +(now.radius * 0.3 / zoom).toPrecision(1);
      scale.hidden = this.step < 1 || now.cosine; // it is the angle alone that counts in the cosine family
      scale.firstChild.style.width = `${length / now.radius * zoom * space.canvas.clientWidth * 0.41}px`;
      scale.lastChild.textContent = length;
    }
    if (this.stepper) {
      this.stepper.value = this.step;
      const { seen, along } = this.current(this.losses[0]), at = this.step * (seen.length - 1);
      const images = Math.round((seen[Math.floor(at)] + (at % 1) * ((seen[Math.ceil(at)]) - seen[Math.floor(at)])) / 100) * 100;
      this.seen.textContent = `${images.toLocaleString("en")} images seen; nearest neighbour of its class: ` +
        this.losses.map((l) => `${NAMES[l]} ${percent(this.current(l).along[Math.round(at)] ?? along[0], 0)}`).join(", ");
      this.stepper.setAttribute("aria-valuetext", `${images} images seen`);
    }
  }

  redraw() {
    this.frame ??= requestAnimationFrame(() => {
      const began = performance.now();
      this.frame = null;
      this.paint();
      keep(this.times.frame, performance.now() - began);
      if (this.landed) keep(this.times.pen, performance.now() - this.landed);
      this.landed = null;
      if (this.losses.some((loss) => this.panels.get(loss).space.progress < 1)) this.redraw();
    });
  }

  paint() {
    const dark = this.dark(), ink = getComputedStyle(this.root).color;
    this.root.classList.toggle("fx-dark", dark);
    if (this.ink !== ink) this.pad?.paint();
    this.ink = ink;
    const lit = new Set(this.picked);
    if (this.classes.length) this.labels.forEach((k, i) => this.classes.includes(k) && lit.add(i));
    for (const loss of this.losses) {
      const panel = this.panels.get(loss), { space, canvas, strip } = panel;
      if (!space.n) continue;
      const side = Math.round(canvas.clientWidth * devicePixelRatio);
      if (!side) continue;
      if (canvas.width !== side) canvas.width = canvas.height = side;
      space.view = this.views[loss];
      const place = this.digit >= 0 && this.digit < space.n ? space.place(this.digit) : null;
      let near = [], places = [];
      const probe = place || this.step < 1 ? null : panel.probe; // it is the trained networks that embed the drawing
      if (place) {
        near = space.nearest(space.target, place, 5, this.digit);
        places = near.map((i) => space.place(i));
      } else if (probe) [near, places] = [probe.near, probe.near.map((i) => [probe.known[2 * i], probe.known[2 * i + 1]])];
      space.draw({ lit, digit: place ? this.digit : -1, neighbours: places, probe: probe?.place, ink, dark,
        marks: this.gallery?.marks(panel) ?? [], loop: this.loop?.loss === loss ? this.loop.way : null,
        labels: this.labels, colours: this.colours });
      this.film(strip, place ? "digits" : "known", place ? [this.digit, ...near] : near, place ? null : probe && this.image, ink);
    }
  }

  // A strip of images: the digit or the drawing, then its neighbours.
  async film(strip, part, indices, first, ink) {
    const asked = `${part} ${indices} ${ink}`;
    if (strip.asked === asked && strip.first === first) return;
    Object.assign(strip, { asked, first });
    const pixels = indices.length ? new Uint8Array(await this.pack.part(part)) : null;
    if (strip.asked !== asked || strip.first !== first) return;
    const cells = [...(first ? [(i) => first[i]] : []), ...indices.map((n) => (i) => {
      const two = pixels[n * 392 + (i >> 1)];
      return (i & 1 ? two & 15 : two >> 4) / 15;
    })];
    const labels = part === "digits" ? this.labels : this.knownLabels, names = indices.map((i) => labels[i]);
    strip.setAttribute("aria-label", !cells.length ? "no digit chosen" : first ? `your drawing; nearest: ${names.join(", ")}`
      : `a ${names[0]}; nearest: ${names.slice(1).join(", ")}`);
    strip.width = 6 * 30;
    strip.height = 30;
    const ctx = strip.getContext("2d"), [r, g, b] = ink.match(/[\d.]+/g);
    cells.forEach((at, n) => {
      const image = ctx.createImageData(28, 28);
      for (let i = 0; i < 784; i++) image.data.set([r, g, b, 255 * at(i)], 4 * i);
      ctx.putImageData(image, n * 30 + 1, 1);
    });
    if (cells.length) {
      ctx.strokeStyle = ink;
      ctx.strokeRect(0.5, 0.5, 29, 29);
    }
  }

  // ---- the drawing

  async network(name) {
    if (!this.networks.has(name)) this.networks.set(name, this.pack.part(`${name}/net`).then(Network.read));
    return this.networks.get(name);
  }

  // Where this drawing lies in every space, with the training digits nearest to it. Image: 784 greys, or null.
  async embed(late) {
    const { mean, std, grain } = this.pack.manifest;
    const standard = this.image.map((v) => (v - mean) / std);
    const ready = await Promise.all(this.losses.map(async (loss) => {
      const { name } = this.current(loss);
      return [loss, await this.network(name), await this.pack.places(`${name}/known`, grain)];
    }));
    if (late()) return;
    for (const [loss, network, known] of ready) {
      const panel = this.panels.get(loss), place = panel.space.fromOutput(network.embed(standard));
      panel.probe = { place, known, near: panel.space.nearest(known, place, 5) };
    }
  }

  // `penned`: when the pen moved.
  async draw(strokes, penned) {
    this.stop();
    this.image = prepare(strokes);
    Object.assign(this, { digit: -1, step: 1 });
    if (!this.image) for (const panel of this.panels.values()) panel.probe = null;
    await this.changed(false);
    this.landed = penned;
  }

  // ---- the address

  write() {
    const { losses, margins, step, classes, picked, together, threshold, space, views } = this;
    const round = (v) => +v.toFixed(3), seen = together ? [views[losses[0]]] : losses.map((l) => views[l]);
    const text = [VERSION, losses.map((l) => `${l}@${margins[l]}`).join(","), round(step), classes.join(","),
      seen.map((v) => [v.x, v.y, v.zoom].map(round).join(",")).join("+"), threshold === null ? "" : round(threshold), space,
      picked.map((i) => i.toString(36)).join(",")].join(";");
    clearTimeout(this.writing);
    this.writing = setTimeout(() => {
      const hash = new URLSearchParams(location.hash.includes("=") ? location.hash.slice(1) : "");
      hash.set(this.key, text);
      history.replaceState(history.state, "", "#" + decodeURIComponent(hash.toString()));
    }, 150);
  }

  // Take up the state in the address, where there is one.
  reopen(glide) {
    const notice = this.read();
    this.root.querySelector(".fx-note")?.remove();
    if (notice) this.root.prepend(el("p.note", { role: "status" }, notice));
    return this.update(glide);
  }

  // What is told to the reader where the state in the address can't be taken up.
  read() {
    const text = new URLSearchParams(location.hash.slice(1)).get(this.key);
    if (text === null) return "";
    const good = (test) => { if (!test) throw new Error(); };
    try {
      const [version, spaces, step, classes, views, threshold, space, picked] = text.split(";");
      good(version === VERSION);
      const numbers = (t) => t ? t.split(",").map(Number) : [], margins = {}, shown = this.labels.length;
      const losses = spaces.split(",").map((s) => {
        const [loss, margin] = s.split("@");
        good(Object.hasOwn(this.sweeps, loss) && /^\d+$/.test(margin) && this.sweeps[loss][margin] && !(loss in margins));
        margins[loss] = +margin;
        return loss;
      });
      const seen = views.replaceAll(" ", "+").split("+").map(numbers), state = { losses, step: +step, classes: numbers(classes),
        together: seen.length === 1, threshold: threshold === "" ? null : +threshold, space,
        picked: picked ? picked.split(",").map((i) => parseInt(i, 36)) : [] };
      good(state.step >= 0 && state.step <= 1 && state.classes.every((k) => this.colours[k]));
      good(losses.includes(space) && (state.threshold === null || (state.threshold >= 0 && state.threshold < Infinity)) && state.picked.every((i) => i >= 0 && i < shown));
      good(seen.every((v) => v.length === 3 && v.every(Number.isFinite) && v[2] >= 0.3 && v[2] <= 40) && (seen.length === 1 || seen.length === losses.length));
      Object.assign(this, state);
      Object.assign(this.margins, margins);
      Object.keys(this.views).forEach((loss) => {
        const [x, y, zoom] = seen.length === 1 ? seen[0] : seen[losses.indexOf(loss)] ?? [0, 0, 1];
        Object.assign(this.views[loss], { x, y, zoom });
      });
      return "";
    } catch {
      return "The view in this link could not be read, and is left aside.";
    }
  }
}

function keep(times, ms) {
  times.push(ms);
  if (times.length > 200) times.shift();
}

// Accuracy and EER over the margins, with a mark at the slider's place and, where there is one, at the limit.
function curve(sweep, limit) {
  const width = 200, height = 46, x = (i) => 8 + i * (width - 16) / (sweep.length - 1), y = (v) => (1 - v) * height;
  const line = (key) => sweep.map((s, i) => `${x(i)},${y(s.merits[key])}`).join(" ");
  const over = sweep.findIndex((s) => s.margin > limit), [a, b] = [sweep[over - 1], sweep[over]];
  const at = limit && x(over - 1 + (limit - a.margin) / (b.margin - a.margin));
  const edge = at ? `<line class="fx-edge" x1="${at}" x2="${at}" y1="0" y2="${height}"/>` : "";
  const root = el("div.curve");
  root.innerHTML = `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="15-NN accuracy and EER, from 0 to 100%, over the margins">
    ${edge}<line class="fx-mark" y1="0" y2="${height}"/><polyline class="fx-accuracy" points="${line("15-NN")}"/>
    <polyline class="fx-eer" points="${line("EER")}"/></svg>
    ${at ? `<span class="fx-limit-at" style="left:${100 * at / width}%">limit ${limit.toFixed(2)}</span>` : ""}<div class="fx-key"><span class="fx-accuracy">15-NN</span>
    <span>${sweep[0].margin} – ${sweep.at(-1).margin}</span><span class="fx-eer">EER</span></div>`;
  const mark = root.querySelector(".fx-mark");
  return { root, mark: (i) => ["x1", "x2"].forEach((a) => mark.setAttribute(a, x(i))) };
}

// The next digit of a space in a direction; from none, the one in the middle.
function beside(space, digit, [dx, dy]) {
  const from = digit >= 0 && digit < space.n ? space.place(digit) : [space.view.x, space.view.y];
  let found = digit, least = Infinity;
  for (let i = 0; i < space.n; i++) {
    const [x, y] = space.place(i), along = (x - from[0]) * dx + (y - from[1]) * dy;
    const across = Math.abs((x - from[0]) * dy) + Math.abs((y - from[1]) * dx), cost = along + 2 * across;
    if (i !== digit && cost < least && (digit < 0 || (along > 0.01 && along > across))) [found, least] = [i, Math.max(cost, 0)];
  }
  return found;
}

// Whether a point lies within a loop: how often a ray from it crosses the loop.
function within([x, y], loop) {
  let inside = false;
  loop.forEach(([x1, y1], i) => {
    const [x2, y2] = loop[(i + 1) % loop.length];
    if (y1 > y !== y2 > y && x < x1 + (y - y1) / (y2 - y1) * (x2 - x1)) inside = !inside;
  });
  return inside;
}

function dress() {
  if (!document.getElementById("fslviz-explorer")) document.head.append(el("style", { id: "fslviz-explorer" }, css));
}

if (base) document.addEventListener("DOMContentLoaded", () => {
  const places = document.querySelectorAll("div.fslviz-explorer");
  if (places.length) dress();
  const pack = new Pack(fromScripts(base));
  for (const root of places) {
    root.explorer = new Explorer(root, pack, root.dataset);
    root.explorer.start();
  }
});

// The front end of the notebook widget.
export function render({ model, el: root }) {
  dress();
  root.classList.add("fslviz-explorer");
  root.addEventListener("keydown", (e) => e.stopPropagation()); // else JupyterLab takes the arrows from the sliders
  const waiting = {};
  model.on("msg:custom", ({ part, error }, buffers) => error ? waiting[part]?.reject(new Error(error))
    : waiting[part]?.resolve(new Uint8Array(buffers[0].buffer ?? buffers[0], buffers[0].byteOffset ?? 0, buffers[0].byteLength)));
  const ask = (part) => new Promise((resolve, reject) => {
    waiting[part] = { resolve, reject };
    model.send({ part });
  });
  const here = (e) => ({ losses: e.losses, margins: Object.fromEntries(e.losses.filter((l) => e.current(l).margin !== null)
    .map((l) => [l, e.current(l).margin])), step: e.step, threshold: e.threshold, selection: e.picked });
  const options = { losses: model.get("losses").join(","), parts: model.get("parts"), margins: JSON.stringify(model.get("margins")) };
  const explorer = new Explorer(root, new Pack(ask), options, (e) => {
    for (const [name, value] of Object.entries(here(e)))
      if (JSON.stringify(model.get(name)) !== JSON.stringify(value)) model.set(name, value);
    model.save_changes();
  });
  explorer.write = explorer.read = () => ""; // a notebook's address is its own
  const take = () => {
    const { losses, margins, step, threshold, selection } = Object.fromEntries(["losses", "margins", "step", "threshold",
      "selection"].map((n) => [n, model.get(n)]));
    if (JSON.stringify(here(explorer)) === JSON.stringify({ ...here(explorer), losses, margins, step, threshold, selection })) return;
    for (const [loss, margin] of Object.entries(margins))
      explorer.margins[loss] = explorer.sweeps[loss].findIndex((s) => s.margin === margin);
    Object.assign(explorer, { losses, step, threshold, picked: selection });
    explorer.update(true);
  };
  explorer.start().then(() => {
    take();
    for (const name of ["losses", "margins", "step", "threshold", "selection"]) model.on(`change:${name}`, take);
  });
  root.explorer = explorer;
  return () => explorer.life.abort();
}
