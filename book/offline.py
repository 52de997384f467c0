"""Sphinx extension: the rendered book asks no other host for anything, and works from ``file://``.

The book in another language, in a folder of the English one, shares its formulas' script and the explorer with it.
"""

import hashlib
import html
import json
import os
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fontTools import subset
from sphinx.application import Sphinx
from sphinx.util.fileutil import copy_asset

from fslviz.explorer import ship, write_part
from fslviz.widgets import BOOK

MATHJAX = "tex-svg.js"  # one file, glyphs included: no font is fetched
ENGLISH = "../../_static/"  # of the English book, from that of another language


def own(app: Sphinx) -> bool:
    """Whether the pages that are written have files of their own, and share none."""
    return app.builder.format == "html" and app.config.language == "en"


def ship_mathjax(app: Sphinx) -> None:
    if not own(app):
        return
    spec = find_spec("sphinx-mathjax-offline")
    if spec is None or spec.origin is None:
        raise RuntimeError("sphinx-mathjax-offline is missing: pip install -r requirements.txt")
    copy_asset(str(Path(spec.origin).parent / "static" / "mathjax" / MATHJAX), str(Path(app.outdir) / "_static"))


def ship_explorer(app: Sphinx, error: Exception | None) -> None:
    if error is None and own(app):
        ship(Path(app.outdir) / "_static" / "explorer")


def ship_icons(app: Sphinx, error: Exception | None) -> None:
    """The theme's icons come as fonts, and once more as a script of 1.5 MB: of the fonts, those in use are kept."""
    if error is not None or app.builder.format != "html":
        return
    static = Path(app.outdir) / "_static"
    (static / "scripts" / "fontawesome.js").write_text("")
    css = "".join(p.read_text() for p in (static / "styles").glob("*.css"))
    used = [*Path(app.outdir).rglob("*.html"), static / "scripts" / "pydata-sphinx-theme.js"]
    names = {name for p in used for name in re.findall(r"\bfa-[a-z-]+", p.read_text(encoding="utf-8"))}
    rules = re.findall(r"([^{}]*)\{[^{}]*?:\s*\"\\([0-9a-f]{4})\"", css)
    wanted = {int(code, 16) for to, code in rules if ".fa-" not in to or names & set(re.findall(r"fa-[a-z-]+", to))}
    wanted |= {int(code, 16) for code in re.findall(r"--pst-icon-[a-z-]+:\s*\"\\([0-9a-f]{4})", css)}
    for ttf in (static / "vendor" / "fontawesome" / "webfonts").glob("*.ttf"):
        font = subset.load_font(ttf, subset.Options())
        picked = subset.Subsetter()
        picked.populate(unicodes=wanted)
        picked.subset(font)
        font.flavor = "woff2"
        font.save(ttf.with_suffix(".woff2"))


def arrange_header(app: Sphinx, config: Any) -> None:
    config.html_theme_options["navbar_persistent"] = []  # the sidebar has a search box already
    config.html_theme_options["article_header_end"] = ["language.html", "article-header-buttons.html"]


def ship_pictures(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """The pictures of a figure with controls are a file of their own, which is fetched once a control is touched."""
    folder = Path(app.outdir) / "_static" / "explorer"

    def moved(root: re.Match[str]) -> str:
        options = json.loads(html.unescape(root[1]))
        name = f"move/{hashlib.sha256(options['pictures'].encode()).hexdigest()[:12]}"
        if own(app):
            folder.mkdir(parents=True, exist_ok=True)
            write_part(folder, name, options["pictures"])
        return root[0].replace(root[1], html.escape(json.dumps(options | {"pictures": name})))

    if "body" in context:
        context["body"] = re.sub(r'<div class="fslviz-move" data-options="([^"]*)"', moved, context["body"])


def keep_together(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """No line begins with the comma or full stop that follows a formula."""
    formula = r'(<span class="math[^"]*">[^<]*</span>[,.;:)?，。；：、）？]+)'
    if "body" in context:
        context["body"] = re.sub(formula, r'<span class="keep-together">\1</span>', context["body"])


def drop_unused(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Thebe runs cells on a remote kernel, and a widget's state needs one; MathJax weighs 2 MB, for formulas alone."""
    unused = "thebe|widget-state|sphinx-design|design-tabs"
    if not re.search("fslviz-(explorer|move)", context.get("body", "")):
        unused += "|explorer/explorer.js"
    if 'class="math' not in context.get("body", ""):
        unused += f"|mathjax|{MATHJAX}"
    if 'class="highlight' not in context.get("body", ""):
        unused += "|copybutton|clipboard"
    for kind in ("script_files", "css_files"):
        context[kind] = [f for f in context[kind] if not re.search(unused, f"{f.filename} {f.attributes}", re.I)]


def setup(app: Sphinx) -> dict[str, Any]:
    os.environ[BOOK] = "yes"  # for notebooks that are executed here
    app.connect("config-inited", arrange_header)
    app.connect("html-page-context", ship_pictures)
    app.connect("html-page-context", keep_together)
    app.connect("html-page-context", drop_unused)
    app.connect("builder-inited", ship_mathjax)
    app.connect("build-finished", ship_explorer)
    app.connect("build-finished", ship_icons)
    shared = "" if app.config.language == "en" else ENGLISH
    app.add_js_file(f"{shared}explorer/explorer.js", loading_method="defer")
    app.config.mathjax_path = shared + MATHJAX  # type: ignore[attr-defined]
    app.config.nb_ipywidgets_js = {}  # type: ignore[attr-defined]  # a widget needs a kernel: readers see its picture
    return {"parallel_read_safe": True, "parallel_write_safe": True}
