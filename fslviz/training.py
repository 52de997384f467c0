"""One training loop for every loss. In half a minute it classifies 97% of MNIST's test digits in 2-D.

On two cores of an AMD EPYC, 120,000 images (34 s) give 97.0 to 97.9% by 15 nearest neighbours with each of the seven
losses, a mean of three seeds each.

The constants below are the recipe. The comment beside each says what it is for and what it gained. All were chosen on
5,000 images held out of MNIST's training set. ``make bench`` compares its speed with usual ways to train; its accuracy
comes from ``python benchmarks/accuracy.py quick 2 0 1 2``.
"""

from __future__ import annotations

import contextlib
import copy
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from fslviz import devices, losses, margins, models
from fslviz.data import QUIET, Data
from fslviz.errors import number, python_number, unknown, whole_number
from fslviz.files import cache_dir, locked
from fslviz.runs import LOSSES, Recipe, Run, in_layout, make_loss

PRESETS = {"quick": 120_000, "full": 720_000}  # images seen
MUON = 0.025  # peak rate of Muon, for weights as matrices: after one epoch 3 to 6 points better than Adam alone
ADAM = 1e-3  # peak rate of Adam for biases and normalisation
HEAD = 2e-2  # peak rate of Adam for the class weights: with 1e-3, softmax in 2-D ends two points lower
BETAS = (0.9, 0.99)  # Adam's: a training is too short for the usual 0.999
RISE = 0.25  # the share of a training in which the rates rise; after it they fall to 0 (one cycle: Smith 2018)
SHIFT = 1  # pixels: an image is moved by at most so many each way, which gains 0.2 points
LARGE, PART = 512, 64  # a batch of more than LARGE images is embedded PART at a time: 4,096 then train within 2 GB
MOMENTS = 25  # times in a training at which the weights are kept, closer together at its start


def train(
    loss: str | nn.Module,
    data: Data,
    *,
    network: nn.Module | None = None,
    preset: str | None = None,
    embed_dim: int | None = None,
    images: int | None = None,
    batch: int | None = None,
    classes: int | None = None,
    rate: float = 1.0,
    seed: int = 0,
    start: Run | None = None,
    device: str | None = None,
    precision: str | None = None,
    cached: bool = True,
    watch: Callable[[float], object] | None = None,
    **options: float | str,
) -> Run:
    """Train a network on ``data`` with a loss of ``LOSSES``; ``options`` go to the loss (``margin=0.2``).

    ``loss`` may be a module of your own: it takes embeddings (B, D) and labels (B,), numbered from 0, and gives a
    scalar. ``network`` may be one, too: it takes images (B, C, H, W) and gives embeddings (B, D), in float32. Copies of
    both are trained. Class weights of your own loss start as they are; those of a named loss start at the classes' mean
    images (``Softmax.begin``). The default network is the reference backbone with ``embed_dim`` dimensions, by default
    two.

    ``preset`` is "quick" (two CPU cores) or "full" (a GPU, or patience); the default depends on the device. ``images``
    replaces its number of images seen. ``batch`` replaces the loss's own batch size, which is at most all images. With
    ``classes``, each batch has so many classes, drawn anew, with equally many images (Hermans, Beyer and Leibe 2017);
    without, it is drawn from all images. ``rate`` multiplies the learning rates. ``start`` is a run whose network is
    trained further, with a new optimizer. ``precision`` of the convolutions is "float32" or "bfloat16"; the default is
    "float32", or for the reference backbone the faster one. ``watch`` is called with the share done (0 to 1) after
    every step, and replaces the progress bar. If it raises an error, the training ends and no run is kept.

    The same call on the same machine with as many threads gives the same numbers. It neither reads nor changes the
    random state of the process. A run in the cache folder is not trained again unless ``cached`` is false. A loss or
    network of your own is trained on each call. Its forward pass may draw random numbers, except under
    ``torch.utils.checkpoint``, which repeats the pass in the backward pass.

    Raises ValueError, which names the argument, for an invalid name, number or shape, and if there is nothing to learn:
    all images are of one class, or no class has two.
    """
    device = devices.checked(device) if device else devices.best_device()
    preset = preset or ("quick" if torch.device(device).type == "cpu" else "full")
    if start is not None and network is not None:
        raise ValueError("give start or network, not both: start has a network of its own")
    _named(loss, options, preset, precision)
    counts = _learnable(data)  # (C,)
    batch, classes = _batch(loss, counts, batch, classes)
    images = whole_number("images", PRESETS[preset] if images is None else images, batch, 1e9)
    seed = whole_number("seed", seed, -(2**63), 2**63 - 1)
    options = {name: python_number(value) for name, value in options.items()}
    drawn = devices.Random(seed)
    with devices.isolated(), devices.deterministic(device):
        given = start.model if start is not None else network
        with drawn:
            model = (
                models.EmbeddingNet(2 if embed_dim is None else embed_dim) if given is None else copy.deepcopy(given)
            ).float()  # as the images are
            dimensions = _dimensions(model, data, embed_dim, "network" if start is None else "start")
            made = _made(loss, options, dimensions, len(counts))
        if isinstance(loss, str) and isinstance(made, margins.Softmax):
            made.begin(_means(data))
        recipe = Recipe(
            loss=_name(loss),
            options=options,
            data=data.identity(),
            embed_dim=dimensions,
            images=images,
            batch=batch,
            classes=classes,
            rate=number("rate", rate, 0, 1e3),
            seed=seed,
            device=device,
            precision=precision or (devices.precision(device) if isinstance(model, models.EmbeddingNet) else "float32"),
            start=start.recipe.key if start else "",
            own=not type(made).__module__.startswith("fslviz.")
            or network is not None
            or bool(start and start.recipe.own),
        )
        anew = partial(_train, recipe, data, model, made, watch, drawn)
        return anew() if recipe.own or not cached else _kept(recipe, data, anew)


