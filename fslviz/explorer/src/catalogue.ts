// The losses as Python tells them (catalogue.py), and what a page asks of them. A loss that is added there is known here.
import { losses, six } from "../catalogue.json";

export { lab as LAB, lambda as LAMBDA, rates as RATES } from "../catalogue.json";

export type Loss = keyof typeof losses;

interface LossEntry {
  name: string; // as a reader knows it
  family: string; // "pairs", "linear" or "cosine"
  cosine: boolean; // whether its embeddings are compared by their angle alone
  margin: null | { default: number; least: number; most: number; whole: boolean; limit: number | null };
  scale: number | null;
  mining: string[];
}

export const LOSSES: Record<string, LossEntry> = losses;
export const LOSS_NAMES = Object.keys(losses) as Loss[];
export const MINING = [...new Set(Object.values(losses).flatMap(({ mining }): string[] => mining))];
export const SCALES = { least: 1, most: 64, default: losses.normface.scale }; // that the lab offers

export const ofSixDigits = (loss: string) => loss.endsWith(six.suffix);
export const baseLoss = (loss: string) => (ofSixDigits(loss) ? loss.slice(0, -six.suffix.length) : loss);
export const lossEntry = (loss: string) => LOSSES[baseLoss(loss)];
export const comparesPairs = (loss: string) => lossEntry(loss).family === "pairs";

// The margins that each loss starts with, where it has one.
export const defaultMargin = (loss: string) => lossEntry(loss).margin?.default;
