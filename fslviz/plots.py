"""Every matplotlib figure of the book. Each function returns its Figure, drawn to be read on light and dark pages."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import cache, wraps
from typing import Any, TypeVar

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import to_hex, to_rgba
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter, LogFormatter, LogLocator, MaxNLocator
from mpl_toolkits.axes_grid1.anchored_artists import AnchoredSizeBar
from scipy.spatial.distance import cdist
from scipy.stats import norm
from torch import Tensor

from fslviz.errors import number
from fslviz.evaluation import Pairs, Points, Rates, checked
from fslviz.runs import Run

# Petroff's ten colours (2021), made by survey and model to be told apart with any colour vision
LIGHTER = {"#bd1f01": "#d42a0c", "#832db6": "#9a45cf", "#717581": "#878c99"}  # too dark for the dark theme's ground
COLOURS = [LIGHTER.get(c, c) for c in map(to_hex, matplotlib.color_sequences["petroff10"])]
INK = "#7b7b7b"  # contrast 4.2 on white, and as much on the dark theme's ground
LOSS_COLOURS = {  # on every page
    "contrastive": COLOURS[0],
    "triplet": COLOURS[1],
    "softmax": COLOURS[5],
    "normface": COLOURS[9],
    "sphereface": COLOURS[4],
    "cosface": COLOURS[7],
    "arcface": COLOURS[2],
    "pixels": INK,
}
PERCENT = FuncFormatter(lambda share, _: f"{100 * share:.4g}%")
STYLE: dict[Any, Any] = {
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "figure.dpi": 150,
    "figure.constrained_layout.use": True,
    "axes.titlesize": "medium",
    "legend.fontsize": "medium",
    "xtick.labelsize": "medium",
    "ytick.labelsize": "medium",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": plt.cycler(color=[COLOURS[i] for i in (0, 6, 4, 1, 2, 9)]),
    "legend.frameon": False,
    **dict.fromkeys(["text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"], INK),
}

Plot = TypeVar("Plot", bound=Callable[..., Figure])


def styled(plot: Plot) -> Plot:
    """A decorator for functions that draw: text and lines are readable on light and dark pages."""

    @wraps(plot)
    def styled(*args: Any, **options: Any) -> Figure:
        _load_backend()
        with plt.rc_context(STYLE):
            return plot(*args, **options)

    return styled  # type: ignore[return-value]


def named(plot: Plot) -> Plot:
    """A decorator for this module's figures: as ``styled``, and every name is shown as it is written."""

    @wraps(plot)
    def named(*args: Any, **options: Any) -> Figure:
        figure = styled(plot)(*args, **options)
        texts = [text for ax in figure.axes for text in _texts(ax)]
        for text in texts:
            text.set_parse_math(False)  # else $ begins a formula
        _find_fonts(texts)
        return figure

    return named  # type: ignore[return-value]


def _texts(ax: Axes) -> list[Text]:
    """All texts that may hold a name. Numbers on a logarithmic axis are left out: they are formulas."""
    legend = ax.get_legend()
    texts = [ax.title, *ax.texts, *(legend.get_texts() if legend else [])]
    for axis in (ax.xaxis, ax.yaxis):
        texts.append(axis.label)
        if not isinstance(axis.get_major_formatter(), LogFormatter):
            texts.extend(axis.get_ticklabels())
    return texts


def _find_fonts(texts: Sequence[Text]) -> None:
    """Add installed fonts for characters that a text's font lacks. Warn once of all characters that no font has."""
    none: set[str] = set()
    for text in texts:
        families, lacking = text.get_fontfamily(), {sign for sign in text.get_text() if not sign.isascii()}
        for family in families if lacking else ():
            lacking -= _drawn(findfont(FontProperties(family=[family])), lacking)
        found, left = _fonts(frozenset(lacking))
        text.set_fontfamily([*families, *found])
        none |= left
    if none:
        codes = "|".join(str(ord(sign)) for sign in none)
        warnings.filterwarnings("ignore", rf"Glyph ({codes}) ")  # Matplotlib's own, one for each sign at each drawing
        warnings.warn(f"no installed font has {''.join(sorted(none))}: they are drawn as boxes", stacklevel=3)


def _drawn(path: str, signs: set[str]) -> set[str]:
    return {sign for sign in signs if get_font(path).get_char_index(ord(sign))}


