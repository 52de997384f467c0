// One space: its points, drawn pixel by pixel into a plain canvas. For four times 5,000 points that takes a few
// milliseconds; it needs no WebGL, so nothing falls back, and any number of spaces fits a page.
const GLIDE = 500; // ms

export class Space {
  constructor(under, canvas, pack) {
    Object.assign(this, { under, canvas, pack, n: 0, began: -Infinity, view: { x: 0, y: 0, zoom: 1 } });
    [this.back, this.ctx] = [under.getContext("2d"), canvas.getContext("2d")];
  }

  // Show a network of the pack, or a moment of its training (0 to 1): the points glide to their new places.
  async show(name, moment, glide) {
    const { manifest } = this.pack, asked = (this.asked = `${name} ${moment}`);
    const points = await this.pack.places(`${name}/points`, manifest.grain);
    let target = points;
    if (moment < 1) {
      const trail = await this.pack.trail(name);
      const steps = trail.length - 1, i = Math.min(Math.floor(moment * steps), steps - 1), t = moment * steps - i;
      target = trail[i].map((v, j) => v + t * (trail[i + 1][j] - v));
    }
    if (this.asked !== asked) return false;
    const from = this.n ? this.places() : target;
    Object.assign(this, {
      name, moment, points, target, n: target.length / 2, entry: manifest.spaces[name],
      from: from.length < target.length ? target : from, began: glide ? performance.now() : -Infinity,
    });
    return true;
  }

  get progress() {
    return Math.min(1, (performance.now() - this.began) / GLIDE);
  }

  places() {
    const t = this.progress ** 2 * (3 - 2 * this.progress);
    if (t === 1) return this.target;
    return this.target.map((v, i) => this.from[i] + t * (v - this.from[i]));
  }

  place(i) {
    return [this.target[2 * i], this.target[2 * i + 1]];
  }

  // From places to pixels of the canvas and back; the rim of a space lies at 1.
  toPixel([x, y]) {
    const half = this.canvas.width / 2, k = half * 0.82 * this.view.zoom;
    return [half + (x - this.view.x) * k, half - (y - this.view.y) * k];
  }
  toPlace([px, py]) {
    const half = this.canvas.width / 2, k = half * 0.82 * this.view.zoom;
    return [(px - half) / k + this.view.x, (half - py) / k + this.view.y];
  }

  // What a network's output, its own units, is here.
  fromOutput([x, y]) {
    const { middle, radius, turn } = this.entry, [a, b] = [(x - middle[0]) / radius, (y - middle[1]) / radius];
    return [a * turn[0][0] + b * turn[1][0], a * turn[0][1] + b * turn[1][1]];
  }

  // Places as distances take them: of unit length in the cosine family, else in the network's units.
  compared([x, y]) {
    if (!this.entry.cosine) return [x * this.entry.radius, y * this.entry.radius];
    const length = Math.hypot(x, y) || 1e-12;
    return [x / length, y / length];
  }

  // The mean of places as distances take them: in the cosine family a direction, so of unit length again.
  template(places) {
    const compared = places.map((p) => this.compared(p));
    const mean = [0, 1].map((j) => compared.reduce((sum, p) => sum + p[j], 0) / compared.length);
    return this.entry.cosine ? this.compared(mean) : mean;
  }

  // The indices of the `count` places nearest to `to` among `places`.
  nearest(places, to, count, skip = -1) {
    const [x, y] = this.compared(to), best = [];
    for (let i = 0; i < places.length / 2; i++) {
      if (i === skip) continue;
      const [a, b] = this.compared([places[2 * i], places[2 * i + 1]]), d = (a - x) ** 2 + (b - y) ** 2;
      if (best.length < count || d < best.at(-1)[1]) {
        best.push([i, d]);
        best.sort((p, q) => p[1] - q[1]);
        best.length = Math.min(best.length, count);
      }
    }
    return best.map(([i]) => i);
  }

  // The point under a pixel, or -1.
  hit(pixel, within = 12 * devicePixelRatio) {
    const [x, y] = this.toPlace(pixel), reach = within / (this.canvas.width / 2 * 0.82 * this.view.zoom);
    let found = -1, least = reach ** 2;
    for (let i = 0; i < this.n; i++) {
      const d = (this.target[2 * i] - x) ** 2 + (this.target[2 * i + 1] - y) ** 2;
      if (d < least) [found, least] = [i, d];
    }
    return found;
  }

