"""The book in other languages: what their files hold, and how a reader goes from one to another."""

import html
import importlib.util
import json
import re
from collections import Counter
from pathlib import Path

import pytest
from babel.messages import Catalog
from browser_helpers import serving

ROOT = Path(__file__).parents[2]
HTML = ROOT / "_build" / "html"
spec = importlib.util.spec_from_file_location("translation", ROOT / "book" / "translation.py")
translation = importlib.util.module_from_spec(spec)
spec.loader.exec_module(translation)

FILES = [(language, name) for language in translation.LANGUAGES for name in translation.files(language)]
CHINESE = sorted(p.relative_to(HTML / "zh_TW").as_posix() for p in HTML.glob("zh_TW/[!_]*/*.html"))
KEPT = r"(\{[\w:]+\}|:\w+:)?(``.+?``|`[^`]+`)|(\$[^$]+\$|\{\d+\}|\]\([^)]+\)|<a [^>]+>)"  # roles and code, and the rest


NAMES = {"Softmax", "NormFace", "SphereFace", "CosFace", "ArcFace", "FNMR"}  # that stay as they are
NAMES |= {"Enter", "Shift", "Backspace", "Delete"}


def kept(text):
    """What a translation takes over as it is; of a role with words of its own, that it is there."""
    parts = re.findall(KEPT, re.sub(r":math:`([^`]+)`", r"$\1$", text))  # a translation is read as Markdown
    return Counter(role if role == "{term}" else role + code + rest for role, code, rest in parts)


@pytest.mark.parametrize(("language", "name"), FILES)
def test_a_translation_keeps_code_formulas_links_and_terms(language, name):
    for message in translation.catalog(language, translation.files(language)[name]):
        if message.id and message.string:
            assert kept(message.id) == kept(message.string)


def test_what_has_changed_since_its_translation_is_counted(monkeypatch, tmp_path, capsys):
    folder = tmp_path / "xx" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "page.po").write_text('msgid "The margin is small."\nmsgstr "1"\n\nmsgid "A loss."\nmsgstr "2"\n')
    now = Catalog()
    for text in ("The margin is too small.", "A loss.", "Nothing like these two."):
        now.add(text)
    monkeypatch.setattr(translation, "LOCALE", tmp_path)
    monkeypatch.setattr(translation, "LANGUAGES", ["xx"])
    monkeypatch.setattr(translation, "english", lambda: {"page": now})
    translation.count()
    assert capsys.readouterr().out == "xx: 3 messages, 1 without a translation, 1 out of date\n"
    translation.update()
    translation.count()
    assert capsys.readouterr().out == "xx: 3 messages, 1 without a translation, 1 out of date\n"
    assert "#, fuzzy" in (folder / "page.po").read_text()


@pytest.mark.parametrize("name", CHINESE)
def test_a_page_says_its_language_and_leads_to_the_others(name):
    for folder, tag, other in (("zh_TW", "zh-TW", "en"), ("", "en", "zh-TW")):
        page = HTML / folder / name
        text = page.read_text()
        assert f'<html lang="{tag}"' in text
        (to,) = re.findall(rf'<link rel="alternate" hreflang="{other}" href="([^"]+)"', text)
        (shown,) = re.findall(rf'<a class="language" lang="{other}" hreflang="{other}" href="([^"]+)"', text)
        assert to == shown
        there = (page.parent / to).resolve()
        assert there.exists()
        assert there.name == page.name
        assert there.is_relative_to(HTML / "zh_TW") == (not folder)
        inside = [href for href in re.findall(r'<a [^>]*href="([^":#]+\.html)', text) if href != shown]
        for href in inside:  # all other links stay in the language
            assert (page.parent / href).resolve().is_relative_to(HTML / "zh_TW") == bool(folder), href


def test_a_reader_changes_the_language_on_the_place_and_it_is_kept(browser):
    page = browser.new_page()
    page.goto((HTML / "book/intro.html").as_uri() + "#explorer=v2;lit:classes,4,9")
    page.get_by_role("link", name="中文").click()
    page.wait_for_url("**/zh_TW/book/intro.html#explorer=v2;lit:classes,4,9")
    page.wait_for_selector(".fslviz-explorer[data-ready]")
    assert page.evaluate("document.querySelector('.fslviz-explorer').explorer.loader.selected.size") > 100
    page.goto((HTML / "notebooks/02_siamese.html").as_uri())
    page.wait_for_url("**/zh_TW/notebooks/02_siamese.html")
    page.get_by_role("link", name="English").click()
    page.wait_for_url("**/html/notebooks/02_siamese.html")
    page.goto((HTML / "zh_TW/book/choices.html").as_uri())
    page.wait_for_url("**/html/book/choices.html")
    page.close()


