"""The lab: gradients and trainings against PyTorch's, and what a reader sees it do."""

import json
import re
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import torch
from axe_playwright_python.sync_playwright import Axe
from browser_helpers import PAGE, QUIET, SEVEN, frame, picture, stroke
from PIL import Image
from scipy.spatial.distance import cdist
from torch.nn import functional as F

import fslviz
from fslviz import explorer
from fslviz.explorer import lab, pack

LOSSES = tuple(fslviz.LOSSES)
MARGINS = {
    "contrastive": (0, 0.5, 1, 4),
    "triplet": (0, 0.5, 1, 4),
    "sphereface": (1, 2, 4, 9),
    "cosface": (0, 0.1, 0.35, 1.2),
    "arcface": (0, 0.1, 0.5, 1.6),
}


@pytest.fixture(scope="module")
def bench(browser, tmp_path_factory):
    """A page that holds the lab's parts, without a worker."""
    folder = tmp_path_factory.mktemp("lab")
    (folder / "lab.js").write_bytes((pack.HERE / "lab.js").read_bytes())
    (folder / "lab.html").write_text('<meta charset="utf-8"><script src="lab.js"></script>')
    page = browser.new_page()
    page.goto((folder / "lab.html").as_uri())
    yield page
    page.close()


def pulled(page, loss, z, y, weight, bias, held):
    """Loss and gradients as the page has them."""
    told = page.evaluate(
        """([loss, z, y, weight, bias, held]) => { const back = fslvizLab.lossAndGradients(loss, Float32Array.from(z),
        Uint8Array.from(y), held, { weight: Float32Array.from(weight), bias: Float32Array.from(bias) });
        return [back.value, [...back.z], [...(back.weight ?? [])], [...(back.bias ?? [])]]; }""",
        [loss, z.flatten().tolist(), y.tolist(), weight.flatten().tolist(), bias.tolist(), held],
    )
    return told[0], *(np.array(part) for part in told[1:])


def judge(loss, held, weight, bias):
    """The book's own loss, in double precision."""
    options = {"margin": held["margin"]} if hasattr(fslviz.LOSSES[loss], "MARGIN") else {}
    if loss == "triplet":
        options["mining"] = held["mining"]
    made = fslviz.runs.LOSSES[loss](**options)
    if hasattr(made, "weight"):
        made.weight = torch.nn.Parameter(weight.double())
    if loss == "softmax":
        made.bias = torch.nn.Parameter(bias.double())
    if hasattr(made, "scale"):
        made.scale = held["scale"]
    if hasattr(made, "share"):
        made.share = held["share"]
    if loss == "sphereface":
        made.lam = held["lambda"]
    return made


def cases():
    rng = torch.Generator().manual_seed(0)
    z, y = torch.randn(32, 2, generator=rng), torch.randint(10, (32,), generator=rng)
    weight = torch.randn(10, 2, generator=rng)
    axis = F.normalize(weight)[y]
    yield "spread", z, y
    yield "far out", 20 * z, y
    yield "one class", z, torch.full((32,), 3)
    yield "identical points", torch.ones(32, 2) * 0.3, y
    yield "on the axes", torch.cat([axis[:16], -axis[16:]]) * 2.0, y
    yield "at the origin", torch.cat([torch.zeros(4, 2), z[4:]]), y
    yield "no triplet", z[:10], torch.arange(10)
    yield "two images", z[:2], torch.tensor([1, 2])


@pytest.mark.parametrize("loss", LOSSES)
def test_gradients_agree_with_pytorch(bench, loss):
    rng = torch.Generator().manual_seed(0)
    weight, bias = torch.randn(10, 2, generator=rng), torch.randn(10, generator=rng)
    minings = [m for m in getattr(fslviz.LOSSES[loss], "MINING", ["all"]) if m != "random"]
    for name, z, y in cases():
        for margin in MARGINS.get(loss, (0,)):
            for mining in minings:
                if mining != "all" and name in ("on the axes", "identical points"):
                    continue  # among places at one distance, which is mined is no question of right or wrong
                angular = loss in ("normface", "cosface", "arcface")
                for share, scale in ((1.0, 16.0), (0.4, 30.0)) if angular else ((1.0, 16.0),):
                    held = {"margin": margin, "scale": scale, "mining": mining, "share": share, "lambda": 5 / share}
                    given = z.double().requires_grad_()
                    own = judge(loss, held, weight, bias)
                    value = own(given, y)
                    value.backward()
                    theirs = [given.grad.flatten()]
                    if hasattr(own, "weight"):
                        theirs.append(own.weight.grad.flatten())
                    if loss == "softmax":
                        theirs.append(own.bias.grad)
                    ours = pulled(bench, loss, z, y, weight, bias, held)
                    where = f"{loss}, {name}, margin {margin}, {mining}, share {share}"
                    assert ours[0] == pytest.approx(float(value), rel=1e-5, abs=1e-6), where
                    for mine, other in zip(ours[1:], theirs, strict=False):
                        off = np.linalg.norm(mine - other.numpy())
                        assert off <= 1e-4 * max(float(other.norm()), 1e-3), where


