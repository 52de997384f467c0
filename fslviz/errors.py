"""What every error message of the package has in common: what was given, what is taken, the nearest right name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import NoReturn


def unknown(kind: str, given: object, names: Iterable[str]) -> NoReturn:
    """Raise a ValueError for a name that is not among ``names``."""
    names = list(names)
    near = difflib.get_close_matches(str(given).lower(), names, 1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise ValueError(f"no {kind} {given!r}: there are {', '.join(names) or 'none'}{hint}")


def between(name: str, given: float, low: float, high: float) -> float:
    """``given``, or a ValueError where it is no number from ``low`` to ``high``."""
    if not isinstance(given, (int, float)) or not low <= given <= high:
        raise ValueError(f"{name} must be a number from {low:g} to {high:g}, not {given!r}")
    return given
