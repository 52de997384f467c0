"""The drawing pad in a browser: what a hand draws is placed, named, enrolled and verified."""

import numpy as np
from browser_helpers import (
    ONE,
    SEVEN,
    STAR,
    canvas,
    frame,
    lit,
    pad_at,
    picture,
    pixel_of,
    settled,
    strip,
    strips,
    stroke,
    touch,
)
from PIL import Image, ImageDraw

import fslviz
from fslviz.explorer import pack

# ---- 4. draw, 5. enrol and verify


def test_a_drawn_digit_lands_among_its_own(opened):
    page = opened()
    stroke(page, SEVEN)
    strips(page, "your drawing")
    sevens = [strip(page, loss).count("7") for loss in ("Contrastive", "Triplet", "Softmax", "CosFace")]
    assert sum(sevens) >= 15, sevens
    page.get_by_label("place in the training").focus()
    page.keyboard.press("Home")  # where the trained network's place means nothing
    page.wait_for_function("document.querySelector('.fx-strip').ariaLabel == 'no digit chosen'")
    page.keyboard.press("End")
    strips(page, "your drawing")
    page.get_by_role("button", name="Clear").click()
    page.wait_for_function("document.querySelector('.fx-strip').ariaLabel == 'no digit chosen'")


def test_what_arrives_late_does_not_displace_what_came_after(opened, served):
    page = opened(base=served)

    late = []
    page.route("**/cosface@0.15.net.js", lambda route: late.append(route))
    stroke(page, SEVEN)
    page.get_by_label("CosFace margin").focus()
    place = "document.querySelector('.fslviz-explorer').explorer.panels.get('cosface').probe.place"
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.body.innerText.includes('margin 0.15\\n')")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.body.innerText.includes('margin 0.2\\n')")
    page.wait_for_function(f"{place} !== null")
    picture(page, "CosFace")
    shown = page.evaluate(place)
    with page.expect_event("requestfinished", lambda r: r.url.endswith("cosface@0.15.net.js")):
        late[0].continue_()
    picture(page, "CosFace")
    assert page.evaluate(place) == shown


def test_one_draws_by_keys(opened):
    page = opened()
    canvas(page, "CosFace").focus()
    page.keyboard.press("ArrowRight")
    strips(page, "a ")
    page.get_by_role("application", name="Drawing pad").focus()
    for key in [*["ArrowLeft"] * 5, "Space", *["ArrowRight"] * 10, *["ArrowDown", "ArrowLeft", "ArrowDown"] * 6]:
        page.keyboard.press(key)
    strips(page, "your drawing")
    frame(page)
    sevens = [strip(page, loss).count("7") for loss in ("Contrastive", "Triplet", "Softmax", "CosFace")]
    assert sum(sevens) >= 15, sevens
    page.keyboard.press("Delete")
    strips(page, "no digit chosen")


def test_the_page_and_pytorch_agree(opened):
    """Embeddings of 200 test images, to a thousandth of the space's spread."""
    page, images = opened(), fslviz.load().test_images[:200]
    for name in ("contrastive@1", "softmax", "cosface@1.2", "sphereface@9"):
        ours = page.evaluate(
            """async ([name, images]) => { const network = await document.querySelector('.fslviz-explorer').explorer
            .loader.probes.network(name); return images.map((i) => network.embed(Float32Array.from(i))); }""",
            [name, images.flatten(1).tolist()],
        )
        theirs = pack.Network.read(name).network()(images).detach().numpy()
        assert np.abs(np.array(ours) - theirs).max() < 1e-3 * theirs.std()


