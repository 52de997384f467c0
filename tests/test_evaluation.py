"""Figures of merit against scikit-learn, and against cases that can be worked out by hand."""

import numpy as np
import pytest
from scipy.optimize import brentq
from sklearn.metrics import det_curve, roc_curve
from sklearn.neighbors import KNeighborsClassifier

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
    with pytest.raises(ValueError, match="points must hold genuine and impostor pairs"):
        ev.all_pairs((np.zeros((5, 2)), np.zeros(5)))
    with pytest.raises(ValueError, match="k must be a number from 1 to 300, not 301"):
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
