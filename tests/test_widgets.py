"""Controls: what they show, what they draw anew, and what stays without a kernel."""

import asyncio
import json
import re
import sys
import threading
import types
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from axe_playwright_python.sync_playwright import Axe
from browser_helpers import QUIET

import fslviz
from fslviz import widgets
from fslviz.explorer import pack


@pytest.fixture
def shown(monkeypatch):
    """What is displayed, and what replaces it."""
    out = []

    class Handle:
        def update(self, thing):
            out.append(thing)

    monkeypatch.setattr(widgets, "display", lambda thing, display_id=False: out.append(thing) or Handle())
    return out


def test_a_control_draws_anew(shown):
    def draw(margin=1.0, mining="all", shots=2):
        return margin, mining, shots

    fslviz.move(draw, margin=(0.0, 2.0, 0.5), mining=["all", "hard"], shots=(1, 5, 1))
    box, picture = shown
    assert picture == (1.0, "all", 2)
    margin, mining, shots = box.children
    assert [c.description for c in box.children] == ["margin", "mining", "shots"]
    assert [c.value for c in box.children] == [1.0, "all", 2]
    margin.value = 1.5
    mining.value = "hard"
    shots.value = 5
    assert shown[2:] == [(1.5, "all", 2), (1.5, "hard", 2), (1.5, "hard", 5)]


def test_a_start_outside_is_named(shown):
    with pytest.raises(ValueError, match="margin must start within 0 to 2, not 3"):
        fslviz.move(lambda margin=3.0: plt.figure(), margin=(0.0, 2.0, 0.1))
    with pytest.raises(ValueError, match="no mining 'al': there are all, hard; did you mean 'all'"):
        fslviz.move(lambda mining="al": plt.figure(), mining=["all", "hard"])
    with pytest.raises(ValueError, match="no argument 'margn': there are margin; did you mean 'margin'"):
        fslviz.move(lambda margin=1.0: plt.figure(), margn=(0.0, 2.0, 0.1))
    with pytest.raises(ValueError, match="margin must start within 0 to 2, not 'small'"):
        fslviz.move(lambda margin="small": plt.figure(), margin=(0.0, 2.0, 0.1))


def test_what_has_no_start_is_named(shown):
    for draw in (lambda margin: plt.figure(), lambda shots, margin=1.0: plt.figure()):
        with pytest.raises(ValueError, match="(margin|shots) must have a default, where the figure starts"):
            fslviz.move(draw, margin=(0.0, 2.0, 0.1))
    fslviz.move(lambda margin=1.0, **others: margin, margin=(0.0, 2.0, 0.1))
    assert shown[1] == 1.0


@pytest.mark.parametrize(
    ("taken", "told"),
    [
        ((0.0, 2.0), r"\(low, high, step\) or a list of choices, not \(0.0, 2.0\)"),
        ((2.0, 0.0, 0.1), r"low at most high and a step above 0, not \(2.0, 0.0, 0.1\)"),
        ((0.0, 2.0, 0.0), "low at most high and a step above 0"),
        ((0.0, 2.0, -0.1), "low at most high and a step above 0"),
        ((0.0, "two", 0.1), "margin's high must be a number from -1e.09 to 1e.09, not 'two'"),
        ((0.0, float("nan"), 0.1), "margin's high must be a number"),
    ],
)
def test_what_is_no_range_is_named(shown, taken, told):
    with pytest.raises(ValueError, match=told):
        fslviz.move(lambda margin=1.0: plt.figure(), margin=taken)


def test_a_range_is_taken_in_any_numbers():
    slider = widgets._control("shots", tuple(np.array([1, 5, 2])), np.int64(3))
    assert widgets._values(slider) == (1, 3, 5)
    assert all(type(v) is int for v in widgets._values(slider))
    assert widgets._values(widgets._control("margin", (0, 2, 1), 0.5)) == (0, 0.5, 1, 2), "where it starts, too"
    assert widgets._values(widgets._control("margin", (0, 1, 0.5), 0)) == (0, 0.5, 1)
    assert widgets._control("margin", (0, 1, 0.5), 0).step == 0.5
    assert widgets._values(widgets._control("margin", (0.0, 1.0, 0.6), 0.0)) == (0.0, 0.6), "beyond its end"
    assert widgets._values(widgets._control("margin", (0.0, 0.3, 0.1), 0.0)) == (0.0, 0.1, 0.2, 0.3)


