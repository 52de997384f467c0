"""The common form of all error messages: what was given, what is allowed, the nearest valid name."""

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
    """A scalar of NumPy or PyTorch as a Python number; anything else unchanged."""
    return value.item() if getattr(value, "ndim", None) == 0 else value


def composed(value: Any) -> Any:
    """A string in Unicode form NFC, so that both ways to spell an accent are equal; anything else unchanged."""
    return normalize("NFC", value) if isinstance(value, str) else value


def number(name: str, given: Any, low: float, high: float) -> Any:
    """``given`` as a Python number. Raises ValueError unless it is a number from ``low`` to ``high``."""
    value = python_number(given)
    if not isinstance(value, (int, float)) or not low <= value <= high:
        raise ValueError(f"{name} must be a number from {low:g} to {high:g}, not {value!r}")
    return value


def whole_number(name: str, given: Any, low: float, high: float) -> int:
    """``given`` (5 or 5.0) as an int. Raises ValueError unless it is a whole number from ``low`` to ``high``."""
    value = python_number(given)
    if type(value) not in (int, float) or value % 1 != 0 or not low <= value <= high:
        raise ValueError(f"{name} must be a whole number from {low:g} to {high:g}, not {value!r}")
    return int(value)
