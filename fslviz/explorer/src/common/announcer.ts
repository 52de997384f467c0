// What a screen reader is told: one text, once something has settled.
import { el } from "./elements";

const SETTLED = 800; // ms without a change

export class Announcer {
  readonly root = el("p.live", { role: "status" });
  private waiting = 0;

  say(text: string) {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => {
      if (this.root.textContent !== text) this.root.textContent = text;
    }, SETTLED);
  }
}
