"""A figure with controls in a browser: how its sliders and its words follow a hand."""

import html
import json
import re

import numpy as np
import pytest
from browser_helpers import PAGE, QUIET
from IPython.core.pylabtools import print_figure

import fslviz
from fslviz import moving_figures
from fslviz.explorer import write_part
from fslviz.plots import styled


def test_a_picture_is_short_and_looks_the_same(browser):
    page = browser.new_page()
    figure = styled(curves)(slope=2)
    body, defined = moving_figures.svg(figure)
    whole = print_figure(figure, "svg")
    short = f"{body}<defs>{''.join(defined)}</defs></svg>"
    assert len(short) < 0.8 * len(whole)
    drawn = """texts => Promise.all(texts.map((text) => new Promise((done) => { const image = new Image();
        image.onload = () => { const c = document.createElement('canvas'); [c.width, c.height] = [800, 400];
        const ctx = c.getContext('2d'); ctx.drawImage(image, 0, 0, 800, 400);
        done([...ctx.getImageData(0, 0, 800, 400).data].filter((_, i) => i % 4 === 3)); };
        image.src = 'data:image/svg+xml,' + encodeURIComponent(text); })))"""
    ours, theirs = (np.array(ink) for ink in page.evaluate(drawn, [short, whole]))
    assert (theirs > 128).sum() > 1000
    assert (np.abs(ours - theirs) > 64).sum() < 0.01 * (theirs > 128).sum()
    page.close()


# ---- a figure of a page of one's own


def curves(slope=1, dip=1):
    lines = {"line": ([0, 1], [0, slope]), "_dip": ([0, 1], [-dip, -dip])}
    return fslviz.plot_lines(lines, ylim=(-10, 10), xlabel="x", ylabel="y")


@pytest.fixture
def moved(opened, site):
    """Opens a page with a figure that two sliders move."""
    root = moving_figures.controls(styled(curves), {"slope": 1, "dip": 1}, {"slope": tuple(range(6)), "dip": (0, 1, 2)})
    options = json.loads(html.unescape(re.search('data-options="([^"]*)"', root)[1]))
    write_part(site / "explorer", "move/own", options["pictures"])
    root = root.replace(html.escape(json.dumps(options)), html.escape(json.dumps(options | {"pictures": "move/own"})))
    blank = "data:image/gif;base64,R0lGODlhAQABAAAAACw="
    body = f'<div class="cell_output">{root}<img alt="A line that rises by one." src="{blank}"></div>'

    def open_(page="", **options):
        (site / "moved.html").write_text(PAGE.format(body).replace("<html", f"<html {page}"))
        return opened("moved.html", ready=False, **options)

    return open_


def test_a_figure_that_is_moved_says_once_what_it_shows(moved):
    page = moved(script=QUIET)
    image, status = page.locator("img"), page.get_by_role("status")
    slope = page.get_by_label("slope")
    assert image.get_attribute("alt") == "A line that rises by one."
    slope.focus()
    for value in (2, 3, 4):
        slope.press("ArrowRight")
        words = f"slope {value}, dip 1: y over x, line from 0 to {value}, _dip from -1 to -1"
        page.wait_for_function("words => document.querySelector('img').alt === words", arg=words)
        assert status.inner_text() == "", "while a hand moves it"
    page.evaluate("settle()")
    assert status.inner_text() == words
    slope.press("Home")
    slope.press("ArrowRight")
    page.wait_for_function("document.querySelector('img').alt === 'A line that rises by one.'")
    page.evaluate("settle()")
    assert status.inner_text().startswith("slope 1, dip 1: ")


def test_nothing_but_a_hand_moves_a_slider(moved):
    page = moved()
    slope = page.get_by_label("slope")
    assert slope.input_value() == "1"
    slope.evaluate("input => { input.value = 5; }")  # on its way, where no event has told of it yet
    page.get_by_label("dip").press("End")
    page.wait_for_function("document.querySelector('img').src.startsWith('data:image/svg')")
    assert slope.input_value() == "5"


@pytest.mark.parametrize("way", ["ltr", "rtl"])
def test_a_slider_runs_as_the_axes_of_its_figure_do(moved, way):
    page = moved(f'dir="{way}"')
    slope = page.get_by_label("slope")
    box = slope.bounding_box()
    page.mouse.click(box["x"] + 2, box["y"] + box["height"] / 2)
    assert slope.input_value() == "0"
    name = page.locator("label", has=slope).locator("span").bounding_box()
    assert name["x"] < box["x"]
