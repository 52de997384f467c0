// AssemblyScript: the arithmetic of a convolutional network, forward and backward, on 32-bit floats in linear memory.
// Built twice, with and without relaxed SIMD's multiply-add.

// x * y + z, in one rounding where there is relaxed SIMD.
// @ts-ignore: decorator
@inline
function madd(x: v128, y: v128, z: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? f32x4.relaxed_madd(x, y, z) : f32x4.add(f32x4.mul(x, y), z);
}

const PART: i32 = 256; // of the inner dimension, so that what is read again stays in the cache

// c (m, n) += a (m, k) b (k, n), n a multiple of 8. The element (i, p) of a lies at a + i * row + p * step, in floats.
// Four rows by eight columns at a time: eight sums, two vectors of b and one number of a in registers.
export function matmul(m: i32, n: i32, k: i32, a: usize, row: i32, step: i32, b: usize, c: usize): void {
  const down = row << 2, along = step << 2, wide = n << 2;
  for (let p0 = 0; p0 < k; p0 += PART) {
    const count = min(PART, k - p0);
    for (let i = 0; i < m; i += 4) {
      const rows = min(4, m - i);
      const a0 = a + i * down + p0 * along;
      const d1 = rows > 1 ? down : 0, d2 = rows > 2 ? 2 * down : 0, d3 = rows > 3 ? 3 * down : 0;
      for (let j = 0; j < n; j += 8) {
        let s00 = f32x4.splat(0), s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00;
        let x = a0, y = b + p0 * wide + (j << 2);
        for (let p = 0; p < count; p++, x += along, y += wide) {
          const b0 = v128.load(y), b1 = v128.load(y, 16);
          const x0 = v128.load32_splat(x), x1 = v128.load32_splat(x + d1);
          s00 = madd(x0, b0, s00);
          s01 = madd(x0, b1, s01);
          s10 = madd(x1, b0, s10);
          s11 = madd(x1, b1, s11);
          const x2 = v128.load32_splat(x + d2), x3 = v128.load32_splat(x + d3);
          s20 = madd(x2, b0, s20);
          s21 = madd(x2, b1, s21);
          s30 = madd(x3, b0, s30);
          s31 = madd(x3, b1, s31);
        }
        let to = c + i * wide + (j << 2);
        add(to, s00, s01);
        if (rows > 1) add(to + wide, s10, s11);
        if (rows > 2) add(to + 2 * wide, s20, s21);
        if (rows > 3) add(to + 3 * wide, s30, s31);
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function add(to: usize, low: v128, high: v128): void {
  v128.store(to, f32x4.add(v128.load(to), low));
  v128.store(to, f32x4.add(v128.load(to, 16), high), 16);
}

// The patches (count * side/2 * side/2, 9 * channels) of images (count, side, side, channels) under a 3x3 kernel of
// stride 2, an empty pixel all round.
export function patches(count: i32, side: i32, channels: i32, image: usize, to: usize): void {
  const half = side >> 1, wide = channels << 2;
  for (let b = 0; b < count; b++)
    for (let y = 0; y < half; y++)
      for (let x = 0; x < half; x++)
        for (let ky = 0; ky < 3; ky++)
          for (let kx = 0; kx < 3; kx++, to += wide) {
            const v = 2 * y + ky - 1, u = 2 * x + kx - 1;
            if (v < 0 || u < 0 || v >= side || u >= side) memory.fill(to, 0, wide);
            else memory.copy(to, image + ((b * side + v) * side + u) * wide, wide);
          }
}

// Its derivative: what comes back to each patch is added up in the images (count, side, side, channels).
export function gather(count: i32, side: i32, channels: i32, from: usize, image: usize): void {
  const half = side >> 1, wide = channels << 2;
  memory.fill(image, 0, count * side * side * wide);
  for (let b = 0; b < count; b++)
    for (let y = 0; y < half; y++)
      for (let x = 0; x < half; x++)
        for (let ky = 0; ky < 3; ky++)
          for (let kx = 0; kx < 3; kx++, from += wide) {
            const v = 2 * y + ky - 1, u = 2 * x + kx - 1;
            if (v < 0 || u < 0 || v >= side || u >= side) continue;
            const to = image + ((b * side + v) * side + u) * wide;
            for (let c = 0; c < wide; c += 16) v128.store(to + c, f32x4.add(v128.load(to + c), v128.load(from + c)));
          }
}

// y = max(x, x/10) in place, for rows (count, n) to which a bias (n) is added first. n: a multiple of 4.
export function leaky(count: i32, n: i32, x: usize, bias: usize): void {
  const slope = f32x4.splat(0.1), wide = n << 2;
  for (let i = 0; i < count; i++, x += wide)
    for (let j = 0; j < wide; j += 16) {
      const v = f32x4.add(v128.load(x + j), v128.load(bias + j));
      v128.store(x + j, f32x4.max(v, f32x4.mul(v, slope)));
    }
}

// Its derivative: d, what comes back to y, becomes what comes back to x; its sum over the rows is added to the bias's.
export function unleaky(count: i32, n: i32, y: usize, d: usize, bias: usize): void {
  const slope = f32x4.splat(0.1), wide = n << 2, zero = f32x4.splat(0);
  for (let i = 0; i < count; i++, y += wide, d += wide)
    for (let j = 0; j < wide; j += 16) {
      const v = v128.load(d + j);
      const back = v128.bitselect(v, f32x4.mul(v, slope), f32x4.gt(v128.load(y + j), zero));
      v128.store(d + j, back);
      v128.store(bias + j, f32x4.add(v128.load(bias + j), back));
    }
}