class Reckoned:
    """The same training in PyTorch, written a second time: the network, Muon in 32 bits, Adam."""

    def __init__(self, flat):
        self.net = lab.LabNet()
        sizes = [9 * 16, 144 * 32, 1568 * 8, 16, 32, 8]
        a, b, c, d, e, f = torch.tensor(flat).split(sizes)
        with torch.no_grad():
            self.net.features[0].weight.copy_(a.view(3, 3, 1, 16).permute(3, 2, 0, 1))
            self.net.features[2].weight.copy_(b.view(3, 3, 16, 32).permute(3, 2, 0, 1))
            self.net.linear.weight.copy_(c.view(7, 7, 32, 8)[..., :2].permute(3, 2, 0, 1).flatten(1))
            self.net.features[0].bias.copy_(d)
            self.net.features[2].bias.copy_(e)
            self.net.linear.bias.copy_(f[:2])
        self.muon = [self.net.features[0].weight, self.net.features[2].weight, self.net.linear.weight]
        self.momenta = [torch.zeros_like(w) for w in self.muon]
        biases = [self.net.features[0].bias, self.net.features[2].bias, self.net.linear.bias]
        self.adam = torch.optim.Adam(biases, lr=1e-3, betas=(0.9, 0.99))

    def step(self, value, muon, share):
        """``share``: of the rates, Muon's and Adam's."""
        rate, self.adam.param_groups[0]["lr"] = share * muon, share * 1e-3
        self.net.zero_grad()
        value.backward()
        with torch.no_grad():
            for weight, momentum in zip(self.muon, self.momenta, strict=True):
                momentum.lerp_(weight.grad, 0.05)
                x = weight.grad.lerp(momentum, 0.95).flatten(1)
                shape = x.shape
                x = x / x.norm()
                for _ in range(5):
                    gram = x @ x.T if shape[0] <= shape[1] else x.T @ x
                    poly = -4.775 * gram + 2.0315 * gram @ gram
                    x = 3.4445 * x + (poly @ x if shape[0] <= shape[1] else x @ poly)
                weight -= rate * max(1, shape[0] / shape[1]) ** 0.5 * x.view_as(weight)
        self.adam.step()


def test_a_hundred_steps_stay_beside_pytorch_s(bench):
    """From the same weights, over the same batches, the curves of the loss lie within 1% of one another."""
    data = fslviz.load()
    images = ((data.train_images[:500] * 0.3081 + 0.1307) * 255).round().byte().flatten(1)
    told = bench.evaluate(
        """async ([images, labels]) => { const { kernel, Training } = fslvizLab;
        const digits = { images: Uint8Array.from(images), labels: Uint8Array.from(labels) };
        const t = new Training(await kernel(), digits, { mean: 0.1307, std: 0.3081 }, 0);
        const flat = [...t.network.weights, ...t.network.biases].flatMap((p) => [...p.values]), steps = [];
        for (let i = 0; i < 100; i++) { const done = t.step('contrastive', { margin: 1, scale: 16, mining: 'all' });
        steps.push([done.value, done.picked, done.shifts]); } return [flat, steps]; }""",
        [images.flatten().tolist(), data.train_labels[:500].tolist()],
    )
    flat, steps = told
    mine, loss = Reckoned(flat), fslviz.losses.Contrastive(1.0)
    standard = (images.float() / 255 - 0.1307) / 0.3081
    theirs = []
    for i, (_, picked, shifts) in enumerate(steps):
        x = F.pad(standard[picked].view(-1, 1, 28, 28), (1, 1, 1, 1), value=-0.1307 / 0.3081)
        moved = [one[:, 1 - dy : 29 - dy, 1 - dx : 29 - dx] for one, (dx, dy) in zip(x, shifts, strict=True)]
        value = loss(mine.net(torch.stack(moved)), data.train_labels[picked])
        theirs.append(float(value))
        mine.step(value, 0.02, 1 / (1 + 128 * i / 60_000))
    ours = np.array([value for value, *_ in steps])
    smooth = lambda v: np.convolve(v, np.ones(20) / 20, "valid")  # noqa: E731
    assert np.abs(smooth(ours) / smooth(np.array(theirs)) - 1).max() < 0.01


def test_class_weights_begin_where_python_puts_them_and_two_change_places(bench):
    data = fslviz.load()
    images = ((data.train_images[:2000] * 0.3081 + 0.1307) * 255).round().byte().flatten(1)
    labels = data.train_labels[:2000]
    began, changed = bench.evaluate(
        """async ([images, labels]) => { const { kernel, Training } = fslvizLab;
        const digits = { images: Uint8Array.from(images), labels: Uint8Array.from(labels) };
        const t = new Training(await kernel(), digits, { mean: 0.1307, std: 0.3081 }, 0), began = [...t.head.weight];
        t.seat([0, 1, 2, 3, 9, 5, 6, 7, 8, 4]); t.seat([0, 1, 2, 3, 9, 5, 4, 7, 8, 6]);
        return [began, [...t.head.weight]]; }""",
        [images.flatten().tolist(), labels.tolist()],
    )
    began, changed = np.reshape(began, (10, 2)), np.reshape(changed, (10, 2))
    loss = fslviz.LOSSES["normface"]()
    loss.begin(torch.stack([images[labels == c].float().mean(0) for c in range(10)]))
    theirs = loss.weight.detach().numpy()
    assert np.allclose(np.abs(began), np.abs(theirs), atol=1e-3)  # which way an axis goes is open
    assert np.allclose(began * np.sign((began * theirs).sum(0)), theirs, atol=1e-3)
    assert (changed == began[[0, 1, 2, 3, 9, 5, 4, 7, 8, 6]]).all()


def test_the_start_comes_from_its_digits():
    images, labels = lab.digits(fslviz.load())
    packed = np.frombuffer(pack.part("lab/digits"), np.uint8)
    assert (packed[: 392 * 7000] == pack._nibbles(images)).all()
    assert (packed[392 * 7000 :] == labels.numpy()).all()
    assert len(np.frombuffer(pack.part("lab/net"), np.float32)) == 9 * 16 + 144 * 32 + 1568 * 8 + 16 + 32 + 8
    assert sum(len(pack.packed(p)) for p in ("lab", "lab/digits", "lab/net")) * 1.25 < 1e6
    assert images.shape == (7000, 1, 28, 28)


def test_a_network_is_laid_as_the_page_has_it():
    net, x = lab.LabNet(), fslviz.load().test_images[:20]
    assert torch.allclose(Reckoned(net.flat()).net(x), net(x), atol=1e-6)
    columns = net.flat()[9 * 16 + 144 * 32 :][: 1568 * 8].reshape(-1, 8)
    assert not columns[:, 2:].any()
    assert not net.flat()[-6:].any()


