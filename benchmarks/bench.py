"""Time to accuracy on MNIST in 2-D: the article's way, pytorch-metric-learning's recipe, and fslviz.

The same backbone and the same data on the same machine, one contender after another, each in a process of its own.
The clock stops while the 15-nearest-neighbour test accuracy is measured. Writes results.json beside this file.
"""

import json
import platform
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset
from torch.utils.flop_counter import FlopCounterMode

import fslviz
from fslviz.models import EmbeddingNet, SiameseNet, TripletNet
from fslviz.training import _embed

RESULTS = Path(__file__).parent / "results.json"
LIMIT = 300.0  # seconds of training before a contender is stopped
TARGETS = (0.90, 0.95, 0.97)


class Clock:
    """Counts training time and images; measures the accuracy every so many images, off the clock."""

    def __init__(self, net: EmbeddingNet, data: fslviz.Data, every: int, limit: float = LIMIT) -> None:
        self.net, self.data, self.every, self.limit = net, data, every, limit
        self.seconds, self.images, self.curve = 0.0, 0, [(0.0, 0, 0.0)]
        self.start = time.perf_counter()

    def tick(self, images: int) -> bool:
        """Count a step's images; false when the training is to stop."""
        before, self.images = self.images, self.images + images
        if self.images // self.every == before // self.every:
            return True
        self.seconds += time.perf_counter() - self.start
        accuracy = evaluate(self.net, self.data)
        self.curve.append((self.seconds, self.images, accuracy))
        print(f"  {self.seconds:5.0f} s {self.images:8,} images {accuracy:.4f}", flush=True)
        self.net.train()
        self.start = time.perf_counter()
        return self.seconds < self.limit and accuracy < TARGETS[-1]


def evaluate(net: EmbeddingNet, data: fslviz.Data) -> float:
    gallery = _embed(net, data.train_images), data.train_labels.numpy()
    return fslviz.knn_accuracy(gallery, (_embed(net, data.test_images), data.test_labels.numpy()))


class Tuples(Dataset):
    """Random pairs (half of them genuine) or triplets, one image after another, as tutorials draw them."""

    def __init__(self, data: fslviz.Data, branches: int) -> None:
        self.images, self.labels, self.branches = data.train_images, data.train_labels.tolist(), branches
        self.of = [[i for i, y in enumerate(self.labels) if y == c] for c in range(10)]

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, i: int) -> tuple:
        same = random.choice(self.of[self.labels[i]])
        other = random.choice(self.of[random.choice([c for c in range(10) if c != self.labels[i]])])
        if self.branches == 3:
            return self.images[i], self.images[same], self.images[other]
        genuine = random.random() < 0.5
        return self.images[i], self.images[same if genuine else other], float(genuine)


def article(data: fslviz.Data, branches: int) -> Clock:
    net = EmbeddingNet()
    branched = SiameseNet(net) if branches == 2 else TripletNet(net)
    optimizer, clock = torch.optim.Adam(net.parameters(), 1e-3), Clock(net, data, 30_000)
    while True:
        for parts in DataLoader(Tuples(data, branches), batch_size=128, shuffle=True):
            if branches == 2:
                z1, z2 = branched(parts[0], parts[1])
                d, genuine = F.pairwise_distance(z1, z2), parts[2].float()
                loss = (genuine * d.square() + (1 - genuine) * (1 - d).relu().square()).mean() / 2
            else:
                za, zp, zn = branched(*parts)
                loss = ((za - zp).square().sum(1) - (za - zn).square().sum(1) + 1).relu().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if not clock.tick(len(parts[0])):  # an anchor is what counts as an image seen
                return clock


def metric_learning(data: fslviz.Data) -> Clock:
    from pytorch_metric_learning import distances, losses, miners, reducers

    net = EmbeddingNet()
    distance = distances.CosineSimilarity()
    loss_of = losses.TripletMarginLoss(margin=0.2, distance=distance, reducer=reducers.ThresholdReducer(low=0))
    mine = miners.TripletMarginMiner(margin=0.2, distance=distance, type_of_triplets="semihard")
    optimizer, clock = torch.optim.Adam(net.parameters(), lr=0.01), Clock(net, data, 30_000, limit=120.0)
    loader = DataLoader(TensorDataset(data.train_images, data.train_labels), batch_size=256, shuffle=True)
    while True:
        for x, y in loader:
            optimizer.zero_grad()
            z = net(x)
            loss_of(z, y, mine(z, y)).backward()
            optimizer.step()
            if not clock.tick(len(y)):
                return clock


