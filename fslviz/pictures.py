"""Pictures from files: the images of a folder of identities, and one digit as MNIST has its digits."""

from __future__ import annotations

import os
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

Image.init()
SUFFIXES = {suffix for suffix, kind in Image.registered_extensions().items() if kind in Image.OPEN}


@dataclass(frozen=True)
class Standard:
    """How pixels from 0 to 1 become what a network takes: less ``mean`` and over ``std``.

    Without ``std``, each image by its own mean and deviation.
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


def outside(path: str | Path) -> Path:
    """A path from a caller: ~ is the home folder. Raises ValueError where there is none."""
    expanded = Path(os.path.expanduser(path))
    if expanded.parts[:1] == ("~",):
        raise ValueError(f"{path} begins with ~, and there is no home folder")
    return expanded


MEAN, STD = 0.1307, 0.3081  # of MNIST's training pixels
DIGITS, EACH = Standard(MEAN, STD), Standard()


def members(folder: Path, at_least: int) -> dict[str, list[Path]]:
    """The identities of a folder and the image files of each, in the order of their names, numbers as numbers.

    Raises ValueError, naming the path, for a folder that is none or empty, an identity with fewer than ``at_least``
    images, and two identities whose names differ in case alone.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder} is not a folder")
    found: dict[str, list[Path]] = {}
    spelled: dict[str, str] = {}
    for inner in _shown(folder):
        if not inner.is_dir():
            continue
        twin = spelled.setdefault(unicodedata.normalize("NFC", inner.name).casefold(), inner.name)
        if twin != inner.name:
            raise ValueError(f"{folder}: the identities {twin!r} and {inner.name!r} differ in case alone")
        files = [file for file in _shown(inner) if file.is_file()]
        found[inner.name] = [file for file in files if file.suffix.lower() in SUFFIXES]
        count, others = len(found[inner.name]), len(files) - len(found[inner.name])
        if count < at_least:
            beside = f", beside {others} files that Pillow does not read" if others else ""
            raise ValueError(f"{inner} holds {count} images{beside}: an identity needs at least {at_least}")
    if not found:
        raise ValueError(f"{folder} holds no folders: there must be one for each identity, with its images")
    return found


def read(path: Path, size: int) -> np.ndarray:
    """An image file as (size, size) of uint8: grey, turned as its EXIF says, whole, its margins filled up."""
    try:
        with Image.open(path) as image:
            grey = _grey(ImageOps.exif_transpose(image))
    except Exception as error:  # Pillow has many: whatever it says, the path is what helps
        raise ValueError(f"{path} can't be read as an image: {error}") from error
    pixels = np.asarray(grey)
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    return np.asarray(ImageOps.pad(grey, (size, size), color=int(np.median(border))))


def prepare(image: str | Path | np.ndarray | Tensor | Image.Image) -> Tensor:
    """A photograph or scan of one digit as the networks take MNIST's digits: (1, 28, 28), standardised.

    ``image``: a file, or grey (H, W), (1, H, W) or coloured (H, W, 3) values from 0 to 1 or to 255, dark on light or
    light on dark, of any size. The box of the ink fits 20 x 20 pixels, and its centre of mass lies where MNIST has it.

    Raises ValueError where there is no image or no ink.
    """
    pixels = np.asarray(_opened(image), np.float32)  # (H, W)
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    ink = np.abs(pixels - np.median(border))
    if ink.max() < 0.1 * 255:
        raise ValueError("image holds no ink: it is of one grey")
    ink = (ink / ink.max() - 0.1).clip(0) / 0.9  # paper is not quite even
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
    return DIGITS(torch.from_numpy(drawn.reshape(1, 28, 4, 28, 4).mean((2, 4))))[0]


def _opened(image: Any) -> Image.Image:
    if isinstance(image, (str, Path)):
        try:
            with Image.open(outside(image)) as file:
                return _grey(ImageOps.exif_transpose(file))
        except Exception as error:
            raise ValueError(f"{image} can't be read as an image: {error}") from error
    if isinstance(image, Image.Image):
        return _grey(image)
    pixels = np.asarray(image.detach().cpu() if isinstance(image, Tensor) else image)
    if pixels.ndim == 3 and pixels.shape[0] == 1:
        pixels = pixels[0]
    if pixels.ndim == 3 and pixels.shape[2] in (1, 3):
        pixels = pixels.mean(2)
    if pixels.ndim != 2 or not pixels.size or pixels.dtype.kind not in "buif":
        raise ValueError(f"image must be (H, W), (1, H, W) or (H, W, 3), not {pixels.shape} of {pixels.dtype}")
    pixels = pixels.astype(np.float32)
    if not np.isfinite(pixels).all() or pixels.min() < 0 or pixels.max() > 255:
        raise ValueError(f"image must lie from 0 to 1 or to 255, not from {pixels.min():g} to {pixels.max():g}")
    return Image.fromarray(pixels * (255 if pixels.max() <= 1 else 1))


def _grey(image: Image.Image) -> Image.Image:
    """Shades of grey from 0 to 255, on white where the image is transparent."""
    if image.mode[0] in "IF":  # 16 bits, or numbers: Pillow would cut them off at 255
        values, tops = np.asarray(image, np.float32), (65535,) if ";16" in image.mode else (1, 255, 65535)
        top = next((t for t in tops if values.max() <= t), values.max())
        image = Image.fromarray((255 * values / top).clip(0, 255).astype(np.uint8))
    if image.has_transparency_data:
        paper = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(paper, image.convert("RGBA"))
    return image.convert("L")


def _shown(folder: Path) -> list[Path]:
    """What a folder holds and does not hide, 2 before 10."""

    def natural(path: Path) -> list[Any]:
        return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", path.name.casefold())]

    return sorted((path for path in folder.iterdir() if path.name[0] not in "._"), key=lambda p: (natural(p), p.name))
