"""What nbval does not see: that the notebooks stand alone, and that their outputs come from one clean run."""

import json
import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import nbformat
import pytest
import yaml
from nbclient import NotebookClient

from book.outputs import VIEW, picture

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted(ROOT.glob("notebooks/*.ipynb"))
ADDRESS = yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]["url"]


@pytest.fixture(params=NOTEBOOKS, ids=lambda p: p.stem)
def notebook(request):
    return nbformat.read(request.param, as_version=4)


def code(notebook):
    return [c for c in notebook.cells if c.cell_type == "code"]


def test_ran_once_from_top_to_bottom(notebook):
    assert [c.execution_count for c in code(notebook)] == list(range(1, len(code(notebook)) + 1))


def test_outputs_hold_no_path_warning_or_traceback(notebook):
    shown = json.dumps([c.outputs for c in code(notebook)])
    shown = re.sub(r'"image/png": "[^"]*"', "", shown)
    assert not re.search(r"/(home|root|tmp|usr|work|Users)/|Warning|Traceback|0x[0-9a-f]{6}", shown)


def test_explorers_are_kept_without_their_script(notebook):
    assert "_esm" not in json.dumps(notebook.metadata)
    shown = [
        o.data for c in code(notebook) for o in c.outputs if "fslviz-explorer" in o.get("data", {}).get("text/html", "")
    ]
    assert len(shown) == sum("fslviz.Explorer(" in c.source for c in code(notebook))
    assert all(VIEW not in data for data in shown)


def test_asks_colab_for_a_gpu(notebook):
    assert notebook.metadata["accelerator"] == "GPU"


def test_a_chapter_is_whole(notebook):
    """What every chapter has: a figure with a text for those who can't see it, a control, exercises, references."""
    text = "\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")
    assert re.match(r"# .+\n\n\*\*.+\*\*", text), "a title, and what the chapter answers"
    assert "## Remember" in text
    exercises, solutions = re.findall(r"\{exercise\}\n:label: (\S+)", text), re.findall(r"\{solution\} (\S+)", text)
    assert exercises == solutions
    assert 2 <= len(exercises) <= 4
    assert text.count(":class: dropdown") == len(solutions)
    assert "{footbibliography}" in text
    assert any("fslviz.move(" in c.source for c in code(notebook))
    drawn = [c for c in code(notebook) if any("image/png" in o.get("data", {}) for o in c.outputs)]
    assert drawn
    assert all(len(c.metadata["mystnb"]["image"]["alt"]) > 20 for c in drawn)


def test_one_training_gave_what_the_text_says_of_it():
    """What another seed may turn stops no learner: it is read from the outputs that are kept."""

    def said(chapter, pattern):
        (path,) = (p for p in NOTEBOOKS if p.stem.startswith(chapter))
        outputs = [o for c in code(nbformat.read(path, as_version=4)) for o in c.outputs]
        text = "\n".join(o.get("text") or o.get("data", {}).get("text/plain", "") for o in outputs)
        return [float(n) for n in re.search(pattern, text, re.DOTALL).groups()]

    small, large = said("04", r"\ncosface 0.1 +(\d+)°.*?\ncosface 0.8 +(\d+)°")
    assert small > large + 2
    by_distance, by_angle = said("05", r"\nsoftmax +([\d.]+)%[^)]*\) +([\d.]+)%")
    (without,) = said("05", r"softmax by angle, without [^:]*: ([\d.]+)%")
    assert without < 0.9 * by_angle < 0.9 * by_distance
    flat, deep = said("10", r"2-D: 15-NN ([\d.]+)%.*?64-D: 15-NN ([\d.]+)%")
    assert deep > flat
    low, high = said("10", r"64-D minus EER of 2-D: (\S+) to (\S+) points")
    assert max(abs(low), abs(high)) < 1.5, "about as well"
    pixels, learned = said("11", r"pixels: EER ([\d.]+)%.*?learned: EER ([\d.]+)%")
    assert learned < pixels
    identified = said("11", r"\nlearned +1 +([\d.]+) [^\n]*\n +3 +([\d.]+) [^\n]*\n +5 +([\d.]+) ")
    assert identified == sorted(identified)
    assert said("11", r"this is s(\d+), at a distance of [\d.]+\ns\1 accepted\n")


def test_cells_are_short(notebook):
    assert all(len(c.source.splitlines()) < 15 for c in code(notebook)[1:])


def test_the_readme_shows_the_notebooks_figure():
    assert (ROOT / "book" / "_static" / "spaces.png").read_bytes() == picture()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_weighs_little(path):
    assert path.stat().st_size < 1.5e6


@pytest.mark.parametrize(
    "path", [*NOTEBOOKS, *(ROOT / n for n in ("README.md", "CITATION.cff", "pyproject.toml"))], ids=lambda p: p.name
)
def test_the_address_is_the_configured_one(path):
    text = path.read_text()
    addresses = set(re.findall(r"https://github\.com/[^/\s\"\\)]+/[^/\s\"\\)]+", text))
    badges = set(re.findall(r"https://colab\.research\.google\.com/github/([^/]+/[^/]+)/", text))
    assert addresses <= {ADDRESS}
    assert addresses or path not in NOTEBOOKS
    assert badges <= {ADDRESS.removeprefix("https://github.com/")}


def test_installs_itself_alone_in_an_empty_folder(tmp_path):
    """A fresh environment that has torch but not fslviz, as Colab has: the first cell installs, and torch stays."""
    env = tmp_path / "env"
    subprocess.run([sys.executable, "-m", "venv", env], check=True)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(env)}))
    (site / "torch_and_all.pth").write_text(sysconfig.get_path("purelib") + "\n")
    folder = tmp_path / "empty"
    folder.mkdir()
    first = nbformat.read(NOTEBOOKS[0], as_version=4)
    first.cells = code(first)[:1]
    first.cells.append(nbformat.v4.new_code_cell("import torch; print(fslviz.__file__, torch.__file__)"))
    kernel = tmp_path / "share/jupyter/kernels/fresh"
    kernel.mkdir(parents=True)
    command = [str(env / "bin/python"), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (kernel / "kernel.json").write_text(json.dumps({"argv": command, "display_name": "fresh", "language": "python"}))
    (tmp_path / "my books").symlink_to(ROOT)
    environment = {
        "FSLVIZ_SOURCE": str(tmp_path / "my books"),
        "JUPYTER_PATH": str(tmp_path / "share/jupyter"),
        "PYTHONPATH": "",
    }
    before = dict(os.environ)
    os.environ.update(environment)
    try:
        NotebookClient(first, timeout=600, kernel_name="fresh", resources={"metadata": {"path": str(folder)}}).execute()
    finally:
        os.environ.clear()
        os.environ.update(before)
    ours, torch = first.cells[-1].outputs[-1].text.split()
    assert Path(ours).is_relative_to(env)
    assert not Path(torch).is_relative_to(env)
