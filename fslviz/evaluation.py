"""Figures of merit over plain arrays: they take embeddings or scores and never train.

Biometrics' names: a genuine pair is of one class, an impostor pair of two; FMR is the share of impostor pairs that
match, FNMR that of genuine pairs that don't (face recognition writes FAR and FRR); TAR is 1 - FNMR. A score is a
distance: a pair matches when it is at most the threshold.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.spatial.distance import cdist, pdist
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid

from fslviz.errors import between

Points = tuple[Any, Any]  # embeddings (N, D) and their labels (N,): arrays, tensors or lists


def knn_accuracy(gallery: Points, probes: Points, k: int = 15) -> float:
    """The share of probes (M, D) whose class is that of most of their ``k`` nearest neighbours in the gallery.

    Where both are the same points, a probe is not its own neighbour.
    """
    (known, names), (asked, truth) = checked("gallery", gallery), checked("probes", probes)
    itself = known.shape == asked.shape and np.array_equal(known, asked)
    nearest = KNeighborsClassifier(int(between("k", k, 1, len(names) - itself))).fit(known, names)
    return float((nearest.predict(None if itself else asked) == truth).mean())


def centre_accuracy(gallery: Points, probes: Points) -> float:
    """The share of probes (M, D) nearest to the mean of their own class in the gallery."""
    return float(NearestCentroid().fit(*checked("gallery", gallery)).score(*checked("probes", probes)))


def checked(name: str, points: Points, least: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings (N, D) and labels (N,) as arrays, or a ValueError that says what is wrong with them."""
    x, labels = array(name, points[0], 2), np.asarray(array(name, points[1], 1, finite=False))
    if len(x) != len(labels):
        raise ValueError(f"{name} must have a label for each embedding, not {len(labels)} for {len(x)}")
    if len(x) < least:
        raise ValueError(f"{name} must not be empty")
    return x, labels


def array(name: str, values: Any, axes: int, finite: bool = True) -> np.ndarray:
    """An array, tensor or list as an array of so many axes, or a ValueError; ``finite``: of finite numbers."""
    x = np.asarray(values.detach().cpu() if hasattr(values, "detach") else values)
    if x.ndim != axes:
        raise ValueError(f"{name} must have {axes} axes, not shape {x.shape}")
    if finite and (x.dtype.kind not in "buif" or not np.isfinite(x).all()):
        raise ValueError(f"{name} must be finite numbers: {_strange(x)}")
    return x


def _strange(x: np.ndarray) -> str:
    if x.dtype.kind not in "buif":
        return f"it is of {x.dtype}"
    return f"{(~np.isfinite(x)).sum()} of {x.size} are NaN or infinite"


@dataclass(frozen=True, eq=False)
class Pairs:
    """Scored pairs, nearest first: ``distance`` (P,), ``genuine`` (P,), and of which images ``first``, ``second``."""

    distance: np.ndarray
    genuine: np.ndarray
    first: np.ndarray
    second: np.ndarray

    @classmethod
    def of(cls, *, genuine: Any, distance: Any = None, similarity: Any = None) -> Pairs:
        """Scores of one's own as pairs: distances or similarities (P,), and whether each pair is genuine (P,), or 0/1.

        A similarity counts as a distance below 0, so a threshold is one of ``-similarity``. Each pair is a unit of its
        own in ``bootstrap``, which is too sure of itself where pairs share an image.

        Raises ValueError for lengths that differ, numbers that are not finite, and pairs that are all of one kind.
        """
        if (distance is None) == (similarity is None):
            raise ValueError("give either distance or similarity")
        d = array("distance", distance, 1) if similarity is None else -array("similarity", similarity, 1).astype(float)
        same = array("genuine", genuine, 1)
        if len(d) != len(same):
            raise ValueError(f"genuine must say of each pair what it is, not of {len(same)} of {len(d)}")
        if not np.isin(same, (0, 1)).all():
            raise ValueError(f"genuine must be true or false, or 1 or 0, not {sorted(set(same.tolist()))[:5]}")
        unit = np.arange(len(d))
        return _sorted(d, same.astype(bool), unit, unit)

    def by_identity(self, labels: Any) -> Pairs:
        """The same pairs, naming not the images but their identities: what ``bootstrap`` then draws anew."""
        number = np.unique(array("labels", labels, 1, finite=False), return_inverse=True)[1]
        return replace(self, first=number[self.first], second=number[self.second])