@pytest.mark.parametrize("kept", ["xx", '"]', ""])
def test_a_search_is_kept_whatever_was_stored(browser, kept):
    page = browser.new_page()
    page.add_init_script(
        f"localStorage.getItem('fslviz-language') ?? localStorage.setItem('fslviz-language', '{kept}')"
    )
    page.goto((HTML / "search.html").as_uri() + "?q=margin#here")
    page.get_by_role("link", name="中文").click()
    page.wait_for_url("**/zh_TW/search.html?q=margin#here")
    page.close()


def test_a_browser_that_keeps_nothing_changes_the_language_too(browser):
    page = browser.new_page()
    page.add_init_script("Object.defineProperty(window, 'localStorage', { get() { throw new Error('forbidden'); } })")
    page.goto((HTML / "book/choices.html").as_uri())
    page.get_by_role("link", name="中文").click()
    page.wait_for_url("**/zh_TW/book/choices.html")
    page.close()


@pytest.mark.parametrize(
    ("query", "page"),
    [("對比損失", "02_siamese"), ("拔靴法", "glossary"), ("ArcFace", "04_margins"), ("相等錯誤率", "glossary")],
)
def test_the_search_finds_chinese_words(browser, query, page):
    tab = browser.new_page()
    with serving(HTML) as address:
        tab.goto(f"{address}/zh_TW/search.html?q={query}")
        tab.wait_for_selector(f"#search-results li a[href*='{page}']")
        tab.goto(f"{address}/zh_TW/search.html?q=沒有這種詞彙組合")
        tab.wait_for_selector("#search-results p.search-summary:not(:empty)")
        assert not tab.locator("#search-results li").count()
    tab.close()


def test_the_explorer_speaks_chinese(browser):
    page = browser.new_page()
    page.goto((HTML / "zh_TW/notebooks/05_side_by_side.html").as_uri())
    page.wait_for_selector(".fslviz-explorer[data-ready]")
    root = page.locator(".fslviz-explorer")
    said = root.locator("[aria-label]").evaluate_all("all => all.map((e) => e.ariaLabel).join(' ')")
    without_code = (
        "e => { e = e.cloneNode(true); e.querySelectorAll('code').forEach((c) => c.remove()); return e.textContent; }"
    )
    for text in (root.evaluate(without_code), said):
        assert re.search("[\u4e00-\u9fff]", text)
        assert not re.findall(r"[A-Za-z]{4,}", re.sub("|".join(NAMES), "", text))
    page.close()


@pytest.mark.parametrize("name", CHINESE)
def test_descriptions_and_names_of_controls_are_chinese(name):
    text = re.sub(r'<a class="reference[^>]*>', "", (HTML / "zh_TW" / name).read_text())  # the titles of papers
    said = re.findall(r'\b(?:alt|title|aria-label|placeholder)="([^"]*[A-Za-z]{4}[^"]*)"', text)
    assert [words for words in said if not re.search("[\u4e00-\u9fff]", words)] == []


@pytest.mark.parametrize("name", ["search.html", *CHINESE])
def test_no_sign_is_of_simplified_chinese(name):
    """The theme has its words in simplified signs, too; Taiwan's code page has none of these."""
    signs = set(re.findall("[\u3400-\u9fff]", (HTML / "zh_TW" / name).read_text()))
    assert {sign for sign in signs if not sign.encode("cp950", "ignore")} == set()


def test_figures_with_controls_have_a_chinese_text_for_all_that_they_say():
    texts = translation.texts("zh_TW", translation.SCRIPT)
    found = set()
    for name in CHINESE:
        for options in re.findall(
            r'<div class="fslviz-move" data-options="([^"]*)"', (HTML / "zh_TW" / name).read_text()
        ):
            for control in json.loads(html.unescape(options))["controls"]:
                found |= {control["name"], *(control["values"] if control["choice"] else ())}
    assert len(found) > 10
    assert {text for text in found if re.search("[A-Za-z]{4,}", text)} <= {*texts, *NAMES}
