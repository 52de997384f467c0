"""Time to accuracy on MNIST in 2-D: the article's way, pytorch-metric-learning, fslviz; and how a loss's cost grows.

The same backbone and the same data on the same machine, one contender after another, each in a process of its own.
The clock stops while the 15-nearest-neighbour test accuracy is measured. Writes results.json beside this file.
``python benchmarks/bench.py machine contenders`` measures these two parts alone; the others are ``PARTS``, too.
"""

import itertools
import json
import platform
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset
from torch.utils.flop_counter import FlopCounterMode

import fslviz
from fslviz import devices
from fslviz.files import whole_file
from fslviz.models import EmbeddingNet, SiameseNet, TripletNet
from fslviz.runs import embed, make_loss

RESULTS = Path(__file__).parent / "results.json"
LIMIT = 240.0  # seconds of training before a contender is stopped
TARGETS = (0.90, 0.95, 0.97, 0.98)


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
        return self.seconds < self.limit and accuracy < 0.97


def evaluate(net: EmbeddingNet, data: fslviz.Data) -> float:
    known, asked = (embed(net, x, "cpu", "float32") for x in (data.train_images, data.test_images))
    return fslviz.knn_accuracy((known, data.train_labels.numpy()), (asked, data.test_labels.numpy()))


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


def metric_learning_recipe(data: fslviz.Data) -> Clock:
    """pytorch-metric-learning's own recipe for MNIST."""
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


def metric_learning(data: fslviz.Data, loss: str, images: int, rate: float | None = None) -> Clock:
    """What a good engineer would write with it: all pairs or triplets of a batch of 128, Adam with one cycle."""
    from pytorch_metric_learning import distances, losses

    net, distance = EmbeddingNet(), distances.LpDistance(normalize_embeddings=False)
    loss_of = {"contrastive": losses.ContrastiveLoss, "triplet": losses.TripletMarginLoss}[loss](distance=distance)
    rate = rate or RATES[loss]
    optimizer, clock = torch.optim.Adam(net.parameters()), Clock(net, data, images - images % 128)
    steps = images // 128 + images // len(data.train_labels) + 1  # an epoch's last batch is smaller
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps)
    while True:
        for picked in torch.randperm(len(data.train_labels)).split(128):
            optimizer.zero_grad()
            loss_of(net(data.train_images[picked]), data.train_labels[picked]).backward()
            optimizer.step()
            cycle.step()
            clock.tick(len(picked))
            if clock.images >= images - images % 128:
                return clock


RATES = {"contrastive": 0.003, "triplet": 0.01}  # of 0.001, 0.003 and 0.01: ``bench.py rates`` on validation images


def ours(data: fslviz.Data, loss: str, images: int) -> Clock:
    """One whole training to a fixed number of images: with a one-cycle schedule the end is what counts."""
    run = fslviz.train(loss, data, images=images, device="cpu", cached=False)
    clock = Clock(run.model, data, 1)
    clock.seconds, clock.images = run.seconds, images
    clock.curve.append((run.seconds, images, fslviz.knn_accuracy(run.reference(), run.query())))
    print(f"  {run.seconds:5.0f} s {images:8,} images {clock.curve[-1][2]:.4f}", flush=True)
    return clock


CONTENDERS: dict[str, Callable[[fslviz.Data], Clock]] = {
    **{
        f"fslviz, {loss}, {images:,} images": lambda d, loss=loss, images=images: ours(d, loss, images)
        for loss, many in {
            "contrastive": (30_000, 40_000, 45_000, 60_000, 90_000, 120_000, 240_000),
            "triplet": (60_000,),
        }.items()
        for images in many
    },
    **{
        f"pytorch-metric-learning, {loss} over a batch, {images:,} images": lambda d, loss=loss, images=images: (
            metric_learning(d, loss, images)
        )
        for loss, many in {
            "contrastive": (40_000, 45_000, 60_000, 120_000, 240_000, 360_000, 480_000),
            "triplet": (45_000, 60_000),
        }.items()
        for images in many
    },
    "article, random pairs": lambda d: article(d, 2),
    "article, random triplets": lambda d: article(d, 3),
    "pytorch-metric-learning, its recipe": metric_learning_recipe,
}