@pytest.fixture
def trained(monkeypatch, tmp_path):
    monkeypatch.setenv("FSLVIZ_CACHE", str(tmp_path))


@pytest.fixture
def kernel():
    """Runs a cell as a kernel does: within its loop, which does what is due before the next."""
    loop = asyncio.new_event_loop()

    async def run(cell):
        return cell()

    yield lambda cell=lambda: None: loop.run_until_complete(run(cell))
    loop.close()


def wait(kernel, lab):
    lab.thread.join(120)
    assert not lab.thread.is_alive()
    kernel()
    return lab.children[1].children[2].value


def test_the_margin_lab_shows_the_new_space_beside_the_old(trained, kernel, capsys):
    lab = kernel(lambda: fslviz.margin_lab("cosface", images=320))
    losses, margin = lab.children[0].children
    stop, bar, _ = lab.children[1].children
    said = wait(kernel, lab)
    right = fslviz.knn_accuracy(lab.runs[0].reference(), lab.runs[0].query())
    assert said == f"15-NN {right:.1%} of 1,000 test images, after 320 images"
    first = lab.children[2].value
    assert bytes(first[:4]) == b"\x89PNG"
    kernel(lambda: setattr(margin, "value", 0.35))
    assert "15-NN" in wait(kernel, lab)
    assert [r.recipe.options["margin"] for r in lab.runs] == [0.1, 0.35]
    assert lab.children[2].value != first
    assert (bar.value, stop.disabled) == (1.0, True)
    assert capsys.readouterr().err == ""  # its own bar is enough
    kernel(lambda: setattr(losses, "value", "sphereface"))
    wait(kernel, lab)
    assert [(r.recipe.loss, r.recipe.options["margin"]) for r in lab.runs] == [("cosface", 0.35), ("sphereface", 4)]


def test_the_margin_lab_leaves_matplotlib_to_the_cells(trained, kernel, monkeypatch):
    """Its settings are the process's: a thread that draws would bend what a cell draws meanwhile."""
    drew = []
    plot = widgets.plot_spaces
    monkeypatch.setattr(
        widgets, "plot_spaces", lambda *a, **k: drew.append(threading.current_thread()) or plot(*a, **k)
    )
    before = dict(plt.rcParams)

    def cell():
        lab = fslviz.margin_lab("cosface", images=320)
        lab.thread.join(120)
        assert drew == []
        assert dict(plt.rcParams) == before
        assert plt.get_fignums() == []
        return lab

    lab = kernel(cell)
    assert "15-NN" in wait(kernel, lab)
    assert drew == [threading.main_thread()]
    assert dict(plt.rcParams) == before
    assert bytes(lab.children[2].value[:4]) == b"\x89PNG"


def test_the_margin_lab_sees_a_fair_part(trained):
    digits, lab = fslviz.load("mnist"), fslviz.margin_lab("cosface", images=64)
    seen = lab.runs[-1].data
    for part, count in (("train", 20_000), ("test", 1000)):
        images, labels = getattr(seen, f"{part}_images"), getattr(seen, f"{part}_labels")
        whole = getattr(digits, f"{part}_images")
        assert len(images) == count
        places = {i.numpy().tobytes(): n for n, i in enumerate(whole)}
        at = [places[i.numpy().tobytes()] for i in images[:1000]]
        assert torch.equal(labels[:1000], getattr(digits, f"{part}_labels")[at])
        found = np.array(at) / len(whole)
        assert 0.45 < np.mean(found) < 0.55, part  # not from the beginning
        assert len(set(found)) == 1000


@pytest.mark.parametrize("images", [0, -5, "many"])
def test_the_margin_lab_names_what_is_no_number_of_images(images):
    with pytest.raises(ValueError, match="images must be a number from 1"):
        fslviz.margin_lab("cosface", images=images)


