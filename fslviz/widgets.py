"""Figures to move by hand, that leave a picture where there is no kernel."""

from __future__ import annotations

import inspect
import io
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import ipywidgets
import torch
from IPython.display import display
from matplotlib.figure import Figure
from tqdm.auto import tqdm

from fslviz.data import load
from fslviz.errors import unknown
from fslviz.evaluation import knn_accuracy
from fslviz.explorer.pack import DEFAULT, MARGINS
from fslviz.plots import plot_spaces, styled
from fslviz.training import QUIET, train


def progress(items: Iterable[Any]) -> Any:
    """The items, with a bar of how many are done."""
    return tqdm(items, disable=QUIET)


def move(draw: Callable[..., Figure], **controls: Sequence[Any]) -> None:
    """Show ``draw()``, with a control for each of these arguments that draws it anew.

    A control is a slider for (low, high, step), or a menu for a list of choices. It starts at the argument's default.
    """
    draw = styled(draw)
    starts = {k: p.default for k, p in inspect.signature(draw).parameters.items()}
    for name in controls:
        if name not in starts:
            unknown("argument", name, starts)
    made = {name: _control(name, taken, starts[name]) for name, taken in controls.items()}
    display(ipywidgets.VBox(list(made.values())))
    picture = display(draw(), display_id=True)

    def redraw(_: Any) -> None:
        picture.update(draw(**{name: control.value for name, control in made.items()}))

    for control in made.values():
        control.observe(redraw, "value")


class _Stopped(Exception):
    pass


def margin_lab(loss: str = "cosface", images: int | None = None) -> ipywidgets.VBox:
    """Controls that train anew when the margin is let go, and show the new 2-D space beside the one before.

    A training sees ``images`` (by default 9,000 on a CPU, 20,000 on a GPU) of 20,000; it shows its progress, can be
    stopped, and is not repeated for a margin that was trained before. Raises ValueError for a loss without a margin.
    """
    if loss not in DEFAULT:
        unknown("loss with a margin", loss, DEFAULT)
    images = images or (20_000 if torch.cuda.is_available() else 9_000)
    digits = load("mnist")
    few = replace(
        digits,
        train_images=digits.train_images[:20_000],
        train_labels=digits.train_labels[:20_000],
        test_images=digits.test_images[:1000],
        test_labels=digits.test_labels[:1000],
        name="mnist, the first 20,000",
    )
    losses = ipywidgets.Dropdown(options=list(DEFAULT), value=loss, description="loss")
    margin = ipywidgets.FloatSlider(description="margin", continuous_update=False, readout_format=".2f")
    stop = ipywidgets.Button(description="Stop", disabled=True)
    bar, said = ipywidgets.FloatProgress(max=1.0), ipywidgets.Label()
    picture = ipywidgets.Image(format="png", layout={"max_width": "100%"})
    lab = ipywidgets.VBox([ipywidgets.HBox([losses, margin]), ipywidgets.HBox([stop, bar, said]), picture])
    lab.runs, lab.thread, halt = [], None, threading.Event()

    def work(loss: str, margin: float) -> None:
        def watch(share: float) -> None:
            bar.value = share
            if halt.is_set():
                raise _Stopped

        try:
            run = train(loss, few, images=images, margin=margin, watch=watch)
        except _Stopped:
            said.value = "Stopped: nothing was kept."
        except Exception as error:  # a thread's error would otherwise be lost
            said.value = str(error)
        else:
            lab.runs = [*lab.runs[-1:], run]
            content = io.BytesIO()
            plot_spaces(lab.runs, size=3.2).savefig(content, format="png")
            picture.value, bar.value = content.getvalue(), 1.0
            said.value = f"15-NN {knn_accuracy(run.reference(), run.query()):.1%} after {images:,} images"
        finally:
            stop.disabled = True

    def begin(_: Any = None) -> None:
        end()
        halt.clear()
        stop.disabled, said.value, bar.value = False, "training ...", 0.0
        value = int(margin.value) if losses.value == "sphereface" else margin.value
        lab.thread = threading.Thread(target=work, args=(losses.value, value), daemon=True)
        lab.thread.start()

    def end(_: Any = None) -> None:
        halt.set()
        if lab.thread:
            lab.thread.join()

    def choose(_: Any = None) -> None:
        low, high, start = MARGINS[losses.value][0], MARGINS[losses.value][-1], DEFAULT[losses.value]
        margin.unobserve_all("value")
        margin.max = 1e9  # a range must at no moment end before it begins
        margin.min, margin.max, margin.step = low, high, 1 if losses.value == "sphereface" else high / 100
        margin.value = start
        margin.observe(begin, "value")
        begin()

    losses.observe(choose, "value")
    stop.on_click(end)
    choose()
    return lab


def _control(name: str, taken: Sequence[Any], start: Any) -> Any:
    if isinstance(taken, tuple):
        low, high, step = taken
        if not low <= start <= high:
            raise ValueError(f"{name} must start within {low:g} to {high:g}, not {start:g}")
        kind = ipywidgets.IntSlider if isinstance(step, int) else ipywidgets.FloatSlider
        return kind(start, min=low, max=high, step=step, description=name, continuous_update=False)
    if start not in taken:
        unknown(name, start, map(str, taken))
    return ipywidgets.ToggleButtons(options=taken, value=start, description=name)
