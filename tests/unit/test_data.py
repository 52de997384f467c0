import gzip
import io
import os
import shutil
import stat

import numpy as np
import pytest
import torch
from PIL import Image

import fslviz
from fslviz import data, files


@pytest.fixture(scope="module")
def digits():
    return fslviz.load("mnist")


def test_mnist_is_whole_and_standardised(digits):
    assert digits.train_images.shape == (60000, 1, 28, 28)
    assert digits.test_images.shape == (10000, 1, 28, 28)
    assert digits.train_labels.bincount().tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert abs(digits.train_images.mean()) < 1e-3
    assert abs(digits.train_images.std() - 1) < 1e-3


def test_fashion_has_test_images_only():
    fashion = fslviz.load("fashion-mnist")
    assert len(fashion.train_labels) == 0
    assert fashion.test_labels.bincount().tolist() == [1000] * 10


def test_validation_is_taken_from_the_training_set(digits):
    split = digits.validation(5000)
    assert (len(split.train_labels), len(split.test_labels)) == (55000, 5000)
    assert torch.equal(split.train_images, digits.validation(5000).train_images)
    images = {x.numpy().tobytes() for x in split.train_images[:2000]}
    assert not images & {x.numpy().tobytes() for x in split.test_images}


def test_what_is_held_out_is_drawn_from_all_there_is():
    numbered = torch.arange(1000.0).view(-1, 1, 1, 1)
    data = fslviz.Data(numbered, torch.arange(1000) // 100, numbered[:0], [], "numbered")
    held, kept = data.validation(200).test_images.flatten(), data.validation(200).train_images.flatten()
    assert 400 < held.mean() < 600
    assert sorted([*held.tolist(), *kept.tolist()]) == list(range(1000))


def test_classes_select_both_sets(digits):
    some = digits.classes(3, 7)
    assert set(some.train_labels.tolist()) == set(some.test_labels.tolist()) == {3, 7}
    assert some.name == "mnist, classes [3, 7]"


def test_classes_that_one_set_alone_has_are_known():
    apart = tiny().split(2)
    for part in ("train", "test"):
        kinds = getattr(apart, f"{part}_labels").unique().tolist()
        some, other = apart.classes(kinds), {"train": "test", "test": "train"}[part]
        assert torch.equal(getattr(some, f"{part}_images"), getattr(apart, f"{part}_images"))
        assert len(getattr(some, f"{other}_images")) == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda d: fslviz.load("mnits"), "did you mean 'mnist'"),
        (lambda d: d.validation(60000), "size must be a whole number from 1 to 59999, not 60000"),
        (lambda d: d.classes(), "labels must be some of"),
        (
            lambda d: tiny(test_images=torch.zeros(20, 1, 9, 9)).split(2),
            r"one shape, not \(1, 28, 28\) and.* \(1, 9, 9\)",
        ),
        (lambda d: d.classes(11), "labels must be some of"),
    ],
)
def test_bad_input_is_named(digits, call, message):
    with pytest.raises(ValueError, match=message):
        call(digits)


@pytest.mark.parametrize("harm", ["truncated", "altered", "missing"])
def test_a_damaged_file_is_noticed(tmp_path, monkeypatch, harm):
    shutil.copytree(data.DATASETS, tmp_path / "sets")
    monkeypatch.setattr(data, "DATASETS", tmp_path / "sets")
    victim = tmp_path / "sets/fashion-mnist/t10k-labels-idx1-ubyte.gz"
    content = bytearray(gzip.decompress(victim.read_bytes()))
    content[5000] ^= 1
    if harm == "missing":
        victim.unlink()
    else:
        victim.write_bytes(gzip.compress(content) if harm == "altered" else victim.read_bytes()[:-100])
    with pytest.raises(RuntimeError, match=r"t10k-labels-idx1-ubyte.gz is damaged .* reinstall"):
        data._packed("fashion-mnist/t10k")


