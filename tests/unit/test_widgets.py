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
