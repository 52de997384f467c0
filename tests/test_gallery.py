import numpy as np
import pytest
import torch

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


def test_three_fusions_of_two_samples():
    scores, template, nearest = fslviz.Gallery(fusion="score"), fslviz.Gallery(), fslviz.Gallery(fusion="nearest")
    for g in (scores, template, nearest):
        g.enrol("a", np.array([[0.0, 3.0], [0.0, 0.0]]))
    probe = np.array([[4.0, 0.0]])
    assert scores.distances(probe) == pytest.approx((5 + 4) / 2)
    assert template.distances(probe) == pytest.approx(np.hypot(4, 1.5))
    assert nearest.distances(probe) == pytest.approx(4)


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
        (lambda g: fslviz.Gallery(fusion="avarage"), "no fusion 'avarage': there are template, score, nearest"),
        (lambda g: fslviz.Gallery().identify(np.zeros((1, 2))), "the gallery is empty"),
        (
            lambda g: g.enrol("new", np.zeros((3, 5))),
            r"samples must be of shape \(N, 2\), N at least 1, not \(3, 5\)",
        ),
        (lambda g: g.enrol("new", np.zeros((0, 2))), r"not \(0, 2\)"),
        (lambda g: g.identify(np.zeros((4, 3))), r"probes must be of shape \(N, 2\), N at least 1, not \(4, 3\)"),
        (lambda g: fslviz.Gallery("score"), "run must be what fslviz.train gives, not 'score'"),
        (lambda g: g.enrol("Bug", [[np.nan, 1.0]]), "samples must be finite numbers: 1 of 2 are NaN"),
        (lambda g: g.enrol("Bug", [["a", "b"]]), "samples must be finite numbers: it is of <U1"),
        (lambda g: g.add("nobody", [[1.0, 2.0]]), "no identity 'nobody'"),
        (lambda g: g.forget("nobody"), "no identity 'nobody'"),
        (lambda g: g.verify("left", [[0.0, 0.0]], np.nan), "threshold must be a number"),
        (lambda g: g.claims(np.zeros((2, 2)), ["left"]), "not 1 names for 2 probes"),
        (lambda g: g.verify("lift", np.zeros((1, 2)), 1), "no identity 'lift'.*did you mean 'left'"),
    ],
)
def test_bad_input_is_named(gallery, call, message):
    with pytest.raises(ValueError, match=message):
        call(gallery)


def test_names_come_back_as_they_went_in():
    g, z, y = fslviz.Gallery(), torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), torch.tensor([7, 3, 3])
    for c in y.unique():
        g.enrol(c, z[y == c])
    g.enrol("Ada", [[5.0, 5.0]])
    named, _ = g.identify(z)
    assert named.tolist() == [7, 3, 3]
    assert [type(n) for n in g.identify([[5.0, 5.0], [0.0, 0.0]])[0]] == [str, int]
    assert g.verify(3, z, 0.8).tolist() == g.verify(np.int64(3), z, 0.8).tolist() == [True, True, True]
    assert g.claims(z, y).genuine.sum() == 3
    assert g.claims(z, y).first.tolist() == g.claims(z.numpy(), y.tolist()).first.tolist()


def test_beyond_the_threshold_is_nobody(gallery):
    named, distance = gallery.identify([[-1.0, 0.0], [9.0, 0.0]], threshold=1.0)
    assert named.tolist() == ["left", None]
    assert distance == pytest.approx([0, 8])


def test_a_sample_is_added_and_an_identity_forgotten(gallery):
    gallery.add("right", [[3.0, 0.0]])
    assert gallery.distances([[2.0, 0.0]])[0, 1] == 0
    gallery.forget("left")
    assert gallery.identify([[-1.0, 0.0]])[0].tolist() == ["right"]


def test_by_angle_a_template_is_a_direction():
    g = fslviz.Gallery(cosine=True)
    g.enrol("up", [[0.1, 0.1], [-20.0, 20.0]])  # their directions' mean, whatever their lengths
    assert g.distances([[0.0, 7.0], [3.0, 0.0]]) == pytest.approx(np.array([[0.0], [2**0.5]]))


def test_a_gallery_of_a_run_compares_as_its_loss_does(tmp_path):
    digits = fslviz.load("mnist")
    run = fslviz.train("arcface", digits, images=2000, device="cpu")
    x, y = digits.test_images[:60], digits.test_labels[:60].tolist()
    g, by_hand = fslviz.Gallery(run), fslviz.Gallery(cosine=True)
    for c in range(10):
        g.enrol(c, digits.train_images[:500][digits.train_labels[:500] == c])
        by_hand.enrol(c, run.embed(digits.train_images[:500][digits.train_labels[:500] == c]))
    assert g.distances(x) == pytest.approx(by_hand.distances(run.embed(x)))
    assert g.distances(x).max() <= 2
    g.save(tmp_path / "g.npz")
    again = fslviz.Gallery.load(tmp_path / "g.npz", run)
    assert np.array_equal(again.identify(x[0])[0], g.identify(x[:1])[0])
    assert ev.eer(ev.error_rates(again.claims(x, y))) < 0.4
    with pytest.raises(ValueError, match="compares by angle, and the run does not"):
        fslviz.Gallery.load(tmp_path / "g.npz", fslviz.train("triplet", digits, images=2000, device="cpu"))


def test_a_gallery_is_saved_without_pickle(gallery, tmp_path):
    gallery.enrol(7, [[0.0, 9.0]])
    gallery.save(tmp_path / "g.npz")
    again = fslviz.Gallery.load(tmp_path / "g.npz")
    assert list(again.samples) == ["left", "right", 7]
    assert np.array_equal(again.distances([[0.5, 0.5]]), gallery.distances([[0.5, 0.5]]))
    (tmp_path / "g.npz").write_bytes((tmp_path / "g.npz").read_bytes()[:100])
    with pytest.raises(ValueError, match="is not a whole gallery"):
        fslviz.Gallery.load(tmp_path / "g.npz")
    with pytest.raises(FileNotFoundError):
        fslviz.Gallery.load(tmp_path / "none.npz")