def test_an_unwritable_cache_falls_back(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("FSLVIZ_CACHE", str(tmp_path / "file" / "cache"))
    monkeypatch.setattr(files.tempfile, "gettempdir", lambda: str(tmp_path))
    folder = files.cache_dir()
    assert folder.parent == tmp_path
    assert os.access(folder, os.W_OK)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_cache_lies_where_the_environment_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for given, there in (("~/mine", "home/mine"), ("", "home/.cache/fslviz"), ("here", "here")):
        monkeypatch.setenv("FSLVIZ_CACHE", given)
        assert files.cache_dir() == tmp_path / there
    monkeypatch.delenv("FSLVIZ_CACHE")
    assert files.cache_dir() == tmp_path / "home/.cache/fslviz"
    assert {path.name for path in tmp_path.iterdir()} == {"home", "here"}


@pytest.mark.skipif(os.name == "nt", reason="a home is found otherwise there")
def test_without_a_home_the_cache_is_the_one_given_or_a_temporary_one(tmp_path, monkeypatch):
    import pwd

    def nobody(uid):
        raise KeyError(uid)

    monkeypatch.delenv("HOME")
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    monkeypatch.setattr(files.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setenv("FSLVIZ_CACHE", str(tmp_path / "given"))
    assert files.cache_dir() == tmp_path / "given"
    for lost in ("", "~/x"):
        monkeypatch.setenv("FSLVIZ_CACHE", lost)
        assert files.cache_dir().parent == tmp_path
    with pytest.raises(ValueError, match="~/x begins with ~, and there is no home folder"):
        files.user_path("~/x")


def test_a_path_from_a_caller_knows_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert files.user_path("~/a.npz") == tmp_path / "a.npz"
    assert files.user_path("a~/b.npz") == data.Path("a~/b.npz")
    with pytest.raises(ValueError, match="a path must be a string, or a pathlib.Path, not <_io.BytesIO"):
        files.user_path(io.BytesIO())
    page = np.full((60, 60), 255, np.uint8)
    page[10:50, 28:32] = 0
    Image.fromarray(page).save(tmp_path / "one.png")
    assert torch.equal(fslviz.prepare("~/one.png"), fslviz.prepare(page))


def write_idx(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    head = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    path.write_bytes(head + array.astype(np.uint8).tobytes())


@pytest.mark.parametrize(("name", "folder", "stem"), [("kmnist", "KMNIST", ""), ("emnist", "EMNIST", "emnist-digits-")])
def test_downloaded_sets_arrive_whole_or_not_at_all(tmp_path, monkeypatch, name, folder, stem):
    monkeypatch.setenv("FSLVIZ_CACHE", str(tmp_path))
    images = np.zeros((3, 28, 28))
    images[:, 2, 20] = 255

    def download(self):
        for part in ("train", "test"):
            file = part if name == "emnist" else {"train": "train", "test": "t10k"}[part]
            write_idx(tmp_path.joinpath(self.root, folder, "raw", f"{stem}{file}-images-idx3-ubyte"), images)
            if broken:
                raise ConnectionError("cut off")
            write_idx(tmp_path.joinpath(self.root, folder, "raw", f"{stem}{file}-labels-idx1-ubyte"), np.arange(3))

    monkeypatch.setattr(data.tv.KMNIST, "download", download)
    monkeypatch.setattr(data.tv.EMNIST, "download", download)
    broken = True
    with pytest.raises(ConnectionError):
        data._downloaded(name)
    assert not list(tmp_path.iterdir())
    broken = False
    for _ in range(2):  # downloaded, then found
        (train, labels), (test, _) = data._downloaded(name)
        assert train.shape == test.shape == (3, 28, 28)
        assert labels.tolist() == [0, 1, 2]
        assert train[0].nonzero().tolist() == ([[20, 2]] if name == "emnist" else [[2, 20]])
        broken = True


def test_omniglot_is_white_on_black_and_no_character_is_in_both_sets(tmp_path, monkeypatch):
    class Drawings(list):
        def __init__(self, root, background, download=False):
            page = Image.new("1", (105, 105), 1)
            page.paste(0, (40, 40, 80, 60) if background else (40, 40, 60, 80))
            super().__init__([(page, 0), (page, 963 if background else 658)])

    monkeypatch.setenv("FSLVIZ_CACHE", str(tmp_path))
    monkeypatch.setattr(data.tv, "Omniglot", Drawings)
    (train, known), (test, new) = data._downloaded("omniglot")
    assert (known.tolist(), new.tolist()) == ([0, 963], [964, 964 + 658])
    for images, ink, paper in ((train, (13, 18), (18, 13)), (test, (18, 13), (13, 18))):
        assert images.shape == (2, 28, 28)
        assert images[0][ink] > 250
        assert images[0][paper] < 5


def tiny(images=40, **changed):
    x, y = torch.randn(images, 1, 28, 28, generator=torch.Generator().manual_seed(0)), torch.arange(images) % 5
    half = images // 2
    parts = {"train_images": x[:half], "train_labels": y[:half], "test_images": x[half:], "test_labels": y[half:]}
    return fslviz.Data(**{**parts, "name": "tiny", **changed})


@pytest.mark.parametrize("name", ["fashion-mnist", "faces", "voices"])
def test_what_is_loaded_is_the_callers_own(name):
    first, before = fslviz.load(name), fslviz.load(name).identity()
    first.test_images.add_(1.0)
    first.test_labels.zero_()
    assert fslviz.load(name).identity() == before != first.identity()


def test_each_image_keeps_its_label():
    numbered = torch.arange(60.0).view(-1, 1, 1, 1)
    labels = torch.arange(60) * 7 % 60 // 10
    data = fslviz.Data(numbered[:20], labels[:20], numbered[20:], labels[20:], "numbered")
    for some in (data, data.split(3), data.split(2, seed=1, unseen=2), data.validation(5), data.classes(1, 4)):
        for part in ("train", "test"):
            images, given = getattr(some, f"{part}_images").flatten().long(), getattr(some, f"{part}_labels")
            assert len(given)
            assert torch.equal(labels[images], given)


@pytest.mark.parametrize("part", ["train_images", "train_labels", "test_images", "test_labels"])
def test_a_checksum_is_of_every_part(part):
    first = tiny()
    changed = getattr(first, part).clone()
    changed[-1] += 1
    assert tiny(**{part: changed}).identity() != first.identity()


def test_no_data_share_their_images_with_others_or_with_what_they_were_made_of():
    x, y = np.zeros((40, 1, 28, 28), np.float32), np.arange(40) % 5
    x[:, 0, 3, 4] = np.arange(40)
    made = fslviz.Data(x[:20], y[:20], torch.from_numpy(x)[20:], torch.from_numpy(y)[20:], "made")
    before = made.identity()
    x[:], y[:] = 7, 0
    assert made.identity() == before
    for other in (made.mirrored(), made.mirrored().mirrored(), made.classes(0, 1, 2, 3, 4), made.validation(3)):
        for tensor in (other.train_images, other.train_labels, other.test_images, other.test_labels):
            tensor.fill_(9)
    assert made.identity() == before


def test_arrays_lists_and_every_type_of_number_are_taken():
    want = tiny()
    x, y = want.test_images, want.test_labels
    for images in (x.numpy(), x.double(), x.numpy().astype(">f4"), x[:, 0], x.tolist(), x.clone().requires_grad_()):
        for labels in (y.numpy(), y.tolist(), y.double(), y.to(torch.uint8), y.numpy().astype(np.float16)):
            assert tiny(test_images=images, test_labels=labels).identity() == want.identity()
    assert (tiny(test_images=x.bfloat16()).test_images - x).abs().max() < 0.02
    assert tiny(test_labels=y > 2).test_labels.tolist() == (y > 2).long().tolist()
    reversed_ = x.numpy()[::-1, :, :, ::-1]
    assert torch.equal(tiny(test_images=reversed_).test_images, x.flip(0, 3))
    pixels = np.arange(20 * 784).reshape(20, 28, 28).astype(np.uint8)  # as a run's embed takes them
    for given in (pixels, pixels[:, None], torch.from_numpy(pixels)):
        assert torch.equal(tiny(test_images=given).test_images, fslviz.Data.standard(torch.from_numpy(pixels)))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"train_labels": torch.arange(15)}, "train_labels must be one for each of the 20 train_images, not 15"),
        ({"test_labels": torch.arange(30)}, "test_labels must be one for each of the 20 test_images, not 30"),
        ({"train_labels": torch.zeros(20, 1)}, r"train_labels must be of shape \(N,\), not \(20, 1\)"),
        ({"train_labels": torch.full((20,), 0.5)}, "train_labels must be whole numbers, not 0.5"),
        ({"test_labels": np.full(20, np.nan)}, "test_labels must be whole numbers, not nan"),
        ({"test_labels": np.full(20, np.inf)}, "test_labels must be whole numbers, not inf"),
        ({"train_labels": ["Ada"] * 20}, "train_labels must be an array of numbers: can't convert .*str_"),
        ({"train_labels": [[1], [1, 2]]}, "train_labels must be an array of numbers: setting an array element"),
        ({"train_images": None}, "train_images must be an array of numbers"),
        ({"train_images": torch.zeros(20, 784)}, r"train_images must be \(N, C, H, W\), .* not \(20, 784\)"),
        ({"test_images": np.zeros((20, 3, 28, 28), np.uint8)}, r"of 8 bits \(N, 1, H, W\), not \(20, 3, 28, 28\)"),
        ({"test_images": torch.zeros(20, 1, 28, 28, dtype=torch.complex64)}, "must be real numbers, not torch.complex"),
        ({"names": ("Ada", "Grace")}, "train_labels must be from 0 to 1, as there are 2 names, not from 0 to 4"),
        ({"names": tuple("Grac")}, "train_labels must be from 0 to 3, as there are 4 names, not from 0 to 4"),
        ({"names": tuple("Grace"), "test_labels": [-1] * 20}, "test_labels must be from 0 to 4, .* not from -1 to -1"),
    ],
)
def test_data_that_can_not_be_are_named(changed, message):
    with pytest.raises(ValueError, match=message) as caught:
        tiny(**changed)
    assert "\n" not in str(caught.value)


