"""Interactive figures. Where there is no kernel, they show pictures that were drawn beforehand."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import inspect
import io
import json
import os
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import ipywidgets
import numpy as np
import torch
from IPython.display import HTML, display
from matplotlib.figure import Figure
from PIL import Image
from tqdm.auto import tqdm

from fslviz import moving_figures
from fslviz.data import QUIET, Data, load
from fslviz.errors import number, python_number, unknown
from fslviz.evaluation import knn_accuracy
from fslviz.explorer.pack import DEFAULT, MARGINS
from fslviz.plots import plot_spaces, styled
from fslviz.runs import Run
from fslviz.training import train

STEP = 0.05  # of a margin's slider: every trained margin is a multiple of it
BOOK = "FSLVIZ_BOOK"  # set where notebooks are executed for the book
ENDS = ("low", "high", "step")
DOOR = Path(__file__).parent / "explorer" / "door.js"


def progress(items: Iterable[Any]) -> Any:
    """The items, with a bar of how many are done."""
    return tqdm(items, disable=QUIET)


def move(draw: Callable[..., Figure], **controls: Sequence[Any]) -> None:
    """Show ``draw()``, with a control for each of these arguments. Moving a control draws the figure again.

    A control is a slider for (low, high, step), or buttons for a list of choices. It starts at the argument's default.
    The built book has no kernel, so pictures are drawn beforehand: one for each setting, up to 400. For more settings,
    each control is drawn alone if no part of the figure depends on two of them; else there is only one picture.
    """
    draw = styled(draw)
    arguments = [
        p for p in inspect.signature(draw).parameters.values() if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]
    starts = {p.name: p.default for p in arguments}
    for name in controls:
        if name not in starts:
            unknown("argument", name, starts)
    for name, start in starts.items():
        if start is inspect.Parameter.empty:
            raise ValueError(f"{name} must have a default, where the figure starts")
    made = {name: _control(name, taken, starts[name]) for name, taken in controls.items()}
    if BOOK in os.environ:
        root = moving_figures.controls(draw, starts, {name: _values(control) for name, control in made.items()})
        display(*([HTML(root)] if root else []), draw())
        return
    display(ipywidgets.VBox(list(made.values())))
    picture = display(draw(), display_id=True)

    def redraw(_: Any) -> None:
        picture.update(draw(**{name: control.value for name, control in made.items()}))

    for control in made.values():
        control.observe(redraw, "value")


class _Stopped(Exception):
    pass


def margin_lab(loss: str = "cosface", images: int | None = None) -> ipywidgets.VBox | HTML:
    """Controls that train again when the margin's slider is released. The new 2-D space is shown beside the last one.

    A training sees ``images`` (by default 9,000 on a CPU, 20,000 on a GPU) of 20,000, drawn by a fixed seed. It shows
    its progress and can be stopped. A margin that was trained before is not trained again. In Colab, which does not
    show what a thread changes, and outside a kernel, the call waits; there "Interrupt execution" stops the training.
    The built book, which has no kernel, shows one line instead. Raises ValueError for a loss without a margin, and for
    fewer than one image.
    """
    if loss not in DEFAULT:
        unknown("loss with a margin", loss, DEFAULT)
    usual = 20_000 if torch.cuda.is_available() else 9_000
    images = int(number("images", usual if images is None else images, 1, 1e9))
    if BOOK in os.environ:
        return HTML("<p><em>In a notebook, this cell has a slider for the margin. Moving it trains a network.</em></p>")
    digits = load("mnist")
    rng = np.random.default_rng(0)
    train_on, test_on = (torch.from_numpy(rng.permutation(n)[:k]) for n, k in ((60_000, 20_000), (10_000, 1000)))
    few = replace(
        digits,
        train_images=digits.train_images[train_on],
        train_labels=digits.train_labels[train_on],
        test_images=digits.test_images[test_on],
        test_labels=digits.test_labels[test_on],
        name="mnist, 20,000 and 1,000 drawn",
    )
    return _MarginLab(loss, few, images)


class _MarginLab(ipywidgets.VBox):
    """The controls of ``margin_lab``, and its last two ``runs``. In a notebook a thread trains."""

    def __init__(self, loss: str, data: Data, images: int) -> None:
        self.data, self.images = data, images
        self.runs: list[Run] = []
        self.thread: threading.Thread | None = None
        self.halt = threading.Event()
        self.loss = ipywidgets.Dropdown(options=list(DEFAULT), value=loss, description="loss")
        self.margin = ipywidgets.FloatSlider(description="margin", continuous_update=False, readout_format=".2f")
        self.stop = ipywidgets.Button(description="Stop", disabled=True)
        self.bar, self.said = ipywidgets.FloatProgress(max=1.0), ipywidgets.Label()
        self.picture = ipywidgets.Image(format="png", layout={"max_width": "100%"})
        rows = [[self.loss, self.margin], [self.stop, self.bar, self.said]]
        super().__init__([*map(ipywidgets.HBox, rows), self.picture])
        self.loss.observe(self.choose, "value")
        self.stop.on_click(self.end)
        self.choose()

    def __repr__(self) -> str:
        return f"Margin lab of {', '.join(DEFAULT)}"

    def choose(self, _: Any = None) -> None:
        """Give the slider the margins of the loss, and begin with its default."""
        loss, margin = self.loss.value, self.margin
        margin.unobserve_all("value")
        margin.max = 1e9  # max must never be below min, not even for a moment
        margin.min, margin.max, margin.step = MARGINS[loss][0], MARGINS[loss][-1], 1 if self.whole else STEP
        margin.value = DEFAULT[loss]
        margin.observe(self.begin, "value")
        self.begin()

    @property
    def whole(self) -> bool:
        """Whether the margin of the loss is a whole number."""
        return isinstance(DEFAULT[self.loss.value], int)

    def begin(self, _: Any = None) -> None:
        self.end()
        self.halt.clear()
        loss = self.loss.value
        margin = int(self.margin.value) if self.whole else round(self.margin.value, 2)
        loop = None
        with contextlib.suppress(RuntimeError):  # there is none outside a kernel
            loop = asyncio.get_running_loop()
        if loop is None or "google.colab" in sys.modules:
            # Colab shows what a thread changes only once a cell runs: colabtools, issue 3373
            self.said.value, self.bar.value = "training ... (Interrupt execution stops it)", 0.0
            self.work(loss, margin, lambda draw, runs: draw(runs))
        else:
            # drawn between two cells: Matplotlib's settings are the process's, and a cell may be drawing, too
            self.stop.disabled, self.said.value, self.bar.value = False, "training ...", 0.0
            self.thread = threading.Thread(
                target=self.work, args=(loss, margin, loop.call_soon_threadsafe), daemon=True
            )
            self.thread.start()

    def end(self, _: Any = None) -> None:
        self.halt.set()
        if self.thread:
            self.thread.join()

    def work(self, loss: str, margin: float, later: Callable[..., Any]) -> None:
        """Train, and draw ``later``."""
        try:
            run = train(loss, self.data, images=self.images, margin=margin, watch=self.watch)
            right = knn_accuracy(run.reference(), run.query())
        except (_Stopped, KeyboardInterrupt):
            self.said.value = "Stopped: nothing was kept."
        except Exception as error:  # a thread's error would otherwise be lost
            self.said.value = str(error)
        else:
            self.bar.value = 1.0
            self.said.value = f"15-NN {right:.1%} of 1,000 test images, after {self.images:,} images"
            self.runs = [*self.runs[-1:], run]
            later(self.show, self.runs)
        finally:
            self.stop.disabled = True

    def watch(self, share: float) -> None:
        self.bar.value = share
        if self.halt.is_set():
            raise _Stopped

    def show(self, runs: list[Run]) -> None:
        content = io.BytesIO()
        plot_spaces(runs, size=3.2).savefig(content, format="png")
        self.picture.value = content.getvalue()


def door(run: Run, threshold: float, enrolled: int | None = None) -> HTML:
    """Enrolment to try in a page without a kernel, with photographs of identities that a run has not seen in training.
    The reader chooses whom to enrol, from how many photographs, and the threshold.

    It shows ten test images of each identity in ``run.data``, or as many as the smallest has. The first ``enrolled``
    identities (two thirds by default) are enrolled at first, by the mean of their first three images; ``threshold`` is
    where the slider starts. Raises ValueError for fewer than 2 or more than 20 identities, or an identity with fewer
    than two images.
    """
    z, labels = run.query()
    kinds, counts = np.unique(labels, return_counts=True)
    if not 2 <= len(kinds) <= 20 or counts.min() < 2:
        raise ValueError(
            f"there must be 2 to 20 identities with 2 images or more, not {len(kinds)} with {counts.min()}"
        )
    photos = min(10, int(counts.min()))
    shown = np.concatenate([np.flatnonzero(labels == kind)[:photos] for kind in kinds])
    images, z = run.data.test_images[shown].numpy()[:, 0], z[shown]  # type: ignore[union-attr]
    low, high = images.min((1, 2), keepdims=True), images.max((1, 2), keepdims=True)
    grey = (255 * (images - low) / np.maximum(high - low, 1e-6)).astype(np.uint8)
    height, width = grey.shape[1:]
    sheet = grey.reshape(len(kinds), photos, height, width).swapaxes(1, 2).reshape(len(kinds) * height, photos * width)
    file, scale = io.BytesIO(), max(float(np.abs(z).max()), 1e-6) / 32767
    Image.fromarray(sheet).save(file, "JPEG", quality=85)
    names = run.data.names  # type: ignore[union-attr]
    data = {
        "names": [str(names[kind] if names else kind) for kind in kinds],
        "photos": photos,
        "dims": z.shape[1],
        "unit": run.cosine,
        "scale": scale,
        "places": base64.b64encode((z / scale).round().astype("<i2").tobytes()).decode(),
        "picture": f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}",
        "threshold": number("threshold", threshold, 0, 1e9),
        "most": float(f"{2 * threshold:.3g}") or 1,
        "enrolled": int(number("enrolled", len(kinds) * 2 // 3 if enrolled is None else enrolled, 0, len(kinds))),
    }
    given = json.dumps(data).replace("<", "\\u003c")
    script = f"{DOOR.read_text(encoding='utf-8')}fslvizDoor.open(document.currentScript.parentElement, {given})"
    return HTML(f'<div class="fslviz-door"><script>\n{script}\n</script></div>')


def _values(control: Any) -> Sequence[Any]:
    """All that a control can be set to: a list of choices, or a tuple along a slider."""
    if isinstance(control, ipywidgets.ToggleButtons):
        return list(control.options)
    count = int((control.max - control.min) / control.step + 1e-9)
    return tuple(sorted({control.value, *(round(control.min + i * control.step, 10) for i in range(count + 1))}))


def _control(name: str, taken: Sequence[Any], start: Any) -> Any:
    if not isinstance(taken, tuple):
        if start not in (taken := list(taken)):
            unknown(name, start, map(str, taken))
        return ipywidgets.ToggleButtons(options=taken, value=start, description=name)
    if len(taken) != 3:
        raise ValueError(f"{name} must be (low, high, step) or a list of choices, not {taken}")
    low, high, step = (number(f"{name}'s {what}", v, -1e9, 1e9) for what, v in zip(ENDS, taken, strict=True))
    if not low <= high or step <= 0:
        raise ValueError(f"{name} must be (low, high, step) with low at most high and a step above 0, not {taken}")
    start = python_number(start)
    if not isinstance(start, (int, float)) or not low <= start <= high:
        raise ValueError(f"{name} must start within {low:g} to {high:g}, not {start!r}")
    whole = all(isinstance(value, int) for value in (start, low, high, step))
    kind = ipywidgets.IntSlider if whole else ipywidgets.FloatSlider
    return kind(start, min=low, max=high, step=step, description=name, continuous_update=False)
