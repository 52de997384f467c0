import contextlib
import copy
import json
import shutil
import subprocess
import sys
import threading
import types
import unittest.mock
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

import fslviz
from fslviz import devices, files, runs, training
from fslviz.data import Data
from fslviz.models import EmbeddingNet
from fslviz.runs import LOSSES, Recipe, Run


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
    return fslviz.train(loss, some, **{"images": 256, "batch": 64, "device": "cpu", **more})


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
    torch.manual_seed(0)
    with torch.no_grad():
        before = [EmbeddingNet(2).eval()(x).numpy() for x in (some.train_images, some.test_images)]
    chance = fslviz.knn_accuracy((before[0], some.train_labels.numpy()), (before[1], some.test_labels.numpy()))
    assert fslviz.knn_accuracy(run.reference(), run.query()) > chance + 0.15
    assert run.losses[-20:].mean() < run.losses[:20].mean()


def test_same_seed_same_numbers(some):
    state = torch.get_rng_state()
    first, again, other = (short(some, "triplet", mining="random", cached=False, seed=s) for s in (1, 1, 2))
    assert np.array_equal(first.losses, again.losses)
    assert np.array_equal(first.query()[0], again.query()[0])
    assert not np.array_equal(first.losses, other.losses)
    assert torch.equal(state, torch.get_rng_state())  # the reader's own random numbers are left alone


def test_a_run_holds_what_it_says(some):
    run = short(some, "arcface", margin=0.2, embed_dim=3)
    assert run.seen.tolist() == [0, 64, 128, 192]
    assert run.losses.shape == run.accuracies.shape == (4,)
    assert run.moments.tolist() == [0, 64, 128, 192, 256]
    trail = run.trail(some.test_images[:50])
    assert trail.shape == (5, 50, 3)
    assert np.array_equal(trail[::2], run.trail(some.test_images[:50], every=2))
    run.trail(some.test_images[:50], every=3)  # ends before the end, and leaves the network there
    assert np.array_equal(trail[-1], run.embed(some.test_images[:50]))
    assert not np.allclose(trail[0], trail[-1], atol=1e-2)
    assert run.cosine
    for part in (run.query(), run.reference()):
        assert np.allclose(np.linalg.norm(part[0], axis=1), 1)
    assert run.loss.margin == 0.2
    assert not short(some).cosine


def test_a_run_embeds_what_is_asked_for_and_no_more(some, monkeypatch):
    run, embedded = short(some, "arcface"), []
    monkeypatch.setattr(Run, "embed", lambda self, x, embed=Run.embed: embedded.append(len(x)) or embed(self, x))
    places, labels = run.places(30)
    assert (places.shape, embedded) == ((30, 2), [200])  # whole chunks, of which there is one
    assert np.array_equal(labels, some.test_labels[_among(places, run.places()[0])])
    assert np.array_equal(run.compared(places), run.query(30)[0])
    assert embedded == [200]
    part = run.reference(300)
    assert embedded == [200, 500]
    assert np.array_equal(run.reference(100)[0], part[0][:100])  # the beginning of a larger part
    whole = run.reference()
    assert embedded == [200, 500, 500]
    assert np.array_equal(whole[1], some.train_labels)
    assert np.array_equal(part[1], whole[1][_among(part[0], whole[0])])
    assert np.allclose(run.embed(some.train_images), run._places("train", None)[0], atol=1e-5)
    assert len(run.query(10**6)[0]) == 200


def _among(places, whole):
    """Where each of the places (n, D) stands in the whole (N, D), each at one of its own."""
    found = np.array([np.flatnonzero((whole == place).all(1))[0] for place in places])
    assert len(set(found)) == len(found)
    return found


def test_a_part_is_drawn_from_what_is_in_the_order_of_its_classes(some):
    order = some.train_labels.argsort()
    x, y = some.train_images[order], some.train_labels[order]
    run = short(Data(x, y, x, y, "in order"))
    for part in (run.query(200), run.places(200), run.reference(200)):
        assert np.abs(np.bincount(part[1], minlength=10) / 200 - np.bincount(y) / 1000).max() < 0.08
    assert np.array_equal(run.query()[1], y)
    assert np.array_equal(run.query(200)[0], short(Data(x, y, x, y, "in order")).query(200)[0])


@pytest.mark.parametrize("count", [None, 50])
@pytest.mark.parametrize("part", ["places", "query", "reference"])
def test_what_a_run_hands_out_is_the_callers_own(some, part, count):
    run = short(some)
    before = [x.copy() for x in getattr(run, part)(count)], some.test_labels.clone(), some.train_labels.clone()
    for x in getattr(run, part)(count):
        x += 5
    assert all(map(np.array_equal, getattr(run, part)(count), before[0]))
    assert torch.equal(some.test_labels, before[1])
    assert torch.equal(some.train_labels, before[2])