# ---- in the page


@pytest.fixture
def opened_lab(opened, site):
    (site / "lab.html").write_text(PAGE.format(explorer.mount(["contrastive"], ["draw", "enrol", "lab"])))

    def open_(state="", **options):
        return opened(f"lab.html{state}", **options)

    return open_


LAB = "document.querySelector('.fslviz-explorer').explorer.lab"


def told(page, key):
    """A figure of the lab, as a reader reads it."""
    text = page.locator(".fx-lab p.fx-figures").inner_text()
    found = [part for part in text.split(" · ") if key in part]
    return float(found[0].replace(key, "").replace(",", "").replace("%", "").split()[0]) if found else None


def until(page, condition):
    """Wait for what a machine of its own does in seconds, and a busy one in minutes."""
    page.wait_for_function(f"(lab => {condition})({LAB})", timeout=300_000)


def standing(page):
    """The images seen, once the worker has told that it isn't at work."""
    until(page, "lab.report.speed === 0")
    return told(page, "images seen")


def lately(page):
    """The loss, over the last points of its curve: a busy machine may have made few."""
    return np.mean(page.evaluate(f"{LAB}.history.points.slice(-10).map((p) => p.loss)"))


def follow(page, text):
    """Follow a link of the page, as a chapter has it."""
    page.evaluate(
        """text => { const link = document.querySelector('#link') ?? document.createElement('a');
        Object.assign(link, { id: 'link', href: `#explorer=v2;${text}`, textContent: text });
        document.querySelector('h1').after(link); }""",
        text,
    )
    page.locator("#link").click()


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def held(page):
    return page.evaluate("document.querySelector('.fslviz-explorer').explorer.state.lab")


# What is seen at each picture: how many of the digits lie inside the square, and how wide and high their dots spread,
# in parts of it.
SIGHTS = f"""(() => {{ const lab = {LAB}, {{ painter, space, square }} = lab; window.sights = [];
const paint = square.draw.bind(square);
const look = () => {{ const {{ side, dots }} = painter;
const {{ data }} = dots.getContext('2d').getImageData(0, 0, side, side);
let [left, right, top, bottom] = [side, 0, side, 0];
for (let i = 0; i < side * side; i++) if (data[4 * i + 3] > 40) {{ const x = i % side, y = Math.floor(i / side);
left = Math.min(left, x); right = Math.max(right, x); top = Math.min(top, y); bottom = Math.max(bottom, y); }}
const places = space.places();
const inside = Array.from({{ length: space.n }}, (_, i) => painter.toPixel([places[2 * i], places[2 * i + 1]]))
.filter((p) => p.every((v) => v >= 4 && v < side - 4)).length;
return [inside, (right - left) / side, (bottom - top) / side]; }};
square.draw = () => {{ paint(); if (lab.report) sights.push(look()); }}; }})()"""


def sights(page):
    """Those of all pictures since the last call: (inside, wide, high)."""
    frame(page)
    seen = np.array(page.evaluate("sights.splice(0)"))
    assert len(seen) > 3
    return seen.T


def bar(page):
    """The words beside the scale bar."""
    return page.locator(".fx-lab .fx-scale").inner_text()


def test_it_learns_before_the_readers_eyes(opened_lab, served):
    page = opened_lab(base=served)
    page.get_by_label("where it starts").select_option("chance")
    page.get_by_role("button", name="Start").click()
    until(page, "lab.report?.images > 30000")
    assert told(page, "15-NN") > 65
    page.get_by_role("button", name="Pause").click()
    seen = standing(page)
    page.get_by_role("button", name="One step").click()
    until(page, f"lab.report.images === {seen:.0f} + 128")
    page.get_by_role("button", name="Begin again").click()
    until(page, "!lab.worker.exists")
    assert page.evaluate(f"{LAB}.history.points") == []


def test_a_margin_is_obeyed_while_it_runs(opened_lab):
    page = opened_lab()
    page.get_by_role("button", name="Start").click()
    until(page, "lab.report?.accuracy > 0")
    assert told(page, "15-NN") > 92  # at once: it goes on from a trained network
    small = told(page, "radius")
    page.get_by_label("margin to learn with").fill("0.5")  # of the slider: a margin of 4
    until(page, f"lab.space.spread > {2.5 * small}")  # margin four times, space nearly four times
    page.get_by_label("margin to learn with").fill("0")
    until(page, f"lab.space.spread < {0.3 * small}")  # without a margin it collapses
    page.get_by_role("button", name="Pause").click()


# what each link of a chapter makes visible, on the screen: the link, and what comes of it


def test_without_a_margin_the_space_is_seen_to_collapse_and_with_twice_the_margin_to_double(opened_lab):
    page = opened_lab()
    page.evaluate(SIGHTS)
    follow(page, "lab:contrastive,0,16,all,none,0,trained")
    until(page, "lab.space.grown < 0.02")
    press(page, "Pause")
    standing(page)
    inside, wide, high = sights(page)
    assert inside.min() == 2000
    assert min(wide.min(), high.min()) > 0.1  # closing in, it is never lost
    assert min(wide[-1], high[-1]) > 0.1
    shrunk = re.search(r"1/([\d,]+) of its first size", bar(page))
    assert int(shrunk[1].replace(",", "")) >= 50
    follow(page, "lab:contrastive,2,16,all,none,0,trained")
    until(page, "lab.report?.images > 60000")
    inside, wide, high = sights(page)  # the first may be what was there before
    assert inside.min() == 2000
    assert min(wide.min(), high.min()) > 0.1
    assert min(wide[-1], high[-1]) > 0.5
    assert 1.6 < page.evaluate(f"{LAB}.space.grown") < 2.4
    grown = re.search(r"([\d.]+) times its first size", bar(page))
    assert 1.6 < float(grown[1]) < 2.4


