"""The page: how fast its lab trains beside PyTorch, what it has learned after how many images, what a frame takes.

``python benchmarks/lab.py`` plays the page's own script in Chromium. Speed: the same network, batch, losses and
optimizers, one thread each, in turn; the medians of three rounds. Learning: 15-NN of 2,000 training digits that the
lab never has, three seeds a loss, and the network that the lab starts from. Painting: the main thread's time of each
animation frame. Alphabet: how long the reader's signs wait for the pen. It takes half an hour, and keeps ``lab``,
``lab_learning``, ``painting`` and ``alphabet`` in fslviz/measured/; ``python benchmarks/lab.py painting`` (or
``learning``, ``speed``, ``alphabet``) measures one of them.
"""

import base64
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from playwright.sync_api import sync_playwright

import fslviz
from fslviz import explorer
from fslviz.explorer import lab, pack
from fslviz.runs import LOSSES
from fslviz.studies import keep

STEPS, BATCH, ROUNDS, SEEDS = 150, 128, 3, 3
SEEN = (60_000, 120_000, 240_000)  # images after which 15-NN is measured
NEW = slice(50_000, 52_000)  # training digits that are judged by
# of an image trained: both convolutions forward and by their weights, the second by its input, the linear layer thrice
FLOP = 2 * (2 * 196 * 9 * 16 + 3 * 49 * 144 * 32 + 3 * 1568 * 2)
HELD = """const held = (margin) => ({ margin, scale: 16, mining: "all" }), standard = { mean: 0.1307, std: 0.3081 };
const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt());
const sets = {}, put = (name, images, labels) => { sets[name] = { images: bytes(images), labels: bytes(labels) }; };
const begin = async (seed) => new fslvizLab.Training(await fslvizLab.kernel(), sets.train, standard, seed);"""
SPEED = """async ([loss, margin, steps]) => { const t = await begin(0);
for (let i = 0; i < 20; i++) t.step(loss, held(margin));
const [began, before] = [performance.now(), t.seen]; for (let i = 0; i < steps; i++) t.step(loss, held(margin));
return [(t.seen - before) * 1000 / (performance.now() - began), (await fslvizLab.kernel()).relaxed]; }"""
LEARN = """async ([loss, margin, seed, seen]) => { const t = await begin(seed), found = [];
for (const images of seen) { while (t.seen < images) t.step(loss, held(margin));
found.push([...t.embed(sets.train)], [...t.embed(sets.new)]); } return found; }"""
# the time of each animation frame's work, and from a move of the pen until what it drew is painted in a space
FRAMES = """{ const ask = requestAnimationFrame; let [moved, drawn, due, before] = [0];
[window.took, window.pens] = [[], []];
addEventListener('pointermove', ({ buttons }) => { moved ||= buttons && performance.now(); }, true);
const look = ({ panels, loader }) => { const { drawing } = loader.probes;
const marks = [...panels.values()].filter((p) => p.inSight).map((p) => p.painter.drawn[2]).join();
if (drawing !== drawn) [drawn, due, before, moved] = [drawing, moved, marks, 0];
else if (due && marks !== before) { pens.push(performance.now() - due); due = 0; } };
window.requestAnimationFrame = (work) => ask((at) => { const began = performance.now(); work(at);
took.push(performance.now() - began); look(document.querySelector('.fslviz-explorer').explorer); }); }"""
# from a move of the pen until the bars of the reader's signs follow
BARS = """{ let moved = 0; window.pens = [];
addEventListener('pointermove', ({ buttons }) => { moved ||= buttons && performance.now(); }, true);
new MutationObserver((changes) => { if (!moved || !changes.some(({ target }) => target.closest?.('.fx-card'))) return;
pens.push(performance.now() - moved); moved = 0; }).observe(document, { subtree: true, childList: true }); }"""
FOUR, SEVEN = ("contrastive", "triplet", "softmax", "cosface"), tuple(LOSSES)


@contextmanager
def chromium(folder: Path, body: str, **options: Any) -> Iterator[Any]:
    """A page of that body beside the files of a folder."""
    with sync_playwright() as playwright:
        (folder / "page.html").write_text(f'<!DOCTYPE html><meta charset="utf-8">{body}')
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=arguments)
        page = browser.new_page(**options)
        page.goto((folder / "page.html").as_uri())
        yield page
        browser.close()


