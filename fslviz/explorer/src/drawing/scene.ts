// What a painter draws, and on what.
import type { Rgb } from "../common/colour";
import type { Place } from "../common/geometry";
import type { View } from "../state/view";

// What can be painted: places of digits, gliding to new ones, with what the network makes of the plane around them.
export interface Plane {
  name: string;
  moment: number;
  n: number;
  progress: number;
  target: Float32Array;
  places(): Float32Array;
  entry: { cosine: boolean; radius: number; weight?: Place[]; bias: number[]; classes?: number[] };
}

export interface Scene {
  view: View;
  selected: Set<number> | null; // null: all alike
  path: Place[]; // of a digit that is bent
  arrows: Place[][];
  links: Place[][]; // from a digit or drawing to its neighbours, or of a pair
  rings: { place: Place; fill?: string; text?: string }[];
  areas: { place: Place; compared: Place; reach: number; colour: string }[];
  lasso: Place[] | null; // in shares of the square
  ink: string;
  dark: boolean;
  paper: boolean; // whether it is painted to be printed
}

// Where the layers of a scene are drawn: canvases of `side` pixels, and where places lie on them.
export interface Sheet {
  readonly under: HTMLCanvasElement;
  readonly dots: HTMLCanvasElement;
  readonly over: HTMLCanvasElement;
  readonly side: number;
  readonly unit: number; // pixels of a place's unit
  readonly view: View;
  readonly space: Plane;
  readonly labels: Uint8Array;
  readonly colours: Rgb[];
  toPixel(place: Place): Place;
  toPlace(pixel: Place): Place;
}
