"""Enrol an identity from a few samples, verify a claim, identify a probe."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from scipy.spatial.distance import cdist
from threadpoolctl import threadpool_limits  # comes with scikit-learn

from fslviz.errors import composed, number, python_number, unknown
from fslviz.evaluation import Pairs, array
from fslviz.files import user_path, whole_file
from fslviz.runs import Run

FUSIONS = ("template", "score", "nearest")
CELLS = 2**22  # distances at once: 32 MiB of them
ROWS, PART = 512, 512  # probes and points that are multiplied at once: their products fit a core's cache


class Gallery:
    """The enrolled identities, each with the embeddings of its samples.

    Made from a ``run``, it takes images, embeds them and compares them as the run's loss does: by distance, or by angle
    alone. Without one it takes embeddings (N, D), and ``cosine`` says whether their angle alone counts. ``fusion`` says
    how the samples of an identity are put together: ``"template"`` compares a probe with their mean, ``"score"`` takes
    the mean of its distances to each of them, ``"nearest"`` the smallest of those. Distances are Euclidean; by angle,
    embeddings and templates are scaled to unit length first. Names are strings, in Unicode form NFC, or numbers.
    """

    def __init__(self, run: Run | None = None, *, fusion: str = "template", cosine: bool = False) -> None:
        if fusion not in FUSIONS:
            unknown("fusion", fusion, FUSIONS)
        if run is not None and not isinstance(run, Run):
            raise ValueError(f"run must be what fslviz.train gives, not {run!r}: fusion is given by name")
        self.run, self.fusion, self.cosine = run, fusion, cosine if run is None else run.cosine
        self._samples: dict[Any, np.ndarray] = {}
        self._found: _Nearest | None = None  # made by the first search, dropped when an identity changes

    @property
    def samples(self) -> Mapping[Any, np.ndarray]:
        """Each enrolled name with the embeddings of its samples (K, D), in the order of enrolment; read-only."""
        return MappingProxyType(self._samples)

    def __repr__(self) -> str:
        """A line: how many identities are known, by how many samples, and how those are put together and compared."""
        samples, by = sum(map(len, self.samples.values())), "angle" if self.cosine else "distance"
        return f"Gallery of {len(self.samples):,} identities, {samples:,} samples in all: by {self.fusion}, by {by}"

    def enrol(self, name: Any, samples: Any) -> None:
        """Enrol ``name`` from samples, images or embeddings (K, D), which replace earlier ones."""
        name = _name(name)
        self._keep(name, self._embedded(samples, "samples", ignoring=name))

    def add(self, name: Any, samples: Any) -> None:
        """Add samples to those of ``name``."""
        name = self._known(name)
        self._keep(name, np.concatenate([self.samples[name], self._embedded(samples, "samples")]))

    def forget(self, name: Any) -> None:
        """Remove ``name``."""
        del self._samples[self._known(name)]
        self._found = None

    def distances(self, probes: Any) -> np.ndarray:
        """Distances (M, identities) of probes, images or embeddings (M, D), in the order of enrolment."""
        embeddings = self._embedded(probes, "probes")
        distances, done = np.empty((len(embeddings), len(self.samples))), 0
        for part in self._parts(embeddings, self._points(self._all())):
            distances[done : done + len(part)] = part
            done += len(part)
        return distances

    def verify(self, name: Any, probes: Any, threshold: float) -> np.ndarray:
        """Whether each probe that claims to be ``name`` is at most ``threshold`` away from it: (M,)."""
        threshold, samples = number("threshold", threshold, -np.inf, np.inf), self.samples[self._known(name)]
        parts = self._parts(self._embedded(probes, "probes"), self._points([samples]))
        return np.concatenate([part[:, 0] <= threshold for part in parts])

    def identify(self, probes: Any, threshold: float = np.inf) -> tuple[np.ndarray, np.ndarray]:
        """The nearest identity of each probe, and its distance: (M,), (M,). Beyond ``threshold`` it is None: nobody."""
        threshold = number("threshold", threshold, -np.inf, np.inf)
        embeddings = self._embedded(probes, "probes")
        if self.fusion == "score":
            parts = self._parts(embeddings, self._points(self._all()))
            who, far = map(np.concatenate, zip(*((part.argmin(1), part.min(1)) for part in parts), strict=True))
        else:
            self._found = self._found or _Nearest(*self._points(self._all()))
            who, far = self._found(embeddings)
        names, named = list(self.samples), np.empty(len(who), object)  # an array of names would make words of numbers
        named[:] = [names[i] if near else None for i, near in zip(who, far <= threshold, strict=True)]
        return named, far

    def claims(self, probes: Any, names: Sequence[Any] | np.ndarray) -> Pairs:
        """Score every probe against every identity. ``names`` (M,): who each probe is. Gives pairs of identities.

        Raises ValueError for a name that is known as a number, or a number that is known as a name.
        """
        distances = self.distances(probes)
        true = [_name(name) for name in ([names] if isinstance(names, str) else names)]
        if len(true) != len(distances):
            raise ValueError(f"names must say who each probe is, not {len(true)} names for {len(distances)} probes")
        number = {name: i for i, name in enumerate(dict.fromkeys([*self.samples, *true]))}
        self._no_twins(true)
        order = distances.ravel().argsort(kind="stable")
        first = np.array([number[name] for name in true], np.int32)[order // len(self.samples)]
        second = (order % len(self.samples)).astype(np.int32)
        return Pairs(distances.ravel()[order], first == second, first, second)

    def save(self, path: str | Path) -> None:
        """Write the gallery to one file of plain arrays and JSON, completely or not at all."""
        about = {"names": list(self._samples), "fusion": self.fusion, "cosine": self.cosine}
        samples = self._all() or [np.empty((0, 0))]
        sizes, rows = [len(some) for some in samples][: len(self._samples)], np.concatenate(samples)
        with whole_file(user_path(path)) as file:
            np.savez(file, about=np.array(json.dumps(about)), sizes=sizes, samples=rows)

    @classmethod
    def load(cls, path: str | Path, run: Run | None = None) -> Gallery:
        """Read a gallery that ``save`` wrote, and give it the run that embeds its probes, if it had one.

        Raises FileNotFoundError, or ValueError where the file is no whole gallery.
        """
        try:
            with np.load(user_path(path), allow_pickle=False) as file:
                about, sizes = json.loads(str(file["about"])), file["sizes"]
                rows = array("samples", file["samples"], 2)
            gallery, names = cls(run, fusion=about["fusion"], cosine=about["cosine"]), map(_name, about["names"])
            rows.setflags(write=False)
            ends = np.cumsum(sizes)
            samples = [rows[start:end] for start, end in zip((ends - sizes).tolist(), ends.tolist(), strict=True)]
            gallery._samples = dict(zip(names, samples, strict=True))
            if (sizes < 1).any() or sizes.sum() != len(rows) or len(gallery._samples) != len(sizes):
                raise ValueError("its names and its samples are not as many as it says")
            if samples:
                gallery._points(samples)  # raises if a template has no direction
        except FileNotFoundError:
            raise
        except Exception as error:
            raise ValueError(f"{path} is not a whole gallery that fslviz saved: {error}") from error
        if gallery.cosine != about["cosine"]:
            raise ValueError(f"{path} compares by {'angle' if about['cosine'] else 'distance'}, and the run does not")
        return gallery

    def _embedded(self, given: Any, what: str, ignoring: Any = None) -> np.ndarray:
        """Images or embeddings as this gallery compares them: (N, D)."""
        embeddings = self.run.embed(given) if self.run else array(what, given, 2)
        width = next((s.shape[1] for name, s in self._samples.items() if name != ignoring), None)
        if not embeddings.size or width not in (None, embeddings.shape[1]):
            raise ValueError(f"{what} must be of shape (N, {width or 'D'}), N at least 1, not {embeddings.shape}")
        return self._unit(embeddings, what)

    def _keep(self, name: Any, samples: np.ndarray) -> None:
        samples = samples.copy()  # the caller may fill the array anew
        samples.setflags(write=False)
        if self.fusion == "template":
            self._points([samples])  # raises if it has no direction
        self._samples[name] = samples
        self._found = None

    def _all(self) -> list[np.ndarray]:
        return list(self._samples.values())

    def _points(self, known: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Points (P, D) that probes are compared with, from each identity's samples, and each one's first row (N,)."""
        if not known:
            raise ValueError("the gallery is empty: enrol somebody first")
        sizes, points = np.array([len(samples) for samples in known]), np.concatenate(known)
        starts = sizes.cumsum() - sizes
        if self.fusion != "template":
            return points, starts
        if len(points) > len(known):
            points = np.add.reduceat(points, starts, axis=0, dtype=float) / sizes[:, None]
        return self._unit(points, "the samples' mean", 1e-6), np.arange(len(known))

    def _parts(self, embeddings: np.ndarray, known: tuple[np.ndarray, np.ndarray]) -> Iterator[np.ndarray]:
        """Distances (M, identities) of embeddings to the points of each identity, some rows at a time."""
        points, starts = known
        step = max(1, CELLS // len(points))
        for i in range(0, len(embeddings), step):
            part = cdist(embeddings[i : i + step], points)
            if self.fusion == "score":
                part = np.add.reduceat(part, starts, axis=1) / np.diff(starts, append=len(points))
            elif self.fusion == "nearest":
                part = np.minimum.reduceat(part, starts, axis=1)
            yield part

    def _unit(self, embeddings: np.ndarray, what: str, least: float = 0.0) -> np.ndarray:
        if not self.cosine:
            return embeddings
        largest = np.abs(embeddings).max(1, keepdims=True)
        if (none := largest <= least).any():
            raise ValueError(f"{what} must have a direction to be compared by: {none.sum()} of {none.size} are 0")
        embeddings = embeddings / largest  # whose squares neither overflow nor vanish
        return embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)

    def _known(self, given: Any) -> Any:
        name = _name(given)
        if name not in self._samples:
            self._no_twins([name])
            unknown("identity", name, map(str, self._samples))
        return name

    def _no_twins(self, names: list[Any]) -> None:
        """Refuse "3" where 3 is known, and 3 where "3" is."""
        words = {str(name): name for name in self.samples}
        for name in names:
            if name not in self.samples and str(name) in words:
                raise ValueError(f"no identity {name!r}: there is {words[str(name)]!r}, and a string is not a number")


