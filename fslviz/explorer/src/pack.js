// The pack's parts. A page opened from a file may not fetch, but it may load scripts: in the book each part is one.
const VERSION = 1;
const arrived = {};
globalThis.fslvizPart = (name, text) => (arrived[name] = text);

export function fromScripts(base) {
  return (name) => new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = base + name.replace("/", ".") + ".js";
    script.onload = () => (arrived[name] ? resolve(base85(arrived[name]))
      : reject(new Error("it is damaged")));
    script.onerror = () => reject(new Error("it is missing"));
    document.head.append(script);
  }).finally(() => delete arrived[name]);
}

export class Pack {
  constructor(ask) {
    this.ask = ask;
    this.parts = new Map();
    this.read = new Map();
  }

  async open() {
    this.manifest = JSON.parse(new TextDecoder().decode(await this.part("manifest")));
    const { version } = this.manifest;
    if (version !== VERSION) throw new Error(`The explorer's data are of version ${version}, not ${VERSION}`);
    return this;
  }

  // The bytes of a part, asked for once.
  part(name) {
    if (!this.parts.has(name)) {
      const part = this.ask(name).then(inflate).catch((error) => {
        this.parts.delete(name);
        throw new Error(`The explorer's data can't be read: ${name} (${error.message})`);
      });
      this.parts.set(name, part);
    }
    return this.parts.get(name);
  }

  // Places (N, 2) from 16-bit numbers whose low bytes come first.
  async places(name, grain) {
    const bytes = new Uint8Array(await this.part(name)), half = bytes.length / 2;
    if (!this.read.has(name))
      this.read.set(name, Float32Array.from({ length: half }, (_, i) => ((bytes[i] | (bytes[half + i] << 8)) << 16 >> 16) / grain));
    return this.read.get(name);
  }

  // The places (TRAIL, 2) of each moment of a training; the pack holds what changes from one to the next.
  async trail(name) {
    if (!this.read.has(name)) {
      const { trail, coarse, spaces } = this.manifest, frames = [];
      const deltas = await this.places(`${name}/trail`, coarse);
      for (let i = 0; i < spaces[name].seen.length; i++)
        frames.push(deltas.slice(2 * trail * i, 2 * trail * (i + 1)).map((v, j) => v + (i ? frames[i - 1][j] : 0)));
      this.read.set(name, frames);
    }
    return this.read.get(name);
  }
}

// The bytes that Python's base64.b85encode wrote: five signs for four bytes, where base64 takes five and a third.
const SIGNS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";
const VALUES = Uint8Array.from({ length: 128 }, (_, code) => Math.max(0, SIGNS.indexOf(String.fromCharCode(code))));
function base85(text) {
  const groups = Math.ceil(text.length / 5), missing = 5 * groups - text.length, view = new DataView(new ArrayBuffer(4 * groups));
  text += "~".repeat(missing);
  for (let g = 0; g < groups; g++) {
    let value = 0;
    for (let i = 5 * g; i < 5 * g + 5; i++) value = value * 85 + VALUES[text.charCodeAt(i)];
    view.setUint32(4 * g, value);
  }
  return new Uint8Array(view.buffer, 0, 4 * groups - missing);
}

async function inflate(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).arrayBuffer();
}