def test_names_are_kept_as_they_are_typed():
    names = ("Jose\u0301", "Zoe\u0308", "Ada", "Grace", "Mary")  # as a Mac's folders write them
    assert tiny(names=names).names == ("Jos\u00e9", "Zo\u00eb", "Ada", "Grace", "Mary")


def test_no_mirror_image_of_what_is_held_out_is_trained_on():
    data = tiny()
    both, held = data.mirrored(), data.mirrored().validation(6)
    known = {x.numpy().tobytes() for x in held.train_images}
    assert not known & {x.numpy().tobytes() for x in torch.cat([held.test_images, held.test_images.flip(-1)])}
    assert held.identity().split()[-1] == data.validation(6).mirrored().identity().split()[-1]
    assert (len(held.train_labels), len(held.test_labels)) == (28, 6)
    assert (
        held.validation(4).identity().split()[-1] == data.validation(6).validation(4).mirrored().identity().split()[-1]
    )
    assert (
        both.classes(1, 2).validation(3).train_labels.tolist()
        == data.classes(1, 2).validation(3).train_labels.repeat(2).tolist()
    )
    assert both.split(3).identity().split()[-1] == data.split(3).mirrored().identity().split()[-1]
    assert both.mirrored().identity() == both.identity()
    with pytest.raises(ValueError, match="size must be a whole number from 1 to 19, not 20"):
        both.validation(20)
    with pytest.raises(ValueError, match="mirrored takes data with training images: split first"):
        fslviz.load("voices").mirrored()
    blank = tiny(train_images=torch.zeros(20, 1, 28, 28))  # its own mirror image, and not mirrored
    assert len(blank.validation(15).train_labels) == 5


