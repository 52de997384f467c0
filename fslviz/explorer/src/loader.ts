// Brings in what the state asks for: places, networks, which digits are lit, what is verified. Parts may come late, or
// not at all: then there is a line where it is missing, and the rest goes on.
import { still } from "./dom";
import type { Gallery } from "./gallery";
import { bent } from "./ink";
import { answer } from "./lit";
import type { Look } from "./look";
import { Rates, templates } from "./measure";
import type { Pack } from "./pack";
import type { Panel } from "./panel";
import { Probes } from "./probes";
import { type State, threshold } from "./state";

export interface Asking {
  state: State;
  labels: { shown: Uint8Array; known: Uint8Array };
  gallery?: Gallery;
  look?: Look;
  panel(loss: string): Panel;
  tell(notice: string): void;
  show(): void; // that what there is be said and painted
  lighted(): void; // told when other digits are lit
}

export class Loader {
  lit: Set<number> | null = null;
  readonly probes: Probes;
  readonly rates = new Map<string, Rates>(); // of networks that a pair is asked of
  private answered = "null";
  private turn = 0;
  private bending = 0;

  constructor(
    private pack: Pack,
    private asking: Asking,
  ) {
    this.probes = new Probes(pack);
  }

  async update(glide: boolean) {
    const turn = ++this.turn;
    const late = () => turn !== this.turn; // while a part is on its way the reader may move on
    const { asking } = this;
    const { losses, names, step } = asking.state;
    const panels = losses.map((loss) => asking.panel(loss));
    await Promise.all(
      panels.map(async (panel) => {
        panel.trouble = await outcome(panel.space.show(names[panel.loss], step, glide && !still()));
      }),
    );
    if (late()) return;
    asking.show();
    await Promise.all(
      panels.map(async (panel) => {
        panel.blind = await outcome(this.probes.place(panel, names[panel.loss], late));
        if (asking.state.pins.length) await outcome(this.rate(names[panel.loss], panel));
      }),
    );
    if (!late()) await this.light(late);
    if (!late()) await this.verify(late);
    if (late()) return;
    asking.show();
    if (!asking.look?.root.open) return;
    const trouble = (await outcome(asking.look.update())) || (await outcome(this.bend()));
    if (trouble) asking.tell(trouble);
  }

  // The digits that are lit.
  private async light(late: () => boolean) {
    const { lit } = this.asking.state;
    const asked = JSON.stringify(lit);
    if (asked === this.answered) return;
    const trouble = await outcome(
      (async () => {
        const digits = lit && (await answer(lit, this.pack, this.asking.labels.shown));
        if (late()) return;
        this.lit = digits && new Set(digits);
        this.answered = asked;
        this.asking.lighted();
        if (lit?.kind !== "loop" || digits?.length === lit.count) return;
        throw new Error(`The loop of this link held ${lit.count} digits when it was drawn; here ${digits?.length}.`);
      })(),
    );
    if (trouble) this.asking.tell(trouble);
  }

  private async rate(name: string, { space }: Panel) {
    if (this.rates.has(name)) return;
    const [known, points] = await Promise.all(["known", "points"].map((part) => this.pack.places(`${name}/${part}`)));
    const { shown, known: labels } = this.asking.labels;
    if (space.name === name) this.rates.set(name, new Rates(space, points, shown, templates(space, known, labels)));
  }

  private async verify(late: () => boolean) {
    const { gallery, state } = this.asking;
    if (!gallery) return;
    const { space: loss, losses, names, areas } = state;
    const { space, probe } = this.asking.panel(loss);
    const name = names[loss];
    const trouble = await outcome(
      (async () => {
        const embeds = this.probes.drawing || !gallery.empty;
        const network = embeds ? await this.probes.network(name) : null;
        const [known, points] = await Promise.all(["known", "points"].map((p) => this.pack.places(`${name}/${p}`)));
        if (late() || space.name !== name) return;
        const drawing = probe?.name === name && space.step === 1 ? probe.place : null;
        const room = { loss, losses, name, space, known, points, network, drawing, areas };
        gallery.update({ ...room, threshold: threshold(state) });
      })(),
    );
    if (trouble && !late()) gallery.lacks(trouble);
  }

  // A digit on its way as the slider bends it: the one held, or the drawing.
  async bend() {
    const { look, state } = this.asking;
    if (!look) return;
    const bending = ++this.bending;
    const [pin] = state.pins;
    const drawn = pin === undefined;
    const image = drawn ? this.probes.drawing : await this.pack.image("digits", pin);
    if (bending !== this.bending) return;
    const { way, amount } = look.bend;
    look.say(image && bent(image, way, amount), drawn ? "Your drawing" : `The ${this.asking.labels.shown[pin]}`);
    const bends = look.root.open && amount !== 0 && state.step === 1;
    for (const loss of state.losses) {
      const panel = this.asking.panel(loss);
      const name = state.names[loss];
      const found = image && bends && panel.space.name === name;
      const bend = found ? await this.probes.bend(panel, name, image, drawn ? "" : `${pin}`, look.bend) : null;
      if (bending !== this.bending) return;
      panel.bend = bend;
      this.asking.show();
    }
  }
}

// What went wrong, in a line, or "".
async function outcome(work: Promise<void>): Promise<string> {
  try {
    await work;
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}
