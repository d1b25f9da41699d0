"""Copying the agent's own bundle to where tasks mount it from: DEST/VERSION, whole or not at all.

Owns the steps of one installation. Older versions stay: tasks that run may still start processes from them.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path


def install(bundle: Path, version: str, destination: Path) -> Path:
    """Copies bundle to destination/version through a temporary name; does nothing where that exists already."""
    target = destination / version
    if target.is_dir():
        print(f"agent {version} is already in {destination}")  # noqa: T201 - a command's output
        return target
    destination.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{version}.", dir=destination))
    try:
        copy = temporary / version
        shutil.copytree(bundle, copy)
        _sync(copy)
        os.rename(copy, target)
    finally:
        shutil.rmtree(temporary)
    print(f"installed agent {version} in {destination}")  # noqa: T201 - a command's output
    return target


def _sync(tree: Path) -> None:
    """Returns once every file of tree is on the disk."""
    for path in tree.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
