"""The book executes what has changed, and no more: counted, not timed."""

import importlib.util
import re
import shutil
from pathlib import Path

import nbformat
import pytest
from jupyter_cache import get_cache

ROOT = Path(__file__).parents[2]
CHAPTERS = sorted(path.stem for path in ROOT.glob("notebooks/*.ipynb"))


@pytest.fixture(scope="module")
def stale():
    spec = importlib.util.spec_from_file_location("stale", ROOT / "book" / "stale.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def executed(stale, folder, kept):
    """The chapters that a build would execute now; their outputs are then those that the repository keeps."""
    stale.checksum.cache_clear()
    cache = get_cache(folder / "cache")
    found = stale.stale(cache, sorted(folder.glob("notebooks/*.ipynb")), kept, folder)
    for page in found:
        cache.cache_notebook_file(page, check_validity=False)
    return [page.stem for page in found]


@pytest.fixture(scope="module")
def built(stale, tmp_path_factory):
    """A copy of the repository after a build, and the keys of its pages."""
    folder, kept = tmp_path_factory.mktemp("built"), {}
    for name in ("fslviz", "benchmarks", "notebooks"):
        skip = shutil.ignore_patterns("*.gz", "src", "tests", "__pycache__", ".*")
        shutil.copytree(ROOT / name, folder / name, ignore=skip)
    assert executed(stale, folder, kept) == CHAPTERS
    return folder, kept


@pytest.fixture
def book(stale, built, tmp_path):
    """A copy of that, and a function that tells what would be executed in it."""
    folder, kept = shutil.copytree(built[0], tmp_path / "book"), dict(built[1])
    return folder, lambda: executed(stale, folder, kept)


def change(file, was, becomes):
    text = file.read_text(encoding="utf-8")
    assert was in text
    file.write_text(text.replace(was, becomes, 1), encoding="utf-8")


def using(*words):
    """The chapters in whose code one of the words stands."""
    books = {name: nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4) for name in CHAPTERS}
    code = {k: "\n".join(c.source for c in b.cells if c.cell_type == "code") for k, b in books.items()}
    return [name for name in CHAPTERS if any(re.search(rf"\b{w}\b", code[name]) for w in words)]


def test_nothing_changed_nothing_is_executed(book):
    assert book[1]() == []


def test_a_word_executes_nothing(book):
    folder, executed = book
    change(folder / "notebooks" / "02_siamese.ipynb", "Siamese", "Siamese, in another word")
    change(folder / "fslviz" / "training.py", "One training loop", "A training loop")
    change(folder / "fslviz" / "losses.py", "If a batch has", "Where a batch has")
    change(folder / "fslviz" / "plots.py", "# on every page", "# everywhere")
    assert executed() == []


def test_a_line_of_code_executes_its_chapter_until_it_is_taken_back(book):
    folder, executed = book
    page = folder / "notebooks" / "02_siamese.ipynb"
    change(page, "import fslviz", "import  fslviz")
    assert executed() == ["02_siamese"]
    assert executed() == []
    change(page, "import  fslviz", "import fslviz")
    assert executed() == ["02_siamese"], "what was kept of it may be older than the package"


@pytest.mark.parametrize(
    ("module", "was", "becomes", "words"),
    [
        ("plots", "low, high = norm.ppf([5e-4", "low, high = norm.ppf([4e-4", ["plot_det"]),
        ("plots", 'xscale="log", xlim=(1e-4, 1)', 'xscale="log", xlim=(1e-3, 1)', ["plot_roc"]),
        (
            "plots",
            "most = (right - left) / 3",
            "most = (right - left) / 4",
            ["plot_spaces?", "margin_lab"],
        ),
        ("widgets", '"most": float(', '"least": float(', ["door"]),
        ("models", "self.embedding_net(x1), self.embedding_net(x2)\n", "self(x1), self(x2)\n", ["SiameseNet"]),
        ("training", "RISE = 0.25", "RISE = 0.5", ["train", "margin_lab"]),
        ("margins", "return cos - self.share", "return cos + self.share", CHAPTERS),
    ],
)
def test_a_changed_definition_executes_the_chapters_that_reach_it(book, module, was, becomes, words):
    folder, executed = book
    change(folder / "fslviz" / f"{module}.py", was, becomes)
    assert executed() == (CHAPTERS if words == CHAPTERS else using(*words))


def test_new_figures_of_a_study_execute_the_chapters_that_read_them(book):
    folder, executed = book
    change(folder / "fslviz" / "measured" / "people.json", "0.", "1.")
    assert executed() == using("people")


def test_another_version_of_a_library_executes_all(book, stale, monkeypatch):
    _, executed = book
    monkeypatch.setattr(stale, "installed", lambda: ["matplotlib 99"])
    assert executed() == CHAPTERS
