// The page's side of the lab's worker: it is made when it is first wanted, and ended to begin anew.
import { LAB } from "../catalogue";
import { t, tr } from "../common/texts";
import { greys, type Pack } from "../data/pack";
import type { LabSettings } from "../state/state";
import type { Order, Report } from "../training/worker";

const { train: TRAIN, shown: SHOWN } = LAB; // digits it learns from, and digits that are shown and never learned from

export class WorkerClient {
  private worker: Worker | null = null;
  private beginning: Promise<void> | null = null;
  private generation = 0; // of workers: what is on its way for one that was ended comes to nothing

  // `receive`: told each report, or why there is none. `begun`: told when there is a worker.
  constructor(
    private pack: Pack,
    private receive: (data: Report | { error: string }) => void,
    private begun: () => void,
  ) {}

  get exists() {
    return this.worker !== null;
  }

  send(order: Order) {
    this.worker?.postMessage(order);
  }

  // A worker with the digits. Whether it is there, and was not ended meanwhile.
  async begin(settings: () => LabSettings): Promise<boolean> {
    const { generation } = this;
    if (!this.worker) await (this.beginning ??= this.make(settings));
    return generation === this.generation;
  }

  end() {
    this.generation++;
    this.worker?.terminate();
    this.worker = this.beginning = null;
  }

  private async make(settings: () => LabSettings) {
    const { generation } = this;
    const late = () => generation !== this.generation;
    try {
      const parts = ["lab", "lab/digits", "lab/net"].map((part) => this.pack.part(part));
      const [code, bytes, start] = await Promise.all(parts);
      if (late()) return;
      this.worker = this.started(code);
      const { seed, from } = settings();
      const { mean, std } = this.pack.manifest;
      const digits = { ...sets(new Uint8Array(bytes)), standard: { mean, std } };
      this.send({ kind: "begin", ...digits, seed, start: from === "trained" ? new Float32Array(start) : null });
      this.begun();
    } catch (error) {
      if (!late()) this.receive({ error: (error as Error).message });
    }
  }

  // A page from a file may start no worker but from a blob.
  private started(code: ArrayBuffer): Worker {
    const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
    const worker = new Worker(url);
    URL.revokeObjectURL(url);
    worker.onmessage = ({ data }) => {
      if (worker !== this.worker) return; // one that was ended may have told more
      this.receive("error" in data ? { error: tr(data.error) } : data); // a worker has no table of texts
    };
    worker.onerror = (event) => this.receive({ error: event.message || t("it could not be started") });
    return worker;
  }
}

// The digits to learn from and to show, of the pack's part.
function sets(bytes: Uint8Array) {
  const half = 392 * (TRAIN + SHOWN);
  const [images, labels] = [greys(bytes.subarray(0, half)), bytes.subarray(half)];
  const part = (from: number, count: number) => ({
    images: images.slice(784 * from, 784 * (from + count)),
    labels: labels.slice(from, from + count),
  });
  return { train: part(0, TRAIN), shown: part(TRAIN, SHOWN) };
}
