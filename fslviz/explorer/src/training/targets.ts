// What stands in for cos theta of the true class under a margin m, and its derivative by it. `lambda`: SphereFace's blend.
export const TARGETS: Record<string, (cos: number, m: number, lambda: number) => [number, number]> = {
  normface: (cos) => [cos, 1],
  // Wang et al. 2018, equation 4: cos theta - m.
  cosface: (cos, m) => [cos - m, 1],
  // Deng et al. 2019, equation 3: cos(theta + m), and beyond pi, where it turns up again, cos theta - m sin m.
  arcface: (cos, m) => {
    if (cos <= -Math.cos(m)) return [cos - m * Math.sin(m), 1];
    const square = (1 - cos) * (1 + cos);
    const slope = square >= 1e-6 ? (Math.sin(m) * cos) / Math.sqrt(square) : 0; // at cos 1 it grows without end
    return [cos * Math.cos(m) - Math.sqrt(square) * Math.sin(m), Math.cos(m) + slope];
  },
  // Liu et al. 2017, equation 7: (lambda cos theta + psi) / (1 + lambda), psi = (-1)^k cos(m theta) - 2k; cos(m theta) by
  // Chebyshev's recurrence, its derivative m U_{m-1} by the same.
  sphereface: (cos, m, lambda) => {
    let [before, now] = [1, cos];
    let [under, over] = [0, 1]; // U_{-1}, U_0
    for (let i = 1; i < m; i++) {
      [before, now] = [now, 2 * cos * now - before];
      [under, over] = [over, 2 * cos * over - under];
    }
    const k = Math.min(m - 1, Math.floor((m * Math.acos(cos)) / Math.PI));
    const sign = k % 2 ? -1 : 1;
    return [(lambda * cos + sign * now - 2 * k) / (1 + lambda), (lambda + sign * m * over) / (1 + lambda)];
  },
};
