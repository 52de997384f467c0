"""Enrol an identity from a few samples, verify a claim, identify a probe."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.spatial.distance import cdist

from fslviz.errors import unknown
from fslviz.evaluation import Pairs

FUSIONS = ("template", "score")


class Gallery:
    """The identities that are known, each by the embeddings of its samples.

    ``fusion`` says how the samples of an identity are put together: ``"template"`` compares a probe with their mean,
    ``"score"`` takes the mean of its distances to each of them. Distances are Euclidean.
    """

    def __init__(self, fusion: str = "template") -> None:
        if fusion not in FUSIONS:
            unknown("fusion", fusion, FUSIONS)
        self.fusion = fusion
        self.samples: dict[Any, np.ndarray] = {}

    def enrol(self, name: Any, embeddings: np.ndarray) -> None:
        """Know ``name`` by its embeddings (K, D), instead of those it was known by before."""
        known = next(iter(self.samples.values()), embeddings)
        if embeddings.ndim != 2 or not len(embeddings) or embeddings.shape[1] != known.shape[-1]:
            width = f"(K, {known.shape[-1]})" if self.samples else "(K, D)"
            raise ValueError(f"embeddings must be of shape {width}, K at least 1, not {embeddings.shape}")
        self.samples[name] = embeddings

    def distances(self, probes: np.ndarray) -> np.ndarray:
        """Distances (M, identities) of probes (M, D), the identities in the order of their enrolment."""
        if not self.samples:
            raise ValueError("the gallery is empty: enrol somebody first")
        width = next(iter(self.samples.values())).shape[1]
        if probes.ndim != 2 or probes.shape[1] != width:
            raise ValueError(f"probes must be of shape (M, {width}), not {probes.shape}")
        if self.fusion == "template":
            return cdist(probes, np.stack([s.mean(0) for s in self.samples.values()]))
        return np.stack([cdist(probes, s).mean(1) for s in self.samples.values()], axis=1)

    def verify(self, name: Any, probes: np.ndarray, threshold: float) -> np.ndarray:
        """Whether each probe (M, D) that claims to be ``name`` is at most ``threshold`` away from it: (M,)."""
        if name not in self.samples:
            unknown("identity", name, map(str, self.samples))
        return self.distances(probes)[:, list(self.samples).index(name)] <= threshold

    def identify(self, probes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The nearest identity of each probe (M, D), and its distance: (M,), (M,)."""
        distances = self.distances(probes)
        return np.array(list(self.samples))[distances.argmin(1)], distances.min(1)

    def claims(self, probes: np.ndarray, names: Sequence[Any] | np.ndarray) -> Pairs:
        """Every probe (M, D), truly ``names`` (M,), against every identity, as scored pairs of identities."""
        order = {name: i for i, name in enumerate(self.samples)}
        distance = self.distances(probes).ravel()
        strangers = {name: len(order) + i for i, name in enumerate(dict.fromkeys(n for n in names if n not in order))}
        first = np.repeat([(order | strangers)[name] for name in names], len(order))
        second = np.tile(np.arange(len(order)), len(names))
        nearest = distance.argsort(kind="stable")
        first, second = first[nearest], second[nearest]
        return Pairs(distance[nearest], first == second, first, second)
