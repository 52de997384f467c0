"""What every error message of the package has in common: what was given, what is taken, the nearest right name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any, NoReturn
from unicodedata import normalize


def unknown(kind: str, given: object, names: Iterable[str]) -> NoReturn:
    """Raise a ValueError for a name that is not among ``names``."""
    names = list(names)
    near = difflib.get_close_matches(str(given).lower(), names, 1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    more = f" and {len(names) - 20:,} more" if len(names) > 20 else ""
    raise ValueError(f"no {kind} {given!r}: there are {', '.join(names[:20]) or 'none'}{more}{hint}")


def python_number(value: Any) -> Any:
    """A number of numpy's or torch's as Python's; anything else as it is."""
    return value.item() if getattr(value, "ndim", None) == 0 else value


def composed(value: Any) -> Any:
    """A word in NFC, as José is José however a Mac or a keyboard spells it; anything else as it is."""
    return normalize("NFC", value) if isinstance(value, str) else value


def number(name: str, given: Any, low: float, high: float) -> Any:
    """``given`` as Python's number, or a ValueError where it is none from ``low`` to ``high``."""
    value = python_number(given)
    if not isinstance(value, (int, float)) or not low <= value <= high:
        raise ValueError(f"{name} must be a number from {low:g} to {high:g}, not {value!r}")
    return value


def whole_number(name: str, given: Any, low: float, high: float) -> int:
    """``given`` as a whole number, 5.0 too, or a ValueError where it is none from ``low`` to ``high``."""
    value = python_number(given)
    if type(value) not in (int, float) or value % 1 != 0 or not low <= value <= high:
        raise ValueError(f"{name} must be a whole number from {low:g} to {high:g}, not {value!r}")
    return int(value)
