"""Accuracies and error rates from plain arrays of embeddings or scores.

Terms of biometrics: a genuine pair is of one class, an impostor pair of two. FMR is the share of impostor pairs that
match. FNMR is the share of genuine pairs that don't (in face recognition: FAR and FRR). TAR is 1 - FNMR. A score is a
distance: a pair matches if its distance is at most the threshold.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from warnings import warn

import numpy as np
from scipy.spatial.distance import cdist, pdist
from sklearn.neighbors import NearestNeighbors

from fslviz.errors import composed, number, python_number, whole_number

CELLS = 2**22  # distances that are held at a time
Points = tuple[Any, Any]  # embeddings (N, D) and their labels (N,): arrays, tensors or lists


def knn_accuracy(gallery: Points, probes: Points | None = None, k: int = 15) -> float:
    """The share of probes (M, D) whose class is the most common one of their ``k`` nearest neighbours in the gallery.

    Without ``probes``, each point of the gallery is classified among all the others.

    Raises ValueError if the sets can't be compared, and warns if probes are also points of the gallery.
    """
    return _knn(*_compared(gallery, probes), k)


def centre_accuracy(gallery: Points, probes: Points | None = None) -> float:
    """The share of probes (M, D) nearest to the mean of their own class in the gallery.

    If all embeddings have unit length, they are compared by angle, and the means are scaled to unit length, like
    templates of a ``Gallery``. Without ``probes``, each point of the gallery is classified; its own class mean leaves
    it out. Errors as in ``knn_accuracy``.
    """
    return _centre(*_compared(gallery, probes))


def _knn(known: np.ndarray, names: np.ndarray, asked: np.ndarray | None, truth: np.ndarray, k: int) -> float:
    k = whole_number("k", k, 1, 10**9)
    needed = k + (asked is None)
    if needed > len(names):
        raise ValueError(f"{k} nearest neighbours need a gallery of {needed} or more, not {len(names)}")
    nearest = NearestNeighbors(n_neighbors=k).fit(known).kneighbors(asked, return_distance=False)
    return float((_most_common(names[nearest]) == truth).mean())


def _most_common(labels: np.ndarray) -> np.ndarray:
    """The most common label of each row (M, k), the smallest if tied. Its cost does not grow with the classes."""
    labels = np.sort(labels, axis=1)
    starts = np.diff(labels, axis=1, prepend=-1) != 0
    at = np.broadcast_to(np.arange(labels.shape[1]), labels.shape)
    lengths = at - np.maximum.accumulate(np.where(starts, at, 0), axis=1)  # of the run of each label, up to here
    return labels[np.arange(len(labels)), lengths.argmax(1)]


def _centre(known: np.ndarray, names: np.ndarray, asked: np.ndarray | None, truth: np.ndarray) -> float:
    size, x = np.bincount(names)[:, None], known if asked is None else asked
    by_angle = all(np.allclose(np.linalg.norm(z, axis=1), 1, atol=1e-3) for z in (known, x))
    sums = np.zeros((len(size), known.shape[1]))
    np.add.at(sums, names, known)
    means, right = _mean(sums, size, by_angle), 0
    for some in np.array_split(np.arange(len(x)), 1 + x.shape[0] * len(means) // CELLS):  # in parts, for memory
        distance = cdist(x[some], means)
        if asked is None:
            own = _mean(sums[names[some]] - x[some], size[names[some]] - 1, by_angle)
            distance[np.arange(len(some)), names[some]] = np.linalg.norm(x[some] - own, axis=1)
        right += int((distance.argmin(1) == truth[some]).sum())
    return right / len(x)


def _mean(sums: np.ndarray, size: np.ndarray, by_angle: bool) -> np.ndarray:
    mean = sums / size
    return mean / np.linalg.norm(mean, axis=1, keepdims=True).clip(1e-12) if by_angle else mean


def _compared(gallery: Points, probes: Points | None) -> tuple[np.ndarray, np.ndarray, np.ndarray | None, np.ndarray]:
    """Both sets' embeddings, and labels numbered alike, or a ValueError where they can't be compared."""
    known, names = checked("gallery", gallery)
    classes, number, size = np.unique(names, return_inverse=True, return_counts=True)
    if probes is None:
        if size.min() < 2:
            raise ValueError(
                f"without probes there must be 2 or more of each class, not 1 of {_few(classes[size < 2])}"
            )
        return known, number, None, number
    asked, truth = checked("probes", probes)
    if asked.shape[1] != known.shape[1]:
        raise ValueError(f"gallery and probes must be of one width, not {known.shape[1]} and {asked.shape[1]}")
    if (names.dtype.kind == "U") != (truth.dtype.kind == "U"):
        mixed = f"{_few(names[:1])} in the gallery and {_few(truth[:1])} in the probes"
        raise ValueError(f"labels must be all strings or all numbers, not {mixed}")
    if len(lacking := np.setdiff1d(truth, classes)):
        raise ValueError(f"the gallery must have every class of the probes: it lacks {_few(lacking)}")
    truth = np.searchsorted(classes, truth)
    if shared := _shared(known, number, asked, truth):
        warn(
            f"{shared:,} of {len(truth):,} probes are points of the gallery as well, and each is its own neighbour: "
            "leave them out, or give the gallery alone, which compares each of its points with the others",
            stacklevel=3,
        )
    return known, number, asked, truth


def _shared(known: np.ndarray, names: np.ndarray, asked: np.ndarray, truth: np.ndarray) -> int:
    """How many probes are also points of the gallery, of equal embedding and class; 0 if chance explains as many.

    Points of one set can be equal by chance: on a circle in float32, and more of them in a collapsed space.
    """
    with np.errstate(over="ignore"):
        here, there = ([hash(row.tobytes()) for row in x.astype(np.float32) + 0] for x in (known, asked))
    chance = max(1 - sum(n == 1 for n in Counter(places).values()) / len(places) for places in (here, there))
    at = set(zip(here, names.tolist(), strict=True))
    shared = sum(point in at for point in zip(there, truth.tolist(), strict=True))
    return shared if shared > len(there) * (0.01 + 2 * chance) else 0


def _few(values: np.ndarray) -> str:
    return ", ".join(map(repr, values[:5].tolist())) + (", ..." if len(values) > 5 else "")


def checked(name: str, points: Points, least: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings (N, D) and labels (N,) as arrays, or a ValueError that says what is wrong with them."""
    if not isinstance(points, (tuple, list)) or len(points) != 2:
        raise ValueError(f"{name} must be two things, embeddings (N, D) and their labels (N,), not {type(points)}")
    x, labels = array(name, points[0], 2), labelled(f"the labels of {name}", points[1])
    if len(x) != len(labels):
        raise ValueError(f"{name} must have a label for each embedding, not {len(labels)} for {len(x)}")
    if x.size < least:
        raise ValueError(f"{name} must not be empty")
    return x, labels


