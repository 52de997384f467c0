"""Figures of merit against scikit-learn, and against cases that can be worked out by hand."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.optimize import brentq
from sklearn.metrics import det_curve, roc_curve
from sklearn.neighbors import KNeighborsClassifier

import fslviz
from fslviz import evaluation as ev


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
    with pytest.raises(ValueError, match="there must be genuine and impostor pairs, not 10 and 0"):
        ev.all_pairs((np.zeros((5, 2)), np.zeros(5)))
    with pytest.raises(ValueError, match="k must be a number from 1 to 299, not 301"):
        ev.knn_accuracy(points, points, k=301)
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
    with pytest.raises(ValueError, match="ways must be a number from 2 to 5, not 6"):
        ev.episodes(points, ways=6)
    with pytest.raises(ValueError, match=r"shots \+ queries must be a number from 2 to \d+, not 1015"):
        ev.episodes(points, shots=1000)


def test_tensors_and_lists_are_taken(points):
    x, y = points
    tensors = torch.from_numpy(x), torch.from_numpy(y)
    assert ev.merits(tensors, tensors) == ev.merits(points, points) == ev.merits((x.tolist(), y.tolist()), points)
    assert ev.knn_accuracy(points, points, np.int64(5)) == ev.knn_accuracy(tensors, points, 5)
    assert (ev.episodes(tensors, 3, 2, 5, count=4) == ev.episodes(points, 3, 2, 5, count=4)).all()


def test_a_set_against_itself_leaves_the_probe_out():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(400, 2)), rng.integers(2, size=400)
    assert ev.knn_accuracy((x, y), (x, y), k=1) < 0.6  # by chance, where its own label would give 1


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
        (lambda x, y: ev.merits((x, y), (np.where(x > 1, np.nan, x), y)), "points must be finite.* are NaN"),
        (lambda x, y: ev.episodes((x[0], y)), r"points must have 2 axes, not shape \(2,\)"),
        (lambda x, y: ev.centre_accuracy((x[:0], y[:0]), (x, y)), "gallery must not be empty"),
        (lambda x, y: ev.Pairs.of(distance=[1, 2], genuine=[1]), "not of 1 of 2"),
        (lambda x, y: ev.Pairs.of(distance=[1, 2], genuine=[1, 3]), r"true or false, or 1 or 0, not \[1, 3\]"),
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
