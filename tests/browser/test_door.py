"""Chapter 11's door in a browser: whom it lets in, and how it says so."""

import re
import types
from dataclasses import replace

import numpy as np
import pytest
import torch
from axe_playwright_python.sync_playwright import Axe
from browser_helpers import QUIET

import fslviz


def decided(run, enrolled, photos, threshold):
    """What a gallery says of the door's photographs."""
    gallery, data = fslviz.Gallery(run), run.data
    people = data.test_labels.unique()[: enrolled + 2]
    for c in people[:enrolled]:
        gallery.enrol(int(c), data.test_images[data.test_labels == c][:photos])
    counts = dict.fromkeys(("in", "wrong", "away", "let", "out"), 0)
    for i, c in enumerate(people.tolist()):
        mine = data.test_images[data.test_labels == c]
        for name in gallery.identify(mine[photos:] if i < enrolled else mine, threshold)[0]:
            if i < enrolled:
                counts["away" if name is None else "in" if name == c else "wrong"] += 1
            else:
                counts["out" if name is None else "let"] += 1
    return counts


@pytest.mark.parametrize("loss", ["triplet", "arcface"])
def test_a_door_decides_as_a_gallery_does(browser, faces, loss, tmp_path):
    run = fslviz.train(loss, faces, embed_dim=8, images=1280, device="cpu")
    threshold = float(np.median(fslviz.all_pairs(run.query()).distance))
    (tmp_path / "door.html").write_text("<!DOCTYPE html><meta charset=utf-8>" + fslviz.door(run, threshold).data)
    page, wrong = browser.new_page(), []
    page.on("pageerror", lambda e: wrong.append(str(e)))
    page.goto((tmp_path / "door.html").as_uri())

    def said():
        return [int(n) for n in re.findall(r"\d+", page.locator("output").inner_text())]

    def expected(enrolled, photos, threshold):
        n = decided(run, enrolled, photos, threshold)
        friends = n["in"] + n["wrong"] + n["away"]
        return [friends, enrolled, n["in"], n["wrong"], n["away"], n["let"] + n["out"], n["let"]]

    assert said() == expected(4, 3, threshold)
    page.get_by_label("photos to enrol from").select_option("1")
    assert said() == expected(4, 1, threshold)
    low = float(page.evaluate("document.querySelector('input').value = 0.5 * document.querySelector('input').value"))
    page.locator("input").dispatch_event("input")
    assert said() == expected(4, 1, low)
    pressed = page.get_by_role("button", pressed=True)
    assert pressed.count() == 4
    pressed.last.click()
    assert said()[1] == 3
    page.locator("i").nth(25).focus()
    assert re.search(r"photo 6 of s\d+: nearest to s\d+, \d", page.locator("em").inner_text())
    for button in page.get_by_role("button", pressed=True).all()[::-1]:
        button.click()
    assert said()[:2] == [0, 0]
    assert not wrong
    page.close()


def test_a_door_keeps_names_in_their_place_and_tells_once(browser, faces, tmp_path):
    names = [f"\u202e{n} with a long name" for n in faces.names]
    run = fslviz.train("triplet", replace(faces, names=names), embed_dim=8, images=640, device="cpu")
    (tmp_path / "door.html").write_text("<!DOCTYPE html><meta charset=utf-8>" + fslviz.door(run, 1.0).data)
    page = browser.new_page()
    page.add_init_script(QUIET)
    page.goto((tmp_path / "door.html").as_uri())
    button = page.locator(".people button").first
    assert button.evaluate("b => [b.scrollWidth > b.clientWidth, getComputedStyle(b).unicodeBidi]") == [True, "isolate"]
    assert button.get_attribute("title") == button.text_content()
    page.evaluate(
        """() => { window.told = 0; new MutationObserver(() => window.told++).observe(
        document.querySelector('[role=status]'), { childList: true }); }"""
    )
    page.get_by_label("threshold").focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    assert page.evaluate("window.told") == 0
    page.evaluate("settle()")
    assert page.evaluate("window.told") == 1
    assert page.locator("output").get_attribute("aria-live") == "off"
    page.close()


AFTER = "<p><a href='#after'>after</a></p>"


def place(identity, photo):
    """Where an image lies: each identity at its own number, its photos a little apart."""
    return [identity + 0.01 * photo, 0.0]


@pytest.fixture
def door(browser, tmp_path):
    """Opens a door of identities of these names, of so many photos each, in a page."""
    pages, wrong = [], []

    def open_(names, threshold=0.5, photos=4, page="", width=1280, **options):
        run = types.SimpleNamespace(
            query=lambda: (
                np.array([place(i, k) for i in range(len(names)) for k in range(photos)]),
                np.repeat(np.arange(len(names)), photos),
            ),
            data=types.SimpleNamespace(test_images=torch.rand(photos * len(names), 1, 28, 28), names=tuple(names)),
            cosine=False,
        )
        text = (
            f"<!DOCTYPE html><html lang=en {page}><meta charset=utf-8><meta name=viewport content=width=device-width>"
        )
        title = "<title>Door</title><style>main { line-height: 1.65; margin: 0 8px }</style><main><h1>Door</h1>"
        (tmp_path / "door.html").write_text(text + title + fslviz.door(run, threshold, **options).data + AFTER)
        pages.append(browser.new_page(viewport={"width": width, "height": 900}))
        pages[-1].on("pageerror", lambda e: wrong.append(str(e)))
        pages[-1].add_init_script(QUIET)
        pages[-1].goto((tmp_path / "door.html").as_uri())
        return pages[-1]

    yield open_
    for page in pages:
        page.close()
    assert not wrong


