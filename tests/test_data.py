import gzip
import os
import shutil
import stat

import numpy as np
import pytest
import torch
from PIL import Image

import fslviz
from fslviz import data


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


def test_classes_select_both_sets(digits):
    some = digits.classes(3, 7)
    assert set(some.train_labels.tolist()) == set(some.test_labels.tolist()) == {3, 7}
    assert some.name == "mnist, classes [3, 7]"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda d: fslviz.load("mnits"), "did you mean 'mnist'"),
        (lambda d: d.validation(60000), "size must lie between 1 and 59999, not 60000"),
        (lambda d: d.classes(), "labels must be some of"),
        (lambda d: d.classes(11), "labels must be some of"),
    ],
)
def test_bad_input_is_named(digits, call, message):
    with pytest.raises(ValueError, match=message):
        call(digits)


@pytest.mark.parametrize("harm", ["truncated", "altered", "missing"])
def test_a_damaged_file_is_noticed(tmp_path, monkeypatch, harm):
    shutil.copytree(data.HERE, tmp_path / "sets")
    monkeypatch.setattr(data, "HERE", tmp_path / "sets")
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
    monkeypatch.setattr(data.tempfile, "gettempdir", lambda: str(tmp_path))
    folder = data.cache_dir()
    assert folder.parent == tmp_path
    assert os.access(folder, os.W_OK)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_cache_lies_where_the_environment_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for given, there in (("~/mine", "home/mine"), ("", "home/.cache/fslviz"), ("here", "here")):
        monkeypatch.setenv("FSLVIZ_CACHE", given)
        assert data.cache_dir() == tmp_path / there
    monkeypatch.delenv("FSLVIZ_CACHE")
    assert data.cache_dir() == tmp_path / "home/.cache/fslviz"
    assert {path.name for path in tmp_path.iterdir()} == {"home", "here"}


@pytest.mark.skipif(os.name == "nt", reason="a home is found otherwise there")
def test_without_a_home_the_cache_is_the_one_given_or_a_temporary_one(tmp_path, monkeypatch):
    import pwd

    def nobody(uid):
        raise KeyError(uid)

    monkeypatch.delenv("HOME")
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    monkeypatch.setattr(data.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setenv("FSLVIZ_CACHE", str(tmp_path / "given"))
    assert data.cache_dir() == tmp_path / "given"
    for lost in ("", "~/x"):
        monkeypatch.setenv("FSLVIZ_CACHE", lost)
        assert data.cache_dir().parent == tmp_path
    with pytest.raises(ValueError, match="~/x begins with ~, and there is no home folder"):
        data.outside("~/x")


def test_a_path_from_a_caller_knows_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert data.outside("~/a.npz") == tmp_path / "a.npz"
    assert data.outside("a~/b.npz") == data.Path("a~/b.npz")
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