def ours(data: fslviz.Data, loss: str, images: int) -> Clock:
    """One whole training to a fixed number of images: with a one-cycle schedule the end is what counts."""
    run = fslviz.train(loss, data, images=images, device="cpu", cached=False)
    clock = Clock(run.model, data, 1)
    clock.seconds, clock.images = run.seconds, images
    clock.curve.append((run.seconds, images, fslviz.knn_accuracy(run.gallery, run.probes)))
    print(f"  {run.seconds:5.0f} s {images:8,} images {clock.curve[-1][2]:.4f}", flush=True)
    return clock


CONTENDERS: dict[str, Callable[[fslviz.Data], Clock]] = {
    "fslviz, contrastive, 48,000 images": lambda d: ours(d, "contrastive", 48_000),
    "fslviz, contrastive, 60,000 images": lambda d: ours(d, "contrastive", 60_000),
    "fslviz, contrastive, 90,000 images": lambda d: ours(d, "contrastive", 90_000),
    "fslviz, contrastive, 180,000 images": lambda d: ours(d, "contrastive", 180_000),
    "fslviz, triplet, 60,000 images": lambda d: ours(d, "triplet", 60_000),
    "fslviz, triplet, 180,000 images": lambda d: ours(d, "triplet", 180_000),
    "article, random pairs": lambda d: article(d, 2),
    "article, random triplets": lambda d: article(d, 3),
    "pytorch-metric-learning, semi-hard": metric_learning,
}


def attainable() -> float:
    """FLOP/s of a large float32 matrix product: the best of five."""
    a, b, best = torch.randn(4096, 4096), torch.randn(4096, 4096), 0.0
    for _ in range(5):
        start = time.perf_counter()
        a @ b
        best = max(best, 2 * 4096**3 / (time.perf_counter() - start))
    return best


def flop_an_image() -> float:
    """Of one training step: forward and backward."""
    with FlopCounterMode(display=False) as counter:
        EmbeddingNet()(torch.randn(64, 1, 28, 28)).sum().backward()
    return counter.get_total_flops() / 64


def contend(name: str) -> dict:
    torch.manual_seed(0)
    random.seed(0)
    clock = CONTENDERS[name](fslviz.load("mnist"))
    branches = 3 if "triplets" in name else 2 if "pairs" in name else 1
    reached = {f"{t:.0%}": next((s for s, _, a in clock.curve if a >= t), None) for t in TARGETS}
    return {
        "name": name,
        "images_per_second": clock.images / clock.seconds,
        "seconds_to": reached,
        "seconds": clock.seconds,
        "accuracy": clock.curve[-1][2],
        "peak_memory_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        "flop_per_second": branches * flop_an_image() * clock.images / clock.seconds,
        "curve": clock.curve,
    }


def machine() -> dict:
    cpu = torch.cpu.get_capabilities()
    return {
        "processor": cpu.get("cpu_name", platform.processor()),
        "cores": torch.get_num_threads(),
        "bfloat16": cpu.get("avx512_bf16", False),
        "attainable_flop_per_second": attainable(),
        "flop_per_image": flop_an_image(),
        "torch": torch.__version__.split("+")[0],
        "python": platform.python_version(),
    }


if __name__ == "__main__":
    if len(sys.argv) > 1:
        Path(sys.argv[2]).write_text(json.dumps(contend(sys.argv[1])))
    else:
        results = {"machine": machine(), "contenders": []}
        part = RESULTS.with_suffix(".part")
        for contender in CONTENDERS:
            print(contender, flush=True)
            subprocess.run([sys.executable, __file__, contender, str(part)], check=True)
            results["contenders"].append(json.loads(part.read_text()))
        part.write_text(json.dumps(results, indent=1))
        part.rename(RESULTS)
