"""Sphinx extension: the rendered book asks no other host for anything, and works from ``file://``."""

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.util.fileutil import copy_asset

from fslviz.explorer import ship

MATHJAX = "tex-svg.js"  # one file, glyphs included: no font is fetched


def ship_mathjax(app: Sphinx) -> None:
    spec = find_spec("sphinx-mathjax-offline")
    if spec is None or spec.origin is None:
        raise RuntimeError("sphinx-mathjax-offline is missing: pip install -r requirements.txt")
    copy_asset(str(Path(spec.origin).parent / "static" / "mathjax" / MATHJAX), str(Path(app.outdir) / "_static"))


def ship_explorer(app: Sphinx, error: Exception | None) -> None:
    if error is None:
        ship(Path(app.outdir) / "_static" / "explorer")


def one_search_box(app: Sphinx, config: Any) -> None:
    config.html_theme_options["navbar_persistent"] = []  # the sidebar has one already


def drop_unused(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Thebe runs cells on a remote kernel, which this book doesn't offer; MathJax weighs 2 MB, for formulas alone."""
    unused = "thebe" if 'class="math' in context.get("body", "") else f"thebe|mathjax|{MATHJAX}"
    for kind in ("script_files", "css_files"):
        context[kind] = [
            f for f in context[kind] if not re.search(unused, f"{f.filename} {f.attributes.get('body', '')}", re.I)
        ]


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("config-inited", one_search_box)
    app.connect("html-page-context", drop_unused)
    app.connect("builder-inited", ship_mathjax)
    app.connect("build-finished", ship_explorer)
    app.add_js_file("explorer/explorer.js", loading_method="defer")
    app.config.mathjax_path = MATHJAX  # type: ignore[attr-defined]
    app.config.nb_ipywidgets_js = {}  # type: ignore[attr-defined]  # a widget needs a kernel: readers see its picture
    return {"parallel_read_safe": True, "parallel_write_safe": True}
