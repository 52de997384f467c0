"""Figures with controls on a page without a kernel: all pictures are drawn beforehand, and each piece is kept once."""

from __future__ import annotations

import base64
import html
import itertools
import json
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from IPython.core.pylabtools import print_figure
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

MOST = 400  # pictures are drawn; for more, each control is moved alone, and the effects are combined
LAST = 1 << 30  # after all that an element holds

DEFINED = "<path [^>]*/>|<clipPath .*?</clipPath>|<style .*?</style>"  # what a picture refers to
Tags = dict[tuple[int, ...], str]  # of a picture, each at its place in the tree of elements


def svg(figure: Figure) -> tuple[str, set[str]]:
    """A figure as SVG, with a description in words and short numbers; and the definitions that it refers to."""
    with plt.rc_context({"svg.hashsalt": "fslviz", "svg.fonttype": "path"}):
        text = str(print_figure(figure, "svg"))
    text = re.sub(r"<metadata>.*?</metadata>|<\?xml.*?\?>|<!DOCTYPE.*?>|<!--.*?-->|</svg>", "", text, flags=re.S)
    text = re.sub(r"-?\d+\.\d{3,}", lambda number: _short(float(number[0])), text)
    text = re.sub(r"\s+", " ", text).replace("> <", "><").strip()
    used = set(re.findall(r"#([\w-]+)", text))
    text = re.sub(r' id="([^"]+)"', lambda name: name[0] if name[1] in used else "", text)
    defined = re.findall(DEFINED, "".join(re.findall(r"<defs>(.*?)</defs>", text)))
    words = "".join(f"<desc>{html.escape(fact)}</desc>" for fact in described(figure))
    return re.sub(r"<defs>.*?</defs>", "", text).replace(">", f">{words}", 1), set(defined)


def described(figure: Figure) -> list[str]:
    """A description for readers who can't see the figure: its titles, or else its axes and where named data lie.

    Each fact is a text of its own, so that it changes only with the part of the picture that it describes.
    """
    facts: list[str] = []
    bars = {dots.colorbar.ax for ax in figure.axes for dots in ax.collections if dots.colorbar}
    for ax in figure.axes:
        across, up = ax.get_xlabel(), ax.get_ylabel()
        if title := ax.get_title():
            facts.append(title)
            continue
        facts.append(f"{up} over {across}" if across and up else across or up if ax not in bars else "")
        for line in ax.lines:
            if (y := np.asarray(line.get_ydata())).size and not str(line.get_label()).startswith("_child"):
                facts.append(f"{line.get_label()} from {_at(ax.yaxis, y[0])} to {_at(ax.yaxis, y[-1])}")
        for histogram in ax.containers:
            x, counts = np.array([(b.get_x() + b.get_width() / 2, b.get_height()) for b in histogram]).T
            if counts.any():
                facts.append(f"{histogram[0].get_label()} around {_at(ax.xaxis, np.average(x, weights=counts))}")
        for dots in ax.collections:
            if dots.colorbar:
                bar, mean = dots.colorbar.ax, np.mean(dots.get_array())  # type: ignore[arg-type]
                facts.append(f"{bar.get_ylabel()} around {_at(bar.yaxis, mean)}")
    return [fact for fact in facts if fact]


def _at(axis: Axis, value: Any) -> str:
    """A value as its axis writes it."""
    write = axis.get_major_formatter()
    return write(value) if isinstance(write, FuncFormatter) else f"{round(float(value), 9) + 0.0:.3g}"  # no 1.1e-16


def controls(draw: Callable[..., Figure], starts: Mapping[str, Any], taken: Mapping[str, Sequence[Any]]) -> str:
    """HTML: where the book's script puts the controls of a figure that follows, and all pictures that they can make."""
    drawn = pictures(draw, starts, taken)
    if drawn is None:
        return ""
    shown = [
        {"name": name.replace("_", " "), "at": list(values).index(starts[name])}
        | {"choice": (choice := isinstance(values, list))}  # else along a slider
        | {"values": [str(value) if choice else f"{value:g}" for value in values]}
        for name, values in taken.items()
    ]
    options = html.escape(json.dumps({"controls": shown, "pictures": drawn}))
    return f'<div class="fslviz-move" data-options="{options}"></div>'


