// Views that follow another: where the digits that one space shows lie in the others.
import { clampZoom, FILL, type View, WHOLE } from "../state/view";
import type { Space } from "./space";

const MOST = 0.8; // of the digits: a view holds so many of them in each direction

// The digits within a space's square.
function within({ target, n }: Space, { x, y, zoom }: View): number[] {
  const half = 1 / (FILL * zoom);
  const inside = (i: number) => Math.abs(target[2 * i] - x) <= half && Math.abs(target[2 * i + 1] - y) <= half;
  return Array.from({ length: n }, (_, i) => i).filter(inside);
}

function quantile(values: number[], share: number): number {
  return Float64Array.from(values).sort()[Math.floor((values.length - 1) * share)];
}

// What was found last for a space's places: it is asked for in each frame.
const found = new WeakMap<Float32Array, { lead: Float32Array; view: View; follows: View }>();

// The view of a space that shows the digits which `lead` shows in its own.
export function linkedView(space: Space, lead: Space, view: View): View {
  const last = found.get(space.target);
  if (last?.lead === lead.target && last.view === view) return last.follows;
  const follows = search(space, lead, view);
  found.set(space.target, { lead: lead.target, view, follows });
  return follows;
}

function search(space: Space, lead: Space, view: View): View {
  if (view.zoom <= 1) return view.zoom < 1 ? { ...WHOLE, zoom: view.zoom } : WHOLE;
  const digits = within(lead, view).filter((i) => i < space.n);
  if (!digits.length) return WHOLE;
  const [xs, ys] = [0, 1].map((j) => digits.map((i) => space.target[2 * i + j]));
  const [x, y] = [quantile(xs, 0.5), quantile(ys, 0.5)];
  const far = digits.map((i) => Math.max(Math.abs(space.target[2 * i] - x), Math.abs(space.target[2 * i + 1] - y)));
  const zoom = Math.min(clampZoom(1 / (FILL * Math.max(quantile(far, MOST), 1e-6))), 1.5 * view.zoom);
  return zoom <= 1 ? WHOLE : { x, y, zoom };
}
