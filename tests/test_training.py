import numpy as np
import pytest
import torch

import fslviz
from fslviz import training
from fslviz.data import Data
from fslviz.models import EmbeddingNet


@pytest.fixture(scope="module")
def some():
    """A thousand digits and their test images: enough to learn a little in a second."""
    digits = fslviz.load("mnist")
    return Data(digits.train_images[:1000], digits.train_labels[:1000], *_test(digits), "some digits")


def _test(digits):
    return digits.test_images[:200], digits.test_labels[:200]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("FSLVIZ_CACHE", str(tmp_path))
    return tmp_path


def short(some, loss="contrastive", **more):
    return fslviz.train(loss, some, images=256, batch=64, device="cpu", **more)


def test_the_backbone_is_the_reference():
    net = EmbeddingNet(2)
    kinds = [type(m).__name__ for m in net.features]
    assert kinds == ["Conv2d", "BatchNorm2d", "LeakyReLU"] * 4
    convs = [(m.in_channels, m.out_channels, m.kernel_size, m.stride, m.padding) for m in net.features[::3]]
    sizes = [(1, 32, 1), (32, 32, 2), (32, 64, 1), (64, 64, 2)]
    assert convs == [(i, o, (3, 3), (s, s), (1, 1)) for i, o, s in sizes]
    assert all(m.negative_slope == 0.1 for m in net.features[2::3])
    assert (net.linear.in_features, net.linear.out_features) == (64 * 7 * 7, 2)
    assert net(torch.zeros(3, 1, 28, 28)).shape == (3, 2)
    with pytest.raises(ValueError, match=r"\(B, 1, 28, 28\), not \(3, 28, 28\)"):
        net(torch.zeros(3, 28, 28))


@pytest.mark.parametrize("loss", fslviz.LOSSES)
def test_every_loss_learns(some, loss):
    run = fslviz.train(loss, some, images=8_000, batch=64, device="cpu")
    untrained = EmbeddingNet(2)
    chance = fslviz.knn_accuracy((run.embed(some.train_images), run.train_labels), run.probes)
    torch.manual_seed(0)
    before = training._embed(untrained, some.train_images), training._embed(untrained, some.test_images)
    chance = fslviz.knn_accuracy((before[0], run.train_labels), (before[1], run.test_labels))
    assert fslviz.knn_accuracy(run.gallery, run.probes) > chance + 0.15
    assert run.losses[-20:].mean() < run.losses[:20].mean()


def test_same_seed_same_numbers(some):
    state = torch.get_rng_state()
    first, again, other = (short(some, "triplet", mining="random", cached=False, seed=s) for s in (1, 1, 2))
    assert np.array_equal(first.losses, again.losses)
    assert np.array_equal(first.test_embeddings, again.test_embeddings)
    assert not np.array_equal(first.losses, other.losses)
    assert torch.equal(state, torch.get_rng_state())  # the reader's own random numbers are left alone


def test_a_run_holds_what_it_says(some):
    run = short(some, "arcface", margin=0.2, embed_dim=3)
    assert run.seen.tolist() == [0, 64, 128, 192]
    assert run.losses.shape == run.accuracies.shape == (4,)
    assert run.trail.shape == (len(run.trail_seen), 200, 3)
    assert (run.trail_seen[0], run.trail_seen[-1]) == (0, 256)
    assert np.allclose(run.trail[-1], run.test_embeddings, rtol=2e-3, atol=2e-3)
    assert np.allclose(run.embed(some.test_images), run.test_embeddings, atol=1e-5)
    assert run.cosine
    assert np.allclose(np.linalg.norm(run.probes[0], axis=1), 1)
    assert run.loss.margin == 0.2
    assert not short(some).cosine


def test_save_and_load(some, tmp_path):
    run = short(some, "cosface", margin=0.1)
    run.save(tmp_path / "deep" / "run.npz")
    same = fslviz.Run.load(tmp_path / "deep" / "run.npz")
    assert same.recipe == run.recipe
    assert same.seconds == run.seconds
    assert np.array_equal(same.embed(some.test_images), run.embed(some.test_images))
    assert torch.equal(same.loss.weight, run.loss.weight)
    (tmp_path / "no.npz").write_text("no run")
    with pytest.raises(ValueError, match=r"no.npz is not a whole run"):
        fslviz.Run.load(tmp_path / "no.npz")


