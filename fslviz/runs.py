"""A recipe holds the settings of a training. A run is its result: it embeds images, and is saved to one file."""

from __future__ import annotations

import copy
import inspect
import json
import zlib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from fslviz import devices, losses, margins, models, sources
from fslviz.data import Data, Standard
from fslviz.errors import unknown, whole_number
from fslviz.files import user_path, whole_file

LOSSES: dict[str, type[losses.Loss]] = {
    "contrastive": losses.Contrastive,
    "triplet": losses.Triplet,
    "softmax": margins.Softmax,
    "normface": margins.NormFace,
    "sphereface": margins.SphereFace,
    "cosface": margins.CosFace,
    "arcface": margins.ArcFace,
}
HERE = Path(__file__).parent
TRAINING = ("fslviz.models", "fslviz.training", "fslviz.devices")  # a change of their code changes every key
CHUNK = 250  # images embedded at once: parts that fit a processor's cache are several times faster


@dataclass(frozen=True)
class Recipe:
    """All settings of a training. ``images``: how many are seen, repeats included; ``options`` go to the loss.

    ``precision``: of the convolutions. ``start``: the key of the run whose network is trained further, or "". ``own``:
    the loss or the network is the caller's own; a recipe can't describe it, so such a run is not saved. ``classes``:
    how many a batch has, or None if any. ``rate`` multiplies the learning rates.
    """

    loss: str
    options: dict[str, float | str]
    data: str
    embed_dim: int
    images: int
    batch: int
    seed: int
    device: str
    precision: str
    start: str = ""
    own: bool = False
    classes: int | None = None
    rate: float = 1.0

    @property
    def key(self) -> str:
        """A name for the recipe and for the code that it runs. Comments and docstrings do not change it.

        Only the code of its own loss counts, with its base classes and the functions that they use.
        """
        code = sources.read(HERE)
        losses = {kind.__module__: code[kind.__module__] for kind in LOSSES.values() if kind.__module__ in code}
        own = [f"{kind.__module__}.{kind.__name__}" for name, kind in LOSSES.items() if name == self.loss]
        reached = sources.reached(losses, [*own, "fslviz.losses.pairwise_distance"])  # which a training measures with
        loss = [definition.tree for definitions in reached.values() for definition in definitions]
        meaning = sources.checksum(*loss, *(sources.meaning(code[module]) for module in TRAINING))
        text = json.dumps([asdict(self), torch.__version__, meaning], sort_keys=True)
        return f"{self.loss}-{sources.checksum(text)[:16]}"


