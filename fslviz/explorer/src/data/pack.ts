// The pack's parts: asked for once, unpacked, read as numbers. It knows nothing of the page.
import type { Place } from "../common/geometry";
import { t } from "../common/texts";

const VERSION = 1;
const RETRY = 2000; // ms after which a part that was missing may be asked for again

export interface Entry {
  loss: string;
  margin: number | null;
  cosine: boolean;
  classes?: number[];
  merits: { "15-NN": number; EER: number };
  seen: number[];
  along: number[];
  radius: number;
  middle: Place;
  turn: [Place, Place];
  weight?: Place[];
  bias: number[];
}

export interface Manifest {
  version: number;
  spaces: Record<string, Entry>;
  colours: string[];
  shown: number;
  trail: number;
  grain: number;
  coarse: number;
  mean: number;
  std: number;
}

type Ask = (name: string) => Promise<Uint8Array<ArrayBuffer>>;

const arrived: Record<string, string> = {};

// A page opened from a file may not fetch, but it may load scripts: in the book each part is one.
export function fromScripts(base: string): Ask {
  Object.assign(globalThis, { fslvizPart: (name: string, text: string) => void (arrived[name] = text) });
  return (name) =>
    new Promise<Uint8Array<ArrayBuffer>>((resolve, reject) => {
      const script = document.createElement("script");
      script.src = `${base + name.replace("/", ".")}.js`;
      script.onload = () => (arrived[name] ? resolve(base85(arrived[name])) : reject(new Error(t("it is damaged"))));
      script.onerror = () => reject(new Error(t("it is missing")));
      document.head.append(script);
    }).finally(() => delete arrived[name]);
}

export class Pack {
  manifest!: Manifest;
  private parts = new Map<string, Promise<ArrayBuffer>>();
  private read = new Map<string, Float32Array>();
  private trails = new Map<string, Float32Array[]>();

  private lost = new Set<string>(); // parts that did not come

  constructor(private ask: Ask) {
    addEventListener("online", () => this.forget());
  }

  // What did not come may be asked for again.
  forget() {
    for (const name of this.lost) this.parts.delete(name);
    this.lost.clear();
  }

  async open() {
    this.manifest = JSON.parse(new TextDecoder().decode(await this.part("manifest")));
    const { version } = this.manifest;
    if (version !== VERSION) throw new Error(t("The explorer's data are of version {0}, not {1}", version, VERSION));
    return this;
  }

  // The bytes of a part.
  part(name: string): Promise<ArrayBuffer> {
    let part = this.parts.get(name);
    if (!part) {
      part = this.ask(name)
        .then(inflate)
        .catch((error: Error) => {
          this.lost.add(name);
          setTimeout(() => this.forget(), RETRY);
          throw new Error(t("The explorer's data can't be read: {0} ({1})", name, error.message));
        });
      this.parts.set(name, part);
    }
    return part;
  }

  // Places (N, 2) from 16-bit numbers whose low bytes come first.
  async places(name: string, grain = this.manifest.grain): Promise<Float32Array> {
    const bytes = new Uint8Array(await this.part(name));
    const half = bytes.length / 2;
    const read = (_: unknown, i: number) => (((bytes[i] | (bytes[half + i] << 8)) << 16) >> 16) / grain;
    if (!this.read.has(name)) this.read.set(name, Float32Array.from({ length: half }, read));
    return this.read.get(name)!;
  }

  // The places (TRAIL, 2) of each moment of a training; the pack holds what changes from one to the next.
  async trail(name: string): Promise<Float32Array[]> {
    const { trail, coarse, spaces } = this.manifest;
    const deltas = await this.places(`${name}/trail`, coarse);
    if (!this.trails.has(name)) {
      const frames: Float32Array[] = [];
      for (let i = 0; i < spaces[name].seen.length; i++)
        frames.push(deltas.slice(2 * trail * i, 2 * trail * (i + 1)).map((v, j) => v + (i ? frames[i - 1][j] : 0)));
      this.trails.set(name, frames);
    }
    return this.trails.get(name)!;
  }

  // Where the images lie at a moment (0 to 1) of a network's training: all of them at its end, some along it.
  async moment(name: string, step: number): Promise<Float32Array> {
    if (step >= 1) return this.places(`${name}/points`);
    const trail = await this.trail(name);
    const steps = trail.length - 1;
    const i = Math.min(Math.floor(step * steps), steps - 1);
    return trail[i].map((v, j) => v + (step * steps - i) * (trail[i + 1][j] - v));
  }

  // One of the images that a part holds, two pixels a byte: 784 greys from 0 to 1.
  async image(part: "digits" | "known", index: number): Promise<Float32Array> {
    const bytes = new Uint8Array(await this.part(part), 392 * index, 392);
    return Float32Array.from(greys(bytes), (v) => v / 255);
  }
}

// Greys from 0 to 255, of which the pack holds two a byte.
export function greys(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(
    { length: 2 * bytes.length },
    (_, i) => 17 * (i & 1 ? bytes[i >> 1] & 15 : bytes[i >> 1] >> 4),
  );
}

// The bytes that Python's base64.b85encode wrote: five signs for four bytes, where base64 takes five and a third.
const SIGNS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";
const VALUES = Uint8Array.from({ length: 128 }, (_, code) => Math.max(0, SIGNS.indexOf(String.fromCharCode(code))));

function base85(given: string): Uint8Array<ArrayBuffer> {
  const groups = Math.ceil(given.length / 5);
  const missing = 5 * groups - given.length;
  const view = new DataView(new ArrayBuffer(4 * groups));
  const text = given + "~".repeat(missing);
  for (let g = 0; g < groups; g++) {
    let value = 0;
    for (let i = 5 * g; i < 5 * g + 5; i++) value = value * 85 + VALUES[text.charCodeAt(i)];
    view.setUint32(4 * g, value);
  }
  return new Uint8Array(view.buffer, 0, 4 * groups - missing);
}

export async function inflate(bytes: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).arrayBuffer();
}
