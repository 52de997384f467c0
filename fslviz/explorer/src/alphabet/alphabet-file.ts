// An alphabet in a file: the same text as in a link, behind a line that says what it is.
import { el } from "../common/elements";
import { t } from "../common/texts";
import { textToSymbols } from "../state/parse";
import { type OwnSymbol, Refusal } from "../state/symbols";
import { symbolsToText } from "../state/text";

const HEAD = "fslviz alphabet 1";
const NAME = "alphabet.txt";
const LARGEST = 2e6; // bytes

export function saveAlphabet(symbols: OwnSymbol[]) {
  const address = URL.createObjectURL(new Blob([`${HEAD}\n${symbolsToText(symbols)}\n`], { type: "text/plain" }));
  const link = el("a", { href: address, download: NAME });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

// The alphabet of a file. Throws a Refusal where it holds none.
export async function readAlphabet(file: File): Promise<OwnSymbol[]> {
  if (file.size > LARGEST) throw new Refusal(t("{0} is too large to be an alphabet.", file.name));
  const [head, text] = (await file.text()).split(/\r?\n/);
  try {
    if (head !== HEAD) throw new Error("another file");
    return textToSymbols(text);
  } catch {
    throw new Refusal(t("{0} is no alphabet that this page has saved.", file.name));
  }
}
