"""The explorer's widget in Python: its arguments, and what it sends."""

import json
import sys
import types

import numpy as np
import pytest
import torch

import fslviz
from fslviz.explorer import pack


def test_a_bad_argument_is_named():
    with pytest.raises(ValueError, match="no loss 'cosfac'.*did you mean 'cosface'"):
        fslviz.Explorer(["cosfac"])
    with pytest.raises(ValueError, match="each named once"):
        fslviz.Explorer(["cosface", "cosface"])
    with pytest.raises(ValueError, match="no part 'drawing'"):
        fslviz.Explorer(parts=["drawing"])
    with pytest.raises(ValueError, match="of ten digits or all of six, not both"):
        fslviz.Explorer(["triplet", "triplet-six"])
    with pytest.raises(ValueError, match="losses must be a name or a list of names, not 3"):
        fslviz.Explorer(3)
    with pytest.raises(ValueError, match="no argument 'margin'.*did you mean 'margins'"):
        fslviz.Explorer("cosface", margin={"cosface": 0.2})
    with pytest.raises(ValueError, match="margins must be a margin for each loss, such as .*, not 0.2"):
        fslviz.Explorer("cosface", margins=0.2)
    with pytest.raises(ValueError, match="margins trained for cosface are"):
        fslviz.Explorer(["cosface"], margins={"cosface": 0.11})
    shown = fslviz.Explorer(["cosface"])
    with pytest.raises(ValueError, match="step must be a number from 0 to 1"):
        shown.step = 2.0
    with pytest.raises(ValueError, match="selection must be a number from 0 to 4999"):
        shown.selection = [5000]
    for given in ([1.5], "abc", None, np.array([True, False])):
        with pytest.raises(ValueError, match="selection must be indices of test images, or a mask of all 5000"):
            shown.selection = given
    with pytest.raises(ValueError, match="step must be a number, not 'half'"):
        shown.step = "half"
    with pytest.raises(ValueError, match=r"threshold must be a number from 0 to 1e\+09, not nan"):
        fslviz.Explorer(threshold=float("nan"))


def test_numbers_of_numpy_and_torch_are_taken():
    shown = fslviz.Explorer(["cosface"], margins={"cosface": np.float32(0.2)}, step=np.float32(0.5))
    assert (shown.margins, shown.step) == ({"cosface": 0.2}, 0.5)
    shown.selection = np.flatnonzero(np.array([0, 1, 1]))
    shown.threshold = np.float64(0.3)
    assert json.dumps([shown.selection, shown.threshold]) == "[[1, 2], 0.3]"
    shown.selection = torch.tensor([3])
    assert json.dumps(shown.selection) == "[3]"


def test_what_is_plain_is_taken():
    shown = fslviz.Explorer("triplet", "draw", selection=7)
    assert (shown.losses, shown.parts, shown.margins, shown.selection) == (["triplet"], "draw", {"triplet": 1.0}, [7])
    shown.losses = "cosface"
    shown.selection = np.arange(pack.SHOWN) < 2  # a mask, not the digits 0 and 1 many times over
    assert (shown.losses, shown.selection) == (["cosface"], [0, 1])
    shown.selection = {5, 3}
    assert shown.selection == [3, 5]


def test_a_part_that_is_asked_for_is_sent_and_one_that_there_is_not_is_named(monkeypatch):
    sent = []
    monkeypatch.setattr(fslviz.Explorer, "send", lambda _, content, buffers=(): sent.append((content, buffers)))
    widget = fslviz.Explorer(["cosface"])
    for name in ("cosface@0.1/points", "cosface@0.1/point"):
        widget._handle_custom_msg({"part": name}, [])
    whole, none = sent
    assert whole == ({"part": "cosface@0.1/points"}, [pack.packed("cosface@0.1/points")])
    assert none[0]["part"] == "cosface@0.1/point"
    assert "did you mean 'cosface@0.1/points'" in none[0]["error"]


def test_the_alphabet_stands_alone_or_beside_spaces():
    alone = fslviz.Explorer(parts="alphabet")
    assert (alone.losses, alone.parts) == ([], "alphabet")
    assert {*alone.first} == {"manifest", "labels", "alphabet/about"}
    assert "an alphabet" in repr(alone._repr_mimebundle_()[0]["text/plain"])
    assert fslviz.Explorer("triplet", parts=["draw", "alphabet"]).losses == ["triplet"]
    assert "alphabet" not in fslviz.Explorer().parts
    with pytest.raises(ValueError, match="losses must be one or more"):
        fslviz.Explorer([], parts=["draw"])
    with pytest.raises(ValueError, match="losses must be one or more"):
        fslviz.Explorer("cosface").losses = []


def test_in_colab_it_is_the_widget_alone(monkeypatch):
    assert "fslviz-explorer" in fslviz.Explorer(["cosface"])._repr_mimebundle_()[0]["text/html"]
    widgets = types.SimpleNamespace(_installed_url="manager.js")
    colab = types.SimpleNamespace(enable_custom_widget_manager=lambda: None, _widgets=widgets)
    monkeypatch.setitem(sys.modules, "google.colab.output", colab)
    bundle, metadata = fslviz.Explorer(["cosface"])._repr_mimebundle_()
    assert "text/html" not in bundle
    assert "manager.js" in json.dumps(metadata)


def test_a_damaged_pack_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(pack, "HERE", tmp_path)
    with pytest.raises(RuntimeError, match="missing or damaged.*make sweep"):
        fslviz.Explorer()
    (tmp_path / "pack.bin").write_bytes(b"cut")
    (tmp_path / "manifest.json").write_text(json.dumps({"version": 1, "parts": {"labels": [0, 10]}}))
    with pytest.raises(RuntimeError, match="with 3 bytes, not version 1 with 10"):
        fslviz.Explorer()
    (tmp_path / "manifest.json").write_text(json.dumps({"version": 0, "parts": {"labels": [0, 3]}}))
    with pytest.raises(RuntimeError, match="of version 0 with 3 bytes, not version 1 with 3"):
        fslviz.Explorer()
