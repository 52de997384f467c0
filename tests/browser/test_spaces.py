"""Spaces side by side in a browser: highlighted, moved and zoomed, other margins, other moments of a training."""

import re
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pytest
from browser_helpers import (
    SEVEN,
    canvas,
    figures,
    frame,
    lit,
    picture,
    pixel_of,
    pressed_twice,
    settled,
    strip,
    strips,
    stroke,
)

import fslviz
from fslviz.explorer import pack

# ---- 1. linked spaces


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("way", ["file", "http"])
def test_a_digit_lights_in_every_space(opened, served, way, width):
    page = opened(base=served if way == "http" else None, width=width)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    before = {loss: picture(page, loss) for loss in ("Contrastive", "CosFace")}
    canvas(page, "Contrastive").scroll_into_view_if_needed()
    page.mouse.move(*pixel_of(page, "contrastive", 17))
    strips(page, "a ")
    assert all(strip(page, loss).startswith("a ") for loss in ("Contrastive", "Triplet", "Softmax", "CosFace"))
    assert all(picture(page, loss) != before[loss] for loss in before)


@pytest.mark.parametrize(("loss", "network"), [("Contrastive", "contrastive@1"), ("CosFace", "cosface@0.1")])
def test_its_neighbours_are_those_of_the_embedding(opened, loss, network):
    page = opened()
    canvas(page, loss).focus()
    for _ in range(12):  # out of the middle, where an angle in whole steps is none
        page.keyboard.press("ArrowRight")
    settled(page)
    digit = page.evaluate("document.querySelector('.fslviz-explorer').explorer.cursor")
    z = pack.Network.read(network).embed(fslviz.load().test_images[: pack.SHOWN])
    if loss == "CosFace":
        z = z / np.linalg.norm(z, axis=1, keepdims=True)
    distance = np.linalg.norm(z - z[digit], axis=1)
    shown = page.evaluate(
        """loss => { const { space } = document.querySelector('.fslviz-explorer').explorer.panels.get(loss),
        { cursor } = document.querySelector('.fslviz-explorer').explorer;
        return space.nearest(space.target, space.place(cursor), 5, cursor); }""",
        loss.lower(),
    )
    said = [int(c) for c in strip(page, loss).split(": ")[1].split(", ")]
    assert said == fslviz.load().test_labels[shown].tolist()
    assert distance[shown].max() < np.sort(distance)[5] + 0.01 * z.std()  # places are packed in whole steps


def test_a_class_a_lasso_and_a_region_by_key(opened):
    page = opened()
    before = picture(page, "Triplet")
    page.get_by_role("button", name="highlight the digits 3").click()
    classed = picture(page, "Triplet")
    assert classed != before
    page.get_by_role("button", name="Lasso").click()
    x, y = pixel_of(page, "contrastive", 17)
    page.mouse.move(x - 12, y - 12)
    page.mouse.down()
    for dx, dy in ((12, -12), (12, 12), (-12, 12)):
        page.mouse.move(x + dx, y + dy)
    page.mouse.up()
    assert 0 < lit(page) < 3000
    page.mouse.move(1, 1)
    strips(page, "no digit chosen")
    assert picture(page, "Triplet") not in (before, classed)
    page.get_by_role("button", name="Reset").click()
    assert lit(page) == 0
    canvas(page, "CosFace").focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    assert lit(page) == 100
    page.get_by_role("button", name="Reset").click()
    at = pixel_of(page, "contrastive", 17)
    pressed_twice(page, at, 600)  # two presses that are not one
    frame(page)
    assert page.evaluate("document.querySelector('.fslviz-explorer').explorer.state.selection") is None
    pressed_twice(page, at, 400)
    page.wait_for_function("document.querySelector('.fslviz-explorer').explorer.loader.selected?.size === 100")


