"""What a hand looks for in the explorer: regions, pairs, a bent digit, the worst pairs, what moved, links."""

import functools
import re

import numpy as np
import pytest
import torch
from browser_helpers import (
    NAMES,
    PAGE,
    SEVEN,
    canvas,
    figures,
    link,
    lit,
    pad_at,
    picture,
    pixel_of,
    settled,
    strip,
    stroke,
    touch,
)
from scipy.spatial.distance import cdist

import fslviz
from fslviz import explorer
from fslviz.explorer import pack

EXPLORER = "document.querySelector('.fslviz-explorer').explorer"
LABELS = fslviz.load().test_labels[: pack.SHOWN].numpy()


def explored(page, expression):
    return page.evaluate(f"(e => {expression})({EXPLORER})")


@functools.cache
def embedded(name, known=False):
    """Places of the shown test digits, or of the known training digits, as they are compared."""
    digits = fslviz.load()
    images = digits.train_images[: pack.KNOWN] if known else digits.test_images[: pack.SHOWN]
    z = pack.Network.read(name).embed(images).astype(float)
    return z / np.linalg.norm(z, axis=1, keepdims=True) if pack.manifest()["spaces"][name]["cosine"] else z


# ---- what a threshold accepts


@pytest.mark.parametrize(("loss", "network"), [("Contrastive", "contrastive@1"), ("CosFace", "cosface@0.1")])
def test_the_region_drawn_is_what_is_accepted(opened, loss, network):
    """The ground under a place is coloured where some template accepts it, at each of several thresholds."""
    page = opened()
    page.get_by_label("space to verify in").select_option(network.split("@")[0])
    page.get_by_label("show what each digit's template accepts").check()
    digits = fslviz.load()
    labels = digits.train_labels[: pack.KNOWN].numpy()
    z, known = embedded(network), embedded(network, known=True)
    templates = np.array([known[labels == k].mean(0) for k in range(10)])
    if loss == "CosFace":
        templates /= np.linalg.norm(templates, axis=1, keepdims=True)
    nearest = cdist(z, templates).min(1)
    raw = pack.Network.read(network).embed(digits.test_images[: pack.SHOWN])
    shown = f"""loss => {{ const {{ space, painter }} = {EXPLORER}.panels.get(loss), {{ side }} = painter;
        const {{ data }} = painter.under.getContext('2d').getImageData(0, 0, side, side);
        return Array.from({{ length: space.n }}, (_, i) => {{
        const [x, y] = painter.toPixel(space.place(i)).map(Math.round);
        return x < 0 || y < 0 || x >= side || y >= side ? -1 : data[4 * (y * side + x) + 3]; }}); }}"""
    areas, bare = [], 60 if loss == "CosFace" else 20  # there the wedges lie under it
    for place in ("0.05", "0.1", "0.2") if loss == "CosFace" else ("0.1", "0.2", "0.35"):
        page.get_by_label("threshold").fill(place)
        settled(page)
        picture(page, loss)
        threshold = float(page.locator(".fx-enrol p.fx-figures").inner_text().split()[1])
        cover = np.array(page.evaluate(shown, loss.lower()))
        cover[
            np.linalg.norm(raw, axis=1) < 0.2 * pack.manifest()["spaces"][network]["radius"]
        ] = -1  # no angle in pixels
        step = pack.manifest()["spaces"][network]["radius"] / 60 if loss == "Contrastive" else 0.05
        inside, outside = (cover >= 0) & (nearest < threshold - step), (cover >= 0) & (nearest > threshold + step)
        assert (cover[inside] > bare).mean() > 0.97
        assert outside.sum() < 20 or (cover[outside] > bare).mean() < 0.03
        areas.append(inside.sum())
    assert areas[0] < areas[1] < areas[2]


def test_an_enrolled_symbol_has_its_region(opened):
    page = opened()
    bare = picture(page, "Contrastive")
    stroke(page, SEVEN)
    page.get_by_label("name of the symbol").fill("mine")
    page.get_by_role("button", name="Enrol this drawing").press("Enter")
    page.wait_for_selector("[aria-label^=forget]")
    settled(page)
    asked = "{ loss: 'contrastive', areas: false }, e.panels.get('contrastive').space, () => '#000'"
    assert len(explored(page, f"e.gallery.marks({asked}).areas")) == 1
    assert picture(page, "Contrastive") != bare
    page.get_by_role("button", name="forget mine").click()
    page.wait_for_selector("[aria-label^=forget]", state="detached")
    assert picture(page, "Contrastive") == bare


