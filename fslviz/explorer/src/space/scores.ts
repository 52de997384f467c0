// Templates of classes and symbols, and the scores of test digits against them.
import { apart, mean, type Place, placeAt } from "../common/geometry";
import { shareAccepted } from "../common/threshold";
import type { Space } from "./space";

const ACCEPTED = 0.01; // the share of impostors that a lock lets in: where chapter 6 runs one

export interface Template {
  name: string;
  compared: Place; // as distances take it
  place: Place; // where it is drawn
}

export function template(space: Space, name: string, places: Place[]): Template {
  return { name, compared: space.template(places), place: mean(places) };
}

export function templateDistance(space: Space, place: Place, template: Template): number {
  return apart(space.compared(place), template.compared);
}

// Those of the ten classes: the mean of the training digits of each.
export function templates(space: Space, known: Float32Array, labels: Uint8Array): Template[] {
  const groups: Place[][] = Array.from({ length: 10 }, () => []);
  labels.forEach((k, i) => groups[k].push(placeAt(known, i)));
  return groups.map((places, k) => template(space, `${k}`, places));
}

// The distances of test digits to templates of the ten classes: genuine to their own, impostor to all others, rising.
export class Scores {
  genuine: Float64Array;
  impostor: Float64Array;
  defaultThreshold: number; // the threshold at which impostors are accepted as often as a lock should

  constructor(space: Space, points: Float32Array, labels: Uint8Array, templates: Template[]) {
    const [genuine, impostor]: number[][] = [[], []];
    labels.forEach((label, i) => {
      const place = space.compared(placeAt(points, i));
      templates.forEach((t, k) => (k === label ? genuine : impostor).push(apart(place, t.compared)));
    });
    [this.genuine, this.impostor] = [genuine, impostor].map((all) => Float64Array.from(all).sort());
    this.defaultThreshold = this.thresholdAt(ACCEPTED);
  }

  // The largest distance that occurs and accepts no larger share of the impostors, as evaluation.threshold_at; or 0.
  private thresholdAt(share: number): number {
    const refused = this.impostor[Math.floor(this.impostor.length * share)];
    const below = (distances: Float64Array) => distances.filter((d) => d < refused).at(-1) ?? 0;
    return Math.max(below(this.genuine), below(this.impostor));
  }

  // What a slider for the threshold ends at.
  get sliderMax() {
    return this.impostor[Math.floor(this.impostor.length * 0.98)];
  }

  ratesAt(threshold: number) {
    return { fmr: shareAccepted(threshold, this.impostor), fnmr: 1 - shareAccepted(threshold, this.genuine) };
  }
}
