"""Figures of merit against scikit-learn, and against cases that can be worked out by hand."""

import unicodedata

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.optimize import brentq
from scipy.spatial.distance import cdist
from sklearn.metrics import det_curve, roc_curve
from sklearn.neighbors import KNeighborsClassifier

import fslviz
from fslviz import evaluation as ev
from fslviz import studies


@pytest.fixture(scope="module")
def points():
    rng = np.random.default_rng(0)
    labels = rng.integers(5, size=300)
    return rng.normal(size=(5, 2))[labels] * 3 + rng.normal(size=(300, 2)), labels


def test_accuracies(points):
    x, y = points
    gallery, probes = (x[:200], y[:200]), (x[200:], y[200:])
    assert ev.knn_accuracy(gallery, probes) == KNeighborsClassifier(15).fit(*gallery).score(*probes)
    centres = np.stack([x[:200][y[:200] == c].mean(0) for c in range(5)])
    nearest = ((probes[0][:, None] - centres) ** 2).sum(2).argmin(1)
    assert ev.centre_accuracy(gallery, probes) == (nearest == probes[1]).mean()
    assert 0.5 < ev.knn_accuracy(gallery, probes) < 1


def test_rates_are_scikit_learns(points):
    pairs = ev.all_pairs(points)
    rates = ev.error_rates(pairs)
    assert len(pairs.distance) == 300 * 299 // 2
    fpr, tpr, thresholds = roc_curve(pairs.genuine, -pairs.distance, drop_intermediate=False)
    assert np.allclose(rates.fmr, fpr)
    assert np.allclose(1 - rates.fnmr, tpr)
    assert np.allclose(rates.threshold[1:], -thresholds[1:])
    fmr, fnmr, _ = det_curve(pairs.genuine, -pairs.distance)
    assert np.allclose(np.interp(0.1, rates.fmr, rates.fnmr), np.interp(0.1, fmr[::-1], fnmr[::-1]), atol=1e-3)
    expected = brentq(lambda x: 1 - x - np.interp(x, fpr, tpr), 0, 1)
    assert ev.eer(rates) == pytest.approx(expected, abs=1e-4)
    assert ev.tar_at(rates, 0.05) == pytest.approx(tpr[fpr <= 0.05].max())
    threshold = ev.threshold_at(rates, 0.05)
    match = pairs.distance <= threshold
    assert match[~pairs.genuine].mean() <= 0.05 < match[~pairs.genuine].mean() + 0.001
    assert ev.tar_at(rates, 0.05) == pytest.approx(match[pairs.genuine].mean())


def test_weights_count_pairs(points):
    pairs = ev.all_pairs(points, limit=40)
    weight = np.random.default_rng(1).integers(3, size=len(pairs.distance))
    rates = ev.error_rates(pairs, weight)
    fpr, tpr, _ = roc_curve(pairs.genuine, -pairs.distance, sample_weight=weight, drop_intermediate=False)
    assert np.allclose(np.interp(fpr, rates.fmr, 1 - rates.fnmr), np.interp(fpr, fpr, tpr))


@pytest.mark.parametrize(
    ("distance", "genuine", "expected"),
    [
        ([1, 2, 3, 4], [1, 1, 0, 0], 0.0),  # told apart
        ([1, 2, 3, 4], [0, 0, 1, 1], 1.0),  # the wrong way round
        ([1, 1, 1, 1], [1, 0, 1, 0], 0.5),  # all alike
        ([1, 2, 3, 4], [1, 0, 1, 0], 0.5),
        ([1, 2, 3, 4, 5, 6], [1, 1, 0, 1, 0, 0], 1 / 3),
    ],
)
def test_eer_by_hand(distance, genuine, expected):
    pairs = ev.Pairs(np.array(distance, float), np.array(genuine, bool), np.arange(0), np.arange(0))
    assert ev.eer(ev.error_rates(pairs)) == pytest.approx(expected)


