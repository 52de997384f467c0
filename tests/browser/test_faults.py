"""What misleads, slips or breaks: each kind of fault as a reader would meet it, in a real browser."""

import io
import re

import numpy as np
import pytest
from browser_helpers import (
    ALL,
    PAGE,
    QUIET,
    SEVEN,
    STAR,
    canvas,
    figures,
    frame,
    link,
    pad_at,
    picture,
    pixel_of,
    settled,
    strip,
    strips,
    stroke,
    touch,
)
from PIL import Image

import fslviz
from fslviz import explorer
from fslviz.explorer import pack

FALSE = {
    "all 255": "d.data.fill(255); return d",
    "all 0": "d.data.fill(0); return d",
    "noise": "d.data.forEach((v, i) => d.data[i] = Math.random() * 255); return d",
    "throwing": "throw new DOMException('guarded')",
}


def explored(page, expression):
    return page.evaluate(f"(e => {expression})(document.querySelector('.fslviz-explorer').explorer)")


def spaces(page):
    return [strip(page, loss) for loss in ("Contrastive", "Triplet", "Softmax", "CosFace")]


# ---- a canvas that lies


@pytest.mark.parametrize("lie", FALSE)
def test_a_browser_that_falsifies_its_canvas_reads_the_same(opened, lie):
    page = opened()
    stroke(page, SEVEN)
    strips(page, "your drawing")
    honest = [settled(page), *spaces(page), page.locator(".fx-verdict").inner_text()]
    page = opened(
        script=f"""for (const kind of [CanvasRenderingContext2D, OffscreenCanvasRenderingContext2D]) {{
        const read = kind.prototype.getImageData; kind.prototype.getImageData = function (...a) {{
        const d = read.apply(this, a); {FALSE[lie]}; }}; }}"""
    )
    stroke(page, SEVEN)
    strips(page, "your drawing")
    assert [settled(page), *spaces(page), page.locator(".fx-verdict").inner_text()] == honest
    assert honest[-1] == "Accepted as 7: within the threshold."


# ---- hands


@pytest.mark.parametrize("name", ["all.html", "two.html"])
def test_a_swipe_that_begins_on_a_space_scrolls_the_page(opened, name):
    page = opened(name, width=390, has_touch=True, is_mobile=True)
    canvas(page, "CosFace").scroll_into_view_if_needed()
    page.evaluate("document.body.style.paddingBottom = '900px'")
    before = picture(page, "CosFace")
    box, top = canvas(page, "CosFace").bounding_box(), page.evaluate("scrollY")
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    touch(page, [(x + i, y - 12 * i) for i in range(14)])
    page.wait_for_function(f"scrollY > {top + 60}")
    assert picture(page, "CosFace") == before
    assert explored(page, "e.state.pins.length") == 0


def test_a_space_is_held_by_its_own_button_alone(opened):
    page = opened()
    before = picture(page, "Triplet")
    x, y = (v + 70 for v in pixel_of(page, "triplet", 17))
    page.mouse.move(x, y)
    for button in ("right", "middle"):
        page.mouse.down(button=button)
        page.mouse.move(x + 60, y + 30, steps=4)
        page.mouse.up(button=button)
        page.keyboard.press("Escape")
        page.mouse.move(x, y, steps=2)
    page.mouse.move(1, 1)
    assert picture(page, "Triplet") == before
    # a button that was let go where no event told of it
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 20, y, steps=2)
    page.evaluate("document.querySelectorAll('.fx-points')[1].dispatchEvent(new Event('contextmenu'))")
    held = explored(page, "e.state.views.triplet.x")
    page.mouse.move(x + 60, y, steps=4)
    assert explored(page, "e.state.views.triplet.x") == held
    page.mouse.up()


