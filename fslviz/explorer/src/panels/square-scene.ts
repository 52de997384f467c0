// What a panel's square and strip show of the state.
import { type Surroundings, YELLOW } from "../common/colour";
import { type Place, placeAt } from "../common/geometry";
import { listed, t } from "../common/texts";
import type { Pack } from "../data/pack";
import type { Scene } from "../drawing/scene";
import type { Probe } from "../embedding/probes";
import type { Space } from "../space/space";
import type { State } from "../state/state";
import type { View } from "../state/view";
import type { Panel } from "./panel";

export interface SceneSource {
  state: State;
  cursor: number;
  selected: Set<number> | null;
  lasso: { loss: string; outline: Place[] } | null;
  labels: { test: Uint8Array; known: Uint8Array };
  drawing: Float32Array | null;
  pack: Pack;
  // Where the enrolled symbols lie in a space, and what is accepted as whom, if anything is shown of it.
  marks(loss: string, space: Space, css: string): Pick<Scene, "rings" | "areas"> | undefined;
}

// The two digits of which a space is asked: both held, or one held and one pointed at.
export function askedPair({ state: { pins }, cursor }: { state: State; cursor: number }): [number, number] | null {
  if (pins.length === 2) return pins as [number, number];
  return pins.length && cursor >= 0 && cursor !== pins[0] ? [pins[0], cursor] : null;
}

// The scene of a panel's square; its strip is told what to show beside.
export function squareScene(source: SceneSource, panel: Panel, view: View, surroundings: Surroundings): Scene {
  const { state, cursor, selected, lasso } = source;
  const { space, thumbnails, bend } = panel;
  const { css, ink, dark, paper } = surroundings;
  const probe = space.n && space.moment === 1 && panel.probe?.network === space.name ? panel.probe : null;
  const focus = focusOf(source, space, probe);
  if (focus) thumbnails.show(focus.key, focus.said, ink, focus.images);
  else if (source.drawing && panel.drawingProblem) thumbnails.showProblem(panel.drawingProblem);
  else thumbnails.show("none", "", ink, async () => []);
  const rings: Scene["rings"] = [];
  for (const digit of new Set([...state.pins, cursor]))
    if (digit >= 0 && digit < space.n) rings.push({ place: space.place(digit) });
  if (probe) rings.push({ place: probe.place, fill: YELLOW });
  if (bend) rings.push({ place: bend.now, fill: YELLOW });
  const marks = source.marks(panel.loss, space, css);
  return {
    view,
    selected,
    links: focus?.links ?? [],
    arrows: [],
    path: bend?.path ?? [],
    rings: [...rings, ...(marks?.rings ?? [])],
    areas: marks?.areas ?? [],
    lasso: lasso?.loss === panel.loss ? lasso.outline : null,
    ink: css,
    dark,
    paper,
  };
}

// What the strip shows: a pair, a digit with its neighbours, or the drawing with its own.
interface Focus {
  key: string;
  said: string;
  links: Place[][];
  images(): Promise<Float32Array[]>;
}

function focusOf(source: SceneSource, space: Space, probe: Probe | null): Focus | null {
  const { state, cursor, labels, pack, drawing } = source;
  const digits = (all: number[]) => () => Promise.all(all.map((i) => pack.image("digits", i)));
  const here = (digit: number) => digit >= 0 && digit < space.n;
  const pair = askedPair(source);
  if (pair?.every(here)) {
    const [i, j] = pair;
    const said = t("a {0} and a {1}", labels.test[i], labels.test[j]);
    return { key: `pair ${i} ${j}`, said, links: [[space.place(i), space.place(j)]], images: digits(pair) };
  }
  const digit = cursor >= 0 ? cursor : (state.pins.at(-1) ?? -1);
  if (here(digit)) {
    const near = space.nearest(space.target, space.place(digit), 5, digit);
    const links = near.map((i) => [space.place(digit), space.place(i)]);
    const said = t("a {0}; nearest: {1}", labels.test[digit], listed(near.map((i) => labels.test[i])));
    return { key: `digits ${[digit, ...near]}`, said, links, images: digits([digit, ...near]) };
  }
  if (!probe) return null;
  const { near, place, known } = probe;
  return {
    key: `known ${near} ${place}`,
    said: t("your drawing; nearest: {0}", listed(near.map((i) => labels.known[i]))),
    links: near.map((i) => [place, placeAt(known, i)]),
    images: async () => [drawing!, ...(await Promise.all(near.map((i) => pack.image("known", i))))],
  };
}
