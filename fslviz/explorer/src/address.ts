// The page's address, that holds the state: written as the reader goes, read when it changes, copied as a link.
const PAUSE = 150; // ms: a slider on its way is no place to come back to

export class Address {
  private writing = 0;
  private text = "";

  // `key`: of this explorer in the address; `arrived`: told the text that is there now, "" for none.
  constructor(
    private key: string,
    arrived: (text: string) => void,
    signal: AbortSignal,
  ) {
    const look = (event: PopStateEvent | HashChangeEvent) => {
      const kept = event instanceof PopStateEvent ? event.state?.[key] : undefined;
      const text = this.read() ?? kept;
      if (typeof text !== "string" || text === this.text) return; // another part of the page was gone to
      clearTimeout(this.writing);
      this.text = text;
      arrived(text);
    };
    addEventListener("popstate", look, { signal });
    addEventListener("hashchange", look, { signal });
    signal.addEventListener("abort", () => clearTimeout(this.writing));
  }

  // The text that the page was opened with, "" for none.
  begin(): string {
    this.text = this.read() ?? "";
    return this.text;
  }

  // The state's text in the address, or null. Some programs encode a whole address that they pass on.
  private read(): string | null {
    const raw = location.hash.slice(1);
    try {
      const found = new URLSearchParams(raw.includes("=") ? raw : decodeURIComponent(raw)).get(this.key);
      return found === null ? null : decodeURIComponent(found);
    } catch {
      return raw.startsWith(this.key) ? raw : null; // no text, and not to be taken for silence
    }
  }

  // `text`: "" for the usual state. A deed is a place that the browser's Back leads to; what slides is none.
  write(text: string, deed: boolean) {
    if (text === this.text) return; // or on its way
    clearTimeout(this.writing);
    const before = this.text;
    const put = () => {
      const kept = { ...history.state, [this.key]: text };
      if (deed) {
        history.replaceState({ ...history.state, [this.key]: before }, "", this.link(before));
        history.pushState(kept, "", this.link(text));
      } else history.replaceState(kept, "", this.link(text));
    };
    this.text = text;
    if (deed) put();
    else this.writing = setTimeout(put, PAUSE);
  }

  // The address of the page in a state.
  link(text = this.text): string {
    const others = location.hash.slice(1).split("&");
    const kept = others.filter((part) => part.includes("=") && part.split("=")[0] !== this.key);
    const hash = [...kept, ...(text === "" ? [] : [`${this.key}=${text}`])].join("&");
    return location.href.split("#")[0] + (hash ? `#${hash}` : "");
  }
}
