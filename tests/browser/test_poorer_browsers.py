"""The explorer where a browser has less, refuses something, or shows the page in another way."""

import base64
import io

import numpy as np
import pytest
from browser_helpers import ALL, PAGE, QUIET, SEVEN, STAR, canvas, figures, frame, lit, picture, strips, stroke
from PIL import Image

from fslviz.explorer import Explorer, pack

EXPLORER = "document.querySelector('.fslviz-explorer').explorer"
POLICY = "script-src 'self' 'unsafe-inline'"


def explored(page, expression):
    return page.evaluate(f"(e => {expression})({EXPLORER})")


def drawn(url):
    """The pixels (H, W, 4) of a data URL."""
    return np.array(Image.open(io.BytesIO(base64.b64decode(url.split(",")[1]))).convert("RGBA"))


# ---- without WebAssembly


@pytest.mark.parametrize("way", ["none", "forbidden"])
def test_without_webassembly_all_but_drawing_and_the_lab_works(opened, served, site, way):
    if way == "none":
        page = opened(script="delete window.WebAssembly")
    else:
        head = f'<head><meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        (site / "policy.html").write_text(PAGE.format(ALL).replace("<head>", head))
        page = opened("policy.html", base=served)
    note = page.locator(".fx-note:visible")
    why = {"none": "which this browser does not run", "forbidden": "which the security policy of this page forbids"}
    assert note.all_inner_texts() == [t for t in note.all_inner_texts() if why[way] in t]
    assert note.count() == 1
    assert page.locator(".fx-pad, .fx-lab").count() == 0
    page.get_by_role("button", name="highlight the digits 4").click()
    page.wait_for_selector(".fx-bar:has-text('digits highlighted')")
    page.get_by_label("CosFace margin").press("End")
    page.wait_for_selector("p.fx-figures:has-text('margin 1.2')")
    assert "FMR 1.0%" in page.locator(".fx-enrol p.fx-figures").inner_text()
    canvas(page, "Triplet").press("ArrowRight")
    canvas(page, "Triplet").press("Space")
    page.wait_for_selector(".fx-strip[aria-label^='a ']")
    page.locator("summary").click()
    page.get_by_label("how far it is bent").fill("0.5")
    page.wait_for_selector(f".fx-note:has-text('The networks need WebAssembly, {why[way]}')")


# ---- canvases


def test_where_no_canvas_is_given_it_is_said_and_the_rest_goes_on(opened):
    page = opened(
        script="""{ const own = HTMLCanvasElement.prototype, { getContext } = own; let count = 0;
        const given = new WeakSet(); window.refuses = true; own.getContext = function (...a) {
        if (!given.has(this) && refuses && ++count > 6) return null; given.add(this);
        return getContext.apply(this, a); }; }"""
    )
    frame(page)
    page.wait_for_selector(".fx-note:has-text('gives no canvas to draw on')")
    assert page.locator(".fx-note:visible").count() == 1
    page.get_by_label("CosFace margin").press("End")
    page.wait_for_function("document.body.innerText.includes('margin 1.2\\n')")
    page.evaluate("refuses = false")
    canvas(page, "CosFace").focus()
    page.keyboard.press("+")
    page.keyboard.press("ArrowRight")
    picture(page, "CosFace")
    assert drawn(canvas(page, "CosFace").evaluate("c => c.parentElement.querySelector('.fx-dots').toDataURL()")).any()


def test_another_scale_of_the_screen_is_drawn_sharp(opened):
    page = opened()
    picture(page, "Triplet")
    width = "document.querySelector('.fx-points').width"
    before = page.evaluate(width)
    screen = page.context.new_cdp_session(page)
    for scale in (2, 3):  # a pixel higher each time, or Chromium's emulation tells the page of nothing
        size = {"width": 1280, "height": 900 + scale, "deviceScaleFactor": scale, "mobile": False}
        screen.send("Emulation.setDeviceMetricsOverride", size)
        page.wait_for_function(f"{width} === {scale * before}")


