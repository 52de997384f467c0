// The state of a page: what sets it, and its text in the address.
import { t } from "../common/texts";
import type { Manifest } from "../data/pack";
import { linkedView } from "../space/linked-view";
import type { Space } from "../space/space";
import { textToState } from "../state/parse";
import { drawnSign, initialState, type Options, type State } from "../state/state";
import { fitsAddress, stateToText } from "../state/text";
import type { View } from "../state/view";
import { Address, clickedText } from "./address";
import { SymbolStore } from "./symbol-store";

export abstract class PageState {
  state!: State;
  initial!: State;
  cursor = -1; // the digit pointed at
  lassoing = false;
  protected address?: Address;
  private symbolStore: SymbolStore | null; // a notebook's own page has none
  private manifest!: Manifest;

  // `key`: under which the state stands in the page's address, "" where it does not. `changes`: told of each change of it.
  constructor(
    protected options: Options,
    protected key: string,
    protected changes: () => void,
  ) {
    this.symbolStore = key ? new SymbolStore(key) : null;
  }

  abstract update(glide: boolean): Promise<void>;
  abstract paint(): void;
  abstract tell(notice: string): void;
  protected abstract untell(): void;
  protected abstract space(loss: string): Space | undefined; // where it was shown already
  protected abstract stopPlaying(): void;
  protected abstract scrollTo(part: "lab" | "spaces"): void;

  // The state to open with.
  protected begin(manifest: Manifest) {
    this.manifest = manifest;
    this.initial = initialState(this.options, manifest);
    const { parts } = this.options;
    const kept = parts.includes("enrol") || parts.includes("alphabet") ? this.symbolStore?.read() : null;
    this.state = { ...this.initial, symbols: kept ?? [] };
  }

  protected addressed(signal: AbortSignal) {
    if (this.key) this.address = new Address(this.key, (text) => this.arrived(text), signal);
  }

  set(change: Partial<State>, newEntry: boolean) {
    this.untell();
    if (!("moment" in change)) this.stopPlaying();
    const { losses, lead } = this.state;
    const views = Object.fromEntries(losses.map((loss) => [loss, this.viewOf(loss)]));
    if (change.together === false) change.views = { ...this.state.views, ...views };
    if (change.together) change.views = { ...this.initial.views, [lead]: this.viewOf(lead) };
    const { symbols } = this.state;
    this.state = { ...this.state, ...change };
    if (change.symbols) {
      this.state.emptied = !change.symbols.length && (symbols.length > 0 || this.state.emptied);
      if (this.symbolStore?.write(symbols, change.symbols) === false)
        this.tell(
          t("This browser stores nothing for this page. Copy the link, or your signs are lost when you leave."),
        );
    }
    this.write(newEntry);
    this.changes();
    return this.update(!("moment" in change));
  }

  reset() {
    Object.assign(this, { lassoing: false, cursor: -1 });
    this.stopPlaying();
    const { symbols } = this.state; // the reader's work stays
    this.set({ ...this.initial, symbols, drawing: drawnSign(this.state) }, true);
  }

  view(loss: string, view: View) {
    this.untell();
    this.state = { ...this.state, views: { ...this.state.views, [loss]: view }, lead: loss };
    if (this.state.together) this.state.views = { ...this.initial.views, [loss]: view };
    this.write(false);
    this.paint();
  }

  viewOf(loss: string): View {
    const { together, lead, views } = this.state;
    const [space, other] = [loss, lead].map((l) => this.space(l));
    return together && loss !== lead && space && other ? linkedView(space, other, views[lead]) : views[loss];
  }

  // ---- its text

  private get text() {
    return stateToText(this.state, this.initial);
  }

  private write(newEntry: boolean) {
    this.address?.write(this.text, newEntry);
  }

  link() {
    return this.address?.link(this.text) ?? null;
  }

  // Whether a link to this state has room for all of it.
  get linkIsWhole() {
    return fitsAddress(this.state);
  }

  // Whether the text could be read.
  protected take(text: string): boolean {
    const { spaces, shown, trail } = this.manifest;
    const { symbols } = this.state; // a text that tells of none takes none away
    const initial = { ...this.initial, symbols, drawing: drawnSign(this.state) };
    try {
      const contents = {
        spaces,
        shown,
        trail,
        parts: new Set(this.options.parts),
        kept: this.symbolStore?.read() ?? symbols,
      };
      this.state = text ? textToState(text, initial, contents) : initial;
      this.untell();
      return true;
    } catch {
      this.tell(t("The view in this link could not be read and was ignored."));
      return false;
    }
  }

  private arrived(text: string) {
    this.stopPlaying();
    const before = JSON.stringify(this.state.lab);
    this.take(text);
    this.cursor = -1;
    this.scrollTo(before === JSON.stringify(this.state.lab) ? "spaces" : "lab");
    this.changes();
    this.update(true);
  }

  // A link of this page. One to the lab is there to be seen at work: its training begins, however often it is followed;
  // one to anything else leaves the lab's settings. Whether the lab is to train.
  protected follow(event: MouseEvent): boolean {
    const text = clickedText(event, this.key);
    const { lab } = this.state;
    if (!text || !this.take(text)) return false;
    event.preventDefault();
    this.stopPlaying();
    this.cursor = -1;
    const trains = /;lab:/.test(text);
    if (!trains) this.state = { ...this.state, lab };
    this.scrollTo(trains ? "lab" : "spaces");
    this.write(true);
    this.changes();
    this.update(true);
    return trains;
  }
}