def test_hard_mining_is_seen_in_one_cluster_at_the_margin_and_semihard_in_several(opened_lab):
    page, ends = opened_lab(), {}
    page.evaluate(SIGHTS)
    for mining in ("hard", "semihard"):
        follow(page, f"lab:triplet,1,16,{mining},none,0,chance")
        until(page, "lab.report?.images > 60000")
        ends[mining] = lately(page), page.evaluate(f"{LAB}.report.accuracy")
        inside, wide, high = sights(page)
        assert inside.min() == 2000
        assert min(wide.min(), high.min()) > 0.1
    assert ends["hard"][0] == pytest.approx(1, abs=0.03)
    assert ends["hard"][1] < ends["semihard"][1] - 0.2
    assert ends["semihard"][0] < 0.9


def test_cosface_beyond_its_limit_keeps_its_loss_up(opened_lab):
    page, ends = opened_lab(), []
    page.evaluate(SIGHTS)
    for margin in (0.1, 0.8):
        follow(page, f"lab:cosface,{margin},16,all,none,0,trained")
        until(page, "lab.report?.images > 60000")
        ends.append(lately(page))
        inside, wide, high = sights(page)
        assert inside.min() == 2000
        assert min(wide.min(), high.min()) > 0.3
    assert ends[1] > 3 * ends[0]


def test_a_blow_up_and_a_restart_stay_inside(opened_lab):
    """The largest margin after none: the space grows by orders of ten, and begins again at its first size."""
    page = opened_lab()
    page.evaluate(SIGHTS)
    follow(page, "lab:contrastive,0,16,all,none,0,trained")
    until(page, "lab.space.grown < 0.1")
    page.get_by_label("margin to learn with").press("End")
    until(page, "lab.space.grown > 5")
    press(page, "Begin again")
    until(page, "lab.report?.images > 0")
    inside, wide, high = sights(page)
    assert inside.min() == 2000
    assert min(wide.min(), high.min()) > 0.1
    assert 0.5 < page.evaluate(f"{LAB}.space.grown") < 8


def test_a_digit_left_out_lands_among_the_others(opened_lab):
    page = opened_lab()
    follow(page, "lab:contrastive,1,16,all,4,0,chance")
    until(page, "lab.report?.images > 60000")
    z = np.array(page.evaluate(f"[...{LAB}.report.places]")).reshape(-1, 2)
    y = fslviz.load().test_labels[:2000].numpy()
    d = cdist(z, z) + np.diag([np.inf] * 2000)
    own = (y[np.argsort(d, axis=1)[:, :15]] == y[:, None]).mean(1)
    assert own[y == 4].mean() < 0.65
    assert own[y != 4].mean() > own[y == 4].mean() + 0.15


def test_cosface_makes_rays_and_contrastive_islands(opened_lab):
    """On rays the direction from the origin tells the class as well as the place does; with islands it doesn't.

    Softmax's bias lets classes settle in the middle: there it tells no more than with islands.
    """
    page, lost = opened_lab(), {}
    y = fslviz.load().test_labels[:2000].numpy()
    for loss, margin in (("cosface", 0.1), ("contrastive", 1)):
        follow(page, f"lab:{loss},{margin},16,all,none,0,chance")
        until(page, "lab.report?.images > 100000")
        z = np.array(page.evaluate(f"[...{LAB}.report.places]")).reshape(-1, 2)
        z = z if loss == "cosface" else z - z.mean(0)
        unit = z / np.linalg.norm(z, axis=1, keepdims=True)
        right = [fslviz.knn_accuracy((v[:1000], y[:1000]), (v[1000:], y[1000:])) for v in (z, unit)]
        lost[loss] = right[0] - right[1]
    assert lost["cosface"] < 0.4 * lost["contrastive"], lost


def later(page):
    """Two reports on: whatever stands on the page now has reached the worker, and come back."""
    for _ in range(2):
        page.evaluate(f"window.before = {LAB}.report")
        until(page, "lab.report !== window.before")


def test_what_is_drawn_lies_among_the_digits_while_they_move(opened_lab):
    page = opened_lab()
    page.get_by_role("button", name="Start").click()
    stroke(page, SEVEN)
    until(page, "lab.report?.drawings.length === 2")
    page.get_by_role("button", name="Enrol this drawing").press("Enter")
    stroke(page, SEVEN)
    until(page, "lab.report?.drawings.length === 4")
    frame(page)
    later(page)
    y = fslviz.load().test_labels[:2000].numpy()
    z, drawn = (np.array(page.evaluate(f"[...{LAB}.report.{k}]")).reshape(-1, 2) for k in ("places", "drawings"))
    assert (y[np.argsort(cdist(drawn, z), axis=1)[:, :15]] == 7).mean() > 0.8


def test_a_page_that_nobody_sees_does_not_train(opened_lab):
    page = opened_lab()
    page.get_by_role("button", name="Start").click()
    until(page, "lab.report?.images > 0")
    hide = """hidden => { Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
        document.dispatchEvent(new Event('visibilitychange')); }"""
    page.evaluate(hide, True)
    seen = standing(page)
    page.evaluate(hide, False)
    until(page, f"lab.report.images > {seen}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_a_running_lab_is_accessible(opened_lab, width, scheme):
    page = opened_lab(width=width, color_scheme=scheme)
    page.get_by_role("button", name="Start").click()
    page.get_by_role("button", name="Forces").click()
    until(page, "lab.report?.images > 10000")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="Pause").click()
    found = Axe().run(page).response["violations"]
    assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == []


def test_workers_end(opened_lab):
    page = opened_lab()
    for _ in range(10):
        page.get_by_role("button", name="Start").click()
        until(page, "lab.report !== null")
        page.evaluate(f"{LAB}.stop()")
    for _ in range(300):
        if not page.workers:
            break
        page.wait_for_timeout(200)
    assert not page.workers


def test_no_worker_no_lab_but_a_line(opened_lab):
    page = opened_lab(script="delete window.Worker")
    page.get_by_role("button", name="Start").click()
    page.wait_for_selector('.fx-fault:has-text("can\'t train here")')
    assert picture(page, "Contrastive")


