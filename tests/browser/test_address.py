"""The address: what it takes, what it holds, where Back leads, and what a reader has enrolled."""

import re

import numpy as np
import pytest
from browser_helpers import (
    PAGE,
    QUIET,
    SEVEN,
    STAR,
    canvas,
    figures,
    frame,
    link,
    lit,
    pad_at,
    picture,
    settled,
    strips,
    stroke,
)

from fslviz import explorer

EXPLORER = "document.querySelector('.fslviz-explorer').explorer"
LINK = "explorer=v2;show:contrastive@1,triplet@1,softmax,cosface@1.2;lit:classes,4,9"


def explored(page, expression):
    return page.evaluate(f"(e => {expression})({EXPLORER})")


def idle(page):
    """Once the state is loaded and painted."""
    page.evaluate(f"{EXPLORER}.update(false)")
    frame(page)


# ---- Back


def test_back_after_a_link_leads_to_the_page_as_it_was_opened(opened):
    page = opened()
    page.evaluate(f"location.hash = '{LINK}'")
    page.wait_for_function(f"{EXPLORER}.loader.selected?.size > 900")
    assert figures(page, "CosFace").startswith("margin 1.2\n")
    page.go_back()
    page.wait_for_function(f"{EXPLORER}.loader.selected === null")
    page.wait_for_function("document.body.innerText.includes('margin 0.1\\n')")
    assert "#" not in page.url
    page.go_forward()
    page.wait_for_function(f"{EXPLORER}.loader.selected?.size > 900")


def test_back_to_a_heading_leads_to_the_view_that_was_there(opened):
    page = opened()
    page.get_by_role("button", name="highlight the digits 4").click()
    page.evaluate("location.hash = 'a-heading'")
    page.evaluate(f"location.hash = '{LINK}'")
    page.wait_for_function(f"{EXPLORER}.loader.selected?.size > 900")
    page.go_back()
    page.wait_for_function(f"{EXPLORER}.loader.selected?.size < 600")
    assert page.url.endswith("#a-heading")
    page.go_back()
    page.wait_for_url("**#explorer=v2;lit:classes,4")
    assert lit(page) < 600


@pytest.mark.parametrize("way", ["a link", "the address"])
def test_a_heading_gone_to_while_a_slider_settles_keeps_its_address(opened, way):
    """A slider is written 150 ms after it has moved: a link pressed meanwhile leads where it says."""
    page = opened()
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<a href=\"#a-heading\">there</a>')")
    go = (
        "document.querySelector('a[href=\"#a-heading\"]').click()" if way == "a link" else "location.hash = 'a-heading'"
    )
    page.evaluate(
        f"""async () => {{ const slider = document.querySelector('[aria-label="CosFace margin"]');
        slider.value = 8; slider.dispatchEvent(new Event('input')); {go};
        await new Promise((r) => setTimeout(r, 400)); }}"""
    )
    assert page.url.endswith("#a-heading")
    page.wait_for_function("document.body.innerText.includes('margin 1.2\\n')")
    if way == "a link":
        page.go_back()
        page.wait_for_url("**#explorer=v2;show:*cosface@1.2")
        assert figures(page, "CosFace").startswith("margin 1.2\n")


@pytest.mark.parametrize("way", ["refused", "ignored"])
def test_where_the_browser_takes_no_more_places_the_page_goes_on(opened, way):
    deaf = "throw new DOMException('', 'SecurityError')" if way == "refused" else ""
    page = opened(
        script=f"""{QUIET} {{ const own = History.prototype, {{ pushState, replaceState }} = own; window.full = false;
        own.pushState = function (...a) {{ if (!window.full) return pushState.apply(this, a); {deaf} }};
        own.replaceState = function (...a) {{ if (!window.full) return replaceState.apply(this, a); {deaf} }}; }}"""
    )
    page.evaluate("full = true")
    page.get_by_role("button", name="highlight the digits 4").click()
    page.wait_for_function(f"{EXPLORER}.loader.selected?.size > 300")
    page.get_by_label("CosFace margin").press("End")
    page.wait_for_function("document.body.innerText.includes('margin 1.2\\n')")
    assert "#" not in page.url
    page.evaluate("new Promise((r) => setTimeout(r, 300))")  # the slider's own time
    page.evaluate("full = false")
    page.evaluate("settle()")
    assert "lit:classes,4" in link(page)
    page.go_back()
    page.wait_for_function(f"{EXPLORER}.loader.selected === null")


# ---- what is taken, and what is not


@pytest.mark.parametrize("behind", [".", ")", "].", "#top", ").#top", "!", '"'])
def test_what_stands_behind_a_link_is_left_out(opened, behind):
    page = opened(f"all.html#explorer=v2;step:0.5;lit:classes,3{behind}")
    assert page.get_by_role("button", name="highlight the digits 3").get_attribute("aria-pressed") == "true"
    assert explored(page, "e.state.moment") == 0.5
    assert not page.locator(".fx-note").is_visible()