@contextmanager
def script(data: fslviz.Data) -> Iterator[Any]:
    """A page with the lab's script and its digits, and no worker."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "lab.js").write_bytes((pack.HERE / "lab.js").read_bytes())
        with chromium(folder, f'<script src="lab.js"></script><script>{HELD}</script>') as page:
            fill(page, data)
            yield page


def fill(page: Any, data: fslviz.Data) -> None:
    """Give the page the digits to learn from, and those to judge by."""
    for name, part in (("train", slice(lab.TRAIN)), ("new", NEW)):
        grey = ((data.train_images[part] * 0.3081 + 0.1307) * 255).round().clip(0, 255).byte().numpy()
        told = [base64.b64encode(a.tobytes()).decode() for a in (grey, data.train_labels[part].byte().numpy())]
        page.evaluate("([name, images, labels]) => put(name, images, labels)", [name, *told])


def pytorch(name: str, x: torch.Tensor, y: torch.Tensor) -> float:
    """Images a second in PyTorch, with one thread."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    net, loss = lab.LabNet(), LOSSES[name]()
    weights = [w for w in net.parameters() if w.ndim > 1]
    matrices = [torch.nn.Parameter(w.detach().flatten(1)) for w in weights]
    muon = torch.optim.Muon(matrices, lr=0.012, weight_decay=0.0)
    adam = torch.optim.Adam([*(w for w in net.parameters() if w.ndim < 2), *loss.parameters()], lr=1e-3)
    for i in range(STEPS + 20):
        if i == 20:
            began = time.perf_counter()
        picked = torch.randint(len(x), (BATCH,))
        net.zero_grad()
        loss(net(x[picked]), y[picked]).backward()
        for matrix, weight in zip(matrices, weights, strict=True):
            matrix.grad = weight.grad.flatten(1)
        muon.step()
        adam.step()
        with torch.no_grad():
            for matrix, weight in zip(matrices, weights, strict=True):
                weight.copy_(matrix.view_as(weight))
    return STEPS * BATCH / (time.perf_counter() - began)


def speed(page: Any, data: fslviz.Data) -> None:
    x, y = data.train_images[: lab.TRAIN], data.train_labels[: lab.TRAIN]
    found: dict[str, dict[str, list[float]]] = {name: {"page": [], "PyTorch": []} for name in LOSSES}
    for _ in range(ROUNDS):
        for name, ways in found.items():
            told, relaxed = page.evaluate(SPEED, [name, pack.DEFAULT.get(name, 0), STEPS])
            ways["page"].append(told)
            ways["PyTorch"].append(pytorch(name, x, y))
            print(name, {k: round(v[-1]) for k, v in ways.items()}, flush=True)
    medians = {name: {k: statistics.median(v) for k, v in ways.items()} for name, ways in found.items()}
    keep(
        "lab",
        [
            {"loss": name, **{k: round(v) for k, v in ways.items()}}
            | {"GFLOP a second": round(ways["page"] * FLOP / 1e9, 1), "relaxed SIMD": relaxed}
            for name, ways in medians.items()
        ],
    )


def learning(page: Any, data: fslviz.Data) -> None:
    y = [data.train_labels[part].numpy() for part in (slice(lab.TRAIN), NEW)]
    rows = []
    for name in LOSSES:
        for seed in range(SEEDS):
            places = page.evaluate(LEARN, [name, pack.DEFAULT.get(name, 0), seed, SEEN])
            spaces = np.array(places[::2], dtype=object), np.array(places[1::2], dtype=object)
            for images, known, new in zip(SEEN, *spaces, strict=True):
                z = [np.array(part, dtype=np.float32).reshape(-1, 2) for part in (known, new)]
                if LOSSES[name].cosine:
                    z = [part / np.linalg.norm(part, axis=1, keepdims=True) for part in z]
                accuracy = fslviz.knn_accuracy((z[0], y[0]), (z[1], y[1]))
                rows.append({"loss": name, "seed": seed, "images": images, "15-NN": round(accuracy, 4)})
                print(rows[-1], flush=True)
    keep("lab_learning", rows)


