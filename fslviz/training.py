"""One training loop for every loss."""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import inspect
import json
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from fslviz import data as data_module
from fslviz import losses, margins, models
from fslviz.data import Data, cache_dir
from fslviz.errors import between, unknown

LOSSES: dict[str, type[losses.Loss]] = {
    "contrastive": losses.Contrastive,
    "triplet": losses.Triplet,
    "softmax": margins.Softmax,
    "normface": margins.NormFace,
    "sphereface": margins.SphereFace,
    "cosface": margins.CosFace,
    "arcface": margins.ArcFace,
}
PRESETS = {"quick": 180_000, "full": 720_000}  # images seen
FRAMES = 25  # places along a training at which the first TRAIL test images are embedded, for animation
TRAIL = 2000
QUIET = "TQDM_DISABLE" in os.environ  # which tqdm's notebook bar overlooks


@dataclass(frozen=True)
class Recipe:
    """All that defines a training. ``images`` are images seen, repeats counted; ``options`` go to the loss.

    ``start`` names the run whose network it goes on from, if any.
    """

    loss: str
    options: dict[str, float | str]
    data: str
    embed_dim: int
    images: int
    batch: int
    seed: int
    device: str
    start: str = ""


@dataclass(eq=False)
class Run:
    """A trained network and what is worth knowing of its training.

    ``seen``, ``losses``, ``accuracies`` (T,): images seen before each step, the loss there, and the share of the batch
    whose nearest neighbour within the batch is of its class. ``trail`` (25, 2000, D): the first test images embedded
    along the training, after ``trail_seen`` (25,) images. ``train_embeddings`` (N, D) and ``test_embeddings`` (M, D):
    all images embedded at its end. ``seconds``: the time of the steps, on ``recipe.device``.
    """

    recipe: Recipe
    model: models.EmbeddingNet
    loss: losses.Loss
    seen: np.ndarray
    losses: np.ndarray
    accuracies: np.ndarray
    trail_seen: np.ndarray
    trail: np.ndarray
    train_embeddings: np.ndarray
    train_labels: np.ndarray
    test_embeddings: np.ndarray
    test_labels: np.ndarray
    seconds: float

    @property
    def cosine(self) -> bool:
        """Whether the embeddings are compared by their angle alone."""
        return self.loss.cosine

    def embed(self, images: Tensor) -> np.ndarray:
        """Embeddings (N, D) of images (N, 1, 28, 28)."""
        return _embed(self.model, images)

    @property
    def gallery(self) -> tuple[np.ndarray, np.ndarray]:
        """The training embeddings as they are compared (of unit length where ``cosine``), and their labels."""
        return self.compared(self.train_embeddings), self.train_labels

    @property
    def probes(self) -> tuple[np.ndarray, np.ndarray]:
        """The test embeddings as they are compared, and their labels."""
        return self.compared(self.test_embeddings), self.test_labels

    def compared(self, embeddings: np.ndarray) -> np.ndarray:
        """Embeddings (N, D) as distances take them: of unit length where ``cosine``."""
        length = np.linalg.norm(embeddings, axis=1, keepdims=True).clip(1e-12) if self.cosine else 1.0
        return embeddings / length

    def save(self, path: str | Path) -> None:
        """Write the run to one file of plain arrays and JSON, whole or not at all."""
        arrays = {k: v for k, v in vars(self).items() if isinstance(v, np.ndarray)}
        arrays |= {f"model.{k}": v.numpy() for k, v in self.model.state_dict().items()}
        arrays |= {f"loss.{k}": v.numpy() for k, v in self.loss.state_dict().items()}
        header = json.dumps({"recipe": asdict(self.recipe), "seconds": self.seconds})
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=path.parent, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                np.savez(file, allow_pickle=False, header=np.array(header), **arrays)
            os.replace(part, path)
        except BaseException:
            os.unlink(part)
            raise

    @classmethod
    def load(cls, path: str | Path) -> Run:
        """Read a run that ``save`` wrote. Raises FileNotFoundError, or ValueError where the file is damaged."""
        try:
            with np.load(path, allow_pickle=False) as file:
                arrays = dict(file)
            header = json.loads(str(arrays.pop("header")))
            recipe = Recipe(**header["recipe"])
            parts: dict[str, dict[str, Tensor]] = {"model": {}, "loss": {}}
            for name in [n for n in arrays if "." in n]:
                part, key = name.split(".", 1)
                parts[part][key] = torch.from_numpy(arrays.pop(name))
            classes = len(parts["loss"].get("weight", []))
            model, loss = _networks(recipe, classes)
            model.load_state_dict(parts["model"])
            loss.load_state_dict(parts["loss"])
            return cls(recipe, model.eval(), loss, seconds=header["seconds"], **arrays)
        except FileNotFoundError:
            raise
        except Exception as error:
            raise ValueError(f"{path} is not a whole run that fslviz saved: {error}") from error