def ahead(script):
    """What runs in the worker before its own script does."""
    return f"""{{ const {{ Blob }} = window; window.Blob = class extends Blob {{ constructor(parts, options) {{
        super(options?.type === 'text/javascript' ? [{json.dumps(script)}, ...parts] : parts, options); }} }}; }}"""


# each report says when it was told, by the worker's own clock; `told` holds all of them
STAMPED = ahead("{ const tell = self.postMessage; self.postMessage = (m) => tell({ ...m, at: performance.now() }); }")
COLLECT = f"window.told = []; {LAB}.worker.worker.addEventListener('message', ({{ data }}) => told.push(data))"


@pytest.mark.parametrize(
    "poorer",
    [
        "WebAssembly.instantiate = () => Promise.reject(new WebAssembly.CompileError('SIMD'));",
        "delete globalThis.WebAssembly;",
    ],
)
def test_no_simd_no_lab_but_a_line(opened_lab, poorer):
    """What runs in the worker finds a browser that takes no module with SIMD, or none at all."""
    page = opened_lab(script=ahead(poorer))
    press(page, "Start")
    page.wait_for_selector('.fx-fault:has-text("no WebAssembly SIMD")')
    assert not page.workers
    assert page.get_by_role("button", name="Start").is_visible()
    assert picture(page, "Contrastive")


def test_a_training_that_runs_away_ends_with_a_line(opened_lab):
    page = opened_lab(
        script=ahead("{ const tell = self.postMessage; self.postMessage = (m) => { m.places?.fill(NaN); tell(m); }; }")
    )
    press(page, "Start")
    page.wait_for_selector('.fx-fault:has-text("no longer numbers")')
    assert page.evaluate(f"[{LAB}.running, {LAB}.worker.exists]") == [False, False]


def test_what_is_asked_for_is_done(opened_lab):
    """Forces as arrows, a batch a second, the like in Python, and afresh with another seed."""
    page = opened_lab(script=STAMPED)
    press(page, "Start")
    until(page, "lab.report?.images > 2000")
    assert page.evaluate(f"{LAB}.report.batch") is None
    press(page, "Forces")
    until(page, "lab.report.batch?.forces.some((f) => f !== 0)")
    shown = page.evaluate(
        f"{LAB}.square.arrows({LAB}.report.batch).map(([a, b]) => Math.hypot(b[0] - a[0], b[1] - a[1]))"
    )
    assert len(shown) == 128
    assert max(shown) == pytest.approx(0.25)
    press(page, "Slow")
    later(page)
    page.evaluate(COLLECT)
    page.wait_for_function("told.length > 3")
    waits, batches = np.diff(page.evaluate("told.map(({ at, images }) => [at, images])"), axis=0).T
    assert set(batches) == {128}  # a picture a batch
    assert waits.min() > 890
    page.get_by_label("margin to learn with").press("End")
    assert 'fslviz.train("contrastive", fslviz.load(), seed=0, margin=16)' in page.content()
    page.get_by_label("seed", exact=True).fill("7")
    page.get_by_label("seed", exact=True).press("Tab")
    until(page, "lab.begun === 'a trained network, seed 7' && lab.report")


def test_forces_pull_at_what_is_seen(opened_lab):
    """In a collapse too, arrows begin at places of the space that is shown, not at those of the last weights."""
    page = opened_lab()
    press(page, "Forces")
    follow(page, "lab:contrastive,0,16,all,none,0,trained")
    until(page, "lab.space.grown < 0.05 && lab.report.batch")
    feet = np.array(page.evaluate(f"{LAB}.square.arrows({LAB}.report.batch).map(([foot]) => foot)"))
    assert (np.abs(feet).max(1) < 1.22).mean() > 0.95


def test_two_classes_stay(opened_lab):
    page = opened_lab()
    for digit in range(8):
        press(page, f"leave the digits {digit} out of the training")
    assert not page.locator(".fx-lab > .fx-fault").is_visible()
    press(page, "leave the digits 8 out of the training")
    assert held(page)["leftOut"] == list(range(8))
    assert "At least two classes must stay" in page.locator(".fx-lab > .fx-fault").inner_text()
    assert "fslviz.load().classes(8, 9)" in page.content()
    press(page, "leave the digits 0 out of the training")
    assert not page.locator(".fx-lab > .fx-fault").is_visible()


@pytest.mark.parametrize(
    ("loss", "options"),
    [
        ("contrastive", {"margin": 0.25}),
        ("triplet", {"margin": 0.25, "mining": "semihard"}),
        ("softmax", {}),
        ("normface", {"scale": 30.0}),
        ("sphereface", {"margin": 3}),
        ("cosface", {"margin": 0.25, "scale": 30.0}),
        ("arcface", {"margin": 0.25, "scale": 30.0}),
    ],
)
def test_the_line_in_python_trains_with_all_that_is_held(opened_lab, loss, options):
    page = opened_lab()
    margin, mining = options.get("margin", 0), options.get("mining", "all")
    page.evaluate(f"location.hash = 'explorer=v2;lab:{loss},{margin},30,{mining},04,5,trained'")
    page.wait_for_function(f"{LAB}.host.state.lab.loss === '{loss}'")
    line = page.locator(".fx-lab code").inner_text()
    given = {}
    load = lambda: types.SimpleNamespace(classes=lambda *kept: kept)  # noqa: E731
    train = lambda *positional, **named: given.update(positional=positional, **named)  # noqa: E731
    eval(line, {"fslviz": types.SimpleNamespace(train=train, load=load)})
    assert given == {"positional": (loss, (1, 2, 3, 5, 6, 7, 8, 9)), "seed": 5, **options}
    fslviz.runs.LOSSES[loss](**options)