def _sorted(distance: np.ndarray, genuine: np.ndarray, first: np.ndarray, second: np.ndarray) -> Pairs:
    if genuine.all() or not genuine.any():
        raise ValueError(f"there must be genuine and impostor pairs, not {genuine.sum()} and {(~genuine).sum()}")
    order = distance.argsort(kind="stable")
    return Pairs(distance[order], genuine[order], first[order], second[order])


def all_pairs(points: Points, limit: int = 1000) -> Pairs:
    """Every pair among the first ``limit`` images, with its Euclidean distance."""
    embeddings, labels = checked("points", points)
    limit = int(between("limit", limit, 2, 1e9))
    embeddings, labels = embeddings[:limit], labels[:limit]
    first, second = np.triu_indices(len(labels), 1)
    return _sorted(pdist(embeddings), labels[first] == labels[second], first, second)


@dataclass(frozen=True, eq=False)
class Rates:
    """The errors at every threshold (T,), rising: ``fmr`` and ``fnmr`` (T,)."""

    threshold: np.ndarray
    fmr: np.ndarray
    fnmr: np.ndarray


def error_rates(pairs: Pairs, weight: np.ndarray | None = None) -> Rates:
    """False match and false non-match rate at every distance that occurs; ``weight`` (P,) counts each pair."""
    weight = np.ones(len(pairs.distance), np.int64) if weight is None else weight
    genuine = np.cumsum(np.where(pairs.genuine, weight, 0))
    impostor = np.cumsum(weight) - genuine
    ties = np.diff(pairs.distance) == 0
    if ties.any():  # of the pairs at one distance, the last counts them all
        last = np.append(~ties, True)
        return _rates(pairs.distance[last], genuine[last], impostor[last])
    return _rates(pairs.distance, genuine, impostor)


def _rates(distance: np.ndarray, genuine: np.ndarray, impostor: np.ndarray) -> Rates:
    """The rates at each distance (T,), from the genuine and impostor pairs up to it (T,)."""
    fmr, fnmr = np.zeros(len(distance) + 1), np.ones(len(distance) + 1)
    np.divide(impostor, impostor[-1], out=fmr[1:])
    np.subtract(1, genuine / genuine[-1], out=fnmr[1:])
    return Rates(np.append(-np.inf, distance), fmr, fnmr)


def eer(rates: Rates) -> float:
    """The equal error rate: where FMR and FNMR cross, on the straight line between the two nearest thresholds."""
    gap = rates.fmr - rates.fnmr  # rises from -1 to 1
    i = int(np.searchsorted(gap, 0))
    share = gap[i] / (gap[i] - gap[i - 1])
    return float(rates.fmr[i] - share * (rates.fmr[i] - rates.fmr[i - 1]))


def threshold_at(rates: Rates, fmr: float) -> float:
    """The largest threshold whose FMR is at most ``fmr``: -inf, which no pair passes, where the nearest is an impostor
    and one impostor pair is already a larger share."""
    return float(rates.threshold[np.searchsorted(rates.fmr, between("fmr", fmr, 0, 1), side="right") - 1])


def tar_at(rates: Rates, fmr: float) -> float:
    """The share of genuine pairs that match at that threshold."""
    return float(1 - rates.fnmr[np.searchsorted(rates.fmr, between("fmr", fmr, 0, 1), side="right") - 1])


def merits(gallery: Points, probes: Points) -> dict[str, float]:
    """What the book says of every space: accuracies, and EER and TAR at an FMR of 1% over pairs of the probes."""
    rates = error_rates(all_pairs(probes))
    return {
        "15-NN": knn_accuracy(gallery, probes),
        "centre": centre_accuracy(gallery, probes),
        "EER": eer(rates),
        "TAR at 1%": tar_at(rates, 0.01),
    }


