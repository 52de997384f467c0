"""The explorer of embedding spaces: a widget in a notebook, the same thing in the built book without a kernel."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Iterable, Mapping, Sequence, Set
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import traitlets

from fslviz.errors import number, python_number, unknown
from fslviz.explorer import pack

SCRIPT = Path(__file__).parent / "explorer.js"
PARTS = ("choose", "margin", "training", "draw", "enrol", "look", "lab")  # shown beside the spaces
EVERY_PART = (*PARTS, "alphabet")  # the alphabet can also stand alone
FOUR = ("contrastive", "triplet", "softmax", "cosface")


class _Float(traitlets.Float):
    """A number, of Python's, numpy's or torch's."""

    def validate(self, obj: Any, value: Any) -> Any:
        number = python_number(value)
        if number is not None and not isinstance(number, (int, float)):
            raise ValueError(f"{self.name} must be a number, not {number!r}")
        return super().validate(obj, number)


class _Indices(traitlets.List):
    """Whole numbers in a list, an array or a tensor, or one alone; a mask of booleans means those that are set."""

    def validate(self, obj: Any, value: Any) -> Any:
        given = np.atleast_1d(np.asarray(sorted(value) if isinstance(value, Set) else value))
        if given.shape == (pack.SHOWN,) and given.dtype == bool:
            given = np.flatnonzero(given)
        if given.size and (given.ndim != 1 or given.dtype.kind not in "iu"):
            raise ValueError(f"selection must be indices of test images, or a mask of all {pack.SHOWN}, not {value!r}")
        return super().validate(obj, given.tolist())


def _names(what: str, given: Any) -> list[str]:
    """A name alone stands for a list of one."""
    names = [given] if isinstance(given, str) else list(given) if isinstance(given, Iterable) else [given]
    if not all(isinstance(name, str) for name in names):
        raise ValueError(f"{what} must be a name or a list of names, not {given!r}")
    return [str(name) for name in names]


class _Names(traitlets.List):
    """Names in a list, a tuple or an array, or one alone."""

    def validate(self, obj: Any, value: Any) -> Any:
        return super().validate(obj, _names(str(self.name), value))


