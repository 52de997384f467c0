// The explorer in a notebook: anywidget's front end. The kernel sends the parts; the state is the model's.
import { dress } from "../common/style";
import { t } from "../common/texts";
import { Pack } from "../data/pack";
import { currentThreshold, type Options, type State } from "../state/state";
import { Page } from "./page";

interface Model {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
  on(
    event: string,
    listener: (content: { part: string; error?: string }, buffers: DataView<ArrayBuffer>[]) => void,
  ): void;
  send(content: object): void;
  save_changes(): void;
}

const PATIENCE = 5000; // ms that a kernel may take before a word is said of it
const silent = () =>
  t(
    "The kernel has not answered yet. It may be busy with another cell, or stopped. If it has stopped, run the cell again.",
  );
const TRAITS = ["losses", "margins", "step", "threshold", "selection"] as const;
type Traits = Pick<Options, (typeof TRAITS)[number]>;

function bytes(view: DataView<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const { buffer = view, byteOffset = 0, byteLength } = view;
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
}

type Part = Uint8Array<ArrayBuffer>;

export function render({ model, el: root }: { model: Model; el: HTMLElement }) {
  dress(root);
  root.classList.add("fslviz-explorer");
  root.addEventListener("keydown", (e) => e.stopPropagation()); // else JupyterLab takes the arrows from the sliders
  const ask = kernelParts(model, (late) => (late ? page.tell(silent()) : page.untell(silent())));
  const options = { ...traits(model), parts: (model.get("parts") as string).split(",") };
  const page = new Page(root, new Pack(ask), options, "", () => {
    const now = shownTraits(page);
    for (const name of TRAITS) if (!same(model.get(name), now[name])) model.set(name, now[name]);
    model.save_changes();
  });
  const take = () => {
    const change = changed(page, traits(model));
    if (change) page.set(change, false);
  };
  page.start().then(() => {
    if (!root.dataset.ready) return;
    take();
    for (const name of TRAITS) model.on(`change:${name}`, take);
  });
  Object.assign(root, { explorer: page });
  return () => page.life.abort();
}

// The pack's parts from the kernel. `late`: told true where it does not answer, and false once it does.
function kernelParts(model: Model, late: (late: boolean) => void): (part: string) => Promise<Part> {
  const waiting: Record<string, { resolve(bytes: Part): void; reject(error: Error): void }> = {};
  model.on("msg:custom", ({ part, error }, buffers) => {
    if (error) return waiting[part]?.reject(new Error(error));
    waiting[part]?.resolve(bytes(buffers[0]));
  });
  const first = (model.get("first") ?? {}) as Record<string, DataView<ArrayBuffer>>; // came with the widget itself
  return (part) => {
    if (first[part]) return Promise.resolve(bytes(first[part]));
    const timer = setTimeout(() => late(true), PATIENCE);
    return new Promise<Part>((resolve, reject) => {
      waiting[part] = { resolve, reject };
      model.send({ part });
    }).finally(() => {
      clearTimeout(timer);
      late(false);
    });
  };
}

const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

const traits = (model: Model) => Object.fromEntries(TRAITS.map((name) => [name, model.get(name)])) as unknown as Traits;

// What the page shows, as the model has it.
function shownTraits({ state, networksOf, loader, pack }: Page): Traits {
  const { losses, networks, moment } = state;
  const swept = losses.filter((loss) => networksOf[loss].length > 1);
  const margins = swept.map((loss) => [loss, pack.manifest.spaces[networks[loss]].margin!] as const);
  const selection = [...(loader.selected ?? [])];
  const threshold = currentThreshold(state);
  return { losses, margins: Object.fromEntries(margins), step: moment, threshold, selection };
}

// What the model's traits change of the page's state, or null for nothing.
function changed(page: Page, { losses, margins, step, threshold, selection }: Traits): Partial<State> | null {
  const now = shownTraits(page);
  if (same({ ...now, losses, margins: { ...now.margins, ...margins }, step, threshold, selection }, now)) return null;
  const { state, networksOf, pack } = page;
  const networks = { ...state.networks };
  for (const [loss, margin] of Object.entries(margins))
    networks[loss] = networksOf[loss].find((name) => pack.manifest.spaces[name].margin === margin) ?? networks[loss];
  const kept = (loss: string) => (losses.includes(loss) ? loss : (losses[0] ?? loss));
  const [gallerySpace, lead] = [kept(state.gallerySpace), kept(state.lead)];
  const digits: State["selection"] = selection.length ? { kind: "digits", digits: selection } : null;
  return {
    losses,
    networks,
    moment: step,
    threshold: threshold === null ? null : { network: networks[gallerySpace], value: threshold },
    selection: same(selection, now.selection) ? state.selection : digits,
    gallerySpace,
    lead,
  };
}
