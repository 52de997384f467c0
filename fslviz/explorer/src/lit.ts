// Which digits a question means: those of some classes, within a loop, around one, lost or won from space to space.
import { at, within } from "./geometry";
import { moved } from "./measure";
import type { Pack } from "./pack";
import { Space } from "./space";
import type { Lit } from "./state";

const AROUND = 100; // digits nearest to one

export async function answer(lit: Lit, pack: Pack, labels: Uint8Array): Promise<number[]> {
  const shown = async (name: string, step = 1) => {
    const space = new Space(pack);
    await space.show(name, step, false);
    return space;
  };
  if (lit.kind === "classes") return [...labels.keys()].filter((i) => lit.classes.includes(labels[i]));
  if (lit.kind === "digits") return lit.digits;
  if (lit.kind === "loop" || lit.kind === "around") {
    const space = await shown(lit.name, lit.step);
    if (lit.kind === "around") return space.nearest(space.target, space.place(lit.digit), AROUND);
    return [...Array(space.n).keys()].filter((i) => within(at(space.target, i), lit.way));
  }
  return (await moved(await shown(lit.from), await shown(lit.to), labels))[lit.kind];
}
