"""Directories opened for writing into them: by descriptor, so that nobody can slip a link in between.

Owns the way from a path to its directory's descriptor. Links are followed first, by text; then the path without links
is opened step by step and no link is taken any more.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from sockerless.agent.files_place import Mounts, resolve

_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_MODE = 0o755


class OpenDirectory(NamedTuple):
    """path: absolute, without links. Its owner closes the descriptor."""

    path: str
    descriptor: int

    def join(self, name: str) -> str:
        """The path of something in it."""
        return f"{self.path.rstrip('/')}/{name}"


def open_directory(path: str, mounts: Mounts, *, make: bool = False) -> OpenDirectory:
    """The directory that an absolute path leads to; with make, what is missing of it is made. OSError otherwise."""
    actual = resolve(path, mounts)
    descriptor = os.open("/", _OPEN)
    try:
        for name in actual.split("/"):
            if name:
                inner = _enter(name, descriptor, make=make)
                os.close(descriptor)
                descriptor = inner
    except BaseException:
        os.close(descriptor)
        raise
    return OpenDirectory(actual, descriptor)


def _enter(name: str, directory: int, *, make: bool) -> int:
    try:
        return os.open(name, _OPEN, dir_fd=directory)
    except FileNotFoundError:
        if not make:
            raise
    os.mkdir(name, _NEW_MODE, dir_fd=directory)
    return os.open(name, _OPEN, dir_fd=directory)


def remove_tree(name: str, directory: int) -> None:
    """Removes the directory of that name in an open one, with all that is in it. OSError, or RecursionError when it is
    deeper than anybody would make it."""
    descriptor = os.open(name, _OPEN, dir_fd=directory)
    try:
        with os.scandir(descriptor) as entries:
            inner = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
        for inner_name, is_directory in inner:
            if is_directory:
                remove_tree(inner_name, descriptor)
            else:
                os.unlink(inner_name, dir_fd=descriptor)
    finally:
        os.close(descriptor)
    os.rmdir(name, dir_fd=directory)
