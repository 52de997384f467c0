"""Enrol an identity from a few samples, verify a claim, identify a probe."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from unicodedata import normalize

import numpy as np
from scipy.spatial.distance import cdist

from fslviz.errors import number, python_number, unknown
from fslviz.evaluation import Pairs, array
from fslviz.files import user_path, whole_file
from fslviz.runs import Run

FUSIONS = ("template", "score", "nearest")
PART = 2**22  # distances at once: 32 MiB of them


class Gallery:
    """The identities that are known, each by the embeddings of its samples.

    Made from a ``run``, it takes images, embeds them and compares them as the run's loss does: by distance, or by angle
    alone. Without one it takes embeddings (N, D), and ``cosine`` says whether their angle alone counts. ``fusion`` says
    how the samples of an identity are put together: ``"template"`` compares a probe with their mean, ``"score"`` takes
    the mean of its distances to each of them, ``"nearest"`` the smallest of those. Distances are Euclidean, by angle
    those on the unit sphere, where a template is at unit length again. Names are words, in NFC, or numbers.
    """

    def __init__(self, run: Run | None = None, *, fusion: str = "template", cosine: bool = False) -> None:
        if fusion not in FUSIONS:
            unknown("fusion", fusion, FUSIONS)
        if run is not None and not isinstance(run, Run):
            raise ValueError(f"run must be what fslviz.train gives, not {run!r}: fusion is given by name")
        self.run, self.fusion, self.cosine = run, fusion, cosine if run is None else run.cosine
        self.samples: dict[Any, np.ndarray] = {}

    def __repr__(self) -> str:
        """A line: how many identities are known, by how many samples, and how those are put together and compared."""
        samples, by = sum(map(len, self.samples.values())), "angle" if self.cosine else "distance"
        return f"Gallery of {len(self.samples):,} identities, {samples:,} samples in all: by {self.fusion}, by {by}"

    def enrol(self, name: Any, samples: Any) -> None:
        """Know ``name`` by its samples, images or embeddings (K, D), instead of those it was known by before."""
        name = _name(name)
        self._keep(name, self._embedded(samples, "samples", ignoring=name))

    def add(self, name: Any, samples: Any) -> None:
        """Know ``name`` by these samples as well."""
        name = self._known(name)
        self._keep(name, np.concatenate([self.samples[name], self._embedded(samples, "samples")]))

    def forget(self, name: Any) -> None:
        """Know ``name`` no more."""
        del self.samples[self._known(name)]

    def distances(self, probes: Any) -> np.ndarray:
        """Distances (M, identities) of probes, images or embeddings (M, D), in the order of enrolment."""
        embeddings = self._embedded(probes, "probes")
        distances, done = np.empty((len(embeddings), len(self.samples))), 0
        for part in self._parts(embeddings, list(self.samples.values())):
            distances[done : done + len(part)] = part
            done += len(part)
        return distances

    def verify(self, name: Any, probes: Any, threshold: float) -> np.ndarray:
        """Whether each probe that claims to be ``name`` is at most ``threshold`` away from it: (M,)."""
        threshold, samples = number("threshold", threshold, -np.inf, np.inf), self.samples[self._known(name)]
        parts = self._parts(self._embedded(probes, "probes"), [samples])
        return np.concatenate([part[:, 0] <= threshold for part in parts])

    def identify(self, probes: Any, threshold: float = np.inf) -> tuple[np.ndarray, np.ndarray]:
        """The nearest identity of each probe, and its distance: (M,), (M,). Beyond ``threshold`` it is None: nobody."""
        threshold = number("threshold", threshold, -np.inf, np.inf)
        parts = self._parts(self._embedded(probes, "probes"), list(self.samples.values()))
        who, far = map(np.concatenate, zip(*((part.argmin(1), part.min(1)) for part in parts), strict=True))
        names, named = list(self.samples), np.empty(len(who), object)  # an array of names would make words of numbers
        named[:] = [names[i] if near else None for i, near in zip(who, far <= threshold, strict=True)]
        return named, far

    def claims(self, probes: Any, names: Sequence[Any] | np.ndarray) -> Pairs:
        """Every probe, truly ``names`` (M,), against every identity, as scored pairs of identities.

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
        """Write who is known to one file of plain arrays and JSON, whole or not at all."""
        about = {"names": list(self.samples), "fusion": self.fusion, "cosine": self.cosine}
        samples: dict[str, Any] = {str(i): s for i, s in enumerate(self.samples.values())}
        with whole_file(user_path(path)) as file:
            np.savez(file, about=np.array(json.dumps(about)), **samples)

    @classmethod
    def load(cls, path: str | Path, run: Run | None = None) -> Gallery:
        """Read a gallery that ``save`` wrote, and give it the run that embeds its probes, if it had one.

        Raises FileNotFoundError, or ValueError where the file is no whole gallery.
        """
        try:
            with np.load(user_path(path), allow_pickle=False) as file:
                about = json.loads(str(file["about"]))
                samples = [file[f"{i}"] for i in range(len(about["names"]))]
            gallery = cls(run, fusion=about["fusion"], cosine=about["cosine"])
            for name, sample in zip(about["names"], samples, strict=True):
                gallery._keep(_name(name), array("samples", sample, 2))
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
        width = next((s.shape[1] for name, s in self.samples.items() if name != ignoring), None)
        if not embeddings.size or width not in (None, embeddings.shape[1]):
            raise ValueError(f"{what} must be of shape (N, {width or 'D'}), N at least 1, not {embeddings.shape}")
        return self._unit(embeddings, what)

    def _keep(self, name: Any, samples: np.ndarray) -> None:
        samples = samples.copy()  # the caller may fill the array anew
        samples.setflags(write=False)
        if self.fusion == "template":
            self._templates([samples])  # or say that there is none
        self.samples[name] = samples

    def _parts(self, embeddings: np.ndarray, known: list[np.ndarray]) -> Iterator[np.ndarray]:
        """Distances (M, identities) from those who are known by these samples, some rows after others."""
        if not known:
            raise ValueError("the gallery is empty: enrol somebody first")
        starts, sizes = _places(known)
        against = self._templates(known) if self.fusion == "template" else np.concatenate(known)
        step = max(1, PART // len(against))
        for i in range(0, len(embeddings), step):
            part = cdist(embeddings[i : i + step], against)
            if self.fusion == "score":
                part = np.add.reduceat(part, starts, axis=1) / sizes
            elif self.fusion == "nearest":
                part = np.minimum.reduceat(part, starts, axis=1)
            yield part

    def _templates(self, known: list[np.ndarray]) -> np.ndarray:
        starts, sizes = _places(known)
        means = np.add.reduceat(np.concatenate(known), starts, axis=0, dtype=float) / sizes[:, None]
        return self._unit(means, "the samples' mean", 1e-6)

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
        if name not in self.samples:
            self._no_twins([name])
            unknown("identity", name, map(str, self.samples))
        return name

    def _no_twins(self, names: list[Any]) -> None:
        """Refuse "3" where 3 is known, and 3 where "3" is."""
        words = {str(name): name for name in self.samples}
        for name in names:
            if name not in self.samples and str(name) in words:
                raise ValueError(f"no identity {name!r}: there is {words[str(name)]!r}, and a word is not a number")


def _name(given: Any) -> Any:
    """A word, in NFC, as José is José however it is typed, or a number; None is nobody's name."""
    name = python_number(given)
    if not isinstance(name, (str, int, float)) or name != name:
        raise ValueError(f"a name must be one word or number, not {name!r}")
    return normalize("NFC", name) if isinstance(name, str) else name


def _places(known: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Where each identity's samples begin when all follow each other, and how many they are."""
    sizes = np.array([len(samples) for samples in known])
    return sizes.cumsum() - sizes, sizes