@cache
def _fonts(signs: frozenset[str]) -> tuple[list[str], set[str]]:
    """A few families of installed fonts that have the characters, and the characters that no font has."""
    installed = {f.name: f.fname for f in fontManager.ttflist if "Last Resort" not in f.name}  # it has a box for all
    found, lacking = [], set(signs)
    while lacking:
        have = {name: _drawn(path, lacking) for name, path in installed.items()}
        best = max(have, key=lambda name: len(have[name]))
        if not have[best]:
            break
        found.append(best)
        lacking -= have[best]
    return found, lacking


@cache
def _load_backend() -> None:
    """Load Matplotlib's backend first: inside ``STYLE``, its settings for a notebook's figures would be undone."""
    plt.close(plt.figure())


@named
def plot_space(run: Run, limit: int = 3000) -> Figure:
    """Embeddings of ``limit`` test images, drawn by a fixed seed, in a 2-D run. Each class has a colour and a name."""
    return plot_spaces([run], limit=limit, size=4.5)


@named
def plot_spaces(
    runs: Mapping[str, Run | Points] | Sequence[Run],
    columns: int = 6,
    limit: int = 3000,
    size: float = 2.0,
    marked: Sequence[int] = (),
) -> Figure:
    """Several 2-D runs side by side, up to ``columns`` in a row, under their names (by default loss and options).

    Instead of a run, embeddings (N, 2) and labels (N,), numbers or strings; N may be 0. Ten classes have a colour each;
    the next ten have the same colours in another shape. At most ``limit`` are shown, drawn by a fixed seed, the same
    ones for runs on the same images. ``marked``: indices of images that get a ring in every space; the first one
    gets a star instead. A bar shows a length, in the spaces of runs that compare by distance.
    """
    named = list(runs.items()) if isinstance(runs, Mapping) else [(_title(r), r) for r in runs]
    spaces = [(n, *checked(str(n), r.places() if isinstance(r, Run) else r, 0)) for n, r in named]
    if not spaces or any(places.shape[1:] != (2,) for _, places, _ in spaces):
        raise ValueError(f"runs must be one or more runs in 2-D, not of shapes {[p.shape for _, p, _ in spaces]}")
    limit, columns = (int(number(n, v, 1, 1e9)) for n, v in (("limit", limit), ("columns", columns)))
    columns = min(columns, len(spaces))
    rows = -(-len(spaces) // columns)
    fig, axes = _figure(columns * size, rows * (size + 0.25), rows, columns)
    for ax in axes[len(spaces) :]:
        ax.remove()
    for ax, (name, places, labels), (_, run) in zip(axes, spaces, named, strict=False):
        some = np.sort(np.random.default_rng(0).permutation(len(places))[:limit])
        _scatter(ax, places[some], labels[some], size)
        if len(marked):
            number("marked", np.max(marked), 0, len(places) - 1), number("marked", np.min(marked), 0, len(places) - 1)
            ax.plot(*places[list(marked[1:])].T, "o", ms=7, mfc="none", mec=INK, mew=1)
            ax.plot(*places[marked[0]], "*", ms=12, mfc="white", mec="#222222", mew=0.8)
        if isinstance(run, Run) and not run.cosine:
            _scale_bar(ax)
        ax.set_title(name)
    return fig


@named
def plot_training(runs: Mapping[str, Run]) -> Figure:
    """The loss over images seen, and the share of a batch whose nearest neighbour in the batch is of the same class."""
    fig, (left, right) = _figure(6.2, 2.4, 1, 2)
    marks: dict[str, Any] = {}
    for name, run in runs.items():
        window = max(1, len(run.seen) // 40)
        for ax, values in ((left, run.losses), (right, run.accuracies)):
            smooth = np.convolve(values, np.ones(window) / window, "valid")
            (marks[name],) = ax.plot(run.seen[: len(smooth)] / 1000, smooth, label=name, lw=1.5, **_colour(name))
    left.set(xlabel="thousand images", ylabel="loss", yscale="log")
    _plain_log(left.yaxis)
    right.set(xlabel="thousand images", ylabel="1-NN accuracy (batch)")
    right.yaxis.set_major_formatter(PERCENT)
    _legend(right, marks)
    return fig


@named
def plot_lines(lines: Mapping[str, tuple[Any, ...]], percent: str = "", **axes: Any) -> Figure:
    """Lines, each x and y (N,), on one set of axes. ``axes`` set its properties: ``xlabel="epochs"``.

    A third array (N,) of a line is how far a band reaches above and below it. ``percent``: the axes, "x", "y" or "xy",
    on which shares are written in percent.
    """
    fig, (ax,) = _figure(5.2, 2.6, 1, 1)
    marks: dict[str, Any] = {}
    for name, (x, y, *band) in lines.items():
        taken = {line.get_color() for line in ax.lines}
        (line,) = (marks[name],) = ax.plot(x, y, label=name, lw=1.5, **_colour(name))
        line.set_linestyle("--" if line.get_color() in taken else "-")
        for width in band:
            low, high = np.asarray(y) - width, np.asarray(y) + width
            ax.fill_between(x, low, high, color=line.get_color(), alpha=0.2, lw=0)
    if isinstance(ax.xaxis.get_major_locator(), MaxNLocator):
        ax.locator_params(axis="x", nbins=6)  # few numbers: long ones would run together
    ax.set(**axes)
    for which in percent:
        getattr(ax, f"{which}axis").set_major_formatter(PERCENT)
    _legend(ax, marks)
    return fig


@named
def plot_scores(pairs: Mapping[str, Pairs], threshold: float | None = None) -> Figure:
    """Histograms of the distances of genuine and impostor pairs, with the error rates at ``threshold``, if given."""
    if not pairs:
        raise ValueError("pairs must be one set of pairs or more, not none")
    fig, axes = _figure(max(5.2, 3.2 * len(pairs)), 2.3, 1, len(pairs))
    for ax, (name, p) in zip(axes, pairs.items(), strict=True):
        bins, marks = np.histogram_bin_edges(p.distance, 60).tolist(), {}
        for kind, chosen in (("genuine", p.genuine), ("impostor", ~p.genuine)):
            *_, marks[kind] = ax.hist(p.distance[chosen], bins, density=True, alpha=0.6, label=kind)
        title = str(name)
        if threshold is not None:
            match = p.distance <= threshold
            title += f"\nFMR {match[~p.genuine].mean():.1%}, FNMR {1 - match[p.genuine].mean():.1%}"
            ax.axvline(threshold, color=INK, ls="--")
        ax.set(xlabel="distance", yticks=[], title=title)
    axes[0].set(ylabel="share")
    _legend(axes[-1], marks)
    return fig


@named
def plot_images(
    images: Tensor, titles: Sequence[str] = (), columns: int = 10, size: float = 0.6, ink: bool = True
) -> Figure:
    """Images (N, 1, H, W) in rows of ``columns``: as strokes on the page's ground, or without ``ink`` in grey."""
    images = torch.as_tensor(images)
    if images.ndim != 4 or not len(images):
        raise ValueError(f"images must be (N, 1, H, W), N at least 1, not {tuple(images.shape)}")
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    fig, axes = _figure(columns * size, rows * (size + (0.25 if titles else 0)), rows, columns)
    for ax in axes:
        ax.set_axis_off()
    for ax, image in zip(axes, images, strict=False):
        if ink:
            strokes = np.full((*image[0].shape, 4), to_rgba(INK))
            strokes[..., 3] = (image[0] - image.min()) / (image.max() - image.min()).clamp(min=1e-6)
            ax.imshow(strokes)  # strokes alone, on whatever ground the page has
        else:
            ax.imshow(image[0].numpy(), cmap="gray")
    for ax, title in zip(axes, titles, strict=False):
        ax.set_title(title, fontsize="small")
    return fig


@named
def plot_roc(rates: Mapping[str, Rates]) -> Figure:
    """ROC: the share of genuine pairs accepted (TAR) over that of impostor pairs (FMR), on a logarithmic axis."""
    fig, (ax,) = _figure(5.2, 2.8, 1, 1)
    marks: dict[str, Any] = {}
    for name, r in rates.items():
        (marks[name],) = ax.plot(r.fmr, 1 - r.fnmr, label=name, lw=1.5, drawstyle="steps-post", **_colour(name))
    ax.set(xscale="log", xlim=(1e-4, 1), xlabel="FMR (impostors accepted)", ylabel="TAR (genuine accepted)")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(PERCENT)
    _legend(ax, marks)
    return fig


@named
def plot_det(rates: Mapping[str, Rates]) -> Figure:
    """DET (Martin et al. 1997): FNMR over FMR, both on normal-deviate axes. The dotted line crosses at the EER."""
    fig, (ax,) = _figure(5.2, 3.4, 1, 1)
    ticks = np.array([1e-3, 0.01, 0.05, 0.2, 0.5])
    low, high = norm.ppf([5e-4, 0.6])
    marks: dict[str, Any] = {}
    for name, r in rates.items():
        inside = (r.fmr > 0) & (r.fmr < 1) & (r.fnmr > 0) & (r.fnmr < 1)
        if inside.any():
            x, y = norm.ppf(r.fmr[inside]), norm.ppf(r.fnmr[inside])
            (marks[name],) = ax.plot(x, y, label=name, lw=1.5, **_colour(name))
        else:  # a threshold without an error: beyond the corner, whatever the scale
            (marks[f"{name}: no errors"],) = ax.plot(low, low, "o", clip_on=False)
    ax.plot([low, high], [low, high], ":", color=INK, lw=1)
    ax.set(xlim=(low, high), ylim=(low, high))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_ticks(norm.ppf(ticks), [f"{100 * t:g}%" for t in ticks])
    ax.set(xlabel="FMR", ylabel="FNMR")
    _legend(ax, marks)
    return fig


def _plain_log(axis: Axis) -> None:
    """1, 2, 5, 10 and so on, written out."""
    axis.set_minor_locator(LogLocator(subs=(2, 5)))
    for set_formatter in (axis.set_major_formatter, axis.set_minor_formatter):
        set_formatter(lambda v, _: f"{v:g}")


def _legend(ax: Axes, marks: Mapping[str, Any]) -> None:
    """What each name is drawn as: beside the axes, never over data, and where there is something to tell apart."""
    if len(marks) > 1:  # given one by one: Matplotlib leaves out what begins with _
        ax.legend(marks.values(), map(str, marks), loc="center left", bbox_to_anchor=(1.02, 0.5))


def _title(run: Run) -> str:
    return ", ".join([run.recipe.loss, *(f"{k} {v}" for k, v in run.recipe.options.items())])


def _colour(name: object) -> dict[str, Any]:
    """The colour of a loss, the same in every figure. Another name gets the next colour of the cycle."""
    known = LOSS_COLOURS.get(re.split(r"\W", str(name))[0])
    return {"color": known} if known else {}


def _figure(width: float, height: float, rows: int, columns: int) -> tuple[Figure, list[Axes]]:
    plt.rcParams["font.size"] = max(9, 9 * width / 5)  # shown 360 pixels wide, as on a phone, 9 are 9 pixels
    fig, axes = plt.subplots(rows, columns, figsize=(width, height), squeeze=False)
    plt.close(fig)  # else a notebook shows it twice: as a result, and as an open figure
    return fig, list(axes.flat)


def _scatter(ax: Axes, embeddings: np.ndarray, labels: np.ndarray, size: float) -> None:
    kinds = np.unique(labels)
    for place, label in enumerate(kinds):
        (colour, shape), mine = _look(kinds, place), embeddings[labels == label]
        dots: dict[str, Any] = {"ms": 1.3, "alpha": 1.0} if size < 4 else {"ms": 1.5, "alpha": 0.75}
        ax.plot(*mine.T, shape, color=colour, mew=0, rasterized=True, **dots)
    ax.set(xticks=[], yticks=[], aspect="equal")
    ax.spines[:].set_visible(False)
    if not len(embeddings):
        return
    low, high = np.quantile(embeddings, [0.002, 0.998], axis=0)
    middle, half = (low + high) / 2, 0.55 * max(high - low) or 1.0  # where all lie at one place, too
    ax.set(xlim=(middle[0] - half, middle[0] + half), ylim=(middle[1] - half, middle[1] + half))
    _badges(ax, embeddings, labels, half, width=1.8 * 0.8 * plt.rcParams["font.size"] / 72 / size)


def _badges(ax: Axes, points: np.ndarray, labels: np.ndarray, half: float, width: float) -> None:
    """Write each class's name near its points, where it covers few points. ``width``: its share of the panel's."""
    steps, side = np.linspace(width / 2, 1 - width / 2, 32), 2 * half * width
    (left, _), (bottom, _) = ax.get_xlim(), ax.get_ylim()
    spots = np.stack(np.meshgrid(left + 2 * half * steps, bottom + 2 * half * steps), 2).reshape(-1, 2)
    away = cdist(spots, points)  # (S, N)
    covered = (away < 0.6 * side).sum(1)
    covered += len(points) * ((spots < (left + 0.9 * half, bottom + 0.25 * half)).all(1))  # the bar's place
    font = 0.8 * plt.rcParams["font.size"]
    kinds = np.unique(labels)
    for place, label in enumerate(kinds):
        mine = away[:, labels == label]
        near = np.quantile(mine, 0.25, axis=1)  # not the nearest: some images lie astray
        spot = spots[(covered / mine.shape[1] + near / half).argmin()]
        covered = covered + 1e6 * (np.linalg.norm(spots - spot, axis=1) < side)  # no name on another
        ax.annotate(
            str(label),
            spot,
            ha="center",
            va="center",
            fontsize=font,
            color="#222222",
            bbox={
                "boxstyle": "circle,pad=0.15" if len(str(label)) < 3 else "round,pad=0.2",
                "fc": "white",
                "ec": _look(kinds, place)[0],
                "lw": 1.2,
                "alpha": 0.9,
            },
        )


def _look(kinds: np.ndarray, place: int) -> tuple[str, str]:
    """Colour and marker of the class ``kinds[place]``. A digit has the same in every figure."""
    digits = kinds.dtype.kind in "iu" and kinds.min() >= 0 and kinds.max() < len(COLOURS)
    ten, one = divmod(int(kinds[place]) if digits else place, len(COLOURS))
    return COLOURS[one], "o^sDvP*Xph"[ten % 10]


def _scale_bar(ax: Axes) -> None:
    """A bar at the lower left, as long as 1, 2 or 5 times a power of ten of the space's own unit."""
    left, right = ax.get_xlim()
    most = (right - left) / 3
    power = 10.0 ** np.floor(np.log10(most))
    length = max(step * power for step in (1, 2, 5) if step * power <= most)
    bar = AnchoredSizeBar(ax.transData, length, f"{length:g}", "lower left", frameon=False, color=INK, pad=0, sep=2)
    bar.set_bbox_to_anchor((0, -0.02), ax.transAxes)
    ax.add_artist(bar)


@named
def plot_benchmark(contenders: Sequence[Mapping[str, Any]]) -> Figure:
    """Accuracy over seconds of training: a curve for one long training, a dot for each whole short one."""
    fig, (ax,) = _figure(5.6, 4.6, 1, 1)
    colours: dict[str, str] = {}
    marks: dict[str, Any] = {}
    for c in contenders:
        seconds, _, accuracy = zip(*c["curve"], strict=True)
        name = c["name"].rsplit(", ", 1)[0] if len(seconds) == 2 else c["name"]
        style: dict[str, Any] = {"ls": "", "marker": "o", "ms": 7} if len(seconds) == 2 else {"marker": ".", "lw": 1.5}
        colour = colours.setdefault(name, COLOURS[len(colours)])
        (mark,) = ax.plot(seconds[1:], accuracy[1:], color=colour, **style)
        marks.setdefault(name, mark)
    ax.axhline(0.95, color=INK, ls=":", lw=1)
    ax.set(xscale="log", ylim=(0.7, 1), xlabel="seconds of training", ylabel="15-nearest-neighbour accuracy")
    ax.yaxis.set_major_formatter(lambda v, _: f"{v:.0%}")
    _plain_log(ax.xaxis)
    ax.legend(marks.values(), marks, loc="upper center", bbox_to_anchor=(0.5, -0.18))
    return fig


@named
def plot_growth(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """Seconds and memory of each loss over batch, dimensions and classes, log axes; dashed: the other library."""
    measured = {"seconds": "seconds", "peak_mb": "memory, MB"}
    least = {"seconds": 0.0, "peak_mb": 1.0}  # less can't be told from nothing
    axes_of = list(dict.fromkeys(r["axis"] for r in rows))
    fig, axes = _figure(2.5 * len(axes_of), 4.6, len(measured), len(axes_of))
    marks: dict[str, Any] = {}
    for ax, (quantity, axis) in zip(axes, ((q, a) for q in measured for a in axes_of), strict=True):
        for side, loss in dict.fromkeys((r["side"], r["loss"]) for r in rows):
            mine = [r for r in rows if (r["side"], r["loss"], r["axis"]) == (side, loss, axis)]
            sizes, values = [r["size"] for r in mine], [max(r[quantity], least[quantity]) for r in mine]
            (line,) = ax.plot(sizes, values, "-" if side == "fslviz" else "--", color=LOSS_COLOURS[loss])
            if side == "fslviz":
                marks[loss] = line
        ax.set(xscale="log", yscale="log", xlabel=axis, ylabel=measured[quantity] if axis == axes_of[0] else None)
    for i, ax in enumerate(axes):
        ax.sharey(axes[i - i % len(axes_of)])
        ax.autoscale_view()
        ax.minorticks_off()
    _legend(axes[len(axes_of) - 1], marks)
    return fig