def test_what_has_changed_is_embedded_anew(some):
    mine = replace(some, test_images=some.test_images.clone())
    run = short(mine)
    places, _ = run.query()
    mine.test_images[:5] += 0.5
    assert (run.query()[0] != places).any(1).tolist() == [True] * 5 + [False] * 195
    mine.test_images.numpy()[:5] -= 0.5
    assert np.allclose(run.query()[0], places, atol=1e-4)
    other = replace(run, data=replace(some, test_images=some.test_images.flip(0), test_labels=some.test_labels.flip(0)))
    assert np.allclose(other.query()[0], run.query()[0][::-1], atol=1e-4)
    with torch.no_grad():
        run.model.linear.bias += 1
        assert np.allclose(run.query()[0], places + 1, atol=1e-4)
        run.model.features[1].running_mean += 1
    assert not np.allclose(run.query()[0], places + 1, atol=1e-2)


def test_half_precision_is_compared(some):
    run, z = short(some, "normface"), (np.sign(np.random.default_rng(0).normal(size=(4, 512))) * 12).astype(np.float16)
    assert np.allclose(np.linalg.norm(run.compared(z), axis=1), 1)
    assert np.array_equal(run.compared(np.zeros((1, 2), np.float16)), np.zeros((1, 2)))


def test_save_and_load(some, tmp_path):
    run = short(some, "cosface", margin=0.1)
    run.save(tmp_path / "deep" / "run.npz")
    same = fslviz.Run.load(tmp_path / "deep" / "run.npz")
    assert same.recipe == run.recipe
    assert same.seconds == run.seconds
    pixels = torch.randint(256, (3, 28, 28), dtype=torch.uint8)
    assert np.array_equal(same.embed(pixels), run.embed(pixels))
    assert np.array_equal(same.trail(some.test_images), run.trail(some.test_images))
    with pytest.raises(ValueError, match=r"loaded without its data: Run.load\(path, data\)"):
        same.query()
    whole = fslviz.Run.load(tmp_path / "deep" / "run.npz", some)
    assert np.array_equal(whole.query()[0], run.query()[0])
    with pytest.raises(ValueError, match="was trained on some digits .*, not on some digits, classes"):
        fslviz.Run.load(tmp_path / "deep" / "run.npz", some.classes(1, 2))
    assert np.array_equal(same.embed(some.test_images), run.embed(some.test_images))
    assert torch.equal(same.loss.weight, run.loss.weight)
    kept = {"header", "seen", "losses", "accuracies", "moments", "loss.weight"}
    kept |= {f"{part}.{name}" for part in ("model", "weights") for name in run.model.state_dict()}
    assert set(np.load(tmp_path / "deep" / "run.npz").files) == kept  # and nothing that a version of NumPy adds
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


@pytest.mark.parametrize(
    ("loss", "module", "was", "becomes", "anew"),
    [
        ("triplet", "losses", "return total / (", "# the mean\n        return total / (", False),
        ("triplet", "losses", "The mean over all triplets", "The average over all triplets", False),
        ("triplet", "losses", "return total / (", "return total / 2 / (", True),
        ("triplet", "losses", "return values.masked_fill", "return 2 * values.masked_fill", True),  # what it uses
        ("triplet", "losses", "batch = 128", "batch = 64", True),  # its base
        ("triplet", "losses", "push = d.square() / 2", "push = d.square() / 3", False),  # another loss
        ("triplet", "losses", "class Triplet", "class Another(Loss):\n    batch = 1\n\n\nclass Triplet", False),
        ("triplet", "margins", "cos - self.share", "cos + self.share", False),
        ("cosface", "margins", "cos - self.share", "cos + self.share", True),
        ("cosface", "margins", "cos * math.cos(m)", "cos * math.sin(m)", False),
        ("arcface", "margins", "cos - self.share", "cos + self.share", True),  # its base
        ("arcface", "margins", "clamp(-1, 1)", "clamp(-2, 2)", True),
        ("triplet", "models", "LeakyReLU(0.1", "LeakyReLU(0.2", True),
        ("triplet", "training", "RISE = 0.25", "RISE = 0.5", True),
        ("triplet", "devices", "GAIN = 0.95", "GAIN = 0.5", True),
    ],
)
def test_a_run_is_trained_anew_when_meaning_changes_and_not_when_words_do(
    tmp_path, monkeypatch, loss, module, was, becomes, anew
):
    recipe = Recipe(loss, {}, "digits", 2, 256, 64, 0, "cpu", "float32")
    key = recipe.key
    folder = shutil.copytree(runs.HERE, tmp_path / "fslviz", ignore=lambda _, names: set(names) - {*SOURCES})
    monkeypatch.setattr(runs, "HERE", folder)
    assert recipe.key == key
    source = (folder / f"{module}.py").read_text()
    assert was in source
    (folder / f"{module}.py").write_text(source.replace(was, becomes, 1))
    assert (recipe.key != key) == anew


SOURCES = [path.name for path in runs.HERE.glob("*.py")]


def test_a_key_is_of_all_that_defines_a_training(monkeypatch):
    recipe = Recipe("triplet", {}, "digits", 2, 256, 64, 0, "cpu", "float32")
    others = [
        replace(recipe, **{name: {"margin": 2.0} if name == "options" else "other"})
        for name in recipe.__dataclass_fields__
    ]
    keys = {other.key for other in (recipe, *others)}
    monkeypatch.setattr(torch, "__version__", "another")
    keys.add(recipe.key)
    assert len(keys) == 2 + len(recipe.__dataclass_fields__)


