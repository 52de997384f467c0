"""The explorer as a widget in a live JupyterLab: the page moves Python's traits, and Python the page."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request

import nbformat
import pytest


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lab")
    cells = [
        "import fslviz\ne = fslviz.Explorer(['triplet', 'cosface'])\ne",
        "print('python reads', e.margins, len(e.selection))",
        "e.margins = {**e.margins, 'cosface': 0.8}\ne.selection = [1, 2, 3]",
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
    for _ in range(120):
        try:
            json.load(urllib.request.urlopen(f"{url}/api"))
            break
        except OSError:
            time.sleep(0.5)
    yield f"{url}/lab/tree/lab.ipynb"
    server.terminate()
    server.wait(20)


def test_the_widget_in_a_live_jupyterlab(browser, lab):
    page = browser.new_page(viewport={"width": 1280, "height": 2400})
    page.goto(lab)
    cell = page.locator(".jp-CodeCell")
    cell.nth(2).wait_for(timeout=60_000)
    page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status='idle']", timeout=60_000)
    cell.nth(0).locator(".cm-content").click()
    page.keyboard.press("Shift+Enter")
    page.wait_for_selector(".fslviz-explorer[data-ready]", timeout=60_000)
    page.get_by_label("CosFace margin").focus()
    page.keyboard.press("ArrowRight")
    page.get_by_role("application", name="Triplet space").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_timeout(1000)
    cell.nth(1).locator(".cm-content").click()
    page.keyboard.press("Shift+Enter")
    page.wait_for_selector("text=python reads {'triplet': 1, 'cosface': 0.15} 100", timeout=60_000)
    cell.nth(2).locator(".cm-content").click()
    page.keyboard.press("Shift+Enter")
    page.wait_for_selector("text=margin 0.8", timeout=60_000)
    page.wait_for_function("document.querySelector('.fslviz-explorer').explorer.picked.length === 3")
    page.close()
