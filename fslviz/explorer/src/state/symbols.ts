// What a reader has enrolled: signs of their own, each with a name and some drawings.
import { t } from "../common/texts";
import { isDrawing } from "./strokes";
import { cleaned, isDigit, isName, visible } from "./symbol-names";

// A sign: its name, and each drawing as a text of strokes.
export interface OwnSymbol {
  name: string;
  samples: string[];
}
export const SAMPLES = 5; // of a sign, at most
export const MOST = 50; // signs

// What is wrong, in a line.
export class Refusal extends Error {}

// The signs with one drawing more: of a new name, or of one that is there. `digits`: whether they are enrolled already.
// Throws a Refusal where it can't be taken.
export function enrolled(symbols: OwnSymbol[], given: string, drawing: string, digits: boolean): OwnSymbol[] {
  const name = cleaned(given);
  const before = symbols.find((symbol) => symbol.name === name);
  if (!drawing) throw new Refusal(t("Draw something first: the drawing on the pad is enrolled."));
  if (!visible(name)) throw new Refusal(t("Give it a visible name."));
  if (!isName(name)) throw new Refusal(t("Give it a shorter name."));
  if (!isDrawing(drawing)) throw new Refusal(t("This drawing is too long to be stored. Use shorter strokes."));
  if (digits && isDigit(name)) throw new Refusal(t("The ten digits are enrolled already: take another name."));
  if (before && before.samples.length >= SAMPLES) throw new Refusal(t("It has {0} samples already.", SAMPLES));
  if (!before && symbols.length >= MOST) throw new Refusal(t("There are {0} signs already: forget one first.", MOST));
  if (!before) return [...symbols, { name, samples: [drawing] }];
  return symbols.map((one) => (one === before ? { name, samples: [...one.samples, drawing] } : one));
}
