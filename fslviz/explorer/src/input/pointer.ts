// What hands do on a canvas. One pointer holds it, with its own button, from down to up; a touch that only passes
// scrolls the page, and two fingers move what is shown.
import { focused } from "../common/elements";
import { apart, mean, type Place } from "../common/geometry";

export interface PointerHandlers {
  start(at: Place, event: PointerEvent): boolean; // whether the canvas is to be held
  move(at: Place, from: Place): void;
  end(at: Place, whole: boolean): void; // not whole where it was broken off
  hover?(at: Place): void;
  tap?(at: Place, event: PointerEvent): void; // down and up in one place
  two?(from: [Place, Place], to: [Place, Place]): void;
  wheel?(at: Place, factor: number): void;
}

const STILL = 4; // CSS pixels that a tap may slip

// Places are shares of the canvas's sides, (0, 0) at its upper left.
export function listenToPointer(canvas: HTMLCanvasElement, hand: PointerHandlers) {
  let held: number | null = null;
  let last: Place = [0, 0];
  let down: { id: number; x: number; y: number } | null = null;

  const place = ({ clientX, clientY }: { clientX: number; clientY: number }): Place => {
    const box = canvas.getBoundingClientRect();
    return [(clientX - box.left) / box.width, (clientY - box.top) / box.height];
  };
  const release = (whole: boolean) => {
    if (held === null) return;
    held = null;
    hand.end(last, whole);
  };
  const slipped = (e: PointerEvent) => !down || Math.hypot(e.clientX - down.x, e.clientY - down.y) > STILL;

  canvas.onpointerdown = (e) => {
    if (held !== null || e.button !== 0 || !e.isPrimary) return;
    down = { id: e.pointerId, x: e.clientX, y: e.clientY };
    last = place(e);
    if (!hand.start(last, e)) return;
    held = e.pointerId;
    if (e.isTrusted) canvas.setPointerCapture(held);
  };
  canvas.onpointermove = (e) => {
    if (down && e.pointerId === down.id && slipped(e)) down = null;
    if (held === null && (e.pointerType === "mouse" || e.pointerType === "pen") && !e.buttons) hand.hover?.(place(e));
    if (held !== e.pointerId) return;
    if (e.pointerType === "mouse" && !(e.buttons & 1)) return release(false); // let go where no event told
    const [to, from] = [place(e), last];
    last = to;
    hand.move(to, from);
  };
  canvas.onpointerup = (e) => {
    const tapped = down?.id === e.pointerId && !slipped(e);
    if (down?.id === e.pointerId) down = null;
    if (held === e.pointerId) release(true);
    if (tapped) hand.tap?.(place(e), e);
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

  let fingers: [Place, Place] | null = null;
  const two = (e: TouchEvent): [Place, Place] | null =>
    e.touches.length === 2 ? [place(e.touches[0]), place(e.touches[1])] : null;
  const touched = (e: TouchEvent) => {
    const now = hand.two ? two(e) : null;
    if (now) {
      e.preventDefault(); // else the browser would scroll or zoom the page
      down = null;
      release(false);
      if (fingers && e.type === "touchmove") hand.two?.(fingers, now);
    }
    fingers = now;
  };
  for (const type of ["touchstart", "touchmove", "touchend", "touchcancel"] as const)
    canvas.addEventListener(type, touched, { passive: false });

  if (!hand.wheel) return;
  canvas.addEventListener(
    "wheel",
    (e) => {
      if (!e.ctrlKey && !e.metaKey && focused(canvas) !== canvas) return; // else the page could not be scrolled
      e.preventDefault();
      hand.wheel?.(place(e), Math.exp(-e.deltaY / 300));
    },
    { passive: false },
  );
}

// What two fingers do: by how much they went apart, and from where to where their middle went.
export function pinch(from: [Place, Place], to: [Place, Place]) {
  return { zoom: apart(...to) / Math.max(apart(...from), 1e-3), from: mean(from), to: mean(to) };
}
