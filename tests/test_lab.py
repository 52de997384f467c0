"""The lab: gradients and trainings against PyTorch's, and what a reader sees it do."""

import json

import numpy as np
import pytest
import torch
from axe_playwright_python.sync_playwright import Axe
from hand import PAGE, SEVEN, frame, picture, stroke
from scipy.spatial.distance import cdist
from torch.nn import functional as F

import fslviz
from fslviz import explorer
from fslviz.explorer import lab, pack

LOSSES = ("contrastive", "triplet", "softmax", "normface", "sphereface", "cosface", "arcface")
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
        """([loss, z, y, weight, bias, held]) => { const back = fslvizLab.pull(loss, Float32Array.from(z),
        Uint8Array.from(y), held, { weight: Float32Array.from(weight), bias: Float32Array.from(bias) });
        return [back.value, [...back.z], [...(back.weight ?? [])], [...(back.bias ?? [])]]; }""",
        [loss, z.flatten().tolist(), y.tolist(), weight.flatten().tolist(), bias.tolist(), held],
    )
    return told[0], *(np.array(part) for part in told[1:])


def judge(loss, held, weight, bias):
    """The book's own loss, in double precision."""
    options = {"margin": held["margin"]} if loss in MARGINS else {}
    if loss == "triplet":
        options["mining"] = held["mining"]
    made = fslviz.runs.LOSSES[loss](**options)
    if hasattr(made, "weight"):
        made.weight = torch.nn.Parameter(weight.double())
    if loss == "softmax":
        made.bias = torch.nn.Parameter(bias.double())
    if loss in ("normface", "cosface", "arcface"):
        made.scale, made.share = held["scale"], held["share"]
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
    minings = ("all", "semihard", "hard") if loss == "triplet" else ("all",)
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

    def step(self, value, rate):
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


def test_two_hundred_steps_stay_beside_pytorch_s(bench):
    """From the same weights, over the same batches, the curves of the loss lie within 1% of one another."""
    data = fslviz.load()
    images = ((data.train_images[:500] * 0.3081 + 0.1307) * 255).round().byte().flatten(1)
    told = bench.evaluate(
        """async ([images, labels]) => { const { kernel, Training } = fslvizLab;
        const digits = { images: Uint8Array.from(images), labels: Uint8Array.from(labels) };
        const t = new Training(await kernel(), digits, { mean: 0.1307, std: 0.3081 }, 0);
        const flat = [...t.network.weights, ...t.network.biases].flatMap((p) => [...p.values]), steps = [];
        for (let i = 0; i < 200; i++) { const done = t.step('contrastive', { margin: 1, scale: 16, mining: 'all' });
        steps.push([done.value, done.picked, done.shift]); } return [flat, steps]; }""",
        [images.flatten().tolist(), data.train_labels[:500].tolist()],
    )
    flat, steps = told
    mine, loss = Reckoned(flat), fslviz.losses.Contrastive(1.0)
    standard = (images.float() / 255 - 0.1307) / 0.3081
    theirs = []
    for _, picked, (dx, dy) in steps:
        x = standard[picked].view(-1, 1, 28, 28)
        x = F.pad(x, (1, 1, 1, 1), value=-0.1307 / 0.3081)[:, :, 1 - dy : 29 - dy, 1 - dx : 29 - dx]
        value = loss(mine.net(x), data.train_labels[picked])
        theirs.append(float(value))
        mine.step(value, 0.012)
    ours = np.array([value for value, *_ in steps])
    smooth = lambda v: np.convolve(v, np.ones(20) / 20, "valid")  # noqa: E731
    assert np.abs(smooth(ours) / smooth(np.array(theirs)) - 1).max() < 0.01


def test_the_start_comes_from_its_digits():
    images, labels = lab.digits(fslviz.load())
    packed = np.frombuffer(pack.part("lab/digits"), np.uint8)
    assert (packed[392 * 7000 :] == labels.numpy()).all()
    assert len(np.frombuffer(pack.part("lab/net"), np.float32)) == 9 * 16 + 144 * 32 + 1568 * 8 + 16 + 32 + 8
    assert sum(len(pack.packed(p)) for p in ("lab", "lab/digits", "lab/net")) * 1.25 < 1e6
    assert images.shape == (7000, 1, 28, 28)


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
    """The loss, over the last reports: a busy machine may have made few."""
    return np.mean(page.evaluate(f"{LAB}.losses.slice(-10)"))


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
    page.get_by_role("button", name="Afresh").click()
    until(page, "lab.worker === null")
    assert json.dumps(page.evaluate(f"{LAB}.losses")) == "[]"


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


# what each link of a chapter makes visible: the state, and what comes of it


def test_contrastive_at_margin_0_collapses(opened_lab):
    page = opened_lab()
    page.evaluate("location.hash = 'explorer=v2;lab:contrastive,0,16,all,none,0,trained'")
    until(page, "lab.report?.images > 0")
    until(page, "lab.space.spread < 0.15")