def test_home_is_understood_in_a_path(some, tmp_path, monkeypatch):
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    short(some, cached=False).save("~/run.npz")
    assert (tmp_path / "run.npz").is_file()
    assert len(fslviz.Run.load("~/run.npz").losses) == 4


def test_a_kept_run_takes_the_standard_of_its_data(some):
    short(some)
    run = short(replace(some, standard=fslviz.Standard(0, 1)))
    pixels = torch.randint(256, (3, 28, 28), dtype=torch.uint8)
    assert np.array_equal(run.embed(pixels), run.embed(pixels[:, None].float() / 255))


def test_a_loss_that_was_added_is_not_kept(some, cache, monkeypatch):
    monkeypatch.setitem(LOSSES, "mine", type("Mine", (LOSSES["triplet"],), {}))
    assert short(some, "mine").recipe.own  # the key would not know its code
    assert not (cache / "runs").exists()


def test_the_precision_that_is_asked_for_is_taken(some, monkeypatch):
    monkeypatch.setattr(devices, "precision", lambda _: pytest.fail("measured"))
    exact, rough = (short(some, precision=p) for p in ("float32", "bfloat16"))
    assert (exact.recipe.precision, rough.recipe.precision) == ("float32", "bfloat16")
    assert not np.array_equal(exact.losses, rough.losses)
    assert short(some, network=Flat(), precision="bfloat16").recipe.precision == "bfloat16"


def in_a_thread(work):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


@pytest.mark.parametrize("kind", ["random mining", "classes", "class weights", "dropout", "parts"])
def test_a_training_and_what_is_drawn_beside_it_leave_each_other_alone(some, monkeypatch, kind):
    dropout = nn.Sequential(nn.Flatten(), nn.Linear(784, 9), nn.Dropout(0.3), nn.Dropout1d(0.1), nn.Linear(9, 2))
    monkeypatch.setattr(training, "LARGE", 100)
    loss, options = {
        "random mining": ("triplet", {"mining": "random"}),
        "classes": ("triplet", {"classes": 4}),
        "class weights": ("cosface", {}),
        "dropout": ("triplet", {"network": dropout}),
        "parts": ("triplet", {"network": dropout, "batch": 128}),
    }[kind]
    alone = short(some, loss, cached=False, **options)
    drawn, before = [], (torch.backends.cudnn.deterministic, torch.get_rng_state())

    def watch(_):
        in_a_thread(lambda: drawn.append(torch.rand(3)))
        drawn.append(torch.rand(3))

    torch.manual_seed(9)
    beside = short(some, loss, cached=False, watch=watch, **options)
    assert np.array_equal(alone.losses, beside.losses)
    assert np.array_equal(alone.query()[0], beside.query()[0])
    torch.manual_seed(9)
    assert torch.equal(torch.stack(drawn), torch.stack([torch.rand(3) for _ in drawn]))
    assert torch.backends.cudnn.deterministic == before[0]
    torch.set_rng_state(before[1])


def test_two_trainings_at_once_are_those_one_after_the_other(some):
    gate = threading.Barrier(2, timeout=60)

    def train(seed, watch=None):
        return short(some, "triplet", seed=seed, mining="random", cached=False, watch=watch).losses

    apart = [train(0), train(1)]
    with ThreadPoolExecutor(2) as pool:  # step by step, so that each meets the other
        together = list(pool.map(train, (0, 1), [lambda _: gate.wait()] * 2))
    assert np.array_equal(apart, together)


DRAWS = [
    lambda: torch.randn(4, 5),
    lambda: torch.randint(9, (50,)),
    lambda: torch.randint(-9, 9, (50,)),
    lambda: torch.randperm(30),
    lambda: torch.normal(torch.zeros(9), 1.0),
    lambda: nn.functional.rrelu(-torch.ones(50), training=True),
    lambda: torch.ones(9).bernoulli_(0.5),
    lambda: torch.multinomial(torch.ones(20), 9),
    lambda: nn.LSTM(3, 4).weight_ih_l0.detach(),
    lambda: nn.functional.dropout(torch.ones(50), 0.3),
]


@pytest.mark.parametrize("draw", DRAWS)
def test_what_is_drawn_from_a_generator_of_its_own_is_what_the_seed_gives(draw):
    with torch.random.fork_rng():
        torch.manual_seed(-4)
        expected = draw(), draw()
    state, own = torch.get_rng_state(), devices.Random(-4)
    with own:
        first = draw()
    with own:
        assert torch.equal(draw(), expected[1])  # it goes on where it was
    assert torch.equal(first, expected[0])
    assert torch.equal(torch.get_rng_state(), state)
    mine = torch.Generator().manual_seed(1)
    with own:
        assert torch.equal(torch.rand(3, generator=mine), torch.rand(3, generator=mine.manual_seed(1)))


def test_what_takes_no_generator_is_seeded_by_one(monkeypatch):
    give = lambda: torch.ops.aten.native_dropout(torch.ones(99), 0.5, True)[1]  # noqa: E731 # a GPU's dropout
    state = torch.get_rng_state()
    with devices.Random(3):
        first = give(), give()
    torch.manual_seed(7)
    with devices.Random(3):
        assert all(map(torch.equal, first, (give(), give())))
    assert not torch.equal(*first)
    torch.set_rng_state(state)


