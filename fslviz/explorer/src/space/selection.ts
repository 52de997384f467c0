// Which digits a selection means: those of some classes, within a lasso, around one, lost or won from space to space.
import { placeAt, within } from "../common/geometry";
import type { Pack } from "../data/pack";
import type { Selection } from "../state/state";
import { moved } from "./neighbours";
import { spaceOf } from "./space";

const AROUND = 100; // digits nearest to one

export async function selectedDigits(selection: Selection, pack: Pack, labels: Uint8Array): Promise<number[]> {
  if (selection.kind === "classes") return [...labels.keys()].filter((i) => selection.classes.includes(labels[i]));
  if (selection.kind === "digits") return selection.digits;
  if ("from" in selection)
    return (await moved(await spaceOf(pack, selection.from), await spaceOf(pack, selection.to), labels))[
      selection.kind
    ];
  const space = await spaceOf(pack, selection.network, selection.moment);
  if (selection.kind === "around") return space.nearest(space.target, space.place(selection.digit), AROUND);
  return [...Array(space.n).keys()].filter((i) => within(placeAt(space.target, i), selection.outline));
}
