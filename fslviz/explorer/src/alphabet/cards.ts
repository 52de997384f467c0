// The reader's signs as cards: each with its drawing, and a bar for how far the drawing on the pad is from it.
import { arrowKeys } from "../common/arrow-keys";
import { arrangeChildren, el, focused } from "../common/elements";
import { formatDistance } from "../common/format";
import { t } from "../common/texts";
import { accepts } from "../common/threshold";
import { textToStrokes } from "../state/strokes";
import type { OwnSymbol } from "../state/symbols";
import { picture } from "./characters";
import type { Reading } from "./sign-reader";

export interface CardActions {
  teach(name: string): void; // the drawing on the pad
  draw(name: string): void; // the sign anew, on the pad
  forget(name: string): void;
}

class Card {
  readonly root: HTMLElement;
  private bar = el("span.out");
  private limit = el("span.limit");
  private figures = el("span.figures");
  readonly buttons: HTMLButtonElement[];

  constructor({ name, samples }: OwnSymbol, actions: CardActions) {
    const count = samples.length > 1 ? ` × ${samples.length}` : "";
    const title = t("{0}: {1} of its drawings. Press it to teach it the drawing on the pad.", name, samples.length);
    const act = (text: string, ariaLabel: string, onclick: () => void) =>
      el("button.act", { type: "button", ariaLabel, title: ariaLabel, onclick }, text);
    const teach = el("button.teach", {
      type: "button",
      title,
      ariaLabel: t("teach {0}", name),
      onclick: () => actions.teach(name),
    });
    teach.append(picture(textToStrokes(samples[0])), el("span.name", {}, name), count);
    const draw = act("↻", t("draw {0} anew", name), () => actions.draw(name));
    const forget = act("✕", t("forget {0}", name), () => actions.forget(name));
    this.buttons = [teach, draw, forget];
    const track = el("span.track", {}, this.bar, this.limit);
    this.root = el("div.card", { role: "listitem" }, teach, track, el("span.acts", {}, this.figures, draw, forget));
  }

  // `end`: the distance of a whole bar.
  say(distance: number | null, threshold: number, end: number, nearest: boolean, doubtful: boolean) {
    const within = distance !== null && accepts(threshold, distance);
    const share = (v: number) => `${Math.min(100, (100 * v) / end)}%`;
    this.root.classList.toggle("fx-lit", within && nearest);
    this.root.classList.toggle("fx-doubtful", doubtful);
    this.bar.className = within ? "fx-in" : "fx-out";
    this.bar.style.width = distance === null ? "0" : share(distance);
    this.limit.style.left = share(threshold);
    this.figures.textContent = distance === null ? "" : formatDistance(distance);
  }
}

export class Cards {
  readonly root = el("div.cards", { role: "list", ariaLabel: t("your signs: arrow keys go from one to the next") });
  private changed: () => void;
  private made = new Map<string, Card>(); // by what a card shows

  constructor(private actions: CardActions) {
    const row = (k: number) => [...this.made.values()].map(({ buttons }) => buttons[k]);
    const held = (event: KeyboardEvent) => event.repeat && event.key === "Enter" && event.preventDefault();
    this.root.addEventListener("keydown", held); // else it would act on one card after the other
    this.changed = arrowKeys(this.root, () => [0, 1, 2].map(row)); // to the next card sideways
  }

  arrange(symbols: OwnSymbol[]) {
    const keys = symbols.map(({ name, samples }) => [name, ...samples].join("\n"));
    const before = this.made;
    const had = [...before.values()].flatMap(({ buttons }, i) => buttons.map((b, k) => ({ b, i, k })));
    const at = had.find(({ b }) => b === focused(this.root));
    this.made = new Map(keys.map((key, i) => [key, before.get(key) ?? new Card(symbols[i], this.actions)]));
    arrangeChildren(
      this.root,
      [...this.made.values()].map(({ root }) => root),
    );
    this.changed();
    const last = this.made.size - 1;
    if (at && last >= 0 && !this.root.contains(at.b))
      [...this.made.values()][Math.min(at.i, last)].buttons[at.k].focus();
  }

  // `reading`: null where nothing is read. `doubtful`: signs too near to another.
  say(reading: Reading | null, threshold: number, end: number, doubtful: Set<number>) {
    [...this.made.values()].forEach((card, i) =>
      card.say(reading ? reading.distances[i] : null, threshold, end, reading?.nearest === i, doubtful.has(i)),
    );
  }
}