def test_digits_lie_in_the_wedge_and_around_the_centre_of_their_class(opened):
    page = opened()
    look = """loss => {
        const { labels, colours, panels } = document.querySelector('.fslviz-explorer').explorer;
        const { space, painter } = panels.get(loss), sums = colours.map(() => [0, 0, 0]);
        const at = (canvas, [x, y]) => [...canvas.getContext('2d').getImageData(x, y, 1, 1).data];
        let own = 0;
        labels.test.forEach((k, i) => {
            const place = space.place(i), [r, g, b, a] = at(painter.under, painter.toPixel(place));
            const [R, G, B] = colours[k];
            own += a > 0 && Math.abs(r - R) + Math.abs(g - G) + Math.abs(b - B) < 25;
            place.forEach((v, j) => sums[k][j] += v);
            sums[k][2]++;
        });
        const discs = sums.map(([x, y, n]) => [x / n, y / n]).map((c) => at(painter.over,
            painter.toPixel(c).map((v, j) => j ? v : v - 6 * devicePixelRatio)));
        return [own / labels.test.length, discs.every((d) => Math.min(...d) > 225)];
    }"""
    picture(page, "CosFace")
    for loss, share in (("softmax", 0.95), ("cosface", 0.9)):
        own, discs = page.evaluate(look, loss)
        assert own > share
        assert discs, loss
    assert page.evaluate(look, "triplet") == [0, True]


def test_pan_and_zoom_one_space_or_all(opened):
    page = opened()
    a, b = picture(page, "Contrastive"), picture(page, "CosFace")
    canvas(page, "Contrastive").focus()
    page.keyboard.press("+")
    assert picture(page, "Contrastive") != a
    assert picture(page, "CosFace") != b
    page.keyboard.press("Escape")
    assert (picture(page, "Contrastive"), picture(page, "CosFace")) == (a, b)
    page.get_by_label("zoom follows the digits").click()
    box = canvas(page, "Contrastive").bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 100, box["y"] + 90, steps=3)
    page.mouse.up()
    page.mouse.move(1, 1)
    assert picture(page, "Contrastive") != a
    assert picture(page, "CosFace") == b


def test_the_reader_chooses_the_losses(opened):
    page = opened()
    page.get_by_role("button", name="ArcFace").click()
    canvas(page, "ArcFace").wait_for()
    page.get_by_role("button", name="Contrastive").focus()
    page.keyboard.press("Enter")
    canvas(page, "Contrastive").wait_for(state="detached")
    assert page.locator(".fx-grid .fx-points").count() == 4


def test_networks_that_have_met_six_digits(opened):
    page = opened("six.html")
    names = [b.inner_text() for b in page.get_by_role("group", name="losses").get_by_role("button").all()]
    assert names == [f"{name} of six digits" for name in ("Contrastive", "Triplet", "Softmax", "ArcFace")]
    for name in names:
        assert figures(page, name).startswith("met 1 2 3 6 7 9\n15-NN")
        canvas(page, name).wait_for()
    stroke(page, SEVEN)  # a digit that they have met
    strips(page, "your drawing")
    assert sum(strip(page, name).count("7") >= 3 for name in names) >= 3
    merits = {name: space["merits"]["15-NN"] for name, space in pack.manifest()["spaces"].items()}
    assert 0.7 < merits["triplet-six"] < merits["triplet@1"] - 0.02  # of all ten


# ---- 2. the margin, 3. the training


def percent(value):
    """As a page writes it: a tie goes up (97.25 to 97.3), where Python's own format takes the even digit."""
    return f"{Decimal(100 * value).quantize(Decimal('0.1'), ROUND_HALF_UP)}%"


def test_the_margin_goes_through_trained_networks(opened):
    page, spaces = opened(), pack.manifest()["spaces"]
    slider = page.get_by_label("CosFace margin")
    seen = set()
    slider.focus()
    page.keyboard.press("Home")
    for margin in pack.MARGINS["cosface"]:
        merits = spaces[f"cosface@{margin:g}"]["merits"]
        page.wait_for_function("t => document.body.innerText.includes(t)", arg=f"margin {margin:g}\n")
        accuracy, eer = (percent(merits[name]) for name in ("15-NN", "EER"))
        assert figures(page, "CosFace") == f"margin {margin:g}\n15-NN {accuracy} · EER {eer}"
        seen.add(picture(page, "CosFace"))
        page.keyboard.press("ArrowRight")
    assert len(seen) == len(pack.MARGINS["cosface"]) >= 9
    box = slider.bounding_box()
    page.mouse.click(box["x"] + 2, box["y"] + box["height"] / 2)
    page.wait_for_function("document.body.innerText.includes('margin 0\\n')")