def array(name: str, values: Any, axes: int) -> np.ndarray:
    """An array, tensor or list of finite numbers as an array of so many axes, in float32 at least, or a ValueError."""
    x = _bare(values)
    if x.ndim != axes:
        raise ValueError(f"{name} must have {axes} axes, not shape {x.shape}")
    if x.dtype.kind not in "buif" or not np.isfinite(x).all():
        raise ValueError(f"{name} must be finite numbers: {_strange(x)}")
    return x.astype(np.result_type(x, np.float32), copy=False)


def labelled(name: str, values: Any) -> np.ndarray:
    """Labels (N,) as an array of numbers, or of strings in Unicode form NFC. Raises ValueError for anything else."""
    x = _bare(values)
    if x.ndim != 1:
        raise ValueError(f"{name} must be (N,), one for each, not {x.shape}: from one-hot rows take argmax(1)")
    if x.dtype.kind in "bi" or (x.dtype.kind == "f" and np.isfinite(x).all()):
        return x
    each = [python_number(v) for v in values]
    if all(isinstance(v, str) for v in each):
        return np.array(list(map(composed, each)))
    if x.dtype.kind in "uO" and all(isinstance(v, int) for v in each):
        return np.array(each, np.int64)
    raise ValueError(
        f"{name} must be all strings or all numbers, without NaN or None, not {_few(np.array(each, object))}"
    )


def _bare(values: Any) -> np.ndarray:
    """An array, tensor or list as an array; of types that NumPy lacks, in float32."""
    if isinstance(values, (list, tuple)) and any(hasattr(v, "detach") for v in values):
        values = [_bare(v) for v in values]
    if hasattr(values, "detach"):
        values = values.detach().cpu()
        values = values.float() if values.is_floating_point() and values.itemsize < 4 else values
    return np.asarray(values)


def _strange(x: np.ndarray) -> str:
    if x.dtype.kind not in "buif":
        return f"it is of {x.dtype}"
    return f"{(~np.isfinite(x)).sum()} of {x.size} are NaN or infinite"


def _truths(name: str, values: Any) -> np.ndarray:
    x = array(name, values, 1)
    if not np.isin(x, (0, 1)).all():
        raise ValueError(f"{name} must be true or false, or 1 or 0, not {_few(np.unique(x))}")
    return x.astype(bool)


