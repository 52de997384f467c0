"""The bounds of pyproject.toml are what is tested: with the oldest versions, and with Colab's."""

import ast
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
BOUNDS = {
    r.name: r.specifier
    for r in map(Requirement, tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"])
}
MODULES = {
    "PIL": "pillow",
    "sklearn": "scikit-learn",
    "mpl_toolkits": "matplotlib",
    "IPython": "ipython",
    "fontTools": "matplotlib",
    "threadpoolctl": "scikit-learn",
}


def pins(name):
    lines = (ROOT / "versions" / f"{name}.txt").read_text().splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


def test_the_oldest_versions_are_the_bounds():
    assert {name: str(bound) for name, bound in BOUNDS.items()} == {n: f">={v}" for n, v in pins("oldest").items()}


def test_colab_s_versions_are_within_the_bounds():
    colab = pins("colab")
    assert all(bound.contains(colab[name]) for name, bound in BOUNDS.items())


def test_what_is_imported_has_a_bound():
    trees = [ast.parse(p.read_text()) for p in (ROOT / "fslviz").rglob("*.py")]
    names = {n.module for t in trees for n in ast.walk(t) if isinstance(n, ast.ImportFrom)}
    names |= {a.name for t in trees for n in ast.walk(t) if isinstance(n, ast.Import) for a in n.names}
    roots = {name.split(".")[0] for name in names} - sys.stdlib_module_names - {"fslviz"}
    assert {MODULES.get(root, root) for root in roots} <= BOUNDS.keys()