def test_a_number_of_images_is_whole():
    for call in (lambda d: d.validation(2.5), lambda d: d.split(2.5), lambda d: d.split(2, seed=0.5)):
        with pytest.raises(ValueError, match="must be a whole number from .*, not [02].5"):
            call(tiny())
    with pytest.raises(ValueError, match=r"labels must be some of \[0, 1, 2, 3, 4\], not \[1, 2.5\]"):
        tiny().classes(1, 2.5)
    for given in ([1, 3], (1, 3), {1, 3}, np.array([1, 3]), torch.tensor([3.0, 1.0]), range(1, 4, 2), iter([3, 1])):
        assert tiny().classes(given).train_labels.unique().tolist() == [1, 3]
    assert tiny().classes(np.int64(1), torch.tensor(3)).name == "tiny, classes [1, 3]"


@pytest.fixture(params=["device", "type"])
def elsewhere(request):
    """Code beside it that has set another default."""
    if request.param == "device":
        torch.set_default_device("meta")  # holds no numbers: what lands there is lost
    else:
        torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_device(None)
    torch.set_default_dtype(torch.float32)


def test_no_default_of_torch_changes_the_data(elsewhere):
    page = np.full((60, 60), 255, np.uint8)
    page[10:50, 28:32] = 0
    data._pixels.cache_clear()
    made = [data.load(name) for name in ("fashion-mnist", "faces", "voices")]
    made += [made[1].split(20, 3, unseen=10).mirrored(), tiny_on_cpu(), tiny_on_cpu().validation(7)]
    made += [tiny_on_cpu().mirrored().validation(7), tiny_on_cpu().classes(1, 2)]
    found = [one.identity() for one in made]
    drawn = fslviz.prepare(page)
    torch.set_default_device(None)
    torch.set_default_dtype(torch.float32)
    assert found[:3] == [fslviz.load(name).identity() for name in ("fashion-mnist", "faces", "voices")]
    assert found[3] == fslviz.load("faces").split(20, 3, unseen=10).mirrored().identity()
    small = tiny_on_cpu()
    assert found[4:] == [
        d.identity() for d in (small, small.validation(7), small.mirrored().validation(7), small.classes(1, 2))
    ]
    assert torch.equal(drawn, fslviz.prepare(page))
    assert {t.dtype for one in made for t in (one.train_images, one.test_images)} == {torch.float32}


