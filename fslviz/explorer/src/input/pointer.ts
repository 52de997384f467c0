// What pointers do on a canvas. One pointer holds it, with its own button, from down to up; a touch that only passes
// scrolls the page, and two fingers move what is shown.
import { focused } from "../common/elements";
import { apart, mean, type Place } from "../common/geometry";

// Places are shares of the canvas's sides, (0, 0) at its upper left.
interface PointerHandlers {
  start(place: Place, event: PointerEvent): boolean; // whether the canvas is to be held
  move(place: Place, from: Place): void;
  end(whole: boolean): void; // not whole where it was broken off
  hover?(place: Place): void;
  tap?(place: Place, event: PointerEvent): void; // down and up in one place
  pinch?(from: [Place, Place], to: [Place, Place]): void;
  wheel?(place: Place, factor: number): void;
}

const STILL = 4; // CSS pixels that a tap may slip

type PlaceOf = (event: { clientX: number; clientY: number }) => Place;

export function listenToPointer(canvas: HTMLCanvasElement, handlers: PointerHandlers) {
  const placeOf: PlaceOf = ({ clientX, clientY }) => {
    const box = canvas.getBoundingClientRect();
    return [(clientX - box.left) / box.width, (clientY - box.top) / box.height];
  };
  const breakOff = listenToOne(canvas, handlers, placeOf);
  if (handlers.pinch) listenToTwo(canvas, handlers.pinch, placeOf, breakOff);
  if (handlers.wheel) listenToWheel(canvas, handlers.wheel, placeOf);
}

// One pointer. Gives what breaks off all that it does.
function listenToOne(canvas: HTMLCanvasElement, handlers: PointerHandlers, placeOf: PlaceOf) {
  let held: number | null = null; // the pointer that holds the canvas
  let last: Place = [0, 0];
  let down: { id: number; x: number; y: number } | null = null;
  const release = (whole: boolean) => {
    if (held === null) return;
    held = null;
    handlers.end(whole);
  };
  const slipped = (e: PointerEvent) => !down || Math.hypot(e.clientX - down.x, e.clientY - down.y) > STILL;

  canvas.onpointerdown = (e) => {
    if (held !== null || e.button !== 0 || !e.isPrimary) return;
    down = { id: e.pointerId, x: e.clientX, y: e.clientY };
    last = placeOf(e);
    if (!handlers.start(last, e)) return;
    held = e.pointerId;
    if (e.isTrusted) canvas.setPointerCapture(held);
  };
  canvas.onpointermove = (e) => {
    if (down && e.pointerId === down.id && slipped(e)) down = null;
    const hovers = e.pointerType === "mouse" || e.pointerType === "pen";
    if (held === null && hovers && !e.buttons) handlers.hover?.(placeOf(e));
    if (held !== e.pointerId) return;
    if (e.pointerType === "mouse" && !(e.buttons & 1)) return release(false); // let go where no event told
    const [to, from] = [placeOf(e), last];
    last = to;
    handlers.move(to, from);
  };
  canvas.onpointerup = (e) => {
    const tapped = down?.id === e.pointerId && !slipped(e);
    if (down?.id === e.pointerId) down = null;
    if (held === e.pointerId) release(true);
    if (tapped) handlers.tap?.(placeOf(e), e);
  };
  canvas.onpointercancel = canvas.onlostpointercapture = (e) => {
    if (e.type === "pointercancel") down = null;
    if (held === e.pointerId) release(false);
  };
  canvas.addEventListener("contextmenu", () => release(false));
  canvas.addEventListener("keydown", (e) => {
    if (e.key !== "Escape" || held === null) return;
    release(false);
    e.stopImmediatePropagation();
  });
  return () => {
    down = null;
    release(false);
  };
}

// Two fingers.
function listenToTwo(
  canvas: HTMLCanvasElement,
  pinch: NonNullable<PointerHandlers["pinch"]>,
  placeOf: PlaceOf,
  breakOff: () => void,
) {
  let fingers: [Place, Place] | null = null;
  const touched = (e: TouchEvent) => {
    const [a, b] = e.touches;
    const now: typeof fingers = e.touches.length === 2 ? [placeOf(a), placeOf(b)] : null;
    if (now) {
      e.preventDefault(); // else the browser would scroll or zoom the page
      breakOff();
      if (fingers && e.type === "touchmove") pinch(fingers, now);
    }
    fingers = now;
  };
  for (const type of ["touchstart", "touchmove", "touchend", "touchcancel"] as const)
    canvas.addEventListener(type, touched, { passive: false });
}

function listenToWheel(canvas: HTMLCanvasElement, wheel: NonNullable<PointerHandlers["wheel"]>, placeOf: PlaceOf) {
  const turned = (e: WheelEvent) => {
    if (!e.ctrlKey && !e.metaKey && focused(canvas) !== canvas) return; // else the page could not be scrolled
    e.preventDefault();
    wheel(placeOf(e), Math.exp(-e.deltaY / 300));
  };
  canvas.addEventListener("wheel", turned, { passive: false });
}

// What two fingers do: by how much they went apart, and from where to where their middle went.
export function pinch(from: [Place, Place], to: [Place, Place]) {
  return { zoom: apart(...to) / Math.max(apart(...from), 1e-3), from: mean(from), to: mean(to) };
}