@pytest.mark.parametrize("points", [[(0.5, 0.5)], [(0.5, 0.5), (0.51, 0.51)]])
def test_a_dot_is_no_drawing(opened, points):
    page = opened()
    stroke(page, points)
    settled(page)
    page.get_by_role("button", name="Enrol this drawing").click()
    assert "Draw something first" in page.locator(".fx-verdict").inner_text()
    page.mouse.move(*pad_at(page, 0.5, 0.5))
    page.mouse.down()  # nor while it is held
    settled(page)
    assert "Accepted" not in page.locator(".fx-verdict").inner_text()
    page.mouse.up()


# ---- what is shown, and what is said of it


def test_figures_belong_to_what_is_shown(opened):
    page = opened()
    page.get_by_label("place in the training").press("Home")
    page.wait_for_function("document.querySelector('.fx-training p').innerText.startsWith('0 images')")
    along = pack.manifest()["spaces"]["triplet@1"]["along"]
    assert figures(page, "Triplet") == f"margin 1, after 0 images\n1-NN {100 * along[0]:.1f}% of 1,000"
    assert "15-NN" not in page.locator(".fx-grid").inner_text().replace("15-NN error", "")


@pytest.mark.parametrize("parts", [["margin"], ["draw", "enrol"], []])
def test_every_state_can_be_left(opened, site, parts):
    """A link may set what a page has no control for: it is said, and Reset leads back."""
    (site / "plain.html").write_text(PAGE.format(explorer.mount(["triplet", "cosface"], parts)))
    usual = figures(opened("plain.html"), "CosFace")
    page = opened("plain.html#explorer=v2;show:softmax,cosface@1.2;step:0;lit:classes,1;view:cosface,0,0,3;pin:2,3")
    assert figures(page, "CosFace").startswith("margin 1.2, after 0 images")
    page.get_by_role("button", name="Reset").click()
    canvas(page, "Triplet").wait_for()
    page.wait_for_function("t => document.body.innerText.includes(t)", arg=usual)
    assert figures(page, "CosFace") == usual
    assert page.url.endswith("plain.html")
    page.go_back()  # to the view before
    canvas(page, "Softmax").wait_for()
    assert figures(page, "CosFace").startswith("margin 1.2, after 0 images")
    page.go_forward()
    canvas(page, "Triplet").wait_for()


def test_a_threshold_belongs_to_one_network(opened):
    page = opened()
    said = page.locator(".fx-enrol p.fx-figures")
    usual = said.inner_text()
    page.get_by_label("threshold").press("End")
    page.wait_for_function("t => document.querySelector('.fx-enrol p.fx-figures').innerText !== t", arg=usual)
    moved = said.inner_text()
    page.get_by_label("Contrastive margin").press("End")
    page.wait_for_function("document.body.innerText.includes('margin 16\\n')")
    page.wait_for_function("document.querySelector('.fx-enrol p.fx-figures').innerText.includes('FMR 1.0%')")
    page.get_by_label("Contrastive margin").fill("4")
    page.wait_for_function("t => document.querySelector('.fx-enrol p.fx-figures').innerText === t", arg=moved)
    page.get_by_role("button", name="Contrastive").click()  # and goes with its space
    page.wait_for_function("document.querySelector('.fx-enrol p.fx-figures').innerText.includes('FMR 1.0%')")
    assert "threshold" not in page.url


def test_a_verdict_stands_beside_the_drawing_alone(opened):
    page = opened()
    stroke(page, SEVEN)
    page.wait_for_selector(".fx-verdict:has-text('Accepted as 7')")
    page.get_by_label("place in the training").press("Home")
    page.wait_for_selector(".fx-verdict:has-text('go to the end of the training')")
    assert page.locator(".fx-row").count() == 0
    page.get_by_label("place in the training").press("End")
    page.wait_for_selector(".fx-verdict:has-text('Accepted as 7')")


