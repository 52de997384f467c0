"""What the browser tests share."""

import os
import shutil

# as in the Makefile: the book's cached runs, and one thread, because numbers are compared closely with the book's
os.environ.setdefault("FSLVIZ_CACHE", os.path.join(os.path.dirname(__file__), "..", ".cache"))
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("NUMBA_NUM_THREADS", "1")

import pytest
from browser_helpers import ALL, PAGE, serving
from playwright.sync_api import sync_playwright

import fslviz
from fslviz import explorer
from fslviz.explorer import pack


@pytest.fixture(scope="session")
def faces():
    return fslviz.load("faces").split(30, unseen=6)


def patient(make):
    """Pages that it makes have long timeouts: no test may depend on the speed of the machine."""

    def made(**options):
        page = make(**options)
        page.set_default_timeout(300_000)
        return page

    return made


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []  # chromium's own rule for root
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=arguments)
        browser.new_context, browser.new_page = map(patient, (browser.new_context, browser.new_page))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    explorer.ship(folder / "explorer")
    (folder / "all.html").write_text(PAGE.format(ALL))
    two = explorer.mount(["cosface"], ["margin"]) + explorer.mount(["triplet"], ["margin"])
    (folder / "two.html").write_text(PAGE.format(two))
    (folder / "six.html").write_text(PAGE.format(explorer.mount(list(pack.SIX), ["choose", "draw", "enrol"])))
    return folder


@pytest.fixture(scope="module")
def served(site):
    with serving(site) as address:
        yield address


@pytest.fixture
def opened(browser, site):
    """Open a page of the site: one explorer, ready; fails at the end if anything went wrong or was asked outside."""
    contexts, wrong = [], []

    def open_(name="all.html", base=None, width=1280, script=None, functions=None, ready=True, **options):
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        page = context.new_page()
        if script:
            page.add_init_script(script)
        for function, body in (functions or {}).items():
            page.expose_function(function, body)
        page.on("pageerror", lambda e: wrong.append(str(e)))
        page.on("console", lambda m: m.type == "error" and wrong.append(m.text))
        allowed = ("file:", "data:", "blob:", base or "file:")
        page.on("request", lambda r: r.url.startswith(allowed) or wrong.append(r.url))
        page.goto(f"{base or site.as_uri()}/{name}")
        if ready:
            page.wait_for_selector(".fslviz-explorer[data-ready]")
        return page

    yield open_
    for context in contexts:
        context.close()
    assert not wrong
