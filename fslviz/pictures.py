"""Pictures from files: the images of a folder of identities, and a photograph of one digit made like MNIST's."""

from __future__ import annotations

import hashlib
import os
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps
from scipy.ndimage import label, maximum_filter, median_filter, sum_labels
from torch import Tensor

from fslviz.errors import composed
from fslviz.files import user_path

SYSTEM = {"thumbs.db", "desktop.ini", "__macosx", "@eadir"}  # files that systems create beside pictures


@dataclass(frozen=True)
class Standard:
    """Standardisation of pixels from 0 to 1: subtract ``mean``, then divide by ``std``.

    Without ``std``, each image is standardised by its own mean and deviation.
    """

    mean: float = 0.0
    std: float | None = None

    def __call__(self, images: Tensor) -> Tensor:
        """Images (N, H, W), uint8 or from 0 to 1, as (N, 1, H, W) in float32."""
        x = images.float() / 255 if images.dtype == torch.uint8 else images.float()
        if self.std is not None:
            return x.sub(self.mean).div_(self.std).unsqueeze(1)
        centred = x - x.mean((1, 2), keepdim=True)
        return (centred / centred.std((1, 2), keepdim=True).clamp(min=1 / 255)).unsqueeze(1)


LUMA = np.array([0.299, 0.587, 0.114])  # the greys of colours, as Pillow has them
MEAN, STD = 0.1307, 0.3081  # of MNIST's training pixels
MNIST_STANDARD, PER_IMAGE = Standard(MEAN, STD), Standard()


