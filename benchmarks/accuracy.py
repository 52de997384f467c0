"""Test figures of the book's losses with a preset, over seeds: ``python benchmarks/accuracy.py quick 0 1 2``.

Runs are cached, so an interrupted measurement goes on where it was. Its rows go to fslviz/accuracy.json, instead of
those of the same preset, loss and seed.
"""

import json
import sys
from pathlib import Path

import fslviz

LOSSES = ("contrastive", "triplet", "softmax", "sphereface", "cosface", "arcface")  # of the side-by-side chapter
RESULTS = Path(fslviz.__file__).parent / "accuracy.json"


def measure(preset: str, loss: str, seed: int) -> dict[str, str | float]:
    run = fslviz.train(loss, fslviz.load("mnist"), preset=preset, seed=seed)
    about = {"preset": preset, "loss": loss, "seed": seed, "images": run.recipe.images, "device": run.recipe.device}
    return about | {name: round(value, 4) for name, value in fslviz.merits(run.gallery, run.probes).items()}


if __name__ == "__main__":
    for number in sys.argv[2:] or ["0"]:
        for name in LOSSES:
            row = measure(sys.argv[1], name, int(number))
            print(row, flush=True)
            rows = {(r["preset"], r["loss"], r["seed"]): r for r in json.loads(RESULTS.read_text())}
            rows[row["preset"], row["loss"], row["seed"]] = row
            part = RESULTS.with_suffix(".part")
            part.write_text("[\n" + ",\n".join(json.dumps(rows[k]) for k in sorted(rows)) + "\n]\n")
            part.rename(RESULTS)
