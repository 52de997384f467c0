"""Links to a state of the explorer: each comes back, and none breaks it."""

import numpy as np
import pytest
from browser_helpers import (
    canvas,
    figures,
    link,
    picture,
)

from fslviz.explorer import pack

# ---- 6. the address


def test_a_link_reopens_the_view(opened, site):
    page = opened()
    page.get_by_role("button", name="Contrastive").click()
    page.get_by_label("CosFace margin").focus()
    page.keyboard.press("End")
    page.get_by_role("button", name="highlight the digits 4").click()
    canvas(page, "Triplet").focus()
    page.keyboard.press("+")
    page.get_by_label("threshold").focus()
    page.keyboard.press("ArrowRight")
    threshold = page.locator(".fx-enrol p.fx-figures").inner_text()
    shown = {n: picture(page, n) for n in ("Triplet", "CosFace")}
    other = opened(link(page))
    assert canvas(other, "Contrastive").count() == 0
    assert "margin 1.2\n" in figures(other, "CosFace")
    assert {n: picture(other, n) for n in shown} == shown
    assert other.locator(".fx-enrol p.fx-figures").inner_text() == threshold
    assert other.get_by_role("button", name="highlight the digits 4").get_attribute("aria-pressed") == "true"


def test_a_link_within_the_page_is_followed(opened):
    page = opened()
    page.evaluate("location.hash = 'explorer=v2;show:triplet@0,cosface@1.2;step:0.5'")
    page.wait_for_function("document.body.innerText.includes('margin 1.2, after')")
    assert page.locator(".fx-grid .fx-points").count() == 2
    assert page.get_by_label("place in the training").input_value() == "0.5"
    page.evaluate("location.hash = 'explorer=v2;show:cosface@99'")
    page.wait_for_selector(".fx-note:has-text('could not be read')")
    assert "margin 1.2, after" in figures(page, "CosFace")
    page.evaluate("location.hash = 'explorer=v2;show:cosface@0'")
    page.wait_for_selector(".fx-note", state="hidden")
    assert page.locator(".fx-grid .fx-points").count() == 1


def test_every_view_survives_its_link(opened):
    """States at random: the text of each, read, is the same text again."""
    page, rng = opened(), np.random.default_rng(0)
    names = list(pack.manifest()["spaces"])
    for _ in range(60):
        shown = {pack.manifest()["spaces"][n]["loss"]: n for n in rng.choice(names[:-4], rng.integers(1, 5))}
        losses = list(shown)
        lit = [
            None,
            {"kind": "classes", "classes": rng.permutation(10)[: rng.integers(1, 10)].tolist()},
            {"kind": "around", "network": names[3], "moment": 1, "digit": int(rng.integers(5000))},
            {"kind": "won", "from": names[0], "to": names[4]},
            {
                "kind": "lasso",
                "network": names[2],
                "moment": 0.5,
                "count": 3,
                "outline": rng.normal(size=(20, 2)).round(4).tolist(),
            },
        ][rng.integers(5)]
        view = dict(zip("xy", rng.normal(size=2).tolist(), strict=True)) | {"zoom": float(rng.uniform(0.3, 40))}
        state = {"losses": losses, "networks": shown, "lead": losses[-1], "gallerySpace": losses[0], "selection": lit}
        state |= {
            "moment": float(rng.choice([1, rng.random()])),
            "pins": rng.permutation(5000)[: rng.integers(3)].tolist(),
        }
        if rng.random() < 0.5:
            state["threshold"] = {"network": shown[losses[0]], "value": float(10 ** rng.uniform(-7, 2))}
        first, again, noted = page.evaluate(
            """async ([state, loss, view, apart]) => { const e = document.querySelector('.fslviz-explorer').explorer;
            const networks = { ...e.state.networks, ...state.networks };
            e.set({ ...state, networks, areas: apart, together: true }, false);
            e.view(loss, view); if (apart) e.set({ together: false }, false);
            const link = e.link(); location.hash = ''; location.hash = link.split('#')[1];
            await new Promise((r) => setTimeout(r, 60));
            return [link, e.link(), !document.querySelector('.fx-note').hidden]; }""",
            [state, losses[-1], view, bool(rng.random() < 0.4)],
        )
        assert again == first
        assert len(first.split("#")[1]) < 700
        assert not noted or lit["kind"] == "lasso"  # which says that it holds another number of digits


