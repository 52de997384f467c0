// 15-NN: the share of places whose nearest known places are mostly of their class.
const NEIGHBOURS = 15;

// `angle`: whether places are compared by their angle alone.
export function knnAccuracy(
  known: Float32Array,
  knownLabels: Uint8Array,
  places: Float32Array,
  labels: Uint8Array,
  angle: boolean,
): number {
  return vote(angle ? unit(known) : known, knownLabels, angle ? unit(places) : places, labels);
}

const unit = (places: Float32Array) => places.map((v, i) => v / (Math.hypot(places[i & ~1], places[i | 1]) || 1e-12));

function vote(known: Float32Array, knownLabels: Uint8Array, places: Float32Array, labels: Uint8Array): number {
  let right = 0;
  const far = new Float64Array(NEIGHBOURS);
  const who = new Uint8Array(NEIGHBOURS);
  for (let i = 0; i < labels.length; i++) {
    far.fill(Number.POSITIVE_INFINITY);
    for (let j = 0; j < known.length / 2; j++) {
      const d = (known[2 * j] - places[2 * i]) ** 2 + (known[2 * j + 1] - places[2 * i + 1]) ** 2;
      let k = NEIGHBOURS - 1;
      if (d >= far[k]) continue;
      for (; k > 0 && far[k - 1] > d; k--) [far[k], who[k]] = [far[k - 1], who[k - 1]];
      [far[k], who[k]] = [d, knownLabels[j]];
    }
    const votes = new Uint8Array(10);
    for (const k of who) votes[k]++;
    if (votes.indexOf(Math.max(...votes)) === labels[i]) right++;
  }
  return right / labels.length;
}
