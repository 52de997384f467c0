"""The book in other languages. Each folder of ``book/locale`` is one, with a .po file for each page.

``build`` writes their pages, ``update`` takes new English messages into their files, ``count`` says what is missing.
As a Sphinx extension it links each page with the same page in the other languages, and finds Chinese words.
"""

import json
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from babel import Locale
from babel.messages import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from docutils import nodes
from jupyter_book.sphinx import build_sphinx
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.search import SearchLanguage

ROOT = Path(__file__).parent.parent
BUILD, LOCALE, EXPLORER = ROOT / "_build", ROOT / "book" / "locale", ROOT / "fslviz" / "explorer" / "src"
LANGUAGES = sorted(folder.name for folder in LOCALE.iterdir() if folder.is_dir())
SCRIPT = "explorer"  # the file with the texts of the explorer's script
FROM_PYTHON = LOCALE / "from_python.txt"  # texts of figures with controls and of catalogue.json, that no script holds
THEME = {  # files with texts of Sphinx and its extensions that have no translation of their own
    "sphinx": [
        "Show code cell {type}",
        "Hide code cell {type}",
        "Search this book...",
        "Color mode",
        "System Settings",
        "Skip to main content",
        "Back to top",
        "previous page",
        "next page",
        "Please activate JavaScript to enable the search functionality.",
    ],
    "exercise": ["Exercise", "Solution to"],
    "booktheme": ["Repository", "Open issue"],
    "togglebutton": ["Click to show", "Click to hide"],
    "theme": [  # that its templates and scripts have in English only
        "Toggle primary sidebar",
        "Toggle secondary sidebar",
        "Toggle hidden content",
        "Main",
        "Page",
        "Source repositories",
        "Launch interactive content",
        "Launch on Colab",
        "Colab logo",
        "Copy",
        "Copy to clipboard",
        "Copied!",
        "Failed to copy",
        "the fslviz authors",
    ],
}


def sphinx(builder: str, folder: Path, anew: bool = False, **options: Any) -> None:
    """Run Sphinx on notebooks that are executed already; ``anew``: read all pages again."""
    options |= {"external_toc_path": "_toc.yml", "nb_execution_cache_path": str(BUILD / ".jupyter_cache")}
    options |= {"latex_individualpages": False}  # as jupyter-book's command has it
    result = build_sphinx(
        ROOT,
        folder,
        noconfig=True,
        path_config=ROOT / "_config.yml",
        confoverrides=options,
        builder=builder,
        doctreedir=BUILD / f".doctrees-{folder.name}",
        freshenv=anew,
        warningiserror=True,
        keep_going=True,
        quiet=True,
    )
    if result:
        sys.exit(f"{folder.name}: {result}")


def files(language: str) -> dict[str, Path]:
    folder = LOCALE / language / "LC_MESSAGES"
    return {po.relative_to(folder).with_suffix("").as_posix(): po for po in sorted(folder.rglob("*.po"))}


def catalog(language: str, po: Path) -> Catalog:
    with po.open("rb") as file:
        return read_po(file, language)


def texts(language: str, name: str) -> dict[str, str]:
    """The translations of a file by their English, without what is missing or out of date."""
    return {m.id: m.string for m in catalog(language, files(language)[name]) if m.id and m.string and not m.fuzzy}


def build() -> None:
    for language in LANGUAGES:
        for po in files(language).values():
            with po.with_suffix(".mo").open("wb") as compiled:
                write_mo(compiled, catalog(language, po))
        sphinx("html", BUILD / "html" / language, "--all" in sys.argv, language=language, nitpicky=True)


def english() -> dict[str, Catalog]:
    """All messages, by the name of their file: those of each page, and of the explorer's script."""
    script = Catalog()
    for file, _, message, comments, _ in extract_from_dir(
        EXPLORER, [("**.ts", "javascript")], keywords={"t": None, "tNodes": None}
    ):
        script.add(message, auto_comments=[file, *comments])
    for text in FROM_PYTHON.read_text().splitlines():
        script.add(text)
    found = {SCRIPT: script}
    for name, words in THEME.items():
        found[name] = Catalog()
        for text in words:
            found[name].add(text)
    with tempfile.TemporaryDirectory() as folder:
        sphinx("gettext", pots := Path(folder) / "gettext", nb_execution_mode="off")
        for pot in pots.rglob("*.pot"):
            with pot.open("rb") as file:
                found[pot.relative_to(pots).with_suffix("").as_posix()] = read_po(file)
    for page in (ROOT / "book").glob("*.md"):  # what these compute is not there yet, nor the description of its figures
        for text in re.findall("(?m)^ +alt: (.+)$", page.read_text()):
            found[f"book/{page.stem}"].add(text)
    return found


def update() -> None:
    messages = english()
    for language in LANGUAGES:
        folder = LOCALE / language / "LC_MESSAGES"
        for name, template in messages.items():
            po = (folder / name).with_suffix(".po")
            translated = catalog(language, po) if po.exists() else Catalog(language)
            translated.update(template)
            for message in translated:
                message.flags -= {"python-format", "python-brace-format"}  # taken from any % or brace
            po.parent.mkdir(parents=True, exist_ok=True)
            with po.open("wb") as file:
                write_po(file, translated, width=120, no_location=True, omit_header=True, ignore_obsolete=True)


def count() -> None:
    messages = english()
    for language in LANGUAGES:
        missing = outdated = 0
        for name, template in messages.items():
            po = LOCALE / language / "LC_MESSAGES" / f"{name}.po"
            translated = catalog(language, po) if po.exists() else Catalog(language)
            translated.update(template)
            outdated += sum(m.fuzzy for m in translated if m.id)
            missing += sum(not m.string for m in translated if m.id)
        total = sum(map(len, messages.values()))
        print(f"{language}: {total:,} messages, {missing} without a translation, {outdated} out of date")