def test_a_claim_is_verified_against_its_template_alone(opened):
    page = opened()
    stroke(page, SEVEN)
    page.wait_for_selector(".fx-verdict:has-text('Accepted as 7')")
    page.get_by_label("claimed name").select_option("3")
    page.wait_for_selector(".fx-verdict:has-text('Claims to be 3: rejected')")
    assert page.locator(".fx-row").count() == 1
    page.get_by_label("claimed name").select_option("7")
    page.wait_for_selector(".fx-verdict:has-text('Claims to be 7: accepted')")
    page.get_by_label("claimed name").select_option("")
    page.wait_for_selector(".fx-verdict:has-text('Accepted as 7')")


# ---- a digit held, and a pair


@pytest.mark.parametrize("way", ["pointer", "touch", "keyboard"])
def test_a_digit_is_held_and_a_second_makes_a_pair(opened, way):
    page = opened(width=390 if way == "touch" else 1280, has_touch=way == "touch", is_mobile=way == "touch")
    if way == "keyboard":
        canvas(page, "Triplet").focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Space")
        page.keyboard.press("Shift+ArrowRight")  # the view moves, the digit stays
        for _ in range(9):
            page.keyboard.press("ArrowUp")
        page.keyboard.press("Space")
    else:
        press = page.mouse.click if way == "pointer" else page.touchscreen.tap
        press(*pixel_of(page, "triplet", 30))
        page.mouse.move(1, 1)
        page.wait_for_function(f"{EXPLORER}.state.pins.length === 1")
        assert re.match(r"a \d; nearest", settled(page)), "it stays when the pointer has left"
        press(*pixel_of(page, "triplet", 61))
    page.wait_for_function(f"{EXPLORER}.state.pins.length === 2")
    settled(page)
    pins = explored(page, "e.state.pins")
    page.wait_for_selector(".fx-pair:has-text('apart')")
    for loss, network in (("Contrastive", "contrastive@1"), ("Triplet", "triplet@1"), ("CosFace", "cosface@0.1")):
        z, said = embedded(network), page.get_by_role("region", name=f"{loss} space").locator(".fx-pair").inner_text()
        a, b = (LABELS[i] for i in pins)
        d = np.linalg.norm(z[pins[0]] - z[pins[1]])
        assert said.startswith(f"a {a} and a {b}, ")
        assert float(re.search(r", ([\d.]+) apart", said)[1]) == pytest.approx(d, abs=0.02)
        limit = float(re.search(r"at ([\d.]+)", said)[1])
        assert ("accepted" in said) == (d <= limit)
    assert f"pin:{pins[0]},{pins[1]}" in link(page)
    if way == "keyboard":
        page.keyboard.press("Escape")
        page.wait_for_function(f"{EXPLORER}.state.pins.length === 0")


@pytest.mark.parametrize(
    ("loss", "margin"),
    [
        ("contrastive", 1.0),
        ("contrastive", 4.0),
        ("triplet", 1.0),
        ("cosface", 0.2),
        ("arcface", 0.5),
        ("sphereface", 4),
        ("normface", None),
    ],
)
def test_what_the_loss_makes_of_a_pair_is_what_the_loss_computes(opened, loss, margin):
    name = loss if margin is None else f"{loss}@{margin:g}"
    (i, j), (k, m) = (30, 61), (int(np.flatnonzero(LABELS == 4)[0]), int(np.flatnonzero(LABELS == 4)[5]))
    network = pack.Network.read(name)
    z = torch.from_numpy(network.embed(fslviz.load().test_images[: pack.SHOWN]))
    for pins in ((i, j), (k, m)):
        page = opened(f"all.html#explorer=v2;show:{name};pin:{pins[0]},{pins[1]}")
        page.wait_for_selector(".fx-pair:has-text('apart')")
        said = page.locator(".fx-pair").first.inner_text().splitlines()[1:]
        two, y = z[list(pins)], torch.from_numpy(LABELS[list(pins)].astype(int))
        if loss == "contrastive":
            cost = float(fslviz.losses.Contrastive(margin)(two, y))
            shown = float(said[0].split("=")[1]) if "=" in said[0] else 0.0
            assert shown == pytest.approx(cost, abs=0.02, rel=0.03)
        elif loss == "triplet":
            d = torch.cdist(z[pins[0]][None], z)[0] ** 2
            alike = LABELS[pins[0]] == LABELS[pins[1]]
            others = np.flatnonzero((LABELS[pins[0]] == LABELS) != alike)
            others = others[others != pins[0]]
            worse = (d[pins[1]] - d[others] if alike else d[others] - d[pins[1]]) + margin > 0
            active, total = (int(n.replace(",", "")) for n in re.findall(r"[\d,]+", said[0]))
            assert total == len(others)
            assert abs(active - int(worse.sum())) <= 0.01 * total + 2
        else:
            space = pack.manifest()["spaces"][name]
            kind = {"cosface": "CosFace", "arcface": "ArcFace", "sphereface": "SphereFace", "normface": "NormFace"}[
                loss
            ]
            options = {} if margin is None else {"margin": margin}
            judge = getattr(fslviz.margins, kind)(**options)
            judge.anneal(1.0)
            turned = torch.tensor(space["turn"])
            judge.weight.data = torch.tensor(space["weight"]) @ turned.T.float()
            cos = fslviz.margins.cosine(two, judge.weight)
            target = judge.target(cos)
            for line, row, label in zip(said, range(2), y.tolist(), strict=True):
                shown, most = (
                    float(v.replace("−", "-")) for v in re.search(r"= (-?[\d.]+) [≥<] (-?[\d.]+)", line).groups()
                )
                others = [c for c in range(10) if c != label]
                assert shown == pytest.approx(float(target[row, label]), abs=0.02)
                assert most == pytest.approx(float(cos[row, others].max()), abs=0.02)


