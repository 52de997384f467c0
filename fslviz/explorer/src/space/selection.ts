// Which digits a question means: those of some classes, within a loop, around one, lost or won from space to space.
import { placeAt, within } from "../common/geometry";
import { moved } from "./scores";
import type { Pack } from "../data/pack";
import { Space } from "./space";
import type { Selection } from "../state/state";

const AROUND = 100; // digits nearest to one

export async function selectedDigits(lit: Selection, pack: Pack, labels: Uint8Array): Promise<number[]> {
  const shown = async (name: string, step = 1) => {
    const space = new Space(pack);
    await space.show(name, step, false);
    return space;
  };
  if (lit.kind === "classes") return [...labels.keys()].filter((i) => lit.classes.includes(labels[i]));
  if (lit.kind === "digits") return lit.digits;
  if (lit.kind === "lasso" || lit.kind === "around") {
    const space = await shown(lit.network, lit.moment);
    if (lit.kind === "around") return space.nearest(space.target, space.place(lit.digit), AROUND);
    return [...Array(space.n).keys()].filter((i) => within(placeAt(space.target, i), lit.outline));
  }
  return (await moved(await shown(lit.from), await shown(lit.to), labels))[lit.kind];
}
