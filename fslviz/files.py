"""Files: paths from callers, the folder where runs and downloads are kept, and files written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

import filelock


def user_path(path: str | Path) -> Path:
    """A caller's path, with ~ as the home folder. Raises ValueError if it is no path, or if no home folder is known."""
    if not isinstance(path, str | os.PathLike):
        raise ValueError(f"a path must be a string, or a pathlib.Path, not {path!r}")
    expanded = Path(os.path.expanduser(path))
    if expanded.parts[:1] == ("~",):
        raise ValueError(f"{path} begins with ~, and there is no home folder")
    return expanded


def cache_dir() -> Path:
    """The folder for runs and downloads: ``$FSLVIZ_CACHE``, or ``~/.cache/fslviz``; else a temporary one."""
    try:
        path = user_path(os.environ.get("FSLVIZ_CACHE") or "~/.cache/fslviz").absolute()
        path.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=path).close()
    except (OSError, ValueError):  # ValueError: there is no home folder
        path = Path(tempfile.gettempdir()) / f"fslviz-{os.getuid() if hasattr(os, 'getuid') else ''}"
        path.mkdir(mode=0o700, exist_ok=True)
    return path


@contextlib.contextmanager
def locked(key: str) -> Iterator[None]:
    """A context that one process at a time can be in for each ``key``; the others wait."""
    locks = cache_dir() / "locks"
    locks.mkdir(exist_ok=True)
    with filelock.FileLock(locks / key):
        yield


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write. It replaces ``path`` once it is complete; if writing fails, ``path`` stays as it was."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{uuid4().hex}.part")
    try:
        with part.open("xb") as file:
            yield file
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