def test_bootstrap_interval_holds_the_truth_about_as_often_as_it_says():
    rng, inside = np.random.default_rng(0), 0
    truth = ev.eer(ev.error_rates(ev.all_pairs(_two(rng, 2000), limit=2000)))
    for _ in range(60):
        pairs = ev.all_pairs(_two(rng, 60))
        low, high = ev.bootstrap(pairs, ev.eer, resamples=100)
        inside += low <= truth <= high
    assert 48 <= inside <= 60  # binomial: 95% of 60 is 57, and fewer than 48 come once in 100,000


def _two(rng, n):
    labels = rng.integers(2, size=n)
    return labels[:, None] * 2.0 + rng.normal(size=(n, 1)), labels


def test_bad_input_is_named(points):
    with pytest.raises(ValueError, match="there must be genuine and impostor pairs among 5 images of 5, not 10 and 0"):
        ev.all_pairs((np.zeros((5, 2)), np.zeros(5)))
    with pytest.raises(ValueError, match="301 nearest neighbours need a gallery of 302 or more, not 300"):
        ev.knn_accuracy(points, k=301)
    with pytest.raises(ValueError, match="fmr must be a number from 0 to 1, not 2"):
        ev.threshold_at(ev.error_rates(ev.all_pairs(points)), 2)


def test_identities_drawn_anew_give_a_wider_interval():
    rng = np.random.default_rng(0)
    centres, labels = rng.normal(size=(12, 2)) * 3, np.repeat(np.arange(12), 20)
    points = centres[labels] + rng.normal(size=(240, 2)), labels
    pairs = ev.all_pairs(points)
    people = pairs.by_identity(labels)
    assert np.array_equal(people.genuine, people.first == people.second)
    widths = [high - low for low, high in (ev.bootstrap(p, ev.eer) for p in (pairs, people))]
    assert widths[1] > 1.5 * widths[0]


def test_an_identity_drawn_twice_counts_its_genuine_pairs_twice():
    first, second = np.array([0, 1, 2, 0, 0, 1]), np.array([0, 1, 2, 1, 2, 2])
    pairs = ev.Pairs(np.arange(6.0), first == second, first, second)
    seen = []
    ev.bootstrap(pairs, lambda r: seen.append(round(float(r.fnmr[1]), 6)) or 0.0, resamples=100)
    assert set(seen) == {round(1 - times / 3, 6) for times in (0, 1, 2)}  # of three draws, how many were the first


def test_dir_by_hand():
    nearest, right = np.array([1.0, 2, 3, 4]), np.array([True, False, True, True])
    strangers = np.array([2.5, 3.5, 5, 6])
    assert ev.dir_at(nearest, right, strangers, 0.0) == 0.25  # only what is nearer than every stranger
    assert ev.dir_at(nearest, right, strangers, 0.25) == 0.5
    assert ev.dir_at(nearest, right, strangers, 1.0) == 0.75
    assert ev.dir_at(nearest, right, nearest, 0.0) == 0  # a tie would let the stranger in too


def test_episodes_against_a_plain_loop(points):
    x, y = points
    values = ev.episodes(points, ways=3, shots=2, queries=4, count=50, seed=3)
    rng, members = np.random.default_rng(3), [np.flatnonzero(y == c) for c in range(5)]
    for value in values:
        chosen = rng.choice(5, 3, replace=False)
        drawn = [rng.choice(members[c], 6, replace=False) for c in chosen]
        right = 0
        for c in range(3):
            for q in drawn[c][2:]:
                distances = [((x[q] - x[d[:2]].mean(0)) ** 2).sum() for d in drawn]
                right += int(np.argmin(distances)) == c
        assert value == right / 12
    assert ev.episodes(points, ways=3, shots=20).mean() > ev.episodes(points, ways=3, shots=1).mean()


def test_episodes_say_what_is_too_much(points):
    with pytest.raises(ValueError, match="ways must be a whole number from 2 to 5, not 6"):
        ev.episodes(points, ways=6)
    with pytest.raises(ValueError, match=r"shots \+ queries must be a whole number from 2 to \d+, not 1015"):
        ev.episodes(points, shots=1000)