def attainable(dtype: torch.dtype) -> float:
    """FLOP/s of a large matrix product: the best of five."""
    a, b, best = torch.randn(4096, 4096).to(dtype), torch.randn(4096, 4096).to(dtype), 0.0
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
    products = {name: attainable(dtype) for name, dtype in devices.DTYPES.items()}
    return {
        "processor": torch.cpu.get_capabilities().get("cpu_name", platform.processor()),
        "cores": torch.get_num_threads(),
        "precision": devices.precision("cpu"),
        "probe_seconds": devices.probe(devices.processor()),
        "product_flop_per_second": products,
        "attainable_flop_per_second": max(products.values()),
        "flop_per_image": flop_an_image(),
        "torch": torch.__version__.split("+")[0],
        "python": platform.python_version(),
    }


SIZES = {
    "batch": [64, 128, 256, 512, 1024, 2048, 4096],
    "dimensions": [2, 8, 32, 128, 512],
    "classes": [10, 100, 1000, 10_000],
}
GROWING = {  # the loss, and pytorch-metric-learning's same
    "contrastive": "ContrastiveLoss",
    "triplet": "TripletMarginLoss",
    "softmax": "",
    "normface": "NormalizedSoftmaxLoss",
    "sphereface": "SphereFaceLoss",
    "cosface": "CosFaceLoss",
    "arcface": "ArcFaceLoss",
}
PATIENCE, ROOM = 20.0, 12 * 2**30  # seconds of a step, and bytes of memory, after which a loss is not made larger


def forget_peak() -> int:
    """The memory held now, in KB, from which the peak is counted anew."""
    Path("/proc/self/clear_refs").write_text("5")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def grow(side: str, loss: str, axis: str) -> list[dict]:
    """Seconds and memory of a loss's value and gradient, ever larger along one axis until it is too much."""
    from pytorch_metric_learning import losses

    room = ROOM + 1024 * int(Path("/proc/self/status").read_text().split("VmSize:")[1].split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (room, room))
    rows, family = [], loss not in ("contrastive", "triplet")
    for size in SIZES[axis][:1] + SIZES[axis]:  # the first time, what the library sets up counts too
        sizes = {"batch": 128, "dimensions": 64 if axis == "classes" else 2, "classes": 10} | {axis: size}
        z = torch.randn(sizes["batch"], sizes["dimensions"])
        y = torch.arange(sizes["batch"]) % sizes["classes"]
        if side == "fslviz":
            module = make_loss(loss, {}, sizes["classes"], sizes["dimensions"])
        else:
            shape = {"num_classes": sizes["classes"], "embedding_size": sizes["dimensions"]} if family else {}
            module = getattr(losses, GROWING[loss])(**shape)
        before, best = forget_peak(), float("inf")
        until = time.perf_counter() + 0.5
        try:
            while best == float("inf") or time.perf_counter() < until:
                start = time.perf_counter()
                module(z.requires_grad_(), y).backward()
                best = min(best, time.perf_counter() - start)
        except (RuntimeError, MemoryError) as error:
            print(f"  {side} {loss}: out of memory at a {axis} of {size}: {str(error)[:60]}", flush=True)
            break
        peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 2**10
        rows.append({"side": side, "loss": loss, "axis": axis, "size": size, "seconds": best, "peak_mb": peak})
        if best > PATIENCE:
            break
    return rows[1:]


IDENTITIES = [1000, 10_000, 100_000, 1_000_000]
SIDES = ("fslviz", "faiss IndexFlat", "scikit-learn, brute", "matrix product")
PROBES, WIDTH = 10_000, 64