@contextlib.contextmanager
def default(setter, value, usual):
    setter(value)
    try:
        yield
    finally:
        setter(usual)


SURROUNDINGS = {
    "no gradients": torch.no_grad,
    "inference": torch.inference_mode,
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
    "float64": lambda: default(torch.set_default_dtype, torch.float64, torch.float32),
    "another device": lambda: default(torch.set_default_device, "meta", None),
}


@pytest.mark.parametrize("around", SURROUNDINGS.values(), ids=SURROUNDINGS)
def test_what_the_caller_has_set_changes_nothing(some, tmp_path, around):
    for loss, options in (("arcface", {}), ("triplet", {"precision": "bfloat16", "classes": 4})):
        usual = short(some, loss, cached=False, **options)
        with around():
            run = short(some, loss, cached=False, **options)
            run.save(tmp_path / "run.npz")
            loaded = fslviz.Run.load(tmp_path / "run.npz", some)
            places, one = loaded.query()[0], loaded.embed(some.test_images[0].numpy())
            assert np.array_equal(run.trail(some.test_images[:5]), usual.trail(some.test_images[:5]))
            on = short(some, start=loaded, cached=False)
        assert np.array_equal(run.losses, usual.losses)
        assert np.array_equal(places, usual.query()[0])
        assert np.array_equal(one, usual.embed(some.test_images[0]))
        assert np.array_equal(on.losses, short(some, start=usual, cached=False).losses)


@pytest.mark.parametrize("around", SURROUNDINGS.values(), ids=SURROUNDINGS)
def test_what_is_ones_own_is_trained_whatever_is_set(some, around):
    network, loss = Flat(), Centred()
    usual = short(some, loss, network=network)
    with around():
        assert np.array_equal(short(some, loss, network=network).losses, usual.losses)
    assert short(some, loss, network=Flat().double()).query()[0].dtype == np.float32


@pytest.mark.parametrize("loss", [*LOSSES, "own"])
def test_where_there_is_nothing_to_learn_it_is_said(some, loss):
    given = Centred() if loss == "own" else loss
    each = replace(some, train_labels=torch.arange(1000))
    with pytest.raises(ValueError, match="nothing to learn: the 1000 training images are each of a class of its own"):
        short(each, given)
    one = replace(some, train_labels=torch.full((1000,), 3))
    with pytest.raises(ValueError, match="nothing to learn: the 1000 training images are all of one class"):
        short(one, given)


def test_one_image_of_a_class_in_a_batch_is_no_pair(some):
    with pytest.raises(ValueError, match=r"batch must be 2 to \d+ images of each of 8 classes, not 8 in all"):
        fslviz.train("triplet", some, images=64, batch=8, classes=8, device="cpu")
    assert len(fslviz.train("softmax", some, images=64, batch=8, classes=8, device="cpu").losses) == 8


@pytest.mark.parametrize("part", ["train", "test"])
@pytest.mark.parametrize(
    "labels", [torch.arange(150) % 4, torch.arange(1200) % 4, torch.eye(10)[torch.arange(1000) % 10]]
)
def test_labels_are_one_for_each_image(some, part, labels):
    bent = replace(some)
    object.__setattr__(bent, f"{part}_labels", labels)
    with pytest.raises(ValueError, match=rf"{part}_labels must .*\({labels.shape[0]},"):
        short(bent)


def test_a_whole_number_may_be_a_float(some):
    asked = {"images": 256.0, "batch": np.float32(64), "seed": 1.0, "embed_dim": 2.0, "classes": 4.0}
    recipes = [
        fslviz.train("triplet", some, device="cpu", **{k: kind(v) for k, v in asked.items()}).recipe
        for kind in (int, lambda v: v)
    ]
    assert recipes[0].key == recipes[1].key
    for name in asked:
        with pytest.raises(ValueError, match=f"{name} must be a whole number from .*, not .*5"):
            fslviz.train("triplet", some, device="cpu", **{**asked, name: asked[name] + 0.5})


def test_each_image_is_moved_each_way_alike():
    images = torch.zeros(900, 2, 9, 9)
    images[..., 4, 4] = 1
    with devices.Random(0):
        moved = training._shift(images)
    assert moved.shape == images.shape
    assert torch.equal(moved[:, 0], moved[:, 1]), "all its channels alike"
    counts = Counter(tuple(m[0].nonzero()[0].tolist()) for m in moved)
    assert set(counts) == {(4 + i, 4 + j) for i in (-1, 0, 1) for j in (-1, 0, 1)}
    assert min(counts.values()) > 60


def test_a_step_of_each_weight_is_as_long_as_the_recipe_says():
    network, loss = nn.Linear(6, 6), LOSSES["softmax"](4, 6)
    before = copy.deepcopy([*network.parameters(), *loss.parameters()])
    optimizer = training._Optimizer(network, loss, 0.5)
    optimizer.rate(0.25)  # the peak
    sum((w * torch.randn_like(w)).sum() for w in [*network.parameters(), *loss.parameters()]).backward()
    optimizer.step()
    weight, *others = (a - b for a, b in zip(before, [*network.parameters(), *loss.parameters()], strict=True))
    assert torch.linalg.svdvals(weight).mean().item() == pytest.approx(0.5 * 0.025, rel=0.3)  # Muon's: all directions
    for step, length in zip(others, (1e-3, 2e-2, 2e-2), strict=True):  # Adam's first is its rate
        torch.testing.assert_close(step.abs(), torch.full_like(step, 0.5 * length), rtol=1e-3, atol=0)


