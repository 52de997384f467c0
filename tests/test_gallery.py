import numpy as np
import pytest

import fslviz
from fslviz import evaluation as ev


@pytest.fixture
def gallery():
    g = fslviz.Gallery()
    g.enrol("left", np.array([[-1.0, 1.0], [-1.0, -1.0]]))
    g.enrol("right", np.array([[1.0, 0.0]]))
    return g


def test_identify_and_verify_by_hand(gallery):
    probes = np.array([[-1.0, 0.0], [0.5, 0.0], [0.1, 3.0]])
    assert np.allclose(gallery.distances(probes), [[0, 2], [1.5, 0.5], [np.hypot(1.1, 3), np.hypot(0.9, 3)]])
    names, distance = gallery.identify(probes)
    assert names.tolist() == ["left", "right", "right"]
    assert distance == pytest.approx([0, 0.5, np.hypot(0.9, 3)])
    assert gallery.verify("left", probes, 1.5).tolist() == [True, True, False]  # at the threshold is within


def test_score_fusion_is_the_mean_distance_to_the_samples():
    scores, template = fslviz.Gallery("score"), fslviz.Gallery()
    for g in (scores, template):
        g.enrol("a", np.array([[0.0, 3.0], [0.0, 0.0]]))
    probe = np.array([[4.0, 0.0]])
    assert scores.distances(probe) == pytest.approx((5 + 4) / 2)
    assert template.distances(probe) == pytest.approx(np.hypot(4, 1.5))


def test_enrolling_again_replaces(gallery):
    gallery.enrol("right", np.array([[5.0, 0.0]]))
    assert gallery.distances(np.array([[5.0, 0.0]]))[0, 1] == 0


def test_claims_are_every_probe_against_everybody(gallery):
    probes, names = np.array([[-1.0, 0.0], [1.0, 0.0], [9.0, 9.0]]), np.array(["left", "right", "nobody"])
    pairs = gallery.claims(probes, names)
    assert len(pairs.distance) == 6
    assert np.all(np.diff(pairs.distance) >= 0)
    assert pairs.distance[pairs.genuine] == pytest.approx([0, 0])
    assert ev.eer(ev.error_rates(pairs)) == 0
    assert sorted(set(pairs.first.tolist())) == [0, 1, 2]  # a stranger is an identity of its own


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda g: fslviz.Gallery("avarage"), "no fusion 'avarage': there are template, score"),
        (lambda g: fslviz.Gallery().identify(np.zeros((1, 2))), "the gallery is empty"),
        (
            lambda g: g.enrol("new", np.zeros((3, 5))),
            r"embeddings must be of shape \(K, 2\), K at least 1, not \(3, 5\)",
        ),
        (lambda g: g.enrol("new", np.zeros((0, 2))), r"not \(0, 2\)"),
        (lambda g: g.identify(np.zeros((4, 3))), r"probes must be of shape \(M, 2\), not \(4, 3\)"),
        (lambda g: g.verify("lift", np.zeros((1, 2)), 1), "no identity 'lift'.*did you mean 'left'"),
    ],
)
def test_bad_input_is_named(gallery, call, message):
    with pytest.raises(ValueError, match=message):
        call(gallery)
