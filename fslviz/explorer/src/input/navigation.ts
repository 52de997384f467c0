// What hands and keys do on a space: move the view, point at a digit, hold one, draw a loop around some.
import { type Place, simplifyLoop, within } from "../common/geometry";
import { listenToPointer, pinch } from "./pointer";
import type { Panel } from "../squares/panel";
import { WHOLE, type Selection, clampView, type State, placeInView, type View, clampZoom } from "../state/state";

const CORNERS = 20; // of a loop that a link carries
const FINGER = 24; // CSS pixels within which a finger finds a digit
const TWICE = 500; // ms between two presses of one digit, at most
const WAYS: Record<string, Place> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

export interface NavigationHost {
  state: State;
  lassoing: boolean;
  cursor: number; // the digit pointed at, or -1
  lasso: { loss: string; outline: Place[] } | null;
  point(digit: number): void;
  view(loss: string, view: View): void;
  viewOf(loss: string): View; // the view that a space has now, its own or the one that follows another's
  set(change: Partial<State>, newEntry: boolean): void;
  paint(): void;
  surroundings(): { ground: string };
}

export function navigate({ loss, space, painter }: Panel, host: NavigationHost) {
  const canvas = painter.over;
  const pixel = ([x, y]: Place): Place => [x * painter.side, y * painter.side];
  const place = (share: Place) => placeInView(share, host.viewOf(loss)); // whether or not that has been painted
  // Move what lies at one place of the canvas to another, and zoom there.
  const move = (from: Place, to: Place, zoom: number) => {
    const [a, b] = [place(from), place(to)];
    const { x, y, zoom: before } = host.viewOf(loss);
    const now = clampZoom(before * zoom);
    const share = 1 - before / now;
    const [u, v] = [x + a[0] - b[0], y + a[1] - b[1]];
    host.view(loss, clampView({ x: u + share * (b[0] - x), y: v + share * (b[1] - y), zoom: now }));
  };
  const hold = (digit: number) => {
    const { pins } = host.state;
    if (digit < 0) host.set({ pins: [] }, false);
    else if (pins.includes(digit)) host.set({ pins: pins.filter((p) => p !== digit) }, false);
    else host.set({ pins: pins.length === 1 ? [...pins, digit] : [digit] }, false);
  };
  const around = (digit: number) =>
    host.set({ selection: { kind: "around", network: space.name, moment: space.moment, digit } }, true);
  let tapped = { digit: -1, at: 0 };
  const tap = (digit: number, at: number) => {
    const twice = digit >= 0 && digit === tapped.digit && at - tapped.at < TWICE;
    tapped = { digit: twice ? -1 : digit, at };
    hold(digit);
    if (twice) around(digit);
  };
  const enclose = (way: Place[]) => {
    const round = ([x, y]: Place) => [x, y].map((v) => +v.toFixed(4)) as Place;
    const corners = simplifyLoop(way.map(place), CORNERS).map(round);
    if (corners.length < 3) return;
    const count = Array.from({ length: space.n }, (_, i) => within(space.place(i), corners)).filter(Boolean).length;
    const lit: Selection = { kind: "lasso", network: space.name, moment: space.moment, count, outline: corners };
    host.set({ selection: count ? lit : null }, true);
  };

  listenToPointer(canvas, {
    start: (at, event) => {
      if (host.lassoing) host.lasso = { loss, outline: [at] };
      return host.lassoing || event.pointerType !== "touch"; // one finger that passes scrolls the page
    },
    move: (to, from) => {
      if (!host.lasso) return move(from, to, 1);
      host.lasso.outline.push(to);
      host.paint();
    },
    end: (_, whole) => {
      const { lasso } = host;
      host.lasso = null;
      if (lasso && whole) enclose(lasso.outline);
      host.paint();
    },
    hover: (at) => {
      painter.ground = "";
      host.point(painter.hit(pixel(at)));
    },
    tap: (at, { pointerType, timeStamp }) => {
      const near = (pointerType === "mouse" ? 12 : FINGER) * devicePixelRatio;
      if (!host.lassoing) tap(painter.hit(pixel(at), near), timeStamp); // when it was pressed, however late it is told
    },
    two: (before, now) => {
      const { from, to, zoom } = pinch(before, now);
      move(from, to, zoom);
    },
    wheel: (at, zoom) => move(at, at, zoom),
  });
  canvas.addEventListener("contextmenu", () => {
    painter.ground = host.surroundings().ground; // "Save image" may follow
    painter.whole(painter.ground);
  });
  canvas.onpointerleave = (e) => {
    if (e.pointerType !== "touch") host.point(-1);
  };

  canvas.addEventListener("keydown", (e) => {
    const [way, middle] = [WAYS[e.key], [0.5, 0.5] as Place];
    const { cursor } = host;
    if (e.altKey || e.metaKey || (e.ctrlKey && e.key !== "Escape")) return;
    if (way && e.shiftKey) move(middle, [0.5 - way[0] / 8, 0.5 + way[1] / 8], 1);
    else if (way) {
      const { x, y } = host.viewOf(loss);
      host.point(space.neighbourTowards(cursor, way, [x, y]));
    } else if (e.key === "+" || e.key === "=") move(middle, middle, 1.5);
    else if (e.key === "-") move(middle, middle, 1 / 1.5);
    else if (e.key === "Enter" && cursor >= 0) around(cursor);
    else if (e.key === " ") hold(cursor);
    else if (e.key === "Escape") {
      host.point(-1);
      const views = Object.fromEntries(Object.keys(host.state.views).map((l) => [l, WHOLE]));
      host.set({ selection: null, pins: [], views }, false);
    } else return;
    e.preventDefault();
  });
}