def test_margin_doubled_space_doubled(opened_lab):
    page, spreads = opened_lab(), []
    for margin in (1, 2):
        page.evaluate(f"location.hash = 'explorer=v2;lab:contrastive,{margin},16,all,none,{margin},trained'")
        until(page, "lab.report === null || lab.report.images < 9000")
        until(page, "lab.report?.images > 60000")
        spreads.append(page.evaluate(f"{LAB}.space.spread"))
    assert 1.6 < spreads[1] / spreads[0] < 2.4


def test_hard_mining_stops_at_the_margin_and_semihard_does_not(opened_lab):
    page, ends = opened_lab(), {}
    for mining in ("hard", "semihard"):
        page.evaluate(f"location.hash = 'explorer=v2;lab:triplet,1,16,{mining},none,{len(ends)},chance'")
        until(page, "lab.report === null || lab.report.images < 9000")
        until(page, "lab.report?.images > 60000")
        ends[mining] = lately(page), page.evaluate(f"{LAB}.report.accuracy")
    assert ends["hard"][0] == pytest.approx(1, abs=0.03)
    assert ends["hard"][1] < ends["semihard"][1] - 0.2
    assert ends["semihard"][0] < 0.9


def test_cosface_beyond_its_limit_keeps_its_loss_up(opened_lab):
    page, ends = opened_lab(), []
    for margin in (0.1, 0.8):
        page.evaluate(f"location.hash = 'explorer=v2;lab:cosface,{margin},16,all,none,{len(ends)},trained'")
        until(page, "lab.report === null || lab.report.images < 9000")
        until(page, "lab.report?.images > 60000")
        ends.append(lately(page))
    assert ends[1] > 3 * ends[0]


def test_a_digit_left_out_lands_among_the_others(opened_lab):
    page = opened_lab()
    page.evaluate("location.hash = 'explorer=v2;lab:contrastive,1,16,all,4,0,chance'")
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
        page.evaluate(f"location.hash = 'explorer=v2;lab:{loss},{margin},16,all,none,{len(lost)},chance'")
        until(page, "lab.report === null || lab.report.images < 9000")
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


def test_no_simd_no_lab_but_a_line(opened_lab):
    """What runs in the worker finds a browser that takes no module with SIMD."""
    page = opened_lab(
        script="""const { Blob } = window; window.Blob = class extends Blob { constructor(parts, options) {
        const old = 'WebAssembly.instantiate = () => Promise.reject(new WebAssembly.CompileError("SIMD"));';
        super(options?.type === 'text/javascript' ? [old, ...parts] : parts, options); } };"""
    )
    page.get_by_role("button", name="Start").click()
    page.wait_for_selector('.fx-fault:has-text("no WebAssembly SIMD")')
    assert not page.workers
    assert picture(page, "Contrastive")


def test_what_is_asked_for_is_done(opened_lab):
    """Forces as arrows, a batch a second, two classes at least, the like in Python, and afresh with another seed."""
    page = opened_lab()
    page.get_by_role("button", name="Start").click()
    until(page, "lab.report?.images > 2000")
    assert page.evaluate(f"{LAB}.report.batch") is None
    page.get_by_role("button", name="Forces").click()
    until(page, "lab.report.batch?.forces.some((f) => f !== 0)")
    shown = page.evaluate(f"{LAB}.arrows({LAB}.report.batch).map(([a, b]) => Math.hypot(b[0] - a[0], b[1] - a[1]))")
    assert len(shown) == 128
    assert max(shown) == pytest.approx(0.25)
    page.get_by_role("button", name="Slow").click()
    later(page)
    page.evaluate(
        f"""window.told = []; {LAB}.worker.addEventListener('message', ({{ data }}) =>
        told.push([performance.now(), data.images]))"""
    )
    page.wait_for_function("told.length > 3")
    waits, batches = np.diff(page.evaluate("told"), axis=0).T
    assert set(batches) == {128}  # a picture a batch
    assert waits.sum() > 1000  # of three times 900 ms, be the first told late
    for digit in range(9):
        page.get_by_role("button", name=f"leave the digits {digit} out").click()
    assert page.evaluate("document.querySelector('.fslviz-explorer').explorer.state.lab.left") == list(range(8))
    page.get_by_label("margin to learn with").press("End")
    assert 'fslviz.train("contrastive", fslviz.load().classes(8, 9), seed=0, margin=16)' in page.content()
    page.get_by_label("seed", exact=True).fill("7")
    page.get_by_label("seed", exact=True).press("Tab")
    until(page, "lab.begun === '7 trained' && lab.report?.images < 2000")


def test_classes_have_places_where_a_space_is_taken_over(opened_lab):
    """A softmax loss that goes on from contrastive islands starts from their middles, not from chance."""
    page = opened_lab()
    page.evaluate("location.hash = 'explorer=v2;lab:softmax,0,16,all,none,0,trained'")
    until(page, "lab.report?.images > 0")
    assert page.evaluate(f"{LAB}.losses[0]") < 2  # of ten classes by chance: 2.3 and more