def test_a_collapsed_space_has_distances_all_the_same(opened):
    page = opened("all.html#explorer=v2;show:contrastive@0,triplet@1")
    stroke(page, SEVEN)
    page.wait_for_selector(".fx-row")
    shown = [row.inner_text().split()[-1] for row in page.locator(".fx-row").all()]
    assert len(set(shown)) > 1
    assert all(0 < float(d) < 0.001 for d in shown)
    threshold = page.locator(".fx-enrol p.fx-figures").inner_text().split()[1]
    page.get_by_label("threshold").press("ArrowRight")
    again = opened(link(page))
    assert float(again.locator(".fx-enrol p.fx-figures").inner_text().split()[1]) > float(threshold) > 0


# ---- the address


def test_an_encoded_address_is_read(opened):
    for text in (
        "explorer%3Dv2%3Bshow%3Acosface%401.2",
        "explorer=v2%3Bshow%3Acosface%401.2",
        "explorer=v2%253Bstep:0.5",
    ):
        page = opened(f"all.html#{text}")
        assert "margin 1.2\n" in figures(page, "CosFace") or explored(page, "e.state.moment") == 0.5
        assert not page.locator(".fx-note").is_visible()


def test_the_address_of_a_heading_is_left_alone(opened):
    page = opened("all.html#a-heading")
    page.get_by_role("button", name="highlight the digits 4").click()
    page.evaluate(
        "new Promise((told) => { addEventListener('hashchange', told); location.hash = 'another'; }).then(() => 0)"
    )
    assert page.get_by_role("button", name="highlight the digits 4").get_attribute("aria-pressed") == "true"
    page.go_back()
    page.wait_for_url("**#explorer=v2;lit:classes,4")


def test_a_lasso_s_link_is_short_and_says_how_many(opened):
    page = opened()
    page.get_by_role("button", name="Lasso").click()
    box = canvas(page, "Triplet").bounding_box()
    middle = np.array([box["x"] + box["width"] / 2, box["y"] + box["height"] / 2])
    page.mouse.move(*(middle + [box["width"] * 0.45, 0]))
    page.mouse.down()
    for angle in np.linspace(0, 6.2, 120):
        page.mouse.move(*(middle + box["width"] * 0.45 * np.array([np.cos(angle), np.sin(angle)])))
    page.mouse.up()
    page.wait_for_function("document.querySelector('.fslviz-explorer').explorer.loader.selected?.size > 3000")
    count = explored(page, "e.loader.selected.size")
    assert f"{count:,} digits highlighted" in page.locator(".fslviz-explorer").inner_text()
    first = link(page)
    assert len(first) < 500
    assert f",{count}," in first
    page.get_by_label("Triplet margin").press("End")  # the digits stay those, wherever they go
    other = opened(link(page))
    assert explored(other, "e.loader.selected.size") == count
    wrong = opened(first.replace(f",{count},", ",7,"))
    assert f"selected 7 digits when it was drawn; here it selects {count}" in wrong.locator(".fx-note").inner_text()


# ---- the size of things


def test_the_scale_bar_follows_the_square(opened):
    page = opened()
    length = "document.querySelector('.fx-scale i').getBoundingClientRect().width"
    width = "document.querySelector('.fx-square').getBoundingClientRect().width"
    before, wide = page.evaluate(length) / page.evaluate(width), page.evaluate(width)
    page.set_viewport_size({"width": 390, "height": 800})
    page.wait_for_function(f"{width} < {wide} && Math.abs({length} / {width} / {before} - 1) < 0.03")


def test_large_text_gets_one_column(opened):
    page = opened(width=390)
    columns = "new Set([...document.querySelectorAll('.fx-panel')].map((p) => p.getBoundingClientRect().left)).size"
    assert page.evaluate(columns) == 2
    page.add_style_tag(content="html { font-size: 200% }")
    page.wait_for_function(f"{columns} === 1")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    pad = page.get_by_role("application", name="Drawing pad").bounding_box()
    assert pad["x"] + pad["width"] <= 390


