"""Controls: what they show, what they draw anew, and what stays without a kernel."""

import matplotlib.pyplot as plt
import pytest

import fslviz
from fslviz import widgets


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


@pytest.fixture
def trained(monkeypatch, tmp_path):
    monkeypatch.setenv("FSLVIZ_CACHE", str(tmp_path))


def wait(lab):
    lab.thread.join(120)
    assert not lab.thread.is_alive()
    return lab.children[1].children[2].value


def test_the_margin_lab_shows_the_new_space_beside_the_old(trained, capsys):
    lab = fslviz.margin_lab("cosface", images=320)
    losses, margin = lab.children[0].children
    stop, bar, _ = lab.children[1].children
    assert "15-NN" in wait(lab)
    first = lab.children[2].value
    assert bytes(first[:4]) == b"\x89PNG"
    margin.value = 0.3
    assert "15-NN" in wait(lab)
    assert [r.recipe.options["margin"] for r in lab.runs] == [0.1, 0.3]
    assert lab.children[2].value != first
    assert (bar.value, stop.disabled) == (1.0, True)
    assert capsys.readouterr().err == ""  # its own bar is enough
    losses.value = "sphereface"
    wait(lab)
    assert [(r.recipe.loss, r.recipe.options["margin"]) for r in lab.runs] == [("cosface", 0.3), ("sphereface", 4)]


def test_the_margin_lab_stops(trained):
    lab = fslviz.margin_lab("contrastive", images=10_000_000)
    stop = lab.children[1].children[0]
    while not lab.children[1].children[1].value:
        lab.thread.join(0.1)
    assert not stop.disabled
    stop.click()
    assert wait(lab) == "Stopped: nothing was kept."
    assert lab.runs == []
    assert stop.disabled


def test_the_margin_lab_names_a_wrong_loss():
    with pytest.raises(ValueError, match="no loss with a margin 'softmax'"):
        fslviz.margin_lab("softmax")
