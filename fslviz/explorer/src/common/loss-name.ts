// What a loss is called on the page.
import { lossEntry, ofSixDigits } from "../catalogue";
import { t, tr } from "./texts";

export function displayName(loss: string) {
  const name = tr(lossEntry(loss).name);
  return ofSixDigits(loss) ? t("{0} of six digits", name) : name;
}
