// The lab's space: places as the worker reports them, in a frame that holds them all at every moment. The frame is
// slow to close in on a space that shrinks, so that it is seen to shrink; how small it has become is told in words.
import { type Place, placeAt } from "../common/geometry";
import { reducedMotion } from "../common/timing";
import type { Plane } from "../drawing/scene";
import { FILL } from "../state/view";

const CALM = 0.15; // of the way that the frame closes in, at each picture
const LOOSE = 3; // times as large as it need be, at most: a collapse within few pictures is seen too
const RIM = 0.93 / FILL; // of the frame's radius: where the farthest digit may lie, to be seen whole
const GRAIN = 1e-8; // of the middle's distance from the origin: below it, 32-bit places are one point
const GLIDE = 150; // ms

export class LabSpace implements Plane {
  name = "lab";
  moment = 1; // rises with each picture
  entry: Plane["entry"] = { cosine: false, radius: 1, bias: [] };
  target = new Float32Array(0);
  spread = 0; // the distance from the middle within which nearly all digits lie
  grown = 1; // the spread, in parts of the first
  private first = 0;
  private from = this.target;
  private middle: Place = [0, 0];
  private radius = 0;
  private began = Number.NEGATIVE_INFINITY;

  // Places (N, 2) in the network's units, and those of drawings. `centred`: whether the middle of the frame is the
  // origin, as rays have it.
  show(
    places: Float32Array,
    drawings: Float32Array,
    centred: boolean,
    head: { weight: Float32Array; bias: Float32Array } | null,
    linear: boolean,
  ) {
    const n = places.length / 2;
    const mean: Place = [0, 0];
    if (!centred) for (let i = 0; i < places.length; i++) mean[i & 1] += places[i] / n;
    const far = (all: Float32Array) =>
      Float32Array.from({ length: all.length / 2 }, (_, i) =>
        Math.hypot(all[2 * i] - mean[0], all[2 * i + 1] - mean[1]),
      );
    const reach = far(places).sort();
    const grain = GRAIN * Math.hypot(...mean);
    this.spread = reach[Math.floor(0.98 * n)] > grain ? reach[Math.floor(0.98 * n)] : 0;
    this.first ||= this.spread;
    this.grown = this.spread / this.first;
    const wanted = Math.max(grain, this.spread, ...[reach[n - 1], ...far(drawings)].map((d) => d / RIM)) || 1;
    const calm = (this.radius || wanted) ** (1 - CALM) * wanted ** CALM;
    this.radius = Math.max(wanted, Math.min(LOOSE * wanted, calm));
    this.middle = mean;
    const now = this.places();
    this.target = places.map((v, i) => (v - this.middle[i & 1]) / this.radius);
    this.from = now.length === this.target.length ? now : this.target;
    this.began = performance.now();
    this.moment++;
    const weight = head ? Array.from({ length: 10 }, (_, c) => placeAt(head.weight, c)) : undefined;
    const scale = linear ? this.radius : 1; // w.x + b, x in units of the frame
    const unit = (w: Place): Place =>
      linear ? [w[0] * scale, w[1] * scale] : [w[0] / Math.hypot(...w), w[1] / Math.hypot(...w)];
    this.entry = {
      cosine: !linear && head !== null,
      radius: this.radius,
      weight: weight?.map(unit),
      bias: linear && head ? [...head.bias] : new Array(10).fill(0),
    };
  }

  // Nothing, as before the first picture.
  clear() {
    this.target = this.from = new Float32Array(0);
    this.radius = this.spread = this.first = 0;
    this.middle = [0, 0];
  }

  // A place of the network's units in the frame.
  framed([x, y]: Place): Place {
    return [(x - this.middle[0]) / this.radius, (y - this.middle[1]) / this.radius];
  }

  get n() {
    return this.target.length / 2;
  }

  get progress() {
    return reducedMotion() ? 1 : Math.min(1, (performance.now() - this.began) / GLIDE);
  }

  places() {
    const t = this.progress;
    return t === 1 ? this.target : this.target.map((v, i) => this.from[i] + t * (v - this.from[i]));
  }
}
