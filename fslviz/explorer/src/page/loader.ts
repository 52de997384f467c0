// Brings in what the state asks for: places, networks, which digits are lit, what is verified. Parts may come late, or
// not at all: then there is a line where it is missing, and the rest goes on.
import { t } from "../common/texts";
import { reducedMotion } from "../common/timing";
import type { Pack } from "../data/pack";
import { bent } from "../embedding/bend";
import { Probes } from "../embedding/probes";
import type { Panel } from "../panels/panel";
import type { Gallery } from "../side-panels/gallery";
import type { Inspector } from "../side-panels/inspector";
import { Scores, templates } from "../space/scores";
import { selectedDigits } from "../space/selection";
import { currentThreshold, type State } from "../state/state";

interface LoaderHost {
  state: State;
  labels: { test: Uint8Array; known: Uint8Array };
  gallery?: Gallery;
  inspector?: Inspector;
  panel(loss: string): Panel;
  tell(notice: string): void;
  show(): void; // that what there is be said and painted
  selectionChanged(): void; // told when other digits are lit
}

export class Loader {
  selected: Set<number> | null = null;
  readonly probes: Probes;
  readonly scores = new Map<string, Scores>(); // of networks that a pair is asked of
  private answered = "null";
  private request = 0;
  private bending = 0;

  constructor(
    private pack: Pack,
    private host: LoaderHost,
  ) {
    this.probes = new Probes(pack);
  }

  async update(glide: boolean) {
    const request = ++this.request;
    const late = () => request !== this.request; // while a part is on its way the reader may move on
    const { host } = this;
    const { losses, networks, moment } = host.state;
    const panels = losses.map((loss) => host.panel(loss));
    await Promise.all(
      panels.map(async (panel) => {
        panel.problem = await outcome(panel.space.show(networks[panel.loss], moment, glide && !reducedMotion()));
      }),
    );
    if (late()) return;
    host.show();
    await Promise.all(
      panels.map(async (panel) => {
        const network = networks[panel.loss];
        panel.drawingProblem = await outcome(this.place(panel, network, late));
        if (host.state.pins.length) await outcome(this.score(network, panel));
      }),
    );
    if (!late()) await this.select(late);
    if (!late()) await this.verify(late);
    if (late()) return;
    host.show();
    if (!host.inspector?.root.open) return;
    const problem = (await outcome(host.inspector.update())) || (await outcome(this.bend()));
    if (problem) host.tell(problem);
  }

  // The drawing in a space.
  private async place(panel: Panel, network: string, late: () => boolean) {
    const probe = await this.probes.place(panel.space, network, late);
    if (!late()) panel.probe = probe;
  }

  // The digits that are lit.
  private async select(late: () => boolean) {
    const { selection } = this.host.state;
    const asked = JSON.stringify(selection);
    if (asked === this.answered) return;
    const problem = await outcome(
      (async () => {
        const digits = selection && (await selectedDigits(selection, this.pack, this.host.labels.test));
        if (late()) return;
        this.selected = digits && new Set(digits);
        this.answered = asked;
        this.host.selectionChanged();
        if (selection?.kind !== "lasso" || digits?.length === selection.count) return;
        throw new Error(
          t(
            "The lasso of this link selected {0} digits when it was drawn; here it selects {1}.",
            selection.count,
            digits?.length ?? 0,
          ),
        );
      })(),
    );
    if (problem) this.host.tell(problem);
  }

  private async score(name: string, { space }: Panel) {
    if (this.scores.has(name)) return;
    const [known, points] = await Promise.all(["known", "points"].map((part) => this.pack.places(`${name}/${part}`)));
    const { labels } = this.host;
    const all = templates(space, known, labels.known);
    if (space.name === name) this.scores.set(name, new Scores(space, points, labels.test, all));
  }

  private async verify(late: () => boolean) {
    const { gallery, state } = this.host;
    if (!gallery) return;
    const { gallerySpace, networks } = state;
    const { space, probe } = this.host.panel(gallerySpace);
    const name = networks[gallerySpace];
    const problem = await outcome(
      (async () => {
        const embeds = this.probes.drawing || !gallery.empty;
        const network = embeds ? await this.probes.network(name) : null;
        const [known, points] = await Promise.all(["known", "points"].map((p) => this.pack.places(`${name}/${p}`)));
        if (late() || space.name !== name) return;
        const drawing = probe?.network === name && space.moment === 1 ? probe.place : null;
        gallery.update({ networkName: name, space, known, points, network }, drawing, currentThreshold(state));
      })(),
    );
    if (problem && !late()) gallery.showProblem(problem);
  }

  // A digit on its way as the slider bends it: the one held, or the drawing.
  async bend() {
    const { inspector, state } = this.host;
    if (!inspector) return;
    const bending = ++this.bending;
    const [pin] = state.pins;
    const drawn = pin === undefined;
    const image = drawn ? this.probes.drawing : await this.pack.image("digits", pin);
    if (bending !== this.bending) return;
    const { kind, amount } = inspector.bend;
    const whose = drawn ? t("Your drawing") : t("The {0}", this.host.labels.test[pin]);
    inspector.say(image && bent(image, kind, amount), whose);
    const bends = inspector.root.open && amount !== 0 && state.moment === 1;
    for (const loss of state.losses) {
      const panel = this.host.panel(loss);
      const name = state.networks[loss];
      const bendable = image && bends && panel.space.name === name;
      const bend = bendable
        ? await this.probes.bend(panel.space, name, image, drawn ? "" : `${pin}`, inspector.bend)
        : null;
      if (bending !== this.bending) return;
      panel.bend = bend;
      this.host.show();
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
