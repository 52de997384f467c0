"""Figures with controls as pieces of SVG: all their pictures, and their words."""

import base64
import html
import itertools
import json
import re
import zlib

import matplotlib.pyplot as plt
import pytest

import fslviz
from fslviz import moving_figures, widgets
from fslviz.plots import styled

# ---- a figure of a page of one's own


def curves(slope=1, dip=1):
    lines = {"line": ([0, 1], [0, slope]), "_dip": ([0, 1], [-dip, -dip])}
    return fslviz.plot_lines(lines, ylim=(-10, 10), xlabel="x", ylabel="y")


# ---- pictures of a few pieces


def hung():
    fig = fslviz.plot_lines({}, percent="x", xlabel="accuracy", ylabel="episodes")
    fig.axes[0].hist([0.25, 0.25, 0.35], [0, 0.2, 0.3, 0.4], label="pixels")
    fig.axes[0].hist([], [0, 1], label="nothing")
    return fig


def dots():
    fig = fslviz.plot_lines({}, xticks=[])
    fig.colorbar(fig.axes[0].scatter([0, 1], [0, 1], c=[0.2, 0.6]), label="kept", format=fslviz.plots.PERCENT)
    return fig


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (curves, ["y over x", "line from 0 to 1", "_dip from -1 to -1"]),
        (lambda: fslviz.plot_lines({"a": ([], [])}, ylabel="loss"), ["loss"]),
        (lambda: fslviz.plot_lines({"a": ([0, 1], [-1.1e-16, 1])}, ylabel="loss"), ["loss", "a from 0 to 1"]),
        (lambda: fslviz.plot_lines({"a": ([0, 1], [0, 1])}, title="<$t_$>\nFMR 1%"), ["<$t_$>\nFMR 1%"]),
        (hung, ["episodes over accuracy", "pixels around 28.33%"]),
        (dots, ["kept around 40%"]),
    ],
)
def test_what_a_figure_shows_is_told(draw, words):
    figure = styled(draw)()
    assert moving_figures.described(figure) == words
    text, _ = moving_figures.svg(figure)
    assert [html.unescape(word) for word in re.findall("<desc>(.*?)</desc>", text, re.S)] == words


def test_words_that_follow_two_controls_keep_no_figure_from_moving():
    values = tuple(range(30))
    found = moving_figures.pictures(styled(curves), {"slope": 1, "dip": 1}, {"slope": values, "dip": values})
    picture = moving_figures.picture(read(found), (7, 22), (30, 30))
    assert "<desc>line from 0 to 7</desc><desc>_dip from -22 to -22</desc>" in picture


def read(text):
    return json.loads(zlib.decompress(base64.b85decode(text)))


def line(slope=1, colour="C0"):
    return fslviz.plot_lines({"line": ([0, 1], [0, slope])}, ylim=(-10, 10), title=f"{slope} {colour}")


def test_every_picture_is_put_together_from_pieces():
    taken = {"slope": (1, 2, 3), "colour": ["C0", "C1"]}
    found = read(moving_figures.pictures(styled(line), {"slope": 1, "colour": "C0"}, taken))
    for at in itertools.product(range(3), range(2)):
        figure = styled(line)(slope=taken["slope"][at[0]], colour=taken["colour"][at[1]])
        assert moving_figures.picture(found, at, (3, 2)).startswith(moving_figures.svg(figure)[0])
    assert len(found[0]) == len(set(found[0]))


def two(left=0.0, right=0.0):
    fig, axes = plt.subplots(1, 2)
    for ax, value in zip(axes, (left, right), strict=True):
        ax.plot([0, value])
        ax.set(xlim=(0, 1), ylim=(0, 50))
    plt.close(fig)
    return fig


def test_where_no_part_follows_two_controls_each_is_moved_alone():
    values, calls = tuple(float(i) for i in range(30)), []

    def counted(**controls):
        calls.append(controls)
        return two(**controls)

    found = read(moving_figures.pictures(counted, {"left": 0.0, "right": 0.0}, {"left": values, "right": values}))
    assert len(calls) < 70
    assert moving_figures.picture(found, (7, 22), (30, 30)).startswith(moving_figures.svg(two(7.0, 22.0))[0])


def test_where_one_does_there_is_one_picture():
    calls = []

    def product(a=0.0, b=0.0):
        calls.append((a, b))
        return fslviz.plot_lines({"line": ([0, 1], [0, a + b])}, ylim=(0, 60))

    values = tuple(float(i) for i in range(30))
    assert moving_figures.controls(styled(product), {"a": 0.0, "b": 0.0}, {"a": values, "b": values}) == ""
    assert len(calls) == 3  # the start and two ends tell


def test_an_effect_that_shows_with_two_controls_alone_is_found():
    def both(a=0.0, b=0.0):
        return two(30.0 if a == b == 29 else a, b)

    values = tuple(float(i) for i in range(30))
    assert moving_figures.pictures(styled(both), {"a": 0.0, "b": 0.0}, {"a": values, "b": values}) is None


def test_a_notebook_for_the_book_shows_controls_and_a_picture(monkeypatch):
    out = []
    monkeypatch.setattr(widgets, "display", lambda *things, **_: out.extend(things))
    monkeypatch.setenv(widgets.BOOK, "yes")
    fslviz.move(lambda slope=2: line(slope), slope=(1, 3, 1))
    root, figure = out
    (shown,) = json.loads(html.unescape(re.search('data-options="([^"]*)"', root.data)[1]))["controls"]
    assert shown == {"name": "slope", "at": 1, "choice": False, "values": ["1", "2", "3"]}
    assert figure.axes[0].get_title() == "2 C0"