def test_a_seed_can_be_typed_while_it_trains(opened_lab):
    page = opened_lab()
    press(page, "Start")
    until(page, "lab.report?.images > 0")
    seed = page.get_by_label("seed", exact=True)
    seed.press("ControlOrMeta+a")
    for key in "123":
        seed.press(key)
        later(page)
    assert seed.input_value() == "123"
    page.get_by_label("margin to learn with").evaluate("s => { s.value = 0.5; s.dispatchEvent(new Event('input')); }")
    later(page)
    assert seed.input_value() == "123"
    seed.press("Enter")
    until(page, "lab.begun === 'a trained network, seed 123' && lab.report")
    seed.fill("1234567")
    seed.press("Enter")
    assert seed.input_value() == "999999"
    assert "whole numbers from 0 to 999,999" in page.locator(".fx-lab > .fx-fault").inner_text()


@pytest.mark.parametrize("loss", ["contrastive", "triplet", "cosface", "arcface", "sphereface"])
def test_arrow_keys_go_through_all_margins(opened_lab, loss):
    page = opened_lab()
    page.get_by_label("loss to learn with").select_option(loss)
    slider = page.get_by_label("margin to learn with")
    least = int(loss == "sphereface")
    usual = held(page)["margin"]
    slider.focus()
    presses = 0
    while held(page)["margin"] > least and presses < 1000:
        for _ in range(10):
            page.keyboard.press("ArrowLeft")
        presses += 10
    assert held(page)["margin"] == least
    for _ in range(presses):
        page.keyboard.press("ArrowRight")
    assert held(page)["margin"] == pytest.approx(usual, abs=0.1 * usual + least * presses)
    assert slider.get_attribute("aria-valuetext") == f"{held(page)['margin']:g}"


def test_back_moves_the_controls_and_neither_starts_nor_ends_a_training(opened_lab):
    page = opened_lab()
    loss, seed = page.get_by_label("loss to learn with"), page.get_by_label("seed", exact=True)
    loss.select_option("cosface")
    page.go_back()
    page.wait_for_function(f"{LAB}.host.state.lab.loss === 'contrastive'")
    assert loss.input_value() == "contrastive"  # it has the focus, and what it says is held
    assert page.evaluate(f"[{LAB}.running, {LAB}.worker.exists]") == [False, False]
    seed.fill("3")
    seed.press("Enter")
    loss.select_option("cosface")
    press(page, "Start")
    until(page, "lab.report?.images > 1000")
    press(page, "Pause")
    seen = standing(page)
    for expected in ("contrastive", "contrastive"):  # the loss, then the seed
        page.go_back()
        page.wait_for_function(f"{LAB}.host.state.lab.loss === '{expected}'")
    page.wait_for_function(f"{LAB}.host.state.lab.seed === 0")
    page.wait_for_timeout(0)
    assert page.evaluate(f"[{LAB}.running, {LAB}.worker.exists]") == [False, True]
    assert told(page, "images seen") == seen
    lacks = page.locator(".fx-lacks")
    assert lacks.inner_text() == (
        "This training started from a trained network, seed 3. Begin again to start from a trained network, seed 0."
    )
    page.go_forward()
    page.wait_for_function(f"{LAB}.host.state.lab.seed === 3")
    assert not lacks.is_visible()


def test_a_link_to_the_lab_begins_each_time_and_no_other_link_touches_it(opened_lab):
    page = opened_lab()
    follow(page, "lab:contrastive,4,16,all,none,2,trained")
    until(page, "lab.report?.images > 2000")
    turn = page.evaluate(f"{LAB}.worker.generation")
    follow(page, "show:contrastive@0.5")
    page.wait_for_function(
        "document.querySelector('.fslviz-explorer').explorer.panels.get('contrastive').space.name === 'contrastive@0.5'"
    )
    assert (held(page)["margin"], held(page)["seed"]) == (4, 2)
    assert page.evaluate(f"[{LAB}.running, {LAB}.worker.generation]") == [True, turn]
    assert "lab:contrastive,4" in page.url
    press(page, "Pause")
    for _ in range(2):
        follow(page, "lab:contrastive,4,16,all,none,2,trained")
        assert page.evaluate(f"[{LAB}.running, {LAB}.report]") == [True, None]
        until(page, "lab.report?.images > 0")
    assert page.get_by_role("button", name="Pause").is_visible()


@pytest.mark.parametrize(
    "deeds", [("Start", "Begin again"), ("Start", "Begin again", "Begin again"), ("One step", "Start", "Begin again")]
)
def test_start_and_restart_at_once_end_at_work(opened_lab, deeds):
    page = opened_lab()
    page.evaluate(
        """deeds => deeds.forEach((text) => [...document.querySelectorAll('.fx-lab button')]
        .find((b) => b.textContent === text).click())""",
        deeds,
    )
    until(page, "lab.running && lab.report?.images > 1000")
    assert len(page.workers) == 1


def test_start_and_pause_at_once_end_paused(opened_lab):
    page = opened_lab()
    page.evaluate(
        "{ const play = [...document.querySelectorAll('.fx-lab button')].find((b) => b.textContent === 'Start');"
        "play.click(); play.click(); }"
    )
    until(page, "lab.report !== null")
    assert page.evaluate(f"[{LAB}.running, {LAB}.report.images]") == [False, 0]


def test_what_is_shown_and_not_in_force_is_said(opened_lab):
    page = opened_lab()
    lacks = page.locator(".fx-lacks")
    follow(page, "lab:cosface,0.1,16,all,none,0,chance")
    until(page, "lab.report?.images > 0")
    assert lacks.inner_text() == (
        "From random weights, margin and scale come in slowly after 153,600 images, full after 256,000: 0% now."
    )
    page.get_by_label("loss to learn with").select_option("contrastive")
    later(page)
    assert not lacks.is_visible()
    follow(page, "lab:sphereface,4,16,all,none,0,chance")
    until(page, "lab.report?.images > 0")
    assert "the margin comes in slowly, full after 153,600" in lacks.inner_text()
    follow(page, "lab:cosface,0.1,16,all,none,0,trained")
    until(page, "lab.report?.images > 0")
    assert not lacks.is_visible()


