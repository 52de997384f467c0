"""Test figures of every loss with a preset, over seeds: ``python benchmarks/accuracy.py quick 2 0 1 2``.

The second argument is the dimensions. Runs are cached, so an interrupted measurement goes on where it was. Its rows go
to fslviz/measured/accuracy.json as each run ends, instead of those of the same preset, loss, dimensions and seed.
"""

import sys

import filelock

import fslviz
from fslviz import studies

KEY = ("preset", "loss", "dimensions", "seed")


def measure(preset: str, loss: str, dimensions: int, seed: int) -> dict[str, str | float]:
    run = fslviz.train(loss, fslviz.load("mnist"), preset=preset, embed_dim=dimensions, seed=seed)
    about = {"preset": preset, "loss": loss, "dimensions": dimensions, "seed": seed}
    about |= {name: getattr(run.recipe, name) for name in ("images", "device", "precision")}
    return about | {name: round(value, 4) for name, value in fslviz.merits(run.reference(), run.query()).items()}


def keep(row: dict[str, str | float]) -> None:
    with filelock.FileLock(studies.MEASURED / "accuracy.lock"):  # two measurements may run side by side
        rows = {tuple(r[k] for k in KEY): r for r in fslviz.measured("accuracy").to_dict("records")}
        rows[tuple(row[k] for k in KEY)] = row
        studies.keep("accuracy", (rows[k] for k in sorted(rows)))


if __name__ == "__main__":
    preset, dimensions, *numbers = sys.argv[1:]
    for seed in map(int, numbers or ["0"]):
        for loss in fslviz.LOSSES:
            keep(row := measure(preset, loss, int(dimensions), seed))
            print(row, flush=True)