def test_points_glide_unless_motion_is_reduced(opened):
    moving = "document.querySelector('.fslviz-explorer').explorer.panels.get('cosface').space.progress"
    for motion, glides in (("no-preference", True), ("reduce", False)):
        page = opened(reduced_motion=motion)
        page.get_by_label("CosFace margin").focus()
        page.evaluate(
            f"""() => {{ window.least = 1; const look = () => {{
            window.least = Math.min(window.least, {moving}); requestAnimationFrame(look); }}; look(); }}"""
        )
        page.keyboard.press("ArrowRight")
        page.wait_for_function("document.body.innerText.includes('margin 0.15\\n')")
        picture(page, "CosFace")
        assert (page.evaluate("window.least") < 1) == glides


def test_a_curve_shows_the_limit_between_the_margins_around_it(opened):
    page = opened()
    mark = page.locator(".fx-edge")
    assert mark.count() == 1  # of the four, CosFace alone has a limit
    edge = float(re.search(r"left: ?([\d.]+)%", mark.get_attribute("style"))[1]) / 100
    margins = pack.MARGINS["cosface"]
    assert np.interp(edge * (len(margins) - 1), range(len(margins)), margins) == pytest.approx(
        1 - np.cos(0.2 * np.pi), abs=1e-4
    )


def test_a_curve_can_be_read(opened):
    """The same errors as the figures', on a scale of ratios: 4 and 9% lie far apart; levels and margins are named."""
    page = opened()
    shown = page.get_by_role("region", name="CosFace space")
    lines = {k: shown.locator(f"polyline.fx-{k}").get_attribute("points").split() for k in ("nn", "eer")}
    levels = {
        float(level.inner_text().rstrip("%")) / 100: float(
            level.get_attribute("style").split("bottom: ")[-1].split(":")[-1].rstrip("%;")
        )
        / 100
        for level in shown.locator(".fx-level").all()
    }
    assert len(levels) >= 3
    low, high = min(levels), max(levels)
    scale = (levels[high] - levels[low]) / np.log(high / low)
    for i, margin in enumerate(pack.MARGINS["cosface"]):
        merits = pack.manifest()["spaces"][f"cosface@{margin:g}"]["merits"]
        for key, error in (("nn", 1 - merits["15-NN"]), ("eer", merits["EER"])):
            x, y = map(float, lines[key][i].split(","))
            assert x == i
            assert 1 - y == pytest.approx(levels[low] + scale * np.log(error / low), abs=1e-3)
    height = shown.locator(".fx-plot").bounding_box()["height"]
    assert scale * np.log(9 / 4) * height > 15  # pixels between 4 and 9%
    assert shown.locator(".fx-ticks").inner_text().split() == ["▴0.1", "1.2"]


def test_the_training_plays_and_is_scrubbed(opened):
    page = opened()
    end = picture(page, "Triplet")
    slider = page.get_by_label("place in the training")
    slider.focus()
    page.keyboard.press("Home")
    page.wait_for_function("document.querySelector('.fx-training p').innerText.startsWith('0 images seen')")
    start = picture(page, "Triplet")
    assert start != end
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("document.querySelector('.fslviz-explorer').explorer.state.moment > 0.2")
    page.get_by_role("button", name="Pause").click()
    assert picture(page, "Triplet") not in (start, end)
    slider.focus()
    page.keyboard.press("End")
    page.wait_for_function("document.querySelector('.fx-training p').innerText.startsWith('1')")
    assert picture(page, "Triplet") == end