@pytest.mark.parametrize(
    "text",
    [
        "view:triplet,500,500,40",
        "view:triplet,0,-4.1,2",
        "lit:classes",
        "lit:classes,3,03",
        "lit:digits",
        "lit:around,softmax,0.5,4999",
        "lit:loop,triplet@1,0.5,1001,0,0,1,1,0,1",
        "lit:loop,triplet@1,1,0,0,0,1,1,0,1",
        "show:contrastive-six,contrastive@1",
        "show:contrastive-six",
        "own:w4k",
        "own:w4k.AA",
        "own:w4k.A?A",
        "own:NQ.AAAAAB",  # a digit's name
        "own:IA.AAAAAB",  # nothing to be seen
        "own:4oCuZXZpbA.AAAAAB",  # what bends the text around it
        "own:eA.AAAAAB,eA.AAAAAB",
        "own:eA" + 6 * ".AAAAAB",
        "own:_w.AAAAAB",  # no UTF-8
        "own:eA.~AAA",
        "drawing:AA",
        "drawing:AAA,AAA",
        "drawing:" + 1400 * "AAA",
    ],
)
def test_nonsense_is_left_aside(opened, text):
    page = opened(f"all.html#explorer=v2;{text}")
    assert "could not be read" in page.locator(".fx-note").inner_text()
    assert explored(page, "JSON.stringify(e.state) === JSON.stringify(e.initial)")


def test_what_a_hand_reaches_a_link_takes(opened):
    """However far and early a view is moved, it is one that a link can tell."""
    page = opened(
        script="window.requestAnimationFrame = ((own) => (f) => window.held ? 1 : own(f))(requestAnimationFrame)"
    )
    canvas(page, "Triplet").scroll_into_view_if_needed()
    page.evaluate("held = true")
    explored(page, "e.set({ losses: [...e.state.losses, 'arcface'], together: false }, false)")
    page.wait_for_selector("section[aria-label='ArcFace space']")
    page.evaluate(
        """() => { const over = document.querySelector("section[aria-label='ArcFace space'] .fx-points");
        const box = over.getBoundingClientRect();
        over.dispatchEvent(new WheelEvent('wheel', { deltaY: -300, ctrlKey: true, bubbles: true, cancelable: true,
        clientX: box.left + box.width / 4, clientY: box.top + box.height / 4 })); }"""
    )
    view = explored(page, "e.state.views.arcface")
    # what lay under the pointer, a quarter from the edges, stays there: at e times the zoom
    assert [view["x"], view["y"]] == pytest.approx(np.array([-0.5, 0.5]) / 0.82 * (1 - 1 / np.e), abs=0.01)
    page.evaluate("held = false")
    explored(page, "e.paint()")
    canvas(page, "Triplet").focus()
    for _ in range(80):
        page.keyboard.press("Shift+ArrowRight")
    assert explored(page, "e.state.views.triplet.x") == 4
    other = opened(link(page))
    assert not other.locator(".fx-note").is_visible()
    assert explored(other, "e.state.views.triplet.x") == 4


def test_a_threshold_beyond_all_accepts_all_that_is_drawn(opened):
    """A slider ends at a top of its own; what is accepted is by the threshold itself."""
    page = opened("all.html#explorer=v2;threshold:contrastive@1,100;areas:ten")
    idle(page)
    drawn = explored(
        page,
        "e.gallery.marks({ loss: 'contrastive', areas: true }, e.panels.get('contrastive').space, () => '#000').areas",
    )
    assert {area["reach"] for area in drawn} == {100}
    assert "threshold 100.000 · FMR 100.0% · FNMR 0.0%" in page.locator(".fx-enrol p.fx-figures").inner_text()


# ---- a lasso


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_lasso_drawn_round_and_round_holds_what_lies_within(opened, turns):
    page = opened()
    page.get_by_role("button", name="Lasso").click()
    box = canvas(page, "Triplet").bounding_box()
    middle = np.array([box["x"] + box["width"] / 2, box["y"] + box["height"] / 2])
    page.mouse.move(*(middle + [box["width"] * 0.45, 0]))
    page.mouse.down()
    for angle in np.linspace(0, 2 * np.pi * turns, 60 * turns):
        page.mouse.move(*(middle + box["width"] * 0.45 * np.array([np.cos(angle), np.sin(angle)])))
    page.mouse.up()
    page.wait_for_function(
        f"{EXPLORER}.loader.selected && {EXPLORER}.loader.answered === JSON.stringify({EXPLORER}.state.selection)"
    )
    places = np.array(explored(page, "[...e.panels.get('triplet').space.target]")).reshape(-1, 2)
    within = (np.linalg.norm(places, axis=1) < 0.9 / 0.82).sum()
    assert lit(page) == pytest.approx(within, rel=0.03)


