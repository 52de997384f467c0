"""The reference backbone, and the networks of two and three branches from the literature, which wrap it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fslviz.errors import whole_number


def _block(channels_in: int, channels_out: int, stride: int) -> list[nn.Module]:
    conv = nn.Conv2d(channels_in, channels_out, 3, stride, padding=1, dtype=torch.float32)
    return [conv, nn.BatchNorm2d(channels_out, dtype=torch.float32), nn.LeakyReLU(0.1, inplace=True)]


class EmbeddingNet(nn.Module):
    """Images (B, 1, 28, 28) → embeddings (B, embed_dim): four 3x3 convolutions and one linear layer, in float32."""

    def __init__(self, embed_dim: int = 2) -> None:
        super().__init__()
        embed_dim = whole_number("embed_dim", embed_dim, 1, 1e5)
        self.features = nn.Sequential(*_block(1, 32, 1), *_block(32, 32, 2), *_block(32, 64, 1), *_block(64, 64, 2))
        self.linear = nn.Linear(64 * 7 * 7, embed_dim, dtype=torch.float32)

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim != 4 or x.shape[1:] != (1, 28, 28):
            raise ValueError(f"x must be images of shape (B, 1, 28, 28), not {tuple(x.shape)}")
        h = self.features(x).flatten(1)
        with torch.autocast(x.device.type, enabled=False):  # bfloat16 is too coarse for an embedding
            return self.linear(h.to(self.linear.weight.dtype))


class SiameseNet(nn.Module):
    """Two branches with shared weights (Bromley et al. 1993): two batches of images → two batches of embeddings."""

    def __init__(self, embedding_net: nn.Module) -> None:
        super().__init__()
        self.embedding_net = embedding_net

    def forward(self, x1: Tensor, x2: Tensor) -> tuple[Tensor, Tensor]:
        return self.embedding_net(x1), self.embedding_net(x2)

    def get_embedding(self, x: Tensor) -> Tensor:
        return self.embedding_net(x)


class TripletNet(nn.Module):
    """Three branches with shared weights (Hoffer and Ailon 2015): anchors, positives, negatives → their embeddings."""

    def __init__(self, embedding_net: nn.Module) -> None:
        super().__init__()
        self.embedding_net = embedding_net

    def forward(self, x1: Tensor, x2: Tensor, x3: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return self.embedding_net(x1), self.embedding_net(x2), self.embedding_net(x3)
