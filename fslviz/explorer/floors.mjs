// Who may import whom: each floor of src/ only those named before it, and no file itself by way of others.
//
//   node floors.mjs    tells what breaks the rule, one import a line, and fails where there is any
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

export const FLOORS = [
  "catalogue.ts", // the losses, as Python tells them
  "training", // a network that learns, in the lab's worker
  "common", // geometry, elements of a page, colours
  "data", // the pack's parts
  "state", // what a reader has set, and its text
  "space", // where digits lie, how it measures, what is measured
  "embedding", // drawings to places
  "drawing", // a space on its canvases
  "input", // pointer and keys on a canvas
  "panels", // a space on the page: its square, images, figures, margin
  "side-panels", // what stands beside the spaces
  "lab", // the training's page
  "alphabet", // the reader's own signs, learned and read
  "figures", // those of the book that move
  "page", // all of it together
  "main.ts",
];

// What is wrong with files (name: text), a line each.
export function wrong(files) {
  const floor = (name) => FLOORS.indexOf(name.split("/")[0]);
  const imports = Object.fromEntries(
    Object.entries(files).map(([name, text]) => [
      name,
      [...text.matchAll(/^(?:import|export)\b[^;]*?"(\.[^"]+)"/gm)]
        .map(([, path]) => `${join(dirname(name), path)}.ts`)
        .filter((to) => to in files),
    ]),
  );
  const faults = Object.keys(files).flatMap((name) => (floor(name) < 0 ? [`${name} lies on no floor`] : []));
  for (const [name, all] of Object.entries(imports))
    for (const to of all) if (floor(to) > floor(name)) faults.push(`${name} imports ${to}, from a floor above`);
  const done = new Set();
  const follow = (name, way) => {
    if (way.includes(name)) faults.push(`a circle: ${[...way.slice(way.indexOf(name)), name].join(" > ")}`);
    else if (!done.has(name)) for (const to of imports[name]) follow(to, [...way, name]);
    done.add(name);
  };
  for (const name of Object.keys(files)) follow(name, []);
  return faults;
}

const [, script] = process.argv;
if (script?.endsWith("floors.mjs")) {
  const src = join(dirname(script), "src");
  const names = readdirSync(src, { recursive: true }).filter((name) => /(?<!\.d)\.ts$/.test(name));
  const faults = wrong(Object.fromEntries(names.map((name) => [name, readFileSync(join(src, name), "utf8")])));
  for (const fault of faults) console.error(fault);
  process.exitCode = faults.length ? 1 : 0;
}
