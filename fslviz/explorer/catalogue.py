"""What the page must know of the losses and of the lab, told once, in Python: ``make explorer`` writes it.

A loss: ``name`` as a reader knows it; ``family``, whether it compares "pairs" or is a classification with "linear" or
"cosine" logits; ``cosine``, whether its embeddings are compared by their angle alone; the default ``scale`` and the
kinds of ``mining``, where it has any. Of its ``margin``, where it has one: the default, the least and the most that the
lab offers, whether it is a whole number, those of the explorer's networks, and the largest that ten classes on a circle
can have, if there is one.
"""

from __future__ import annotations

import inspect
import json
import math
from pathlib import Path
from typing import Any

from fslviz.explorer import lab
from fslviz.explorer.pack import MARGINS, SIX, SUFFIX, UNSEEN
from fslviz.files import whole_file
from fslviz.losses import Loss
from fslviz.margins import Softmax, SphereFace
from fslviz.runs import LOSSES
from fslviz.training import ADAM, BETAS, HEAD

FILE = Path(__file__).parent / "catalogue.json"


def catalogue() -> dict[str, Any]:
    """The whole catalogue, ready for JSON."""
    first, last = SphereFace.LAMBDA
    return {
        "losses": {key: _loss(key, kind) for key, kind in LOSSES.items()},
        "six": {"suffix": SUFFIX, "losses": list(SIX.values()), "unseen": list(UNSEEN)},
        "lambda": {"first": first, "last": last},
        "lab": {"train": lab.TRAIN, "shown": lab.SHOWN, "widths": list(lab.WIDTHS), "columns": lab.COLUMNS},
        "rates": {"adam": ADAM, "head": HEAD, "betas": list(BETAS)},
    }


def _loss(key: str, kind: type[Loss]) -> dict[str, Any]:
    defaults = {name: option.default for name, option in inspect.signature(kind).parameters.items()}
    cosine = "cosine" if kind.cosine else "linear"
    return {
        "name": kind.__name__,
        "family": cosine if issubclass(kind, Softmax) else "pairs",
        "cosine": kind.cosine,
        "margin": _margin(key, kind, defaults["margin"]) if "margin" in defaults else None,
        "scale": defaults.get("scale"),
        "mining": list(getattr(kind, "MINING", ())),
    }


def _margin(key: str, kind: Any, default: float) -> dict[str, Any]:
    least, most = kind.MARGIN
    return {
        "default": default,
        "least": least,
        "most": math.floor(1000 * min(most, lab.LARGEST)) / 1000,  # as the slider rounds
        "whole": isinstance(default, int),
        "swept": MARGINS.get(key, []),
        "limit": kind.limit(10) if hasattr(kind, "limit") else None,
    }


if __name__ == "__main__":
    with whole_file(FILE) as file:
        file.write(f"{json.dumps(catalogue(), indent=2)}\n".encode())
