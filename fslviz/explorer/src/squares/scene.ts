// What a panel's square and strip show of the state.
import { hex, type Rgb } from "../common/colour";
import type { Gallery } from "../panels/gallery";
import { placeAt, type Place } from "../common/geometry";
import type { Pack } from "../data/pack";
import type { Scene } from "../drawing/painter";
import type { Panel } from "./panel";
import type { State, View } from "../state/state";

const YELLOW = "#ffe14d";

export interface SceneSource {
  state: State;
  cursor: number;
  selected: Set<number> | null;
  lasso: { loss: string; outline: Place[] } | null;
  labels: { shown: Uint8Array; known: Uint8Array };
  colours: Rgb[];
  gallery?: Gallery;
  drawing: Float32Array | null;
  pack: Pack;
}

export interface Surroundings {
  css: string; // the page's ink in its own words
  ink: Rgb;
  ground: string;
  dark: boolean;
  paper: boolean;
}

// The two digits of which a space is asked: both held, or one held and one pointed at.
export function askedPair({ state: { pins }, cursor }: { state: State; cursor: number }): [number, number] | null {
  if (pins.length === 2) return pins as [number, number];
  return pins.length && cursor >= 0 && cursor !== pins[0] ? [pins[0], cursor] : null;
}

export function scene(shown: SceneSource, panel: Panel, view: View, around: Surroundings): Scene {
  const { state, cursor, selected, lasso, colours, labels, pack, drawing } = shown;
  const { space, thumbnails, bend } = panel;
  const { css, ink } = around;
  const here = (digit: number) => digit >= 0 && digit < space.n;
  const two = askedPair(shown);
  const focus = cursor >= 0 ? cursor : (state.pins.at(-1) ?? -1);
  const probe = space.n && space.moment === 1 && panel.probe?.name === space.name ? panel.probe : null;
  const links: Place[][] = [];
  const rings: Scene["rings"] = [];
  if (two?.every(here)) {
    const [i, j] = two;
    links.push([space.place(i), space.place(j)]);
    const said = `a ${labels.shown[i]} and a ${labels.shown[j]}`;
    thumbnails.show(`pair ${i} ${j}`, said, ink, () => Promise.all(two.map((d) => pack.image("digits", d))));
  } else if (here(focus)) {
    const near = space.nearest(space.target, space.place(focus), 5, focus);
    links.push(...near.map((i) => [space.place(focus), space.place(i)]));
    const said = `a ${labels.shown[focus]}; nearest: ${near.map((i) => labels.shown[i]).join(", ")}`;
    thumbnails.show(`digits ${[focus, ...near]}`, said, ink, () => {
      return Promise.all([focus, ...near].map((d) => pack.image("digits", d)));
    });
  } else if (probe) {
    links.push(...probe.near.map((i) => [probe.place, placeAt(probe.known, i)]));
    const said = `your drawing; nearest: ${probe.near.map((i) => labels.known[i]).join(", ")}`;
    thumbnails.show(`known ${probe.near} ${probe.place}`, said, ink, async () => {
      return [drawing!, ...(await Promise.all(probe.near.map((i) => pack.image("known", i))))];
    });
  } else if (drawing && panel.drawingProblem) thumbnails.showProblem(panel.drawingProblem);
  else thumbnails.show("none", "", ink, async () => []);
  for (const digit of new Set([...state.pins, cursor])) if (here(digit)) rings.push({ place: space.place(digit) });
  if (probe) rings.push({ place: probe.place, fill: YELLOW });
  if (bend) rings.push({ place: bend.now, fill: YELLOW });
  const enrolled = shown.gallery?.marks({ loss: panel.loss, areas: state.areas }, space, (k) =>
    k < 10 ? hex(colours[k]) : css,
  );
  return {
    view,
    selected,
    links,
    arrows: [],
    path: bend?.path ?? [],
    rings: [...rings, ...(enrolled?.rings ?? [])],
    areas: enrolled?.areas ?? [],
    lasso: lasso?.loss === panel.loss ? lasso.outline : null,
    ink: css,
    dark: around.dark,
    paper: around.paper,
  };
}
