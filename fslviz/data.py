"""Images and labels as tensors."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

import torch
import torchvision.datasets as tv
from torch import Tensor
from torchvision.datasets.mnist import read_image_file, read_label_file
from torchvision.transforms.functional import invert, pil_to_tensor, resize

from fslviz.errors import unknown

HERE = Path(__file__).parent / "datasets"
SHA256 = {  # of the unpacked originals
    "mnist/train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "mnist/train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "mnist/t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "mnist/t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    "fashion-mnist/t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "fashion-mnist/t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}
SETS = ["mnist", "fashion-mnist", "kmnist", "emnist", "omniglot"]
MEAN, STD = 0.1307, 0.3081  # of MNIST's training pixels in [0, 1]


@dataclass(frozen=True, eq=False)
class Data:
    """A training and a test set as tensors.

    ``train_images`` (N, 1, 28, 28) and ``test_images`` (M, 1, 28, 28) are float32, shifted and scaled by MNIST's pixel
    mean and standard deviation; ``train_labels`` (N,) and ``test_labels`` (M,) are int64. ``name`` says which data
    these are, with every selection made from them.
    """

    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor
    name: str

    def validation(self, size: int = 5000) -> Data:
        """The training set with ``size`` random images held out in the test set's place: for choosing settings."""
        if not 0 < size < len(self.train_labels):
            raise ValueError(f"size must lie between 1 and {len(self.train_labels) - 1}, not {size}")
        order = torch.randperm(len(self.train_labels), generator=torch.Generator().manual_seed(0))
        held, kept = order[:size], order[size:]
        x, y = self.train_images, self.train_labels
        return Data(x[kept], y[kept], x[held], y[held], f"{self.name}, validation {size}")

    def classes(self, *labels: int) -> Data:
        """Only the images of these classes; the labels keep their numbers."""
        known = set(self.train_labels.tolist()) | set(self.test_labels.tolist())
        if not labels or not set(labels) <= known:
            raise ValueError(f"labels must be some of {sorted(known)}, not {list(labels)}")
        train = torch.isin(self.train_labels, torch.tensor(labels))
        test = torch.isin(self.test_labels, torch.tensor(labels))
        return replace(
            self,
            train_images=self.train_images[train],
            train_labels=self.train_labels[train],
            test_images=self.test_images[test],
            test_labels=self.test_labels[test],
            name=f"{self.name}, classes {sorted(labels)}",
        )

    def identity(self) -> str:
        """The name, and a short checksum of every image and label."""
        h = hashlib.sha256()
        for t in (self.train_images, self.train_labels, self.test_images, self.test_labels):
            h.update(t.contiguous().numpy().data)
        return f"{self.name} {h.hexdigest()[:16]}"


@lru_cache(maxsize=2)
def load(name: str = "mnist") -> Data:
    """Load a data set by name.

    ``"mnist"`` (60,000 and 10,000 images) and ``"fashion-mnist"`` (10,000 test images, no training images) travel with
    the package; ``"kmnist"``, ``"emnist"`` (its digits) and ``"omniglot"`` (drawings in white on black, 28x28, training
    and test alphabets apart) are downloaded by torchvision into the cache folder.

    Raises ValueError for another name, RuntimeError for a damaged file.
    """
    if name not in SETS:
        unknown("data set", name, SETS)
    if name == "mnist":
        train, test = _packed("mnist/train"), _packed("mnist/t10k")
    elif name == "fashion-mnist":
        test = _packed("fashion-mnist/t10k")
        train = test[0][:0], test[1][:0]
    else:
        train, test = _downloaded(name)
    return Data(_standardise(train[0]), train[1].long(), _standardise(test[0]), test[1].long(), name)


def cache_dir() -> Path:
    """The folder for runs and downloads: ``$FSLVIZ_CACHE``, or ``~/.cache/fslviz``; a temporary one if unwritable."""
    path = Path(os.environ.get("FSLVIZ_CACHE", Path.home() / ".cache" / "fslviz")).absolute()
    try:
        path.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=path).close()
    except OSError:
        path = Path(tempfile.gettempdir()) / f"fslviz-{os.getuid() if hasattr(os, 'getuid') else ''}"
        path.mkdir(mode=0o700, exist_ok=True)
    return path


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write that takes the place of ``path`` once it is whole; where writing fails, nothing is left."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{uuid4().hex}.part")
    try:
        with part.open("xb") as file:
            yield file
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _standardise(images: Tensor) -> Tensor:
    return images.float().div_(255).sub_(MEAN).div_(STD).unsqueeze(1)


def _packed(stem: str) -> tuple[Tensor, Tensor]:
    # torchvision reads plain files: unpack to a folder of this call's own, so that nothing half-written is ever seen
    with tempfile.TemporaryDirectory() as tmp:
        images = read_image_file(_unpack(f"{stem}-images-idx3-ubyte", tmp))
        labels = read_label_file(_unpack(f"{stem}-labels-idx1-ubyte", tmp))
    return images, labels


def _unpack(member: str, folder: str) -> str:
    packed, plain = HERE / f"{member}.gz", Path(folder) / Path(member).name
    try:
        content = gzip.decompress(packed.read_bytes())
        damage = "" if hashlib.sha256(content).hexdigest() == SHA256[member] else "its checksum is wrong"
    except (OSError, EOFError, gzip.zlib.error) as error:  # type: ignore[attr-defined]
        damage = str(error)
    if damage:
        raise RuntimeError(f"{packed} is damaged ({damage}): reinstall fslviz, or check the file out again")
    plain.write_bytes(content)
    return str(plain)


def _downloaded(name: str) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    final = cache_dir() / name
    if not final.exists():  # download beside it and rename, so that an interruption leaves nothing that looks whole
        with tempfile.TemporaryDirectory(dir=final.parent) as tmp:
            _torchvision(name, tmp, train=True, download=True)
            _torchvision(name, tmp, train=False, download=True)
            try:
                os.rename(tmp, final)
            except OSError:  # another process was first
                if not final.exists():
                    raise
            os.makedirs(tmp, exist_ok=True)  # for TemporaryDirectory to remove
    return _torchvision(name, final, train=True), _torchvision(name, final, train=False)


def _torchvision(name: str, root: str | Path, train: bool, download: bool = False) -> tuple[Tensor, Tensor]:
    if name == "omniglot":
        images, labels = zip(*tv.Omniglot(str(root), background=train, download=download), strict=True)
        small = [pil_to_tensor(resize(invert(image.convert("L")), [28, 28]))[0] for image in images]
        # the two halves of Omniglot have no character in common: number the test classes after the training ones
        return torch.stack(small), torch.tensor(labels) + (0 if train else 964)
    if name == "emnist":
        emnist = tv.EMNIST(root, split="digits", train=train, download=download)
        return emnist.data.transpose(1, 2), emnist.targets  # EMNIST's images are stored lying on their side
    kmnist = tv.KMNIST(root, train=train, download=download)
    return kmnist.data, kmnist.targets