@dataclass(frozen=True, eq=False)
class Pairs:
    """Scored pairs, nearest first: ``distance`` (P,), ``genuine`` (P,), and the images ``first``, ``second`` (P,)."""

    distance: np.ndarray
    genuine: np.ndarray
    first: np.ndarray
    second: np.ndarray

    def __repr__(self) -> str:
        """A line: how many pairs there are of each kind, and how far apart."""
        genuine, ends = int(self.genuine.sum()), f"from {self.distance.min():.3g} to {self.distance.max():.3g}"
        return f"Pairs: {genuine:,} genuine and {len(self.genuine) - genuine:,} impostor, at distances {ends}"

    @classmethod
    def of(cls, *, genuine: Any, distance: Any = None, similarity: Any = None) -> Pairs:
        """Pairs from your own scores: distances or similarities (P,), and whether each pair is genuine (P,), or 0/1.

        A similarity becomes the distance ``-similarity``, and so does a threshold. ``bootstrap`` then resamples pairs;
        if pairs share images, its interval is too narrow.

        Raises ValueError for lengths that differ, numbers that are not finite, and pairs that are all of one kind.
        """
        if (distance is None) == (similarity is None):
            raise ValueError("give either distance or similarity")
        d = array("distance", distance, 1) if similarity is None else -array("similarity", similarity, 1).astype(float)
        same = _truths("genuine", genuine)
        if len(d) != len(same):
            raise ValueError(f"genuine must have one value for each of the {len(d)} scores, not {len(same)}")
        unit = np.arange(len(d))
        return _sorted(d, same, unit, unit)

    def by_identity(self, labels: Any) -> Pairs:
        """The same pairs with identities in place of images, so that ``bootstrap`` resamples identities.

        ``labels`` (N,): of all the images that the pairs were drawn from, in their order.
        """
        number, last = (
            np.unique(labelled("labels", labels), return_inverse=True)[1],
            max(self.first.max(), self.second.max()),
        )
        if last >= len(number):
            raise ValueError(f"labels must be one for each image, {last + 1} or more, not {len(number)}")
        return Pairs(self.distance.copy(), self.genuine.copy(), number[self.first], number[self.second])


def _sorted(distance: np.ndarray, genuine: np.ndarray, first: np.ndarray, second: np.ndarray) -> Pairs:
    _both(genuine.sum(), (~genuine).sum())
    order = distance.argsort(kind="stable")
    return Pairs(distance[order], genuine[order], first[order], second[order])


def _both(genuine: int, impostor: int, where: str = "") -> None:
    if not (genuine > 0 and impostor > 0):
        raise ValueError(f"there must be genuine and impostor pairs{where}, not {genuine} and {impostor}")


def all_pairs(points: Points, limit: int = 1000, seed: int = 0) -> Pairs:
    """Every pair among ``limit`` images drawn by ``seed`` (or among all, if there are fewer), by Euclidean distance.

    ``first`` and ``second`` say where in ``points`` a pair's images are.
    """
    embeddings, labels = checked("points", points)
    limit, rng = whole_number("limit", limit, 3, 10**9), np.random.default_rng(whole_number("seed", seed, 0, 2**63 - 1))
    drawn = np.sort(rng.permutation(len(labels))[:limit])
    first, second = np.triu_indices(len(drawn), 1)
    first, second = drawn[first], drawn[second]
    genuine = labels[first] == labels[second]
    _both(genuine.sum(), (~genuine).sum(), f" among {len(drawn):,} images of {len(labels):,}")
    return _sorted(pdist(embeddings[drawn]), genuine, first, second)


@dataclass(frozen=True, eq=False)
class Rates:
    """The error rates ``fmr`` and ``fnmr`` (T,) at each ``threshold`` (T,), in rising order of threshold."""

    threshold: np.ndarray
    fmr: np.ndarray
    fnmr: np.ndarray


def error_rates(pairs: Pairs, weight: np.ndarray | None = None) -> Rates:
    """False match and false non-match rate at every distance that occurs; ``weight`` (P,) counts each pair.

    Raises ValueError where there is no genuine pair, or no impostor pair.
    """
    weight = np.ones(len(pairs.distance), np.int64) if weight is None else weight
    if np.shape(weight) != pairs.distance.shape:
        raise ValueError(f"weight must count each pair: of shape {pairs.distance.shape}, not {np.shape(weight)}")
    genuine = np.cumsum(np.where(pairs.genuine, weight, 0))
    impostor = np.cumsum(weight) - genuine
    _both(*((genuine[-1], impostor[-1]) if len(weight) else (0, 0)))
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
    """The largest threshold whose FMR is at most ``fmr``.

    It is -inf, at which no pair matches, if the nearest pair is an impostor pair and its match already exceeds ``fmr``.
    """
    return float(rates.threshold[_at(rates, fmr)])


def tar_at(rates: Rates, fmr: float) -> float:
    """The true accept rate at ``threshold_at(rates, fmr)``: the share of genuine pairs that match."""
    return float(1 - rates.fnmr[_at(rates, fmr)])