class Explorer(anywidget.AnyWidget):
    """Embedding spaces side by side, from networks trained with many margins: zoom, select, draw, enrol.

    ``losses``: the spaces shown; ``"contrastive-six"``, ``"triplet-six"``, ``"softmax-six"`` and ``"arcface-six"``
    were trained on six digits, without 0, 4, 5 and 8. By default four, or none if the alphabet is the only part.
    ``parts``: what is shown beside them: "choose" (the losses), "margin", "training", "draw", "enrol", "look" (a
    digit bent, the worst pairs, what moved), "lab" (training in the page) and "alphabet" (signs of the reader's
    own, compared in 64 dimensions by networks trained on up to 6,484 characters); by default all but the alphabet.
    ``margins``: a trained margin for each loss that has one. ``step``: the share of the training, from 0 to 1.
    ``threshold``: a distance in the first space, or None for that at an FMR of 1%. ``selection``: the indices of
    the highlighted test images. All but ``parts`` change as the reader uses the page, and can be set. Raises
    ValueError for an invalid name or number, RuntimeError for a damaged pack.
    """

    losses = _Names(traitlets.Unicode()).tag(sync=True)
    margins = traitlets.Dict().tag(sync=True)
    step = _Float(1.0).tag(sync=True)
    threshold = _Float(None, allow_none=True).tag(sync=True)
    selection = _Indices(traitlets.Int()).tag(sync=True)
    parts = traitlets.Unicode().tag(sync=True)
    first = traitlets.Dict().tag(sync=True)  # parts for the first view: a busy kernel cannot send them later

    def __init__(
        self,
        losses: str | Sequence[str] | None = None,
        parts: str | Sequence[str] = PARTS,
        margins: Mapping[str, float] | None = None,
        **traits: Any,
    ) -> None:
        parts = _names("parts", parts)
        losses = _names("losses", (() if parts == ["alphabet"] else FOUR) if losses is None else losses)
        for name in parts:
            if name not in EVERY_PART:
                unknown("part", name, EVERY_PART)
        for name in traits:
            if name not in self.trait_names():
                unknown("argument", name, ["losses", "parts", "margins", "step", "threshold", "selection"])
        if not isinstance(margins, Mapping | None):
            raise ValueError(f"margins must be a margin for each loss, such as {{'cosface': 0.2}}, not {margins!r}")
        pack.manifest()
        usual = {loss: pack.DEFAULT[loss] for loss in losses if loss in pack.DEFAULT}
        super().__init__(losses=losses, margins={**usual, **(margins or {})}, parts=",".join(parts), **traits)
        shown = [f"{loss}@{self.margins[loss]:g}" if loss in self.margins else loss for loss in self.losses]
        needed = ["manifest", "labels", *(f"{name}/points" for name in shown)]
        needed += ["alphabet/about"] if "alphabet" in parts else []
        self.first = {name: pack.packed(name) for name in needed}
        self.on_msg(self._answer)

    # the front end's code: one file for the book, which has no modules, and for here
    _esm = SCRIPT.read_text(encoding="utf-8") + "\nexport default { render: fslvizExplorer.render };"

    @traitlets.validate("losses")
    def _known_losses(self, proposal: Any) -> list[str]:
        for loss in proposal["value"]:
            if loss not in (known := [*pack.MARGINS, *pack.SIX]):
                unknown("loss", loss, known)
        none = not proposal["value"] and "alphabet" not in self.parts.split(",")
        if none or len(set(proposal["value"])) < len(proposal["value"]):
            raise ValueError(f"losses must be one or more, each named once, not {proposal['value']}")
        if len({loss in pack.SIX for loss in proposal["value"]}) > 1:
            raise ValueError(f"losses must be of ten digits or all of six, not both, as {proposal['value']} are")
        return proposal["value"]

    @traitlets.validate("margins")
    def _trained_margins(self, proposal: Any) -> dict[str, float]:
        found = {}
        for loss, margin in proposal["value"].items():
            if not pack.MARGINS.get(loss):
                unknown("loss with a margin", loss, [k for k, v in pack.MARGINS.items() if v])
            given = number(f"the margin of {loss}", margin, 0, 100)
            trained = [m for m in pack.MARGINS[loss] if np.isclose(m, given)]  # float32's 0.2 is not Python's
            if not trained:
                raise ValueError(f"the margins trained for {loss} are {pack.MARGINS[loss]}, not {given!r}")
            found[loss] = trained[0]
        return found

    @traitlets.validate("step")
    def _within_training(self, proposal: Any) -> float:
        return number("step", proposal["value"], 0, 1)

    @traitlets.validate("threshold")
    def _a_distance(self, proposal: Any) -> float | None:
        value = proposal["value"]
        return None if value is None else number("threshold", value, 0, 1e9)

    @traitlets.validate("selection")
    def _shown_images(self, proposal: Any) -> list[int]:
        for index in proposal["value"]:
            number("selection", index, 0, pack.SHOWN - 1)
        return proposal["value"]

    def _answer(self, _: Any, content: dict[str, Any], buffers: Any) -> None:
        name = content.get("part", "")
        try:
            self.send({"part": name}, [pack.packed(name)])
        except (ValueError, OSError) as error:
            self.send({"part": name, "error": str(error)})

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """The widget, and for the built book the place where its script puts the same explorer."""
        bundle, metadata = super()._repr_mimebundle_(**options) or ({}, {})
        bundle["text/plain"] = f"Explorer of {', '.join(self.losses) or 'an alphabet'}"
        if not metadata:  # only Colab has some, and no page there would fill the place
            state = {name: getattr(self, name) for name in ("margins", "step", "threshold", "selection")}
            bundle["text/html"] = mount(self.losses, self.parts.split(","), **state)
        return bundle, metadata


def mount(
    losses: Sequence[str],
    parts: Sequence[str],
    margins: Mapping[str, float] | None = None,
    step: float = 1.0,
    threshold: float | None = None,
    selection: Sequence[int] = (),
) -> str:
    """HTML: where the book's script puts an explorer, with the state that it opens with."""
    shown = {"losses": list(losses), "parts": list(parts), "margins": dict(margins or {})}
    options = json.dumps({**shown, "step": step, "threshold": threshold, "selection": list(selection)})
    said = "The explorer needs JavaScript; in a notebook, run this cell."
    return f'<div class="fslviz-explorer" data-options="{html.escape(options)}"><em>{said}</em></div>'


def ship(folder: Path) -> None:
    """Write the script, and every part as a script of its own: a page opened from a file may load nothing else."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "explorer.js").write_bytes(SCRIPT.read_bytes())
    for name in pack.names():
        write_part(folder, name, base64.b85encode(pack.packed(name)).decode())


def write_part(folder: Path, name: str, text: str) -> None:
    """Write a part as a script: ``text``, compressed and in base 85, under the ``name`` that the page asks for."""
    (folder / f"{name.replace('/', '.')}.js").write_text(f'fslvizPart("{name}","{text}")')