def _named(loss: str | nn.Module, options: Mapping[str, object], preset: str, precision: str | None) -> None:
    """Raise ValueError for an unknown name, and for options beside a loss of the caller's own."""
    if isinstance(loss, str) and loss not in LOSSES:
        unknown("loss", loss, LOSSES)
    if not isinstance(loss, str) and options:
        raise ValueError(f"options go to a loss of LOSSES, not to {_name(loss)}: {', '.join(options)}")
    if preset not in PRESETS:
        unknown("preset", preset, PRESETS)
    if precision is not None and precision not in devices.DTYPES:
        unknown("precision", precision, devices.DTYPES)


def _batch(loss: str | nn.Module, counts: Tensor, batch: int | None, classes: int | None) -> tuple[int, int | None]:
    """The batch size, and the classes in a batch if fixed. ``counts`` (C,): how many images each class has."""
    every = int(counts.sum())
    if classes is not None:
        classes = whole_number("classes", classes, 2, len(counts))
    if batch is None:  # what suits the loss, or all that there is
        batch = max(2, min(getattr(LOSSES[loss] if isinstance(loss, str) else loss, "batch", 128), every))
        batch -= batch % (classes or 1)
    batch = whole_number("batch", batch, 2, every)
    if classes is not None:  # with one image of each there would be no genuine pair
        least = 2 if isinstance(loss, str) and not issubclass(LOSSES[loss], margins.Softmax) else 1
        most = int(counts.min())
        if batch % classes or not least * classes <= batch <= most * classes:
            raise ValueError(f"batch must be {least} to {most} images of each of {classes} classes, not {batch} in all")
    return batch, classes


def _kept(recipe: Recipe, data: Data, anew: Callable[[], Run]) -> Run:
    """The run from the cache folder. If it is not there, it is trained and saved there."""
    entry = cache_dir() / "runs" / f"{recipe.key}.npz"
    with locked(recipe.key):  # of two notebooks that ask for one run, one trains it and the other waits
        with contextlib.suppress(ValueError, FileNotFoundError):  # a damaged entry is trained anew
            return Run.load(entry, data)
        run = anew()
        try:
            run.save(entry)
        except OSError as error:
            warnings.warn(f"the run could not be kept in {entry.parent}: {error}", stacklevel=3)
        return run


