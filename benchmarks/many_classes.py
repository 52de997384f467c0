"""Thousands of classes: ``python benchmarks/many_classes.py counts losses margins``.

Each name is a study below. A row goes to fslviz/measured/many_classes.json as its training ends: an interrupted study
goes on where it was, and two may run side by side. ``choose`` tunes on 200 characters that are in no other set.
"""

import sys
from collections.abc import Callable, Iterator
from functools import cache, partial
from itertools import product
from typing import Any
from unicodedata import name as unicode_name

import filelock
import numpy as np
import torch

import fslviz
from fslviz import characters, studies
from fslviz.data import Data, draw_characters
from fslviz.runs import Run

Row = dict[str, Any]
Embed = Callable[[torch.Tensor], np.ndarray]
MET = (10, 30, 100, 300, 1000, 3000, 5922)  # of the kanji that are left
EVERY, SEEDS = MET[-1], range(3)
SMALL = "ぁぃぅぇぉっゃゅょゎゕゖ゛゜ゝゞ"  # hiragana that are another's shape, or marks
NEW = (0, 4, 5, 8)  # the digits that play new classes in the book
# margins of the papers; rates and scales of ``choose``, where they are not the package's own
SETTINGS: dict[str, Row] = {
    "softmax": {"rate": 0.5},
    "normface": {"scale": 8},
    "cosface": {"scale": 8, "margin": 0.35},
    "arcface": {"scale": 8, "margin": 0.5},
    "sphereface": {"margin": 4, "rate": 0.5},
}


@cache
def every() -> Data:
    return fslviz.load("characters")


@cache
def digits() -> Data:
    return fslviz.load("mnist")


@cache
def kanji() -> dict[str, list[str]]:
    """The characters to choose settings with, to test on, and to train on, drawn once."""
    names = [c for c in every().names if unicode_name(c, "").startswith("CJK UNIFIED")]
    order = [names[i] for i in np.random.default_rng(0).permutation(len(names))]
    return {"chosen with": order[:200], "kanji": order[200:500], "met": order[500:]}


@cache
def scripts() -> dict[str, list[str]]:
    hiragana = [c for c in every().names if "ぁ" <= c <= "ゞ" and c not in SMALL]
    return {"kanji": kanji()["kanji"], "hiragana": hiragana, "Latin": [chr(c) for c in range(ord("A"), ord("Z") + 1)]}


def met(count: int, seed: int) -> list[str]:
    """So many characters to train on, others for each seed; fewer are a part of more."""
    order = np.random.default_rng([1, seed]).permutation(EVERY)
    return [kanji()["met"][i] for i in order[:count]]


def known(names: list[str]) -> Data:
    return every().split(known=names, unseen=kanji()["chosen with"])


def all_known(data: Data) -> Data:
    return data.split(known=data.names, unseen=[])


def trained(loss: str, data: Data, images: int, seed: int, **setting: Any) -> Run:
    """In 64 dimensions; pairs and triplets in batches of 30 classes x 4, as random ones would hold no genuine pair."""
    if not issubclass(fslviz.LOSSES[loss], fslviz.margins.Softmax) and "batch" not in setting:
        setting |= {"classes": min(30, len(data.train_labels.unique())), "batch": 120}
    return fslviz.train(
        loss,
        data,
        images=images,
        seed=seed,
        cached=False,
        device="cpu",
        **({"embed_dim": 64} | setting),
    )


def few_shot(z: np.ndarray, y: Any, ways: int, shots: int) -> float:
    return float(fslviz.episodes((z, y), ways, shots, count=400).mean())


def eer(z: np.ndarray, y: Any) -> float:
    return fslviz.eer(fslviz.error_rates(fslviz.all_pairs((z, y), 2000)))


def tested(embed: Embed) -> Row:
    """Accuracy and EER of a space on unseen characters, on unseen scripts, and on MNIST's test digits."""
    row: Row = {}
    for script, names in scripts().items():
        some = every().classes(names)
        z = embed(some.test_images)
        row[f"{script} 1-shot"] = few_shot(z, some.test_labels, 20, 1)
        if script == "kanji":
            row["kanji EER"] = eer(z, some.test_labels)
    return row | read_digits(embed)


def read_digits(embed: Embed) -> Row:
    z, y = embed(digits().test_images), digits().test_labels.numpy()
    row: Row = {f"digits {shots}-shot": few_shot(z, y, 10, shots) for shots in (1, 2, 5, 10)}
    four = np.isin(y, NEW)
    return row | {"digits EER": eer(z, y), "four digits 1-shot": few_shot(z[four], y[four], 4, 1)}