def deeds(page: Any) -> Iterator[tuple[str, np.ndarray]]:
    """The frames of each thing a reader does."""

    def frames(do: Callable[[], None]) -> np.ndarray:
        page.wait_for_timeout(1000)
        page.evaluate("took.length = 0")
        do()
        return np.array(page.evaluate("took"))

    def press(*keys: str) -> None:
        for key in keys:
            page.keyboard.press(key)
            page.wait_for_timeout(50)

    def draw(*points: tuple[float, float]) -> None:
        box = page.locator(".fx-pad").bounding_box()
        for i, (x, y) in enumerate(points):
            page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=20)
            if not i:
                page.mouse.down()
        page.mouse.up()

    page.wait_for_selector(".fslviz-explorer[data-ready]")
    page.locator(".fx-grid .fx-points").first.focus()
    yield "pointing at digits", frames(lambda: press(*["ArrowRight"] * 40))
    yield "zooming", frames(lambda: press(*["+", "-"] * 10))
    page.get_by_label("Triplet margin").focus()
    yield "another margin", frames(lambda: press(*["ArrowRight", "ArrowLeft"] * 5))
    page.locator(".fx-pad").scroll_into_view_if_needed()
    draw((0.25, 0.2), (0.75, 0.2))
    page.wait_for_timeout(1000)
    page.evaluate("pens.length = 0")  # the first stroke has fetched the networks
    yield "drawing", frames(lambda: draw((0.75, 0.2), (0.45, 0.85), (0.2, 0.6)))
    yield "from the pen to its place", np.array(page.evaluate("pens"))
    page.locator(".fx-lab .fx-square").scroll_into_view_if_needed()
    page.get_by_role("button", name="Start").click()
    page.wait_for_selector(".fx-lab p.fx-figures:has-text('images seen')")
    yield "training in the page", frames(lambda: page.wait_for_timeout(10_000))


def painting() -> None:
    rows = []
    for losses, width, scale in ((FOUR, 1280, 1), (SEVEN, 390, 3)):
        with tempfile.TemporaryDirectory() as folder:
            explorer.ship(Path(folder, "explorer"))
            body = '<script defer src="explorer/explorer.js"></script>' + explorer.mount(losses, explorer.PARTS)
            view = {"viewport": {"width": width, "height": 900}, "device_scale_factor": scale}
            with chromium(Path(folder), f"<script>{FRAMES}</script>{body}", **view) as page:
                for deed, took in deeds(page):
                    median, late = (round(float(np.quantile(took, q)), 1) for q in (0.5, 0.95))
                    rows.append({"spaces": len(losses), "width": width, "scale": scale, "deed": deed})
                    rows[-1] |= {"median ms": median, "95% ms": late, "frames": len(took)}
                    print(rows[-1], flush=True)
    keep("painting", rows)


def alphabet() -> None:
    """How long fifty signs wait for the pen: each of four drawings is of some two hundred moves."""
    rows, random = [], np.random.default_rng(0)
    places = lambda n: "".join(random.choice([*"ABCDEFGHIJKLMNOPQRSTUVWXYZ"], 3 * n))  # noqa: E731
    signs = [{"name": f"sign {i}", "samples": [f"{places(8)}~{places(5)}"]} for i in range(50)]
    with tempfile.TemporaryDirectory() as folder:
        explorer.ship(Path(folder, "explorer"))
        body = '<script defer src="explorer/explorer.js"></script>' + explorer.mount([], ["alphabet"])
        view = {"viewport": {"width": 1280, "height": 900}}
        with chromium(Path(folder), f"<script>{BARS}</script>{body}", **view) as page:
            page.wait_for_selector(".fslviz-explorer[data-ready]")
            page.evaluate("s => document.querySelector('.fslviz-explorer').explorer.set({ symbols: s }, false)", signs)
            for reader in ("pixels", "10", "100", "1000", "all"):
                page.evaluate(
                    "r => document.querySelector('.fslviz-explorer').explorer.set({ reader: r }, false)", reader
                )
                for drawing in range(3):
                    page.get_by_role("button", name="Clear").click()
                    page.wait_for_timeout(500)
                    if drawing == 1:  # the first has fetched the network
                        page.evaluate("pens.length = 0")
                    box = page.locator(".fx-pad").bounding_box()
                    for i, (x, y) in enumerate(random.uniform(0.1, 0.9, (8, 2))):
                        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=25)
                        if not i:
                            page.mouse.down()
                    page.mouse.up()
                took = page.evaluate("pens")
                median, late = (round(float(np.quantile(took, q)), 1) for q in (0.5, 0.95))
                rows.append({"network": reader, "median ms": median, "95% ms": late, "moves": len(took)})
                print(rows[-1], flush=True)
    keep("alphabet", rows)


if __name__ == "__main__":
    asked = sys.argv[1:] or ["learning", "speed", "painting", "alphabet"]
    if "painting" in asked:
        painting()
    if "alphabet" in asked:
        alphabet()
    if {"learning", "speed"} & set(asked):
        data = fslviz.load()
        with script(data) as page:
            for name, measure in (("learning", learning), ("speed", speed)):
                if name in asked:
                    measure(page, data)