def test_a_phone_by_touch(opened):
    page = opened(width=390, has_touch=True, is_mobile=True)
    canvas(page, "Triplet").scroll_into_view_if_needed()
    page.touchscreen.tap(*pixel_of(page, "triplet", 30))
    strips(page, "a ")
    before = {loss: picture(page, loss) for loss in ("Triplet", "CosFace")}
    box = canvas(page, "Triplet").bounding_box()
    x, y, side = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, box["width"]
    apart = [0.1 + 0.03 * i for i in range(10)]
    touch(page, [(x - side * a, y) for a in apart], [(x + side * a, y) for a in apart])
    assert page.evaluate("document.querySelector('.fslviz-explorer').explorer.state.views.triplet.zoom") > 2
    assert all(picture(page, loss) != before[loss] for loss in before)
    page.get_by_role("button", name="Reset").tap()
    page.get_by_role("button", name="Lasso").tap()
    canvas(page, "Triplet").scroll_into_view_if_needed()
    box = canvas(page, "Triplet").bounding_box()
    at = lambda u, v: (box["x"] + u * box["width"], box["y"] + v * box["height"])  # noqa: E731
    touch(page, [at(0.1, 0.1), at(0.9, 0.1), at(0.9, 0.5), at(0.1, 0.5)])
    assert 500 < lit(page) < 4500
    pad = page.get_by_role("application", name="Drawing pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    touch(page, [at(*p) for a, b in zip(SEVEN, SEVEN[1:], strict=False) for p in np.linspace(a, b, 9)])
    strips(page, "your drawing")
    assert sum(strip(page, loss).count("7") for loss in ("Triplet", "CosFace")) >= 7


def test_a_drawing_is_prepared_as_mnist_is(opened):
    page = opened()
    stroke(page, SEVEN)
    strips(page, "your drawing")
    image = np.array(
        page.evaluate("[...document.querySelector('.fslviz-explorer').explorer.loader.probes.drawing]")
    ).reshape(28, 28)
    rows, columns = np.flatnonzero(image.max(1) > 0.05), np.flatnonzero(image.max(0) > 0.05)
    assert 19 <= max(np.ptp(rows), np.ptp(columns)) + 1 <= 22
    at = np.arange(28)
    assert abs(image.sum(1) @ at / image.sum() - 14) < 0.1
    assert abs(image.sum(0) @ at / image.sum() - 14) < 0.1
    mnist = ((fslviz.load().test_images[:1000, 0] * 0.3081) + 0.1307).flatten(1)
    ink = mnist[fslviz.load().test_labels[:1000] == 7].sum(1)
    assert ink.quantile(0.02) < image.sum() < ink.quantile(0.98)
    # a scan of the same strokes, drawn large by another hand, comes out the same
    paper, width = Image.new("L", (800, 800), 255), round(2.3 * 0.65 / 17.7 * 800)
    pen, points = ImageDraw.Draw(paper), [(800 * x, 800 * y) for x, y in SEVEN]
    pen.line(points, 0, width)
    for x, y in points:
        pen.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), 0)
    scanned = fslviz.prepare(paper)[0].numpy() * 0.3081 + 0.1307
    assert np.abs(scanned - image).max() < 0.25
    assert np.abs(scanned - image).mean() < 0.01


def test_a_symbol_is_enrolled_and_verified(opened):
    page = opened()
    verdict = page.locator(".fx-verdict")
    page.get_by_role("button", name="Enrol this drawing").click()
    assert "Draw something first" in verdict.inner_text()
    for _ in range(2):
        stroke(page, STAR)
        strips(page, "your drawing")
        page.get_by_role("button", name="Enrol this drawing").press("Enter")
    page.wait_for_selector("text=✶: 2 samples")
    stroke(page, STAR)
    page.wait_for_selector(".fx-verdict:has-text('✶')")
    assert "Accepted as" in verdict.inner_text()
    assert page.locator(".fx-row").count() == 11
    assert page.locator(".fx-row").first.inner_text().startswith("✶")
    page.get_by_label("threshold").focus()
    page.keyboard.press("Home")
    page.wait_for_function("document.body.innerText.includes('threshold 0.000 · FMR 0.0% · FNMR 100.0%')")
    page.get_by_role("button", name="Clear").click()
    stroke(page, ONE)
    page.wait_for_selector(".fx-verdict:has-text('Rejected: the nearest, 1')")


def test_the_errors_beside_the_threshold_are_right(opened):
    page = opened()
    said = page.locator(".fx-enrol p.fx-figures").inner_text()
    threshold, fmr, fnmr = (float(w.rstrip("%")) for w in said.split() if w[0].isdigit())
    network, digits = pack.Network.read("contrastive@1"), fslviz.load()
    gallery, known = fslviz.Gallery(), network.embed(digits.train_images[: pack.KNOWN])
    for k in range(10):
        gallery.enrol(k, known[digits.train_labels[: pack.KNOWN] == k])
    labels = digits.test_labels[: pack.SHOWN].numpy()
    claims = gallery.claims(network.embed(digits.test_images[: pack.SHOWN]), labels)
    match = claims.distance <= threshold
    assert abs(100 * match[~claims.genuine].mean() - fmr) < 0.3
    assert abs(100 * (1 - match[claims.genuine].mean()) - fnmr) < 0.3
    assert abs(fmr - 1) < 0.1  # where chapter 6 would run it


