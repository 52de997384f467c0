// What a reader sees, in the page's language. A page that is not in English has a table, fslvizTexts, by the English texts.

// A text that is no literal here, but comes from catalogue.json, from Python or from the lab's worker.
export const tr = (english: string) => globalThis.fslvizTexts?.[english] ?? english;

// A text, {0}, {1}, ... being the values. Translators are given what stands here in double quotes.
export function t(english: string, ...values: (string | number)[]): string {
  return tr(english).replace(/\{(\d)\}/g, (_, i) => `${values[i]}`);
}

// The same where some of the values are elements.
export function tNodes(english: string, ...values: (Node | string)[]): (Node | string)[] {
  const parts = tr(english).split(/\{(\d)\}/); // every other one is a value's index
  return parts.map((part, i) => (i % 2 ? values[+part] : part)).filter((part) => part !== "");
}

// Texts that follow each other, the empty ones left out.
export const sentences = (all: string[]) => all.filter(Boolean).reduce((a, b) => (a ? t("{0} {1}", a, b) : b), "");

export const listed = (all: (string | number)[]) => all.join(t(", "));