@dataclass(eq=False)
class Run:
    """A trained network and the history of its training. It embeds images on demand.

    ``seen`` (T,): images seen before each step. ``losses`` (T,): the loss at each step. ``accuracies`` (T,): the share
    of each batch whose nearest neighbour in the batch is of the same class. ``moments`` (25,): images seen at 25 times
    of the training, closer together at its start. ``weights``: the network's weights at those times, (25, ...) each.
    ``seconds``: the time of all steps, on ``recipe.device``. ``data``: the images of training and test. ``standard``:
    how pixels became these images.
    """

    recipe: Recipe
    model: nn.Module
    loss: nn.Module
    seen: np.ndarray
    losses: np.ndarray
    accuracies: np.ndarray
    moments: np.ndarray
    weights: dict[str, Tensor]
    seconds: float
    data: Data | None = None
    standard: Standard = Standard()
    _known: dict[str, tuple[int, np.ndarray]] = field(default_factory=dict, repr=False)

    def __repr__(self) -> str:
        """A line: the loss, its margin and other options, the data, the images seen and the dimensions."""
        r, margin = self.recipe, {"margin": self.loss.margin} if hasattr(self.loss, "margin") else {}
        loss = ", ".join([r.loss, *(f"{name} {value}" for name, value in (margin | r.options).items())])
        return f"Run of {loss}, on {r.data.rsplit(' ', 1)[0]}: {r.images:,} images seen, {r.embed_dim}-D"

    @property
    def cosine(self) -> bool:
        """Whether the embeddings are compared by their angle alone."""
        return getattr(self.loss, "cosine", False)

    @devices.isolated()
    def embed(self, images: Tensor | np.ndarray) -> np.ndarray:
        """Embeddings (N, D) of images (N, C, H, W), or of one (C, H, W) as (1, D), of any number type.

        Numbers of 8 bits are pixels, (N, H, W) or (N, 1, H, W), and are standardised as the training's were.

        Raises ValueError for another type or shape, and for images that are not finite.
        """
        images = self._images(images)
        device = self.recipe.device if _available(self.recipe.device) else "cpu"
        same = device == self.recipe.device
        return embed(self.model, images, device, self.recipe.precision if same else devices.precision(device))

    def _images(self, images: Any) -> Tensor:
        if not isinstance(images, Tensor) and (images := np.asarray(images)).dtype.kind not in "buif":
            raise ValueError(f"images must be numbers, not {images.dtype}")
        given = images if isinstance(images, Tensor) else torch.tensor(images)
        x = given[None] if given.ndim == (2 if given.dtype == torch.uint8 else 3) else given
        if x.dtype == torch.uint8 and x.numel() and x.ndim in (3, 4):
            x = self.standard(x.squeeze(1))
        if x.ndim != 4 or x.dtype.is_complex:
            raise ValueError(f"images must be (N, C, H, W), not {tuple(given.shape)} of {given.dtype}")
        if not x.isfinite().all():
            raise ValueError("images must be finite: there are NaN or infinite pixels among them")
        return x.float()

    def trail(self, images: Tensor, every: int = 1) -> np.ndarray:
        """Embeddings (25, N, D) of images (N, 1, 28, 28) by the network at all ``moments``, or at each ``every``-th."""
        then = copy.copy(self)
        then.model = copy.deepcopy(self.model)
        places = []
        for i in range(0, len(self.moments), every):
            then.model.load_state_dict({name: moments[i] for name, moments in self.weights.items()})
            places.append(then.embed(images))
        return np.stack(places)

    def compared(self, embeddings: np.ndarray) -> np.ndarray:
        """Embeddings (N, D) as they are compared: scaled to unit length if ``cosine``."""
        z = np.asarray(embeddings)
        z = z.astype(np.promote_types(z.dtype, np.float32))  # a copy; in half precision squares overflow
        return z / np.linalg.norm(z, axis=1, keepdims=True).clip(1e-12) if self.cosine else z

    def reference(self, count: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Embeddings (N, D) of the training images, ``compared``, and labels (N,). ``count`` as in ``places``."""
        places, labels = self._places("train", count)
        return self.compared(places), labels

    def query(self, count: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Embeddings (M, D) of the test images, ``compared``, and labels (M,). ``count`` as in ``places``."""
        places, labels = self.places(count)
        return self.compared(places), labels

    def places(self, count: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Embeddings (M, D) of the test images, not scaled to unit length, and their labels (M,).

        By default all, in the order of the data. ``count`` gives so many drawn at random, the same on each call and in
        every run; a smaller count gives the first ones of a larger. Both arrays are the caller's to change.
        """
        return self._places("test", count)

    def _places(self, part: str, count: int | None) -> tuple[np.ndarray, np.ndarray]:
        if self.data is None:
            raise ValueError("this run was loaded without its data: Run.load(path, data)")
        images, labels = getattr(self.data, f"{part}_images"), getattr(self.data, f"{part}_labels").numpy()
        count = len(labels) if count is None else min(whole_number("count", count, 1, 1e9), len(labels))
        order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(0), device="cpu")
        state = _checksum(images, *self.model.parameters(), *self.model.buffers())
        before, known = self._known.get(part, (state, np.empty((0, self.recipe.embed_dim), np.float32)))
        if before != state:  # other images, or another network, than those that were embedded
            known = known[:0]
        if count > len(known):  # in whole chunks: an embedding must not depend on how many are asked for
            more = images[order[len(known) : -(-count // CHUNK) * CHUNK]]
            known = np.concatenate([known, self.embed(more)])
            self._known[part] = state, known
        if count == len(labels):
            return known[order.argsort().numpy()], labels.copy()
        return known[:count].copy(), labels[order[:count].numpy()]

    def save(self, path: str | Path) -> None:
        """Write the run to one file of plain arrays and JSON, completely or not at all.

        Raises ValueError for a run with a loss or a network of the caller's own.
        """
        if self.recipe.own:
            raise ValueError("a run with a loss or network of your own can't be saved: save its state_dict() instead")
        arrays = {name: getattr(self, name) for name in ("seen", "losses", "accuracies", "moments")}
        arrays |= {f"model.{k}": v.numpy() for k, v in self.model.state_dict().items()}
        arrays |= {f"loss.{k}": v.numpy() for k, v in self.loss.state_dict().items()}
        arrays |= {f"weights.{k}": v.numpy() for k, v in self.weights.items()}
        header = json.dumps(
            {
                "recipe": asdict(self.recipe),
                "seconds": self.seconds,
                "standard": asdict(self.standard),
            }
        )
        with whole_file(user_path(path)) as file:
            np.savez(file, header=np.array(header), **arrays)  # without allow_pickle, which NumPy knows from 2.2 on

    @classmethod
    @devices.isolated()
    def load(cls, path: str | Path, data: Data | None = None) -> Run:
        """Read a run that ``save`` wrote, and give it its data back.

        Raises FileNotFoundError, or ValueError where the file is damaged or ``data`` is not what it was trained on.
        """
        try:
            with np.load(user_path(path), allow_pickle=False) as file:
                arrays = dict(file)
            header = json.loads(str(arrays.pop("header")))
            recipe = Recipe(**header["recipe"])
            parts: dict[str, dict[str, Tensor]] = {"model": {}, "loss": {}, "weights": {}}
            for name in [n for n in arrays if "." in n]:
                part, key = name.split(".", 1)
                parts[part][key] = torch.from_numpy(arrays.pop(name))
            model = in_layout(models.EmbeddingNet(recipe.embed_dim))
            loss = make_loss(recipe.loss, recipe.options, len(parts["loss"].get("weight", [])), recipe.embed_dim)
            model.load_state_dict(parts["model"])
            loss.load_state_dict(parts["loss"])
            run = cls(recipe, model.eval(), loss.eval(), weights=parts["weights"], seconds=header["seconds"], **arrays)
            run.standard = data.standard if data else Standard(**header["standard"])
        except FileNotFoundError:
            raise
        except Exception as error:
            raise ValueError(f"{path} is not a whole run that fslviz saved: {error}") from error
        if data and recipe.data != data.identity():
            raise ValueError(f"{path} was trained on {recipe.data}, not on {data.identity()}")
        run.data = data
        return run


def make_loss(name: str, options: dict[str, float | str], classes: int, embed_dim: int) -> losses.Loss:
    """The loss ``name`` with its ``options``. If it has class weights, they are for so many ``classes``."""
    kind = LOSSES[name]
    sizes = {"num_classes": classes, "embed_dim": embed_dim} if issubclass(kind, margins.Softmax) else {}
    taken = [p for p in inspect.signature(kind).parameters if p not in ("num_classes", "embed_dim")]
    for option in options:
        if option not in taken:
            unknown(f"option of {name}", option, taken)
    return kind(**sizes, **options)  # type: ignore[arg-type]


def in_layout(x: Any) -> Any:
    """A network or images (N, C, H, W) in channels-last memory format, in which convolutions on a CPU are faster."""
    if isinstance(x, nn.Module):
        return x.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return x.contiguous(memory_format=torch.channels_last) if x.ndim == 4 else x


@torch.inference_mode()
def embed(model: nn.Module, images: Tensor, device: str, precision: str) -> np.ndarray:
    """Embeddings (N, D) of images (N, C, H, W), in float32 and in evaluation mode."""
    model = model.to(device).eval()
    with devices.autocast(device, precision):
        parts = [in_layout(part.to(device)) for part in images.split(CHUNK)]
        embeddings = torch.cat([model(part).float().cpu() for part in parts]).numpy()
    model.cpu()
    return embeddings


def _checksum(*tensors: Tensor) -> int:
    """A checksum (CRC-32) of tensors: it differs once an image or a weight has changed."""
    state = 0
    for x in tensors:
        state = zlib.crc32(x.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data, state)
    return state


def _available(device: str) -> bool:
    kind = torch.device(device).type
    return kind == "cpu" or getattr(torch, kind).is_available()
