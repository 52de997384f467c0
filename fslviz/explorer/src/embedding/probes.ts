// What is embedded in the page: the drawing on the pad, and a digit on its way as it is bent.
import type { Place } from "../common/geometry";
import { letInputIn } from "../common/timing";
import type { Pack } from "../data/pack";
import type { Space } from "../space/space";
import { textToStrokes } from "../state/strokes";
import { BENDS, bent } from "./bend";
import { imageOf } from "./image";
import { Network } from "./network";

const STOPS = 12; // of a way, from one end of the slider to the other

export interface Probe {
  network: string; // that placed it
  place: Place;
  near: number[]; // the known digits nearest to it
  known: Float32Array;
}

export interface Bend {
  path: Place[];
  now: Place;
}

export class Probes {
  drawing: Float32Array | null = null;
  private text = ""; // of the drawing
  private networks = new Map<string, Promise<Network>>();
  private paths = new Map<string, Place[]>();
  private drawn = new WeakMap<Float32Array, number>(); // a number for each drawing
  private count = 0;

  constructor(private pack: Pack) {}

  network(name: string): Promise<Network> {
    let network = this.networks.get(name);
    if (!network) {
      network = this.pack.part(`${name}/net`).then(Network.read);
      network.catch(() => this.networks.delete(name));
      this.networks.set(name, network);
    }
    return network;
  }

  // Take the drawing that a text of strokes tells, or none.
  draw(text: string) {
    if (text !== this.text) this.drawing = imageOf(textToStrokes(text));
    this.text = text;
  }

  // Pixels as the networks were trained on.
  standardised = (image: Float32Array) => {
    const { mean, std } = this.pack.manifest;
    return image.map((v) => (v - mean) / std);
  };

  // Where the drawing lies in a space that shows a network, with the training digits nearest to it: null where there is
  // no drawing, or it has come too late.
  async place(space: Space, network: string, late: () => boolean): Promise<Probe | null> {
    if (!this.drawing) return null;
    const [embedder, known] = await Promise.all([this.network(network), this.pack.places(`${network}/known`)]);
    if (late() || !this.drawing) return null;
    const place = space.fromOutput(embedder.embed(this.standardised(this.drawing)) as Place);
    return { network, place, known, near: space.nearest(known, place, 5) };
  }

  // The way of an image through a space as it is bent from one end to the other, and where it is now. `key`: of the digit,
  // "" for a drawing.
  async bend(
    space: Space,
    name: string,
    image: Float32Array,
    key: string,
    bend: { kind: string; amount: number },
  ): Promise<Bend> {
    const network = await this.network(name);
    const place = (amount: number) =>
      space.fromOutput(network.embed(this.standardised(bent(image, bend.kind, amount))) as Place);
    if (!key && !this.drawn.has(image)) this.drawn.set(image, ++this.count);
    const whole = `${name} ${key || `drawing ${this.drawn.get(image)}`} ${bend.kind}`;
    const { most } = BENDS[bend.kind];
    if (!this.paths.has(whole)) {
      const path: Place[] = [];
      for (let i = 0; i <= STOPS; i++) {
        if (i % 3 === 0) await letInputIn();
        path.push(place(most * ((2 * i) / STOPS - 1)));
      }
      if (this.paths.size > 200) this.paths.clear();
      this.paths.set(whole, path);
    }
    return { path: this.paths.get(whole)!, now: place(bend.amount) };
  }
}