@pytest.mark.parametrize("way", ["the picture under the pointer", "Save spaces"])
def test_a_picture_that_is_saved_is_what_one_sees(opened, way):
    page = opened(color_scheme="dark")
    page.get_by_label("show what each digit's template accepts").check()
    picture(page, "Contrastive")
    square = page.locator(".fx-square").first
    square.scroll_into_view_if_needed()
    if way == "Save spaces":
        with page.expect_download() as saved:
            page.get_by_role("button", name="Save spaces").click()
        sheet = np.array(Image.open(saved.value.path()).convert("RGBA"))
        side = sheet.shape[1] // 4
        found = sheet[-side:, :side]
    else:
        canvas(page, "Contrastive").click(button="right", position={"x": 60, "y": 60})
        found = drawn(canvas(page, "Contrastive").evaluate("c => c.toDataURL()"))
    assert (found[..., 3] == 255).all()
    square.scroll_into_view_if_needed()
    page.mouse.move(1, 1)
    frame(page)
    shot = np.array(Image.open(io.BytesIO(square.screenshot())).convert("RGB")).astype(int)[1:-1, 1:-1]
    # in blocks of 8 pixels, for a square may lie between two pixels; the bar of the scale is no part of the canvas
    blocks = [v[8:264, 8:296, :3].astype(int).reshape(32, 8, 36, 8, 3).mean((1, 3)) for v in (found, shot)]
    assert (np.abs(blocks[0] - blocks[1]).max(2) < 20).mean() > 0.98
    assert np.ptp(blocks[0], axis=(0, 1)).min() > 60  # and there is something on it


# ---- another direction, another size, paper


def test_a_page_from_right_to_left_does_not_mirror_a_slider_against_its_curve(opened, site):
    page = PAGE.format(ALL).replace('<html lang="en">', '<html lang="he" dir="rtl">')
    assert "rtl" in page
    (site / "rtl.html").write_text(page)
    page = opened("rtl.html")
    slider = page.get_by_label("CosFace margin")
    box = slider.bounding_box()
    page.mouse.click(box["x"] + 4, box["y"] + box["height"] / 2)
    page.wait_for_function("document.body.innerText.includes('margin 0\\n')")
    mark = page.get_by_role("region", name="CosFace space").locator(".fx-mark").bounding_box()
    assert abs(mark["x"] - box["x"]) < 15
    order = """() => { const p = document.querySelector('.fx-panel p.fx-figures'), at = (text) => {
        const range = document.createRange(), node = p.firstChild, i = node.data.indexOf(text);
        range.setStart(node, i); range.setEnd(node, i + text.length); return range.getBoundingClientRect().left; };
        return at('15') < at('NN') && at('NN') < at('EER'); }"""
    assert page.evaluate(order)


@pytest.mark.parametrize("name", ["all.html", "six.html", "two.html"])
def test_at_320_pixels_nothing_scrolls_sideways(opened, name):
    page = opened(name, width=320)
    if name == "all.html":
        stroke(page, SEVEN)
        page.wait_for_selector(".fx-row")
        page.locator("summary").click()
        page.wait_for_selector(".fx-pairing")
        page.get_by_role("button", name="Copy link").click()
    wide = """[...document.querySelectorAll('.fslviz-explorer *')].filter((n) => n.offsetParent &&
        n.getBoundingClientRect().right > 320.5 && !n.closest('svg, .fx-live, .fx-scale'))
        .map((n) => n.tagName + '.' + n.className)"""
    assert page.evaluate(wide) == []
    assert page.evaluate("document.documentElement.scrollWidth <= 320")


def test_paper_has_the_bars_of_the_distances(opened):
    page = opened()
    stroke(page, SEVEN)
    page.wait_for_selector(".fx-row")
    page.emulate_media(media="print")
    for part in ("in", "out", "track", "digit"):
        exact = page.locator(f".fx-{part}").first.evaluate("n => getComputedStyle(n).printColorAdjust")
        assert exact == "exact", part


# ---- parts that come late


def test_what_failed_can_be_asked_for_again(browser, served):
    page = browser.new_page()
    page.add_init_script(QUIET)
    page.route("**/explorer/manifest.js", lambda route: route.abort())
    page.goto(f"{served}/all.html")
    page.get_by_role("alert").wait_for()
    again = page.get_by_role("button", name="Try again")
    again.click()
    page.get_by_role("alert").wait_for()  # it still fails
    page.unroute("**/explorer/manifest.js")
    page.get_by_role("button", name="Try again").click()
    page.wait_for_selector(".fslviz-explorer[data-ready]")
    assert page.locator(".fx-grid .fx-points").count() == 4
    assert page.get_by_label("CosFace margin").get_attribute("max") == f"{len(pack.MARGINS['cosface']) - 1}"
    page.close()


def test_back_online_the_same_button_works(browser, served):
    page = browser.new_page()
    page.add_init_script(QUIET)
    page.goto(f"{served}/all.html")
    page.wait_for_selector(".fslviz-explorer[data-ready]")
    page.context.set_offline(True)
    page.get_by_label("CosFace margin").press("ArrowRight")
    page.wait_for_selector(".fx-trouble:has-text('it is missing')")
    page.context.set_offline(False)
    page.wait_for_function("navigator.onLine")
    page.get_by_label("CosFace margin").press("ArrowLeft")
    page.get_by_label("CosFace margin").press("ArrowRight")
    page.wait_for_function("document.body.innerText.includes('margin 0.15\\n15-NN')")
    page.close()