def test_tensors_and_lists_are_taken(points):
    x, y = points
    tensors = torch.from_numpy(x), torch.from_numpy(y)
    listed, known = (x.tolist(), y.tolist()), (x + 0.01, y)
    assert ev.merits(known, tensors) == ev.merits(known, points) == ev.merits(known, listed)
    assert ev.knn_accuracy(known, points, np.int64(5)) == ev.knn_accuracy(known, tensors, 5.0)
    assert (ev.episodes(tensors, 3, 2, 5, count=4) == ev.episodes(points, 3.0, 2.0, 5.0, count=4.0)).all()
    half = tuple(torch.tensor(x).to(kind) for kind in (torch.bfloat16, torch.float32))
    near = [ev.knn_accuracy(known, (z, y)) for z in (half[0], list(half[0]), half[0].float(), half[1])]
    assert near[0] == near[1] == near[2] == pytest.approx(near[3], abs=0.05)


def test_a_set_against_itself_is_what_the_caller_says():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(400, 2)), rng.integers(2, size=400)  # labels by chance, where a point's own would give 1
    by_hand = y[(cdist(x, x) + np.diag([np.inf] * 400)).argmin(1)]
    assert ev.knn_accuracy((x, y), k=1) == (by_hand == y).mean() < 0.6
    assert ev.merits((x, y))["15-NN"] == ev.knn_accuracy((x, y))
    means = [[x[(y == c) & (np.arange(400) != i)].mean(0) for c in (0, 1)] for i in range(400)]
    assert ev.centre_accuracy((x, y)) == np.mean([cdist(x[i : i + 1], means[i]).argmin() == y[i] for i in range(400)])
    few = np.array([[109.0], [110], [111], [104], [105], [106]])  # a mean of two is a half of their sum
    assert ev.centre_accuracy((few, [0, 0, 0, 1, 1, 1])) == 1
    with pytest.raises(ValueError, match="without probes there must be 2 or more of each class, not 1 of 7"):
        ev.centre_accuracy((x, np.append(y[:-1], 7)))


@pytest.mark.parametrize("part", [slice(None), slice(None, None, -1), slice(1, None), slice(0, 390)])
def test_points_in_both_sets_are_found(part):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(400, 2)), rng.integers(2, size=400)
    probes = np.concatenate([x[part], rng.normal(size=(600, 2))]), np.concatenate([y[part], rng.integers(2, size=600)])
    n = len(y[part])
    for measure in (ev.knn_accuracy, ev.centre_accuracy, ev.merits):
        with pytest.warns(UserWarning, match=f"^{n} of {n + 600:,} probes are points of the gallery as well") as said:
            measure((x, y), (np.float32(probes[0]), probes[1]))
        assert [warning.filename for warning in said] == [__file__]


def test_merits_are_each_what_it_says():
    rng, labels = np.random.default_rng(0), np.arange(600) % 3
    centres = rng.normal(size=(3, 2))[labels]
    known, asked = ((centres + width * rng.normal(size=(600, 2)), labels) for width in (0.3, 0.8))
    for sets, pairs in (((known, asked), ev.all_pairs(asked)), ((known,), ev.all_pairs(known))):
        rates = ev.error_rates(pairs)
        assert ev.merits(*sets) == {
            "15-NN": ev.knn_accuracy(*sets, k=15),
            "centre": ev.centre_accuracy(*sets),
            "EER": ev.eer(rates),
            "TAR at 1%": ev.tar_at(rates, 0.01),
        }


@pytest.mark.filterwarnings("error")
def test_points_that_fall_together_by_chance_are_not_taken_for_one():
    rng = np.random.default_rng(0)
    known, asked = np.repeat(np.arange(5), 100), np.repeat(np.arange(5), 60)
    for collapsed in (np.zeros((5, 2)), np.eye(5)[:, :2], np.eye(5)):  # at one place, two classes apart, each its own
        ev.merits((collapsed[known], known), (collapsed[asked], asked))
        ev.centre_accuracy((collapsed, np.arange(5)), (collapsed[asked], asked))  # one shot
    angle = rng.normal(size=20000).round(3)  # some 4,000 places for 20,000 points
    circle, label = np.stack([np.cos(angle), np.sin(angle)], axis=1), np.arange(20000) % 2
    ev.centre_accuracy((circle[:10000], label[:10000]), (circle[10000:], label[10000:]))


