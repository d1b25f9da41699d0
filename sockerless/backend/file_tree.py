"""The files of a container that has not been started: its image's layers, and what was copied in on top.

Owns names, kinds and attributes; contents stay where they are, each node tells where. Pure: entries in, nodes out.
Sources: OCI image-spec 1.1, layer.md (whiteouts, opaque directories); dockerd's rules for docker cp, as recorded.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from sockerless.errors import InvalidParameter
from sockerless.wire import file_mode, paths, tar
from sockerless.wire.agent_files import PathStat
from sockerless.wire.paths import Asked, NoSuchPath
from sockerless.wire.tar import Entry

_WHITEOUT, _OPAQUE = ".wh.", ".wh..wh..opq"
_TYPES = {
    tar.DIRECTORY: file_mode.DIRECTORY,
    tar.SYMLINK: file_mode.SYMLINK,
    tar.BLOCK: file_mode.DEVICE,
    tar.CHARACTER: file_mode.DEVICE | file_mode.CHARACTER,
    tar.FIFO: file_mode.PIPE,
}
_KINDS = {tar.REGULAR, tar.HARD_LINK, *_TYPES}
_RUNTIME = ("dev", "etc", "proc", "sys")
"""Directories that every container has, because something is mounted there."""
_IMPLIED = Entry("", tar.DIRECTORY, 0o755)


class Source(NamedTuple):
    """Where a file's content is: which of the archives on top of each other, and which of its members."""

    archive: int
    member: int


@dataclass(slots=True)
class Node:
    """One file. entry: its attributes (the name is the member's). children: of a directory, None of anything else."""

    entry: Entry
    source: Source
    children: dict[str, Node] | None = field(default=None)

    @property
    def is_directory(self) -> bool:
        """Whether it can hold others."""
        return self.children is not None