# ---- a notebook without its kernel

WIDGET = """<div id="place"></div><script type="module">
    const told = {}, options = {}; window.answers = false; window.asked = [];
    const model = { get: (name) => options[name], set() {}, save_changes() {}, on: (event, f) => told[event] = f,
        send({ part }) { asked.push(part); if (answers) answer(part); } };
    Object.assign(options, { losses: ['triplet', 'triplet-six'].slice(0, 1), margins: { triplet: 1 }, step: 1,
        threshold: null, selection: [], parts: 'margin' });
    window.answer = async (part) => { const text = await bytes(part);
        told['msg:custom']({ part }, [new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt()).buffer)]); };
    window.begin = (more) => fslvizExplorer.render({ model: Object.assign(model, more), el: place });
    window.sets = []; model.set = (name, value) => sets.push([name, value]);
    window.options = options;</script>"""


@pytest.fixture
def notebook(opened, site):
    (site / "notebook.html").write_text(PAGE.format(WIDGET))
    give = {"bytes": lambda part: base64.b64encode(pack.packed(part)).decode()}
    page = opened("notebook.html", ready=False, script=QUIET, functions=give)
    page.wait_for_function("!!window.begin")
    return page


def test_a_widget_whose_kernel_is_silent_says_so_and_goes_on_when_it_answers(notebook):
    page = notebook
    page.evaluate("begin(), 0")
    page.wait_for_selector(".fx-note:has-text('Loading')")
    page.wait_for_function("asked.length === 1")
    page.evaluate("settle()")  # five seconds
    page.wait_for_selector(".fx-note:has-text('The kernel has not answered yet')")
    page.evaluate("answers = true, asked.forEach(answer)")
    page.wait_for_selector(".fslviz-explorer[data-ready]")
    assert not page.locator(".fx-note").first.is_visible()
    page.evaluate("answers = false")
    page.get_by_label("Triplet margin").press("End")
    page.wait_for_function("asked.includes('triplet@16/points')")
    page.evaluate("settle()")
    page.wait_for_selector(".fx-note:has-text('The kernel has not answered yet')")
    page.evaluate("answer('triplet@16/points')")
    page.wait_for_selector(".fx-note", state="hidden")
    page.wait_for_function("document.body.innerText.includes('margin 16\\n')")


def test_a_widget_whose_kernel_is_busy_shows_what_came_with_it(notebook):
    widget = Explorer(["triplet"], ["margin"])
    sent = {name: base64.b64encode(part).decode() for name, part in widget.first.items()}
    page = notebook
    page.evaluate(
        """sent => { const view = (text) => new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt()).buffer);
        options.first = Object.fromEntries(Object.entries(sent).map(([name, text]) => [name, view(text)]));
        begin(); }""",
        sent,
    )
    page.wait_for_selector(".fslviz-explorer[data-ready]")
    assert figures(page, "Triplet").startswith("margin 1\n15-NN")
    assert explored(page, "e.panels.get('triplet').space.n") == pack.SHOWN
    assert "triplet@1/points" not in page.evaluate("asked")


def test_a_widget_of_six_digits_gives_python_no_margin_that_it_has_not(notebook):
    page = notebook
    page.evaluate(
        "answers = true, Object.assign(options, { losses: ['triplet-six', 'softmax-six'], margins: {} }), begin()"
    )
    page.wait_for_selector(".fslviz-explorer[data-ready]")
    assert figures(page, "Triplet of six digits").startswith("met 1 2 3 6 7 9\n15-NN")
    page.get_by_role("region", name="Triplet of six digits space").get_by_role("application").press("+")
    explored(page, "e.set({ moment: 0.5 }, false)")
    assert {name for name, _ in page.evaluate("sets")} == {"step"}
    assert lit(page) == 0


def test_a_symbol_is_enrolled_where_nothing_can_be_kept(notebook):
    page = notebook
    page.evaluate("answers = true, Object.assign(options, { parts: 'draw,enrol' }), begin(), 0")
    page.wait_for_selector(".fslviz-explorer[data-ready]")
    stroke(page, STAR)
    strips(page, "your drawing")
    page.get_by_role("button", name="Enrol this drawing").click()
    page.wait_for_selector("text=✶: 1 sample")
    assert page.evaluate("Object.keys(localStorage).length") == 0