def bootstrap(
    pairs: Pairs,
    statistic: Callable[[Rates], float],
    resamples: int = 200,
    level: float = 0.95,
    seed: int = 0,
    against: Pairs | None = None,
) -> tuple[float, float]:
    """A percentile interval of ``statistic``: images are drawn anew, not pairs, since pairs share images.

    A pair counts as often as both its images are drawn, or once for each time where both are one (an identity).
    With ``against``, pairs of the same images in another space, it is an interval of the difference: both spaces are
    given the same draws, so that an image that is hard in both does not count against either.

    Raises ValueError where ``against`` is of other images.
    """
    between("resamples", resamples, 1, 1e9)
    between("level", level, 0, 1)
    sides = [pairs] if against is None else [pairs, against]
    units, *others = [np.unique([p.first, p.second]) for p in sides]
    if any(not np.array_equal(units, other) for other in others):
        raise ValueError("against must be pairs of the same images as pairs")
    weights, rng = [_weigher(p, units) for p in sides], np.random.default_rng(seed)
    values: list[float] = []
    genuine = np.flatnonzero(pairs.genuine)
    while len(values) < resamples:
        times = np.bincount(rng.integers(len(units), size=len(units)), minlength=len(units))
        drawn = [weight(times) for weight in weights]
        if 0 < drawn[0].take(genuine).sum() < drawn[0].sum():
            value, *rest = [statistic(error_rates(p, weight)) for p, weight in zip(sides, drawn, strict=True)]
            values.append(value - sum(rest))
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _weigher(pairs: Pairs, units: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """How often each pair (P,) counts when each of the images or identities ``units`` (U,) is drawn so many times."""
    first, second = np.searchsorted(units, pairs.first), np.searchsorted(units, pairs.second)
    single = np.flatnonzero(first == second)

    def weight(times: np.ndarray) -> np.ndarray:
        once = times.take(first)
        both = once * times.take(second)
        both[single] = once[single]
        return both

    return weight


def dir_at(nearest: np.ndarray, right: np.ndarray, strangers: np.ndarray, far: float) -> float:
    """Detection and identification rate (open set, ISO 19795's TPIR) where a share ``far`` of strangers gets in.

    ``nearest`` (P,): distance of each enrolled probe to the nearest template; ``right`` (P,): whether that is its own;
    ``strangers`` (S,): distance of each probe of somebody never enrolled to the nearest template.
    """
    nearest, strangers = array("nearest", nearest, 1), array("strangers", strangers, 1)
    right = array("right", right, 1).astype(bool)
    if len(nearest) != len(right) or not len(right) or not len(strangers):
        raise ValueError(f"there must be probes and strangers, not {len(nearest)}, {len(right)} and {len(strangers)}")
    allowed = int(between("far", far, 0, 1) * len(strangers))
    below = np.append(np.sort(strangers), np.inf)[allowed]
    return float((right & (nearest < below)).mean())


def episodes(
    points: Points, ways: int = 5, shots: int = 1, queries: int = 15, count: int = 600, seed: int = 0
) -> np.ndarray:
    """Accuracies (count,) of few-shot episodes: ``ways`` classes with ``shots`` samples each, ``queries`` to name.

    A query is named after the nearest mean of a class's samples (Snell, Swersky and Zemel 2017).
    """
    embeddings, labels = checked("points", points)
    members = [np.flatnonzero(labels == c) for c in np.unique(labels)]
    between("ways", ways, 2, len(members))
    between("shots", shots, 1, 1e9), between("queries", queries, 1, 1e9)
    between("shots + queries", shots + queries, 2, min(map(len, members)))
    rng, values = np.random.default_rng(seed), np.empty(int(between("count", count, 1, 1e9)))
    for i in range(len(values)):
        chosen = rng.choice(len(members), ways, replace=False)
        drawn = np.stack([rng.choice(members[c], shots + queries, replace=False) for c in chosen])
        templates = embeddings[drawn[:, :shots]].mean(1)
        nearest = cdist(embeddings[drawn[:, shots:]].reshape(ways * queries, -1), templates).argmin(1)
        values[i] = (nearest == np.repeat(np.arange(ways), queries)).mean()
    return values
