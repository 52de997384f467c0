// Characters that travel with the page: those to draw, that no network has met, and those that the networks have met.
import { el } from "../common/elements";
import { high, low, type Place, span } from "../common/geometry";
import { t } from "../common/texts";
import type { Pack } from "../data/pack";
import type { Reader } from "../state/state";
import { distance, type SignReader } from "./sign-reader";

const [STROKE, CHARACTER] = [255, 254]; // what ends them; a place is two bytes, of a square of SIDE
const SIDE = 109;
const SHOWN = 5;

// Characters' strokes, in shares of the pad.
export function charactersOf(bytes: Uint8Array): Place[][][] {
  const all: Place[][][] = [];
  let strokes: Place[][] = [];
  let stroke: Place[] = [];
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] === STROKE) {
      strokes.push(stroke);
      stroke = [];
    } else if (bytes[i] === CHARACTER) {
      all.push(strokes);
      strokes = [];
    } else stroke.push([bytes[i] / SIDE, bytes[++i] / SIDE]);
  }
  return all;
}

// Strokes as a small picture, whatever fonts there are.
export function picture(strokes: Place[][], said = "") {
  const path = strokes.map((stroke) => `M${stroke.map((p) => p.map((v) => Math.round(100 * v)).join()).join("L")}`);
  const shape = box(strokes);
  const holder = el("span.sign", said ? { role: "img", ariaLabel: said } : { ariaHidden: "true" });
  holder.innerHTML = `<svg viewBox="${shape.join(" ")}"><path d="${path.join("")}" stroke-width="${shape[2] / 13}"/></svg>`;
  return holder;
}

// The square around strokes, with some room: left, top, width, height, in hundredths.
function box(strokes: Place[][]) {
  const side = Math.round(120 * Math.max(span(strokes, 0), span(strokes, 1), 0.2));
  const corner = [0, 1].map((i) => Math.round(50 * (low(strokes, i) + high(strokes, i)) - side / 2));
  return [...corner, side, side];
}

// What in the training a drawing reminds a network of.
export class NearestCharacters {
  readonly root: HTMLDetailsElement;
  private row = el("div.bar");
  private shown = "";

  constructor(
    private pack: Pack,
    private signs: SignReader,
    opened: () => void,
  ) {
    const summary = el("summary", {}, t("Which characters of the training are nearest?"));
    this.root = el("details.look", { ontoggle: opened }, summary, this.row);
  }

  // `drawing`: the sign that is drawn, or "".
  async update(reader: Reader, drawing: string, late: () => boolean) {
    if (!this.root.open) return;
    if (reader === "pixels" || !drawing) {
      this.tell(drawing ? t("Pixels were trained on no characters.") : t("Draw one sign on the square to see them."));
      return;
    }
    try {
      const parts = Promise.all([this.pack.part("alphabet/met"), this.pack.part(`alphabet/${reader}-met`)]);
      if (!this.shown) this.tell(t("Fetching the characters …"));
      const [strokes, near] = await parts;
      if (!late()) this.show(reader, drawing, strokes, near);
    } catch (error) {
      if (!late()) this.tell((error as Error).message);
    }
  }

  private tell(text: string) {
    this.row.textContent = text;
    this.shown = "";
  }

  private show(reader: Reader, drawing: string, strokes: ArrayBuffer, near: ArrayBuffer) {
    const characters = charactersOf(new Uint8Array(strokes));
    const grain = new Float32Array(near, 0, 1)[0];
    const places = new Int8Array(near, 4);
    const place = this.signs.place(reader, this.signs.image(drawing));
    const far = Array.from({ length: places.length / place.length }, (_, i) => {
      const at = places.subarray(i * place.length, (i + 1) * place.length);
      return distance(
        place,
        Float64Array.from(at, (v) => v * grain),
      );
    });
    const nearest = [...far.keys()].sort((a, b) => far[a] - far[b]).slice(0, SHOWN);
    const said = nearest.map((i) => t("a character at {0}", far[i].toFixed(2)));
    if (this.shown === `${reader} ${nearest} ${said}`) return;
    this.shown = `${reader} ${nearest} ${said}`;
    this.row.replaceChildren(...nearest.map((i, k) => picture(characters[i], said[k])));
  }
}