def _name(given: Any) -> Any:
    """A name as a number, or as a string in Unicode form NFC. Raises ValueError for anything else, None and NaN too."""
    name = python_number(given)
    if not isinstance(name, (str, int, float)) or name != name:
        raise ValueError(f"a name must be a string or a number, not {name!r}")
    return composed(name)


class _Nearest:
    """Exact search for the nearest of many points. Products in float32 tell which blocks of points it may be in.

    |x - p|^2 / 2 is least where x.p - |p|^2 / 2 is largest. That is a matrix product: the search is about as fast.
    """

    def __init__(self, points: np.ndarray, starts: np.ndarray) -> None:
        self.points, self.starts = points, starts  # (P, D), (N,)
        self.middle = points.mean(0, dtype=float)
        self.size = np.abs([points.max(0) - self.middle, points.min(0) - self.middle]).max() or 1.0
        self.products = np.empty((len(points), points.shape[1] + 1), np.float32)
        for i in range(0, len(points), PART):
            scaled = self._scaled(points[i : i + PART])
            self.products[i : i + PART] = np.column_stack([scaled, -np.square(scaled).sum(1) / 2])

    def _scaled(self, x: np.ndarray) -> np.ndarray:
        return (x - self.middle) / self.size

    def __call__(self, probes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The identity whose point is nearest to each probe (M, D), and the distance: (M,), (M,)."""
        some = [probes[i : i + ROWS] for i in range(0, len(probes), ROWS)]
        if len(some) == 1:
            who, far = self._some(probes)
        else:  # each thread its own rows: threads that share a product wait for each other
            with threadpool_limits(1, "blas"), ThreadPoolExecutor(torch.get_num_threads()) as threads:
                who, far = map(np.concatenate, zip(*threads.map(self._some, some), strict=True))
        return np.searchsorted(self.starts, who, side="right") - 1, far

    def _some(self, probes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        parts = [slice(i, i + PART) for i in range(0, len(self.points), PART)]
        with np.errstate(over="ignore", invalid="ignore"):  # probes beyond float32 are compared with all points
            x = np.column_stack([self._scaled(probes), np.ones(len(probes))]).astype(np.float32)
            best = np.empty((len(parts), len(x)), np.float32)
            for part, most in zip(parts, best, strict=True):
                (x @ self.products[part].T).max(1, out=most)
            length, longest = np.linalg.norm(x[:, :-1], axis=1), np.sqrt(-2 * self.products[:, -1].min())
            error = (x.shape[1] + 4) * 2.0**-23 * (length * longest + longest**2)  # of such a product, at most
            near = ~(best < best.max(0) - 2 * error)  # (parts, M)
        who, far = np.zeros(len(probes), int), np.full(len(probes), np.inf)
        for part, rows in zip(parts, near, strict=True):
            if rows.any():
                distances = cdist(probes[rows], self.points[part])
                closer = distances.min(1) < far[rows]
                at = np.flatnonzero(rows)[closer]
                who[at], far[at] = part.start + distances.argmin(1)[closer], distances.min(1)[closer]
        return who, far
