// The words beside the pictures, and what a screen reader hears of them.
import type { Announcer } from "../common/announcer";
import type { Pack } from "../data/pack";
import type { Panel } from "../panels/panel";
import { askedPair } from "../panels/square-scene";
import { pairText } from "../space/pairs";
import { currentThreshold, type State } from "../state/state";
import type { Loader } from "./loader";
import type { SidePanels } from "./side-panels";

interface ReadoutSource {
  state: State;
  cursor: number;
  pack: Pack;
  labels: { test: Uint8Array };
  networksOf: Record<string, string[]>;
  loader: Loader;
  sidePanels: SidePanels;
  announcer: Announcer;
  panel(loss: string): Panel;
}

export function readOut(page: ReadoutSource) {
  const { state, pack, loader, networksOf, sidePanels } = page;
  const { losses, networks, moment } = state;
  const { spaces } = pack.manifest;
  const { toolbar, trainingSlider, gallery, alphabet } = sidePanels;
  toolbar.say(loader.selected);
  for (const loss of losses) {
    const name = networks[loss];
    const place = networksOf[loss].indexOf(name);
    page.panel(loss).say({ entry: spaces[name], place, moment, pair: pairWords(page, loss) });
  }
  const [first] = losses;
  if (trainingSlider && first) {
    const { seen } = spaces[networks[first]];
    trainingSlider.say(moment, seen[Math.round(moment * (seen.length - 1))]);
    if (trainingSlider.isPlaying) return;
  }
  const words = [toolbar.said, first && page.panel(first).said, gallery?.said, alphabet?.announced];
  page.announcer.say(words.filter(Boolean).join(". "));
}

// What a space says of the two pinned digits, "" until its parts are loaded.
function pairWords(page: ReadoutSource, loss: string): string {
  const { state, loader, labels } = page;
  const { gallery } = page.sidePanels;
  const { space } = page.panel(loss);
  const name = state.networks[loss];
  const verifies = loss === state.gallerySpace && gallery;
  const set = verifies ? (currentThreshold(state) ?? gallery.defaultThreshold(name)) : undefined;
  const threshold = set ?? loader.scores.get(name)?.defaultThreshold;
  const pair = askedPair(page);
  if (!pair?.every((i) => i < space.n) || space.name !== name || threshold === undefined) return "";
  return pairText(space, labels.test, pair, threshold);
}
