"""The explorer's data: every loss trained over its margins, in one packed file with a manifest.

``python -m fslviz.explorer.pack`` trains what the cache lacks, so that an interrupted sweep goes on where it stopped,
and writes ``pack.bin`` and ``manifest.json``. The networks are packed with weights of 8 bits; every place and every
figure of merit in the pack is that of the packed network.
"""

from __future__ import annotations

import inspect
import json
import os
import zlib
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.linalg import orthogonal_procrustes
from scipy.spatial.distance import cdist
from torch import Tensor

from fslviz.data import Data, load
from fslviz.errors import unknown
from fslviz.evaluation import knn_accuracy, merits
from fslviz.explorer import lab
from fslviz.files import whole_file
from fslviz.margins import Softmax
from fslviz.models import EmbeddingNet
from fslviz.pictures import MEAN, STD
from fslviz.plots import COLOURS
from fslviz.runs import LOSSES, Run
from fslviz.training import train

HERE = Path(__file__).parent
VERSION = 1
MARGINS: dict[str, list[float]] = {
    "contrastive": [0.0, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0],
    "triplet": [0.0, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0],
    "softmax": [],
    "normface": [],
    "sphereface": [1, 2, 3, 4, 5, 6, 7, 8, 9],
    "cosface": [0.0, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8, 1.2],
    "arcface": [0.0, 0.1, 0.2, 0.4, 0.5, 0.6, 0.8, 1.2, 1.6],
}
SUFFIX = "-six"  # of a loss whose network was learned from six digits
SIX = {loss + SUFFIX: loss for loss in ("contrastive", "triplet", "softmax", "arcface")}
UNSEEN = (0, 4, 5, 8)  # not among those six
DEFAULT = {loss: inspect.signature(LOSSES[loss]).parameters["margin"].default for loss in MARGINS if MARGINS[loss]}
SHOWN, KNOWN, TRAIL = 5000, 2000, 1000  # the first test images, training images, and test images along a training
IMAGES = 180_000  # seen by each network: three epochs, for these are the spaces that most readers meet
NOT_SENT = ("batch", "seconds", "unpacked 15-NN")  # entries of a space that a page is not sent
BINARY = {"manifest.json": "pack.bin", "alphabet.json": "alphabet.bin"}
EVERY = 2  # of a run's moments: every second
GRAIN, COARSE = 2000, 300  # units from the middle of a space to its rim: for its points, and for those of a training


def sweep() -> None:
    """Train every loss over its margins and write both files."""
    data, pack = load("mnist"), _Pack()
    labels = data.test_labels[:SHOWN], data.train_labels[:KNOWN]
    pack.add("labels", *(y.numpy().astype(np.uint8) for y in labels))
    pack.add("digits", _nibbles(data.test_images[:SHOWN]))
    pack.add("known", _nibbles(data.train_images[:KNOWN]))
    spaces: dict[str, dict[str, Any]] = {}
    reference = None
    for loss, default in {loss: DEFAULT.get(loss) for loss in MARGINS}.items():
        margins: list[Any] = MARGINS[loss] or [None]
        views: dict[int, np.ndarray] = {}
        start = margins.index(default)
        for i in [*range(start, -1, -1), *range(start + 1, len(margins))]:  # each aligned to the one before
            run = train(loss, data, images=IMAGES, **({} if margins[i] == default else {"margin": margins[i]}))
            name = loss if default is None else f"{loss}@{margins[i]:g}"
            beside = views.get(i + 1 if i < start else i - 1, reference)
            views[i], spaces[name] = _space(name, run, data, beside, pack)
            spaces[name]["margin"] = margins[i]
            print(name, spaces[name]["merits"], flush=True)
        reference = views[start] if reference is None else reference
    recipe = run.recipe
    six = data.classes(*(c for c in range(10) if c not in UNSEEN))
    for name, loss in SIX.items():
        _, entry = _space(name, train(loss, six, images=IMAGES), data, reference, pack)
        spaces[name] = entry | {
            "loss": name,
            "margin": DEFAULT.get(loss),
            "classes": six.train_labels.unique().tolist(),
        }
        print(name, entry["merits"], flush=True)
    add_lab(data, pack)
    order = [*MARGINS, *SIX]
    manifest = {
        "fslviz": version("fslviz"),
        "torch": torch.__version__,
        "device": torch.cuda.get_device_name()
        if recipe.device == "cuda"
        else f"{recipe.device}, {os.cpu_count()} cores",
        "data": recipe.data,
        "images": recipe.images,
        "precision": recipe.precision,
        "seed": recipe.seed,
        "shown": SHOWN,
        "known": KNOWN,
        "trail": TRAIL,
        "grain": GRAIN,
        "coarse": COARSE,
        "mean": MEAN,
        "std": STD,
        "colours": COLOURS,
        "default": DEFAULT,
        "spaces": dict(sorted(spaces.items(), key=lambda s: (order.index(s[1]["loss"]), s[1]["margin"]))),
    }
    pack.write("manifest.json", manifest)


