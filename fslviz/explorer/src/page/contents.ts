// What a page shows of the pack: its networks, the labels of its digits, their colours.
import type { Rgb } from "../common/colour";
import { listed, t } from "../common/texts";
import type { Pack } from "../data/pack";

export interface Contents {
  networksOf: Record<string, string[]>; // of each loss, by margin
  labels: { test: Uint8Array; known: Uint8Array };
  colours: Rgb[];
}

export const NOTHING: Contents = {
  networksOf: {},
  labels: { test: new Uint8Array(), known: new Uint8Array() },
  colours: [],
};

// Throws where the pack has no network of one of the losses.
export async function loadContents(pack: Pack, losses: string[]): Promise<Contents> {
  const { manifest } = await pack.open();
  const networksOf: Contents["networksOf"] = {};
  for (const [name, { loss }] of Object.entries(manifest.spaces)) (networksOf[loss] ??= []).push(name);
  const unknown = losses.filter((loss) => !networksOf[loss]);
  if (unknown.length)
    throw new Error(t("No loss {0}: there are {1}.", listed(unknown), listed(Object.keys(networksOf))));
  const labels = new Uint8Array(await pack.part("labels"));
  return {
    networksOf,
    labels: { test: labels.subarray(0, manifest.shown), known: labels.subarray(manifest.shown) },
    colours: manifest.colours.map((c) => [1, 3, 5].map((i) => Number.parseInt(c.slice(i, i + 2), 16)) as Rgb),
  };
}
