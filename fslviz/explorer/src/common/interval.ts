// How sure a share is that was counted: the 95% interval of k of n (Wilson 1927).
export function interval(k: number, n: number): [number, number] {
  const z = 1.96;
  const middle = (k + (z * z) / 2) / (n + z * z);
  const half = (z / (n + z * z)) * Math.sqrt((k * (n - k)) / n + (z * z) / 4);
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}
