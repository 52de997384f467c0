"""The softmax family: classification losses whose class weights are learned with the network.

All but plain softmax look only at the angle theta_j between an embedding and the weight W_j of class j, and differ in
what they do to the angle of the true class y.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fslviz.errors import number, whole_number
from fslviz.losses import Loss


class Softmax(Loss):
    r"""Cross-entropy of a linear layer, :math:`L = -\log(e^{W_y^T x + b_y} / \sum_j e^{W_j^T x + b_j})`.

    ``weight`` (C, D) and ``bias`` (C,) are learned: give ``loss.parameters()`` to the optimizer. Without ``bias`` all
    logits are 0 at the origin, so no class can settle there.
    """

    batch = 64  # a small batch gives many steps: the order of the classes takes many to settle
    FEW = 10  # with more classes their weights start shorter: each is moved less often, and short ones turn faster

    def __init__(self, num_classes: int = 10, embed_dim: int = 2, bias: bool = True) -> None:
        super().__init__()
        sizes = whole_number("num_classes", num_classes, 2, 1e9), whole_number("embed_dim", embed_dim, 1, 1e5)
        if bias not in (True, False):
            raise ValueError(f"bias must be True or False, not {bias!r}")
        self.weight = nn.Parameter(torch.randn(sizes, dtype=torch.float32) * min(1.0, self.FEW / sizes[0]))
        self.bias = nn.Parameter(torch.zeros(sizes[0], dtype=torch.float32)) if bias else None

    @torch.no_grad()
    def begin(self, means: Tensor) -> None:
        """Start the class weights at the classes' mean images (C, P), projected on their first D principal components.

        So similar classes start side by side. In a plane each class has two neighbours, and most of these stay so. Each
        component is scaled like the random weights that it replaces; dimensions beyond the components stay random.
        """
        classes, dim = self.weight.shape
        axes = torch.linalg.svd(means - means.mean(0), full_matrices=False).U[:, : min(dim, classes - 1)]
        self.weight[:, : axes.shape[1]] = axes * math.sqrt(classes) * min(1.0, self.FEW / classes)

    def loss(self, z: Tensor, y: Tensor) -> Tensor:
        classes, dim = self.weight.shape
        if z.shape[1] != dim:
            raise ValueError(f"embeddings must have {dim} dimensions, as the class weights do, not {z.shape[1]}")
        if int(y.min()) < 0 or int(y.max()) >= classes:
            raise ValueError(f"labels must lie between 0 and {classes - 1}, not {y.min()} and {y.max()}")
        return F.cross_entropy(self.logits(z, y), y)

    def logits(self, z: Tensor, y: Tensor) -> Tensor:
        return F.linear(z, self.weight.to(z.dtype), None if self.bias is None else self.bias.to(z.dtype))


class NormFace(Softmax):
    r"""Softmax over cosines, Wang, Xiang, Cheng and Yuille 2017: logits :math:`s\cos\theta_j`, no bias.

    ``scale``: s, from 0.001 to 10,000. With C classes evenly on a circle, the largest possible probability is that at
    a class centre, :math:`e^{s} / \sum_j e^{s\cos(2\pi j/C)}`.

    A training starts with the logits :math:`|x|\cos\theta_j`. Then s comes in, and with it a margin: between 75 and 95%
    of the training, or between 0 and 30% with more than ten classes in more than two dimensions. In 2-D, with the class
    weights fixed evenly on the circle, 15-NN after 120,000 images was 96.3%, and 94.9% with s = 16 from the first step.
    """

    RAMP, RAMP_OF_MANY = (0.75, 0.95), (0.0, 0.3)
    cosine = True

    def __init__(self, num_classes: int = 10, embed_dim: int = 2, scale: float = 16.0) -> None:
        super().__init__(num_classes, embed_dim, bias=False)
        self.scale, self.share = number("scale", scale, 1e-3, 1e4), 1.0

    def anneal(self, progress: float) -> None:
        classes, dim = self.weight.shape
        start, end = self.RAMP_OF_MANY if classes > self.FEW and dim > 2 else self.RAMP
        self.share = min(1.0, max(0.0, (progress - start) / (end - start)))

    def logits(self, z: Tensor, y: Tensor) -> Tensor:
        cos, true = cosine(z, self.weight.to(z.dtype)), y[:, None]
        return self.length(z) * cos.scatter(1, true, self.target(cos.gather(1, true)))

    def length(self, z: Tensor) -> Tensor | float:
        """The factor of the cosines: the scale. While it comes in: a weighted mean of it and the embedding length."""
        if self.share == 1:
            return self.scale
        return (1 - self.share) * z.norm(dim=1, keepdim=True) + self.share * self.scale

    def target(self, cos: Tensor) -> Tensor:
        """What replaces cos(theta) of the true class."""
        return cos


class CosFace(NormFace):
    r"""Large margin cosine loss, Wang et al. 2018, equation 4: :math:`\cos\theta_y - m`.

    ``margin``: m, a cosine, from 0 to 2.
    """

    MARGIN = (0.0, 2.0)

    def __init__(self, num_classes: int = 10, embed_dim: int = 2, margin: float = 0.1, scale: float = 16.0) -> None:
        super().__init__(num_classes, embed_dim, scale)
        self.margin = number("margin", margin, *self.MARGIN)

    @staticmethod
    def limit(classes: int) -> float:
        """The largest margin that classes evenly on a circle can satisfy: for ten, 1 - cos 36 deg = 0.19."""
        return 1 - math.cos(2 * math.pi / classes)

    def target(self, cos: Tensor) -> Tensor:
        return cos - self.share * self.margin


class ArcFace(CosFace):
    r"""Additive angular margin loss, Deng et al. 2019, equation 3: :math:`\cos(\theta_y + m)`.

    Beyond :math:`\theta + m = \pi`, where the cosine would rise again, the target is :math:`\cos\theta_y - m\sin m`,
    as in the authors' code. ``margin``: m, in radians, from 0 to pi.
    """

    MARGIN = (0.0, math.pi)

    def __init__(self, num_classes: int = 10, embed_dim: int = 2, margin: float = 0.1, scale: float = 16.0) -> None:
        super().__init__(num_classes, embed_dim, margin, scale)

    @staticmethod
    def limit(classes: int) -> float:
        """The largest margin that classes evenly on a circle can satisfy: for ten, 36 deg = 0.63."""
        return 2 * math.pi / classes

    def target(self, cos: Tensor) -> Tensor:
        m = self.share * self.margin
        sin = _root((1 - cos) * (1 + cos))  # at cos 1, common in 2-D, acos has no gradient
        return torch.where(cos > -math.cos(m), cos * math.cos(m) - sin * math.sin(m), cos - m * math.sin(m))


class SphereFace(NormFace):
    r"""Angular softmax, Liu et al. 2017, equation 7: logits :math:`|x|\cos\theta_j`, and for the true class

    .. math::
        & |x|\,\frac{\lambda\cos\theta_y + \psi(\theta_y)}{1+\lambda}, \\
        & \psi(\theta) = (-1)^k\cos(m\theta) - 2k \\
        & \text{for } \theta\in[k\pi/m, (k+1)\pi/m]

    ``margin``: m, a whole number from 1 to 10. Lambda falls as in the authors' code,
    :math:`\max(5, 1500/(1 + t/10))`; that curve is stretched to reach 5 in the middle of a training.
    """

    MARGIN = (1, 10)  # whole: psi is defined for no other
    LAMBDA = (1500.0, 5.0)  # at first, and at last

    def __init__(self, num_classes: int = 10, embed_dim: int = 2, margin: int = 4) -> None:
        super().__init__(num_classes, embed_dim)
        self.margin, self.lam = whole_number("margin", margin, *self.MARGIN), self.LAMBDA[1]

    def anneal(self, progress: float) -> None:
        first, last = self.LAMBDA
        self.lam = max(last, first / (1 + (first / last - 1) * min(1.0, progress / 0.5)))

    def length(self, z: Tensor) -> Tensor:
        return z.norm(dim=1, keepdim=True)

    def target(self, cos: Tensor) -> Tensor:
        return (self.lam * cos + self.psi(cos)) / (1 + self.lam)

    def psi(self, cos: Tensor) -> Tensor:
        before, cos_m = torch.ones_like(cos), cos  # cos(m theta) by Chebyshev's recurrence: acos has no gradient at 1
        for _ in range(self.margin - 1):
            before, cos_m = cos_m, 2 * cos * cos_m - before
        k = (self.margin * cos.detach().acos() / math.pi).floor().clamp(max=self.margin - 1)
        return (1 - 2 * (k % 2)) * cos_m - 2 * k


def _root(x: Tensor) -> Tensor:
    """The exact square root. Below 1e-6 its gradient is set to 0, because the true one grows without limit."""
    floored = x.clamp(min=1e-6).sqrt()
    return floored + (x.sqrt() - floored).detach()


def cosine(x: Tensor, weight: Tensor) -> Tensor:
    """cos(theta) (B, C) between embeddings (B, D) and class weights (C, D), within [-1, 1].

    A zero vector has no direction: its cosines are 0, and so are their gradients.
    """
    x = x * (x.norm(dim=1, keepdim=True) > 1e-6)
    return F.linear(F.normalize(x), F.normalize(weight)).clamp(-1, 1)