def focus(page):
    return page.evaluate("document.activeElement.ariaLabel ?? document.activeElement.textContent")


def test_a_door_is_one_stop_of_the_tab_key(door):
    page = door(["Ada", "Grace", "Emmy"])
    page.get_by_label("threshold").focus()
    page.keyboard.press("Tab")
    assert focus(page) == "Ada"
    page.keyboard.press("Tab")
    assert focus(page) == "after"
    page.keyboard.press("Shift+Tab")
    assert focus(page) == "Ada"
    for key, found in [
        ("ArrowUp", "Ada"),
        ("ArrowLeft", "Ada"),
        ("ArrowDown", "Grace"),
        ("ArrowRight", "photo 1 of Grace"),
        ("ArrowRight", "photo 2 of Grace"),
        ("ArrowDown", "photo 2 of Emmy"),
        ("ArrowDown", "photo 2 of Emmy"),
        ("ArrowRight", "photo 3 of Emmy"),
        ("ArrowRight", "photo 4 of Emmy"),
        ("ArrowRight", "photo 4 of Emmy"),
    ]:
        page.keyboard.press(key)
        assert focus(page).split(":")[0] == found, key
    page.keyboard.press("Shift+Tab")
    assert focus(page) == "threshold"
    page.keyboard.press("Tab")
    assert focus(page).startswith("photo 4 of Emmy"), "where it was left"
    assert page.locator(".people [tabindex='0']").count() == 1
    page.get_by_role("button", name="Grace").click()
    page.keyboard.press("Tab")
    assert focus(page) == "after"


def test_what_a_door_tells_of_a_photo_follows_the_threshold(door):
    page = door(["Ada", "Grace", "Emmy"])
    line = page.locator("em")
    assert line.inner_text() == "Point at a photo to see whom it is nearest to."
    page.get_by_label("photo 4 of Ada").hover()
    assert line.inner_text() == "photo 4 of Ada: nearest to Ada, 0.020 away: accepted"
    page.get_by_label("threshold").press("Home")
    assert line.inner_text() == "photo 4 of Ada: nearest to Ada, 0.020 away: rejected"
    page.get_by_role("button", name="Ada").click()
    assert line.inner_text() == "photo 4 of Ada: nearest to Grace, 0.98 away: rejected"


def test_a_door_says_nothing_before_it_is_touched(door):
    page = door(["Ada", "Grace"])
    page.evaluate("settle()")
    assert page.locator(".live").inner_text() == ""
    page.get_by_role("button", name="Grace").click()
    page.evaluate("settle()")
    assert page.locator(".live").inner_text().startswith("Of 2 more photos of the 2 enrolled")


def test_every_button_of_a_door_has_a_name(door):
    names = ["", "\u200b\u3164", "$A_$", "_x", "<b>", "\u0645\u0631\u064a\u0645", "\u738b"]
    page = door(names)
    shown = page.locator(".people button").all_inner_texts()
    assert shown == ["person 1", "person 2", *names[2:]]
    assert page.locator("i").first.get_attribute("aria-label").startswith("photo 1 of person 1")
    assert [v["id"] for v in Axe().run(page).response["violations"]] == []


@pytest.mark.parametrize("threshold", [0.0004, 0.5, 12])
def test_a_threshold_is_written_as_it_is(door, threshold):
    page = door(["Ada", "Grace"], threshold)
    slider = page.get_by_label("threshold")
    assert float(page.locator("b").inner_text()) == threshold
    assert float(slider.input_value()) == threshold
    assert float(slider.get_attribute("max")) == 2 * threshold


@pytest.mark.parametrize("way", ["ltr", "rtl"])
def test_a_slider_of_a_door_runs_as_its_numbers_do(door, way):
    page = door(["Ada", "Grace"], page=f"dir={way}")
    box = page.get_by_label("threshold").bounding_box()
    page.mouse.click(box["x"] + 2, box["y"] + box["height"] / 2)
    assert page.locator("b").inner_text() == "0.00"
    left = [page.locator(s).first.bounding_box()["x"] for s in ("button", "i")]
    assert left[0] < left[1]


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_all_photos_of_a_door_are_on_the_screen(door, width):
    page = door(["Ada", "a name of more than a few letters", *"bcdefgh"], photos=10, width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    boxes = [box.bounding_box() for box in page.locator(".people i").all()]
    assert min(b["width"] for b in boxes) >= 20
    assert all(b["height"] == pytest.approx(b["width"], abs=1) for b in boxes)
    assert max(b["x"] + b["width"] for b in boxes) <= width