def test_all_is_in_view_at_once(opened):
    page = opened(width=1240)
    top = page.locator(".fx-bar").first.bounding_box()["y"]
    pad = page.get_by_role("application", name="Drawing pad").bounding_box()
    assert pad["y"] + pad["height"] - top < 900


# ---- a part that is missing


@pytest.mark.parametrize(
    ("part", "where"),
    [
        ("digits", ".fx-hint"),
        ("known", ".fx-hint"),
        ("contrastive@1.net", ".fx-verdict"),
        ("cosface@0.1.net", "section[aria-label='CosFace space'] .fx-hint"),
        ("cosface@0.15.points", "section[aria-label='CosFace space'] .fx-trouble"),
        ("triplet@1.trail", "section[aria-label='Triplet space'] .fx-trouble"),
        ("softmax.points", "section[aria-label='Softmax space'] .fx-trouble"),
        ("contrastive@1.known", ".fx-verdict"),
    ],
)
def test_a_missing_part_is_said_where_it_lacks(browser, served, part, where):
    page, thrown, asked = browser.new_page(viewport={"width": 1280, "height": 900}), [], []
    page.add_init_script(QUIET)  # nothing is asked for again but by a hand
    page.on("pageerror", lambda e: thrown.append(str(e)))
    page.on("request", lambda r: asked.append(r.url))
    page.route(f"**/explorer/{part}.js", lambda route: route.abort())
    page.goto(f"{served}/all.html")
    page.wait_for_selector(".fslviz-explorer[data-ready]")
    with page.expect_request("**/cosface@0.15.points.js"):
        page.get_by_label("CosFace margin").press("ArrowRight")
    page.get_by_label("CosFace margin").press("ArrowLeft" if "0.15" not in part else "Shift")
    with page.expect_request("**/triplet@1.trail.js"):
        page.get_by_role("button", name="Play").click()
    page.get_by_role("button", name="Pause").click()
    if "trail" not in part:
        stroke(page, SEVEN)
    if part == "digits":
        canvas(page, "Triplet").focus()
        page.keyboard.press("ArrowRight")
    name = (
        part.replace(".net", "/net")
        .replace(".points", "/points")
        .replace(".trail", "/trail")
        .replace(".known", "/known")
    )
    page.wait_for_selector(f'{where}:has-text("can\'t be read: {name} (it is missing)")')
    assert page.get_by_role("alert").count() == 0
    assert not thrown
    if part.endswith((".points", ".trail")):  # nothing is shown for what it is not
        assert explored(page, f"e.panels.get('{part.split('.')[0].split('@')[0]}').space.n") == 0
    assert sum(url.endswith(f"/{part}.js") for url in asked) <= 2
    page.get_by_label("Triplet margin").press("End")  # the rest works
    page.wait_for_function("document.body.innerText.includes('margin 16')")
    page.close()


# ---- colours


@pytest.mark.parametrize(
    ("ground", "ink", "dark"),
    [
        ("oklch(1 0 0)", "black", False),
        ("color(srgb 1 1 1)", "black", False),
        ("lab(100 0 0)", "oklch(0.2 0 0)", False),
        ("color-mix(in oklab, white 95%, blue)", "black", False),
        ("rgba(0, 0, 0, 0.04)", "black", False),
        ("hsl(0 0% 100% / none)", "black", False),
        ("oklch(0.2 0.02 250)", "oklch(0.9 0 0)", True),
        ("color(display-p3 0.05 0.05 0.1)", "color(srgb 0.9 0.9 0.9)", True),
        ("rgb(0 0 0 / 0.95)", "lab(90 0 0)", True),
    ],
)
def test_colours_are_taken_as_they_are_painted(opened, ground, ink, dark):
    page = opened()
    page.add_style_tag(content=f"body {{ background: {ground} !important; color: {ink} !important }}")
    page.evaluate("document.documentElement.dataset.theme = 'changed'")
    canvas(page, "Triplet").focus()
    page.keyboard.press("ArrowRight")
    picture(page, "Triplet")
    assert page.evaluate("document.querySelector('.fslviz-explorer').classList.contains('fx-dark')") == dark
    frame(page)
    brightest = page.evaluate(
        """() => { const c = document.querySelector('.fx-strip'), d = c.getContext('2d')
        .getImageData(0, 0, c.width, c.height).data; let sum = 0, n = 0;
        for (let i = 0; i < d.length; i += 4) if (d[i + 3] > 200) { sum += d[i]; n++; } return n && sum / n; }"""
    )
    assert (brightest > 180) if dark else (0 <= brightest < 80), brightest