def members(folder: Path, at_least: int) -> tuple[dict[str, list[Path]], str]:
    """The identities of a folder and the image files of each, sorted by name, 2 before 10.

    Also a text that counts the files that were skipped, except hidden files and those of the system.

    Raises ValueError, naming the path, if there is no such folder, it is empty, an identity has fewer than ``at_least``
    images, or the names of two identities differ in case, or in the coding of accents, alone.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder} is not a folder")
    found: dict[str, list[Path]] = {}
    spelled: dict[str, str] = {}
    others: Counter[str] = Counter()
    for inner in _shown(folder):
        if not inner.is_dir():
            others["files beside the folders"] += 1
            continue
        twin = spelled.setdefault(composed(inner.name).casefold(), inner.name)
        if twin != inner.name:
            raise ValueError(
                f"{folder}: the identities {twin!r} and {inner.name!r} differ in case alone, or the coding of accents"
            )
        files, beside = [], Counter[str]()
        for file in _shown(inner):
            if file.is_dir():
                within = (name for _, _, names in os.walk(file) for name in names if name[0] != ".")
                beside["files in folders within folders"] += sum(1 for _ in within)
            elif _pictured(file):
                files.append(file)
            else:
                beside[f"{file.suffix.lower()} files that Pillow does not read".strip()] += 1
        if len(files) < at_least:
            and_ = f", beside {_counted(beside)}" if +beside else ""
            raise ValueError(f"{inner} holds {len(files)} images{and_}: an identity needs at least {at_least}")
        found[composed(inner.name)] = files
        others += beside
    if not found:
        raise ValueError(f"{folder} holds no folders: there must be one for each identity, with its images")
    return found, _counted(others)


def _counted(others: Counter[str]) -> str:
    return ", ".join(f"{count} {what}" for what, count in others.items() if count)


def _pictured(file: Path) -> bool:
    """Whether a file is a picture. Its suffix decides; if that is not clear, whether Pillow can read the file does."""
    kind = Image.registered_extensions().get(file.suffix.lower(), "")
    if kind not in Image.OPEN or not file.is_file():
        return False
    if Image.MIME.get(kind, "").startswith("image/"):
        return True  # where it is damaged, that is an error
    try:
        return bool(read(file, 4).size)
    except ValueError:  # a film, a table: Pillow knows the suffix, and no more
        return False


def checksum(file: Path) -> str:
    """A short name for a file's content. Raises ValueError, naming the path, where it can't be read."""
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        raise ValueError(f"{file} can't be read: {error}") from error


def read(path: Path, size: int) -> np.ndarray:
    """An image file as (size, size) of uint8: grey, turned as its EXIF says, not cropped, with filled borders."""
    grey = _file(path)
    small = grey.resize([max(1, round(n / max(grey.size) * size)) for n in grey.size], Image.Resampling.BICUBIC)
    whole = Image.new("L", (size, size), int(np.median(_border(np.asarray(grey)))))
    whole.paste(small, (round((size - small.width) / 2), round((size - small.height) / 2)))
    return np.asarray(whole)


def _border(pixels: np.ndarray) -> np.ndarray:
    return np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])


def _file(path: Path) -> Image.Image:
    try:
        with Image.open(path) as image:
            return _grey(image)
    except Exception as error:  # Pillow has many: whatever it says, the path is what helps
        raise ValueError(f"{path} can't be read as an image: {error}") from error


def prepare(image: str | Path | np.ndarray | Tensor | Image.Image) -> Tensor:
    """Prepare a photograph or scan of one digit like MNIST's digits: (1, 28, 28), standardised.

    ``image``: a file, or grey (H, W), (1, H, W) or coloured (H, W, 3) values from 0 to 1 or to 255, dark on light or
    light on dark, of any size. The box of the ink fits 20 x 20 pixels, and its centre of mass lies where MNIST has it.

    Raises ValueError where there is no image or no ink.
    """
    ink = _ink(np.asarray(_opened(image), np.float32))  # (H, W)
    rows, columns = (np.flatnonzero((ink > 0.2).any(axis)) for axis in (1, 0))
    box = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
    scale = 20 / max(box[2] - box[0], box[3] - box[1])
    y, x = (np.average(np.arange(n) + 0.5, weights=ink.sum(axis)) for n, axis in zip(ink.shape, (1, 0), strict=True))
    # a grid four times as fine, averaged, with the centre of mass half a pixel off the middle
    fine = (28 * 4, 28 * 4)
    placed = (1 / (4 * scale), 0, x - 14.5 / scale, 0, 1 / (4 * scale), y - 14.5 / scale)
    smaller = max(1, round(1 / (4 * scale)))
    source = Image.fromarray(ink).reduce(smaller) if smaller > 1 else Image.fromarray(ink)
    placed = tuple(v / smaller for v in placed)
    drawn = np.asarray(source.transform(fine, Image.Transform.AFFINE, placed, Image.Resampling.BILINEAR))
    return MNIST_STANDARD(torch.from_numpy(drawn.reshape(1, 28, 4, 28, 4).mean((2, 4))))[0]


def _ink(pixels: np.ndarray) -> np.ndarray:
    """How much ink there is at each pixel (H, W), from 0 to 1: one digit, without what surrounds it."""
    paper = _paper(pixels)
    # a shadow scales paper and ink alike: dark ink is measured against paper, light ink against white - paper
    dark, light = (paper - pixels) / paper.clip(64), (pixels - paper) / (255 - paper).clip(64)
    found = [ink for ink in map(_alone, (dark, light)) if ink is not None]
    if not found:
        raise ValueError("image holds no ink: it is of one grey")
    ink = max(found, key=lambda ink: np.sum(ink**3))  # prefers strong contrast to a large area
    ink = (ink / ink.max() - 0.1).clip(0) / 0.9  # paper is not quite even
    sides = ink[0], ink[-1], ink[:, 0], ink[:, -1]
    if any((side > 0.2).mean() > 0.95 for side in sides if len(side) > 0.6 * max(ink.shape)):  # a 1 fills short sides
        raise ValueError("image holds no digit apart from what lies along its edge: leave paper around the digit")
    return ink


def _paper(pixels: np.ndarray) -> np.ndarray:
    """What the paper is at each pixel: one grey, or the median of a surrounding, along rows and then along columns."""
    even = np.abs(pixels - (grey := np.median(_border(pixels)))) < 0.1 * 255
    h, w = (n // 8 for n in pixels.shape)
    if _border(even).mean() > 0.5 and even[h : len(even) - h, w : even.shape[1] - w].mean() > 0.2:  # not a frame
        return np.full_like(pixels, grey)
    few = pixels[:: max(1, len(pixels) // 100), :: max(1, pixels.shape[1] // 100)]
    for axis in (0, 1):
        few = median_filter(few, [n | 1 if i == axis else 1 for i, n in enumerate(few.shape)], mode="reflect")
    return np.asarray(Image.fromarray(few).resize(pixels.shape[::-1], Image.Resampling.BILINEAR))


def _alone(ink: np.ndarray) -> np.ndarray | None:
    """The ink that does not touch the edge, if there is any, without specks."""
    for strength in (0.28, 0.5):
        if ink.max() < 0.1:
            return None
        parts, count = label(ink > strength * ink.max(), np.ones((3, 3)))
        mass = sum_labels(ink, parts, np.arange(count + 1))
        mass[0] = 0
        inside = mass.copy()
        inside[_border(parts)] = 0
        if inside.max() > 0.1 * mass.max():
            kept = inside > inside.max() / 20
            near = maximum_filter(kept[parts], max(3, min(ink.shape) // 12))
            ink = np.where(near, ink, 0)
            break
    return ink


def _opened(image: Any) -> Image.Image:
    if isinstance(image, (str, Path)):
        return _file(user_path(image))
    if isinstance(image, Image.Image):
        return _grey(image)
    pixels = np.asarray(image.detach().cpu() if isinstance(image, Tensor) else image)
    if pixels.ndim == 3 and pixels.shape[0] == 1:
        pixels = pixels[0]
    if pixels.ndim == 3 and pixels.shape[2] in (1, 3):
        pixels = pixels[..., 0] if pixels.shape[2] == 1 else pixels @ LUMA
    if pixels.ndim != 2 or not pixels.size or pixels.dtype.kind not in "buif":
        raise ValueError(f"image must be (H, W), (1, H, W) or (H, W, 3), not {pixels.shape} of {pixels.dtype}")
    pixels = pixels.astype(np.float32)
    if not np.isfinite(pixels).all() or pixels.min() < 0 or pixels.max() > 255:
        raise ValueError(f"image must lie from 0 to 1 or to 255, not from {pixels.min():g} to {pixels.max():g}")
    return Image.fromarray(pixels * (255 if pixels.max() <= 1 else 1))


def _grey(image: Image.Image) -> Image.Image:
    """Greys from 0 to 255, turned as EXIF says. Transparent parts become white, or black if the ink is white."""
    sixteen = ";16" in image.mode or image.format == "PNG"  # an older Pillow has the mode "I" for such a PNG
    image = ImageOps.exif_transpose(image)
    if image.mode[0] in "IF":  # 16 bits, or numbers: Pillow would cut them off at 255
        values, tops = np.asarray(image, np.float32), (65535,) if sixteen else (1, 255, 65535)
        if strange := np.count_nonzero(~np.isfinite(values)):
            raise ValueError(f"{strange} of its {values.size} pixels are NaN or infinite")
        low, high = values.min(), values.max()
        top = next((t for t in tops if low >= 0 and high <= t), high)
        low = min(low, 0)  # with numbers below 0, the range from low to high becomes 0 to 255
        image = Image.fromarray((255 * (values - low) / max(top - low, 1e-9)).clip(0, 255).astype(np.uint8))
    if not image.has_transparency_data:
        return image.convert("L")
    white, black = (
        Image.alpha_composite(Image.new("RGBA", image.size, paper), image.convert("RGBA")).convert("L")
        for paper in ("white", "black")
    )
    return white if np.asarray(white).min() < 0.9 * 255 else black  # white ink shows on black alone


def _shown(folder: Path) -> list[Path]:
    """What a folder holds and does not hide, 2 before 10."""

    def natural(path: Path) -> list[Any]:
        parts = re.split(r"(\d+)", composed(path.name).casefold())
        return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]

    shown = (path for path in folder.iterdir() if path.name[0] != "." and path.name.casefold() not in SYSTEM)
    return sorted(shown, key=lambda path: (natural(path), path.name))
