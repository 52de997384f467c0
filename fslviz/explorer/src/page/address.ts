// The page's address, that holds the state: written as the reader goes, read when it changes, copied as a link.
const PAUSE = 150; // ms: a slider on its way is no place to come back to
const LATER = 5000; // ms after which what the browser has refused is tried again
const BEHIND = /[.)\]}>'"!?…»”’]*(#.*)?$/s; // what a text around a link may have left behind it

export class Address {
  private writing = 0;
  private text = "";
  private newEntry = false; // whether what is to be written is a place of its own

  // `key`: of this explorer in the address; `arrived`: told the text that is there now, "" for none.
  constructor(
    private key: string,
    arrived: (text: string) => void,
    signal: AbortSignal,
  ) {
    const arrive = () => {
      const text = this.read() ?? history.state?.[key];
      if (text === this.text) return;
      if (typeof text !== "string") return this.put(false); // another part of the page was gone to
      clearTimeout(this.writing);
      [this.text, this.writing, this.newEntry] = [text, 0, false];
      arrived(text);
    };
    addEventListener("popstate", arrive, { signal });
    addEventListener("hashchange", arrive, { signal });
    // A change that waits to be written belongs to the history entry that a link leaves.
    document.addEventListener("click", () => this.writing && this.put(), { signal, capture: true });
    signal.addEventListener("abort", () => clearTimeout(this.writing));
  }

  // The text that the page was opened with, "" for none.
  begin(): string {
    this.text = this.read() ?? history.state?.[this.key] ?? "";
    this.put(false);
    return this.text;
  }

  // The state's text in the address, or null. Some programs encode a whole address that they pass on.
  private read(): string | null {
    const raw = location.hash.slice(1);
    try {
      const found = new URLSearchParams(raw.includes("=") ? raw : decodeURIComponent(raw)).get(this.key);
      return found === null ? null : decodeURIComponent(found).replace(BEHIND, "");
    } catch {
      return raw.startsWith(this.key) ? raw : null; // no text, and not to be taken for silence
    }
  }

  // `text`: "" for the state at first. A new entry is a place that the browser's Back leads to; what slides is none.
  write(text: string, newEntry: boolean) {
    if (text === this.text) return; // or on its way
    if (newEntry && this.writing) this.put();
    clearTimeout(this.writing);
    this.text = text;
    this.newEntry ||= newEntry;
    if (newEntry) this.put();
    else this.writing = setTimeout(() => this.put(), PAUSE);
  }

  // Write what is shown, with the address or, for a part of the page that has one of its own, beside it. A browser takes
  // a hundred places in half a minute and refuses or ignores the next: the page goes on, and the address follows later.
  private put(whole = true) {
    clearTimeout(this.writing);
    this.writing = 0;
    const kept = { ...history.state, [this.key]: this.text };
    const how = this.newEntry && whole ? "pushState" : "replaceState";
    try {
      history[how](kept, "", whole ? this.link() : location.href);
      if (history.state?.[this.key] !== this.text) throw new Error("ignored");
      this.newEntry = false;
    } catch {
      this.writing = setTimeout(() => this.put(whole), LATER);
    }
  }

  // The address of the page in a state.
  link(text = this.text): string {
    const others = location.hash.slice(1).split("&");
    const kept = others.filter((part) => part.includes("=") && part.split("=")[0] !== this.key);
    const hash = [...kept, ...(text === "" ? [] : [`${this.key}=${text}`])].join("&");
    return location.href.split("#")[0] + (hash ? `#${hash}` : "");
  }
}

// The text under a key of a link of this page that was clicked, or null: one to another page, or for another window.
export function clickedText(event: MouseEvent, key: string): string | null {
  const { button, ctrlKey, metaKey, shiftKey, altKey, defaultPrevented } = event;
  const [link] = event.composedPath().filter((node) => node instanceof HTMLAnchorElement);
  if (button || ctrlKey || metaKey || shiftKey || altKey || defaultPrevented || !link || link.target) return null;
  if (link.href.split("#")[0] !== location.href.split("#")[0]) return null;
  return new URLSearchParams(link.hash.slice(1)).get(key);
}