def train(
    loss: str,
    data: Data,
    *,
    preset: str | None = None,
    embed_dim: int = 2,
    images: int | None = None,
    batch: int | None = None,
    seed: int = 0,
    start: Run | None = None,
    device: str | None = None,
    cached: bool = True,
    watch: Callable[[float], object] | None = None,
    **options: float | str,
) -> Run:
    """Train the reference backbone on ``data`` with a loss of ``LOSSES``; ``options`` go to the loss (margin=.2).

    ``preset`` is "quick" (two CPU cores) or "full" (a GPU, or patience), by default what suits the device; ``images``
    overrides its number of images seen, ``batch`` the loss's own batch size. ``start`` is a run whose network is
    trained further instead of a new one. The same call on the same machine gives the same numbers, and finds the run
    in the cache folder unless ``cached`` is false. ``watch`` is told the share done (0 to 1) after every step, in place
    of the bar; what it raises ends the training, of which nothing is kept.

    Raises ValueError, naming the argument, for a name, a number or a shape that can't be.
    """
    device = device or ("cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu")
    preset = preset or ("quick" if device == "cpu" else "full")
    if loss not in LOSSES:
        unknown("loss", loss, LOSSES)
    if preset not in PRESETS:
        unknown("preset", preset, PRESETS)
    batch = LOSSES[loss].batch if batch is None else batch
    if not 2 <= batch <= len(data.train_labels):
        raise ValueError(f"batch must be from 2 to the {len(data.train_labels)} training images, not {batch}")
    recipe = Recipe(
        loss=loss,
        options=options,
        data=f"{data.name} {data.digest()}",
        embed_dim=embed_dim,
        images=int(between("images", PRESETS[preset] if images is None else images, batch, 1e9)),
        batch=batch,
        seed=seed,
        device=device,
        start=_key(start.recipe) if start else "",
    )
    if start and start.recipe.embed_dim != embed_dim:
        raise ValueError(f"start must have embed_dim {embed_dim}, not {start.recipe.embed_dim}")
    entry = cache_dir() / "runs" / f"{_key(recipe)}.npz"
    if cached and entry.exists():
        with contextlib.suppress(ValueError, FileNotFoundError):  # a damaged entry is trained anew
            return Run.load(entry)
    with torch.random.fork_rng(), torch.backends.cudnn.flags(enabled=True, deterministic=True):
        torch.manual_seed(seed)
        run = _train(recipe, data, start, watch)
    if cached:
        try:
            run.save(entry)
        except OSError as error:
            warnings.warn(f"the run could not be kept in {entry.parent}: {error}", stacklevel=2)
    return run


def _train(recipe: Recipe, data: Data, start: Run | None, watch: Callable[[float], object] | None) -> Run:
    _keep_memory()
    device = torch.device(recipe.device)
    x = data.train_images.to(device).contiguous(memory_format=torch.channels_last)
    known, y = data.train_labels.to(device).unique(return_inverse=True)  # a loss numbers its classes from 0
    model, loss = _networks(recipe, len(known))
    if start:
        model.load_state_dict(start.model.state_dict())
    model, loss = model.to(device), loss.to(device)
    # Muon for the network's weights as matrices, Adam for the rest: after one epoch in 2-D 3 to 6 points better
    flattened = [(w, nn.Parameter(_matrix(w.detach()))) for w in model.parameters() if w.ndim > 1]
    muon = torch.optim.Muon([matrix for _, matrix in flattened], weight_decay=0.0)
    adam = torch.optim.Adam([w for w in model.parameters() if w.ndim == 1], betas=(0.9, 0.99))
    optimizers = [(muon, 0.05), (adam, 1e-3)]
    if list(loss.parameters()):  # the class weights, which in 2-D have far to go
        optimizers.append((torch.optim.Adam(loss.parameters(), betas=(0.9, 0.99)), 2e-2))
    steps = recipe.images // recipe.batch
    frames = {round(steps * (i / (FRAMES - 1)) ** 1.5) for i in range(FRAMES)}  # closer where more happens
    batches = _batches(len(y), recipe.batch, device)
    history: list[Tensor] = []
    trail: list[np.ndarray] = []
    trail_seen: list[int] = []
    seconds = 0.0
    quiet = QUIET or watch is not None
    with tqdm(total=steps * recipe.batch, unit="image", unit_scale=True, desc=recipe.loss, disable=quiet) as bar:
        for step in range(steps + 1):
            if step in frames:
                trail.append(_embed(model, data.test_images[:TRAIL]).astype(np.float16))
                trail_seen.append(step * recipe.batch)
            if step == steps:
                break
            began = time.perf_counter()
            for optimizer, peak in optimizers:
                optimizer.param_groups[0]["lr"] = peak * _one_cycle(step / steps)
            loss.anneal(step / steps)
            picked = next(batches)
            with _autocast(device):
                embeddings = model.train()(_shift(x[picked]))
            value = loss(embeddings, y[picked])
            value.backward()
            for weight, matrix in flattened:
                matrix.grad = _matrix(weight.grad)  # type: ignore[arg-type]
            for optimizer, _ in optimizers:
                optimizer.step()
            model.zero_grad()
            loss.zero_grad()
            history.append(torch.stack([value.detach(), _neighbours_agree(embeddings.detach(), y[picked])]))
            seconds += time.perf_counter() - began
            bar.update(recipe.batch)
            if watch:
                watch((step + 1) / steps)
            if step % 20 == 19:  # the bar waits for the device: not at every step
                bar.set_postfix(loss=f"{value:.3f}", accuracy=f"{history[-1][1]:.3f}")
    values = torch.stack(history).cpu().numpy()
    return Run(
        recipe=recipe,
        model=model.cpu().eval(),
        loss=loss.cpu().eval(),
        seen=np.arange(steps) * recipe.batch,
        losses=values[:, 0],
        accuracies=values[:, 1],
        trail_seen=np.array(trail_seen),
        trail=np.stack(trail),
        train_embeddings=_embed(model, data.train_images),
        train_labels=data.train_labels.numpy(),
        test_embeddings=_embed(model, data.test_images),
        test_labels=data.test_labels.numpy(),
        seconds=seconds,
    )