def identify(side: str, identities: int) -> list[dict]:
    """Seconds to enrol so many identities one by one, to identify 10,000 probes among them, to save and to load."""
    import faiss
    from sklearn.neighbors import NearestNeighbors

    rng = np.random.default_rng(0)
    known, probes = (rng.standard_normal((n, WIDTH), np.float32) for n in (identities, PROBES))
    place, gallery = RESULTS.with_suffix(".gallery"), fslviz.Gallery()
    index, neighbours = faiss.IndexFlatL2(WIDTH), NearestNeighbors(n_neighbors=1, algorithm="brute").fit(known)
    room = np.empty((PROBES, 1000), np.float32)

    def products() -> None:
        for i in range(0, identities, 1000):
            np.matmul(probes, known[i : i + 1000].T, out=room)

    deeds: dict[str, dict[str, Callable[[], object]]] = {
        "fslviz": {
            "enrol": lambda: [gallery.enrol(i, known[i : i + 1]) for i in range(identities)],
            "verify one claim": lambda: gallery.verify(0, probes[:1], 1.0),
            "identify 10,000": lambda: gallery.identify(probes),
            "identify one more": lambda: gallery.identify(probes[:1]),
            "save": lambda: gallery.save(place),
            "load": lambda: fslviz.Gallery.load(place),
        },
        "faiss IndexFlat": {
            "enrol": lambda: [index.add(known[i : i + 1]) for i in range(identities)],
            "identify 10,000": lambda: index.search(probes, 1),
            "identify one more": lambda: index.search(probes[:1], 1),
            "save": lambda: faiss.write_index(index, str(place)),
            "load": lambda: faiss.read_index(str(place)),
        },
        "scikit-learn, brute": {"identify 10,000": lambda: neighbours.kneighbors(probes)},
        "matrix product": {"identify 10,000": products},
    }
    rows = []
    for deed, do in deeds[side].items():
        before, start = forget_peak(), time.perf_counter()
        do()
        seconds = time.perf_counter() - start
        peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 2**10
        rows.append({"side": side, "deed": deed, "identities": identities, "seconds": seconds, "peak_mb": peak})
    place.unlink(missing_ok=True)
    return rows


def in_its_own_process(*arguments: str) -> object:
    part = RESULTS.with_suffix(".part")
    subprocess.run([sys.executable, __file__, *arguments, str(part)], check=True)
    found = json.loads(part.read_text())
    part.unlink()
    return found


def galleries() -> list[dict]:
    found = []
    for identities, side in itertools.product(IDENTITIES, SIDES):
        rows = in_its_own_process("identify", side, f"{identities}")
        print(side, identities, *(f"{row['deed']} {row['seconds']:.3g} s" for row in rows), sep="; ", flush=True)
        found += rows
    return found


def contenders() -> list[dict]:
    found = []
    for name in CONTENDERS:
        print(name, flush=True)
        found.append(in_its_own_process("contend", name))
    return found


def growth() -> list[dict]:
    found = []
    for loss, theirs in GROWING.items():
        for axis in SIZES:
            for side in ("fslviz", "pytorch-metric-learning") if theirs else ("fslviz",):
                if axis != "classes" or loss not in ("contrastive", "triplet"):
                    print(f"{side}, {loss}, {axis}", flush=True)
                    found += in_its_own_process("grow", side, loss, axis)
    return found


PARTS = {"machine": machine, "gallery": galleries, "contenders": contenders, "growth": growth}


def rates() -> None:
    """The rates of pytorch-metric-learning's losses, tried on validation images."""
    held = fslviz.load("mnist").validation()
    for loss in RATES:
        for rate in (1e-3, 3e-3, 1e-2):
            torch.manual_seed(0)
            print(loss, rate, metric_learning(held, loss, 60_000, rate).curve[-1], flush=True)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["rates"]:
            rates()
        case ["contend", name, path]:
            Path(path).write_text(json.dumps(contend(name)))
        case ["grow", *what, path]:
            Path(path).write_text(json.dumps(grow(*what)))
        case ["identify", side, identities, path]:
            Path(path).write_text(json.dumps(identify(side, int(identities))))
        case parts:
            results = json.loads(RESULTS.read_text()) if parts else {}
            for part in parts or PARTS:
                results[part] = PARTS[part]()
            with whole_file(RESULTS) as file:
                file.write(json.dumps(results, indent=1).encode())