def _train(
    recipe: Recipe,
    data: Data,
    model: nn.Module,
    loss: nn.Module,
    watch: Callable[[float], object] | None,
    drawn: devices.Random,
) -> Run:
    devices.keep_memory()
    x = in_layout(data.train_images.to(recipe.device))  # (N, C, H, W)
    y = data.train_labels.to(recipe.device).unique(return_inverse=True)[1]  # (N,): a loss numbers its classes from 0
    model, loss = in_layout(model).to(recipe.device), loss.to(recipe.device)
    optimizer, steps = _Optimizer(model, loss, recipe.rate), recipe.images // recipe.batch
    batches = _batches(y, recipe.batch, recipe.classes)
    record, shown = _Record(steps, recipe.batch), QUIET or watch is not None
    with tqdm(total=steps * recipe.batch, unit="image", unit_scale=True, desc=recipe.loss, disable=shown) as bar:
        for step in range(steps):
            record.moment(step, model.train())
            with record.clock():
                with drawn:
                    picked = next(batches)  # (B,)
                    batch = _shift(x[picked])  # (B, C, H, W)
                optimizer.rate(step / steps)
                getattr(loss, "anneal", lambda progress: None)(step / steps)
                value, z = _backward(model, loss, batch, y[picked], recipe, drawn)  # (), (B, D)
                optimizer.step()
                record.step(value, _neighbours_agree(z, y[picked]))
            bar.update(recipe.batch)
            if watch:
                watch((step + 1) / steps)
            if step % 20 == 19:  # the bar waits for the device: not at every step
                bar.set_postfix(loss=f"{record.values[-1][0]:.3f}", accuracy=f"{record.values[-1][1]:.3f}")
        record.moment(steps, model)
    return record.run(recipe, model.cpu().eval(), loss.cpu().eval(), data)


class _Optimizer:
    """Muon (Jordan 2024) for the network's weights as matrices, Adam for all else, under one cycle of the rates."""

    def __init__(self, model: nn.Module, loss: nn.Module, rate: float) -> None:
        weights = [w for w in model.parameters() if w.requires_grad]
        self.flattened = [(w, nn.Parameter(_matrix(w.detach()))) for w in weights if w.ndim > 1]
        muon = [matrix for _, matrix in self.flattened]
        adam, head = [w for w in weights if w.ndim < 2], list(loss.parameters())
        self.peaks = [
            *([(torch.optim.Muon(muon, weight_decay=0.0), rate * MUON)] if muon else []),
            *((torch.optim.Adam(x, betas=BETAS), rate * peak) for x, peak in ((adam, ADAM), (head, HEAD)) if x),
        ]

    def rate(self, progress: float) -> None:
        for optimizer, peak in self.peaks:
            optimizer.param_groups[0]["lr"] = peak * min(progress / RISE, (1 - progress) / (1 - RISE))

    def step(self) -> None:
        for weight, matrix in self.flattened:
            matrix.grad, weight.grad = None if weight.grad is None else _matrix(weight.grad), None
        for optimizer, _ in self.peaks:
            optimizer.step()
            optimizer.zero_grad()