def test_in_a_shadow_root_it_has_its_look_and_its_focus(opened, site):
    (site / "shadow.html").write_text(
        PAGE.format(
            f"""<div id="host"></div><template>{ALL}</template><script type="module">
        const root = document.querySelector('#host').attachShadow({{ mode: 'open' }});
        root.append(document.querySelector('template').content.cloneNode(true));
        const place = root.querySelector('div'), options = JSON.parse(place.dataset.options), told = {{}};
        const arrived = {{}}; window.fslvizPart = (name, text) => arrived[name] = text;
        const model = {{ get: (name) => name === 'parts' ? options.parts.join() : options[name], set() {{}},
            save_changes() {{}}, on: (event, f) => told[event] = f, send: async ({{ part }}) => {{
            const bytes = await window.bytes(part); told['msg:custom']({{ part }}, [new DataView(Uint8Array.from(
            atob(bytes), (c) => c.charCodeAt()).buffer)]); }} }};
        fslvizExplorer.render({{ model, el: place }});</script>"""
        )
    )
    page = opened(
        "shadow.html",
        ready=False,
        functions={"bytes": lambda part: explorer.base64.b64encode(pack.packed(part)).decode()},
    )
    page.wait_for_selector("#host .fslviz-explorer[data-ready]")
    assert page.locator("#host .fx-grid").evaluate("g => getComputedStyle(g).display") == "grid"
    assert not page.evaluate("document.querySelector('head style.fx-explorer')")
    zoom = (
        "document.querySelector('#host').shadowRoot.querySelector('.fslviz-explorer').explorer.state.views.triplet.zoom"
    )
    space = page.get_by_role("application", name="Triplet space")
    space.focus()
    box = space.bounding_box()
    page.mouse.move(box["x"] + 50, box["y"] + 50)
    page.mouse.wheel(0, -200)
    page.wait_for_function(f"{zoom} > 1.2")  # the wheel is the space's while it has the focus


# ---- access


def test_one_change_is_told_when_something_has_settled(opened):
    page = opened(script=QUIET)
    page.evaluate(
        """() => { window.told = []; for (const live of document.querySelectorAll('[role=status], [aria-live], output'))
        new MutationObserver(() => window.told.push(live.textContent)).observe(live, { subtree: true,
        childList: true, characterData: true }); }"""
    )

    def heard():
        frame(page)
        page.evaluate("settle()")
        return page.evaluate("window.told.splice(0)")

    stroke(page, SEVEN)
    page.wait_for_selector(".fx-verdict:has-text('Accepted as 7')")
    told = heard()
    assert len(told) == 1
    assert "Accepted as 7" in told[0]
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("document.querySelector('.fslviz-explorer').explorer.state.moment < 1")
    page.wait_for_function("document.querySelector('.fslviz-explorer').explorer.state.moment === 1")
    assert len(heard()) <= 2
    canvas(page, "CosFace").focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    told = heard()
    assert len(told) == 1
    assert re.search(r"a \d; nearest: \d", told[0])


