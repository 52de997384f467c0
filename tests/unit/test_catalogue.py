import inspect
import json

import pytest

from fslviz import plots
from fslviz.explorer import catalogue, pack
from fslviz.runs import LOSSES


def test_the_catalogue_is_what_python_makes():
    kept = json.loads(catalogue.FILE.read_text(encoding="utf-8"))
    assert kept == json.loads(json.dumps(catalogue.catalogue()))
    assert list(kept["losses"]) == list(LOSSES)


def test_every_loss_has_a_colour_of_its_own():
    assert set(plots.LOSS_COLOURS) == {*LOSSES, "pixels"}
    assert len(set(plots.LOSS_COLOURS.values())) == len(plots.LOSS_COLOURS)


WITH_MARGIN = [name for name, kind in LOSSES.items() if "margin" in inspect.signature(kind).parameters]


@pytest.mark.parametrize("name", WITH_MARGIN)
def test_a_loss_takes_the_margins_that_the_catalogue_tells_of(name):
    kind, margin = LOSSES[name], catalogue.catalogue()["losses"][name]["margin"]
    for value in (margin["least"], margin["most"], margin["default"], *margin["swept"]):
        assert kind(margin=value).margin == value
        assert margin["least"] <= value <= margin["most"]
    for value in (kind.MARGIN[0] - 1, kind.MARGIN[1] + 0.001):
        with pytest.raises(ValueError, match="margin"):
            kind(margin=value)
    half = margin["least"] + 0.5
    if margin["whole"]:
        with pytest.raises(ValueError, match="whole"):
            kind(margin=half)
    else:
        assert kind(margin=half).margin == half


@pytest.mark.parametrize("name", [name for name, margins in pack.MARGINS.items() if margins])
def test_the_default_margin_is_among_the_trained(name):
    assert pack.DEFAULT[name] == inspect.signature(LOSSES[name]).parameters["margin"].default
    assert pack.DEFAULT[name] in pack.MARGINS[name]
    assert pack.manifest()["default"] == pack.DEFAULT
    assert "__init__" in vars(LOSSES[name])  # its own: another loss's default may change
