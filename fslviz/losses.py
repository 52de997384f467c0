"""Losses over the pairs and triplets of a batch: one signature, ``loss(embeddings (B, D), labels (B,)) -> scalar``.

Each image is embedded once: a batch of B embeddings already holds B(B-1)/2 pairs.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fslviz.errors import number, unknown


class Loss(nn.Module):
    """Base class of all losses. It checks the inputs and computes in float32 or float64, also under autocast."""

    cosine = False  # whether embeddings learned with it are compared by their angle alone
    batch = 128  # default batch size: more images give more pairs

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        embeddings = torch.as_tensor(embeddings)
        labels = torch.as_tensor(labels, device=embeddings.device)
        if embeddings.ndim != 2 or not embeddings.numel() or not embeddings.is_floating_point():
            given = f"{embeddings.dtype} {tuple(embeddings.shape)}"
            raise ValueError(f"embeddings must be floating and of shape (B, D), B at least 1, not {given}")
        if labels.shape != embeddings.shape[:1] or labels.is_floating_point():
            raise ValueError(
                f"labels must be {len(embeddings)} whole numbers, one an embedding, "
                f"not {labels.dtype} of shape {tuple(labels.shape)}"
            )
        if not embeddings.isfinite().all():
            strange = int((~embeddings.isfinite()).sum())
            raise ValueError(f"embeddings must be finite: {strange} of {embeddings.numel()} are NaN or infinite")
        with torch.autocast(embeddings.device.type, enabled=False):
            z = embeddings if embeddings.dtype == torch.float64 else embeddings.float()
            return self.loss(z, labels.long())

    def loss(self, z: Tensor, y: Tensor) -> Tensor:
        raise NotImplementedError

    def anneal(self, progress: float) -> None:
        """The training loop calls this before each step, with the share of the training that is done, from 0 to 1."""


class Contrastive(Loss):
    r"""Contrastive loss, Hadsell, Chopra and LeCun 2006, equation 4, over all pairs of the batch.

    .. math::
        L = {} & (1-Y)\,\tfrac12 D^2 \\ & + Y\,\tfrac12 \max(0, m - D)^2

    Here Y = 0 for a genuine pair (of one class), Y = 1 for an impostor pair (of two), D the Euclidean distance of the
    embeddings. The loss is half the mean over genuine pairs plus half the mean over impostor pairs. If a batch has
    pairs of one kind only, it is their mean; without any pair it is 0.

    ``margin``: m, in units of distance, from 0 to 10,000.
    """

    MARGIN = (0.0, 1e4)  # the smallest and the largest allowed

    def __init__(self, margin: float = 1.0) -> None:
        super().__init__()
        self.margin = number("margin", margin, *self.MARGIN)

    def loss(self, z: Tensor, y: Tensor) -> Tensor:
        d, genuine, impostor = _pairs(z, y)
        pull, push = d.square() / 2, F.relu(self.margin - d).square() / 2
        kinds = int(genuine.any()) + int(impostor.any())
        return (_mean(pull, genuine) + _mean(push, impostor)) / max(kinds, 1)


class Triplet(Loss):
    r"""Triplet loss, Schroff, Kalenichenko and Philbin 2015 (FaceNet), equation 3.

    .. math:: L = \max(0, d_{ap} - d_{an} + \alpha)

    averaged over the triplets that ``mining`` takes from the batch, d the squared Euclidean distance:

    - ``"all"``: every anchor with every positive and every negative
    - ``"random"``: every anchor with every positive, and one negative drawn for each
    - ``"semihard"``: the same pairs, with the nearest negative beyond the positive, or else the farthest (FaceNet, 3.2)
    - ``"hard"``: every anchor with its farthest positive and nearest negative (Hermans, Beyer and Leibe 2017)

    A batch without a triplet has loss 0. ``margin``: :math:`\alpha`, in units of squared distance, from 0 to 10,000.
    """

    MARGIN = (0.0, 1e4)
    MINING = ("all", "random", "semihard", "hard")

    def __init__(self, margin: float = 1.0, mining: str = "all") -> None:
        super().__init__()
        if mining not in self.MINING:
            unknown("mining", mining, self.MINING)
        self.margin, self.mining = number("margin", margin, *self.MARGIN), mining

    def loss(self, z: Tensor, y: Tensor) -> Tensor:
        d, genuine, impostor = _pairs(z, y)
        if self.mining == "all":
            return self._all(d.square(), genuine, impostor)
        d_ap, d_an, taken = self._mined(d.square(), genuine, impostor)
        return _mean(F.relu(d_ap - d_an + self.margin), taken)

    @torch.no_grad()
    def active(self, z: Tensor, y: Tensor) -> float:
        """The share of mined triplets whose loss is above 0, for embeddings (B, D), labels (B,); 0 without triplets."""
        d, genuine, impostor = _pairs(z, y)
        if self.mining == "all":
            negatives, _ = self._counts(d.square(), genuine, impostor)
            return float(negatives.sum() / (genuine.sum(1) * impostor.sum(1)).sum().clamp(min=1))
        d_ap, d_an, taken = self._mined(d.square(), genuine, impostor)
        return float(_mean((d_ap - d_an + self.margin > 0).float(), taken))

    def _all(self, d: Tensor, genuine: Tensor, impostor: Tensor) -> Tensor:
        """The mean over all triplets in O(B^2 log B) time and O(B^2) memory, value and gradient exact.

        The loss of an active triplet is linear in its distances. So d_ap counts once for each negative that is active
        with it, and d_an once for each such positive: it is enough to count them.
        """
        total = d.new_zeros(())
        for some in zip(*(t.split(512) for t in (d, genuine, impostor)), strict=True):  # anchors in parts, for memory
            negatives, positives = self._counts(*some)
            total = total + ((negatives - positives) * some[0]).sum() + self.margin * negatives.sum()
        return total / (genuine.sum(1) * impostor.sum(1)).sum().clamp(min=1)

    @torch.no_grad()
    def _counts(self, d: Tensor, genuine: Tensor, impostor: Tensor) -> tuple[Tensor, Tensor]:
        """For each pair (a, p) how many n, and for each (a, n) how many p, have d_ap - d_an + margin > 0: (A, B)."""
        d_ap = (d + self.margin).masked_fill(~genuine, -torch.inf)
        d_an = d.masked_fill(~impostor, torch.inf)
        negatives = torch.searchsorted(d_an.sort().values, d_ap)
        positives = d.shape[1] - torch.searchsorted(d_ap.sort().values, d_an, right=True)
        return negatives.to(d.dtype), positives.to(d.dtype)

    def _mined(self, d: Tensor, genuine: Tensor, impostor: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Squared distances d_ap and d_an, and a mask of the triplets that count: three tensors of one shape."""
        if self.mining == "hard":
            d_ap = d.masked_fill(~genuine, -torch.inf).amax(1)
            d_an = d.masked_fill(~impostor, torch.inf).amin(1)
            return d_ap, d_an, genuine.any(1) & impostor.any(1)
        count = impostor.sum(1, keepdim=True)  # (B, 1) negatives of each anchor: they come first in d_an below
        taken = genuine & (count > 0)
        if self.mining == "random":
            d_an = d.gather(1, impostor.byte().argsort(1, descending=True))
            which = (torch.rand(d.shape, dtype=d.dtype, device=d.device) * count).long()
        else:
            d_an = d.masked_fill(~impostor, torch.inf).sort(1).values
            which = torch.searchsorted(d_an.detach(), d.detach(), right=True)  # the first farther than the positive
        return d, d_an.gather(1, which.clamp(max=count - 1).clamp(min=0)), taken


def pairwise_distance(z: Tensor) -> Tensor:
    """Euclidean distances (B, B) of embeddings (B, D). The gradient at distance 0, where none exists, is set to 0."""
    return torch.cdist(z, z, compute_mode="donot_use_mm_for_euclid_dist")  # exact for near pairs far from the origin


def _pairs(z: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Distances, which pairs are genuine (no image with itself) and which impostor, of a batch: each (B, B)."""
    genuine = y[:, None] == y
    return pairwise_distance(z), genuine.clone().fill_diagonal_(False), ~genuine


def _mean(values: Tensor, mask: Tensor) -> Tensor:
    """The mean of the values under the mask; 0 where it is empty. Masked values may be infinite."""
    return values.masked_fill(~mask, 0).sum() / mask.sum().clamp(min=1)