def compared(run: Run) -> Embed:
    return lambda images: run.compared(run.embed(images))


def by_both(run: Run) -> Row:
    """By the loss's own yardstick, and one-shot by distance and by angle."""
    some = every().classes(kanji()["kanji"])
    z = run.embed(some.test_images)
    for_both = {"distance": z, "angle": z / np.linalg.norm(z, axis=1, keepdims=True).clip(1e-12)}
    row = {f"kanji 1-shot by {name}": few_shot(places, some.test_labels, 20, 1) for name, places in for_both.items()}
    return tested(compared(run)) | row | {"loss": float(run.losses[-50:].mean()), "seconds": run.seconds}


def on_kanji(way: str, count: int, images: int, seed: int, **setting: Any) -> Row:
    return by_both(trained(way, known(met(count, seed)), images, seed, **(SETTINGS.get(way, {}) | setting)))


def on_equally_many(way: str, count: int, images: int, seed: int) -> Row:
    """20,000 images in all, of few characters or of many."""
    return by_both(trained(way, all_known(draw_characters(met(count, seed), 20_000 // count, seed=1)), images, seed))


def untrained(seed: int) -> Row:
    torch.manual_seed(seed)
    net = fslviz.models.EmbeddingNet(64).eval()
    return tested(lambda images: fslviz.runs.embed(net, images, "cpu", "float32"))


Plan = Iterator[tuple[str, int, int, int, Callable[[], Row]]]  # way, met, images, seed, and what to do


def counts() -> Plan:
    """How many classes must a metric have met? At equal compute, and at equal numbers of images too."""
    yield "pixels", 0, 0, 0, lambda: tested(lambda images: images.flatten(1).numpy())
    for seed in SEEDS:
        yield "untrained", 0, 0, seed, partial(untrained, seed)
    for seed, (way, some) in product(SEEDS, {"triplet": MET, "normface": (10, 100, 1000, EVERY)}.items()):
        for count in some:
            yield way, count, 60_000, seed, partial(on_kanji, way, count, 60_000, seed)
    for seed, count in product(SEEDS, (10, 100, 1000, 5000)):
        yield "triplet, 20,000 images", count, 60_000, seed, partial(on_equally_many, "triplet", count, 60_000, seed)


def losses(images: int) -> Plan:
    """Which loss, when there are thousands? With the papers' own margins. ``counts`` has two of them at 60,000."""
    for seed, way in product(SEEDS, fslviz.LOSSES):
        if images == 60_000 and way in ("triplet", "normface"):
            continue
        yield way, EVERY, images, seed, partial(on_kanji, way, EVERY, images, seed)


def margins() -> Plan:
    """Do margins pay, and from how many classes on? ``counts`` has NormFace, ``losses`` the papers' with all kanji."""
    for seed, count, way in product(SEEDS, (10, 100, 1000), ("cosface", "arcface", "sphereface")):
        yield way, count, 60_000, seed, partial(on_kanji, way, count, 60_000, seed)
    for seed, count in product(SEEDS, (10, 100, 1000, EVERY)):
        yield "sphereface, 1", count, 60_000, seed, partial(on_kanji, "sphereface", count, 60_000, seed, margin=1)


def scales() -> Plan:
    """Does a margin pay, or a smaller scale? ``counts`` and ``margins`` have that of 8."""
    for seed, scale, way in product(SEEDS, (16, 32), ("normface", "arcface")):
        yield f"{way}, {scale}", 1000, 60_000, seed, partial(on_kanji, way, 1000, 60_000, seed, scale=scale)


BATCHES: dict[str, Row] = {
    "all, 30 x 4": {"classes": 30, "batch": 120},
    "all, 60 x 2": {"classes": 60, "batch": 120},
    "all, 8 x 15": {"classes": 8, "batch": 120},
    "all, 6 x 4": {"classes": 6, "batch": 24},
    "all, drawn from all": {"batch": 120},
    "hard, 30 x 4": {"classes": 30, "batch": 120, "mining": "hard"},
    "hard, 60 x 2": {"classes": 60, "batch": 120, "mining": "hard"},
    "hard, 6 x 4": {"classes": 6, "batch": 24, "mining": "hard"},
    "semihard, 30 x 4": {"classes": 30, "batch": 120, "mining": "semihard"},
}


def batches() -> Plan:
    """Classes x images of a batch, and which triplets are taken from it."""
    for seed, (way, setting) in product(SEEDS, BATCHES.items()):
        yield way, EVERY, 60_000, seed, partial(on_kanji, "triplet", EVERY, 60_000, seed, **setting)


def fine_tuned(seed: int, rate: float) -> Row:
    """A classifier for half of the images, then triplets."""
    data = known(met(EVERY, seed))
    first = trained("softmax", data, 30_000, seed, **SETTINGS["softmax"])
    return by_both(trained("triplet", data, 30_000, seed, start=first, rate=rate))


def start() -> Plan:
    """Classify first, then fine-tune? At equal compute: ``counts`` and ``losses`` have each alone."""
    for seed, rate in product(SEEDS, (1.0, 0.3)):
        yield f"softmax, then triplet at {rate:g}", EVERY, 60_000, seed, partial(fine_tuned, seed, rate)


def dimensions() -> Plan:
    for seed, dims in product(SEEDS, (2, 4, 8, 16, 32, 64, 128)):
        yield f"triplet, {dims}-D", 1000, 60_000, seed, partial(on_kanji, "triplet", 1000, 60_000, seed, embed_dim=dims)


def keep(row: Row) -> None:
    file = studies.MEASURED / "many_classes.json"
    with filelock.FileLock(file.with_suffix(".lock")):
        kept = sorted([*(r for r in rows() if key(r) != key(row)), row], key=key)
        studies.keep("many_classes", kept)


def rows() -> list[Row]:
    """What is kept, without the gaps that a table has where rows differ in their columns."""
    if not (studies.MEASURED / "many_classes.json").exists():
        return []
    return [{k: v for k, v in r.items() if v == v} for r in fslviz.measured("many_classes").to_dict("records")]


def key(row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in ("study", "way", "met", "images", "seed"))


@cache
def simple(scripts: str) -> list[str]:
    """Characters of few strokes, without digits: "kanji" alone, or with all "kana and Latin" letters."""
    found = characters.files()
    letters = [c for c in every().names if unicode_name(c, "").split()[0] in ("HIRAGANA", "KATAKANA", "LATIN")]
    names = kanji()["met"] + (letters if scripts == "kanji, kana and Latin" else [])
    return [c for c in names if len(characters.strokes(found[c])) <= STROKES]


STROKES, AMPLITUDE, SAMPLES = 8, 1.5, 80  # the hand and the loss that reads: ``choose_hand``
READER: Row = {"loss": "arcface", "margin": 0.3}


def on_simple(names: list[str], images: int, seed: int, **hand: Any) -> Row:
    hand = {"count": SAMPLES, "amplitude": AMPLITUDE} | hand
    run = trained(data=all_known(draw_characters(names, seed=seed + 1, **hand)), images=images, seed=seed, **READER)
    return read_digits(compared(run)) | {"seconds": run.seconds}


def on_digits(loss: str, data: Data, images: int, seed: int) -> Row:
    run = fslviz.train(loss, data, embed_dim=64, images=images, seed=seed, device="cpu", cached=False)
    return read_digits(compared(run))


def reading(images: int = 240_000) -> Plan:
    """MNIST's digits, read by networks that have met none; beside them, ten characters, and six other digits."""
    for seed in SEEDS:
        for way in ("kanji", "kanji, kana and Latin"):
            names = simple(way)
            yield way, len(names), images, seed, partial(on_simple, names, images, seed)
        order = np.random.default_rng([2, seed]).permutation(len(names := simple("kanji")))
        ten, each = [names[i] for i in order[:10]], SAMPLES * len(names) // 10  # as many drawings in all
        yield "ten kanji", 10, images, seed, partial(on_simple, ten, images, seed, count=each)
        six = digits().classes([c for c in range(10) if c not in NEW])
        for loss, seen in product(("triplet", "normface"), (20_000, images)):  # as chapter 7, and at equal compute
            yield f"six digits, {loss}", 6, seen, seed, partial(on_digits, loss, six, seen, seed)


GALLERIES = (10, 30, 100, 300, 1000, 3000, 5000)


def crowd(seed: int) -> Row:
    """Enrol one sample of each of so many characters. Others of them are probes; 200 strangers give five probes each.

    The network was trained on 1,000 other characters. 200 more set the threshold.
    """
    run = trained("triplet", known(met(1000, seed)), 60_000, seed)
    others = [c for c in kanji()["met"] + kanji()["kanji"] if c not in set(met(1000, seed))]
    others = [others[i] for i in np.random.default_rng([3, seed]).permutation(len(others))]
    number = {name: label for label, name in enumerate(every().names)}
    z = compared(run)(every().test_images).reshape(len(number), -1, 64)  # (characters, 20, 64)
    strangers = z[[number[c] for c in others[-200:]], :5].reshape(-1, 64)
    judges = z[[number[c] for c in kanji()["chosen with"]]]
    labels = np.repeat(np.arange(200), judges.shape[1])
    rates = fslviz.error_rates(fslviz.all_pairs((judges.reshape(-1, 64), labels), 4000))
    limit = fslviz.threshold_at(rates, 0.001)
    row: Row = {"gallery": GALLERIES}
    for count in GALLERIES:
        known_as, gallery = [number[c] for c in others[:count]], fslviz.Gallery()
        for i in known_as:
            gallery.enrol(i, z[i, :1])
        asked = np.repeat(known_as, 5)
        who, far = gallery.identify(z[known_as, 1:6].reshape(-1, 64))
        right, alarm = (who == asked), gallery.identify(strangers)[1]
        strict = np.quantile(alarm, 0.01)  # lets one stranger's probe in a hundred in
        apart = np.concatenate([np.linalg.norm(strangers - z[i, 0], axis=1) for i in known_as])
        for name, share in {
            "rank 1": right.mean(),
            "strangers let in": (alarm <= limit).mean(),
            "FMR": (apart <= limit).mean(),
            "DIR": (right & (far <= limit)).mean(),
            "DIR at 1%": (right & (far <= strict)).mean(),
            "FMR at 1%": (apart <= strict).mean(),
        }.items():
            row.setdefault(name, []).append(round(float(share), 6))
    return row


def identities() -> Plan:
    """To verify is one comparison; to identify is as many as there are identities."""
    for seed in SEEDS:
        yield "triplet", 1000, 60_000, seed, partial(crowd, seed)


STUDIES: dict[str, Callable[[], Plan]] = {
    "counts": counts,
    "losses": partial(losses, 60_000),
    "losses, longer": partial(losses, 240_000),
    "losses, a million": partial(losses, 960_000),
    "margins": margins,
    "scales": scales,
    "batches": batches,
    "start": start,
    "dimensions": dimensions,
    "reading": reading,
    "identities": identities,
}


def choose(*losses: str) -> None:
    """The rate and the scale of each loss, with all kanji; the scale again with 1,000."""
    rates, scales = (0.5, 1, 2), (4, 8, 12, 16, 24)
    held = every().classes(kanji()["chosen with"])
    for count, loss, rate, scale in product((EVERY, 1000), losses or fslviz.LOSSES, rates, scales):
        cosine = fslviz.LOSSES[loss].cosine and loss != "sphereface"
        if (scale == 8 and (cosine or count == EVERY)) or (cosine and rate == 1):
            options = SETTINGS.get(loss, {}) | {"rate": rate} | ({"scale": scale} if cosine else {})
            run = trained(loss, known(met(count, 0)), 60_000, 0, **options)
            z = compared(run)(held.test_images)
            print(count, loss, options, f"{few_shot(z, held.test_labels, 20, 1):.4f}", flush=True)


def choose_hand() -> None:
    """The hand that reads digits, and its loss: by letters of other scripts, as ``load("characters")`` has them."""
    letters = every().classes(scripts()["hiragana"] + scripts()["Latin"])
    hands = (1, 80), (1.5, 20), (1.5, 40), (1.5, 80), (2, 80)
    losses: list[Row] = [{"loss": "normface"}, {"loss": "normface", "scale": 8}, READER, READER | {"scale": 8}]
    for options, (amplitude, count) in product(losses, hands):
        data = all_known(draw_characters(simple("kanji"), count, amplitude=amplitude))
        run = trained(data=data, images=60_000, seed=0, **options)
        z, y = compared(run)(letters.test_images), letters.test_labels
        print(options, amplitude, count, f"{few_shot(z, y, 20, 1):.4f} {eer(z, y):.4f}", flush=True)


if __name__ == "__main__":
    for study in sys.argv[1:] or STUDIES:
        if study in ("choose", "choose_hand"):
            globals()[study]()
            continue
        for way, count, images, seed, work in STUDIES[study]():
            about = {"study": study.split(",")[0], "way": way, "met": count, "images": images, "seed": seed}
            if key(about) in map(key, rows()):
                continue
            row = about | {k: round(v, 4) if isinstance(v, float) else v for k, v in work().items()}
            keep(row)
            print(row, flush=True)