class _Record:
    """What a run keeps of its training: the time of its steps, their loss and accuracy, the weights at moments."""

    def __init__(self, steps: int, batch: int) -> None:
        self.batch, self.seconds = batch, 0.0
        self.values: list[Tensor] = []  # (2,) each
        self.at = sorted({round(steps * (i / (MOMENTS - 1)) ** 1.5) for i in range(MOMENTS)})
        self.weights: dict[str, list[Tensor]] = {}

    @contextlib.contextmanager
    def clock(self) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.seconds += time.perf_counter() - began

    def step(self, value: Tensor, agree: Tensor) -> None:
        self.values.append(torch.stack([value.float(), agree]))

    def moment(self, step: int, model: nn.Module) -> None:
        if step in self.at:
            for name, weight in model.state_dict().items():
                self.weights.setdefault(name, []).append(weight.detach().to("cpu", copy=True))

    def run(self, recipe: Recipe, model: nn.Module, loss: nn.Module, data: Data) -> Run:
        values = torch.stack(self.values).cpu().numpy()  # (T, 2)
        return Run(
            recipe=recipe,
            model=model,
            loss=loss,
            seen=np.arange(len(values)) * self.batch,
            losses=values[:, 0],
            accuracies=values[:, 1],
            moments=np.array(self.at) * self.batch,
            weights={name: torch.stack(moments) for name, moments in self.weights.items()},
            seconds=self.seconds,
            data=data,
            standard=data.standard,
        )


def _name(loss: str | nn.Module) -> str:
    return loss if isinstance(loss, str) else type(loss).__name__


def _learnable(data: Data) -> Tensor:
    """How many training images each class has, (C,), or a ValueError where there is nothing to learn from them."""
    for part in ("train", "test"):
        images, labels = getattr(data, f"{part}_images"), getattr(data, f"{part}_labels")
        if labels.shape != images.shape[:1]:
            shape = tuple(labels.shape)
            raise ValueError(f"{part}_labels must be one for each of the {len(images)} images, not of shape {shape}")
    if not data.train_images.isfinite().all():
        raise ValueError("train_images must be finite: there are NaN or infinite pixels among them")
    counts = data.train_labels.unique(return_counts=True)[1]
    if len(counts) < 2 or counts.max() < 2:
        what = "all of one class" if len(counts) < 2 else "each of a class of its own"
        raise ValueError(f"there is nothing to learn: the {len(data.train_labels)} training images are {what}")
    return counts


def _means(data: Data) -> Tensor:
    """The mean training image of each class, (C, P)."""
    y = data.train_labels.unique(return_inverse=True)[1]
    sums = data.train_images.new_zeros(int(y.max()) + 1, data.train_images[0].numel())
    return sums.index_add_(0, y, data.train_images.flatten(1)) / y.bincount()[:, None]


def _dimensions(model: nn.Module, data: Data, embed_dim: int | None, argument: str) -> int:
    """The dimensions of the network's embeddings. Two images test the network; ValueError if it does not take them."""
    two = data.train_images[:2]
    try:
        with torch.no_grad():
            z = model.eval()(two)
    except Exception as error:
        raise ValueError(f"{_name(model)} does not take images of shape {tuple(two.shape)}: {error}") from error
    if not isinstance(z, Tensor) or z.ndim != 2 or len(z) != len(two) or not z.is_floating_point():
        shape = tuple(z.shape) if isinstance(z, Tensor) else type(z).__name__
        raise ValueError(f"{_name(model)} must give embeddings (B, D), of two images (2, D), not {shape}")
    if embed_dim not in (None, z.shape[1]):
        raise ValueError(f"{argument} must have embed_dim {embed_dim}, not {z.shape[1]}")
    if not any(w.requires_grad for w in model.parameters()):
        raise ValueError(f"{_name(model)} has no weight to train")
    return z.shape[1]


def _made(loss: str | nn.Module, options: dict[str, float | str], embed_dim: int, classes: int) -> nn.Module:
    """The loss by its name, or a copy of the caller's own. Two embeddings test that this one gives a scalar."""
    if isinstance(loss, str):
        return make_loss(loss, options, classes, embed_dim)
    tried, labels = copy.deepcopy(loss), torch.arange(2)
    z = torch.zeros(2, embed_dim, dtype=torch.float32, requires_grad=True)
    try:
        with devices.Random(0):
            value = tried(z, labels)
    except Exception as error:
        raise ValueError(f"{_name(loss)} does not take embeddings (2, {embed_dim}) and labels (2,): {error}") from error
    if not isinstance(value, Tensor) or value.ndim or not value.requires_grad:
        given = f"shape {tuple(value.shape)}" if isinstance(value, Tensor) and value.ndim else repr(value)
        raise ValueError(f"{_name(loss)} must give a scalar with a gradient, not {given}")
    return copy.deepcopy(loss).train()