def test_the_margin_lab_stops(trained, kernel):
    lab = kernel(lambda: fslviz.margin_lab("contrastive", images=10_000_000))
    stop = lab.children[1].children[0]
    while not lab.children[1].children[1].value:
        lab.thread.join(0.1)
    assert not stop.disabled
    stop.click()
    assert wait(kernel, lab) == "Stopped: nothing was kept."
    assert lab.runs == []
    assert stop.disabled


def test_the_margin_lab_in_colab_needs_no_thread(trained, monkeypatch):
    """Where a thread's changes are not shown, all is done when the call returns."""
    monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    lab = fslviz.margin_lab("cosface", images=320)
    margin, said = lab.children[0].children[1], lab.children[1].children[2]
    assert lab.thread is None
    assert "15-NN" in said.value
    margin.value = 1.0
    assert [r.recipe.options["margin"] for r in lab.runs] == [0.1, 1.0]

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(widgets, "train", interrupted)
    margin.value = 0.5
    assert said.value == "Stopped: nothing was kept."


@pytest.mark.parametrize("loss", list(pack.DEFAULT))
def test_every_trained_margin_has_a_place_on_the_slider(loss, monkeypatch, kernel):
    monkeypatch.setattr(threading.Thread, "start", lambda self: None)
    monkeypatch.setattr(threading.Thread, "join", lambda self: None)
    margin = kernel(lambda: fslviz.margin_lab(loss)).children[0].children[1]
    steps = (np.array(pack.MARGINS[loss]) - margin.min) / margin.step
    assert np.abs(steps - steps.round()).max() < 1e-9
    assert (margin.min, margin.max) == (pack.MARGINS[loss][0], pack.MARGINS[loss][-1])


def test_the_margin_lab_trains_nothing_for_the_book(monkeypatch):
    monkeypatch.setenv(widgets.BOOK, "yes")
    monkeypatch.setattr(widgets, "train", None)
    assert "In a notebook" in fslviz.margin_lab("cosface").data


def test_the_margin_lab_names_a_wrong_loss():
    with pytest.raises(ValueError, match="no loss with a margin 'softmax'"):
        fslviz.margin_lab("softmax")


@pytest.fixture(scope="module")
def faces():
    return fslviz.load("faces").split(30, unseen=6)


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


def test_a_door_has_room_for_some(faces):
    run = fslviz.train("triplet", faces, embed_dim=8, images=640, device="cpu")
    with pytest.raises(ValueError, match="threshold must be a number from 0"):
        fslviz.door(run, float("nan"))
    with pytest.raises(ValueError, match="enrolled must be a number from 0 to 6, not 7"):
        fslviz.door(run, 1.0, enrolled=7)
    run = fslviz.train("triplet", fslviz.load("faces").split(10), embed_dim=8, images=640, device="cpu")
    with pytest.raises(ValueError, match="2 to 20 identities with 2 images or more, not 30 with 10"):
        fslviz.door(run, 1.0)


def test_a_name_is_no_part_of_a_doors_page(faces):
    names = [f"{n}</script><!--<script>" for n in faces.names]
    run = fslviz.train("triplet", replace(faces, names=names), embed_dim=8, images=640, device="cpu")
    page = fslviz.door(run, 1.0).data
    told = re.search(r"document.currentScript.parentElement, (.*)\)\n</script>", page)[1]
    assert "<" not in told
    assert json.loads(told)["names"] == [names[c] for c in faces.test_labels.unique()]


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
    assert line.inner_text() == "Point at a photo, and it says whom it is nearest to."
    page.get_by_label("photo 4 of Ada").hover()
    assert line.inner_text() == "photo 4 of Ada: nearest to Ada, 0.020 away: let in"
    page.get_by_label("threshold").press("Home")
    assert line.inner_text() == "photo 4 of Ada: nearest to Ada, 0.020 away: turned away"
    page.get_by_role("button", name="Ada").click()
    assert line.inner_text() == "photo 4 of Ada: nearest to Grace, 0.98 away: turned away"


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