def test_the_cache_is_keyed_by_recipe_data_and_code(some, cache, monkeypatch):
    entries = lambda: sorted((cache / "runs").iterdir())  # noqa: E731
    run = short(some)
    assert len(entries()) == 1
    monkeypatch.setattr(training, "_train", lambda *_: pytest.fail("trained again"))
    assert np.array_equal(short(some).losses, run.losses)
    monkeypatch.undo()
    monkeypatch.setenv("FSLVIZ_CACHE", str(cache))
    short(some, seed=1)
    short(some, margin=0.5)
    short(some.classes(*range(9)))
    assert len(entries()) == 4
    changed = cache / "losses.py"
    changed.write_text("# other code")
    monkeypatch.setattr(training.losses, "__file__", str(changed))
    short(some)
    assert len(entries()) == 5


@pytest.mark.parametrize("harm", [b"", b"PK garbage", None])
def test_a_damaged_entry_is_trained_anew(some, cache, harm):
    run = short(some)
    (entry,) = (cache / "runs").iterdir()
    whole = entry.read_bytes()
    entry.write_bytes(whole[: len(whole) // 2] if harm is None else harm)
    assert np.array_equal(short(some).losses, run.losses)
    assert np.array_equal(fslviz.Run.load(entry).losses, run.losses)


def test_an_interruption_leaves_nothing(some, cache, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "_neighbours_agree", interrupted)
    with pytest.raises(KeyboardInterrupt):
        short(some)
    assert not (cache / "runs").exists()
    monkeypatch.undo()
    monkeypatch.setenv("FSLVIZ_CACHE", str(cache))
    run = short(some, cached=False)
    monkeypatch.setattr(training.os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run.save(cache / "runs" / "run.npz")
    assert not list((cache / "runs").iterdir())


def test_a_full_disk_loses_no_run(some, monkeypatch):
    def full(*_, **__):
        raise OSError("No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.warns(UserWarning, match="could not be kept in .*No space left"):
        run = short(some)
    assert len(run.losses) == 4


@pytest.mark.parametrize(
    ("loss", "options", "message"),
    [
        ("arcfase", {}, "did you mean 'arcface'"),
        ("arcface", {"margn": 0.2}, "did you mean 'margin'"),
        ("arcface", {"margin": -0.2}, "margin must be a number from 0 to 3.14159, not -0.2"),
        ("softmax", {"margin": 0.2}, "no option of softmax 'margin'"),
        ("contrastive", {"preset": "fast"}, "no preset 'fast': there are quick, full"),
        ("contrastive", {"batch": 5000}, "batch must be from 2 to the 1000 training images, not 5000"),
        ("contrastive", {"images": 10}, "images must be a number from 128"),
        ("contrastive", {"images": 0}, "images must be a number from 128"),
        ("contrastive", {"embed_dim": 0}, "embed_dim must be at least 1, not 0"),
    ],
)
def test_bad_input_is_named(some, loss, options, message):
    with pytest.raises(ValueError, match=message):
        fslviz.train(loss, some, **{"batch": 128, "device": "cpu", **options})


def test_progress_shows_loss_and_accuracy(some, capsys):
    fslviz.train("contrastive", some, images=64 * 25, batch=64, device="cpu", cached=False)
    shown = capsys.readouterr().err
    assert "loss=" in shown
    assert "accuracy=" in shown


def test_a_run_goes_on_from_another(some):
    first = short(some)
    network = first.model.state_dict()
    on = short(some, start=first)
    assert on.recipe != short(some).recipe
    untouched = fslviz.train("contrastive", some, images=64, batch=64, device="cpu", start=first)  # one step, at rate 0
    assert torch.equal(untouched.model.state_dict()["linear.weight"], network["linear.weight"])
    assert not torch.equal(on.model.state_dict()["linear.weight"], network["linear.weight"])
    with pytest.raises(ValueError, match="start must have embed_dim 3, not 2"):
        short(some, start=first, embed_dim=3)


def test_a_loss_has_a_weight_for_each_class_there_is(some):
    run = short(some.classes(3, 7, 9), "softmax")
    assert run.loss.weight.shape == (3, 2)
    assert set(run.train_labels.tolist()) == {3, 7, 9}