@pytest.mark.parametrize("name", ["contrastive-six", "triplet-six", "arcface-six"])
def test_a_network_of_six_digits_is_held_to_the_margin_that_it_was_trained_with(opened, name):
    loss = pack.SIX[name]
    margin = pack.DEFAULT[loss]
    one, two = (int(np.flatnonzero(k == LABELS)[0]) for k in (1, 2))
    page = opened(f"six.html#explorer=v2;pin:{one},{two}")
    page.wait_for_selector(".fx-pair:has-text('apart')")
    shown = page.get_by_role("region", name=f"{loss} of six digits space").locator(".fx-pair").inner_text().splitlines()
    z = embedded(name)
    if loss == "arcface":
        space = pack.manifest()["spaces"][name]
        judge = fslviz.margins.ArcFace(num_classes=6)
        judge.anneal(1.0)
        judge.weight.data = torch.tensor(space["weight"]) @ torch.tensor(space["turn"]).T.float()
        target = judge.target(fslviz.margins.cosine(torch.from_numpy(z[[one, two]]).float(), judge.weight))
        for line, row, own in zip(shown[1:], range(2), (0, 1), strict=True):
            assert f"cos(θ + {margin}) = " in line
            assert float(re.search(r"= (-?[\d.]+)", line.replace("−", "-"))[1]) == pytest.approx(
                float(target[row, own]), abs=0.02
            )
        return
    d = np.linalg.norm(z[one] - z[two])
    if loss == "contrastive":
        expected = "beyond the margin 1: costs nothing" if d >= margin else f"½ (1 − d)² = {(margin - d) ** 2 / 2:.3f}"
        assert expected in shown[1]
    else:
        assert "positives" in shown[1]


def test_a_pair_is_judged_by_its_own_network_alone(opened, served):
    """While another network is on its way, no threshold of the one before is held against it."""
    page = opened("all.html#explorer=v2;pin:30,61", base=served)
    late = []
    page.route("**/contrastive@16.known.js", lambda route: late.append(route))
    page.get_by_label("Contrastive margin").press("End")
    page.wait_for_function("document.body.innerText.includes('margin 16\\n')")
    region = page.get_by_role("region", name="Contrastive space")
    settled(page)
    page.wait_for_function(f"{EXPLORER}.panels.get('contrastive').space.name === 'contrastive@16'")
    assert "apart" not in region.locator(".fx-pair").inner_text()
    page.get_by_label("threshold").press("ArrowRight")
    assert explored(page, "e.state.threshold.network") == "contrastive@1"
    late[0].continue_()
    page.wait_for_selector("section[aria-label='Contrastive space'] .fx-pair:has-text('apart')")
    limit = float(re.search(r"at ([\d.]+)", region.locator(".fx-pair").inner_text())[1])
    assert limit == pytest.approx(explored(page, "e.loader.scores.get('contrastive@16').defaultThreshold"), abs=1e-3)


# ---- a digit, bent