def test_margin_and_scale_come_in_when_it_is_said(bench):
    shares = bench.evaluate(
        """async () => { const digits = { images: new Uint8Array(784), labels: new Uint8Array(1) };
        const t = new fslvizLab.Training(await fslvizLab.kernel(), digits, { mean: 0.1307, std: 0.3081 }, 0);
        return [0, 1200, 1600, 2000, 9000].map((steps) => { t.steps = steps;
        return ['contrastive', 'softmax', 'normface', 'cosface', 'sphereface'].map((loss) => t.share(loss)); }); }"""
    )
    assert shares[0] == [1, 1, 0, 0, pytest.approx(5 / 1500)]
    assert shares[1:] == [[1, 1, 0, 0, 1], [1, 1, 0.5, 0.5, 1], [1, 1, 1, 1, 1], [1, 1, 1, 1, 1]]


def test_the_speed_told_is_that_of_the_clock(opened_lab):
    """Images over their speed make up the time that went by, pictures and measurements of 15-NN with it."""
    page = opened_lab(script=STAMPED)
    press(page, "Start")
    until(page, "lab.report?.images > 0")
    page.evaluate(COLLECT)
    page.wait_for_function(
        "told.filter(({ accuracy }) => accuracy !== null).length > 3 && told.length > 20", timeout=300_000
    )
    at, images, speed = np.array(page.evaluate("told.map(({ at, images, speed }) => [at, images, speed])")).T
    assert (np.diff(images) / speed[1:]).sum() * 1000 == pytest.approx(at[-1] - at[0], rel=0.1)


def test_the_curve_tells_how_far_it_goes(opened_lab):
    page = opened_lab()
    press(page, "Start")
    until(page, "lab.history.points.length > 3")
    press(page, "Pause")
    seen = standing(page)
    curve = page.locator(".fx-lab .fx-losses svg")
    assert f"over {seen:,.0f} images seen" in curve.get_attribute("aria-label")
    across = [float(pair.split(",")[0]) for pair in curve.locator("polyline").first.get_attribute("points").split()]
    points = page.evaluate(f"{LAB}.history.points.map((p) => p.images)")
    assert across == [images - points[0] for images in points]  # a place for each number of images, not for each report
    assert points[-1] == seen


def test_a_picture_is_saved_once_there_is_one(opened_lab):
    page = opened_lab()
    save = page.get_by_role("button", name="Save picture")
    assert save.is_disabled()
    press(page, "Start")
    until(page, "lab.report?.images > 0 && lab.painter.side")
    press(page, "Pause")
    standing(page)
    frame(page)
    with page.expect_download() as download:
        save.click()
    pixels = np.asarray(Image.open(download.value.path()).convert("RGB"))
    assert pixels.shape[0] == pixels.shape[1] == page.evaluate(f"{LAB}.painter.side")
    assert (pixels != 255).any(-1).mean() > 0.02
    page.evaluate(f"{LAB}.stop()")
    assert save.is_disabled()


@pytest.mark.parametrize("clipboard", ["undefined", "{ writeText: () => Promise.reject(new Error('no')) }"])
def test_without_a_clipboard_the_line_is_chosen(opened_lab, clipboard):
    page = opened_lab(script=f"Object.defineProperty(navigator, 'clipboard', {{ value: {clipboard} }})")
    press(page, "Copy")
    page.wait_for_selector(".fx-lab > .fx-fault:has-text('copy it by hand')")
    assert page.evaluate("getSelection().toString()") == page.locator(".fx-lab code").inner_text()


def test_what_is_copied_is_said(opened_lab):
    page = opened_lab(
        script="Object.defineProperty(navigator, 'clipboard', { value: { writeText: async (t) => { got = t } } })"
    )
    press(page, "Copy")
    page.wait_for_selector(".fx-lab > .fx-fault:has-text('The line is copied')")
    assert page.evaluate("got") == page.locator(".fx-lab code").inner_text()


def test_what_happens_is_announced_once(opened_lab):
    page = opened_lab(script=QUIET)
    live = page.locator(".fx-lab .fx-live")
    page.evaluate("settle()")
    assert live.inner_text() == ""
    press(page, "Start")
    until(page, "lab.report?.images > 0")
    page.evaluate(
        """{ window.said = []; const live = document.querySelector('.fx-lab .fx-live');
        new MutationObserver(() => said.push(live.textContent)).observe(live, { childList: true }); settle(); }"""
    )
    later(page)
    page.evaluate("settle()")
    assert page.evaluate("said") == ["Training: Contrastive, margin 1"]
    press(page, "Pause")
    seen = standing(page)
    page.evaluate("settle()")
    said = page.evaluate("said")
    assert len(said) == 2
    assert said[1].startswith("Paused: Contrastive, margin 1. ")
    assert f"{seen:,.0f} images seen" in said[1]
    assert said[1].split(". ", 1)[1] in page.get_by_role("img", name="the space as it is learned").get_attribute(
        "aria-label"
    )


def test_what_stands_still_follows_the_page(opened_lab):
    """A paused lab is painted anew where the page becomes dark or wide."""
    page = opened_lab(color_scheme="light")
    press(page, "Start")
    until(page, "lab.report?.images > 0")
    press(page, "Pause")
    standing(page)
    page.wait_for_function(f"{LAB}.space.progress === 1 && {LAB}.square.frame === 0")
    drawn = f"{LAB}.painter.drawn.join()"
    before = page.evaluate(drawn)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"{drawn} !== {json.dumps(before)}")
    side = page.evaluate(f"{LAB}.painter.side")
    page.set_viewport_size({"width": 320, "height": 700})
    page.wait_for_function(f"{LAB}.painter.side < {side}")


