"""Thousands of classes: characters drawn by a simulated hand along the pen strokes of KanjiVG.

KanjiVG (Ulrich Apel, CC BY-SA 3.0) describes the strokes of 6,694 kanji, kana, Latin letters, digits and marks. Its
files are read from the package ``kanjivg``, if it is installed. Images are white on black, 28 x 28, as in MNIST.
"""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path
from typing import Any
from unicodedata import normalize

import numpy as np
from fontTools.pens.recordingPen import RecordingPen
from fontTools.svgLib.path import parse_path
from matplotlib import path as curves
from matplotlib.backend_bases import GraphicsContextBase
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.transforms import Affine2D

SIDE = 109  # of the square that KanjiVG draws in: its unit is the unit here
STEP = 3.0  # units between two points of a stroke
PIXELS = 28  # of an image's side

# The hand. Each number is the largest change, drawn evenly on both sides of 0, unless its comment says otherwise.
TURN, STRETCH, MOVE = 0.2, 0.15, 5.0  # of a stroke: radians, a share of its length, units
BEND = 1.8  # of the whole: standard deviation of each of three waves across it and three along it, in units
SLANT, SHEAR, WIDEN = 0.25, 0.35, 0.15  # of the whole: radians, a share of its height, a share of its width
PEN = (1.2, 3.2)  # pixels: the least and the largest width; FINE times that, where there are more than MANY strokes
MANY, FINE = 8, 0.7
SIZE, SMALL = 18, 40.0  # pixels of the larger side; a character below SMALL units, such as a full stop, is smaller


def files() -> dict[str, Path]:
    """The file of each character, in the order of Unicode; raises ImportError where ``kanjivg`` is missing."""
    try:
        found = [Path(str(file.locate())) for file in metadata.files("kanjivg") or []]
    except metadata.PackageNotFoundError as error:
        raise ImportError("the characters come with the package kanjivg: pip install kanjivg") from error
    plain = sorted(file for file in found if re.fullmatch(r"[0-9a-f]{5}\.svg", file.name))  # the others are variants
    named = {chr(int(file.stem, 16)): file for file in plain}
    return {name: file for name, file in named.items() if normalize("NFC", name) == name}  # others are duplicates


def strokes(file: Path) -> list[np.ndarray]:
    """The strokes of a character in the order of writing: points (P, 2), x to the right and y down, about (0, 0)."""
    return [_points(path) for path in re.findall(r'<path[^>]* d="([^"]+)"', file.read_text(encoding="utf-8"))]


def _points(path: str) -> np.ndarray:
    """The points (P, 2) of one stroke, evenly along it."""
    pen = RecordingPen()
    parse_path(path, pen)
    (_, (start,)), *parts = [(kind, points) for kind, points in pen.value if points]
    t, line = np.linspace(0, 1, 9)[1:, None], [np.array([start], float)]
    for _, points in parts:  # a Bezier curve of any degree, by de Casteljau: each round removes one control point
        mixed: Any = [line[-1][-1], *np.array(points, float)]
        while len(mixed) > 1:
            mixed = [(1 - t) * a + t * b for a, b in zip(mixed, mixed[1:], strict=False)]
        line.append(mixed[0])
    way = np.concatenate(line) - SIDE / 2
    along = np.concatenate([[0], np.hypot(*np.diff(way, axis=0).T).cumsum()])
    at = np.linspace(0, along[-1], max(2, round(along[-1] / STEP) + 1))
    return np.stack([np.interp(at, along, axis) for axis in way.T], 1)


def draw(character: list[np.ndarray], count: int, seed: Any, amplitude: float = 1.0) -> np.ndarray:
    """``count`` different images (count, 28, 28), of 8 bits, of a character that is given as its strokes.

    ``amplitude`` multiplies all variations but that of the pen's width. Images are the same on every machine: points
    are rounded to 1/256 of a pixel before they are drawn.
    """
    return _ink(*written(character, count, seed, amplitude))


def written(character: list[np.ndarray], count: int, seed: Any, amplitude: float = 1.0) -> tuple[np.ndarray, ...]:
    """The lines of ``draw``: points (count, P, 2) in pixels, Matplotlib's path codes (P,), widths of pens (count,)."""
    rng, lengths = np.random.default_rng(seed), [len(stroke) for stroke in character]
    own = np.repeat(np.arange(len(character)), lengths)  # the stroke of each point

    def differ(most: float, *shape: int) -> np.ndarray:
        return amplitude * most * rng.uniform(-1, 1, (count, *shape))

    # each stroke about its middle
    middle = np.stack([stroke.mean(0) for stroke in character])
    x, y = (np.concatenate(character) - middle[own]).T
    turn, stretch = differ(TURN, len(character))[:, own], 1 + differ(STRETCH, len(character))[:, own]
    cos, sin = stretch * np.cos(turn), stretch * np.sin(turn)
    places = np.stack([cos * x - sin * y, sin * x + cos * y], -1)  # (count, P, 2)
    places += (middle + differ(MOVE, len(character), 2))[:, own]
    # the whole: bent, then sheared, widened and turned
    wave = amplitude * BEND * rng.standard_normal((count, 1, 2, 3))
    phase = np.pi * rng.uniform(-1, 1, (count, 1, 2, 3))
    places += (wave * np.sin(np.pi / SIDE * np.arange(1, 4) * places[..., ::-1, None] + phase)).sum(-1)
    slant, shear, wide = differ(SLANT), differ(SHEAR), 1 + differ(WIDEN)
    cos, sin = np.cos(slant), np.sin(slant)
    places = places @ np.stack([wide * cos, wide * sin, shear * cos - sin, shear * sin + cos], -1).reshape(-1, 2, 2)
    # into the image, its middle where its points have theirs, which is near that of its ink
    places *= (SIZE / np.maximum(np.ptp(places, axis=1).max(1), SMALL))[:, None, None]
    places += PIXELS / 2 - places.mean(1, keepdims=True)
    pens = rng.uniform(*PEN, count) * (FINE if len(character) > MANY else 1)
    codes = np.full(len(own), curves.Path.LINETO, curves.Path.code_type)
    codes[np.cumsum([0, *lengths[:-1]])] = curves.Path.MOVETO
    return np.round(256 * places) / 256, codes, pens


def _ink(places: np.ndarray, codes: np.ndarray, pens: np.ndarray) -> np.ndarray:
    """Images (N, 28, 28) of lines through places (N, P, 2) in pixels, drawn with pens of these widths (N,)."""
    renderer, style = RendererAgg(PIXELS, PIXELS, 72), GraphicsContextBase()
    style.set_capstyle("round")
    style.set_joinstyle("round")
    style.set_snap(False)
    down = Affine2D().scale(1, -1).translate(0, PIXELS)  # Agg has y go up
    images = np.empty((len(places), PIXELS, PIXELS), np.uint8)
    for image, line, pen in zip(images, places, pens, strict=True):
        path = curves.Path(line, codes)
        path.should_simplify = False
        style.set_linewidth(pen)
        renderer.clear()
        renderer.draw_path(style, path, down)
        image[:] = np.asarray(renderer.buffer_rgba())[..., 3]
    return images
