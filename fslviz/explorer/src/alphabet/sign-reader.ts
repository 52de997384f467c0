// How signs are read: each is embedded by the network that the reader has chosen, and compared with the cards.
import type { Pack } from "../data/pack";
import { imageOf } from "../embedding/image";
import { Network } from "../embedding/network";
import type { Reader } from "../state/state";
import { textToStrokes } from "../state/strokes";
import type { OwnSymbol } from "../state/symbols";

// What is known of the networks (fslviz/explorer/alphabet.py): measured on characters that none of them has met.
export interface About {
  fmr: number[]; // shares of different signs that a threshold may let through, rising
  readers: Record<Reader, { met: number; cosine: boolean; thresholds: number[]; fnmr: number[] }>;
}

export interface Reading {
  distances: number[]; // to each card
  nearest: number; // its index, -1 where there is none
  far: number; // its distance
}

type Embed = (image: Float32Array) => ArrayLike<number>;

export class SignReader {
  about!: About;
  private ready = new Map<Reader, Embed>();
  private loading = new Map<Reader, Promise<Embed>>();
  private images = new Map<string, Float32Array>(); // of drawings, by their text
  private places = new Map<string, Float64Array>(); // of drawings, by the network and their text

  // `standardised`: an image as the networks take it.
  constructor(
    private pack: Pack,
    private standardised: (image: Float32Array) => Float32Array,
  ) {}

  async open() {
    this.about = JSON.parse(new TextDecoder().decode(await this.pack.part("alphabet/about")));
  }

  // Brings in a network. What was brought in once is at hand at once.
  async load(reader: Reader): Promise<void> {
    if (this.ready.has(reader)) return;
    const made = this.loading.get(reader) ?? this.fetched(reader);
    this.loading.set(reader, made);
    made.catch(() => this.loading.delete(reader));
    this.ready.set(reader, await made);
  }

  has(reader: Reader) {
    return this.ready.has(reader);
  }

  private async fetched(reader: Reader): Promise<Embed> {
    if (reader === "pixels") return this.standardised;
    const network = await Network.read(await this.pack.part(`alphabet/${reader}`));
    return (image) => network.embed(this.standardised(image));
  }

  image(text: string): Float32Array {
    if (this.images.size > 500) this.images.clear();
    if (!this.images.has(text)) this.images.set(text, imageOf(textToStrokes(text))!);
    return this.images.get(text)!;
  }

  // Where a network that was brought in puts an image: as distances take it.
  place(reader: Reader, image: Float32Array): Float64Array {
    return this.compared(reader, Float64Array.from(this.ready.get(reader)!(image)));
  }

  // The mean of a card's samples.
  template(reader: Reader, { samples }: OwnSymbol): Float64Array {
    const key = [reader, ...samples].join();
    const made = this.places.get(key);
    if (made) return made;
    const all = samples.map((text) => this.place(reader, this.image(text)));
    const mean = all[0].map((_, i) => all.reduce((sum, place) => sum + place[i], 0) / all.length);
    if (this.places.size > 1000) this.places.clear();
    this.places.set(key, this.compared(reader, mean));
    return this.places.get(key)!;
  }

  private compared(reader: Reader, place: Float64Array) {
    const length = this.about.readers[reader].cosine ? Math.hypot(...place) || 1 : 1;
    return place.map((v) => v / length);
  }

  read(reader: Reader, image: Float32Array, cards: OwnSymbol[]): Reading {
    const place = this.place(reader, image);
    const distances = cards.map((card) => distance(place, this.template(reader, card)));
    const far = Math.min(...distances);
    return { distances, far, nearest: distances.indexOf(far) };
  }

  // Where the threshold stands for a share of different signs let through: the nearest that was measured.
  threshold(reader: Reader, fmr: number) {
    const i = this.level(fmr);
    const { thresholds, fnmr } = this.about.readers[reader];
    return { threshold: thresholds[i], fmr: this.about.fmr[i], fnmr: fnmr[i] };
  }

  level(fmr: number) {
    const off = this.about.fmr.map((v) => Math.abs(Math.log(v / Math.max(fmr, 1e-6))));
    return off.indexOf(Math.min(...off));
  }
}

export function distance(a: ArrayLike<number>, b: ArrayLike<number>) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
  return Math.sqrt(sum);
}