def measure() -> None:
    """Take every figure of merit in the manifest anew from the packed networks, which stay as they are."""
    found, data = manifest(), load("mnist")
    for name, entry in found["spaces"].items():
        network = Network.read(name)
        known, shown = network.embed(data.train_images), network.embed(data.test_images)
        entry["merits"] = _merits(known, shown, data, entry["cosine"])
        print(name, entry["merits"], flush=True)
    _keep("manifest.json", found)


def _keep(name: str, manifest: dict[str, Any]) -> None:
    with whole_file(HERE / name) as file:
        file.write(json.dumps(manifest, separators=(",", ":")).encode())


def _merits(known: np.ndarray, shown: np.ndarray, data: Data, cosine: bool) -> dict[str, float]:
    """Merits of embedded training (N, 2) and test images (M, 2), not rounded: only the display rounds."""
    if cosine:
        known, shown = (z / np.linalg.norm(z, axis=1, keepdims=True).clip(1e-12) for z in (known, shown))
    return merits((known, data.train_labels.numpy()), (shown, data.test_labels.numpy()))


def add_lab(data: Data, pack: _Pack) -> None:
    """The parts that the lab fetches when it is started."""
    images, labels = lab.digits(data)
    pack.add("lab/digits", _nibbles(images), labels.numpy().astype(np.uint8))
    pack.add("lab/net", lab.start(data).model.flat())  # type: ignore[operator]


class _Pack:
    """Compressed parts end to end; ``index`` tells where each begins and how long it is."""

    def __init__(self) -> None:
        self.content: list[bytes] = []
        self.index: dict[str, list[int]] = {}

    def add(self, name: str, *arrays: np.ndarray) -> None:
        part = zlib.compress(b"".join(a.tobytes() for a in arrays), 9)
        self.index[name] = [sum(map(len, self.content)), len(part)]
        self.content.append(part)

    def write(self, name: str, manifest: dict[str, Any]) -> None:
        """The parts, and a manifest of this name that tells where each is."""
        with whole_file(HERE / BINARY[name]) as file:
            file.write(b"".join(self.content))
        _keep(name, manifest | {"version": VERSION, "parts": self.index})


def _space(
    name: str, run: Run, data: Data, beside: np.ndarray | None, pack: _Pack
) -> tuple[np.ndarray, dict[str, Any]]:
    """Pack one network. Gives its points (SHOWN, 2), in the view nearest to ``beside``, and its manifest entry."""
    network = Network.of(run.model)  # type: ignore[arg-type]  # the reference backbone, as no other was asked for
    known, shown = network.embed(data.train_images), network.embed(data.test_images)
    family = isinstance(run.loss, Softmax)  # whose origin means something
    view = _View.of(shown[:SHOWN], family, beside)
    places, labels = view(shown[:SHOWN]), data.test_labels.numpy()
    frames = [places[:TRAIL]]
    along: list[float] = []
    for moment in run.trail(data.test_images[:TRAIL], EVERY)[::-1].astype(np.float64):
        if along:
            frames.insert(0, _View.of(moment, family, frames[0])(moment))
        distance = cdist(*[run.compared(moment)] * 2) + np.diag([np.inf] * TRAIL)
        along.insert(0, round(float((labels[distance.argmin(1)] == labels[:TRAIL]).mean()), 3))
    pack.add(f"{name}/points", _planes(places * GRAIN))
    pack.add(f"{name}/trail", _planes(np.diff(np.round(np.array(frames) * COARSE), axis=0, prepend=0)))
    pack.add(f"{name}/net", network.floats, network.bytes)
    pack.add(f"{name}/known", _planes(view(known[:KNOWN]) * GRAIN))
    before = run.compared(run.embed(data.train_images)), run.compared(run.embed(data.test_images))
    unpacked = (before[0], data.train_labels.numpy()), (before[1], labels)  # all digits, whatever the run has met
    entry = {
        "loss": run.recipe.loss,
        "batch": run.recipe.batch,
        "seconds": round(run.seconds, 1),
        "cosine": run.cosine,
        "merits": _merits(known, shown, data, run.cosine),
        "unpacked 15-NN": knn_accuracy(*unpacked),
        "seen": run.moments[::EVERY].tolist(),
        "along": along,
        "radius": float(view.radius),
        "middle": view.middle.tolist(),
        "turn": view.turn.round(7).tolist(),
    }
    if isinstance(run.loss, Softmax):
        weight, bias = run.loss.weight.detach().numpy().astype(np.float64), run.loss.bias
        weight = weight / np.linalg.norm(weight, axis=1, keepdims=True) if run.cosine else weight * view.radius
        entry["weight"] = (weight @ view.turn).round(5).tolist()
        entry["bias"] = [0.0] * len(weight) if bias is None else bias.detach().numpy().round(5).tolist()
    return places, entry


