// The explorer in a notebook: anywidget's front end. The kernel sends the parts; the state is the model's.
import type { Pack } from "../data/pack";
import { Pack as Parts } from "../data/pack";
import { Page } from "./page";
import { type Options, currentThreshold } from "../state/state";
import { dress } from "../common/style";

interface Model {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
  on(event: string, told: (content: { part: string; error?: string }, buffers: DataView<ArrayBuffer>[]) => void): void;
  send(content: object): void;
  save_changes(): void;
}

const PATIENCE = 5000; // ms that a kernel may take before a word is said of it
const SILENT =
  "The kernel has not answered yet: it is busy with another cell, or gone. Where it is gone, run the cell again.";
const TRAITS = ["losses", "margins", "step", "threshold", "selection"] as const;
type Traits = Pick<Options, (typeof TRAITS)[number]>;

function bytes(view: DataView<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const { buffer = view, byteOffset = 0, byteLength } = view;
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
}

export function render({ model, el: root }: { model: Model; el: HTMLElement }) {
  dress(root);
  root.classList.add("fslviz-explorer");
  root.addEventListener("keydown", (e) => e.stopPropagation()); // else JupyterLab takes the arrows from the sliders
  const waiting: Record<string, { resolve(bytes: Uint8Array<ArrayBuffer>): void; reject(error: Error): void }> = {};
  model.on("msg:custom", ({ part, error }, buffers) => {
    if (error) return waiting[part]?.reject(new Error(error));
    waiting[part]?.resolve(bytes(buffers[0]));
  });
  const first = (model.get("first") ?? {}) as Record<string, DataView<ArrayBuffer>>; // came with the widget itself
  const ask = (part: string) => {
    if (first[part]) return Promise.resolve(bytes(first[part]));
    const late = setTimeout(() => page.tell(SILENT), PATIENCE);
    return new Promise<Uint8Array<ArrayBuffer>>((resolve, reject) => {
      waiting[part] = { resolve, reject };
      model.send({ part });
    }).finally(() => {
      clearTimeout(late);
      page.untell(SILENT);
    });
  };
  const traits = () => Object.fromEntries(TRAITS.map((name) => [name, model.get(name)])) as unknown as Traits;
  const options = { ...traits(), parts: (model.get("parts") as string).split(",") };
  const pack: Pack = new Parts(ask);

  // What the page shows, as the model has it.
  const here = (): Traits => {
    const { losses, networks, moment } = page.state;
    const swept = losses.filter((loss) => page.networksOf[loss].length > 1);
    const margins = swept.map((loss) => [loss, pack.manifest.spaces[networks[loss]].margin!] as const);
    const selection = [...(page.loader.selected ?? [])];
    return { losses, margins: Object.fromEntries(margins), step: moment, threshold: currentThreshold(page.state), selection };
  };
  const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
  const page = new Page(root, pack, options, "", () => {
    const now = here();
    for (const name of TRAITS) if (!same(model.get(name), now[name])) model.set(name, now[name]);
    model.save_changes();
  });
  const take = () => {
    const now = here();
    const { losses, margins, step, threshold, selection } = traits();
    if (same({ ...now, losses, margins: { ...now.margins, ...margins }, step, threshold, selection }, now)) return;
    const names = { ...page.state.networks };
    for (const [loss, margin] of Object.entries(margins))
      names[loss] = page.networksOf[loss].find((name) => pack.manifest.spaces[name].margin === margin) ?? names[loss];
    const { gallerySpace, lead } = page.state;
    const kept = (loss: string) => (losses.includes(loss) ? loss : losses[0]);
    const limit = threshold === null ? null : { name: names[kept(gallerySpace)], at: threshold };
    const lit = same(selection, now.selection)
      ? page.state.selection
      : selection.length
        ? { kind: "digits" as const, digits: selection }
        : null;
    page.set({ losses, networks: names, moment: step, threshold: limit, selection: lit, gallerySpace: kept(gallerySpace), lead: kept(lead) }, false);
  };
  page.start().then(() => {
    if (!root.dataset.ready) return;
    take();
    for (const name of TRAITS) model.on(`change:${name}`, take);
  });
  Object.assign(root, { explorer: page });
  return () => page.life.abort();
}
