"""What the chapters claim over many seeds: ``python benchmarks/claims.py margins yardsticks mining unseen ...``.

Each name is a study below; its rows go to fslviz/measured/. Runs are cached, so an interrupted study goes on where it
was; two may run side by side. A chapter trains one of each study's networks again.
"""

import itertools
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from scipy.spatial.distance import cdist
from torch import nn

import fslviz
from fslviz import devices, training
from fslviz.data import Data
from fslviz.losses import Contrastive, Triplet
from fslviz.margins import ArcFace, NormFace
from fslviz.models import EmbeddingNet
from fslviz.runs import Run
from fslviz.studies import keep

Row = dict[str, Any]
NEW = (0, 4, 5, 8)  # the digits that play new classes in the book


def by_both(places: np.ndarray, labels: Any, limit: int = 1000) -> Row:
    """EER and TAR of the same places (N, D) by their distance and by their angle."""
    row: Row = {}
    for yardstick, z in (("distance", places), ("angle", _unit(places))):
        rates = fslviz.error_rates(fslviz.all_pairs((z, labels), limit))
        row |= {f"EER by {yardstick}": fslviz.eer(rates), f"TAR by {yardstick}": fslviz.tar_at(rates, 0.01)}
    return row


def _unit(z: np.ndarray) -> np.ndarray:
    return z / np.linalg.norm(z, axis=1, keepdims=True).clip(1e-12)


def _named(run: Run) -> float:
    return fslviz.knn_accuracy(run.reference(10_000), run.query(5000))


def margins(digits: Data) -> Iterator[Row]:
    """EER by angle over the margin, on 5,000 images held out of the training set."""
    held = digits.validation(5000)
    tried = {"cosface": (0, 0.1, 0.2, 0.3, 0.4), "arcface": (0.1, 0.3, 0.5, 0.8), "sphereface": (1, 2, 3, 4, 6)}
    for seed, (loss, some) in itertools.product(range(3), tried.items()):
        for margin in some:
            run = fslviz.train(loss, held, margin=margin, images=60_000, seed=seed)
            row = {"loss": loss, "margin": margin, "seed": seed, "15-NN": _named(run)}
            yield row | by_both(*run.places(1000))


class AtOnce(ArcFace):
    """Scale and margin from the first step."""

    RAMP = (-2.0, -1.0)


def scales(digits: Data) -> Iterator[Row]:
    """EER by angle over the scale, which comes in late or is there from the first step, on the same 5,000."""
    held = digits.validation(5000)
    for seed, scale, start in itertools.product(range(3), (4, 8, 16, 32, 64), ("late", "at once")):
        loss: str | AtOnce = "arcface"
        if start == "at once":
            with devices.Random(seed):
                loss = AtOnce(scale=scale)
            loss.begin(training._means(held))
        options = {"scale": scale} if start == "late" else {}
        run = fslviz.train(loss, held, images=30_000, seed=seed, **options)
        row = {"scale": scale, "start": start, "seed": seed, "15-NN": _named(run)}
        yield row | {"loss": float(run.losses[-20:].mean())} | by_both(*run.places(1000))


def rings(digits: Data) -> Iterator[Row]:
    """NormFace from class weights that begin on the circle in one order or another, on the same 5,000."""
    held = digits.validation(5000)
    means = training._means(held)
    apart = cdist(means, means)
    orders = np.array([(0, *rest) for rest in itertools.permutations(range(1, 10)) if rest[0] < rest[-1]])
    around = apart[orders, np.roll(orders, -1, 1)].sum(1)  # from each class's mean image to the next
    chosen = {"shortest way around": orders[around.argmin()], "longest way around": orders[around.argmax()]}
    for seed, way in itertools.product(range(3), ("drawn at random", *chosen, "the package's own")):
        loss = NormFace()
        with devices.Random(seed), torch.no_grad():
            loss.weight.normal_()
        if way in chosen:
            angle = torch.from_numpy(chosen[way]).argsort() * 2 * torch.pi / 10
            loss.weight.data = torch.stack([angle.cos(), angle.sin()], 1)
        elif way == "the package's own":
            loss.begin(means)
        run = fslviz.train("normface" if way == "the package's own" else loss, held, images=120_000, seed=seed)
        row = {"way": way, "seed": seed, "began": _around(loss.weight), "ended": _around(run.loss.weight)}
        yield row | {"15-NN": _named(run)} | by_both(*run.places(1000))


def _around(weight: torch.Tensor) -> str:
    """Ten classes in the order of their weights on the circle, from 0 on; of both ways round that which sorts first."""
    order = "".join(map(str, torch.atan2(*weight.detach().T).argsort().tolist()))
    order = order[order.index("0") :] + order[: order.index("0")]
    return min(order, "0" + order[:0:-1])


