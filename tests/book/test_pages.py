"""Every page of the built book in a real browser, from file://, with no network."""

import re
from pathlib import Path

import pytest
from browser_helpers import SEVEN, STAR, canvas, figures, link, picture, pixel_of, serving, strip, strips, stroke

NAMES = {
    "contrastive": "Contrastive",
    "triplet": "Triplet",
    "sphereface": "SphereFace",
    "cosface": "CosFace",
    "arcface": "ArcFace",
}
HTML = Path(__file__).parents[2] / "_build" / "html"
# index.html only leads on to the first page
WRITTEN = [p.relative_to(HTML) for p in HTML.rglob("*.html") if "_static" not in p.parts and p.name != "index.html"]
PAGES = sorted(map(str, WRITTEN))


def test_the_book_is_built():
    chapters = {f"notebooks/{p.stem}.html" for p in (HTML.parent.parent / "notebooks").glob("*.ipynb")}
    assert chapters | {"book/intro.html", "book/performance.html", "book/questions.html"} <= set(PAGES)
    assert 'class="math' in (HTML / "notebooks/05_side_by_side.html").read_text(), "no formula to try"


def test_only_pages_with_formulas_load_mathjax():
    """It weighs 2 MB, more than all the explorer shows at first."""
    for name in ("book/intro.html", "notebooks/05_side_by_side.html"):
        text = (HTML / name).read_text()
        assert ('class="math' in text) == ("tex-svg.js" in text) == ("05" in name)


def test_index_leads_to_the_first_page(browser):
    page = browser.new_page()
    page.goto((HTML / "index.html").as_uri())
    page.wait_for_url("**/book/intro.html")
    assert "Telling things apart" in page.title()
    page.close()


@pytest.mark.parametrize(("scheme", "widths"), [("light", (1280, 390, 320)), ("dark", (390, 1280))])
@pytest.mark.parametrize("name", PAGES)
def test_page(browser, name, scheme, widths):
    """It is loaded at the first of the widths, and then made as wide as the others. 320 is 400% of 1280 pixels."""
    context = browser.new_context(viewport={"width": widths[0], "height": 900}, color_scheme=scheme)
    context.set_offline(True)
    page, wrong = context.new_page(), []
    page.on("console", lambda m: m.type == "error" and wrong.append(f"console: {m.text}"))
    page.on("pageerror", lambda e: wrong.append(f"exception: {e}"))
    page.on("requestfailed", lambda r: wrong.append(f"failed: {r.url}"))
    page.on("request", lambda r: r.url.startswith(("file:", "data:", "blob:")) or wrong.append(f"outside: {r.url}"))
    page.goto((HTML / name).as_uri(), wait_until="load")
    if page.locator(".math").count():
        page.wait_for_function("window.MathJax?.startup?.promise !== undefined")
        page.evaluate("MathJax.startup.promise")
    raw = page.eval_on_selector_all(".math", "all => all.filter(m => !m.querySelector('mjx-container svg')).length")
    bad = page.locator("[data-mml-node=merror]").count()
    tracebacks = page.locator(".output.traceback, .cell_output .stderr").count()
    pictures = page.eval_on_selector_all("article img", "all => all.filter(i => !i.naturalWidth).length")
    assert (raw, bad) == (0, 0), "formulas left unrendered"
    assert pictures == 0, "pictures missing"
    assert tracebacks == 0, "a cell shows an error"
    for width in widths:
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate("Promise.allSettled(document.getAnimations().map((a) => a.finished))")  # a sidebar that slides
        overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        scrolling = page.eval_on_selector_all(
            "article table", "all => all.filter(t => t.scrollWidth > t.parentElement.clientWidth + 1).length"
        )
        assert overflow <= 0, f"the page is {overflow} px wider than the screen of {width}"
        assert scrolling == 0 or width < 1280, "a table scrolls sideways"
    figures = page.eval_on_selector_all(
        "article .cell_output > img", "all => all.map((i) => i.getBoundingClientRect()).map((b) => [b.left, b.width])"
    )
    if width == 320:  # a figure has all of it: its letters, 1/40 of its width, are 8 pixels
        assert all(left == pytest.approx(0, abs=1) and wide == pytest.approx(320, abs=1) for left, wide in figures)
    context.close()
    assert not wrong


