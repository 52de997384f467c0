"""The explorer as a whole in a browser: two on a page, damaged parts, accessibility, size."""

import re
import shutil

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser_helpers import (
    PAGE,
    SEVEN,
    canvas,
    figures,
    picture,
    stroke,
)

from fslviz import explorer
from fslviz.explorer import pack

# ---- the rest


def test_two_explorers_leave_each_other_alone(opened):
    page = opened("two.html")
    page.wait_for_function("document.querySelectorAll('[data-ready]').length == 2")
    assert not page.get_by_label("zoom follows the digits").first.is_visible()  # one space each
    before = canvas(page, "CosFace").evaluate("c => c.toDataURL()")
    page.get_by_label("Triplet margin").focus()
    page.keyboard.press("End")
    page.wait_for_function("document.body.innerText.includes('margin 16\\n')")
    picture(page, "Triplet")
    assert canvas(page, "CosFace").evaluate("c => c.toDataURL()") == before
    page.get_by_label("CosFace margin").focus()
    page.keyboard.press("End")
    page.wait_for_url(re.compile("explorer=.*explorer2=|explorer2=.*explorer="))


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda p: (p / "labels.js").unlink(), "labels (it is missing)"),
        (lambda p: (p / "labels.js").write_text((p / "labels.js").read_text()[:400]), "labels (it is damaged)"),
    ],
)
def test_a_damaged_pack_gives_one_readable_line(browser, site, tmp_path, damage, says):
    shutil.copytree(site, tmp_path, dirs_exist_ok=True)
    damage(tmp_path / "explorer")
    page = browser.new_page()
    page.goto((tmp_path / "all.html").as_uri())
    alert = page.get_by_role("alert")
    alert.wait_for()
    assert says in alert.inner_text()
    assert page.locator("h1").inner_text() == "Explorer"
    assert page.locator(".fslviz-explorer > *").count() == 1
    page.close()


def test_a_place_carries_its_margins(opened, site):
    place = explorer.mount(["cosface"], ["margin"], {"cosface": 0.8})
    (site / "margin.html").write_text(PAGE.format(place))
    assert "margin 0.8\n" in figures(opened("margin.html"), "CosFace")


def test_another_version_says_so(browser, site, tmp_path, monkeypatch):
    shutil.copytree(site, tmp_path, dirs_exist_ok=True)
    monkeypatch.setattr(pack, "manifest", lambda: {"version": 7, "spaces": {}})
    text = explorer.base64.b85encode(pack.packed("manifest")).decode()
    (tmp_path / "explorer/manifest.js").write_text(f'fslvizPart("manifest","{text}")')
    page = browser.new_page()
    page.goto((tmp_path / "all.html").as_uri())
    page.get_by_role("alert").wait_for()
    assert "version 7, not 1" in page.get_by_role("alert").inner_text()
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_serious(opened, width, scheme):
    page = opened(width=width, color_scheme=scheme)
    stroke(page, SEVEN)
    page.wait_for_selector(".fx-row")
    found = Axe().run(page).response["violations"]
    assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == []


# every text of the script in another language, its values aside
OTHER = "globalThis.fslvizTexts = new Proxy({}, { get: (_, text) => text.replace(/[a-z]+/gi, '字') });"
TEXTS = """() => [...document.querySelectorAll('.fslviz-explorer *:not(style, code)')].flatMap((node) => [
  ...[...node.childNodes].filter((child) => child.nodeType === 3).map((child) => child.textContent),
  ...['aria-label', 'aria-valuetext', 'title', 'placeholder'].map((name) => node.getAttribute(name) ?? '')])"""


@pytest.mark.parametrize("losses", [["contrastive", "triplet", "softmax", "cosface"], ["triplet-six", "arcface-six"]])
def test_a_page_in_another_language_has_no_english(opened, site, losses):
    (site / "whole.html").write_text(PAGE.format(explorer.mount(losses, explorer.EVERY_PART)))
    page = opened("whole.html", script=OTHER)
    for key in ("ArrowUp", " ", "ArrowLeft", " "):  # a pair is held
        page.locator(".fx-points").first.press(key)
    page.locator("summary").last.click()
    page.wait_for_selector(".fx-pairing")
    page.wait_for_function("document.querySelector('.fx-pair').textContent")
    for key in (" ", *["ArrowDown"] * 8, " "):
        page.locator(".fx-pad").press(key)
    page.wait_for_selector(".fx-bars .fx-row")
    assert [text for text in page.evaluate(TEXTS) if re.search("[A-Za-z]{2}", text)] == []


def test_budgets(opened, site, served):
    """Bytes of the first view and of the whole."""
    page = opened(base=served)
    loaded = page.evaluate("performance.getEntriesByType('resource').reduce((n, r) => n + r.encodedBodySize, 0)")
    assert loaded < 1e6
    sizes = {p.name: p.stat().st_size for p in (site / "explorer").iterdir()}  # of which a page fetches what it shows
    signs = sum(size for name, size in sizes.items() if name.startswith("alphabet."))
    assert sum(sizes.values()) - signs < 10e6
    assert signs < 1.6e6
    assert (pack.HERE / "pack.bin").stat().st_size < 8e6
