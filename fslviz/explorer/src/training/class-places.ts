// Where class weights begin: where the classes' mean images lie in their first two principal components, each of unit
// variance (margins.py's `begin`). On a circle, where each class has two neighbours, like ones so begin side by side.
const CLASSES = 10;
export const OWN_SEATS = [...Array(CLASSES).keys()]; // each class has its own weight, none another's
const ROUNDS = 200; // of the power iteration: more than ten eigenvalues of digits need

// Weights (CLASSES, 2) of images (N, P) of bytes, and their labels.
export function placesOfMeans(images: Uint8Array, labels: Uint8Array): Float32Array {
  const products = productsOfMeans(images, labels);
  const weight = new Float32Array(2 * CLASSES);
  for (let axis = 0; axis < 2; axis++) {
    const { vector, value } = strongest(products);
    vector.forEach((v, c) => {
      weight[2 * c + axis] = v * Math.sqrt(CLASSES);
      vector.forEach((u, d) => (products[c][d] -= value * v * u)); // what is left when this one is taken out
    });
  }
  return weight;
}

// The inner products (CLASSES, CLASSES) of the classes' mean images, as they differ from the mean of all.
function productsOfMeans(images: Uint8Array, labels: Uint8Array): number[][] {
  const pixels = images.length / labels.length;
  const means = Array.from({ length: CLASSES }, () => new Float64Array(pixels));
  const counts = new Float64Array(CLASSES);
  for (const label of labels) counts[label]++;
  labels.forEach((label, i) => {
    for (let p = 0; p < pixels; p++) means[label][p] += images[i * pixels + p] / counts[label];
  });
  for (let p = 0; p < pixels; p++) {
    const middle = means.reduce((sum, mean) => sum + mean[p], 0) / CLASSES;
    for (const mean of means) mean[p] -= middle;
  }
  return means.map((a) => means.map((b) => a.reduce((sum, v, p) => sum + v * b[p], 0)));
}

// The eigenvector of length 1 with the largest eigenvalue.
function strongest(matrix: number[][]): { vector: number[]; value: number } {
  let [vector, value] = [matrix.map((_, i) => 1 + i / CLASSES), 0];
  for (let round = 0; round < ROUNDS; round++) {
    const next = matrix.map((row) => row.reduce((sum, v, i) => sum + v * vector[i], 0));
    value = Math.hypot(...next) || 1e-12;
    vector = next.map((v) => v / value);
  }
  return { vector, value };
}