def test_the_focus_goes_to_a_neighbour(opened):
    page = opened()
    focus = lambda: page.evaluate("document.activeElement.ariaLabel || document.activeElement.textContent")  # noqa: E731
    for name in ("one", "two"):
        stroke(page, STAR)
        page.get_by_label("name of the symbol").fill(name)
        page.get_by_role("button", name="Enrol this drawing").press("Enter")
        page.wait_for_selector(f".fx-chip:has-text('{name}')")
    page.get_by_role("button", name="forget one").press("Enter")
    page.wait_for_function("document.querySelectorAll('[aria-label^=forget]').length === 1")
    assert "two" in focus()
    page.get_by_role("button", name="forget two").press("Enter")
    page.wait_for_function("document.querySelectorAll('[aria-label^=forget]').length === 0")
    assert focus() == "name of the symbol"
    canvas(page, "Softmax").focus()
    page.evaluate("location.hash = 'explorer=v2;show:contrastive@1,cosface@0.1'")
    canvas(page, "Softmax").wait_for(state="detached")
    assert "CosFace space" in focus()
    page.get_by_role("button", name="ArcFace").press("Enter")
    canvas(page, "ArcFace").wait_for()
    assert focus() == "ArcFace"


def test_forced_colours_are_legible(opened):
    page = opened(forced_colors="active")
    stroke(page, SEVEN)
    page.wait_for_selector(".fx-row")

    def seen(selector):
        """The picture of an element as it is on the screen."""
        shot = page.locator(selector).first.screenshot()
        return np.array(Image.open(io.BytesIO(shot)).convert("RGB")).astype(int)

    for bar, track in (("in", 0), ("out", 5)):
        picture = seen(f".fx-row:nth-child({track + 1}) .fx-track")
        middle = picture[len(picture) // 2]
        left, right = middle[6], middle[-6]
        assert np.abs(left - right).max() > 60, bar  # where the bar is, and where it has ended
    assert np.ptp(seen(".fx-key .fx-genuine").reshape(-1, 3), axis=0).max() > 100
    assert np.ptp(seen(".fx-digit").reshape(-1, 3), axis=0).max() > 100


# ---- names


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("MMMMMMMMMMMM", "MMMMMMMMMMMM"),
        ("\u202eevil", "evil"),
        ("<b>&amp;</b>", "<b>&amp;</b>"),
        ("שלום", "שלום"),
        ("👩‍💻", "👩‍💻"),
        ("\u200b", None),
        ("\u202e\u200b ", None),
        ("\u2800", None),
        ("\u3164", None),
        ("\u0301", None),
        ("７", None),
    ],
)
def test_names(opened, name, taken):
    page = opened()
    stroke(page, STAR)
    strips(page, "your drawing")
    page.get_by_label("name of the symbol").fill(name)
    page.get_by_role("button", name="Enrol this drawing").click()
    if taken is None:
        page.wait_for_function("/visible name|another name/.test(document.querySelector('.fx-verdict').innerText)")
        assert page.locator("[aria-label^=forget]").count() == 0
        return
    page.wait_for_selector("[aria-label^=forget]")
    stroke(page, STAR)
    page.wait_for_selector(".fx-row")
    row = page.locator(".fx-row").filter(has=page.locator(f'.fx-name[title="{taken}"]'))
    named, track = row.locator(".fx-name"), row.locator(".fx-track")
    assert named.inner_text() == taken
    assert named.bounding_box()["x"] + named.bounding_box()["width"] <= track.bounding_box()["x"]
    page.wait_for_function("getComputedStyle(document.querySelector('.fx-verdict bdi')).unicodeBidi === 'isolate'")
    assert page.locator(".fx-verdict b, .fx-row b").count() == 0


# ---- weight, speed and paper