def _networks(recipe: Recipe, classes: int) -> tuple[models.EmbeddingNet, losses.Loss]:
    kind = LOSSES[recipe.loss]
    sizes = {"num_classes": classes, "embed_dim": recipe.embed_dim} if issubclass(kind, margins.Softmax) else {}
    taken = [p for p in inspect.signature(kind).parameters if p not in ("num_classes", "embed_dim")]
    for option in recipe.options:
        if option not in taken:
            unknown(f"option of {recipe.loss}", option, taken)
    model = models.EmbeddingNet(recipe.embed_dim).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return model, kind(**sizes, **recipe.options)  # type: ignore[arg-type]


def _matrix(weight: Tensor) -> Tensor:
    """A weight as the matrix (outputs, inputs) that it is: a view, for convolutions that lie in channels_last."""
    return weight.permute(0, 2, 3, 1).flatten(1) if weight.ndim == 4 else weight


def _one_cycle(progress: float) -> float:
    """The share of the peak learning rate: up over the first quarter, down to 0 at the end (Smith 2018)."""
    return min(progress / 0.25, (1 - progress) / 0.75)


def _batches(total: int, size: int, device: torch.device) -> Iterator[Tensor]:
    """Random batches of indices, every image once an epoch."""
    while True:
        yield from torch.randperm(total, device=device)[: total - total % size].split(size)


def _shift(images: Tensor) -> Tensor:
    """Move a batch of images by at most a pixel each way: a mild augmentation."""
    dx, dy = torch.randint(-1, 2, (2,)).tolist()
    return images.roll((dx, dy), (-1, -2))  # MNIST's digits have 4 empty pixels at every side


def _neighbours_agree(embeddings: Tensor, labels: Tensor) -> Tensor:
    """The share of a batch (B, D), (B,) whose nearest neighbour within it has its label."""
    nearest = losses.pairwise_distance(embeddings).fill_diagonal_(torch.inf).argmin(1)
    return (labels[nearest] == labels).float().mean()


@torch.inference_mode()
def _embed(model: nn.Module, images: Tensor) -> np.ndarray:
    """Embeddings (N, D) in float32, in evaluation mode and with the training's precision."""
    device = next(model.parameters()).device
    model.eval()
    with _autocast(device):  # channels_last and parts that fit the cache: measured 5 times faster on two cores
        parts = [part.to(device).contiguous(memory_format=torch.channels_last) for part in images.split(250)]
        return torch.cat([model(part).float().cpu() for part in parts]).numpy()


def _autocast(device: torch.device) -> torch.autocast:
    """bfloat16 where the hardware has it (measured: 1.6 times faster on a CPU with AVX-512 BF16), else float32."""
    fast = torch.cuda.get_device_capability()[0] >= 8 if device.type == "cuda" else False
    if device.type == "cpu":
        fast = torch.cpu.get_capabilities().get("avx512_bf16", False)
    return torch.autocast(device.type, torch.bfloat16, enabled=fast)


@cache
def _keep_memory() -> None:
    """Have glibc keep freed memory: by default it gives each step's activations back and faults them in again."""
    with contextlib.suppress(OSError, AttributeError):  # no glibc, no need
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(-4, 0)  # M_MMAP_MAX: large blocks from the heap too
        libc.mallopt(-1, 2**31 - 1)  # M_TRIM_THRESHOLD: keep its top


def _key(recipe: Recipe) -> str:
    """A name for the recipe, with the code that gives it its meaning."""
    h = hashlib.sha256(json.dumps([asdict(recipe), torch.__version__], sort_keys=True).encode())
    for module in (data_module, models, losses, margins, sys.modules[__name__]):
        h.update(Path(str(module.__file__)).read_bytes())
    return f"{recipe.loss}-{h.hexdigest()[:16]}"