def test_pairs_of_own_scores():
    pairs = ev.Pairs.of(distance=[0.3, 0.1, 0.2], genuine=[0, 1, 1])
    assert pairs.distance.tolist() == [0.1, 0.2, 0.3]
    assert pairs.genuine.tolist() == [True, True, False]
    assert ev.eer(ev.error_rates(pairs)) == 0
    alike = ev.Pairs.of(similarity=torch.tensor([0.7, 0.9, 0.8]), genuine=torch.tensor([False, True, True]))
    assert alike.genuine.tolist() == pairs.genuine.tolist()
    assert alike.distance == pytest.approx([-0.9, -0.8, -0.7])
    low, high = ev.bootstrap(ev.Pairs.of(distance=np.arange(100.0), genuine=np.arange(100) % 3 == 0), ev.eer)
    assert 0 < low < high < 1


def test_an_interval_does_not_hang_on_how_identities_are_numbered(points):
    pairs = ev.all_pairs(points)
    few, labels = pairs.by_identity(points[1]), points[1]
    for renamed in (labels * 1000 + 7, np.array([f"person {c}" for c in labels]), torch.from_numpy(labels)):
        assert ev.bootstrap(pairs.by_identity(renamed), ev.eer) == ev.bootstrap(few, ev.eer)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x, y: ev.all_pairs((x[:199], y[:200])), "a label for each embedding, not 200 for 199"),
        (lambda x, y: ev.knn_accuracy((x, y[:-1]), (x, y)), "gallery must have a label for each"),
        (lambda x, y: ev.merits((x, y), (np.where(x > 1, np.nan, x), y)), "probes must be finite.* are NaN"),
        (lambda x, y: ev.episodes((x[0], y)), r"points must have 2 axes, not shape \(2,\)"),
        (lambda x, y: ev.centre_accuracy((x[:0], y[:0]), (x, y)), "gallery must not be empty"),
        (lambda x, y: ev.Pairs.of(distance=[1, 2], genuine=[1]), "one value for each of the 2 scores, not 1"),
        (
            lambda x, y: ev.Pairs.of(distance=[1, 2], genuine=[1, 3]),
            "genuine must be true or false, or 1 or 0, not 1.0, 3.0",
        ),
        (lambda x, y: ev.dir_at([1, 2], [1, 2], [3], 0.1), "right must be true or false, or 1 or 0, not 1.0, 2.0"),
        (
            lambda x, y: ev.knn_accuracy((x, y), (x + 1, y.astype(str))),
            "all strings or all numbers, not . in the gallery",
        ),
        (lambda x, y: ev.merits((x, y.astype(str)), (x + 1, y)), "all strings or all numbers, not '.' in the gallery"),
        (lambda x, y: ev.centre_accuracy((x, y.astype(str)), (x + 1, y)), "labels must be all strings or all numbers"),
        (lambda x, y: ev.episodes((x, ["3", *y[1:]])), "points must be all strings or all numbers.* not '3', "),
        (lambda x, y: ev.all_pairs((x, np.where(y > 3, np.nan, y))), "labels of points must .* without NaN or None"),
        (lambda x, y: ev.all_pairs((x, [None, *y[1:]])), "labels of points must .* without NaN or None, not None"),
        (
            lambda x, y: ev.knn_accuracy((x, np.eye(5)[y]), (x, y)),
            r"labels of gallery must be .* not \(300, 5\).*argmax",
        ),
        (lambda x, y: ev.knn_accuracy((x, y[:, None]), (x, y)), r"labels of gallery must be \(N,\), .* not \(300, 1\)"),
        (lambda x, y: ev.knn_accuracy(x, y), "gallery must be two things, embeddings .* and their labels"),
        (lambda x, y: ev.knn_accuracy((x, y), (x[:, :1], y)), "must be of one width, not 2 and 1"),
        (lambda x, y: ev.knn_accuracy((x, y), (x, y + 3)), "every class of the probes: it lacks 5, 6, 7"),
        (lambda x, y: ev.merits((x[y > 0], y[y > 0]), (x, y)), "every class of the probes: it lacks 0"),
        (lambda x, y: ev.centre_accuracy((x[y > 0], y[y > 0]), (x, y)), "every class of the probes: it lacks 0"),
        (lambda x, y: ev.knn_accuracy((x, y), (x + 1, y), k=2.7), "k must be a whole number from 1 to .*, not 2.7"),
        (lambda x, y: ev.knn_accuracy((x, y), (x + 1, y), k=True), "k must be a whole number from 1 to .*, not True"),
        (
            lambda x, y: ev.merits((x[:8], y[:8]), (x[:8] + 1, y[:8])),
            "15 nearest neighbours need a gallery of 15 or more",
        ),
        (lambda x, y: ev.episodes((x, y), ways=2.5), "ways must be a whole number from 2 to 5, not 2.5"),
        (lambda x, y: ev.all_pairs((x, y), limit=2.5), "limit must be a whole number from 3 to .*, not 2.5"),
        (lambda x, y: ev.all_pairs((x, y), seed=-1), "seed must be a whole number from 0 to .*, not -1"),
        (lambda x, y: ev.bootstrap(ev.all_pairs((x, y)), ev.eer, resamples=2.5), "resamples must be a whole number"),
        (lambda x, y: ev.all_pairs((x, y)).by_identity(y[:100]), "one for each image, 300 or more, not 100"),
        (lambda x, y: ev.error_rates(ev.all_pairs((x, y)), np.ones(3)), r"weight must count each pair.*, not \(3,\)"),
        (lambda x, y: ev.all_pairs((np.arange(9.0)[:, None], [0] * 8 + [1]), 3), "among 3 images of 9, not 3 and 0"),
        (lambda x, y: ev.Pairs.of(distance=[1, np.nan], genuine=[1, 0]), "distance must be finite"),
        (lambda x, y: ev.Pairs.of(genuine=[1, 0]), "give either distance or similarity"),
        (lambda x, y: ev.Pairs.of(distance=[1, 2], genuine=[1, 1]), "genuine and impostor pairs, not 2 and 0"),
        (lambda x, y: ev.dir_at(np.ones(3), np.ones(2), np.ones(4), 0.1), "not 3, 2 and 4"),
    ],
)
def test_points_that_have_no_answer_are_refused(points, call, message):
    with pytest.raises(ValueError, match=message):
        call(*points)


