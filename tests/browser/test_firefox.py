"""The book and its explorer in Firefox, from file:// with no network: every page, and what a hand does there."""

import base64
import io

import numpy as np
import pytest
from browser_helpers import ALL, PAGE, SEVEN, STAR, TWICE
from firefox import Firefox
from PIL import Image
from test_pages import HTML, PAGES

from fslviz import explorer

EXPLORER = "document.querySelector('.fslviz-explorer').explorer"
READY = "document.querySelector('.fslviz-explorer[data-ready]')"
STRIPS = "[...document.querySelectorAll('.fx-strip')].map((s) => s.getAttribute('aria-label'))"
VERDICT = "document.querySelector('.fx-verdict').innerText"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    explorer.ship(folder / "explorer")
    (folder / "all.html").write_text(PAGE.format(ALL))
    return folder


@pytest.fixture(scope="module", params=["as it comes", "guarded"])
def window(request):
    window = Firefox(**{"privacy.resistFingerprinting": request.param == "guarded"})
    yield window
    window.close()


@pytest.fixture
def page(window, folder):
    window.wrong.clear()
    window.evaluate("location.protocol === 'file:' && localStorage.clear()")  # what the last test enrolled
    window.goto("about:blank")
    window.goto((folder / "all.html").as_uri())
    window.wait(READY)
    yield window
    assert not window.wrong


def along(box, points):
    x, y, width, height = box
    return [(x + width * u, y + height * v) for u, v in points]


def draw(page, points):
    between = [p for a, b in zip(points, points[1:], strict=False) for p in np.linspace(a, b, 6).tolist()]
    page.drag(*along(page.box(".fx-pad"), between))
    page.wait(f"{STRIPS}.every((s) => s?.startsWith('your drawing'))")


def press(page, selector):
    page.drag(*along(page.box(selector), [(0.5, 0.5)]))


def digit(page, loss, index):
    number = page.evaluate(f"{EXPLORER}.state.losses.indexOf('{loss}')")
    page.box(f".fx-panel:nth-child({number + 1}) .fx-points")
    page.wait(f"{EXPLORER}.panels.get('{loss}').painter.side > 0 && !{EXPLORER}.renderLoop.waiting")
    return page.evaluate(
        f"""(() => {{ const {{ space, painter }} = {EXPLORER}.panels.get('{loss}');
        const box = painter.over.getBoundingClientRect(), [x, y] = painter.toPixel(space.place({index}));
        return [box.left + x / painter.side * box.width, box.top + y / painter.side * box.height]; }})()"""
    )


def test_a_drawing_is_read_and_verified(page):
    draw(page, SEVEN)
    sevens = [said.split(": ")[1].count("7") for said in page.evaluate(STRIPS)]
    assert sum(sevens) >= 15, sevens
    page.wait(f"{VERDICT} === 'Accepted as 7: within the threshold.'")
    press(page, ".fx-draw button:nth-child(2)")
    page.wait(f"{STRIPS}[0] === 'no digit chosen'")
    draw(page, STAR)
    press(page, ".fx-enrol button")
    page.wait("document.querySelector('[aria-label^=forget]')")
    draw(page, STAR)
    page.wait(f"{VERDICT}.startsWith('Accepted as') && {VERDICT}.includes('✶')")


def test_digits_are_pointed_at_held_and_paired(page):
    page.move(*digit(page, "triplet", 30))
    page.wait(f"{STRIPS}.every((s) => /^a \\d; nearest/.test(s))")
    page.drag(digit(page, "triplet", 30))
    page.wait(f"{EXPLORER}.state.pins.length === 1")
    page.drag(digit(page, "contrastive", 61))
    page.wait(f"{EXPLORER}.state.pins.length === 2")
    page.wait("[...document.querySelectorAll('.fx-pair')].every((p) => p.innerText.includes(' apart'))")
    page.wait("location.hash.startsWith('#explorer=v2;pin:')")


def test_a_digit_pressed_twice_lights_what_lies_around_it(page):
    page.evaluate(f"({TWICE})({[*digit(page, 'triplet', 30), 400]})")
    page.wait(f"{EXPLORER}.loader.selected?.size === 100 && {EXPLORER}.state.selection.digit === 30")