@pytest.mark.parametrize(("kind", "most"), [("rotate", 90), ("slant", 45), ("thicken", 1.5)])
def test_a_digit_is_bent_on_its_way_through_every_space(opened, kind, most):
    page = opened("all.html#explorer=v2;pin:30")
    page.locator("summary").click()
    page.get_by_label("how a digit is bent").select_option(kind)
    slider = page.get_by_label("how far it is bent")
    slider.fill("0.5")
    page.wait_for_function(f"[...{EXPLORER}.panels.values()].every((p) => p.bend?.path.length === 13)")
    image = fslviz.load().test_images[30, 0].numpy() * 0.3081 + 0.1307
    at = explored(page, "[...e.panels.values()].map((p) => [p.space.name, p.bend.path, p.bend.now])")
    for name, path, now in at:
        space = pack.manifest()["spaces"][name]
        z = pack.Network.read(name).embed(fslviz.load().test_images[30:31])[0]
        own = (z - space["middle"]) / space["radius"] @ np.array(space["turn"])
        assert np.abs(np.array(path[6]) - own).max() < 0.06  # in the middle it is the digit itself, in 16 greys
        assert np.abs(np.array(now) - own).max() > 0.001
    said = page.locator(".fx-looks p.fx-figures").first.inner_text()
    assert {"rotate": "turned 45°", "slant": "slanted 23°", "thicken": "thickened by 1.5 pixels"}[kind] in said
    bent = page.evaluate(
        """() => { const c = document.querySelector('.fx-bent'), d = c.getContext('2d').getImageData(0, 0, 28, 28).data;
        return Array.from({ length: 784 }, (_, i) => d[4 * i + 3] / 255); }"""
    )
    bent = np.array(bent).reshape(28, 28)
    if kind == "thicken":
        assert bent.sum() > 1.4 * image.sum()
    else:  # as torchvision would bend it
        from torchvision.transforms.v2 import functional as F

        options = {"translate": [0, 0], "scale": 1.0, "interpolation": F.InterpolationMode.BILINEAR}
        angle, shear = (45.0, [0.0, 0.0]) if kind == "rotate" else (0.0, [22.5, 0.0])
        tries = [
            F.affine(torch.tensor(image)[None], angle=s * angle, shear=[s * v for v in shear], **options)[0]
            for s in (1, -1)
        ]
        assert min(np.abs(t.numpy() - bent).mean() for t in tries) < 0.03
    slider.fill("0")
    page.wait_for_function(f"[...{EXPLORER}.panels.values()].every((p) => !p.bend)")


def test_a_drawing_is_bent_too(opened):
    page = opened()
    stroke(page, SEVEN)
    page.locator("summary").click()
    page.get_by_label("how far it is bent").fill("0.1")
    page.wait_for_selector(".fx-looks p.fx-figures:has-text('Your drawing, turned')")
    page.wait_for_function(f"{EXPLORER}.panels.get('cosface').bend?.path.length === 13")


# ---- lists that lead to the digits


def test_the_worst_pairs_lead_to_their_digits(opened):
    page = opened()
    page.locator("summary").click()
    page.wait_for_function("document.querySelectorAll('.fx-pairing').length === 12")
    z = embedded("contrastive@1")
    d = cdist(z, z)
    same = LABELS[:, None] == LABELS
    np.fill_diagonal(d, np.nan)
    shown = [b.get_attribute("aria-label") for b in page.locator(".fx-pairing").all()]
    far = [float(re.search(r"([\d.e-]+) apart", s)[1]) for s in shown]
    assert far[0] == pytest.approx(np.nanmin(d[~same]), abs=0.01)
    assert far[6] == pytest.approx(np.nanmax(d[same]), abs=0.05)
    assert far[:6] == sorted(far[:6])
    assert far[6:] == sorted(far[6:], reverse=True)
    assert all(s[2] != s[10] for s in shown[:6])
    assert all(s[2] == s[10] for s in shown[6:])
    page.locator(".fx-pairing").nth(7).press("Enter")
    page.wait_for_function(f"{EXPLORER}.state.pins.length === 2")
    page.wait_for_selector(f".fx-pair:has-text('{shown[7][:9]}')")
    pins = explored(page, "e.state.pins")
    assert d[pins[0], pins[1]] == pytest.approx(far[7], abs=0.02)


def test_what_moved_is_lit(opened):
    page = opened()
    page.locator("summary").click()
    page.get_by_label("from", exact=True).select_option("contrastive@0")
    page.get_by_label("to", exact=True).select_option("contrastive@1")
    page.wait_for_selector(".fx-looks button:has-text('won some')")

    def own(name):
        z = embedded(name)
        d = cdist(z, z)
        np.fill_diagonal(d, np.inf)
        return (LABELS[np.argsort(d, axis=1)[:, :15]] == LABELS[:, None]).sum(1)

    change = own("contrastive@1") - own("contrastive@0")
    for words, digits in (("won some", np.flatnonzero(change >= 8)), ("lost neighbours", np.flatnonzero(change <= -8))):
        page.locator(f".fx-looks button:has-text('{words}')").click()
        page.wait_for_function(f"{EXPLORER}.state.selection?.kind === '{words.split()[0]}'")
        page.wait_for_function(f"{EXPLORER}.loader.answered === JSON.stringify({EXPLORER}.state.selection)")
        found = set(explored(page, "[...e.loader.selected]"))
        assert len(found ^ set(digits.tolist())) <= 0.1 * max(len(digits), 20)
    assert lit(opened(link(page))) == len(found)