@pytest.mark.parametrize(
    "name", ["book/intro", *(f"notebooks/{n}" for n in ("02_siamese", "03_triplet", "04_margins"))]
)
def test_an_explorer_stands_on_the_page(browser, name):
    page = browser.new_page()
    page.goto((HTML / f"{name}.html").as_uri())
    page.wait_for_selector(".fslviz-explorer[data-ready]")
    assert page.locator(".fslviz-explorer input[aria-label$=margin]").count() >= 1
    links = page.locator("a[href^='#explorer=']")
    before = page.evaluate("location.href")
    for i in range(links.count()):  # what the text names, the explorer shows
        links.nth(i).click()
        link(page)
        shown = links.nth(i).get_attribute("href")
        for loss, margin in re.findall(r"(\w+)@([\d.]+)", shown):
            space = page.get_by_role("region", name=f"{NAMES[loss]} space")
            space.locator("p.fx-figures", has_text=re.compile(rf"margin {margin}(?![\d.])")).wait_for()
        assert not page.locator(".fx-note").first.is_visible()
        trains = "lab:" in shown
        page.wait_for_function(  # what the link has moved is in view
            """square => { const box = [...document.querySelectorAll(square)].at(-1).getBoundingClientRect();
            return 0 < box.top && box.top < box.bottom && Math.floor(box.bottom) <= 720; }""",
            arg=".fx-lab .fx-square" if trains else ".fx-grid .fx-square",
        )
        if trains:
            page.wait_for_selector(".fx-lab p.fx-figures:has-text('images seen')")
            page.evaluate("document.querySelector('.fslviz-explorer').explorer.lab.stop()")
    assert links.count() >= 1
    page.go_back()
    page.wait_for_function(f"location.href !== '{before}' || {links.count()} === 1")
    page.close()


def test_the_first_view_of_the_first_page_is_small(browser):
    """Bytes of all that it loads, uncompressed."""
    page = browser.new_page()
    with serving(HTML) as address:
        page.goto(f"{address}/book/intro.html")
        page.wait_for_function("[...document.querySelectorAll('.fslviz-explorer')].every((e) => e.dataset.ready)")
        kinds = "['resource', 'navigation'].flatMap((kind) => performance.getEntriesByType(kind))"
        assert page.evaluate(f"{kinds}.reduce((sum, e) => sum + e.encodedBodySize, 0)") < 1e6
    page.close()


def test_all_that_the_explorer_does_in_the_book(browser):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto((HTML / "notebooks/05_side_by_side.html").as_uri())
    page.wait_for_selector(".fslviz-explorer[data-ready]")
    space = canvas(page, "Triplet")
    space.scroll_into_view_if_needed()
    page.mouse.move(*pixel_of(page, "triplet", 30))
    strips(page, "a ")
    assert strip(page, "CosFace").startswith("a ")
    page.mouse.move(1, 1)
    page.get_by_label("CosFace margin").press("End")
    page.wait_for_function("document.body.innerText.includes('margin 1.2\\n')")
    end = picture(page, "Triplet")
    page.locator(".fx-training input").press("Home")
    page.wait_for_function("document.querySelector('.fx-training p').innerText.startsWith('0 images seen')")
    assert picture(page, "Triplet") != end
    stroke(page, SEVEN)
    strips(page, "your drawing")
    assert strip(page, "Triplet").count("7") >= 4
    page.get_by_role("button", name="Clear").click()
    stroke(page, STAR)
    page.get_by_role("button", name="Enrol this drawing").click()
    page.wait_for_selector("text=✶: 1 sample")
    stroke(page, STAR)
    page.wait_for_selector(".fx-verdict:has-text('Accepted as ✶')")
    page.get_by_label("threshold").press("Home")
    page.wait_for_function("document.body.innerText.includes('threshold 0.000')")
    page.wait_for_function("/threshold:contrastive@1,0(;|$)/.test(location.hash)")
    page.reload()
    page.wait_for_selector(".fslviz-explorer[data-ready]")
    assert "margin 1.2\n" in figures(page, "CosFace")
    assert "threshold 0.000" in page.locator(".fx-enrol p.fx-figures").inner_text()
    page.close()


@pytest.mark.parametrize("name", ["03_triplet", "05_side_by_side", "07_unseen", "11_people"])
def test_one_who_comes_back_finds_controls_that_say_what_is_shown(browser, name):
    """A browser gives a page that is gone back to the values that its controls had, and not what they had led to."""
    values = "[...document.querySelectorAll('article :is(input, select)')].map((i) => [i.checked, i.value])"
    page = browser.new_page()
    page.goto((HTML / "notebooks" / f"{name}.html").as_uri())
    ready(page)
    untouched = page.evaluate(values)
    for control in page.locator("article input[type=range]:visible:enabled").all():
        control.press("End")
    for control in page.locator("article input[type=checkbox]:visible").all():
        control.click()
    for control in page.locator("article select:visible").all():
        control.select_option(index=1)
    assert page.evaluate(values) != untouched
    if page.locator(".fslviz-explorer").count():
        link(page)
    page.goto((HTML / "book/intro.html").as_uri())
    page.go_back()
    ready(page)
    found, url = page.evaluate(values), page.url
    page.close()
    page = browser.new_page()
    page.goto(url)  # anew, of what the address holds
    ready(page)
    assert found == page.evaluate(values)
    page.close()


def ready(page):
    page.wait_for_load_state()
    page.wait_for_function(
        """document.readyState === 'complete' && [...document.querySelectorAll('.fslviz-explorer')].every((root) =>
        'ready' in root.dataset && root.explorer.renderLoop.waiting === 0)"""
    )
