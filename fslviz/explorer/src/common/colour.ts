// Colours as they are painted, in whatever words a page writes them: the browser converts.
export type Rgb = [number, number, number];
type Rgba = [...Rgb, number];

const known = new Map<string, Rgba>();

export const YELLOW = "#ffe14d"; // of what the reader has drawn, in every space

export const hex = (c: number[]) => `#${c.map((v) => v.toString(16).padStart(2, "0")).join("")}`;

// A colour in CSS's words as red, green, blue (0 to 255) and cover (0 to 1). `probe`: an element out of sight.
function painted(colour: string, probe: HTMLElement): Rgba {
  const found = known.get(colour);
  if (found) return found;
  probe.style.color = "";
  probe.style.color = `color-mix(in srgb, ${colour}, ${colour})`;
  const mixed = probe.style.color !== "";
  const text = (mixed ? getComputedStyle(probe).color : colour).replaceAll("none", "0");
  const [r, g, b, a = 1] = (text.match(/-?[\d.]+(e-?\d+)?/g) ?? []).map(Number);
  const unit = mixed && text.startsWith("color(") ? 255 : 1;
  const rgb = [r, g, b].map((v) => Math.min(255, Math.max(0, Math.round(v * unit)))) as Rgb;
  known.set(colour, [...rgb, a]);
  return [...rgb, a];
}

const bright = ([r, g, b]: number[]) => 0.2126 * r + 0.7152 * g + 0.0722 * b;

export interface Surroundings {
  css: string; // the page's ink in its own words
  ink: Rgb;
  ground: string;
  dark: boolean;
  paper: boolean; // whether it is printed
}

// How an element is painted: its text's colour, and whether its ground, all layers laid over one another, is dark.
export function surroundings(root: HTMLElement, probe: HTMLElement): Surroundings {
  const layers: Rgba[] = [];
  for (let node: Element | null = root; node; node = node.parentElement ?? host(node))
    layers.push(painted(getComputedStyle(node).backgroundColor, probe));
  const sheet: Rgb = [...painted(getComputedStyle(probe).backgroundColor, probe)].slice(0, 3) as Rgb;
  const ground = layers.reduceRight(
    (under, [r, g, b, a]) => under.map((v, i) => v + a * ([r, g, b][i] - v)) as Rgb,
    sheet,
  );
  const css = getComputedStyle(root).color;
  const ink = painted(css, probe).slice(0, 3) as Rgb;
  return { css, ink, ground: hex(ground.map(Math.round)), dark: bright(ground) < 110, paper: false };
}

const host = (node: Element) => (node.getRootNode() as ShadowRoot).host ?? null;
