"""Figures with controls in the built book: what they show is what the kernel draws."""

import base64
import html
import itertools
import json
import re
import zlib
from pathlib import Path
from urllib.parse import unquote

import matplotlib.pyplot as plt
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from browser_helpers import PAGE, QUIET
from IPython.core.pylabtools import print_figure

import fslviz
from fslviz import moving_figures, widgets
from fslviz.explorer import write_part
from fslviz.plots import styled

ROOT = Path(__file__).parent.parent
HTML = ROOT / "_build" / "html" / "notebooks"
PAGES = [p.stem for p in sorted((ROOT / "notebooks").glob("*.ipynb")) if "fslviz.move(" in p.read_text()]
MOVED = [name for name in PAGES if not name.startswith("05")]  # there the explorer stands in their place


def drawn(name, monkeypatch):
    """What the kernel draws: each figure with controls of a notebook, and what they can be set to."""
    found = []

    def move(draw, **controls):
        made = {k: widgets._control(k, taken, starts(draw)[k]) for k, taken in controls.items()}
        found.append((styled(draw), {k: list(widgets._values(control)) for k, control in made.items()}))

    monkeypatch.setattr(fslviz, "move", move)
    scope = {"display": lambda *_, **__: None}
    cells = json.loads((ROOT / "notebooks" / f"{name}.ipynb").read_text())["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    last = max(i for i, source in enumerate(sources) if "fslviz.move(" in source)
    for source in sources[: last + 1]:
        exec(re.sub(r"(?m)^( *)%.*$", r"\1pass", source), scope)
    return found


def starts(draw):
    return dict(zip(draw.__code__.co_varnames, draw.__defaults__, strict=False))


NUMBERS = re.compile(r"-?\d+\.?\d*")


def same(shown, figure):
    """Whether a picture in the page is a figure's, but for a last digit of its numbers."""
    body, _ = moving_figures.svg(figure)
    shown = shown.split("<defs>")[0]
    if NUMBERS.sub("0", shown) != NUMBERS.sub("0", body):
        return False
    return np.allclose(*(np.array(NUMBERS.findall(text), dtype=float) for text in (shown, body)), atol=0.03)


def shown(page, root):
    """The text of the picture that a figure shows now."""
    page.wait_for_function("e => e.movingFigure.image.src.startsWith('data:image/svg')", arg=root)
    return unquote(root.evaluate("e => e.movingFigure.image.src").split(",", 1)[1])


@pytest.mark.parametrize("name", MOVED)
def test_each_control_shows_what_the_kernel_draws(browser, monkeypatch, name):
    kernel = drawn(name, monkeypatch)
    page = browser.new_page()
    page.goto((HTML / f"{name}.html").as_uri())
    roots = page.locator(".fslviz-move").element_handles()
    assert len(roots) == len(kernel)
    for root, (draw, taken) in zip(roots, kernel, strict=True):
        at, before = starts(draw.__wrapped__), None
        first = root.evaluate("e => e.movingFigure.image.alt")
        for k, values in taken.items():
            label = k.replace("_", " ")
            for value in dict.fromkeys((values[-1], values[len(values) // 3])):
                if value == at[k]:
                    continue
                if slider := root.query_selector(f"input[aria-label='{label}']"):
                    slider.focus()
                    slider.press("End")
                    for _ in range(len(values) - 1 - values.index(value)):
                        slider.press("ArrowLeft")
                else:
                    root.query_selector(f"[aria-label='{label}'] button:text-is('{value}')").click()
                at[k] = value
                page.wait_for_function("([e, was]) => e.movingFigure.image.src !== was", arg=[root, before])
                page.wait_for_function(
                    "e => e.movingFigure.image.complete && e.movingFigure.image.naturalWidth > 0", arg=root
                )
                before = root.evaluate("e => e.movingFigure.image.src")
                figure = draw(**at)
                assert same(shown(page, root), figure), (name, at)
                written = {c.replace("_", " "): at[c] if isinstance(at[c], str) else f"{at[c]:g}" for c in taken}
                settings = ", ".join(f"{c} {v}" for c, v in written.items())
                words = f"{settings}: {', '.join(moving_figures.described(figure))}".replace("\n", ", ")
                here = at == starts(draw.__wrapped__)  # as in the notebook, whose own words say more
                assert root.evaluate("e => e.movingFigure.image.alt") == (first if here else words)
    page.close()


@pytest.mark.parametrize("name", MOVED)
def test_a_control_is_light_until_it_is_touched(browser, name):
    page, asked = browser.new_page(), []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((HTML / f"{name}.html").as_uri())
    assert not [url for url in asked if "move." in url]
    for options in page.eval_on_selector_all(".fslviz-move", "all => all.map(e => e.dataset.options)"):
        assert len(options) < 5000
        file = HTML.parent / "_static" / "explorer" / f"{json.loads(options)['pictures'].replace('/', '.')}.js"
        assert file.stat().st_size < 400_000
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", ["03_triplet", "08_convergence"])
def test_controls_look_and_answer_as_the_explorers_do(browser, name, width, scheme):
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, has_touch=width == 390, is_mobile=width == 390
    )
    page = context.new_page()
    page.goto((HTML / f"{name}.html").as_uri())
    root = page.locator(".fslviz-move").first
    root.scroll_into_view_if_needed()
    before = root.evaluate("e => [e.movingFigure.image.getBoundingClientRect().width, e.movingFigure.image.alt]")
    target = root.locator("input, button[aria-pressed=false]").first
    box = target.bounding_box()
    press = page.touchscreen.tap if width == 390 else page.mouse.click
    press(box["x"] + 0.8 * box["width"], box["y"] + box["height"] / 2)
    shown(page, root.element_handle())
    page.wait_for_function("e => e.movingFigure.image.naturalWidth > 0", arg=root.element_handle())
    after = root.evaluate("e => [e.movingFigure.image.getBoundingClientRect().width, e.movingFigure.image.alt]")
    assert "" != before[1] != after[1]  # what is true of one picture is not of another
    assert abs(after[0] - before[0]) < 0.06 * before[0]  # what was a bitmap is as large as a drawing
    shape = root.evaluate(
        "e => [e.movingFigure.image.naturalWidth / e.movingFigure.image.naturalHeight, e.movingFigure.image.height]"
    )
    assert after[0] / shape[1] == pytest.approx(shape[0], rel=0.02)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert root.evaluate("e => e.classList.contains('fx-dark')") == (scheme == "dark")
    found = Axe().run(page, context=".fslviz-move").response["violations"]
    assert [v["id"] for v in found] == []
    context.close()


def test_a_missing_file_is_said_and_asked_for_again(browser, tmp_path):
    context = browser.new_context()
    page, there = context.new_page(), []
    page.route("**/move.*.js", lambda route: route.continue_() if there else route.abort())
    page.goto((HTML / "02_siamese.html").as_uri())
    page.get_by_label("margin", exact=True).first.press("End")
    page.wait_for_selector(".fslviz-move .fx-fault:has-text('missing')")
    there.append(True)
    page.get_by_label("margin", exact=True).first.press("Home")
    shown(page, page.locator(".fslviz-move").element_handle())
    assert not page.locator(".fslviz-move .fx-fault").is_visible()
    context.close()


def test_chapter_5_asks_the_explorer_instead(browser):
    page = browser.new_page()
    page.goto((HTML / "05_side_by_side.html").as_uri())
    page.wait_for_selector(".fslviz-explorer[data-ready]")
    assert page.locator(".fslviz-move").count() == 0
    page.get_by_role("link", name="the hundred around this one").click()
    explorer = "document.querySelector('.fslviz-explorer').explorer"
    page.wait_for_function(f"{explorer}.loader.selected?.size === 100 && {explorer}.state.losses.length === 6")
    page.wait_for_function(f"{explorer}.renderLoop.waiting === 0 && {explorer}.panels.get('contrastive').space.n > 0")
    lit, places = page.evaluate(
        f"[[...{explorer}.loader.selected], [...{explorer}.panels.get('contrastive').space.target]]"
    )
    places = np.array(places).reshape(-1, 2)
    near = np.linalg.norm(places - places[4], axis=1).argsort()
    assert len(set(near[:101]) - set(lit)) <= 1
    page.close()


def test_a_picture_is_short_and_looks_the_same(browser):
    page = browser.new_page()
    figure = styled(line)(slope=2)
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
