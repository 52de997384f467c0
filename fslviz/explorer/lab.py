"""What the lab in the page starts from: its digits, and a network of its shape that has learned already."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from fslviz import devices
from fslviz.data import Data
from fslviz.runs import Run
from fslviz.training import train

TRAIN, SHOWN = 5000, 2000  # digits it learns from, and test digits that are shown
WIDTHS = (16, 32)
LARGEST = 16.0  # largest margin on its slider, for a loss that allows larger ones
COLUMNS = 8  # of its last layer; two are used, because the page computes eight numbers at once
IMAGES = 2_400_000  # seen by the network that it starts from: 15-NN of 94.1 and 93.0% (two seeds) on validation digits,
# as after 900,000 (93.9, 94.1): the small network limits it, not the length of the training


class LabNet(nn.Module):
    """Images (B, 1, 28, 28) -> embeddings (B, 2): two 3x3 convolutions of stride 2 and one linear layer."""

    def __init__(self) -> None:
        super().__init__()
        first, second = WIDTHS
        self.features = nn.Sequential(
            nn.Conv2d(1, first, 3, 2, padding=1),
            nn.LeakyReLU(0.1),
            nn.Conv2d(first, second, 3, 2, padding=1),
            nn.LeakyReLU(0.1),
        )
        self.linear = nn.Linear(second * 7 * 7, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.features(x).flatten(1))

    @torch.no_grad()
    def flat(self) -> np.ndarray:
        """Weights, then biases, as the page has them: inputs in the order (y, x, channel), outputs in columns."""
        convolutions: list[Any] = [self.features[0], self.features[2]]
        weights = [conv.weight.permute(2, 3, 1, 0).flatten() for conv in convolutions]
        linear = self.linear.weight.unflatten(1, (WIDTHS[1], 7, 7)).permute(2, 3, 1, 0).reshape(-1, 2)
        weights.append(nn.functional.pad(linear, (0, COLUMNS - 2)).flatten())
        biases = [*(conv.bias for conv in convolutions), nn.functional.pad(self.linear.bias, (0, COLUMNS - 2))]
        return torch.cat([*weights, *biases]).float().numpy()


def digits(data: Data) -> tuple[Tensor, Tensor]:
    """Images (TRAIN + SHOWN, 1, 28, 28) and labels: the first of either set."""
    images = torch.cat([data.train_images[:TRAIN], data.test_images[:SHOWN]])
    return images, torch.cat([data.train_labels[:TRAIN], data.test_labels[:SHOWN]])


def start(data: Data) -> Run:
    """The network that the lab starts from: contrastive loss, on all training digits."""
    with devices.Random(0):
        network = LabNet()
    return train("contrastive", data, network=network, images=IMAGES)