# ---- the pad's hands


def test_one_pointer_draws_with_its_first_button(opened):
    page = opened()
    page.mouse.move(*pad_at(page, 0.3, 0.2))
    page.mouse.down(button="right")
    page.mouse.move(*pad_at(page, 0.7, 0.8), steps=4)
    page.mouse.up(button="right")
    assert "your drawing" not in settled(page)
    stroke(page, SEVEN)
    strips(page, "your drawing")
    seven = settled(page)
    page.mouse.move(*pad_at(page, 0.2, 0.9))  # no button held: nothing follows
    assert settled(page) == seven
    page.mouse.click(*pad_at(page, 0.2, 0.9))  # a tap is no stroke
    assert settled(page) == seven


def test_a_second_finger_does_not_break_a_stroke(opened):
    page = opened()
    send = """([kind, id, x, y, primary]) => {
      const pad = document.querySelector("canvas[aria-label^='Drawing pad']");
      const touch = { bubbles: true, pointerType: "touch", pointerId: id, isPrimary: primary, clientX: x, clientY: y };
      pad.setPointerCapture = () => {};
      pad.dispatchEvent(new PointerEvent(kind, touch));
    }"""
    page.get_by_role("application", name="Drawing pad").scroll_into_view_if_needed()
    for i, (x, y) in enumerate([SEVEN[0], (0.5, 0.2), SEVEN[1], (0.6, 0.5), SEVEN[2]]):
        page.evaluate(send, ["pointermove" if i else "pointerdown", 1, *pad_at(page, x, y), True])
        if i == 2:  # a palm, put down and lifted
            for kind in ("pointerdown", "pointermove", "pointerup"):
                page.evaluate(send, [kind, 2, *pad_at(page, 0.1, 0.9), False])
    page.evaluate(send, ["pointerup", 1, *pad_at(page, *SEVEN[2]), True])
    assert settled(page).count("7") >= 4


def test_ink_beyond_the_edge_is_none_and_a_stroke_is_undone(opened):
    page = opened()
    stroke(page, SEVEN)
    strips(page, "your drawing")
    ink = lambda: page.evaluate("document.querySelector('canvas.fx-pad').toDataURL()")  # noqa: E731
    seven, drawn = settled(page), ink()
    stroke(page, [(0.5, 0.95), (0.6, 1.4), (1.5, 1.4), (0.9, 0.5), (0.8, 0.6)])
    assert settled(page).count("7") >= 4, "the way around outside was drawn"
    both = ink()
    assert both != drawn
    page.get_by_role("button", name="Undo").click()  # what came back is a stroke of its own
    assert settled(page) == seven
    assert ink() not in (both, drawn)
    page.get_by_role("button", name="Undo").click()
    assert settled(page) == seven
    assert ink() == drawn
    page.mouse.move(*pad_at(page, 0.2, 0.2))
    page.mouse.down()
    page.mouse.move(*pad_at(page, 0.6, 0.6), steps=3)
    page.keyboard.press("Delete")  # the pad has the focus
    page.mouse.move(*pad_at(page, 0.6, 0.9), steps=3)
    page.mouse.up()
    assert "your drawing" not in settled(page)


def test_a_drawing_is_whole_as_soon_as_the_pen_is_lifted(opened):
    """Enrolled before the next frame is painted, it is the drawing and not what was painted of it."""
    page = opened()
    said = page.evaluate(
        """() => { const pad = document.querySelector('.fx-pad'), box = pad.getBoundingClientRect();
        const fire = (kind, x, y) => pad.dispatchEvent(new PointerEvent(kind, { pointerId: 1, isPrimary: true,
        button: 0, buttons: 1, pointerType: 'mouse', clientX: box.left + x * box.width,
        clientY: box.top + y * box.height }));
        fire('pointerdown', 0.5, 0.2); for (let y = 0.2; y < 0.8; y += 0.1) fire('pointermove', 0.5, y);
        fire('pointerup', 0.5, 0.8); document.querySelector('.fx-enrol button').click();
        return document.querySelector('.fx-verdict').innerText; }"""
    )
    assert "Draw something first" not in said
    page.wait_for_selector("text=✶: 1 sample")