def test_only_what_has_changed_is_painted_again(opened, site):
    """Seven losses on a phone: a frame that moves a mark lays no dots; benchmarks/lab.py says what a frame takes."""
    (site / "seven.html").write_text(PAGE.format(explorer.mount(list(pack.MARGINS), explorer.PARTS)))
    count = """{ window.laid = {}; const own = CanvasRenderingContext2D.prototype, { clearRect, putImageData } = own;
    const tell = (c) => { laid[c.className] = (laid[c.className] ?? 0) + 1; };
    own.clearRect = function (...at) { tell(this.canvas); clearRect.apply(this, at); };
    own.putImageData = function (...at) { tell(this.canvas); putImageData.apply(this, at); };
    const now = performance.now.bind(performance); performance.now = () => 20 * now(); }"""  # a machine that slow
    page = opened("seven.html", width=390, device_scale_factor=3, script=count)
    canvas(page, "Contrastive").focus()
    page.keyboard.press("ArrowRight")
    picture(page, "Contrastive")
    seen = explored(page, "[...e.panels.values()].filter((p) => p.inSight).length")
    page.evaluate("laid = {}")
    for _ in range(5):
        page.keyboard.press("ArrowRight")
        frame(page)
    laid = page.evaluate("laid")
    assert laid["fx-points"] >= 5
    assert "fx-dots" not in laid
    assert "fx-under" not in laid
    page.keyboard.press("+")
    page.wait_for_function(
        """(e => e.renderLoop.waiting === 0 && e.panels.get('contrastive').painter.view.zoom > 1)
        (document.querySelector('.fslviz-explorer').explorer)"""
    )
    assert 1 <= page.evaluate("laid['fx-dots']") <= seen
    stale = (
        "[...e.panels.values()].filter((p) => p.inSight && JSON.stringify(p.painter.view) !=="
        "JSON.stringify(e.viewOf(p.loss))).map((p) => p.loss)"
    )
    assert explored(page, stale) == []  # what waited for the next frame has come


def test_dark_pages_print_dark_on_white(opened):
    page = opened(color_scheme="dark")
    stroke(page, SEVEN)
    page.wait_for_selector(".fx-row")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print", color_scheme="dark")
    shade = """() => { const c = document.querySelector('.fx-strip'), d = c.getContext('2d')
        .getImageData(0, 0, c.width, c.height).data; let most = 0;
        for (let i = 0; i < d.length; i += 4) if (d[i + 3] > 200) most = Math.max(most, d[i]); return most; }"""
    page.wait_for_function(f"({shade})() < 80")
    assert not page.evaluate("document.querySelector('.fslviz-explorer').classList.contains('fx-dark')")
    dots = """() => { const c = document.querySelector('.fx-points'), d = c.getContext('2d')
        .getImageData(0, 0, c.width, c.height).data; let n = 0;
        for (let i = 0; i < d.length; i += 4) n += d[i + 3] > 50; return n / (d.length / 4); }"""
    assert page.evaluate(dots) > 0.08  # the layer that Chromium prints opaque holds those under it
    assert page.locator(".fx-panel").first.evaluate("p => getComputedStyle(p).breakInside") == "avoid"
    page.emulate_media(media="screen", color_scheme="dark")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    page.wait_for_function("document.querySelector('.fslviz-explorer').classList.contains('fx-dark')")


# ---- the notebook's side


def test_a_page_opens_with_the_state_that_python_gave(opened, site):
    place = explorer.mount(["cosface", "triplet"], ["draw", "enrol"], {"cosface": 0.8}, 1.0, 0.25, [3, 5])
    (site / "state.html").write_text(PAGE.format(place))
    page = opened("state.html")
    assert "margin 0.8\n" in figures(page, "CosFace")
    assert "threshold 0.250" in page.locator(".fx-enrol p.fx-figures").inner_text()
    assert explored(page, "[...e.loader.selected]") == [3, 5]
    shown = fslviz.Explorer(["cosface"], step=0.25, threshold=np.float32(0.5), selection=np.array([7]))
    assert "&quot;step&quot;: 0.25" in shown._repr_mimebundle_()[0]["text/html"]