def tiny_on_cpu():
    x, y = np.random.default_rng(0).normal(size=(40, 1, 28, 28)), np.arange(40) % 5
    return fslviz.Data(x[:20], y[:20], x[20:], y[20:], "tiny")


def test_data_are_told_in_a_line():
    assert repr(fslviz.load("mnist")) == "Data mnist: 60,000 training and 10,000 test images of 10 classes"
    assert repr(fslviz.load("voices").split(4)).endswith("images of 9 classes")


def test_classes_and_identities_are_chosen_by_name(tmp_path):
    images, labels = np.arange(16 * 16, dtype=np.float32).reshape(4, 1, 8, 8), np.arange(4)
    data = fslviz.Data(images[:0], labels[:0], images, labels, "four", names=("Ada", "Jose\u0301", "7", "あ"))
    assert data.classes("Jos\u00e9", 3).test_labels.tolist() == [1, 3]
    assert data.classes("7").test_labels.tolist() == [2]
    split = data.split(["あ", "Ada"], unseen=["7"])
    assert (split.train_labels.tolist(), split.test_labels.tolist()) == ([0, 3], [2])
    assert data.split({0, 1}).test_labels.tolist() == [2, 3]
    assert data.split([0, 1]).name != data.split([0, 2]).name
    every = data.split(["Ada", "7"], unseen=[])
    assert (every.train_labels.tolist(), every.test_labels.tolist()) == ([0, 2], [])
    assert len(data.split(torch.tensor(2)).train_labels) == 2


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda d: d.classes("ada"), r"some of \[0, 1, 2, 3\], not \['ada'\]"),
        (lambda d: d.split(["a", "b"], unseen=["b"]), r"no identity in common, not \[1\]"),
        (lambda d: d.split(["a", "b"], unseen=2), "unseen must be a list where known is one, not 2"),
        (lambda d: d.split(2, unseen=["b"]), r"unseen must be a whole number from 1 to 2, not \['b'\]"),
        (lambda d: d.split([]), r"some of \[0, 1, 2, 3\], not \[\]"),
    ],
)
def test_what_cannot_be_chosen_is_named(make, message):
    images = np.zeros((4, 1, 8, 8), np.float32)
    with pytest.raises(ValueError, match=message):
        make(fslviz.Data(images[:0], [], images, range(4), "four", names=tuple("abcd")))


def test_of_many_labels_an_error_lists_some():
    images = np.zeros((5000, 1, 2, 2), np.float32)
    with pytest.raises(ValueError, match=r"18, 19, ...: 5,000 in all\], not \[5000\]") as error:
        fslviz.Data(images[:0], [], images, range(5000), "many").classes(5000)
    assert len(str(error.value)) < 200
