"""The explorer's pack: what it holds is what its runs give, and the built script is that of the source."""

import functools
import json
import re
import shutil
import subprocess
import zlib
from dataclasses import replace

import numpy as np
import pytest
import torch

import fslviz
from fslviz import characters, training
from fslviz.explorer import pack

# ---- the pack, and the built script


@pytest.mark.parametrize("name", ["contrastive@1", "cosface@1.2", "softmax"])
def test_the_packs_numbers_come_from_its_weights(name):
    digits, space = fslviz.load(), pack.manifest()["spaces"][name]
    network = pack.Network.read(name)
    z = network.embed(digits.test_images)
    compared = z / np.linalg.norm(z, axis=1, keepdims=True) if space["cosine"] else z
    rates = fslviz.error_rates(fslviz.all_pairs((compared, digits.test_labels.numpy())))
    assert abs(fslviz.eer(rates) - space["merits"]["EER"]) < 2e-3
    planes = np.frombuffer(pack.part(f"{name}/points"), np.uint8).reshape(2, -1)
    places = np.ascontiguousarray(planes.T).view("<i2").reshape(-1, 2) / pack.GRAIN
    ours = (z[: pack.SHOWN] - space["middle"]) / space["radius"] @ np.array(space["turn"])
    assert np.abs(places - ours).max() < 2 / pack.GRAIN


def test_each_channel_has_eight_bits_of_its_own():
    size = torch.tensor([0.01, 1.0, 100.0])[:, None, None, None]
    weight = size * torch.randn(3, 4, 3, 3, generator=torch.Generator().manual_seed(0))
    scale, rounded = pack._eight_bits(weight)
    assert rounded.flatten(1).abs().amax(1).tolist() == [127, 127, 127]
    assert ((rounded * scale.view(3, 1, 1, 1) - weight).abs() <= 0.51 * scale.view(3, 1, 1, 1)).all()


def test_eight_bits_cost_little():
    spaces = pack.manifest()["spaces"].values()
    lost = [s["unpacked 15-NN"] - s["merits"]["15-NN"] for s in spaces if s["margin"] != 0]
    assert max(lost) < 0.005


def test_the_sweep_is_whole():
    manifest = pack.manifest()
    names = [f"{k}@{m:g}" for k, v in pack.MARGINS.items() for m in v] + ["softmax", "normface", *pack.SIX]
    assert sorted(manifest["spaces"]) == sorted(names)
    assert manifest["images"] >= 120_000
    for name, space in manifest["spaces"].items():  # each tells the margin that it was trained with
        loss = pack.SIX.get(name, space["loss"])
        margin = pack.DEFAULT.get(loss) if name in pack.SIX or "@" not in name else float(name.split("@")[1])
        assert space["margin"] == margin, name


def test_the_sweep_goes_on_where_it_stopped(monkeypatch, tmp_path):
    digits = fslviz.load()
    few = replace(
        digits,
        train_images=digits.train_images[:1000],
        train_labels=digits.train_labels[:1000],
        test_images=digits.test_images[:600],
        test_labels=digits.test_labels[:600],
        name="few",
    )
    for name, count in (("SHOWN", 500), ("KNOWN", 200), ("TRAIL", 100)):
        monkeypatch.setattr(pack, name, count)
    monkeypatch.setenv("FSLVIZ_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(pack, "HERE", tmp_path)
    monkeypatch.setattr(pack, "MARGINS", {"contrastive": [0.5, 1.0], "softmax": []})
    monkeypatch.setattr(pack, "SIX", {"softmax-six": "softmax"})
    monkeypatch.setattr(pack, "load", lambda name: few)
    monkeypatch.setattr(pack, "IMAGES", 3200)
    monkeypatch.setattr(pack, "train", functools.partial(fslviz.train, batch=16))
    monkeypatch.setattr(pack, "add_lab", lambda *_: None)  # which a test of its own tries
    trained, allowed, trains = [], 2, training._train

    def counted(recipe, *rest):
        if len(trained) == allowed:
            raise KeyboardInterrupt
        trained.append((recipe.loss, recipe.options))
        return trains(recipe, *rest)

    monkeypatch.setattr(training, "_train", counted)
    with pytest.raises(KeyboardInterrupt):
        pack.sweep()
    assert [p.name for p in tmp_path.iterdir()] == ["cache"]  # nothing half-written
    allowed = 9
    pack.sweep()
    assert trained == [("contrastive", {}), ("contrastive", {"margin": 0.5}), *[("softmax", {})] * 2]
    manifest = pack.manifest()
    assert list(manifest["spaces"]) == ["contrastive@0.5", "contrastive@1", "softmax", "softmax-six"]
    assert manifest["spaces"]["softmax-six"]["classes"] == [1, 2, 3, 6, 7, 9]
    assert manifest["spaces"]["softmax-six"]["margin"] is None
    network = pack.Network.read("contrastive@1")
    sides = (few.train_images, few.train_labels), (few.test_images, few.test_labels)
    merits = fslviz.merits(*((network.embed(images), labels.numpy()) for images, labels in sides))
    assert manifest["spaces"]["contrastive@1"]["merits"] == merits  # as they are: who shows a figure rounds it
    spoiled = {k: v | {"merits": {}} for k, v in manifest["spaces"].items()}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest | {"spaces": spoiled}))
    pack.measure()
    assert pack.manifest() == manifest
    run = pack.train("softmax", few, images=3200)
    assert (manifest["seed"], manifest["images"], manifest["data"]) == (0, 3200, run.recipe.data)
    z = pack.Network.read("softmax").embed(few.test_images[:200])
    assert np.abs(z - run.embed(few.test_images[:200])).max() < 0.1 * z.std()


