// What a threshold accepts: distances of at most itself.
export const accepts = (threshold: number, distance: number) => distance <= threshold;

// The share of rising distances that it accepts.
export function shareAccepted(threshold: number, distances: ArrayLike<number>) {
  let [low, high] = [0, distances.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (accepts(threshold, distances[middle])) low = middle + 1;
    else high = middle;
  }
  return low / distances.length;
}