def test_what_was_measured_over_seeds_is_read_and_summed_up():
    rows = fslviz.measured("accuracy")
    assert set(rows.loss) == set(fslviz.LOSSES)
    assert rows["15-NN"].between(0.9, 1).all()
    with pytest.raises(ValueError, match="no study 'acuracy': there are accuracy, .*did you mean 'accuracy'"):
        fslviz.measured("acuracy")
    table = fslviz.spread(pd.DataFrame({"way": list("bba"), "EER": [0.1, 0.2, 0.5]}), "way", ["EER"])
    assert table.EER.tolist() == ["15.0 ± 7.1", "50.0"]  # in the order of the rows


def test_what_is_kept_of_a_study_is_what_was_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(studies, "MEASURED", tmp_path)
    rows = [{"loss": "triplet", "seed": seed, "EER": 0.1 + seed / 3} for seed in range(3)]
    for kept in (rows, rows[:1]):
        studies.keep("mine", kept)
        assert fslviz.measured("mine").to_dict("records") == kept


def test_two_spaces_of_the_same_images_are_compared_by_the_same_draws():
    rng, labels = np.random.default_rng(0), np.arange(200) % 10
    centres = rng.normal(size=(10, 2))[labels] * 2
    noise = rng.normal(size=(200, 2))
    one, two = (ev.all_pairs((centres + width * noise, labels)) for width in (0.8, 0.9))  # hard images are hard in both
    low, high = ev.bootstrap(one, ev.eer, against=two)
    assert high < 0, "the tighter space is better in every draw"
    alone = [ev.bootstrap(p, ev.eer) for p in (one, two)]
    assert alone[0][1] > alone[1][0], "though their intervals overlap"
    assert ev.bootstrap(one, ev.eer, against=one) == (0, 0)
    with pytest.raises(ValueError, match="against must be pairs of the same images"):
        ev.bootstrap(one, ev.eer, against=ev.all_pairs((centres[:100], labels[:100])))