def test_every_step_follows_its_own_gradient_alone():
    network, loss = nn.Linear(6, 6), LOSSES["softmax"](4, 6)
    with torch.no_grad():
        network.weight.mul_(100)  # a decay of the weights would show
    optimizer = training._Optimizer(network, loss, 0.5)
    optimizer.rate(0.25)
    bias = nn.Parameter(network.bias.detach().clone())
    adam = torch.optim.Adam([bias], lr=0.5e-3, betas=(0.9, 0.99))
    for slope in (1.0, *[0.1] * 40):
        before = network.weight.detach().clone()
        (slope * (network.weight.trace() + network.bias.sum() + loss.weight.sum())).backward()
        optimizer.step()
        bias.grad = torch.full_like(bias, slope)
        adam.step()
        lengths = torch.linalg.svdvals(before - network.weight.detach())
        assert lengths.mean().item() == pytest.approx(0.5 * 0.025, rel=0.3)
    torch.testing.assert_close(network.bias, bias)


def test_the_seconds_are_those_of_all_steps(monkeypatch):
    ticks = iter([0.0, 1.0, 5.0, 7.0])
    monkeypatch.setattr(training, "time", types.SimpleNamespace(perf_counter=lambda: next(ticks)))
    record = training._Record(2, 64)
    for _ in range(2):
        with record.clock():
            pass
    assert record.seconds == 3


def test_who_watches_is_told_the_share_that_is_done(some):
    told = []
    short(some, watch=told.append)
    assert told == [0.25, 0.5, 0.75, 1]


def test_the_accuracies_are_the_shares_that_agree(some, monkeypatch):
    shares = iter([0.1, 0.2, 0.3, 0.9])
    monkeypatch.setattr(training, "_neighbours_agree", lambda z, y: torch.tensor(next(shares)))
    assert short(some).accuracies == pytest.approx([0.1, 0.2, 0.3, 0.9])


@pytest.mark.parametrize(("preset", "images"), [(None, 120_000), ("quick", 120_000), ("full", 720_000)])
def test_a_preset_is_so_many_images(some, monkeypatch, preset, images):
    monkeypatch.setattr(training, "_train", lambda recipe, *_: recipe)
    monkeypatch.setattr(devices, "precision", lambda device: "float32")
    recipe = fslviz.train("triplet", some, preset=preset, device="cpu", cached=False)
    assert (recipe.images, recipe.batch, recipe.embed_dim, recipe.rate, recipe.seed) == (images, 128, 2, 1, 0)


@pytest.mark.parametrize(("capability", "chosen"), [((7, 5), "float32"), ((8, 0), "bfloat16"), ((9, 0), "bfloat16")])
def test_a_gpu_that_has_bfloat16_trains_in_it(monkeypatch, capability, chosen):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert devices.precision("cuda") == chosen


def test_images_that_are_not_finite_have_no_place(some):
    images = some.test_images[:3].clone()
    images[1, 0, 5, 5] = float("nan")
    with pytest.raises(ValueError, match="images must be finite: there are NaN or infinite pixels"):
        short(some).embed(images)


def test_on_another_device_a_run_embeds_in_what_suits_that(some, monkeypatch):
    run = short(some, precision="float32")
    expected = run.embed(some.test_images)
    run.recipe = replace(run.recipe, device="cuda", precision="bfloat16")
    monkeypatch.setattr(runs, "_available", lambda device: device == "cpu")
    monkeypatch.setattr(devices, "precision", lambda device: "float32")
    assert np.array_equal(run.embed(some.test_images), expected)


def test_the_rates_rise_for_a_quarter_and_fall_to_nothing():
    optimizer = training._Optimizer(nn.Linear(2, 2), LOSSES["softmax"](2, 2), 1.0)
    rates = []
    for progress in (0, 0.125, 0.25, 0.625, 1):
        optimizer.rate(progress)
        rates.append([o.param_groups[0]["lr"] / peak for o, peak in optimizer.peaks])
    assert np.allclose(rates, np.array([[0], [0.5], [1], [0.5], [0]]))


def test_the_first_rate_is_that_of_the_beginning(some, monkeypatch):
    told = []
    monkeypatch.setattr(training._Optimizer, "rate", lambda self, progress: told.append(progress))
    short(some)
    assert told == [0, 0.25, 0.5, 0.75]


def test_weights_are_kept_at_25_moments_closer_at_first(some):
    run = fslviz.train("contrastive", some, images=2 * 600, batch=2, device="cpu", cached=False)
    assert run.moments.tolist() == [2 * round(600 * (i / 24) ** 1.5) for i in range(25)]
    assert {len(kept) for kept in run.weights.values()} == {25}


