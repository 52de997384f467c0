// What the reader has enrolled, kept where the browser keeps anything.
import { textToSymbols } from "../state/parse";
import type { OwnSymbol } from "../state/symbols";
import { symbolsToText } from "../state/text";

export class SymbolStore {
  // `name`: of the explorer on its page.
  constructor(private name: string) {}

  private get key() {
    return `fslviz ${this.name} ${location.pathname}`;
  }

  read(): OwnSymbol[] {
    try {
      return textToSymbols(localStorage.getItem(this.key)!);
    } catch {
      return []; // nothing, or no text of ours
    }
  }

  // Whether they are kept.
  write(symbols: OwnSymbol[]): boolean {
    try {
      if (symbols.length) localStorage.setItem(this.key, symbolsToText(symbols));
      else localStorage.removeItem(this.key);
      return true;
    } catch {
      return !symbols.length;
    }
  }
}