  draw({ lit, digit, neighbours, probe, marks, loop, labels, colours, ink, dark }) {
    const { canvas, ctx } = this, side = canvas.width, ratio = devicePixelRatio;
    if (this.under.width !== side) this.under.width = this.under.height = side;
    if (!this.pixels || this.pixels.width !== side) this.pixels = ctx.createImageData(side, side);
    const data = new Uint32Array(this.pixels.data.buffer).fill(0), places = this.places();
    const half = side / 2, k = half * 0.82 * this.view.zoom, any = lit.size > 0;
    const radius = (this.n > 2000 ? 1.25 : 2) * ratio * Math.min(2, this.view.zoom ** 0.3), dot = stamp(radius);
    const paint = (wanted, alpha) => {
      for (let i = 0; i < this.n; i++) {
        if (any && lit.has(i) !== wanted) continue;
        const x = Math.round(half + (places[2 * i] - this.view.x) * k);
        const y = Math.round(half - (places[2 * i + 1] - this.view.y) * k);
        if (x < 4 || y < 4 || x >= side - 4 || y >= side - 4) continue;
        splat(data, side, x, y, dot, colours[labels[i]], alpha);
      }
    };
    if (any) paint(false, dark ? 0.16 : 0.12);
    paint(true, any ? 0.95 : 0.75);
    ctx.putImageData(this.pixels, 0, 0);
    this.wedges(colours);
    ctx.font = `600 ${11 * ratio}px system-ui, sans-serif`;
    [ctx.textAlign, ctx.textBaseline] = ["center", "middle"];
    centres(places, labels, this.n).forEach((centre, label) => {
      if (!centre) return;
      const [x, y] = this.toPixel(centre);
      ring(ctx, x, y, 8.5 * ratio, hex(colours[label]), 1.5 * ratio, "#fffffff0");
      ctx.fillStyle = "#222";
      ctx.fillText(label, x, y + ratio / 2);
    });
    const at = probe ?? (digit >= 0 && digit < this.n ? [places[2 * digit], places[2 * digit + 1]] : null);
    if (at) {
      const pixel = this.toPixel(at);
      ctx.strokeStyle = ink;
      ctx.lineWidth = ratio;
      for (const place of neighbours) {
        const [x, y] = this.toPixel(place);
        ctx.beginPath();
        ctx.moveTo(...pixel);
        ctx.lineTo(x, y);
        ctx.stroke();
        ring(ctx, x, y, 4 * ratio, ink, 1.5 * ratio);
      }
      ring(ctx, ...pixel, 7 * ratio, ink, 3 * ratio, probe ? "#ffe14d" : undefined);
    }
    for (const { place, text } of marks) {
      const [x, y] = this.toPixel(place);
      ring(ctx, x, y, 9 * ratio, ink, 2 * ratio, "#ffe14d");
      ctx.fillStyle = "#222";
      ctx.fillText(text, x, y + ratio / 2);
    }
    if (loop?.length > 1) {
      ctx.beginPath();
      loop.forEach((p) => ctx.lineTo(...p));
      Object.assign(ctx, { strokeStyle: ink, lineWidth: 1.5 * ratio });
      ctx.setLineDash([4 * ratio, 3 * ratio]);
      ctx.stroke();
      ctx.setLineDash([]);
    }
  }

  // The region of each class, where its logit w.x + b is the largest: the square that one sees, cut by half-planes.
  wedges(colours) {
    const { back, entry } = this, side = this.under.width;
    back.clearRect(0, 0, side, side);
    if (!entry.weight || this.moment < 1) return;
    const corners = [[0, 0], [side, 0], [side, side], [0, side]].map((p) => this.toPlace(p));
    entry.weight.forEach((w, c) => {
      let region = corners;
      entry.weight.forEach((v, other) => {
        if (other === c) return;
        const over = ([x, y]) => (w[0] - v[0]) * x + (w[1] - v[1]) * y + entry.bias[c] - entry.bias[other];
        region = region.flatMap((p, i) => {
          const q = region[(i + 1) % region.length], [a, b] = [over(p), over(q)], kept = a >= 0 ? [p] : [];
          if (a >= 0 !== b >= 0) kept.push([0, 1].map((j) => p[j] + (a / (a - b)) * (q[j] - p[j])));
          return kept;
        });
      });
      if (!region.length) return;
      back.beginPath();
      region.forEach((p) => back.lineTo(...this.toPixel(p)));
      back.globalAlpha = 0.13 * this.progress;
      back.fillStyle = hex(colours[entry.classes ? entry.classes[c] : c]);
      back.fill();
      back.globalAlpha = 1;
    });
  }
}

export const hex = (c) => "#" + c.map((v) => v.toString(16).padStart(2, "0")).join("");

// A disc's cover of the pixels around its middle.
const stamps = new Map();
function stamp(radius) {
  if (!stamps.has(radius)) {
    const dot = [], r = Math.min(4, Math.ceil(radius));
    for (let y = -r; y <= r; y++) for (let x = -r; x <= r; x++) {
      const cover = Math.min(1, Math.max(0, radius + 0.5 - Math.hypot(x, y)));
      if (cover) dot.push([x, y, cover]);
    }
    stamps.set(radius, dot);
  }
  return stamps.get(radius);
}

// Lay a dot over what is there; a pixel is A B G R.
function splat(data, side, x, y, dot, [r, g, b], alpha) {
  for (let i = 0; i < dot.length; i++) {
    const at = (y + dot[i][1]) * side + x + dot[i][0], was = data[at], a = dot[i][2] * alpha, under = was >>> 24;
    if (!under) data[at] = ((a * 255) << 24) | (b << 16) | (g << 8) | r;
    else {
      const R = was & 255, G = (was >> 8) & 255, B = (was >> 16) & 255;
      data[at] = ((under + (255 - under) * a) << 24) | ((B + (b - B) * a) << 16) | ((G + (g - G) * a) << 8) | (R + (r - R) * a);
    }
  }
}

function ring(ctx, x, y, radius, colour, width, fill) {
  ctx.beginPath();
  ctx.arc(x, y, radius, 0, 7);
  if (fill) {
    ctx.fillStyle = fill;
    ctx.fill();
  }
  Object.assign(ctx, { strokeStyle: colour, lineWidth: width });
  ctx.stroke();
}

// The mean place of each class (null where it has none).
function centres(places, labels, n) {
  const sums = Array.from({ length: 10 }, () => [0, 0, 0]);
  for (let i = 0; i < n; i++) {
    const s = sums[labels[i]];
    s[0] += places[2 * i];
    s[1] += places[2 * i + 1];
    s[2]++;
  }
  return sums.map(([x, y, count]) => count ? [x / count, y / count] : null);
}