def test_pairs_are_of_images_drawn_from_all():
    labels = np.repeat(np.arange(20), 100)  # in the order of their classes, and the first ten far apart
    x = np.random.default_rng(0).normal(size=(2000, 2))
    x[:1000] += 40 * np.random.default_rng(1).normal(size=(10, 2))[labels[:1000]]
    whole = ev.eer(ev.error_rates(ev.all_pairs((x, labels), limit=2000)))
    for seed in range(3):
        pairs = ev.all_pairs((x, labels), seed=seed)
        assert ev.eer(ev.error_rates(pairs)) == pytest.approx(whole, abs=0.02)
        assert len(np.unique([pairs.first, pairs.second])) == 1000
        assert (pairs.first < pairs.second).all()
        assert pairs.distance == pytest.approx(np.linalg.norm(x[pairs.first] - x[pairs.second], axis=1))
        assert np.array_equal(pairs.genuine, labels[pairs.first] == labels[pairs.second])
        people = pairs.by_identity(labels)
        assert np.array_equal(people.first, labels[pairs.first])
        people.distance[:] = 0
        assert pairs.distance.any(), "and each has arrays of its own"
    assert ev.merits((x + 0.01, labels), (x, labels))["EER"] == ev.eer(ev.error_rates(ev.all_pairs((x, labels))))
    first, other = (ev.all_pairs((x, labels), seed=seed) for seed in (0, 1))
    assert not np.array_equal(first.distance, other.distance)
    assert np.array_equal(first.distance, ev.all_pairs((x, labels)).distance)
    few = ev.all_pairs((x[::10], labels[::10]))
    assert len(few.distance) == 200 * 199 / 2, "all, where they are no more than the limit"
    assert np.array_equal(few.distance, ev.all_pairs((x[::10], labels[::10]), seed=5).distance)
    one = np.repeat([0, 1], [1001, 999])
    assert not ev.all_pairs((x, one)).genuine.all(), "a class that is more than the limit"


def test_the_threshold_at_an_fmr():
    rates = ev.error_rates(ev.Pairs.of(distance=np.arange(20.0), genuine=[1] * 10 + [0] * 10))
    assert (ev.threshold_at(rates, 0), ev.tar_at(rates, 0)) == (9, 1), "the last before an impostor"
    assert ev.threshold_at(rates, 1) == 19
    for k in range(11):
        assert ev.threshold_at(rates, k / 10) == 9 + k
        assert ev.threshold_at(rates, 1 - (10 - k) / 10) == 9 + k  # 1 - .9 is a little less than .1
    nearest = ev.error_rates(ev.Pairs.of(distance=[1, 2, 3], genuine=[0, 1, 0]))
    assert (ev.threshold_at(nearest, 0), ev.tar_at(nearest, 0)) == (-np.inf, 0), "nobody is let in"
    assert (ev.threshold_at(nearest, 0.5), ev.tar_at(nearest, 0.5)) == (2, 1)


def test_a_share_of_strangers_is_a_whole_number_of_them():
    nearest, strangers = np.arange(100) + 0.5, np.arange(100.0)  # the k-th stranger lets k probes in before it
    for k in range(101):
        assert ev.dir_at(nearest, np.ones(100), strangers, k / 100) == k / 100
        assert ev.dir_at(nearest, np.ones(100), strangers, 1 - (100 - k) / 100) == k / 100
    assert ev.dir_at(nearest, np.ones(100), strangers, 0.289) == 0.28


