"""Paths in a container as Docker's copies read them: by text, links followed from the container's root.

Owns the reading of a client's path, the following of links over whatever tells where a link points, and how names in
an archive are joined to where it is unpacked. Knows no file system. Source: dockerd 20.10's answers, as recorded.
"""

from __future__ import annotations

import json
import os
import posixpath
from collections.abc import Callable
from dataclasses import dataclass

from sockerless.errors import NotFound

MAX_LINKS = 255
MAX_PATH_BYTES = 4095
"""The longest path the kernel takes (PATH_MAX, without its NUL)."""


class NoSuchPath(NotFound):
    """There is nothing at a path in a container."""


class LinkLoop(ValueError):
    """A path leads through more links than anybody would make."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A path as a client wrote it. clean: absolute, without . and ..; name: its last element, "." for a path that ends
    with one; followed: it ends with a slash or dot, so it means the directory that it leads to."""

    clean: str
    name: str
    followed: bool

    @staticmethod
    def of(path: str) -> Asked:
        """Reads a client's path."""
        clean = posixpath.normpath("/" + path.lstrip("/"))
        last = path.rstrip("/").rpartition("/")[2]
        name = "." if last == "." else posixpath.basename(clean) or "/"
        return Asked(clean, name, path.endswith("/") or name in {".", "/"})

    @property
    def too_long(self) -> bool:
        """Whether no kernel takes it."""
        return is_too_long(self.clean)


def is_too_long(path: str) -> bool:
    """Whether no kernel takes the path."""
    return len(os.fsencode(path)) > MAX_PATH_BYTES


def resolve(path: str, read_link: Callable[[str], str | None]) -> str:
    """The absolute path without links that path leads to, by text where nothing is.

    read_link: a link's target; None for what is no link or is not there. LinkLoop beyond MAX_LINKS.
    """
    done: list[str] = []
    coming = path.split("/")[::-1]
    links = 0
    while coming:
        name = coming.pop()
        if name == "..":
            del done[-1:]
        elif name not in {"", "."}:
            target = read_link("/" + "/".join([*done, name]))
            if target is None:
                done.append(name)
                continue
            links += 1
            if links > MAX_LINKS:
                raise LinkLoop(f"{path}: too many levels of symbolic links")
            if target.startswith("/"):
                done.clear()
            coming += target.split("/")[::-1]
    return "/" + "/".join(done)


def joined(directory: str, name: str) -> str:
    """name below directory, by text, as Go joins: an absolute name too."""
    return posixpath.normpath("/" + f"{directory}/{name}".lstrip("/"))


def is_within(path: str, directory: str) -> bool:
    """Whether path is directory or below it, by text."""
    return path == directory or path.startswith(directory.rstrip("/") + "/")


class Refused(ValueError):
    """An archive asks for something that is not done; str() is why, in Docker's words."""


def entry_path(destination: str, name: str) -> str:
    """Where an archive's entry of this name goes. Refused when that is outside of destination."""
    clean = posixpath.normpath(name)
    path = joined(destination, clean)
    if is_too_long(path):
        raise Refused(f"open {path}: file name too long")
    if not is_within(path, destination):
        raise Refused(f"{quoted(clean)} is outside of {quoted(destination)}")
    return path


def check_symlink(path: str, target: str, destination: str) -> None:
    """Refused when a symbolic link at path would point, by text, out of what is unpacked."""
    if not is_within(joined(posixpath.dirname(path), target), destination):
        raise Refused(f"invalid symlink {quoted(path)} -> {quoted(target)}")


def hard_link_target(target: str, destination: str) -> str:
    """The path that a hard link in an archive names. Refused when that is outside of destination."""
    path = joined(destination, target)
    if not is_within(path, destination) or is_too_long(path):
        raise Refused(f"invalid hardlink {quoted(path)} -> {quoted(target)}")
    return path


def check_kinds(path: str, destination: str, *, is_directory: bool, becomes_directory: bool) -> None:
    """Refused when a directory would become something else, or the other way round."""
    if is_directory != becomes_directory:
        old, new = ("directory", "non-directory") if is_directory else ("non-directory", "directory")
        raise Refused(f"cannot overwrite {old} {quoted(path)} with {new} {quoted(destination)}")


def quoted(text: str) -> str:
    """A name as Go's %q shows it."""
    return json.dumps(text, ensure_ascii=False)