@pytest.mark.parametrize("way", ["ltr", "rtl"])
def test_a_narrow_page_and_one_from_right_to_left_hold_the_lab(opened_lab, way):
    page = opened_lab(
        width=320,
        script=f"document.addEventListener('DOMContentLoaded', () => {{ document.documentElement.dir = '{way}'; }})",
    )
    follow(page, "lab:cosface,0.123,16,all,none,123456,chance")
    until(page, "lab.report?.images > 0")
    press(page, "Pause")
    standing(page)
    outside = page.evaluate(
        """[...document.querySelectorAll('.fx-lab *')].filter((node) => { const box = node.getBoundingClientRect();
        return box.width > 1 && (box.left < 0 || box.right > innerWidth) && !node.closest('.fx-live, .fx-square'); })
        .map((node) => node.outerHTML.slice(0, 80))"""
    )
    assert outside == []
    assert page.get_by_label("margin to learn with").evaluate("s => getComputedStyle(s).direction") == "ltr"


def test_classes_have_places_where_a_space_is_taken_over(opened_lab):
    """A softmax loss that goes on from contrastive islands starts from their middles, not from chance."""
    page = opened_lab()
    follow(page, "lab:softmax,0,16,all,none,0,trained")
    until(page, "lab.report?.images > 0")
    assert page.evaluate(f"{LAB}.history.points[0].loss") < 2  # of ten classes by chance: 2.3 and more


BENCHMARK = """
import itertools, tempfile, fslviz
from pathlib import Path
from benchmarks import lab
from fslviz import explorer
lab.STEPS, lab.ROUNDS, lab.SEEDS, lab.SEEN, lab.LOSSES = 2, 1, 1, (256,), {"triplet": fslviz.LOSSES["triplet"]}
lab.keep = lambda name, rows: print(name, rows)
data = fslviz.load()
with lab.script(data) as page:
    lab.speed(page, data)
    lab.learning(page, data)
with tempfile.TemporaryDirectory() as folder:
    explorer.ship(Path(folder, "explorer"))
    body = '<script defer src="explorer/explorer.js"></script>' + explorer.mount(lab.FOUR, explorer.PARTS)
    with lab.chromium(Path(folder), f"<script>{lab.FRAMES}</script>{body}") as page:
        for deed, took in itertools.islice(lab.deeds(page), 5):
            assert len(took), deed
"""


def test_the_benchmark_finds_what_it_measures():
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", BENCHMARK], cwd=root, capture_output=True, text=True)
    assert not done.returncode, done.stderr
    assert "'page': nan" not in done.stdout
    assert "lab_learning [{'loss': 'triplet', 'seed': 0, 'images': 256, '15-NN': 0." in done.stdout


# where the names of the classes lie, on the screen
NAMES = f"""(() => {{ const {{ painter, space }} = {LAB}, places = space.places();
const box = painter.over.getBoundingClientRect();
return [...Array(10).keys()].map((c) => {{ let [x, y, n] = [0, 0, 0];
for (let i = 0; i < space.n; i++) if (painter.labels[i] === c) {{ x += places[2 * i]; y += places[2 * i + 1]; n++; }}
return painter.toPixel([x / n, y / n]).map((v, j) => v / devicePixelRatio + (j ? box.top : box.left)); }}); }})()"""


def weights(page):
    return np.reshape(page.evaluate(f"[...{LAB}.report.head.weight]"), (10, 2))


def test_two_classes_change_places_by_the_mouse_and_by_keys(opened_lab):
    page = opened_lab("#explorer=v2;lab:cosface,0.1,16,all,none,0,trained")
    press(page, "One step")
    until(page, "lab.report?.images === 128")
    before = weights(page)
    page.locator(".fx-lab .fx-square").scroll_into_view_if_needed()
    names = page.evaluate(NAMES)
    page.mouse.move(*names[4])
    page.mouse.down()
    page.mouse.move(*names[1], steps=8)
    page.mouse.up()
    until(page, "lab.host.state.lab.seats[4] === 1")
    assert held(page)["seats"] == [0, 4, 2, 3, 1, 5, 6, 7, 8, 9]
    changed = before[[0, 4, 2, 3, 1, 5, 6, 7, 8, 9]]
    until(page, f"Math.abs(lab.report.head.weight[2] - {before[4, 0]}) < 1e-6")
    assert np.allclose(weights(page), changed, atol=1e-6)
    assert "1 in the place of 4, 4 in the place of 1" in page.locator(".fx-lab").inner_text()
    assert "trained,0423156789" in page.url

    page.get_by_label("a class", exact=True).select_option("8")
    page.get_by_label("the class to change places with").select_option("3")
    page.get_by_role("button", name="Change places").focus()
    page.keyboard.press("Enter")
    assert held(page)["seats"] == [0, 4, 2, 8, 1, 5, 6, 7, 3, 9]
    page.go_back()
    page.wait_for_function("document.querySelector('.fslviz-explorer').explorer.state.lab.seats[3] === 3")
    press(page, "Put back")
    assert held(page)["seats"] == [*range(10)]
    until(page, f"Math.abs(lab.report.head.weight[2] - {before[1, 0]}) < 1e-6")
    assert np.allclose(weights(page), before, atol=1e-6)


def test_a_name_that_is_let_go_elsewhere_changes_nothing(opened_lab):
    page = opened_lab("#explorer=v2;lab:cosface,0.1,16,all,none,0,trained")
    press(page, "One step")
    until(page, "lab.report?.images === 128")
    page.locator(".fx-lab .fx-square").scroll_into_view_if_needed()
    x, y = page.evaluate(NAMES)[4]
    box = page.locator(".fx-lab .fx-square").bounding_box()
    for end in ((x + 3, y + 3), (box["x"] - 40, box["y"] + 5)):
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(*end, steps=5)
        page.mouse.up()
        assert held(page)["seats"] == [*range(10)]
    page.get_by_label("loss to learn with").select_option("contrastive")
    assert page.get_by_role("button", name="Change places").is_hidden()
