// What the reader has enrolled, kept where the browser keeps anything.
import { textToSymbols } from "../state/parse";
import { MOST, type OwnSymbol } from "../state/symbols";
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

  // What has changed goes into what is kept, which another page or link may have made. Whether it is kept.
  write(before: OwnSymbol[], after: OwnSymbol[]): boolean {
    const gone = before.filter(({ name }) => !after.some((one) => one.name === name));
    const changed = after.filter((one) => !before.includes(one));
    const others = this.read().filter(({ name }) => ![...gone, ...changed].some((one) => one.name === name));
    const kept = [...others, ...changed].slice(-MOST);
    try {
      if (kept.length) localStorage.setItem(this.key, symbolsToText(kept));
      else localStorage.removeItem(this.key);
      return true;
    } catch {
      return !kept.length;
    }
  }
}