def test_a_view_is_moved_by_its_own_button(page):
    x, y = digit(page, "cosface", 3)
    page.drag((x, y), (x + 30, y), (x + 60, y + 20))
    page.wait(f"{EXPLORER}.state.views.cosface.x < -0.1")
    held = page.evaluate(f"{EXPLORER}.state.views.cosface")
    page.drag((x, y), (x + 30, y), (x + 60, y + 20), button=2)
    page.move(x + 5, y)
    assert page.evaluate(f"{EXPLORER}.state.views.cosface") == held


def test_a_lasso_lights_and_its_link_opens(page, folder):
    press(page, ".fx-set[aria-label=tools] button:nth-child(2)")
    box = page.box(".fx-panel .fx-points")
    page.drag(*along(box, [(0.1, 0.1), (0.9, 0.1), (0.9, 0.6), (0.1, 0.6)]))
    page.wait(f"{EXPLORER}.loader.selected?.size > 500")
    count = page.evaluate(f"{EXPLORER}.loader.selected.size")
    page.wait("location.hash.includes('lit:loop')")
    link = page.evaluate("location.href")
    page.goto("about:blank")
    page.goto(link)
    page.wait(f"{READY} && {EXPLORER}.loader.selected?.size === {count}")


def test_margin_training_and_reset(page):
    box = page.box(".fx-panel:last-child .fx-margin input")
    page.drag(*along(box, [(0.97, 0.5)]))
    page.wait("document.body.innerText.includes('margin 1.2\\n')")
    press(page, ".fx-training button")
    page.wait(f"{EXPLORER}.state.moment < 1 && {EXPLORER}.state.moment > 0.05")
    press(page, ".fx-training button")
    page.wait("document.body.innerText.includes(', after ')")
    press(page, ".fx-set[aria-label=tools] button:nth-child(3)")
    page.wait("document.body.innerText.includes('margin 0.1\\n') && !location.hash")


def test_the_lab_trains(page):
    press(page, ".fx-lab .fx-controls .fx-bar:nth-of-type(5) button")
    page.wait(f"{EXPLORER}.lab.report?.images > 5000")
    assert page.evaluate(f"{EXPLORER}.lab.report.accuracy") > 0.85
    page.evaluate(f"{EXPLORER}.lab.stop()")


def test_what_is_painted_is_seen(page):
    """The picture on the screen itself: spots of ten colours in a space, and not in its corner."""
    page.box(".fx-square")
    page.wait(f"!{EXPLORER}.renderLoop.waiting")
    shot = page.ask("browsingContext.captureScreenshot", context=page.context)["data"]
    left, top, width, height = (round(v) for v in page.box(".fx-square"))
    screen = np.array(Image.open(io.BytesIO(base64.b64decode(shot))).convert("RGB"))
    picture = screen[top : top + height, left : left + width]
    spread = picture.max(2).astype(int) - picture.min(2)
    assert (spread > 60).mean() > 0.02
    assert (spread[10:25, 10:25] > 60).mean() == 0


@pytest.fixture(scope="module")
def plain():
    window = Firefox()
    yield window
    window.close()


@pytest.mark.parametrize("name", PAGES)
def test_every_page_of_the_book(plain, name):
    plain.wrong.clear()
    plain.goto((HTML / name).as_uri())
    if plain.evaluate("document.querySelectorAll('.math').length"):
        plain.wait("window.MathJax?.startup?.promise")
        plain.evaluate("MathJax.startup.promise.then(() => 0)")
    if plain.evaluate("document.querySelectorAll('.fslviz-explorer').length"):
        plain.wait(READY)
    if plain.evaluate("document.querySelectorAll('.fslviz-move').length"):
        plain.drag(*along(plain.box(".fslviz-move :is(input, button[aria-pressed=false])"), [(0.9, 0.5)]))
        plain.wait(
            "(i => i.src.startsWith('data:image/svg') && i.naturalWidth)"
            "(document.querySelector('.fslviz-move').movingFigure.image)"
        )
    raw = "[...document.querySelectorAll('.math')].filter((m) => !m.querySelector('mjx-container svg')).length"
    assert plain.evaluate(raw) == 0, "formulas left unrendered"
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert plain.evaluate(wide) <= 0
    assert plain.evaluate("[...document.querySelectorAll('article img')].filter((i) => !i.naturalWidth).length") == 0
    outside = "performance.getEntriesByType('resource').map((r) => r.name).filter((n) => /^https?:/.test(n))"
    assert plain.evaluate(outside) == []
    assert not plain.wrong
