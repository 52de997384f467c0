import tracemalloc
import unicodedata
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist

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
    assert gallery.identify(probes, 0.5)[0].tolist() == ["left", "right", None]  # and so here


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
    gallery.forget("left")
    gallery.enrol("right", [[5.0, 0.0, 1.0]])  # the only one may be of another width than it was
    assert gallery.distances([[5.0, 0.0, 2.0]]).tolist() == [[1]]


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
        (lambda g: g.claims(np.zeros((4, 2)), "left"), "not 1 names for 4 probes"),
        (lambda g: g.enrol(None, np.zeros((1, 2))), "a name must be a string or a number, not None"),
        (lambda g: g.enrol(np.nan, np.zeros((1, 2))), "a name must be a string or a number, not nan"),
        (
            lambda g: g.enrol(["Ada", "Lovelace"], np.zeros((2, 2))),
            r"must be a string or a number, not \['Ada', 'Lovelace'",
        ),
        (lambda g: g.enrol(torch.tensor([3]), np.zeros((1, 2))), r"must be a string or a number, not tensor\(\[3\]\)"),
        (lambda g: g.claims(np.zeros((1, 2)), [None]), "a name must be a string or a number, not None"),
        (lambda g: g.enrol("sum", np.zeros((2, 1, 2))), r"samples must have 2 axes, not shape \(2, 1, 2\)"),
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


@pytest.mark.parametrize("cosine", [False, True])
@pytest.mark.parametrize("fusion", ["template", "score", "nearest"])
def test_a_gallery_that_is_read_compares_as_before(tmp_path, fusion, cosine):
    g, z = fslviz.Gallery(fusion=fusion, cosine=cosine), np.random.default_rng(0).normal(size=(12, 3))
    g.enrol("a", z[:3])
    g.enrol("b", z[3:4])
    g.save(tmp_path / "g.npz")
    assert np.array_equal(fslviz.Gallery.load(tmp_path / "g.npz").distances(z), g.distances(z))