# ---- views


def test_zoom_follows_the_digits(opened):
    page = opened()
    places = np.array(explored(page, "[...e.panels.get('contrastive').space.target]")).reshape(-1, 2)
    x, y = places[LABELS == 8].mean(0)
    explored(page, f"e.view('contrastive', {{ x: {x}, y: {y}, zoom: 6 }})")
    for name in NAMES.values():
        picture(page, name)
    seen = """[...e.panels.values()].map((p) => { const { painter, space } = p; let eights = 0, all = 0;
        e.labels.test.forEach((k, i) => { const [x, y] = painter.toPixel(space.place(i));
        if (x > 0 && y > 0 && x < painter.side && y < painter.side) { all++; eights += k === 8; } });
        return eights / all; })"""
    shares = explored(page, seen)
    assert min(shares) > 0.5, shares
    page.get_by_label("zoom follows the digits").click()
    views = explored(page, "e.state.views")
    assert views["cosface"]["zoom"] > 1  # each stays where it was
    assert "zoom:apart" in link(page)
    other = opened(link(page))
    assert explored(other, "e.state.views.cosface.zoom") == pytest.approx(views["cosface"]["zoom"], rel=1e-3)


# ---- links


def test_the_link_is_copied(opened, served):
    page = opened(base=served, permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="highlight the digits 4").click()
    page.get_by_role("button", name="Copy link").click()
    page.wait_for_selector("text=The link is copied.")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.url
    page = opened(
        copied.rsplit("/", 1)[1], script="Object.defineProperty(navigator, 'clipboard', { value: undefined })"
    )
    page.get_by_role("button", name="Copy link").press("Enter")
    box = page.get_by_label("the link")
    box.wait_for()
    assert box.input_value() == page.url  # chosen, to be copied by hand
    assert page.evaluate("document.activeElement.selectionEnd") == len(page.url)


def test_back_leads_to_the_view_before(opened):
    page = opened()
    page.get_by_role("button", name="highlight the digits 4").click()
    page.get_by_role("button", name="ArcFace").click()
    canvas(page, "ArcFace").wait_for()
    page.get_by_label("CosFace margin").press("End")
    assert "cosface@1.2" in link(page)
    page.get_by_role("button", name="Reset").click()
    canvas(page, "ArcFace").wait_for(state="detached")
    page.wait_for_function("document.body.innerText.includes('margin 0.1\\n')")
    assert lit(page) == 0
    page.go_back()
    canvas(page, "ArcFace").wait_for()
    page.wait_for_function("document.body.innerText.includes('margin 1.2\\n')")
    page.go_back()
    canvas(page, "ArcFace").wait_for(state="detached")
    assert page.get_by_role("button", name="highlight the digits 4").get_attribute("aria-pressed") == "true"
    page.go_back()
    page.wait_for_function(f"{EXPLORER}.loader.selected === null")
    assert figures(page, "CosFace").startswith("margin 0.1\n")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_every_ability_by_keys_is_accessible(opened, width, scheme):
    from axe_playwright_python.sync_playwright import Axe

    page = opened("all.html#explorer=v2;pin:30,61;lit:classes,3;areas:ten", width=width, color_scheme=scheme)
    page.locator("summary").press("Enter")
    page.wait_for_selector(".fx-pairing")
    page.wait_for_selector(".fx-pair:has-text('apart')")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    found = Axe().run(page).response["violations"]
    assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == []
    assert strip(page, "Triplet") == f"a {LABELS[30]} and a {LABELS[61]}"


def test_two_fingers_move_and_zoom_one_space(opened, site):
    (site / "one.html").write_text(PAGE.format(explorer.mount(["triplet"], ["draw"])))
    page = opened("one.html", width=390, has_touch=True, is_mobile=True)
    box = canvas(page, "Triplet").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    touch(page, [(x - 40 - 4 * i, y + 2 * i) for i in range(10)], [(x + 40 + 4 * i, y + 2 * i) for i in range(10)])
    view = explored(page, "e.state.views.triplet")
    assert view["zoom"] > 1.5
    assert view["y"] > 0.01
    assert pad_at(page, 0.5, 0.5)[0] < 390