def test_two_who_ask_for_one_run_train_it_once(some, monkeypatch):
    trained, train = [], training._train
    monkeypatch.setattr(training, "_train", lambda *rest: trained.append(1) or train(*rest))
    with ThreadPoolExecutor() as pool:
        first, other = pool.map(lambda _: short(some), range(2))
    assert len(trained) == 1
    assert np.array_equal(first.losses, other.losses)


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
    monkeypatch.setattr(files.os, "replace", interrupted)
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
        ("contrastive", {"batch": 5000}, "batch must be a .*number from 2 to 1000, not 5000"),
        ("contrastive", {"images": 10}, "images must be a .*number from 128"),
        ("contrastive", {"images": 0}, "images must be a .*number from 128"),
        ("contrastive", {"embed_dim": 0}, "embed_dim must be a .*number from 1 to .*, not 0"),
        ("contrastive", {"classes": 1}, "classes must be a .*number from 2 to 10, not 1"),
        ("contrastive", {"classes": 3}, r"batch must be 2 to \d\d images of each of 3 classes, not 128 in all"),
        ("contrastive", {"classes": 2, "batch": 500}, r"2 to \d\d images of each of 2 classes, not 500 in all"),
        ("contrastive", {"precision": "float16"}, "no precision 'float16': there are float32, bfloat16"),
        ("contrastive", {"margin": np.array([0.1])}, "margin must be a number from 0 to 10000, not array"),
        ("contrastive", {"rate": -1}, "rate must be a number from 0 to 1000, not -1"),
        ("softmax", {"bias": "no"}, "bias must be True or False, not 'no'"),
    ],
)
def test_bad_input_is_named(some, loss, options, message):
    with pytest.raises(ValueError, match=message):
        fslviz.train(loss, some, **{"batch": 128, "device": "cpu", **options})


def test_progress_shows_loss_and_accuracy(some, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
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


def test_a_batch_is_of_so_many_classes(some, monkeypatch):
    seen = []
    with monkeypatch.context() as patched:
        patched.setattr(training, "_neighbours_agree", lambda z, y: seen.append(y) or torch.zeros(()))
        run = fslviz.train("triplet", some, images=64 * 60, classes=3, device="cpu", cached=False)
    assert run.recipe.batch == 126  # the most that 128 holds in three equal parts
    parts = [y.unique(return_counts=True) for y in seen]
    assert {tuple(counts.tolist()) for _, counts in parts} == {(42, 42, 42)}
    assert len({tuple(kinds.tolist()) for kinds, _ in parts}) > 5
    labels = torch.arange(6) // 3
    drawn = training._batches(labels, 4, 2)
    assert sorted(torch.cat([next(drawn) for _ in range(30)]).unique().tolist()) == list(range(6))
    assert short(some, classes=4).recipe != short(some).recipe


@pytest.mark.parametrize("name", ["linear.weight", "linear.bias"])  # Muon's and Adam's
def test_the_rate_scales_every_step(some, name):
    weights = {r: short(some, rate=r, cached=False).model.state_dict()[name] for r in (0, 1e-3, 1)}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        start = EmbeddingNet(2).state_dict()[name]
    assert torch.equal(weights[0], start)
    assert 0 < (weights[1e-3] - start).norm() < 0.1 * (weights[1] - start).norm()


def test_softmax_without_a_bias_is_kept_as_such(some):
    run = short(some, "softmax", bias=False)
    assert [name for name, _ in run.loss.named_parameters()] == ["weight"]
    with unittest.mock.patch.object(training, "_train", side_effect=AssertionError("trained again")):
        assert short(some, "softmax", bias=False).loss.bias is None


def test_a_loss_has_a_weight_for_each_class_there_is(some):
    run = short(some.classes(3, 7, 9), "softmax")
    assert run.loss.weight.shape == (3, 2)
    assert set(run.reference()[1].tolist()) == {3, 7, 9}


class Flat(nn.Module):
    """A network of one's own, for images of any size: one layer to three dimensions."""

    def __init__(self, pixels=784, dim=3):
        super().__init__()
        self.layer = nn.Linear(pixels, dim)

    def forward(self, x):
        return self.layer(x.flatten(1))


class Centred(nn.Module):
    """A loss of one's own: every class towards its own point, which it learns."""

    cosine, batch = True, 32

    def __init__(self, classes=10, dim=3):
        super().__init__()
        self.points = nn.Parameter(torch.randn(classes, dim))

    def forward(self, z, y):
        return (z - self.points[y]).square().sum(1).mean()


def test_a_network_and_a_loss_of_ones_own(some, cache):
    torch.manual_seed(0)
    network, loss = Flat(), Centred()
    kept = copy.deepcopy([network.state_dict(), loss.state_dict()])
    run = fslviz.train(loss, some, network=network, images=3200, device="cpu")
    assert run.losses[-5:].mean() < 0.7 * run.losses[:5].mean()
    assert (run.recipe.loss, run.recipe.embed_dim, run.recipe.batch, run.cosine) == ("Centred", 3, 32, True)
    assert run.query()[0].shape == (200, 3)
    for module, state in zip((network, loss), kept, strict=True):  # copies were trained
        assert all(torch.equal(value, state[name]) for name, value in module.state_dict().items())
    again = fslviz.train(loss, some, network=network, images=3200, device="cpu")
    assert np.array_equal(again.losses, run.losses)
    assert not (cache / "runs").exists()
    with pytest.raises(ValueError, match="loss or network of your own can't be saved"):
        run.save(cache / "run.npz")
    on = fslviz.train("triplet", some, start=run, images=640, device="cpu")
    assert isinstance(on.model, Flat)
    assert on.recipe.own
    assert not (cache / "runs").exists()
    assert fslviz.train("arcface", some, network=network, images=640, device="cpu").loss.weight.shape == (10, 3)


def test_images_of_another_size_and_colour(some):
    large = Data(
        torch.randn(64, 3, 20, 12), torch.arange(64) % 4, torch.randn(8, 3, 20, 12), torch.arange(8) % 4, "large"
    )
    lazy = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Flatten(), nn.LazyLinear(2))
    run = fslviz.train("softmax", large, network=lazy, images=256, batch=32, device="cpu")
    assert run.query()[0].shape == (8, 2)
    assert not torch.equal(run.weights["0.weight"][0], run.weights["0.weight"][-1])  # the convolution is trained too


