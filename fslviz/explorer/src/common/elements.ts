// Elements of a page: what every other file builds with.

type Kind<K extends string> = K | `${K}.${string}`;
type Child = Node | string;

// An element: el("p.note", { title: "x" }, "text", child). Classes get the prefix fx-.
export function el<K extends keyof HTMLElementTagNameMap>(
  kind: Kind<K>,
  properties: object = {},
  ...children: Child[]
) {
  const [tag, ...classes] = kind.split(".");
  const node = document.createElement(tag) as HTMLElementTagNameMap[K];
  if (classes.length) node.className = classes.map((c) => `fx-${c}`).join(" ");
  for (const [key, value] of Object.entries(properties)) {
    if (/^(aria|role|style)/.test(key)) node.setAttribute(key.replace(/^aria(.)/, "aria-$1").toLowerCase(), value);
    else Object.assign(node, { [key]: value });
  }
  node.append(...children);
  return node;
}

// A name within another text: neither changes the direction of the other.
export const bdi = (name: string) => el("bdi", {}, name);

export function button(text: string, onclick: () => void, properties: object = {}) {
  return el("button.chip", { type: "button", onclick, ...properties }, text);
}

export function slider(name: string, range: [number, number, number], oninput: (value: number) => void) {
  const [min, max, step] = range;
  const input: HTMLInputElement = el("input", { type: "range", min, max, step, ariaLabel: name });
  input.autocomplete = "off"; // else a page that is gone back to has the slider's old place, and not what it led to
  input.oninput = () => oninput(input.valueAsNumber);
  return input;
}

export function menu(name: string, onchange: (value: string) => void): HTMLSelectElement {
  const select = el("select", { ariaLabel: name });
  select.onchange = () => onchange(select.value);
  return select;
}

// Fill a menu anew only where its choices have changed: an open one would close.
export function fillMenu(select: HTMLSelectElement, offered: [string, string][], chosen: string) {
  const asked = JSON.stringify(offered);
  if (select.dataset.offered !== asked)
    select.replaceChildren(...offered.map(([value, text]) => el("option", { value }, text)));
  select.dataset.offered = asked;
  select.value = chosen;
}

export function setPressed(node: HTMLElement, on: boolean) {
  node.setAttribute("aria-pressed", String(on));
}

// Where the focus is, also within a shadow root.
export function focused(root: HTMLElement): Element | null {
  return (root.getRootNode() as Document | ShadowRoot).activeElement;
}

// Make these the children of a node: those that stay are not touched, so that they keep the focus.
export function arrangeChildren(parent: HTMLElement, children: HTMLElement[]) {
  const had = focused(parent);
  const from = [...parent.children].findIndex((c) => c.contains(had));
  for (const child of [...parent.children]) if (!children.includes(child as HTMLElement)) child.remove();
  children.forEach((child, i) => {
    if (parent.children[i] !== child) parent.insertBefore(child, parent.children[i] ?? null);
  });
  if (from < 0 || (had && parent.contains(had))) return;
  const neighbour = children[Math.min(from, children.length - 1)];
  const next = neighbour?.matches("button") ? neighbour : neighbour?.querySelector<HTMLElement>("[tabindex], button");
  next?.focus({ preventScroll: true });
}

// A picture of lines that fills its place. `said`: what a screen reader says of it.
export function graph([width, height]: [number, number], lines: string, said: string): Element {
  const holder = el("div");
  holder.innerHTML = `<svg viewBox="0 0 ${width} ${height}" preserveAspectRatio="none" role="img">${lines}</svg>`;
  const [svg] = holder.children;
  svg.setAttribute("aria-label", said);
  return svg;
}

// What draws on a canvas. A browser that is short of memory may refuse it: then nothing is drawn, and the page that the
// canvas lies in is told.
export function context2d(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const found = canvas.getContext("2d");
  if (!found) canvas.dispatchEvent(new Event("refused", { bubbles: true }));
  return found ?? NO_CONTEXT;
}
const NO_CONTEXT = new Proxy({} as CanvasRenderingContext2D, { get: () => () => {}, set: () => true });
