// What a training has come to, over the images it has seen: points that each stand for as many images as any other.
const POINTS = 200; // at most

export interface Point {
  images: number; // seen at its end
  count: number; // of them
  loss: number; // its mean over them
  accuracy: number; // 15-NN, as it was last measured
}

export class History {
  points: Point[] = [];
  private span = 1; // images that a point stands for

  add(point: Point) {
    this.points.push(point);
    this.gather();
    while (this.points.length > POINTS) {
      this.span *= 2;
      this.gather();
    }
  }

  // Bring those together that end within one span.
  private gather() {
    const part = ({ images }: Point) => Math.ceil(images / this.span);
    const all: Point[] = [];
    for (const next of this.points) {
      const last = all.at(-1);
      if (last && part(last) === part(next)) {
        const count = last.count + next.count;
        const loss = (last.count * last.loss + next.count * next.loss) / count;
        all[all.length - 1] = { ...next, count, loss };
      } else all.push(next);
    }
    this.points = all;
  }
}