class Given(nn.Module):
    """Gives the same whatever it gets."""

    def __init__(self, what):
        super().__init__()
        self.what, self.weight = what, nn.Parameter(torch.zeros(1))

    def forward(self, *_):
        return self.what


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"network": Flat(100)}, r"Flat does not take images of shape \(2, 1, 28, 28\): mat1 and mat2"),
        (
            {"network": Given(torch.zeros(2))},
            r"Given must give embeddings \(B, D\), of two images \(2, D\), not \(2,\)",
        ),
        ({"network": Given("words")}, "Given must give embeddings .*, not str"),
        ({"network": nn.Flatten()}, "Flatten has no weight to train"),
        ({"network": Flat(), "embed_dim": 2}, "network must have embed_dim 2, not 3"),
        ({"loss": Centred(dim=5)}, r"Centred does not take embeddings \(2, 2\) and labels \(2,\): The size"),
        (
            {"loss": Given(torch.zeros(2, requires_grad=True))},
            r"Given must give a scalar with a gradient, not shape \(2,\)",
        ),
        ({"loss": Given(torch.tensor(1.0))}, r"Given must give a scalar with a gradient, not tensor\(1.\)"),
        ({"loss": Centred(dim=2), "margin": 1.0}, "options go to a loss of LOSSES, not to Centred: margin"),
    ],
)
def test_what_is_ones_own_and_does_not_fit_is_named(some, arguments, message):
    with pytest.raises(ValueError, match=message):
        fslviz.train(**{"loss": "triplet", "data": some, "device": "cpu", "images": 256, **arguments})


def test_the_backbone_says_what_it_takes(some):
    small = Data(*(t[:64] for t in (torch.zeros(64, 1, 20, 20), some.train_labels)), *_test(some), "small")
    with pytest.raises(
        ValueError, match=r"EmbeddingNet does not take .* \(2, 1, 20, 20\): x must be .* \(B, 1, 28, 28\)"
    ):
        short(small)


def test_start_brings_its_own_network(some):
    with pytest.raises(ValueError, match="give start or network, not both"):
        short(some, start=short(some), network=Flat())


@pytest.mark.parametrize(
    ("seconds", "chosen"), [((2.0, 1.0), "bfloat16"), ((1.0, 2.0), "float32"), ((1.0, 1.0), "float32")]
)
def test_the_faster_precision_is_taken_and_kept(some, cache, monkeypatch, seconds, chosen):
    measured = []
    times = dict(zip(devices.DTYPES, seconds, strict=True))
    monkeypatch.setattr(devices, "_measure", lambda: measured.append(1) or times)
    devices.probe.cache_clear()
    assert short(some).recipe.precision == chosen
    devices.probe.cache_clear()  # another process
    assert devices.precision("cpu") == chosen
    assert len(measured) == 1
    assert json.loads((cache / "precision.json").read_text()) == {devices.processor(): times}
    others = '{"another processor": {"float32": 1, "bfloat16": 2}}'
    for found in ('{"damaged', others, "[]", json.dumps({devices.processor(): 1})):
        (cache / "precision.json").write_text(found)
        devices.probe.cache_clear()
        assert devices.precision("cpu") == chosen
        assert json.loads((cache / "precision.json").read_text())[devices.processor()] == times
        assert ("another" in (cache / "precision.json").read_text()) == (found == others)
    assert len(measured) == 5
    devices.probe.cache_clear()


def test_the_precision_is_that_of_the_convolutions(some, monkeypatch):
    seen = set()

    class Watched(EmbeddingNet):
        def forward(self, x):
            seen.add(self.features(x).dtype)
            return super().forward(x)

    for chosen, dtype in devices.DTYPES.items():
        monkeypatch.setattr(devices, "precision", lambda _, chosen=chosen: chosen)
        seen.clear()
        run = short(some, network=Watched())
        run.query()
        assert dtype in seen
        assert seen <= {dtype, torch.float32}  # the first look at two images is in float32


