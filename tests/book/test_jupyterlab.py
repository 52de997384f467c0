"""The explorer as a widget in a live JupyterLab: the page moves Python's traits, and Python the page."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request

import nbformat
import pytest
from playwright.sync_api import TimeoutError


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lab")
    cells = [
        "import fslviz\ne = fslviz.Explorer(['triplet', 'cosface'])\ne",
        "print('python reads', e.margins['cosface'], len(e.selection))",
        "e.margins = {**e.margins, 'cosface': 0.8}\ne.selection = [1, 2, 3]",
        "fslviz.Explorer(parts='alphabet')",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}  # else JupyterLab asks for one
    nbformat.write(notebook, folder / "lab.ipynb")
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}"]
    command += ["--IdentityProvider.token=", f"--ServerApp.root_dir={folder}", "--ServerApp.port_retries=0"]
    environment = {**os.environ, "JUPYTER_CONFIG_DIR": str(folder / "config")}
    server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    while server.poll() is None:
        try:
            json.load(urllib.request.urlopen(f"{url}/api"))
            break
        except OSError:
            time.sleep(0.5)
    yield f"{url}/lab/tree/lab.ipynb"
    server.terminate()
    server.wait(20)


def execute(page, number, gives):
    """Run a cell until the page holds what it gives: JupyterLab may not be ready yet, or the kernel not have heard."""
    for patience in range(5, 100, 5):  # seconds
        page.locator(".jp-CodeCell .cm-content").nth(number).click()
        page.keyboard.press("Shift+Enter")
        with contextlib.suppress(TimeoutError):
            page.wait_for_selector(gives, timeout=1000 * patience)
            return
    raise AssertionError(f"cell {number} never gave {gives}")


def test_the_widget_in_a_live_jupyterlab(browser, lab):
    page = browser.new_page(viewport={"width": 1280, "height": 2400})
    page.goto(lab)
    page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status='idle']")
    execute(page, 0, ".fslviz-explorer[data-ready]")
    page.get_by_label("CosFace margin").focus()
    page.keyboard.press("ArrowRight")
    page.get_by_role("application", name="Triplet space").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('.fslviz-explorer').explorer.loader.selected?.size === 100")
    execute(page, 1, "text=python reads 0.15 100")
    execute(page, 2, "text=margin 0.8")
    page.wait_for_function("document.querySelector('.fslviz-explorer').explorer.loader.selected?.size === 3")
    execute(page, 3, ".fx-alphabet")
    signs = page.locator(".fx-alphabet")
    drawn = "[...document.querySelectorAll('.fslviz-explorer')].at(-1).explorer.state.drawing !== ''"
    signs.get_by_role("button", name="A sign for me").click()  # the kernel sends its strokes
    page.wait_for_function(drawn)
    signs.get_by_role("button", name="Learn it").click()
    signs.locator(".fx-card").wait_for()
    signs.get_by_role("button", name="A sign for me").click()
    page.wait_for_function(drawn)  # and the network
    page.wait_for_function(
        "/^(It is|None of these)/.test(document.querySelector('.fx-alphabet > .fx-verdict').innerText)"
    )
    page.close()