def _backward(
    model: nn.Module, loss: nn.Module, images: Tensor, labels: Tensor, recipe: Recipe, drawn: devices.Random
) -> tuple[Tensor, Tensor]:
    """The loss () of a batch and its embeddings (B, D); the gradients are left in the weights.

    A large batch is embedded in parts, each with its own batch normalisation. For its gradient a part is embedded
    again, so the batch needs the memory of one part (gradient cache: Gao et al. 2021).
    """
    parts = images.split(PART if len(images) > LARGE else len(images))
    with drawn:
        seed = int(torch.randint(2**31, ())) if len(parts) > 1 else None
    random = recipe.own or recipe.options.get("mining") == "random"  # no others draw numbers, and Random costs 10%

    def embed(i: int) -> Tensor:
        chance = drawn if seed is None else devices.Random(seed + i)  # both passes draw the same numbers
        with chance if random else contextlib.nullcontext(), devices.autocast(recipe.device, recipe.precision):
            return model(parts[i])  # (P, D)

    with torch.set_grad_enabled(seed is None):
        z = torch.cat([embed(i) for i in range(len(parts))])
    if seed is not None:
        z.requires_grad_()
    with drawn if random else contextlib.nullcontext():
        value = loss(z, labels)
    value.backward()
    if seed is not None:
        for i, gradient in enumerate(z.grad.split(PART)):  # type: ignore[union-attr]
            embed(i).backward(gradient)
    return value.detach(), z.detach()


def _matrix(weight: Tensor) -> Tensor:
    """A weight as the matrix (outputs, inputs) that it is: a view, for convolutions that lie in channels_last."""
    return (weight.permute(0, 2, 3, 1) if weight.ndim == 4 else weight).flatten(1)


def _batches(labels: Tensor, size: int, classes: int | None) -> Iterator[Tensor]:
    """Random batches of indices (size,), of all images or of so many classes with equally many each."""
    if classes is None:
        yield from _drawn(torch.arange(len(labels), device=labels.device), size)
    members = labels.argsort(stable=True).split(labels.unique(return_counts=True)[1].tolist())
    decks = [_drawn(some, size // (classes or 1)) for some in members]
    while True:
        yield torch.cat([next(decks[c]) for c in torch.randperm(len(decks))[:classes].tolist()])


def _drawn(indices: Tensor, size: int) -> Iterator[Tensor]:
    """Random batches (size,) of ``indices``. In an epoch each index comes at most once."""
    while True:
        shuffled = indices[torch.randperm(len(indices), device=indices.device)]
        yield from shuffled[: len(indices) - len(indices) % size].split(size)


def _shift(images: Tensor) -> Tensor:
    """Move each of a batch of images (B, C, H, W) by at most ``SHIFT`` pixels each way: a mild augmentation."""
    height, width = images.shape[-2:]
    padded = nn.functional.pad(images, [SHIFT] * 4, mode="replicate")
    windows = padded.unfold(2, height, 1).unfold(3, width, 1)  # (B, C, 1 + 2 SHIFT, 1 + 2 SHIFT, H, W)
    down, right = torch.randint(0, 1 + 2 * SHIFT, (2, len(images)), device=images.device)
    return in_layout(windows[torch.arange(len(images), device=images.device), :, down, right])


def _neighbours_agree(embeddings: Tensor, labels: Tensor) -> Tensor:
    """The share of a batch (B, D), (B,) whose nearest neighbour within it has its label."""
    nearest = losses.pairwise_distance(embeddings.float()).fill_diagonal_(torch.inf).argmin(1)
    return (labels[nearest] == labels).float().mean()
