"""Figures with controls in the built book: what they show is what the kernel draws."""

import ast
import json
import re
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe

import fslviz
from fslviz import moving_figures, widgets
from fslviz.plots import styled

ROOT = Path(__file__).parents[2]


HTML = ROOT / "_build" / "html" / "notebooks"


PAGES = [p.stem for p in sorted((ROOT / "notebooks").glob("*.ipynb")) if "fslviz.move(" in p.read_text()]


MOVED = [name for name in PAGES if not name.startswith("05")]  # there the explorer stands in their place


def drawn(name, monkeypatch):
    """What the kernel draws: each figure with controls of a notebook, and what they can be set to."""
    found = []

    def move(draw, **controls):
        made = {k: widgets._control(k, taken, starts(draw)[k]) for k, taken in controls.items()}
        found.append((styled(draw), {k: widgets._values(control) for k, control in made.items()}))

    monkeypatch.setattr(fslviz, "move", move)
    scope = {"display": lambda *_, **__: None}
    cells = json.loads((ROOT / "notebooks" / f"{name}.ipynb").read_text())["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    for source in figures_cells([re.sub(r"(?m)^( *)%.*$", r"\1pass", source) for source in sources]):
        exec(source, scope)
    return found


def figures_cells(sources):
    """The cells that have a figure with controls, and those that set what these read: no test waits for the others."""
    cells, read = [], set()
    for source in reversed(sources):
        nodes = list(ast.walk(ast.parse(source)))
        names = {n.id for n in nodes if isinstance(n, ast.Name)}
        given = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        given |= {n.name for n in nodes if isinstance(n, ast.FunctionDef | ast.ClassDef)}
        given |= {(n.asname or n.name).split(".")[0] for n in nodes if isinstance(n, ast.alias)}
        stored = [n for n in nodes if isinstance(n, ast.Subscript | ast.Attribute) and isinstance(n.ctx, ast.Store)]
        given |= {n.id for part in stored for n in ast.walk(part.value) if isinstance(n, ast.Name)}
        if "fslviz.move(" in source or given & read:
            cells.append(source)
            read |= names
    return cells[::-1]


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
                written = {
                    c.replace("_", " "): f"{at[c]:g}" if isinstance(v, tuple) else at[c] for c, v in taken.items()
                }
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
@pytest.mark.parametrize("name", ["03_triplet", "09_convergence"])
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
    page.get_by_role("link", name="the hundred images around this one").click()
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
