"""Says which pages must be executed anew, and has Jupyter's cache and Sphinx forget what they keep of them.

Jupyter's cache knows the code of a page alone, with its tags. What the page computes hangs as well on the definitions
of ``fslviz`` that it reaches and the data files that those name, and on the versions of all that is installed. All
together are a page's key; a page is stale where its key is another than when it was executed.
"""

import hashlib
import importlib.metadata
import importlib.util
import json
import re
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import nbformat
from jupyter_cache import get_cache
from jupyter_cache.base import JupyterCacheAbstract

ROOT = Path(__file__).parent.parent
spec = importlib.util.spec_from_file_location("sources", ROOT / "fslviz" / "sources.py")  # without what fslviz imports
sources = sys.modules["sources"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sources)

DATA = [
    "fslviz/explorer/door.js",
    *(f"{folder}/*.{kind}" for folder in ("fslviz/**", "benchmarks") for kind in ("json", "bin")),
]


@cache
def checksum(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


@cache
def installed() -> list[str]:
    return sorted({f"{d.name} {d.version}" for d in importlib.metadata.distributions()})


def key(notebook: nbformat.NotebookNode, root: Path = ROOT) -> str:
    """Of a notebook's code, and of all that it hangs on in the repository at ``root``."""
    cells = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    code = sources.read(root / "fslviz")
    words = set(re.findall(r"\w+", " ".join(cells)))
    found = sources.reached(code, (f"{module}.{word}" for module in code for word in words))
    trees = [f"{name} {definition.tree}" for name, definitions in found.items() for definition in definitions]
    texts = {text for definitions in found.values() for definition in definitions for text in definition.texts}
    files = sorted(file for pattern in DATA for file in root.glob(pattern))
    named = [file for file in files if file.name in texts or file.stem in words]  # a study goes by its stem
    contents = [f"{file.relative_to(root)} {checksum(file)}" for file in named]
    return sources.checksum(json.dumps(cells), *trees, *contents, *installed())


def stale(cache: JupyterCacheAbstract, pages: Iterable[Path], kept: dict[str, str], root: Path = ROOT) -> list[Path]:
    """Those of the pages that must be executed. ``kept``: a key for each, which becomes that of now."""
    found = []
    for page in pages:
        reader = "nbformat" if page.suffix == ".ipynb" else "myst_nb_md"
        cache.add_nb_to_project(str(page), read_data={"name": reader, "type": "plugin"})
        notebook, name = cache.get_project_notebook(str(page)).nb, page.relative_to(root).as_posix()
        now = key(notebook, root)
        record = cache.get_cached_project_nb(str(page))
        if record and kept.get(name) != now:
            cache.remove_cache(record.pk)
        if not record or kept.get(name) != now:
            found.append(page)
        kept[name] = now
    return found


if __name__ == "__main__":
    build = ROOT / "_build"
    keys = build / ".keys.json"
    kept = json.loads(keys.read_text()) if keys.exists() else {}
    for page in stale(
        get_cache(build / ".jupyter_cache"), [Path(name).absolute() for name in dict.fromkeys(sys.argv[1:])], kept
    ):
        # its page must be read anew by Sphinx in every language, even where its text has not changed
        for trees in build.glob(".doctrees*"):
            (trees / page.relative_to(ROOT)).with_suffix(".doctree").unlink(missing_ok=True)
        print(page.relative_to(ROOT))
    keys.write_text(json.dumps(kept, indent=1))