def test_an_array_that_is_filled_anew_changes_nobody():
    for buffer in (np.empty((1, 2)), torch.empty(1, 2), torch.empty(1, 2).numpy()):
        g = fslviz.Gallery()
        for i in range(4):
            buffer[:] = i * 9.0
            (g.add if i % 2 else g.enrol)(i // 2, buffer)
        buffer[:] = -1
        assert g.distances([[4.5, 4.5], [22.5, 22.5]]) == pytest.approx(np.hypot(18, 18) * (1 - np.eye(2)))
        with pytest.raises(ValueError, match="read-only"):
            g.samples[0][:] = 7


def test_a_word_is_no_number_and_the_same_word_in_two_forms_is_one(tmp_path):
    g = fslviz.Gallery()
    decomposed = unicodedata.normalize("NFD", "Zoë")
    for name in ("3", 4, decomposed):
        g.enrol(name, np.full((1, 2), len(g.samples)))
    for name, known in ((3, "'3'"), ("4", "4"), (torch.tensor(3), "'3'")):
        for call in (g.forget, lambda n: g.verify(n, [[0, 0]], 1), lambda n: g.claims([[0, 0]], [n])):
            with pytest.raises(ValueError, match=f"no identity .*: there is {known}, and a string is not a number"):
                call(name)
    assert g.claims([[0, 0], [1, 1], [2, 2]], ["3", 4.0, np.str_("Zoë")]).genuine.sum() == 3
    assert list(g.samples) == ["3", 4, "Zoë"]
    for name in ("Zoë", decomposed):
        assert g.verify(name, [[2.0, 2.0]], 0).tolist() == [True]
        g.enrol(name, [[2.0, 2.0]])
    g.save(tmp_path / "g.npz")
    again = fslviz.Gallery.load(tmp_path / "g.npz")
    again.add(decomposed, [[2.0, 4.0]])
    assert again.distances([[2.0, 3.0]])[0, 2] == 0
    assert g.distances([[2.0, 3.0]])[0, 2] == 1
    g.enrol("4", [[7.0, 7.0]])  # whoever wants both has both
    assert g.identify([[1.0, 1.0], [7.0, 7.0]])[0].tolist() == [4, "4"]


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("size", [1e-4, 12, 6e4])
def test_every_precision_is_compared_by_angle(kind, size):
    signs = np.sign(np.random.default_rng(0).normal(size=(2, 512))) * size
    z = torch.tensor(signs).to(kind) if isinstance(kind, torch.dtype) else signs.astype(kind)
    g = fslviz.Gallery(cosine=True)
    for i in (0, 1):
        g.enrol(i, z[i : i + 1])
    named, distance = g.identify(z)
    assert named.tolist() == [0, 1]
    assert distance == pytest.approx([0, 0], abs=1e-6)
    assert g.samples[0].dtype.itemsize >= 4


def test_lengths_whose_squares_are_no_numbers_are_compared_by_angle():
    g = fslviz.Gallery(cosine=True)
    g.enrol("tiny", [[1e-200, 1e-200]])
    g.enrol("huge", [[-1e200, 1e200]])
    assert g.distances(np.float32([[1e-30, 1e-30], [-1e30, 1e30]])) == pytest.approx(2**0.5 * (1 - np.eye(2)), abs=1e-6)


def test_what_has_no_direction_is_refused_by_angle():
    g = fslviz.Gallery(cosine=True)
    g.enrol("up", [[0.0, 1.0]])
    for call in (lambda z: g.identify(z), lambda z: g.enrol("none", z), lambda z: g.add("up", z)):
        with pytest.raises(ValueError, match=r"(samples|probes) must have a direction to be compared by: 1 of 2 are 0"):
            call([[0.0, 0.0], [1.0, 1.0]])
    thirds = np.radians([10, 130, 250])
    for opposite in ([[1.0, 1.0], [-1.0, -1.0]], np.stack([np.cos(thirds), np.sin(thirds)], axis=1)):
        with pytest.raises(ValueError, match="the samples' mean must have a direction"):
            g.enrol("none", opposite)
        other = fslviz.Gallery(cosine=True, fusion="nearest")  # needs none
        other.enrol("both", opposite)
    assert list(g.samples) == ["up"]
    with pytest.raises(ValueError, match="the samples' mean must have a direction"):
        g.add("up", [[0.0, -1.0]])
    assert g.samples["up"].tolist() == [[0, 1]]


@pytest.mark.parametrize("fusion", ["template", "score", "nearest"])
def test_a_gallery_in_parts_is_the_gallery_whole(fusion, monkeypatch):
    rng = np.random.default_rng(0)
    g, probes, count = fslviz.Gallery(fusion=fusion), rng.normal(size=(40, 3)), rng.integers(1, 5, size=30)
    for i, k in enumerate(count):
        g.enrol(i, rng.normal(size=(k, 3)))
    apart = [[np.linalg.norm(s - p, axis=1) for s in g.samples.values()] for p in probes]
    join = {"score": np.mean, "nearest": np.min}.get(fusion)
    by_hand = (
        [[join(d) for d in row] for row in apart] if join else cdist(probes, [s.mean(0) for s in g.samples.values()])
    )
    for part in (1, 100, 10**6):  # one row at a time, some, all
        monkeypatch.setattr(fslviz.gallery, "CELLS", part)
        assert g.distances(probes) == pytest.approx(np.array(by_hand))
        named, distance = g.identify(probes)
        assert named.tolist() == np.argmin(by_hand, 1).tolist()
        assert np.array_equal(distance, g.distances(probes).min(1))
        for i in (0, 29):  # what is nearest is within its own distance
            own = named == i
            assert all(g.verify(i, [p], d).all() for p, d in zip(probes[own], distance[own], strict=True))


CROWDS = {
    "spread": lambda rng, n: rng.normal(size=(n, 6)),
    "far away": lambda rng, n: rng.normal(size=(n, 6)) + 1e5,  # float32 has two digits left for what differs
    "nearly one": lambda rng, n: 1 + 1e-9 * rng.normal(size=(n, 6)),
    "all at one place": lambda rng, n: np.ones((n, 6)),
    "twins": lambda rng, n: np.repeat(rng.normal(size=(n // 2, 6)), 2, axis=0),
    "huge": lambda rng, n: 1e150 * rng.normal(size=(n, 6)),
    "tiny": lambda rng, n: 1e-150 * rng.normal(size=(n, 6)),
    "one far out": lambda rng, n: np.concatenate([rng.normal(size=(n - 1, 6)), np.full((1, 6), 1e9)]),
    "one dimension": lambda rng, n: rng.normal(size=(n, 1)),
}


@pytest.mark.parametrize("crowd", CROWDS)
@pytest.mark.parametrize("fusion", ["template", "nearest"])
def test_the_nearest_of_many_is_exact(crowd, fusion, monkeypatch):
    monkeypatch.setattr(fslviz.gallery, "PART", 16)
    monkeypatch.setattr(fslviz.gallery, "ROWS", 7)
    rng = np.random.default_rng(0)
    z = CROWDS[crowd](rng, 100)
    g = fslviz.Gallery(fusion=fusion)
    for i in range(50):
        g.enrol(i, z[2 * i : 2 * i + 2])
    near = z[:30] + np.abs(z).min() * rng.normal(size=(30, z.shape[1]))
    probes = np.concatenate([z[:30], near, -z[:3], 1e50 * z[:3]])
    by_hand = g.distances(probes)
    who, far = g.identify(probes)
    assert who.tolist() == by_hand.argmin(1).tolist()
    assert np.array_equal(far, by_hand.min(1))


def test_identify_knows_who_came_and_who_went(gallery):
    here = [[-1.0, 0.0]]
    assert gallery.identify(here)[0].tolist() == ["left"]
    gallery.enrol("near", [[-1.0, 0.1]])
    assert gallery.identify([[-1.0, 0.2]])[0].tolist() == ["near"]
    gallery.add("right", [[-3.0, 0.0]])
    assert gallery.identify(here)[1].tolist() == [0]  # two at one place: the first enrolled
    gallery.forget("left")
    assert gallery.identify(here)[0].tolist() == ["right"]
    with pytest.raises(TypeError):
        gallery.samples["left"] = np.zeros((1, 2))


@pytest.mark.parametrize(
    "change",
    [
        {"sizes": np.array([1, 1])},  # one sample is nobody's
        {
            "sizes": np.array([0, 3]),
            "about": np.array('{"names": ["left", "right"], "fusion": "nearest", "cosine": false}'),
        },
        {"sizes": np.array([4, -1])},
        {"about": np.array('{"names": ["left", "left"], "fusion": "template", "cosine": false}')},
        {"about": np.array('{"names": ["left"], "fusion": "template", "cosine": false}')},
        {"samples": np.full((3, 2), np.nan)},
    ],
)
def test_a_file_whose_parts_do_not_agree_is_no_gallery(gallery, tmp_path, change):
    gallery.save(tmp_path / "g.npz")
    with np.load(tmp_path / "g.npz") as file:
        parts = dict(file)
    np.savez(tmp_path / "g.npz", **(parts | change))
    with pytest.raises(ValueError, match="is not a whole gallery"):
        fslviz.Gallery.load(tmp_path / "g.npz")


def test_a_gallery_of_nobody_is_saved_too(tmp_path):
    fslviz.Gallery(fusion="score").save(tmp_path / "g.npz")
    again = fslviz.Gallery.load(tmp_path / "g.npz")
    again.enrol("first", [[1.0, 2.0, 3.0]])
    assert list(again.samples) == ["first"]


def test_a_claim_measures_one_identity_and_many_probes_take_parts(monkeypatch):
    g, measured = fslviz.Gallery(), []

    def counted(a, b):
        measured.append(len(a) * len(b))
        return cdist(a, b)

    monkeypatch.setattr(fslviz.gallery, "cdist", counted)
    z = np.random.default_rng(0).normal(size=(3000, 8))
    for i, sample in enumerate(z):
        g.enrol(i, sample[None])
    assert not measured
    g.verify(7, z[:5], 1)
    assert measured == [5], "as many as there are probes, whoever else is known"
    tracemalloc.start()
    named, _ = g.identify(np.tile(z, (6, 1)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert named.tolist() == [*range(3000)] * 6
    assert peak < 80e6, "where all distances at once are 432 MB"


def test_knowing_one_more_does_not_look_at_all_who_are_known():
    class Counted(dict):
        looks = 0

        def items(self):
            for item in super().items():
                Counted.looks += 1
                yield item

    g = fslviz.Gallery()
    g._samples = Counted()
    for i in range(200):
        g.enrol(i, [[float(i)]])
    assert Counted.looks <= 400


def test_a_path_may_begin_at_home(gallery, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    gallery.save("~/g.npz")
    assert (tmp_path / "g.npz").is_file()
    assert not Path("~").exists()
    assert list(fslviz.Gallery.load("~/g.npz").samples) == ["left", "right"]


def test_of_many_names_an_error_lists_some():
    g = fslviz.Gallery()
    for i in range(100):
        g.enrol(f"name {i}", [[0.0]])
    with pytest.raises(
        ValueError, match="^no identity 'nam 7': there are name 0, .* name 19 and 80 more; did you mean"
    ):
        g.forget("nam 7")


def test_a_gallery_is_told_in_a_line(gallery):
    assert repr(gallery) == "Gallery of 2 identities, 3 samples in all: by template, by distance"
    assert repr(fslviz.Gallery(fusion="nearest", cosine=True)).endswith("by nearest, by angle")