@dataclass(frozen=True, eq=False)
class Network:
    """An ``EmbeddingNet`` for D dimensions in 8 bits: normalisation folded in, one scale per output channel.

    ``floats`` (384 + 2 D,): scales, then biases, of each layer in turn. ``bytes`` (64800 + 3136 D,): the weights, of
    convolutions in the order (y, x, in, out), of the linear layer in the order (out, y, x, in).
    """

    floats: np.ndarray
    bytes: np.ndarray

    CONVOLUTIONS = ((0, (32, 1)), (3, (32, 32)), (6, (64, 32)), (9, (64, 64)))  # place in features; out, in

    @classmethod
    @torch.no_grad()
    def of(cls, model: EmbeddingNet) -> Network:
        floats, weights = [], []
        for i, _ in cls.CONVOLUTIONS:
            conv, norm = _layer(model, i)
            gain = norm.weight / (norm.running_var + norm.eps).sqrt()
            scale, rounded = _eight_bits(conv.weight * gain[:, None, None, None])
            floats += [scale, norm.bias + (conv.bias - norm.running_mean) * gain]
            weights.append(rounded.permute(2, 3, 1, 0))
        scale, rounded = _eight_bits(model.linear.weight)
        floats += [scale, model.linear.bias]
        weights.append(rounded.unflatten(1, (64, 7, 7)).permute(0, 2, 3, 1))
        return cls(torch.cat(floats).numpy(), torch.cat([w.flatten() for w in weights]).to(torch.int8).numpy())

    @classmethod
    def read(cls, name: str) -> Network:
        """The network of a space, such as ``"cosface@0.1"``, or of the alphabet, such as ``"alphabet/1000"``."""
        content = part(name if name.startswith("alphabet/") else f"{name}/net")
        dims = (len(content) - 4 * 384 - 64_800) // (8 + 3136)
        head = 384 + 2 * dims
        return cls(np.frombuffer(content, np.float32, head), np.frombuffer(content, np.int8, offset=4 * head))

    @torch.no_grad()
    def network(self) -> EmbeddingNet:
        """The same network for PyTorch. Its batch normalisation changes nothing."""
        dims = (len(self.floats) - 384) // 2
        model = EmbeddingNet(dims).eval()
        floats, weights = torch.from_numpy(self.floats.copy()), torch.from_numpy(self.bytes.copy()).float()
        for i, (out, channels) in self.CONVOLUTIONS:
            conv, norm = _layer(model, i)
            (scale, bias, floats), (weight, weights) = (
                floats.split([out, out, len(floats) - 2 * out]),
                weights.split([9 * channels * out, len(weights) - 9 * channels * out]),
            )
            conv.weight.copy_(weight.view(3, 3, channels, out).permute(3, 2, 0, 1) * scale[:, None, None, None])
            conv.bias.copy_(bias)
            norm.running_var.fill_(1 - norm.eps)
        model.linear.weight.copy_(weights.view(dims, 7, 7, 64).permute(0, 3, 1, 2).flatten(1) * floats[:dims, None])
        model.linear.bias.copy_(floats[dims:])
        return model

    @torch.inference_mode()
    def embed(self, images: Tensor) -> np.ndarray:
        """Embeddings (N, D) of images (N, 1, 28, 28), in float32 as in the page."""
        model = self.network().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return torch.cat([model(x.contiguous(memory_format=torch.channels_last)) for x in images.split(250)]).numpy()


