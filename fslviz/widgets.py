"""Figures to move by hand, that leave a picture where there is no kernel."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import ipywidgets
import numpy as np
from IPython.display import HTML, display
from matplotlib.figure import Figure
from tqdm.auto import tqdm

from fslviz.errors import unknown
from fslviz.plots import COLOURS, INK, styled
from fslviz.training import QUIET, Run

ANIMATION = """<div class="fslviz-trail"><svg viewBox="0 0 {width} {height}" role="img" aria-label="{label}"
 style="width:100%;max-width:900px">{panels}</svg><p><button type="button">Play</button>
 <input type="range" min="0" max="{seconds}" step="0.02" value="{seconds}" aria-label="place in the training"></p></div>
<script>for (const box of document.querySelectorAll(".fslviz-trail:not([data-ready])")) {{
  box.dataset.ready = "yes";
  const svg = box.querySelector("svg"), bar = box.querySelector("input"), button = box.querySelector("button");
  const stop = () => {{ svg.pauseAnimations(); button.textContent = "Play"; }};
  const tick = () => {{
    bar.value = svg.getCurrentTime();
    if (svg.getCurrentTime() >= {seconds}) stop();
    if (!svg.animationsPaused()) requestAnimationFrame(tick);
  }};
  stop();
  svg.setCurrentTime({seconds});
  bar.oninput = () => {{ stop(); svg.setCurrentTime(bar.value); }};
  button.onclick = () => {{
    if (!svg.animationsPaused()) return stop();
    if (bar.value >= {seconds}) svg.setCurrentTime(0);
    svg.unpauseAnimations();
    button.textContent = "Pause";
    tick();
  }};
}}</script>"""


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


def animate(runs: Mapping[str, Run], columns: int = 3, points: int = 150, seconds: int = 10) -> HTML:
    """Test images finding their places along the trainings, each moment scaled to fill its panel.

    An SVG that needs no kernel: a button plays it, a slider goes to any place. It opens at the end.
    """
    panels = []
    for i, (name, run) in enumerate(runs.items()):
        trail = run.trail[:, :points].astype(np.float32)
        low, high = (np.quantile(trail, q, axis=1, keepdims=True) for q in (0.01, 0.99))
        places = 52 + 80 * (trail - (low + high) / 2) / (high - low).max(2, keepdims=True)
        left, top = 104 * (i % columns), 116 * (i // columns)
        dots = [f'<text x="52" y="9" font-size="8" text-anchor="middle" fill="{INK}">{name}</text>']
        for label, way in zip(run.test_labels, places.transpose(1, 2, 0), strict=False):
            x, y = ([f"{v:.0f}" for v in values] for values in (way[0], 112 - way[1]))
            move = "".join(
                f'<animate attributeName="{name}" dur="{seconds}s" fill="freeze" values="{";".join(values)}"/>'
                for name, values in (("cx", x), ("cy", y))
            )
            colour = COLOURS[label % len(COLOURS)]
            dots.append(f'<circle r="1.4" cx="{x[-1]}" cy="{y[-1]}" fill="{colour}">{move}</circle>')
        panels.append(f'<g transform="translate({left} {top})">{"".join(dots)}</g>')
    width, height = 104 * min(columns, len(runs)), 116 * -(-len(runs) // columns)
    label = f"The same digits along the training in {len(runs)} spaces: {', '.join(runs)}"
    return HTML(ANIMATION.format(width=width, height=height, seconds=seconds, label=label, panels="".join(panels)))