def test_what_can_never_be_drawn_is_refused():
    ring = np.array([0, 1, 2]), np.array([1, 2, 0])
    both = ev.Pairs(np.arange(3.0), np.array([True, False, False]), *ring)
    impostors = ev.Pairs(np.arange(3.0), np.zeros(3, bool), *ring)
    for call in (ev.error_rates, lambda p: ev.bootstrap(p, ev.eer), lambda p: ev.bootstrap(both, ev.eer, against=p)):
        with pytest.raises(ValueError, match="there must be genuine and impostor pairs, not 0 and 3"):
            call(impostors)
    with pytest.raises(ValueError, match="there must be genuine and impostor pairs, not 0 and 0"):
        ev.error_rates(ev.Pairs(*np.empty((4, 0))))
    with pytest.raises(ValueError, match="2 or more images or identities to draw anew, not 1"):
        ev.bootstrap(both.by_identity([5, 5, 5]), ev.eer)
    other = ev.Pairs(np.arange(3.0), np.array([False, False, True]), *ring)  # draws with both kinds in both: all three
    assert ev.bootstrap(both, ev.eer, resamples=5, against=other) == (-1, -1)


def test_half_precision_is_added_up_in_single():
    x = np.repeat(np.float16([[300, 0], [0, 300]]), 300, axis=0)
    y = np.repeat([0, 1], 300)
    assert ev.merits((x, y), (x[::2] + 1, y[::2])) == ev.merits((np.float64(x), y), (np.float64(x[::2] + 1), y[::2]))
    assert ev.episodes((x, y), 2, 200, 5, count=3).min() == 1
    scores = ev.Pairs.of(distance=np.float16([1, 2]), genuine=[1, 0])
    assert scores.distance.dtype == np.float32


def test_one_name_in_two_forms_is_one_class():
    x, y = np.eye(4).repeat(20, 0) + np.arange(80)[:, None] * 1e-3, np.array(["Zoë", "José", "Ann", "Bo"]).repeat(20)
    other = np.array([unicodedata.normalize("NFD", name) for name in y])
    for labels in (other, other.astype(object), other.tolist()):
        assert ev.knn_accuracy((x, y), (x + 1e-4, labels)) == ev.centre_accuracy((x, labels), (x + 1e-4, y)) == 1
    assert ev.knn_accuracy((x, np.uint8(y == "Bo")), (x + 1e-4, (y == "Bo").tolist())) == 1


def test_means_by_angle_are_a_gallerys_templates():
    turns = np.radians([0, 100, 0, 0, 60])  # the mean of the first two lies well within the circle
    x, y = np.stack([np.cos(turns), np.sin(turns)], 1), np.array([0, 0, 1, 1, 1])
    probes, truth = np.array([[np.cos(0.62), np.sin(0.62)]]), [0]
    gallery = fslviz.Gallery(cosine=True)
    for c in (0, 1):
        gallery.enrol(c, x[y == c])
    assert (gallery.identify(probes)[0] == truth).mean() == ev.centre_accuracy((x, y), (probes, truth)) == 1
    assert ev.centre_accuracy((2 * x, y), (2 * probes, truth)) == 0, "by distance, means as they are"


def test_an_interval_holds_the_middle_of_its_draws():
    pairs, drawn = ev.Pairs.of(distance=[1, 2, 3], genuine=[1, 0, 1]), iter(range(201))
    assert ev.bootstrap(pairs, lambda _: float(next(drawn)), resamples=201, level=0.9) == pytest.approx((10, 190))


def test_pairs_are_told_in_a_line():
    pairs = fslviz.Pairs.of(distance=[0.5, 2.25, 1.0], genuine=[True, False, False])
    assert repr(pairs) == "Pairs: 1 genuine and 2 impostor, at distances from 0.5 to 2.25"


def test_the_label_that_is_there_most_often_and_of_several_the_least():
    labels = np.random.default_rng(0).integers(0, 5, (500, 6))
    assert ev._most_common(labels).tolist() == [np.bincount(row).argmax() for row in labels]
    assert ev._most_common(np.array([[6400], [0]])).tolist() == [6400, 0]


@pytest.mark.parametrize("probes", [True, False])
def test_centres_in_parts_are_centres_whole(monkeypatch, probes):
    rng = np.random.default_rng(0)
    z, y = rng.normal(size=(300, 3)), rng.integers(0, 40, 300)
    given = [(z, y), (z + 0.1, y)] if probes else [(z, y)]
    whole = fslviz.centre_accuracy(*given)
    monkeypatch.setattr(ev, "CELLS", 100)
    assert fslviz.centre_accuracy(*given) == whole
