"""Error rates on unseen people, over how many people a network was trained on, and the best way of training.

``python benchmarks/people.py`` measures all; with ``choose`` it measures how long to train: eight of the people met
are tested, and the strangers are not used. Rows go to fslviz/measured/people.json as each training ends. A measurement
that was interrupted continues where it stopped.
"""

import sys
from dataclasses import replace

import numpy as np
import torch

import fslviz
from fslviz.data import Data
from fslviz.evaluation import Points
from fslviz.pictures import Standard
from fslviz.studies import keep

IMAGES = 10_000  # EER on the eight 10.9%; on 20,000 10.7%, on 40,000 10.7%
MET = (4, 7, 14, 21, 28)
SPLITS = 5


def eer(points: Points) -> float:
    return fslviz.eer(fslviz.error_rates(fslviz.all_pairs(points)))


def pixels(data: Data) -> Points:
    """Pixels as photographed, so that brightness helps to tell people apart, or each image standardised."""
    return data.test_images.flatten(1).numpy(), data.test_labels


def eigenfaces(data: Data, count: int = 20) -> Points:
    """The strangers on the principal components of those met, whitened (Turk and Pentland 1991)."""
    known, asked = data.train_images.flatten(1).numpy(), data.test_images.flatten(1).numpy()
    _, lengths, axes = np.linalg.svd(known - known.mean(0), full_matrices=False)
    return (asked - known.mean(0)) @ axes[:count].T / lengths[:count], data.test_labels


def learned(data: Data, way: str, images: int, seed: int) -> Points:
    """The strangers where a network puts them that was trained on those met; "softmax, then triplet" halves images.

    Distances are those of the loss, or "by angle".
    """
    run, losses = None, way.removesuffix(" by angle").split(", then ")
    for loss in losses:
        run = fslviz.train(
            loss, data, embed_dim=64, images=images // len(losses), batch=64, seed=seed, start=run, device="cpu"
        )
    z, y = run.query()
    return (z / np.linalg.norm(z, axis=1, keepdims=True) if way.endswith(" by angle") else z), y


def met(name: str, way: str, count: int, split: int, each: int = 10) -> Data:
    """The strangers of a split are the same for every number of people met; a voice backwards is another."""
    if name == "voices":
        return fslviz.load(name).split(count, split)
    bright = way in ("pixels", "eigenfaces")  # pixels do better unstandardised: a stronger baseline
    faces = fslviz.data.faces(Standard(0.0, 1.0)) if bright else fslviz.load(name)
    people = faces.split(count, split, unseen=12)
    y = people.train_labels
    first = torch.cat([(y == person).nonzero()[:each, 0] for person in y.unique()])  # photographs of each
    return replace(people, train_images=people.train_images[first], train_labels=y[first]).mirrored()


def plan() -> list[tuple[str, str, int, int]]:
    """Data, way, people met and split of every row."""
    rows = []
    for split in range(SPLITS):
        rows += [
            ("faces", way, count, split)
            for count in MET
            for way in ("pixels", "pixels, standardised", "eigenfaces", "triplet")
        ]
        ways = ("contrastive", "softmax", "arcface", "softmax, then triplet")
        ways += ("contrastive by angle", "triplet by angle", "softmax by angle")  # the other yardstick
        rows += [("faces", way, max(MET), split) for way in ways]
        rows += [("faces", "triplet, of each 5", 14, split), ("faces", "triplet, of each 3", 28, split)]
        rows += [("voices", way, 6, split) for way in ("pixels", "eigenfaces", "triplet")]
    return rows


def measure(name: str, way: str, count: int, split: int) -> dict:
    way_of_training, *fewer = way.split(", of each ")
    data = met(name, way, count, split, *map(int, fewer))
    plain = {"pixels": pixels, "pixels, standardised": pixels, "eigenfaces": eigenfaces}
    points = plain[way](data) if way in plain else learned(data, way_of_training, IMAGES, split)
    return {"data": name, "way": way, "met": count, "split": split, "EER": eer(points)}


def choose() -> None:
    """How long to train: 20 of the 28 people met, and the other eight in the strangers' place."""
    for images in (10_000, 20_000, 40_000):
        found = []
        for split in range(3):
            people = fslviz.load("faces").split(28, split, unseen=12)
            inner = replace(people, test_images=people.test_images[:0], test_labels=people.test_labels[:0])
            found.append(eer(learned(inner.split(20, split).mirrored(), "triplet", images, split)))
        print(images, np.round(found, 4), f"{np.mean(found):.4f}", flush=True)


if __name__ == "__main__":
    if sys.argv[1:] == ["choose"]:
        choose()
    else:
        rows = fslviz.measured("people").to_dict("records")
        done = {(r["data"], r["way"], r["met"], r["split"]) for r in rows}
        for row in plan():
            if row not in done:
                rows.append(measure(*row))
                print(rows[-1], flush=True)
                keep("people", rows)
