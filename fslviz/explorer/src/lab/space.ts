// The lab's space: places as the worker reports them, in a frame that follows their spread slowly, so that a space that
// grows is seen to grow.
import { still } from "../dom";
import { at, type Place } from "../geometry";
import type { Plane } from "../painter";

const CALM = 0.15; // of the way that the frame goes to where it should be, at each picture
const GLIDE = 150; // ms

export class LabSpace implements Plane {
  name = "lab";
  step = 1;
  entry: Plane["entry"] = { cosine: false, radius: 1, bias: [] };
  target = new Float32Array(0);
  spread = 0; // the distance from the middle within which nearly all digits lie
  private from = this.target;
  private middle: Place = [0, 0];
  private radius = 0;
  private began = Number.NEGATIVE_INFINITY;

  // Places (N, 2) in the network's units. `centred`: whether the middle of the frame is the origin, as rays have it.
  show(
    places: Float32Array,
    centred: boolean,
    head: { weight: Float32Array; bias: Float32Array } | null,
    linear: boolean,
  ) {
    const n = places.length / 2;
    const mean: Place = [0, 0];
    if (!centred) for (let i = 0; i < places.length; i++) mean[i & 1] += places[i] / n;
    const far = Float32Array.from({ length: n }, (_, i) =>
      Math.hypot(places[2 * i] - mean[0], places[2 * i + 1] - mean[1]),
    ).sort();
    this.spread = far[Math.floor(0.98 * n)] || 0;
    const wanted = Math.max(this.spread, 1e-6);
    const calm = this.radius ? CALM : 1;
    this.radius *= (wanted / (this.radius || wanted)) ** calm;
    this.radius ||= wanted;
    this.middle = this.middle.map((v, j) => v + calm * (mean[j] - v)) as Place;
    const now = this.places();
    this.target = places.map((v, i) => (v - this.middle[i & 1]) / this.radius);
    this.from = now.length === this.target.length ? now : this.target;
    this.began = performance.now();
    const weight = head ? Array.from({ length: 10 }, (_, c) => at(head.weight, c)) : undefined;
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
    this.radius = this.spread = 0;
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
    return still() ? 1 : Math.min(1, (performance.now() - this.began) / GLIDE);
  }

  places() {
    const t = this.progress;
    return t === 1 ? this.target : this.target.map((v, i) => this.from[i] + t * (v - this.from[i]));
  }
}