class FileTree:
    """add_layer() from the base up, then unpack() what was copied in."""

    def __init__(self) -> None:
        made = Source(-1, -1)
        self.root = Node(_IMPLIED, made, {name: Node(_IMPLIED, made, {}) for name in _RUNTIME})

    def add_layer(self, entries: Iterable[Entry], number: int) -> None:
        """Puts an image's layer on top."""
        for member, entry in enumerate(entries):
            named = paths.joined("/", entry.name)
            base = posixpath.basename(named)
            path = posixpath.join(self.resolve(posixpath.dirname(named)), base)
            if base == _OPAQUE:
                self._hide_below(posixpath.dirname(path), number)
            elif base.startswith(_WHITEOUT):
                self._hide(posixpath.join(posixpath.dirname(path), base.removeprefix(_WHITEOUT)), number)
            elif entry.kind in _KINDS and path != "/":
                self._set(path, entry, Source(number, member), posixpath.normpath("/" + entry.link.lstrip("/")))

    def unpack(self, entries: Iterable[Entry], destination: str, number: int, *, keep_kinds: bool) -> None:
        """Puts an archive into a directory, by docker cp's rules; paths.Refused when they forbid it."""
        target = self.directory(destination)
        for member, entry in enumerate(entries):
            self._unpack_one(entry, target, Source(number, member), keep_kinds=keep_kinds)

    def directory(self, path: str) -> str:
        """Where an archive for a client's path is unpacked, without links. NoSuchPath, InvalidParameter as Docker's."""
        target = self.resolve(Asked.of(path).clean)
        node = self.node(target)
        if node is None:
            raise NoSuchPath(path)
        if not node.is_directory:
            raise InvalidParameter("extraction point is not a directory")
        return target

    def resolve(self, path: str) -> str:
        """The path without links that path leads to, by text where nothing is."""
        try:
            return paths.resolve(path, self._link)
        except paths.LinkLoop as loop:
            raise InvalidParameter(str(loop)) from loop

    def node(self, path: str) -> Node | None:
        """What is at an absolute path, its links not followed."""
        node: Node | None = self.root
        for name in path.split("/"):
            if name and node is not None:
                node = (node.children or {}).get(name)
        return node

    def find(self, asked: Asked) -> tuple[str, Node]:
        """Path and node of what a client's path means. NoSuchPath, InvalidParameter in lstat's words."""
        if asked.followed:
            path = self.resolve(asked.clean)
        else:
            path = posixpath.join(self.resolve(posixpath.dirname(asked.clean)), posixpath.basename(asked.clean))
        node = self.node(path)
        if node is None:
            parent = self.node(posixpath.dirname(path))
            if parent is not None and not parent.is_directory:
                raise InvalidParameter(f"lstat {asked.clean}: not a directory")
            raise NoSuchPath(asked.clean)
        if asked.followed and not node.is_directory:
            raise InvalidParameter(f"lstat {asked.clean}/: not a directory")
        return path, node

    def describe(self, asked: Asked) -> PathStat:
        """What Docker tells of a path."""
        _, node = self.find(asked)
        entry = node.entry
        size = len(name_bytes(entry.link)) if entry.kind == tar.SYMLINK else entry.size_bytes
        target = self.resolve(asked.clean) if entry.kind == tar.SYMLINK else ""
        return PathStat(asked.name, size, _go_mode(entry), entry.mtime_ns, target)

    def walk(self, path: str, name: str) -> Iterator[tuple[str, str, Node]]:
        """(path, name, node) of what is at path and below, sorted, parents first."""
        node = self.node(path)
        if node is None:
            return
        waiting = [(path, name, node)]
        while waiting:
            path, name, node = waiting.pop()
            yield path, name, node
            prefix = name if name.endswith("/") or not name else name + "/"
            for child in sorted(node.children or {}, key=name_bytes, reverse=True):
                waiting.append((posixpath.join(path, child), prefix + child, (node.children or {})[child]))

    def _link(self, path: str) -> str | None:
        node = self.node(path)
        return node.entry.link if node is not None and node.entry.kind == tar.SYMLINK else None

    def _unpack_one(self, entry: Entry, destination: str, source: Source, *, keep_kinds: bool) -> None:
        path = paths.entry_path(destination, entry.name)
        if entry.kind not in _KINDS:
            raise paths.Refused(f"unhandled tar header type {entry.kind[0]}")
        if path == destination:
            return
        actual = posixpath.join(self.resolve(posixpath.dirname(path)), posixpath.basename(path))
        there = self.node(actual)
        becomes_directory = entry.kind == tar.DIRECTORY
        if there is not None and keep_kinds:
            paths.check_kinds(path, destination, is_directory=there.is_directory, becomes_directory=becomes_directory)
        target = ""
        if entry.kind == tar.SYMLINK:
            paths.check_symlink(path, entry.link, destination)
        elif entry.kind == tar.HARD_LINK:
            target = paths.hard_link_target(entry.link, destination)
            if self.node(self.resolve(target)) is None:
                raise paths.Refused(f"link {target} {path}: no such file or directory")
        if not self._set(actual, entry, source, self.resolve(target)):
            raise paths.Refused(f"open {path}: not a directory")

    def _set(self, path: str, entry: Entry, source: Source, target: str) -> bool:
        """Puts an entry at an absolute path; False when something that is no directory is in the way."""
        parent = self._parent(path, source.archive)
        if parent is None or parent.children is None:
            return False
        name = posixpath.basename(path)
        there = parent.children.get(name)
        if entry.kind == tar.DIRECTORY:
            kept = there.children if there is not None and there.is_directory else {}
            parent.children[name] = Node(entry, source, kept)
        elif entry.kind == tar.HARD_LINK:
            linked = self.node(target)
            if linked is not None and not linked.is_directory:
                parent.children[name] = Node(linked.entry, linked.source)
        else:
            parent.children[name] = Node(entry, source)
        return True

    def _parent(self, path: str, number: int) -> Node | None:
        """The directory that an absolute path lies in, made where it is missing; None behind what is no directory."""
        node = self.root
        for name in posixpath.dirname(path).split("/"):
            if not name:
                continue
            if node.children is None:
                return None
            node = node.children.setdefault(name, Node(_IMPLIED, Source(number, -1), {}))
        return node

    def _hide(self, path: str, number: int) -> None:
        parent = self.node(posixpath.dirname(path))
        if parent is not None and parent.children is not None:
            child = parent.children.get(posixpath.basename(path))
            if child is not None and not _keep_newer(child, number):
                del parent.children[posixpath.basename(path)]

    def _hide_below(self, path: str, number: int) -> None:
        node = self.node(path)
        if node is not None and node.children is not None:
            node.children = {name: child for name, child in node.children.items() if _keep_newer(child, number)}


def _keep_newer(node: Node, number: int) -> bool:
    """Removes what is older than a layer from a node's children; whether anything of that layer is left."""
    if node.children is not None:
        node.children = {name: child for name, child in node.children.items() if _keep_newer(child, number)}
    return node.source.archive >= number or bool(node.children)


def name_bytes(name: str) -> bytes:
    """A name's bytes: what sorting and sizes go by."""
    return tar.encoded(name)


def _go_mode(entry: Entry) -> int:
    return _TYPES.get(entry.kind, 0) | file_mode.from_unix(entry.mode & 0o7777)