@dataclass(frozen=True, eq=False)
class _View:
    """How a space is shown: its middle, its radius and a turn (2, 2), which may include a reflection."""

    middle: np.ndarray
    radius: float
    turn: np.ndarray

    @classmethod
    def of(cls, z: np.ndarray, family: bool, beside: np.ndarray | None) -> _View:
        """The view in which z (N, 2) lies nearest to the points ``beside`` (N, 2) of the same images (Procrustes)."""
        middle = np.zeros(2) if family else z.mean(0).astype(np.float64)
        radius = max(float(np.quantile(np.linalg.norm(z - middle, axis=1), 0.98)), 1e-9)
        turn = np.eye(2) if beside is None else orthogonal_procrustes((z - middle) / radius, beside)[0]
        return cls(middle, radius, turn)

    def __call__(self, z: np.ndarray) -> np.ndarray:
        return (z - self.middle) / self.radius @ self.turn


def _layer(model: EmbeddingNet, i: int) -> tuple[Any, Any]:
    return model.features[i], model.features[i + 1]


def _eight_bits(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Scales (out,) and whole numbers from -127 to 127 of the weight's shape (out, ...)."""
    scale = weight.flatten(1).abs().amax(1) / 127
    return scale, (weight / scale.view(-1, *[1] * (weight.ndim - 1))).round()


def _planes(values: np.ndarray) -> np.ndarray:
    """Whole numbers of 16 bits, all low bytes first: they compress better so."""
    whole = np.clip(np.round(values), -32768, 32767).astype("<i2")
    return np.ascontiguousarray(whole.view(np.uint8).reshape(-1, 2).T)


def _nibbles(images: Tensor) -> np.ndarray:
    """Images (N, 1, 28, 28) in 16 greys, two pixels a byte."""
    grey = ((images * STD + MEAN) * 15).round().byte().numpy().reshape(-1, 2)
    return grey[:, 0] << 4 | grey[:, 1]


def manifest(file: str = "manifest.json") -> dict[str, Any]:
    """The manifest, or "alphabet.json". Raises RuntimeError if the pack is missing, damaged or of another version."""
    try:
        found = json.loads((HERE / file).read_bytes())
        whole = sum(length for _, length in found["parts"].values())
        size = (HERE / BINARY[file]).stat().st_size
    except (OSError, ValueError, KeyError) as error:
        raise RuntimeError(f"the explorer's pack is missing or damaged ({error}): run make sweep") from error
    if found["version"] != VERSION or whole != size:
        what = f"version {found['version']} with {size} bytes, not version {VERSION} with {whole}"
        raise RuntimeError(f"the explorer's pack is of {what}: run make sweep")
    return found


def packed(name: str) -> bytes:
    """One part of the pack as the front end takes it: compressed."""
    if name == "manifest":
        told = {name: value for name, value in manifest().items() if name != "parts"}  # a page asks for them by name
        told["spaces"] = {name: _sent(entry) for name, entry in told["spaces"].items()}
        told = json.loads(json.dumps(told), parse_float=lambda text: float(f"{float(text):.8g}"))  # half as long
        return zlib.compress(json.dumps(told, separators=(",", ":")).encode(), 9)
    if name == "lab":  # a script
        return zlib.compress((HERE / "lab.js").read_bytes(), 9)
    file = "alphabet.json" if name.startswith("alphabet/") else "manifest.json"
    found = manifest(file)
    if name == "alphabet/about":
        return zlib.compress(json.dumps(found["about"]).encode(), 9)
    if name not in found["parts"]:
        unknown("part", name, names())
    start, length = found["parts"][name]
    with (HERE / BINARY[file]).open("rb") as content:
        content.seek(start)
        return content.read(length)


def _sent(entry: dict[str, Any]) -> dict[str, Any]:
    """The entry of a space as a page gets it: only what the page shows."""
    merits = {name: entry["merits"][name] for name in ("15-NN", "EER")}
    return {name: value for name, value in entry.items() if name not in NOT_SENT} | {"merits": merits}


def names() -> list[str]:
    """The name of every part."""
    return ["manifest", "lab", "alphabet/about", *(name for file in BINARY for name in manifest(file)["parts"])]


def part(name: str) -> bytes:
    """One part of the pack, such as ``"cosface@0.1/points"``."""
    return zlib.decompress(packed(name))


if __name__ == "__main__":
    sweep()