LADDER: dict[str, tuple[str, Row]] = {
    "softmax": ("softmax", {}),
    "no bias": ("softmax", {"bias": False}),
    "equal weights": ("sphereface", {"margin": 1}),
    "normface": ("normface", {}),
    "cosface": ("cosface", {}),
    "arcface": ("arcface", {}),
    "sphereface": ("sphereface", {}),
    "contrastive": ("contrastive", {}),
    "triplet": ("triplet", {}),
}


def yardsticks(digits: Data) -> Iterator[Row]:
    """Every loss, and softmax on its way to NormFace a step at a time, by distance and by angle, in 2-D and in 64-D."""
    settings = [*((s, 2) for s in range(5)), *((s, 64) for s in range(3))]
    for (seed, dims), (name, (loss, options)) in itertools.product(settings, LADDER.items()):
        run = fslviz.train(loss, digits, images=60_000, embed_dim=dims, seed=seed, **options)
        row = {"name": name, "dims": dims, "seed": seed, "15-NN": _named(run)}
        yield row | by_both(*run.places(1000))


class Hard(nn.Module):
    """Hard mining (Hermans, Beyer and Leibe 2017) with distances squared or not, and a hinge or softplus."""

    def __init__(self, squared: bool, soft: bool) -> None:
        super().__init__()
        self.squared, self.soft = squared, soft

    def forward(self, z: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        d = fslviz.losses.pairwise_distance(z)
        same = y[:, None] == y
        power = 2 if self.squared else 1
        gap = d.masked_fill(~same, 0).amax(1) ** power - d.masked_fill(same, torch.inf).amin(1) ** power
        return (nn.functional.softplus(gap) if self.soft else (gap + 1).relu()).mean()


class UnitLength(nn.Module):
    """The reference backbone with its embeddings on the unit sphere, as FaceNet has them."""

    def __init__(self, dims: int) -> None:
        super().__init__()
        self.inner = EmbeddingNet(dims)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.normalize(self.inner(x))


def _at_unit_length(loss: nn.Module, data: Data, **setting: Any) -> Run:
    torch.manual_seed(setting["seed"])
    return fslviz.train(loss, data, network=UnitLength(setting["embed_dim"]), **setting)


def mining(digits: Data) -> Iterator[Row]:
    """Four minings in 2-D and in 64-D, and what might keep the hardest from collapsing."""
    for seed, dims in itertools.product(range(3), (2, 64)):
        setting: Row = {"images": 20_000, "embed_dim": dims, "seed": seed}
        torch.manual_seed(seed)
        unit = UnitLength(dims)
        ways = {m: fslviz.train("triplet", digits, mining=m, **setting) for m in Triplet.MINING}
        hard: Row = setting | {"mining": "hard"}
        ways |= {
            "hard after all": fslviz.train("triplet", digits, start=ways["all"], **hard),
            "hard after all, a tenth of the rate": fslviz.train("triplet", digits, start=ways["all"], rate=0.1, **hard),
            "hard, a tenth of the rate": fslviz.train("triplet", digits, rate=0.1, **hard),
            "hard, 4 classes of 32": fslviz.train("triplet", digits, classes=4, **hard),
            "hard, 4 classes of 4": fslviz.train("triplet", digits, classes=4, batch=16, **hard),
            "hard, 8 classes of 4": fslviz.train("triplet", digits, classes=8, batch=32, **hard),
            "hard, 2 classes of 16": fslviz.train("triplet", digits, classes=2, batch=32, **hard),
            "all, 8 classes of 4": fslviz.train("triplet", digits, classes=8, batch=32, **setting),
            "hard, soft margin": fslviz.train(Hard(True, True), digits, **setting),
            "hard, not squared": fslviz.train(Hard(False, False), digits, **setting),
            "hard, not squared, soft margin": fslviz.train(Hard(False, True), digits, **setting),
            "hard, unit length": fslviz.train(Hard(True, False), digits, network=unit, **setting),
            "hard, margin 0.2": fslviz.train("triplet", digits, margin=0.2, **hard),
        }
        for way, run in ways.items():
            places, labels = run.places(1000)
            pairs = fslviz.all_pairs((places, labels))
            row = {"way": way, "dims": dims, "seed": seed, "loss": float(run.losses[-20:].mean())}
            row |= {"median distance": float(np.median(pairs.distance)), "EER": fslviz.eer(fslviz.error_rates(pairs))}
            yield row | {"length": float(np.linalg.norm(places, axis=1).mean()), "15-NN": _named(run)}


def _new_digits(split: int) -> tuple[int, ...]:
    return NEW if split == 0 else tuple(sorted(np.random.default_rng(split).permutation(10)[:4].tolist()))


SHOTS = (1, 2, 3, 5, 10, 20)
MINED = ("all", "hard")


def unseen(digits: Data) -> Iterator[Row]:
    """Six digits to learn from, four to be known from a few samples: other starts, and other choices of the four.

    *by four*: batches of the six classes with four images each. Of the first choice clothes too, that no training saw.
    """
    clothes = fslviz.load("fashion-mnist")
    images, kinds = clothes.test_images[:4000], clothes.test_labels.numpy()[:4000]

    def on_clothes(points: np.ndarray) -> float:
        return float(fslviz.episodes((points, kinds), 5, 5).mean())

    for split, seed in [*((0, s) for s in range(3)), *((s, 0) for s in range(1, 5))]:
        four = _new_digits(split)
        known, new = digits.classes(*(c for c in range(10) if c not in four)), digits.classes(*four)
        labels = new.test_labels.numpy()
        about: Row = {"split": split, "seed": seed}
        if seed == 0:
            yield about | {"loss": "pixels", "dims": 784} | _few_shot(new.test_images.flatten(1).numpy(), labels)
        setting: Row = {"images": 20_000, "seed": seed}
        by_four: Row = setting | {"embed_dim": 64, "classes": 6, "batch": 24}
        runs = {(d, k): fslviz.train(k, known, embed_dim=d, **setting) for d in (2, 64) for k in fslviz.LOSSES}
        runs |= {(64, f"triplet, {m}, by four"): fslviz.train("triplet", known, mining=m, **by_four) for m in MINED}
        for loss in ("contrastive", "triplet"):
            own = fslviz.LOSSES[loss]()
            runs[64, f"{loss}, unit length"] = _at_unit_length(own, known, embed_dim=64, **setting)
        for (dims, loss), run in runs.items():
            row = about | {"loss": loss, "dims": dims, "known 15-NN": _named(run)}
            row |= _few_shot(run.embed(new.test_images), labels) | _refused(run, new)
            if split == 0 and dims == 64 and loss in fslviz.LOSSES:
                row["clothes"] = on_clothes(run.compared(run.embed(images)))
            yield row
        torch.manual_seed(seed)
        untrained = EmbeddingNet(64).eval()
        with torch.inference_mode():
            z, far = (untrained(x).numpy() for x in (new.test_images, images))
        row = about | {"loss": "untrained", "dims": 64} | _few_shot(z, labels)
        yield row | ({"clothes": on_clothes(far)} if split == 0 else {})
    raw = images.flatten(1).numpy()
    for loss, points in (("pixels", raw), ("pixels by angle", _unit(raw))):
        yield {"split": 0, "seed": 0, "loss": loss, "dims": 784, "clothes": on_clothes(points)}


def _few_shot(places: np.ndarray, labels: np.ndarray) -> Row:
    row = by_both(places, labels)
    for yardstick, z in (("distance", places), ("angle", _unit(places))):
        shots = [float(fslviz.episodes((z, labels), 4, k).mean()) for k in SHOTS]
        row |= {f"1-shot by {yardstick}": shots[0], f"shots by {yardstick}": shots}
    return row


def _refused(run: Run, new: Data) -> Row:
    """The share of new images refused at a threshold that refuses 5% of known ones, by distance to the class centres.

    For softmax also by the classifier: images whose largest probability is too small are refused.
    """
    reference, labels = run.reference(10_000)
    centres = np.stack([reference[labels == c].mean(0) for c in np.unique(labels)])
    far = [cdist(run.compared(z), centres).min(1) for z in (run.places()[0], run.embed(new.test_images))]
    row: Row = {"refused": float((far[1] > np.quantile(far[0], 0.95)).mean())}
    if run.recipe.loss == "softmax":
        places = (torch.from_numpy(z) for z in (run.places()[0], run.embed(new.test_images)))
        sure = [nn.functional.linear(z, *run.loss.parameters()).softmax(1).amax(1).numpy(force=True) for z in places]
        row["refused by probability"] = float((sure[1] < np.quantile(sure[0], 0.05)).mean())
    return row


def calibration(digits: Data) -> Iterator[Row]:
    """FMR of a threshold chosen for 1%: on the digits of the training, on others in no other set, on the enrolled."""
    for split in range(10):
        order = np.random.default_rng(split).permutation(10)
        learned, others, people = (digits.classes(*sorted(some)) for some in np.split(order, [4, 7]))
        run = fslviz.train("triplet", learned, embed_dim=64, images=40_000)
        places = {n: (run.embed(d.train_images[:6000]), d.train_labels.numpy()[:6000])
                  for n, d in (("trained", learned), ("others", others), ("enrolled", people))}  # fmt: skip
        galleries = {name: _gallery(*some) for name, some in places.items()}
        claims = galleries["enrolled"].claims(run.embed(people.test_images), people.test_labels.numpy())
        row: Row = {"split": split, "EER": fslviz.eer(fslviz.error_rates(claims))}
        for name, (z, y) in places.items():
            rest = np.ones(len(y), bool)
            for c in np.unique(y):
                rest[np.flatnonzero(y == c)[:5]] = False
            own = galleries[name].claims(z[rest], y[rest])
            threshold = fslviz.threshold_at(fslviz.error_rates(own), 0.01)
            match = claims.distance <= threshold
            row[f"FMR, {name}"] = float(match[~claims.genuine].mean())
            row[f"FNMR, {name}"] = float(1 - match[claims.genuine].mean())
        yield row


def _gallery(z: np.ndarray, y: np.ndarray) -> fslviz.Gallery:
    gallery = fslviz.Gallery()
    for c in np.unique(y):
        gallery.enrol(int(c), z[y == c][:5])
    return gallery


class Drawn(Contrastive):
    """Contrastive loss over 64 pairs drawn from the batch, half of them genuine, and not over all of its pairs."""

    def loss(self, z: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        d = fslviz.losses.pairwise_distance(z)
        same, once = y[:, None] == y, torch.ones_like(d, dtype=torch.bool).triu(1)
        both = [(kind & once).nonzero() for kind in (same, ~same)]
        if not all(map(len, both)):
            return super().loss(z, y)
        pull, push = (d[tuple(pairs[torch.randint(len(pairs), (32,))].T)] for pairs in both)
        return (pull.square().mean() + (self.margin - push).relu().square().mean()) / 4


def convergence(digits: Data) -> Iterator[Row]:
    """What helps a short training (16,000 images, triplets), in 2-D and in 64-D."""
    half, whole = 8000, 16_000
    for seed, dims in itertools.product(range(3), (2, 64)):
        setting: Row = {"embed_dim": dims, "seed": seed}

        def report(study: str, way: str, run: Run, dims: int = dims, seed: int = seed) -> Row:
            merits = fslviz.merits(run.reference(5000), run.query(5000))
            return {"study": study, "way": way, "dims": dims, "seed": seed, **merits}

        first = fslviz.train("softmax", digits, images=half, **setting)
        yield report("start", "softmax alone", fslviz.train("softmax", digits, images=whole, **setting))
        yield report("start", "triplets alone", fslviz.train("triplet", digits, images=whole, **setting))
        for rate in (1, 0.3, 0.1, 0.03):
            run = fslviz.train("triplet", digits, images=half, start=first, rate=rate, **setting)
            yield report("start", f"softmax, then triplets at {rate:g}", run)
        for rate in (0.03, 0.1, 0.3, 1, 3, 10):
            run = fslviz.train("triplet", digits, images=whole, rate=rate, **setting)
            yield report("rate", f"{rate:g}", run)
        for mined, classes in itertools.product(("all", "hard"), (None, 2, 4, 8)):
            run = fslviz.train("triplet", digits, images=whole, mining=mined, classes=classes, **setting)
            yield report(f"batch, {mined}", f"{classes} classes" if classes else "at random", run)
        for size in (16, 64, 128, 512):
            run = fslviz.train("triplet", digits, images=whole, batch=size, **setting)
            yield report("size", f"{size}", run)
        for loss in ("contrastive", "triplet"):
            yield report("unit length", loss, fslviz.train(loss, digits, images=whole, **setting))
            run = _at_unit_length(fslviz.LOSSES[loss](), digits, images=whole, **setting)
            yield report("unit length", f"{loss}, unit length", run)
        for margin in (0.1, 0.3):  # a circle has more room for these
            run = _at_unit_length(Triplet(margin=margin), digits, images=whole, **setting)
            yield report("unit length", f"triplet, unit length, margin {margin}", run)
        yield report("pairs", "all pairs", fslviz.train("contrastive", digits, images=whole, **setting))
        yield report("pairs", "64 drawn pairs", fslviz.train(Drawn(), digits, images=whole, **setting))
        for rise in (0.0, 0.25, 0.5):
            usual, training.RISE = training.RISE, max(rise, 1e-9)
            try:
                run = fslviz.train("triplet", digits, images=whole, cached=False, **setting)
            finally:
                training.RISE = usual
            yield report("rise", f"{rise:g}", run)


STUDIES = {
    study.__name__: study for study in (margins, scales, rings, yardsticks, mining, unseen, calibration, convergence)
}


if __name__ == "__main__":
    for name in sys.argv[1:] or STUDIES:
        rows: list[Row] = []
        for row in STUDIES[name](fslviz.load("mnist")):
            rows.append({k: round(v, 4) if isinstance(v, float) else v for k, v in row.items()})
            print(rows[-1], flush=True)
        keep(name, rows)
