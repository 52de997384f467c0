"""The networks that recognise the reader's own signs in the page, trained on thousands of characters.

``python -m fslviz.explorer.alphabet`` trains them (twelve minutes of a core; the cache keeps what is done) and
writes ``alphabet.bin`` and ``alphabet.json``. They learn from the strokes of KanjiVG, drawn by the simulated hand.
"""

from __future__ import annotations

from typing import Any
from unicodedata import name as unicode_name
from unicodedata import normalize

import numpy as np
import torch
from torch import Tensor

from fslviz import characters
from fslviz.data import Data, draw_characters
from fslviz.evaluation import all_pairs, error_rates, threshold_at
from fslviz.explorer.pack import Network, _Pack, manifest
from fslviz.training import train

MET = {"10": 10, "100": 100, "1000": 1000, "all": None}  # characters trained on; a smaller set is part of a larger
HELD = 100  # characters to measure on, and as many to draw: no network is trained on them
STROKES = 8  # of a simple character, at most
SIMPLE = 0.8  # of the drawings that the last network sees: better than 0.6, on the characters to measure on
IMAGES = 240_000  # that each network sees, nearly all different
DIMS = 64
FMR = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2]  # where a threshold may stand


def sets() -> tuple[list[str], list[str], list[str], int]:
    """Characters to train on, to measure on and to draw, and how many of the first are simple: these come first.

    No digit is among those to train on, so the digits of MNIST are new to every network, too.
    """
    found = {c: file for c, file in characters.files().items() if not normalize("NFKC", c).isdigit()}
    count = {c: len(characters.strokes(file)) for c, file in found.items()}
    kanji = [c for c in found if unicode_name(c, "").startswith("CJK UNIFIED") and 4 <= count[c] <= STROKES]
    held = _drawn(kanji, 21)[: 2 * HELD]
    met = sorted(_drawn([c for c in found if c not in held], 22), key=lambda c: count[c] > STROKES)
    return met, held[:HELD], held[HELD:], sum(count[c] <= STROKES for c in met)


def _drawn(names: list[str], seed: int) -> list[str]:
    return [names[i] for i in np.random.default_rng(seed).permutation(len(names))]


def drawings(met: list[str], simple: int) -> Data:
    """About as many drawings as ``IMAGES``; ``simple`` of ``met`` have few strokes."""
    few, many = met[:simple], met[simple:]
    share = SIMPLE if many else 1
    parts = [draw_characters(few, round(IMAGES * share / len(few)), amplitude=1.5, seed=1)]
    if many:
        parts.append(draw_characters(many, round(IMAGES * (1 - share) / len(many)), amplitude=1.5, seed=1))
    x = torch.cat([part.test_images for part in parts])
    y = torch.cat([part.test_labels + i * len(few) for i, part in enumerate(parts)])
    return Data(x, y, x[:0], y[:0], f"drawings of {len(met)} characters", names=tuple(met))


def learn() -> None:
    """Train every network and write both files."""
    met, measured_on, new, simple = sets()
    measured, shown = draw_characters(measured_on, 20, seed=3), draw_characters(met[:simple], 10, seed=2)
    pack, readers = _Pack(), {"pixels": _measured(measured.test_images.flatten(1).numpy(), measured, 0, False)}
    pack.add("alphabet/new", _strokes(new))
    pack.add("alphabet/met", _strokes(met[:simple]))
    for name, count in MET.items():
        some = min(count or simple, simple)
        run = train("normface", drawings(met[:count], some), embed_dim=DIMS, scale=8, images=IMAGES)
        network = Network.of(run.model)  # type: ignore[arg-type]
        places = run.compared(network.embed(measured.test_images))
        readers[name] = _measured(places, measured, count or len(met), run.cosine)
        pack.add(f"alphabet/{name}", network.floats, network.bytes)
        each = run.compared(network.embed(shown.test_images[: 10 * some])).reshape(some, 10, -1)
        means = run.compared(each.mean(1))
        grain = np.array(np.abs(means).max() / 127, np.float32)
        pack.add(f"alphabet/{name}-met", grain, (means / grain).round().astype(np.int8))
        print(name, readers[name], flush=True)
    pack.write("alphabet.json", {"about": {"fmr": FMR, "readers": readers}, "new": "".join(new)})


def _measured(places: np.ndarray, measured: Data, met: int, cosine: bool) -> dict[str, Any]:
    """What the page shows of a network: its thresholds, and the FNMR at each."""
    rates = error_rates(all_pairs((places, measured.test_labels)))
    thresholds = [threshold_at(rates, fmr) for fmr in FMR]
    at = np.searchsorted(rates.threshold, thresholds, side="right") - 1
    rounded = [float(f"{t:.5g}") for t in thresholds]
    return {"met": met, "cosine": cosine, "thresholds": rounded, "fnmr": rates.fnmr[at].round(5).tolist()}


def unseen() -> list[str]:
    """Characters that no network has met, and that no threshold was set with."""
    return list(manifest("alphabet.json")["new"])


def embed(reader: str, images: Tensor) -> np.ndarray:
    """Images (N, 1, 28, 28) as the page compares them: (N, 64), or (N, 784) by the reader "pixels"."""
    if reader == "pixels":
        return images.flatten(1).numpy()
    z = Network.read(f"alphabet/{reader}").embed(images)
    return z / np.linalg.norm(z, axis=1, keepdims=True).clip(1e-12)


def threshold(reader: str, fmr: float = 0.01) -> float:
    """The largest distance at which the page takes two drawings for the same sign; ``fmr`` is one of ``FMR``."""
    return float(manifest("alphabet.json")["about"]["readers"][reader]["thresholds"][FMR.index(fmr)])


def _strokes(names: list[str]) -> np.ndarray:
    """The strokes of characters in bytes: x and y of every third point; 255 ends a stroke, 254 a character."""
    found, content = characters.files(), []
    for name in names:
        for stroke in characters.strokes(found[name]):
            points = np.concatenate([stroke[:-1:3], stroke[-1:]]) + characters.SIDE / 2
            content += [*points.round().clip(0, 253).astype(np.uint8).ravel().tolist(), 255]
        content.append(254)
    return np.array(content, np.uint8)


if __name__ == "__main__":
    learn()