def pictures(draw: Callable[..., Figure], starts: Mapping[str, Any], taken: Mapping[str, Sequence[Any]]) -> str | None:
    """All pictures of ``draw`` for these values of each control, compressed and in base 85: ``[pieces, slots]``.

    A slot is ``[controls, indices]``: the controls that it depends on, and the index of its piece for each of their
    settings, in which the last control changes fastest. A picture is the pieces of all slots in order. None if there
    would be more than ``MOST`` pictures and a slot depends on two controls.
    """
    ranges = [range(len(values)) for values in taken.values()]
    start = tuple(list(values).index(starts[name]) for name, values in taken.items())
    whole = list(itertools.product(*ranges))
    if alone := len(whole) > MOST:
        if _overlap(draw, starts, taken):
            return None
        whole = [(*start[:k], i, *start[k + 1 :]) for k, values in enumerate(ranges) for i in values]
    corners = [tuple(values[i] for values in ranges) for i in (0, -1)]  # settings that test combined effects
    drawn = {
        at: svg(draw(**{name: values[i] for (name, values), i in zip(taken.items(), at, strict=True)}))
        for at in dict.fromkeys([*whole, *corners])
    }
    defined = sorted(set().union(*(defined for _, defined in drawn.values())))
    tagged = {at: _tags(drawn[at][0]) for at in whole}
    slots: list[tuple[list[int], list[str]]] = []
    for place in sorted(set().union(*tagged.values())):
        texts = {at: tags.get(place, "") for at, tags in tagged.items()}
        by = [k for k in range(len(ranges)) if _depends(texts, k)]
        if alone and len(by) > 1:
            return None
        if not by and slots and not slots[-1][0]:  # what never changes is one piece
            slots[-1][1][0] += texts[start]
            continue
        settings = [dict(zip(by, setting, strict=True)) for setting in itertools.product(*(ranges[k] for k in by))]
        slots.append((by, [texts[tuple(s.get(k, i) for k, i in enumerate(start))] for s in settings]))
    slots.append(([], [f"<defs>{''.join(defined)}</defs></svg>"]))
    pieces = {text: i for i, text in enumerate(dict.fromkeys(text for _, texts in slots for text in texts))}
    found = [list(pieces), [[by, [pieces[text] for text in texts]] for by, texts in slots]]
    if any(not picture(found, at, [len(r) for r in ranges]).startswith(drawn[at][0] + "<defs>") for at in corners):
        return None
    return base64.b85encode(zlib.compress(json.dumps(found, separators=(",", ":")).encode(), 9)).decode()


def picture(found: Sequence[Any], at: Sequence[int], counts: Sequence[int]) -> str:
    """The picture of ``[pieces, slots]`` with controls at indices ``at``; each control has ``counts`` settings."""
    pieces, slots = found
    texts = []
    for by, indices in slots:
        place = 0
        for k in by:
            place = place * counts[k] + at[k]
        texts.append(pieces[indices[place]])
    return "".join(texts)


def _overlap(draw: Callable[..., Figure], starts: Mapping[str, Any], taken: Mapping[str, Sequence[Any]]) -> bool:
    """Whether a part of the figure depends on two controls. To keep pictures few, each is moved to one end only."""
    still, changed = _tags(svg(draw())[0]), []
    for name, values in taken.items():
        end = _tags(svg(draw(**{name: values[-1] if starts[name] != values[-1] else values[0]}))[0])
        changed.append({place for place in still.keys() | end.keys() if still.get(place) != end.get(place)})
    return any(one & other for one, other in itertools.combinations(changed, 2))


def _short(value: float) -> str:
    """A number to 1/100 of a point. Numbers below 1, which scale the outlines of letters, get four decimals."""
    return f"{value:.{2 if abs(value) >= 1 else 4}f}".rstrip("0").rstrip(".")


def _depends(texts: Mapping[tuple[int, ...], str], k: int) -> bool:
    """Whether a piece changes anywhere as control ``k`` is moved."""
    seen: dict[tuple[int, ...], str] = {}
    return any(seen.setdefault((*at[:k], *at[k + 1 :]), text) != text for at, text in texts.items())


def _tags(text: str) -> Tags:
    tags: Tags = {}
    path: tuple[int, ...] = ()
    counts = [0]
    for tag in re.findall(r"<[^>]+>|[^<]+", text):
        if tag.startswith("</"):
            counts.pop()
            tags[(*path, LAST)], path = tag, path[:-1]
            continue
        place = (*path, counts[-1])
        counts[-1] += 1
        tags[place] = tag
        if tag.startswith("<") and not tag.endswith("/>"):
            path = place
            counts.append(0)
    return tags
