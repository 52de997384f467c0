// Names that a reader gives: what may stand in a text, and what can be seen of it.
const BLANK = /[\p{C}\p{Z}\p{M}\u115f\u1160\u2800\u3164\uffa0]/gu; // what shows nothing by itself
const OVERRIDES = /[\p{Cc}\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu; // what bends the text around it

// A name without what would bend the text around it.
export const cleaned = (name: string) => name.replace(OVERRIDES, "").normalize("NFC").trim();

export const visible = (name: string) => name.replace(BLANK, "") !== "";

const LONG = 24; // UTF-16 units; who types has room for 12

// Whether a symbol may be called so. A digit may not where the ten digits are enrolled.
export const isName = (name: string) => name.length <= LONG && cleaned(name) === name && visible(name);

export const isDigit = (name: string) => /^\d$/.test(name.normalize("NFKC"));

// The first sign of a name, as a reader sees it.
export function firstSign(name: string): string {
  const [sign] = new Intl.Segmenter().segment(name);
  return sign.segment;
}
