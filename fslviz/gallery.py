"""Enrol an identity from a few samples, verify a claim, identify a probe."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial.distance import cdist

from fslviz.data import whole_file
from fslviz.errors import between, plain, unknown
from fslviz.evaluation import Pairs, array
from fslviz.runs import Run

FUSIONS = ("template", "score", "nearest")


class Gallery:
    """The identities that are known, each by the embeddings of its samples.

    Made from a ``run``, it takes images, embeds them and compares them as the run's loss does: by distance, or by angle
    alone. Without one it takes embeddings (N, D), and ``cosine`` says whether their angle alone counts. ``fusion`` says
    how the samples of an identity are put together: ``"template"`` compares a probe with their mean, ``"score"`` takes
    the mean of its distances to each of them, ``"nearest"`` the smallest of those. Distances are Euclidean, by angle
    those on the unit sphere, where a template is at unit length again.
    """

    def __init__(self, run: Run | None = None, *, fusion: str = "template", cosine: bool = False) -> None:
        if fusion not in FUSIONS:
            unknown("fusion", fusion, FUSIONS)
        if run is not None and not isinstance(run, Run):
            raise ValueError(f"run must be what fslviz.train gives, not {run!r}: fusion is given by name")
        self.run, self.fusion, self.cosine = run, fusion, cosine if run is None else run.cosine
        self.samples: dict[Any, np.ndarray] = {}

    def enrol(self, name: Any, samples: Any) -> None:
        """Know ``name`` by its samples, images or embeddings (K, D), instead of those it was known by before."""
        embeddings = self._embedded(samples, "samples", ignoring=name)
        self.samples[plain(name)] = embeddings

    def add(self, name: Any, samples: Any) -> None:
        """Know ``name`` by these samples as well."""
        embeddings = self._embedded(samples, "samples")
        self.samples[self._known(name)] = np.concatenate([self.samples[self._known(name)], embeddings])

    def forget(self, name: Any) -> None:
        """Know ``name`` no more."""
        del self.samples[self._known(name)]

    def distances(self, probes: Any) -> np.ndarray:
        """Distances (M, identities) of probes, images or embeddings (M, D), in the order of enrolment."""
        if not self.samples:
            raise ValueError("the gallery is empty: enrol somebody first")
        embeddings = self._embedded(probes, "probes")
        if self.fusion == "template":
            return cdist(embeddings, self._unit(np.stack([s.mean(0) for s in self.samples.values()])))
        join = np.mean if self.fusion == "score" else np.min
        return np.stack([join(cdist(embeddings, s), axis=1) for s in self.samples.values()], axis=1)

    def verify(self, name: Any, probes: Any, threshold: float) -> np.ndarray:
        """Whether each probe that claims to be ``name`` is at most ``threshold`` away from it: (M,)."""
        threshold = between("threshold", threshold, -np.inf, np.inf)
        return self.distances(probes)[:, list(self.samples).index(self._known(name))] <= threshold

    def identify(self, probes: Any, threshold: float = np.inf) -> tuple[np.ndarray, np.ndarray]:
        """The nearest identity of each probe, and its distance: (M,), (M,). Beyond ``threshold`` it is None: nobody."""
        threshold, distances = between("threshold", threshold, -np.inf, np.inf), self.distances(probes)
        names = [*self.samples, None]
        named = np.empty(len(distances), object)  # as they were given: an array would make words of numbers
        nearest = np.where(distances.min(1) <= threshold, distances.argmin(1), len(self.samples))
        named[:] = [names[i] for i in nearest]
        return named, distances.min(1)

    def claims(self, probes: Any, names: Sequence[Any] | np.ndarray) -> Pairs:
        """Every probe, truly ``names`` (M,), against every identity, as scored pairs of identities."""
        distances = self.distances(probes)
        true = [plain(name) for name in names]
        if len(true) != len(distances):
            raise ValueError(f"names must say who each probe is, not {len(true)} names for {len(distances)} probes")
        number = {name: i for i, name in enumerate(dict.fromkeys([*self.samples, *true]))}
        first = np.repeat([number[name] for name in true], len(self.samples))
        second = np.tile(np.arange(len(self.samples)), len(true))
        order = distances.ravel().argsort(kind="stable")
        first, second = first[order], second[order]
        return Pairs(distances.ravel()[order], first == second, first, second)

    def save(self, path: str | Path) -> None:
        """Write who is known to one file of plain arrays and JSON, whole or not at all; names are words or numbers."""
        about = {"names": list(self.samples), "fusion": self.fusion, "cosine": self.cosine}
        if not all(isinstance(name, (str, int, float)) for name in self.samples):
            raise ValueError(f"names must be words or numbers to be saved, not {list(self.samples)}")
        samples: dict[str, Any] = {str(i): s for i, s in enumerate(self.samples.values())}
        with whole_file(Path(path)) as file:
            np.savez(file, about=np.array(json.dumps(about)), **samples)

    @classmethod
    def load(cls, path: str | Path, run: Run | None = None) -> Gallery:
        """Read a gallery that ``save`` wrote, and give it the run that embeds its probes, if it had one.

        Raises FileNotFoundError, or ValueError where the file is no whole gallery.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                about = json.loads(str(file["about"]))
                samples = [file[f"{i}"] for i in range(len(about["names"]))]
            gallery = cls(run, fusion=about["fusion"], cosine=about["cosine"])
        except FileNotFoundError:
            raise
        except Exception as error:
            raise ValueError(f"{path} is not a whole gallery that fslviz saved: {error}") from error
        if gallery.cosine != about["cosine"]:
            raise ValueError(f"{path} compares by {'angle' if about['cosine'] else 'distance'}, and the run does not")
        gallery.samples = dict(zip(about["names"], samples, strict=True))
        return gallery

    def _embedded(self, given: Any, what: str, ignoring: Any = None) -> np.ndarray:
        """Images or embeddings as this gallery compares them: (N, D)."""
        embeddings = self.run.embed(given) if self.run else array(what, given, 2)
        widths = {s.shape[1] for name, s in self.samples.items() if name != plain(ignoring)}
        if not embeddings.size or not widths <= {embeddings.shape[1]}:
            width = f"(N, {widths.pop()})" if widths else "(N, D)"
            raise ValueError(f"{what} must be of shape {width}, N at least 1, not {embeddings.shape}")
        return self._unit(embeddings)

    def _unit(self, embeddings: np.ndarray) -> np.ndarray:
        if not self.cosine:
            return embeddings
        return embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True).clip(1e-12)

    def _known(self, name: Any) -> Any:
        if plain(name) not in self.samples:
            unknown("identity", plain(name), map(str, self.samples))
        return plain(name)
