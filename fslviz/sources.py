"""What a piece of code depends on: the definitions that it reaches, without comments and docstrings.

So a cached run or page is made again when code that it depends on has changed, but not when a comment has.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path


def read(folder: Path) -> dict[str, str]:
    """The source of every module under the folder of the package ``fslviz``, by its dotted name."""
    parts = {path: path.relative_to(folder.parent).with_suffix("").parts for path in sorted(folder.rglob("*.py"))}
    return {".".join(p).removesuffix(".__init__"): path.read_text(encoding="utf-8") for path, p in parts.items()}


def checksum(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


@cache
def without_words(source: str) -> ast.Module:
    """The syntax tree of a module, without its comments, layout and docstrings."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
    return tree


def meaning(source: str) -> str:
    """The checksum of a whole module ``without_words``."""
    return checksum(ast.dump(without_words(source)))


@dataclass(frozen=True)
class Definition:
    """A function, a class or a constant of a module: its syntax ``tree`` as text, the names and the strings in it."""

    tree: str
    names: frozenset[str]
    members: frozenset[tuple[str, str]]  # an ("pack", "MARGINS") for pack.MARGINS
    texts: frozenset[str]

    @classmethod
    def of(cls, node: ast.AST) -> Definition:
        inner = list(ast.walk(node))
        members = [
            (n.value.id, n.attr) for n in inner if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name)
        ]
        return cls(
            tree=ast.dump(node),
            names=frozenset(n.id for n in inner if isinstance(n, ast.Name)),
            members=frozenset(members),
            texts=frozenset(n.value for n in inner if isinstance(n, ast.Constant) and isinstance(n.value, str)),
        )


def reached(sources: Mapping[str, str], roots: Iterable[str]) -> dict[str, list[Definition]]:
    """All definitions that ``roots`` ("fslviz.runs.Run") use, directly or through others, by their dotted names.

    A local variable with the name of a definition counts as a use of it: some are found that are not used. Only
    ``sources`` are searched: modules by their dotted names.
    """
    found: dict[str, list[Definition]] = {}
    left = list(roots)
    while left:
        name = left.pop()
        module, _, last = name.rpartition(".")
        if name in found or module not in sources:
            continue
        defined, imported = _module(sources[module])
        found[name] = defined.get(last, [])
        left += [imported[last]] if last in imported else []
        for definition in found[name]:
            left += [f"{module}.{other}" for other in definition.names]
            for value, member in definition.members:
                left += _members(sources, imported.get(value, ""), member)
    return {name: definitions for name, definitions in sorted(found.items()) if definitions}


def _members(sources: Mapping[str, str], module: str, name: str) -> list[str]:
    """The definition ``module.name``; or all of the module, if it defines no such name, as for ``module.__file__``."""
    if module not in sources:
        return []
    defined, imported = _module(sources[module])
    known = name in defined or name in imported
    return [f"{module}.{one}" for one in ([name] if known else defined)]


@cache
def _module(source: str) -> tuple[dict[str, list[Definition]], dict[str, str]]:
    """Definitions by name, and what is imported, also within them: the dotted name of each."""
    defined: dict[str, list[Definition]] = {}
    imported: dict[str, str] = {}
    tree = without_words(source)
    for node in tree.body:
        for name in _named(node):
            defined.setdefault(name, []).append(Definition.of(node))
    for part in ast.walk(tree):
        if isinstance(part, ast.ImportFrom):
            imported |= {alias.asname or alias.name: f"{part.module}.{alias.name}" for alias in part.names}
        elif isinstance(part, ast.Import):
            imported |= {alias.asname or alias.name: alias.name for alias in part.names}
    return defined, imported


def _named(node: ast.AST) -> list[str]:
    """The names that a statement of a module defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if not isinstance(node, ast.Assign | ast.AnnAssign):
        return []
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return [part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)]
