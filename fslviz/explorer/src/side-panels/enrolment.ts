// Who is enrolled in a space: templates of the ten classes and of the reader's symbols, and how well they verify.
import { YELLOW } from "../common/colour";
import type { Place } from "../common/geometry";
import type { Scene } from "../drawing/scene";
import { imageOf } from "../embedding/image";
import type { Network } from "../embedding/network";
import { Scores, type Template, template, templateDistance, templates } from "../space/scores";
import type { Space } from "../space/space";
import { textToStrokes } from "../state/strokes";
import { firstSign } from "../state/symbol-names";
import type { OwnSymbol } from "../state/symbols";
import type { NamedDistance } from "./verdict";

// The space to verify in, as a network has it.
export interface Verifier {
  networkName: string;
  space: Space;
  known: Float32Array; // places of the training digits that make the templates
  points: Float32Array; // and of the test digits
  network: Network | null; // where there are drawings to embed
}

export class Enrolment {
  templates: Template[] = [];
  scores: Scores | null = null;
  networkName = ""; // of the one that is measured
  private images = new Map<string, Float32Array>(); // of drawings, by their text
  private measured = "";

  constructor(
    private labels: { test: Uint8Array; known: Uint8Array },
    private standardised: (image: Float32Array) => Float32Array,
  ) {}

  // The image of a drawing.
  image(text: string): Float32Array {
    if (!this.images.has(text)) this.images.set(text, imageOf(textToStrokes(text))!);
    return this.images.get(text)!;
  }

  clear() {
    this.templates = [];
    this.measured = this.networkName = "";
    this.scores = null;
  }

  // Measure anew, where anything has changed.
  update({ networkName, space, known, points, network }: Verifier, symbols: OwnSymbol[]): Scores {
    const asked = JSON.stringify([networkName, symbols, !network]);
    if (this.measured !== asked || !this.scores) {
      const place = (text: string) => space.fromOutput(network!.embed(this.standardised(this.image(text))) as Place);
      const placed = network ? symbols : [];
      this.templates = [
        ...templates(space, known, this.labels.known),
        ...placed.map(({ name, samples }) => template(space, name, samples.map(place))),
      ];
      this.scores = new Scores(space, points, this.labels.test, this.templates);
    }
    [this.measured, this.networkName] = [asked, networkName];
    return this.scores;
  }

  // How far a place is from each template, or from that of one name, nearest first.
  distances(space: Space, place: Place, name: string): NamedDistance[] {
    const asked = this.templates.filter((t) => !name || t.name === name);
    const all = asked.map((t) => ({ name: t.name, distance: templateDistance(space, place, t) }));
    return all.sort((a, b) => a.distance - b.distance);
  }

  // Where the symbols lie in a space, and what a threshold accepts as whom: the ten digits, too, where `areas` are shown.
  marks(threshold: number, areas: boolean, colour: (k: number) => string): Pick<Scene, "rings" | "areas"> {
    const symbols = this.templates.slice(10);
    const ten = areas ? this.templates.slice(0, 10) : [];
    return {
      rings: symbols.map(({ place, name }) => ({ place, text: firstSign(name), fill: YELLOW })),
      areas: [...ten, ...symbols].map(({ place, compared, name }) => {
        const k = this.templates.findIndex((t) => t.name === name);
        return { place, compared, reach: threshold, colour: colour(k) };
      }),
    };
  }
}