@pytest.mark.parametrize("loss", ["contrastive", "softmax", "cosface"])
def test_what_is_packed_of_a_space_is_what_its_run_gives(loss, monkeypatch):
    for name, count in (("SHOWN", 300), ("KNOWN", 100), ("TRAIL", 100)):
        monkeypatch.setattr(pack, name, count)
    digits = fslviz.load()
    few = replace(digits, **{n: getattr(digits, n)[:400] for n in vars(digits) if n.endswith(("_images", "_labels"))})
    run = fslviz.train(loss, few, images=1600, batch=16, device="cpu", cached=False)
    with torch.no_grad():
        run.model.features[3].bias += 0.5  # which a network at its end seldom has
    run.weights["features.3.bias"][-1] += 0.5
    z = run.embed(few.test_images)
    beside = np.random.default_rng(0).normal(size=(300, 2))
    made = pack._Pack()
    places, entry = pack._space("one", run, few, beside, made)
    ours = pack.Network.of(run.model).embed(few.test_images)
    assert np.abs(ours - z).max() < 0.05 * z.std()
    known = pack.Network.of(run.model).embed(few.train_images)
    sides = (run.compared(known), few.train_labels), (run.compared(ours), few.test_labels)
    assert entry["merits"] == pytest.approx(fslviz.merits(*sides))
    middle = ours[:300].mean(0) if loss == "contrastive" else np.zeros(2)  # where the origin means something, it stays
    assert entry["middle"] == pytest.approx(middle, abs=1e-5)
    far = np.linalg.norm(ours[:300] - middle, axis=1)
    assert (np.linalg.norm(places, axis=1) <= 1).mean() == pytest.approx(0.98, abs=0.01)
    assert np.linalg.norm(places, axis=1) == pytest.approx(far / entry["radius"])

    def packed(name):
        start, length = made.index[f"one/{name}"]
        planes = np.frombuffer(zlib.decompress(b"".join(made.content)[start : start + length]), np.uint8)
        return np.ascontiguousarray(planes.reshape(2, -1).T).view("<i2").reshape(-1, 2)

    for name, embedded in (("points", ours[:300]), ("known", known[:100])):
        laid = (embedded - entry["middle"]) / entry["radius"] @ np.array(entry["turn"])
        assert packed(name) / pack.GRAIN == pytest.approx(laid, abs=1e-3)
    trail = packed("trail").reshape(-1, 100, 2).cumsum(0) / pack.COARSE
    assert len(trail) == len(entry["along"]) == len(entry["seen"])
    assert trail[-1] == pytest.approx(places[:100], abs=0.01)
    apart = np.array([np.linalg.norm(run.compared(z[:100]) - p, axis=1) for p in run.compared(z[:100])])
    nearest = (apart + np.diag([np.inf] * 100)).argmin(1)
    labels = few.test_labels.numpy()[:100]
    assert entry["along"][-1] == pytest.approx((labels[nearest] == labels).mean(), abs=1e-3)
    assert entry["along"][0] < entry["along"][-1]
    if loss != "contrastive":
        weight = run.loss.weight.detach().numpy()
        if loss == "cosface":  # its weights are directions, in units of the space
            weight = weight / np.linalg.norm(weight, axis=1, keepdims=True) / entry["radius"]
        told = places @ np.array(entry["weight"]).T + np.array(entry["bias"])
        bias = 0 if run.loss.bias is None else run.loss.bias.detach().numpy()
        assert told == pytest.approx(ours[:300] @ weight.T + bias, abs=1e-3 * np.abs(told).max())


def test_images_are_packed_in_sixteen_greys():
    greys = torch.arange(16).repeat(49)
    images = (greys.view(1, 1, 28, 28) / 15 - 0.1307) / 0.3081
    packed = pack._nibbles(images)
    assert np.stack([packed >> 4, packed & 15], 1).ravel().tolist() == greys.tolist()


def test_the_built_script_is_that_of_the_source(tmp_path):
    if not shutil.which("npx"):
        pytest.skip("needs Node")
    subprocess.run([pack.HERE / "build.sh", tmp_path], check=True, capture_output=True)
    for name in ("explorer.js", "lab.js", "door.js"):
        assert (tmp_path / name).read_bytes() == (pack.HERE / name).read_bytes()


def test_the_parts_that_need_no_page():
    """Losses, measures, links, geometry, by their own tests in TypeScript."""
    if not shutil.which("npx"):
        pytest.skip("needs Node")
    ran = subprocess.run([pack.HERE / "build.sh", "test"], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr


# t("...") or tNodes("..."), or a call of another kind
NO_LITERAL = r'(?<!\w)(?<!\w\.)t(Nodes)?\((?!\s*"([^"\\]|\\.)+"\s*[,)])|\$\{t(Nodes)?\('


def test_a_translator_finds_every_text_of_the_page():
    """Babel finds a text only where it is one literal, and not within a template."""
    sources = [path.read_text(encoding="utf-8") for path in (pack.HERE / "src").rglob("*.ts")]
    with_texts = [source for source in sources if '/texts"' in source]
    assert len(with_texts) > 20
    for source in with_texts:
        assert not (wrong := re.search(NO_LITERAL, source)), source[wrong.start() :][:80]


def test_the_pages_hand_has_the_numbers_of_pythons():
    source = (pack.HERE / "src/embedding/hand.ts").read_text()
    found = {}
    for names, values in re.findall(r"^const \[?([A-Z, ]+)\]? = \[?([\d., ]+)\]?;", source, re.MULTILINE):
        found |= dict(zip(names.split(", "), map(float, values.split(", ")), strict=True))
    for name in ("STEP", "TURN", "STRETCH", "MOVE", "BEND", "SLANT", "SHEAR", "WIDEN"):
        assert found[name] == getattr(characters, name), name