# ---- the training, and the pad beside it


def test_a_pen_that_draws_nothing_leaves_the_training_where_it_is(opened):
    page = opened()
    page.get_by_label("place in the training").fill("0.5")
    pad = page.get_by_role("application", name="Drawing pad")
    pad.focus()
    for key in ("ArrowLeft", "Backspace", "Delete"):
        page.keyboard.press(key)
        frame(page)
    page.get_by_role("button", name="Clear").click()
    page.get_by_role("button", name="Undo").click()
    page.mouse.click(*pad_at(page, 0.5, 0.5))
    frame(page)
    assert explored(page, "e.state.moment") == 0.5
    stroke(page, SEVEN)
    page.wait_for_function(f"{EXPLORER}.state.moment === 1")
    page.get_by_label("place in the training").fill("0.5")
    pad.press("ArrowLeft")
    page.get_by_role("button", name="Clear").click()
    frame(page)
    assert explored(page, "e.state.moment") == 0.5


# ---- what is enrolled


def enrol(page, name, points=STAR):
    stroke(page, points)
    strips(page, "your drawing")
    page.get_by_label("name of the symbol").fill(name)
    page.get_by_role("button", name="Enrol this drawing").click()
    page.wait_for_selector(f"[aria-label='forget {name}']")


def test_symbols_and_the_drawing_are_in_the_link_and_back_after_a_reload(opened):
    page = opened()
    enrol(page, "★ é,;.%&=")
    enrol(page, "two", SEVEN)
    stroke(page, STAR)
    page.wait_for_selector(".fx-row")
    shown = [page.locator(".fx-verdict").inner_text(), settled(page), page.locator(".fx-row").all_inner_texts()]
    assert shown[0].startswith("Accepted as")
    first = link(page)
    assert len(first) < 400
    for again in (opened(first), page):
        if again is page:
            page.reload()
            page.wait_for_selector(".fslviz-explorer[data-ready]")
        again.wait_for_selector(".fx-row")
        now = [again.locator(".fx-verdict").inner_text(), settled(again), again.locator(".fx-row").all_inner_texts()]
        assert now == shown
        assert picture(again, "Contrastive") == picture(page, "Contrastive")
    page.get_by_role("button", name="Reset").click()
    page.get_by_role("button", name="forget two").wait_for()  # a reader's work stays


def test_symbols_come_back_where_the_browser_keeps_them(opened, site):
    (site / "kept.html").write_text(PAGE.format(explorer.mount(["triplet"], ["draw", "enrol"])))
    page = opened("kept.html")
    enrol(page, "mine")
    page.goto("about:blank")
    page.goto(f"{site.as_uri()}/kept.html")
    page.wait_for_selector("[aria-label='forget mine']")
    assert "#" not in page.url
    page.get_by_role("button", name="forget mine").click()
    page.goto("about:blank")
    page.goto(f"{site.as_uri()}/kept.html")
    page.wait_for_selector(".fslviz-explorer[data-ready]")
    assert page.locator("[aria-label^=forget]").count() == 0
    explored(page, "localStorage.setItem(e.symbolStore.key, 'no,text.of~ours')")
    page.reload()
    page.wait_for_selector(".fslviz-explorer[data-ready]")
    assert page.locator("[aria-label^=forget]").count() == 0


def test_where_the_browser_keeps_nothing_it_is_said(opened):
    page = opened(script="Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no') } })")
    enrol(page, "mine")
    assert "This browser stores nothing" in page.locator(".fx-note").inner_text()


def test_more_symbols_than_a_link_holds_are_told(opened, served):
    page = opened(base=served, permissions=["clipboard-read", "clipboard-write"])
    text = "~".join("".join(f"{a}{b}x" for b in "ABCDEFGHIJ") for a in "ABCDEFGHIJKLMNOPQRSTUVWXYZ") * 3
    text = text[:2000] if len(text) > 4000 else text
    explored(page, f"e.set({{ symbols: [...'abcdef'].map((name) => ({{ name, samples: ['{text}'] }})) }}, true)")
    page.get_by_role("button", name="Copy link").click()
    page.wait_for_selector("text=The link is copied, without the symbols, which are too many for it.")
    assert page.evaluate("navigator.clipboard.readText()").endswith("own:kept")  # those that the browser keeps
    page.get_by_role("button", name="highlight the digits 4").click()
    page.go_back()
    page.wait_for_function(f"{EXPLORER}.loader.selected === null")
    assert explored(page, "e.state.symbols.length") == 6  # a text that tells of none takes none away
    assert re.search("without", page.locator(".fx-bar").nth(1).inner_text()) is None