def test_the_last_layer_is_exact_in_every_precision():
    net, x = EmbeddingNet().eval(), fslviz.load().test_images[:4]
    with torch.no_grad(), devices.autocast("cpu", "bfloat16"):
        h, z = net.features(x).flatten(1), net(x)
    assert (h.dtype, z.dtype) == (torch.bfloat16, torch.float32)
    assert torch.equal(z, net.linear(h.float()))


def test_the_probe_measures_both(cache):
    state = torch.get_rng_state()
    seconds = devices._measure(tries=1)
    assert torch.equal(torch.get_rng_state(), state)
    assert set(seconds) == {"float32", "bfloat16"}
    assert all(0 < s < 60 for s in seconds.values())


def test_a_batch_in_parts_has_the_gradient_of_the_whole(some, monkeypatch):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Dropout(0.0), nn.Linear(784, 2))
    recipe = Recipe("triplet", {}, "", 2, 150, 150, 0, "cpu", "float32")
    monkeypatch.setattr(training, "LARGE", 100)
    drawn = devices.Random(0)
    first = [training._backward(network, LOSSES["triplet"](), *_batch(some), recipe, drawn)]
    gradients = [[w.grad.clone() for w in network.parameters()]]
    monkeypatch.undo()
    network.zero_grad()
    first.append(training._backward(network, LOSSES["triplet"](), *_batch(some), recipe, drawn))
    gradients.append([w.grad for w in network.parameters()])
    torch.testing.assert_close(*first)
    torch.testing.assert_close(*gradients)


def test_both_passes_of_a_part_draw_the_same(some, monkeypatch):
    monkeypatch.setattr(training, "LARGE", 100)
    drawn = []

    class Drawing(nn.Dropout):
        def forward(self, x):
            drawn.append(out := super().forward(x))
            return out

    network = nn.Sequential(nn.Flatten(), nn.Linear(784, 5), Drawing(0.5)).train()
    recipe = Recipe("triplet", {}, "", 5, 150, 150, 0, "cpu", "float32", own=True)
    training._backward(network, LOSSES["triplet"](), *_batch(some), recipe, devices.Random(0))
    first, again = drawn[:3], drawn[3:]
    assert all(torch.equal(a == 0, b == 0) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0] == 0, first[1] == 0)


def _batch(some):
    return some.train_images[:150], some.train_labels[:150]


def test_a_batch_of_thousands_fits_in_two_gigabytes():
    program = """
import resource, fslviz
run = fslviz.train("triplet", fslviz.load("mnist"), images=8192, batch=4096, device="cpu", cached=False)
assert len(run.losses) == 2
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 2


def test_an_epoch_has_every_image_once():
    drawn = training._drawn(torch.arange(10) + 5, 4)
    for _ in range(3):
        epoch = torch.cat([next(drawn), next(drawn)])  # the two that are left over are of another epoch
        assert len(epoch.unique()) == 8
        assert set(epoch.tolist()) <= set(range(5, 15))


def test_an_image_that_is_moved_goes_on_at_its_edge():
    image = torch.arange(25.0).view(1, 1, 5, 5).expand(2, 3, 5, 5)
    with devices.Random(1):
        assert all(training._shift(image).min() >= 0 and training._shift(image)[0, 0, 2, 2] >= 6 for _ in range(30))
        assert {float(training._shift(image + 7).min()) for _ in range(30)} >= {7.0, 8.0, 12.0, 13.0}


def test_the_share_that_agrees_is_of_each_images_nearest_other():
    z = torch.tensor([[0.0], [1.0], [5.0], [5.5], [9.0]])
    assert training._neighbours_agree(z, torch.tensor([0, 0, 1, 2, 2])).item() == pytest.approx(3 / 5)


def test_a_loss_is_told_how_far_the_training_is_and_a_network_that_it_trains(some):
    class Told(Centred):
        shares = []  # noqa: RUF012

        def anneal(self, share):
            self.shares.append(share)

    class Mode(Flat):
        modes = []  # noqa: RUF012

        def forward(self, x):
            self.modes.append(self.training)
            return super().forward(x)

    short(some, Told(), network=Mode())
    assert Told.shares == [0, 0.25, 0.5, 0.75]
    assert Mode.modes == [False, True, True, True, True]  # the first look is none of the training


def test_a_run_is_told_in_a_line(some):
    run = short(some, margin=2.0)
    seen = f"{run.recipe.images:,} images seen, 2-D"
    assert repr(run) == f"Run of {run.recipe.loss}, margin 2.0, on {some.name}: {seen}"
    assert ", margin 0.1," in repr(fslviz.train("cosface", some, images=64, batch=64)), "the default"
    assert "margin" not in repr(fslviz.train("softmax", some, images=64, batch=64))


@pytest.mark.parametrize("loss", ["softmax", "normface"])  # with weights as long as those of ten classes: 5.4 and 4.4
def test_class_weights_learn_of_hundreds_of_classes(loss):
    names = list(fslviz.data.characters.files())[1000:1400]
    data = fslviz.data.draw_characters(names, 10).split(known=names, unseen=[])
    run = fslviz.train(loss, data, embed_dim=64, images=8000, precision="float32", device="cpu")  # 20 of each
    assert run.losses[-20:].mean() < 3.2, "where guessing costs 6.0"
