"""Test accuracy of the book's losses with a preset, over seeds: ``python benchmarks/accuracy.py quick 0 1 2``.

Runs are cached, so an interrupted measurement goes on where it was. Adds its rows to accuracy.json beside this file.
"""

import json
import sys
from pathlib import Path

import fslviz

LOSSES = ("contrastive", "triplet", "softmax", "sphereface", "cosface", "arcface")  # of the side-by-side chapter
RESULTS = Path(__file__).parent / "accuracy.json"


def measure(preset: str, seed: int) -> None:
    digits = fslviz.load("mnist")
    for loss in LOSSES:
        run = fslviz.train(loss, digits, preset=preset, seed=seed)
        row = {
            "knn": fslviz.knn_accuracy(run.gallery, run.probes),
            "centre": fslviz.centre_accuracy(run.gallery, run.probes),
            "images": run.recipe.images,
            "device": run.recipe.device,
        }
        rows = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
        rows[f"{preset} {loss} {seed}"] = row
        part = RESULTS.with_suffix(".part")
        part.write_text(json.dumps(rows, indent=1, sort_keys=True) + "\n")
        part.rename(RESULTS)
        print(preset, loss, seed, row, flush=True)


if __name__ == "__main__":
    for number in sys.argv[2:] or ["0"]:
        measure(sys.argv[1], int(number))
