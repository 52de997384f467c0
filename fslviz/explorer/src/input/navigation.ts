// What pointers and keys do on a space: move the view, point at a digit, hold one, draw a lasso around some.
import { type Place, simplifyLoop, within } from "../common/geometry";
import type { Painter } from "../drawing/painter";
import type { Space } from "../space/space";
import type { Selection, State } from "../state/state";
import { clampView, clampZoom, placeInView, type View, WHOLE } from "../state/view";
import { listenToPointer, pinch } from "./pointer";

const CORNERS = 20; // of a lasso that a link carries
const FINGER = 24; // CSS pixels within which a finger finds a digit
const TWICE = 500; // ms between two presses of one digit, at most
const MIDDLE: Place = [0.5, 0.5];
const ARROWS: Record<string, Place> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

export interface NavigationHost {
  state: State;
  lassoing: boolean; // whether the lasso is the tool
  cursor: number; // the digit pointed at, or -1
  lasso: { loss: string; outline: Place[] } | null; // that is being drawn
  point(digit: number): void;
  view(loss: string, view: View): void;
  viewOf(loss: string): View; // the view that a space has now, its own or the one that follows another's
  set(change: Partial<State>, newEntry: boolean): void;
  paint(): void;
  surroundings(): { ground: string };
}

interface Square {
  loss: string;
  space: Space;
  painter: Painter;
}

export function navigate(square: Square, host: NavigationHost) {
  const navigator = new Navigator(square, host);
  const { painter } = square;
  navigator.listen(painter.over);
  painter.over.addEventListener("contextmenu", () => {
    painter.ground = host.surroundings().ground; // "Save image" may follow
    painter.whole(painter.ground);
  });
}

class Navigator {
  private tapped = { digit: -1, time: 0 };

  constructor(
    private square: Square,
    private host: NavigationHost,
  ) {}

  listen(canvas: HTMLCanvasElement) {
    const { host, square } = this;
    const { loss, painter } = square;
    const digitAt = (place: Place, reach?: number) => painter.hit(place.map((v) => v * painter.side) as Place, reach);
    listenToPointer(canvas, {
      start: (place, event) => {
        if (host.lassoing) host.lasso = { loss, outline: [place] };
        return host.lassoing || event.pointerType !== "touch"; // one finger that passes scrolls the page
      },
      move: (to, from) => {
        if (!host.lasso) return this.move(from, to, 1);
        host.lasso.outline.push(to);
        host.paint();
      },
      end: (whole) => {
        const { lasso } = host;
        host.lasso = null;
        if (lasso && whole) this.enclose(lasso.outline);
        host.paint();
      },
      hover: (place) => {
        painter.ground = "";
        host.point(digitAt(place));
      },
      tap: (place, { pointerType, timeStamp }) => {
        const near = (pointerType === "mouse" ? 12 : FINGER) * devicePixelRatio;
        if (!host.lassoing) this.tap(digitAt(place, near), timeStamp); // when it was pressed, however late it is told
      },
      pinch: (before, now) => {
        const { from, to, zoom } = pinch(before, now);
        this.move(from, to, zoom);
      },
      wheel: (place, zoom) => this.move(place, place, zoom),
    });
    canvas.onpointerleave = (e) => {
      if (e.pointerType !== "touch") host.point(-1);
    };
    canvas.addEventListener("keydown", (e) => {
      if (e.altKey || e.metaKey || (e.ctrlKey && e.key !== "Escape")) return;
      if (this.key(e)) e.preventDefault();
    });
  }

  // A place of the space, whether or not what the square shows now has been painted.
  private place(share: Place) {
    return placeInView(share, this.host.viewOf(this.square.loss));
  }

  // Move what lies at one place of the canvas to another, and zoom there.
  private move(from: Place, to: Place, zoom: number) {
    const { host, square } = this;
    const [a, b] = [this.place(from), this.place(to)];
    const { x, y, zoom: before } = host.viewOf(square.loss);
    const now = clampZoom(before * zoom);
    const share = 1 - before / now;
    const [u, v] = [x + a[0] - b[0], y + a[1] - b[1]];
    host.view(square.loss, clampView({ x: u + share * (b[0] - x), y: v + share * (b[1] - y), zoom: now }));
  }

  private hold(digit: number) {
    const { pins } = this.host.state;
    if (digit < 0) this.host.set({ pins: [] }, false);
    else if (pins.includes(digit)) this.host.set({ pins: pins.filter((p) => p !== digit) }, false);
    else this.host.set({ pins: pins.length === 1 ? [...pins, digit] : [digit] }, false);
  }

  private selectAround(digit: number) {
    const { name, moment } = this.square.space;
    this.host.set({ selection: { kind: "around", network: name, moment, digit } }, true);
  }

  private tap(digit: number, time: number) {
    const { tapped } = this;
    const twice = digit >= 0 && digit === tapped.digit && time - tapped.time < TWICE;
    this.tapped = { digit: twice ? -1 : digit, time };
    this.hold(digit);
    if (twice) this.selectAround(digit);
  }

  private enclose(shares: Place[]) {
    const { space } = this.square;
    const round = (place: Place) => place.map((v) => +v.toFixed(4)) as Place;
    const places = shares.map((share) => this.place(share));
    const outline = simplifyLoop(places, CORNERS).map(round);
    if (outline.length < 3) return;
    const count = Array.from({ length: space.n }, (_, i) => within(space.place(i), outline)).filter(Boolean).length;
    const selection: Selection = { kind: "lasso", network: space.name, moment: space.moment, count, outline };
    this.host.set({ selection: count ? selection : null }, true);
  }

  // Whether the key means something here.
  private key({ key, shiftKey }: KeyboardEvent): boolean {
    const { host, square } = this;
    const { cursor } = host;
    const arrow = ARROWS[key];
    if (arrow && shiftKey) this.move(MIDDLE, [0.5 - arrow[0] / 8, 0.5 + arrow[1] / 8], 1);
    else if (arrow) {
      const { x, y } = host.viewOf(square.loss);
      host.point(square.space.neighbourTowards(cursor, arrow, [x, y]));
    } else if (key === "+" || key === "=") this.move(MIDDLE, MIDDLE, 1.5);
    else if (key === "-") this.move(MIDDLE, MIDDLE, 1 / 1.5);
    else if (key === "Enter" && cursor >= 0) this.selectAround(cursor);
    else if (key === " ") this.hold(cursor);
    else if (key === "Escape") {
      host.point(-1);
      const views = Object.fromEntries(Object.keys(host.state.views).map((loss) => [loss, WHOLE]));
      host.set({ selection: null, pins: [], views }, false);
    } else return false;
    return true;
  }
}
