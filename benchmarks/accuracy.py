"""Test figures of every loss with a preset, over seeds: ``python benchmarks/accuracy.py quick 2 0 1 2``.

The second argument is the dimensions. Runs are cached, so an interrupted measurement goes on where it was. Its rows go
to fslviz/accuracy.json as each run ends, instead of those of the same preset, loss, dimensions and seed.
"""

import json
import sys
from pathlib import Path

import filelock

import fslviz
from fslviz.data import whole_file

RESULTS = Path(fslviz.__file__).parent / "accuracy.json"
KEY = ("preset", "loss", "dimensions", "seed")


def measure(preset: str, loss: str, dimensions: int, seed: int) -> dict[str, str | float]:
    run = fslviz.train(loss, fslviz.load("mnist"), preset=preset, embed_dim=dimensions, seed=seed)
    about = {"preset": preset, "loss": loss, "dimensions": dimensions, "seed": seed}
    about |= {name: getattr(run.recipe, name) for name in ("images", "device", "precision")}
    return about | {name: round(value, 4) for name, value in fslviz.merits(run.reference(), run.query()).items()}


def keep(row: dict[str, str | float]) -> None:
    with filelock.FileLock(RESULTS.with_suffix(".lock")):  # two measurements may run side by side
        rows = {tuple(r[k] for k in KEY): r for r in json.loads(RESULTS.read_text())}
        rows[tuple(row[k] for k in KEY)] = row
        with whole_file(RESULTS) as file:
            file.write(("[\n" + ",\n".join(json.dumps(rows[k]) for k in sorted(rows)) + "\n]\n").encode())


if __name__ == "__main__":
    preset, dimensions, *seeds = sys.argv[1:]
    for seed in map(int, seeds or ["0"]):
        for loss in fslviz.LOSSES:
            keep(row := measure(preset, loss, int(dimensions), seed))
            print(row, flush=True)
