"""What is done to the executed notebooks: explorers lose their script, six spaces become the README's picture."""

import base64
from pathlib import Path

import nbformat

ROOT = Path(__file__).parent.parent
VIEW = "application/vnd.jupyter.widget-view+json"


def without_scripts(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The notebook with its explorers' HTML alone: they need a kernel, and their script is in the package."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "fslviz-explorer" in output.get("data", {}).get("text/html", ""):
                output.data.pop(VIEW, None)
    for kept in notebook.metadata.get("widgets", {}).values():
        kept["state"] = {key: model for key, model in kept["state"].items() if "_esm" not in model["state"]}
    return notebook


def picture() -> bytes:
    notebook = nbformat.read(ROOT / "notebooks" / "05_side_by_side.ipynb", as_version=4)
    (cell,) = [c for c in notebook.cells if c.source.startswith("fslviz.plot_spaces")]
    return base64.b64decode(cell.outputs[0]["data"]["image/png"])


if __name__ == "__main__":
    for path in ROOT.glob("notebooks/*.ipynb"):
        nbformat.write(without_scripts(nbformat.read(path, as_version=4)), path)
    (ROOT / "book" / "_static" / "spaces.png").write_bytes(picture())