class Chinese(SearchLanguage):
    """Finds any part of a text: it is indexed by its characters and by each two that stand side by side."""

    lang = "zh"
    language_name = "Chinese"
    js_splitter_code = """
function splitQuery(query) {
  return (query.match(/[\\p{Script=Han}]+|[\\p{Letter}\\p{Number}_]+/gu) ?? []).flatMap((run) =>
    /\\p{Script=Han}/u.test(run) && run.length > 1 ? [...run].slice(1).map((sign, i) => run[i] + sign) : [run]);
}
"""

    def split(self, text: str) -> list[str]:
        han = re.findall("[\u3400-\u9fff]+", text)
        pairs = [a + b for run in han for a, b in zip(run, run[1:], strict=False)]
        return [*"".join(han), *pairs, *re.findall(r"[^\W\u3400-\u9fff]+", text)]


def translate_options(app: Sphinx, config: Any) -> None:
    show, hide, search = map(app.translator.gettext, THEME["sphinx"][:3])
    config.nb_code_prompt_show, config.nb_code_prompt_hide = show, hide
    config.html_theme_options["search_bar_text"] = search
    config.author = texts(app.config.language, "theme").get(config.author, config.author)
    hints = texts(app.config.language, "togglebutton")
    config.togglebutton_hint, config.togglebutton_hint_hide = (hints.get(t, t) for t in THEME["togglebutton"])


def translate_parts(app: Sphinx, doctree: Any) -> None:
    """The names of the parts in ``_toc.yml``, which Sphinx takes among the messages of the first page alone."""
    known = texts(app.config.language, "book/intro")
    for contents in doctree.findall(addnodes.toctree):
        contents["caption"] = known.get(contents["caption"], contents["caption"])


def keep_together(app: Sphinx, doctree: Any, page: str) -> None:
    """No line of Chinese ends between a number and its measure word, or within a word with a hyphen."""
    gap, hyphen = r"(?<=\d) (?=[維個張人次倍類對位種秒步畫組層]|ms\b|MB\b|GB\b)", r"(?<=\w)-(?=\w)"
    for text in list(doctree.findall(nodes.Text)):
        if not isinstance(text.parent, (nodes.literal, nodes.literal_block, nodes.math, nodes.math_block, nodes.raw)):
            text.parent.replace(text, nodes.Text(re.sub(hyphen, "-\u2060", re.sub(gap, "\u00a0", text))))


def keep_heads_together(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """No word in the head of a computed table breaks at its hyphen."""
    heads = r"(?<=<th>)[^<]*-[^<]*(?=</th>)"
    context["body"] = re.sub(heads, lambda words: words[0].replace("-", "-\u2060"), context.get("body", ""))


def link_languages(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    here, home = app.config.language, "../" * page.count("/")
    if here != "en":
        home += "../"
    others = []
    for language in ["en", *LANGUAGES]:
        folder = "" if language == "en" else f"{language}/"
        if language != here:
            tag, name = language.replace("_", "-"), Locale.parse(language).get_language_name()
            others.append((tag, name, f"{home}{folder}{page}.html"))
    context["other_languages"] = others
    links = [f'<link rel="alternate" hreflang="{tag}" href="{to}">' for tag, _, to in others]
    context["metatags"] = "".join([context.get("metatags", ""), *links])


def translate_outputs(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """The sentences of Python in what a cell shows: those for readers without a kernel or without JavaScript."""
    known = texts(app.config.language, SCRIPT)
    for text in FROM_PYTHON.read_text().splitlines():
        if text.endswith(".") and "body" in context:
            context["body"] = context["body"].replace(text, known.get(text, text))


def translate_theme(app: Sphinx, error: Exception | None) -> None:
    """The words of the theme in attributes of the pages, and in the script that copies code."""
    if error is None:
        folder, known = Path(app.outdir), texts(app.config.language, "theme")
        for file in [folder / "_static" / "copybutton.js", *folder.rglob("*.html")]:
            text = file.read_text(encoding="utf-8")
            for english, translated in known.items():
                text = text.replace(f'="{english}"', f'="{translated}"').replace(f": '{english}'", f": '{translated}'")
            text = text.replace("： ", "：")  # after "By"
            file.write_text(text, encoding="utf-8")


def write_texts(app: Sphinx, error: Exception | None) -> None:
    """The explorer's texts, as a script of their own that the page loads before the explorer's."""
    if error is None:
        script = f"globalThis.fslvizTexts = {json.dumps(texts(app.config.language, SCRIPT), ensure_ascii=False)};"
        (Path(app.outdir) / "_static" / "texts.js").write_text(script, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_search_language(Chinese)
    for name in ("exercise", "booktheme"):
        app.add_message_catalog(name, str(LOCALE))
    app.connect("html-page-context", link_languages)
    app.connect("html-page-context", keep_heads_together)
    if app.config.language != "en":
        app.add_js_file("texts.js")  # at once: a door starts while the page is read
        app.connect("config-inited", translate_options, priority=100)  # before an extension reads them
        app.connect("doctree-read", translate_parts, priority=200)  # after the contents have been put in
        app.connect("doctree-resolved", keep_together)
        app.connect("html-page-context", translate_outputs)
        app.connect("build-finished", translate_theme)
        app.connect("build-finished", write_texts)
    app.add_js_file("language.js", priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


if __name__ == "__main__":
    {"build": build, "update": update, "count": count}[sys.argv[1]]()