def _at(rates: Rates, fmr: float) -> int:
    return int(np.searchsorted(rates.fmr, _share("fmr", fmr), side="right")) - 1


def _share(name: str, given: float) -> float:
    """A share, made a little larger against rounding: 1 - .9 is less than .1, and .29 * 100 less than 29."""
    return number(name, given, 0, 1) * (1 + 1e-9)


def merits(gallery: Points, probes: Points | None = None) -> dict[str, float]:
    """15-NN and centre accuracy over all probes (without any, as in ``knn_accuracy``); EER, and TAR at an FMR of 1%,
    over the pairs of 1,000 probes drawn by ``all_pairs``."""
    sets, rates = _compared(gallery, probes), error_rates(all_pairs(gallery if probes is None else probes))
    return {
        "15-NN": _knn(*sets, 15),
        "centre": _centre(*sets),
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
    """Ends of a percentile interval of ``statistic``. It resamples images, not pairs, because pairs share images.

    A pair counts once for each way to draw both its images: 2 and 3 times give 6. A pair within one identity counts
    once for each time that this is drawn. ``against`` holds pairs of the same images in another space: the interval is
    that of the difference to it, with the same draws for both.

    Raises ValueError if ``against`` is of other images, or if there is nothing to draw from: no genuine or no impostor
    pair, or only one image or identity.
    """
    resamples, seed = whole_number("resamples", resamples, 1, 10**9), whole_number("seed", seed, 0, 2**63 - 1)
    number("level", level, 0, 1)
    sides = [pairs] if against is None else [pairs, against]
    units, *others = [np.unique([p.first, p.second]) for p in sides]
    if any(not np.array_equal(units, other) for other in others):
        raise ValueError("against must be pairs of the same images as pairs")
    if len(units) < 2:
        raise ValueError("there must be 2 or more images or identities to draw anew, not 1")
    for p in sides:
        error_rates(p)  # raises unless both kinds are there: then the loop below ends
    weights, rng = [_weigher(p, units) for p in sides], np.random.default_rng(seed)
    values: list[float] = []
    genuine = [np.flatnonzero(p.genuine) for p in sides]
    while len(values) < resamples:
        times = np.bincount(rng.integers(len(units), size=len(units)), minlength=len(units))
        drawn = [weight(times) for weight in weights]
        if all(0 < weight.take(g).sum() < weight.sum() for weight, g in zip(drawn, genuine, strict=True)):
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


def dir_at(nearest: np.ndarray, right: np.ndarray, strangers: np.ndarray, fpir: float) -> float:
    """Detection and identification rate (open set, TPIR in ISO 19795) where a share ``fpir`` of strangers is accepted.

    ``nearest`` (P,): distance of each enrolled probe to the nearest template; ``right`` (P,): whether that is its own;
    ``strangers`` (S,): distance of each probe of somebody never enrolled to the nearest template.
    """
    nearest, strangers = array("nearest", nearest, 1), array("strangers", strangers, 1)
    right = _truths("right", right)
    if len(nearest) != len(right) or not len(right) or not len(strangers):
        raise ValueError(f"there must be probes and strangers, not {len(nearest)}, {len(right)} and {len(strangers)}")
    allowed = int(_share("fpir", fpir) * len(strangers))
    below = np.append(np.sort(strangers), np.inf)[allowed]
    return float((right & (nearest < below)).mean())


def episodes(
    points: Points, ways: int = 5, shots: int = 1, queries: int = 15, count: int = 600, seed: int = 0
) -> np.ndarray:
    """Accuracies (count,) of few-shot episodes: ``ways`` classes, each with ``shots`` samples and ``queries`` queries.

    A query gets the class whose samples have the nearest mean (Snell, Swersky and Zemel 2017).
    """
    embeddings, labels = checked("points", points)
    members = [np.flatnonzero(labels == c) for c in np.unique(labels)]
    ways = whole_number("ways", ways, 2, len(members))
    shots, queries = whole_number("shots", shots, 1, 10**9), whole_number("queries", queries, 1, 10**9)
    whole_number("shots + queries", shots + queries, 2, min(map(len, members)))
    rng = np.random.default_rng(whole_number("seed", seed, 0, 2**63 - 1))
    values = np.empty(whole_number("count", count, 1, 10**9))
    for i in range(len(values)):
        chosen = rng.choice(len(members), ways, replace=False)
        drawn = np.stack([rng.choice(members[c], shots + queries, replace=False) for c in chosen])
        templates = embeddings[drawn[:, :shots]].mean(1)
        nearest = cdist(embeddings[drawn[:, shots:]].reshape(ways * queries, -1), templates).argmin(1)
        values[i] = (nearest == np.repeat(np.arange(ways), queries)).mean()
    return values
