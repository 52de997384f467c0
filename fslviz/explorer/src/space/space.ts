// One embedding space: where its digits lie now, and how it measures. It knows nothing of how it is drawn.
import { apart, mean, type Place, placeAt } from "../common/geometry";
import type { Entry, Pack } from "../data/pack";

const GLIDE = 500; // ms

export class Space {
  name = ""; // of the network shown
  moment = 1; // the place in its training
  entry!: Entry;
  target: Float32Array = new Float32Array(0); // where the digits are, or glide to
  private from: Float32Array = this.target;
  private began = Number.NEGATIVE_INFINITY;
  private asked = "";

  constructor(private pack: Pack) {}

  // Show a moment (0 to 1) of a network's training: the digits glide to their new places.
  async show(name: string, moment: number, glide: boolean) {
    const asked = `${name} ${moment}`;
    this.asked = asked;
    const target = await this.pack.moment(name, moment).catch((error) => {
      if (this.asked === asked) this.target = new Float32Array(0); // nothing is shown for what it is not
      throw error;
    });
    if (this.asked !== asked) return;
    const moved = this.n >= target.length / 2 && (this.name !== name || this.moment !== moment);
    this.from = moved ? this.places() : target;
    if (moved || this.n !== target.length / 2) this.began = glide ? performance.now() : Number.NEGATIVE_INFINITY;
    [this.name, this.moment, this.target, this.entry] = [name, moment, target, this.pack.manifest.spaces[name]];
  }

  get n() {
    return this.target.length / 2;
  }

  // How much of the glide is over.
  get progress() {
    return Math.min(1, (performance.now() - this.began) / GLIDE);
  }

  places(): Float32Array {
    const t = this.progress ** 2 * (3 - 2 * this.progress);
    return t === 1 ? this.target : this.target.map((v, i) => this.from[i] + t * (v - this.from[i]));
  }

  place(i: number): Place {
    return placeAt(this.target, i);
  }

  // What a network's output, its own units, is here; the rim of a space lies at 1.
  fromOutput([x, y]: Place): Place {
    const { middle, radius, turn } = this.entry;
    const [a, b] = [(x - middle[0]) / radius, (y - middle[1]) / radius];
    return [a * turn[0][0] + b * turn[1][0], a * turn[0][1] + b * turn[1][1]];
  }

  // Places as distances take them: of unit length in the cosine family, else in the network's units.
  compared([x, y]: Place): Place {
    if (!this.entry.cosine) return [x * this.entry.radius, y * this.entry.radius];
    const length = Math.hypot(x, y) || 1e-12;
    return [x / length, y / length];
  }

  distance(a: Place, b: Place): number {
    return apart(this.compared(a), this.compared(b));
  }

  // The mean of places as distances take them: in the cosine family a direction, so of unit length again.
  template(places: Place[]): Place {
    const middle = mean(places.map((p) => this.compared(p)));
    return this.entry.cosine ? this.compared(middle) : middle;
  }

  // The indices of the `count` places nearest to `to` among `places` (N, 2).
  nearest(places: Float32Array, to: Place, count: number, skip = -1): number[] {
    const [x, y] = this.compared(to);
    const best: [number, number][] = [];
    for (let i = 0; i < places.length / 2; i++) {
      if (i === skip) continue;
      const [a, b] = this.compared(placeAt(places, i));
      const d = (a - x) ** 2 + (b - y) ** 2;
      if (best.length === count && d >= best[count - 1][1]) continue;
      best.push([i, d]);
      best.sort((p, q) => p[1] - q[1]);
      best.length = Math.min(best.length, count);
    }
    return best.map(([i]) => i);
  }

  // The next digit in a direction; from none, the one nearest to `middle`.
  neighbourTowards(digit: number, [dx, dy]: Place, middle: Place): number {
    const none = digit < 0 || digit >= this.n;
    const from = none ? middle : this.place(digit);
    let [found, least] = [digit, Number.POSITIVE_INFINITY];
    for (let i = 0; i < this.n; i++) {
      const [x, y] = this.place(i);
      const along = (x - from[0]) * dx + (y - from[1]) * dy;
      const across = Math.abs((x - from[0]) * dy) + Math.abs((y - from[1]) * dx);
      const cost = none ? apart([x, y], from) : along + 2 * across;
      if (i !== digit && cost < least && (none || (along > 0.01 && along > across))) [found, least] = [i, cost];
    }
    return found;
  }
}

// A network's space as it is at a moment of its training, at rest.
export async function spaceOf(pack: Pack, name: string, moment = 1): Promise<Space> {
  const space = new Space(pack);
  await space.show(name, moment, false);
  return space;
}
