// Places, angles and polygons of a plane. Nothing here knows of a network or a page.
export type Place = [number, number];

// Whether a place lies within a loop: whether the loop winds around it, however often. What crosses a ray from the place
// on its way up counts against what crosses it on its way down.
export function within([x, y]: Place, loop: Place[]) {
  let winds = 0;
  loop.forEach(([x1, y1], i) => {
    const [x2, y2] = loop[(i + 1) % loop.length];
    if (y1 > y !== y2 > y && x < x1 + ((y - y1) / (y2 - y1)) * (x2 - x1)) winds += y2 > y1 ? 1 : -1;
  });
  return winds !== 0;
}

// A loop of at most so many corners: those that span the least are dropped first (Visvalingam and Whyatt 1993).
export function simplifyLoop(loop: Place[], most: number): Place[] {
  const kept = [...loop];
  const span = (i: number) => {
    const [[ax, ay], [bx, by], [cx, cy]] = [-1, 0, 1].map((j) => kept.at((i + j) % kept.length)!);
    return Math.abs((bx - ax) * (cy - ay) - (cx - ax) * (by - ay));
  };
  while (kept.length > most) {
    let least = 0;
    for (let i = 1; i < kept.length; i++) if (span(i) < span(least)) least = i;
    kept.splice(least, 1);
  }
  return kept;
}

// A line with fewer corners: none that is dropped lies farther than `off` from what is left (Douglas and Peucker 1973).
export function simplifyLine(line: Place[], off: number): Place[] {
  const [from, to] = [line[0], line.at(-1)!];
  const length = apart(from, to) ** 2 || 1;
  let [far, most] = [0, off];
  line.forEach((p, i) => {
    const t = ((p[0] - from[0]) * (to[0] - from[0]) + (p[1] - from[1]) * (to[1] - from[1])) / length;
    const s = Math.min(1, Math.max(0, t));
    const d = apart(p, [from[0] + s * (to[0] - from[0]), from[1] + s * (to[1] - from[1])]);
    if (d > most) [far, most] = [i, d];
  });
  if (far) return [...simplifyLine(line.slice(0, far + 1), off), ...simplifyLine(line.slice(far), off).slice(1)];
  return line.length > 2 ? [from, to] : line;
}

// A convex polygon cut by a half-plane: where `over` is not negative.
export function cut(region: Place[], over: (p: Place) => number): Place[] {
  return region.flatMap((p, i) => {
    const q = region[(i + 1) % region.length];
    const [a, b] = [over(p), over(q)];
    const kept: Place[] = a >= 0 ? [p] : [];
    const t = a / (a - b);
    if (a >= 0 !== b >= 0) kept.push([p[0] + t * (q[0] - p[0]), p[1] + t * (q[1] - p[1])]);
    return kept;
  });
}

export function mean(places: Place[]): Place {
  const sum = places.reduce((s, p) => [s[0] + p[0], s[1] + p[1]], [0, 0] as Place);
  return [sum[0] / places.length, sum[1] / places.length];
}

export const apart = (a: Place, b: Place) => Math.hypot(a[0] - b[0], a[1] - b[1]);

export const placeAt = (places: ArrayLike<number>, i: number): Place => [places[2 * i], places[2 * i + 1]];

// Of strokes, along an axis: where they begin, where they end, and how far that is.
export const low = (strokes: Place[][], axis: number) => Math.min(...strokes.flat().map((p) => p[axis]));
export const high = (strokes: Place[][], axis: number) => Math.max(...strokes.flat().map((p) => p[axis]));
export const span = (strokes: Place[][], axis: number) => high(strokes, axis) - low(strokes, axis);