def test_no_link_breaks_the_explorer(opened):
    """Links cut, doubled and garbled at random: each is followed or ignored, and the spaces stay."""
    page, rng, outcomes = opened(), np.random.default_rng(0), set()
    good = (
        "v2;show:triplet@1,cosface@1.2;step:0.5;lit:classes,3,4;pin:2,99;view:cosface,0.1,0.2,2;threshold:triplet@1,0.4"
    )
    for _ in range(80):
        text = list(good)
        for _ in range(rng.integers(1, 4)):
            at, sign = rng.integers(len(text)), rng.choice(list("0123456789abz;:,@+.-%&=é "))
            text[at : at + rng.integers(3)] = [sign] * rng.integers(3)
        page.evaluate(
            "async t => { location.hash = 'explorer=' + t; await new Promise((r) => setTimeout(r, 30)); }",
            "".join(text),
        )
        outcomes.add(page.locator(".fx-note").is_visible())
        assert page.get_by_role("alert").count() == 0, text
        assert page.locator(".fx-grid .fx-points").count() == len(
            page.evaluate("document.querySelector('.fslviz-explorer').explorer.state.losses")
        )
    assert outcomes == {True, False}


@pytest.mark.parametrize(
    "hash_",
    [
        "v2;show:nosuch@1",
        "v0;show:cosface@1.2",
        "v1;cosface@1;1;;0,0,1;;cosface;",  # as it was before
        "%%%",
        "%E9%",
        "v2;show:cosface@0.11",
        "v2;show:cosface@0.1,cosface@0.2",
        "v2;show:constructor",
        "v2;show:",
        "v2;",
        "v2;step:2",
        "v2;step:0x1",
        "v2;step:",
        "v2;step:0.5;step:0.5",
        "v2;lit:classes,3,",
        "v2;lit:classes,10",
        "v2;lit:digits,5000",
        "v2;lit:loop,triplet@1,1,3,0,0,1,1",
        "v2;lit:nothing",
        "v2;pin:1,2,3",
        "v2;pin:1,1",
        "v2;pin:-1",
        "v2;view:cosface,1e308,0,2",
        "v2;view:cosface,0,0,99",
        "v2;view:arcface,0,0,2",
        "v2;view:cosface,0,0,2,triplet,0,0,2",
        "v2;space:arcface",
        "v2;threshold:cosface@0.1,0.3",
        "v2;show:triplet@1;threshold:cosface@0.1,0.3",
        "v2;threshold:contrastive@1,-1",
        "v2;threshold:contrastive@1,Infinity",
        "v2;colour:red",
        "v2;lab:cosface,9,16,all,none,0,trained",
        "v2;lab:sphereface,0,16,all,none,0,trained",
        "v2;lab:nosuch,0,16,all,none,0,trained",
        "v2;lab:triplet,1,16,all,0123456789,0,chance",
        "v2;lab:triplet,1,16,all,00,0,chance",
        "v2;lab:triplet,1,16,best,none,0,chance",
        "v2;lab:triplet,1,16,all,none,-1,chance",
        "v2;lab:triplet,1,16,all,none,0",
    ],
)
def test_a_malformed_link_gives_the_usual_view(opened, hash_):
    page = opened(f"all.html#explorer={hash_}")
    assert "could not be read" in page.locator(".fx-note").inner_text()
    assert page.locator(".fx-grid .fx-points").count() == 4
    page.get_by_role("button", name="highlight the digits 4").click()
    page.wait_for_selector(".fx-note", state="hidden")  # it goes with the next deed, and so does the bad address
    assert page.url.endswith("#explorer=v2;lit:classes,4")
