"""Copy the figure of six spaces from the executed notebook to the README's picture."""

import base64
from pathlib import Path

import nbformat

ROOT = Path(__file__).parent.parent


def picture() -> bytes:
    notebook = nbformat.read(ROOT / "notebooks" / "05_side_by_side.ipynb", as_version=4)
    (cell,) = [c for c in notebook.cells if c.source.startswith("fslviz.plot_spaces")]
    return base64.b64decode(cell.outputs[0]["data"]["image/png"])


if __name__ == "__main__":
    (ROOT / "book" / "_static" / "spaces.png").write_bytes(picture())
