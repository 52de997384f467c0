"""Results of many trainings, measured once by a script of ``benchmarks/``, because a page cannot run them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fslviz.errors import unknown
from fslviz.files import whole_file

MEASURED = Path(__file__).parent / "measured"


def measured(study: str) -> pd.DataFrame:
    """The rows of a study, one per training: ``accuracy``, ``people``, or a study of a script in ``benchmarks/``.

    Shares are from 0 to 1. Raises ValueError, with the names of all studies, if there is no such study.
    """
    kept = sorted(path.stem for path in MEASURED.glob("*.json"))
    if study not in kept:
        unknown("study", study, kept)
    return pd.DataFrame(json.loads((MEASURED / f"{study}.json").read_text()))


def spread(rows: pd.DataFrame, by: str | list[str], columns: list[str]) -> pd.DataFrame:
    """Mean and standard deviation of shares in ``columns`` over the rows of each group, in percent: "97.1 ± 0.2"."""
    groups = (100 * rows.set_index(by)[columns]).groupby(level=by, sort=False)
    around = groups.std().map(lambda deviation: "" if np.isnan(deviation) else f" ± {deviation:.1f}")
    table = groups.mean().map("{:.1f}".format) + around
    return table.rename_axis(None) if table.index.nlevels == 1 else table


def keep(study: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write the rows of a study, one per line. They replace its earlier rows."""
    with whole_file(MEASURED / f"{study}.json") as file:
        file.write(("[\n" + ",\n".join(map(json.dumps, rows)) + "\n]\n").encode())
