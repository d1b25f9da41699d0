"""Files of the container as a tar archive, piece by piece.

Owns the walk and what each kind of file becomes. Blocks: callers run each step in a thread. What vanishes during the
walk is left out; a file that shrinks while it is read makes the archive fail, because its size was promised.
Sources: dockerd 20.10's archives, as recorded: sorted names, sockets left out, whole seconds.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Iterator
from typing import NamedTuple

from sockerless.agent.files_place import Found, Mounts
from sockerless.wire import tar
from sockerless.wire.agent import MOUNT
from sockerless.wire.tar import Entry

PIECE_BYTES = 512 * 1024
_CAPABILITY = "security.capability"
_NO_XATTR = frozenset({errno.ENODATA, errno.ENOTSUP, errno.EPERM, errno.EACCES, errno.ENOENT, errno.ELOOP})
_MOUNT_POINT_MODE = 0o755
"""What Docker's archives say of a place where something is mounted: the place itself cannot be seen."""
_KINDS = {
    stat.S_IFREG: tar.REGULAR,
    stat.S_IFDIR: tar.DIRECTORY,
    stat.S_IFLNK: tar.SYMLINK,
    stat.S_IFCHR: tar.CHARACTER,
    stat.S_IFBLK: tar.BLOCK,
    stat.S_IFIFO: tar.FIFO,
}
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class ShrankWhileRead(Exception):
    """A file became shorter than its header says; str() tells which."""


class Walked(NamedTuple):
    """One thing of the walk. mounted: something is mounted there, and is not entered."""

    path: str
    name: str
    status: os.stat_result
    mounted: bool = False


def archive(found: Found, mounts: Mounts) -> Iterator[bytes]:
    """The archive of one path: its first entry is named found.name, mounts of the kernel are empty directories."""
    return pieces(walk(found.path, found.name, found.status, mounts.kernel.__contains__))


def walk(path: str, name: str, status: os.stat_result, stays_out: Callable[[str], bool]) -> Iterator[Walked]:
    """path and all below it but the agent's own mount, sorted, parents first. stays_out: mount points not to enter."""
    mounted = path != "/" and stays_out(path)
    yield Walked(path, name, status, mounted)
    if mounted or not stat.S_ISDIR(status.st_mode):
        return
    levels = [_children(path, name)]
    while levels:
        child = next(levels[-1], None)
        if child is None:
            levels.pop()
            continue
        path, name = child
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            if path == MOUNT:
                continue
            status = os.lstat(path)
            mounted = stays_out(path)
            yield Walked(path, name, status, mounted)
            if stat.S_ISDIR(status.st_mode) and not mounted:
                levels.append(_children(path, name))


def _children(path: str, name: str) -> Iterator[tuple[str, str]]:
    """Path and name of each, sorted by bytes."""
    above = path.rstrip("/") + "/"
    prefix = name if name.endswith("/") or not name else name + "/"
    names = sorted(os.listdir(path), key=os.fsencode)
    return ((above + child, prefix + child) for child in names)


def pieces(walked: Iterator[Walked]) -> Iterator[bytes]:
    """The archive of a walk, in pieces of about PIECE_BYTES."""
    parts: list[bytes] = []
    waiting_bytes = 0
    for part in _parts(walked):
        parts.append(part)
        waiting_bytes += len(part)
        if waiting_bytes >= PIECE_BYTES:
            yield b"".join(parts)
            parts.clear()
            waiting_bytes = 0
    parts.append(tar.END)
    yield b"".join(parts)


def _parts(walked: Iterator[Walked]) -> Iterator[bytes]:
    linked: dict[tuple[int, int], str] = {}
    for item in walked:
        entry = _entry(item)
        if entry is None:
            continue
        if entry.kind == tar.REGULAR and not item.mounted:
            yield from _regular(item.path, entry, linked)
        else:
            yield tar.header(entry)


def _entry(item: Walked) -> Entry | None:
    """The header of what was found; None for what no archive holds."""
    status = item.status
    kind = _KINDS.get(stat.S_IFMT(status.st_mode))
    if kind is None:
        return None
    entry = Entry(
        name=item.name,
        kind=kind,
        mode=stat.S_IMODE(status.st_mode),
        uid=status.st_uid,
        gid=status.st_gid,
        mtime_ns=status.st_mtime_ns,
    )
    if item.mounted:
        entry.mode, entry.uid, entry.gid = _MOUNT_POINT_MODE, 0, 0
    if kind == tar.DIRECTORY and not item.name.endswith("/"):
        entry.name += "/"
    elif kind == tar.SYMLINK:
        try:
            entry.link = os.readlink(item.path)
        except OSError:
            return None  # replaced by something else meanwhile
    elif kind in {tar.CHARACTER, tar.BLOCK}:
        entry.device = (os.major(status.st_rdev), os.minor(status.st_rdev))
    return entry


def _regular(path: str, entry: Entry, linked: dict[tuple[int, int], str]) -> Iterator[bytes]:
    """A file's header and content, or a link to the entry that has them already."""
    try:
        descriptor = os.open(path, _OPEN)
    except FileNotFoundError:
        return
    except OSError as error:
        if error.errno == errno.ELOOP:  # replaced by a link meanwhile
            return
        raise
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return
        if status.st_nlink > 1:
            first = linked.setdefault((status.st_dev, status.st_ino), entry.name)
            if first != entry.name:
                entry.kind, entry.link = tar.HARD_LINK, first
                yield tar.header(entry)
                return
        entry.size_bytes = status.st_size
        entry.xattrs = _capability(descriptor)
        yield tar.header(entry)
        yield from _content(descriptor, path, status.st_size)
    finally:
        os.close(descriptor)


def _content(descriptor: int, path: str, size_bytes: int) -> Iterator[bytes]:
    left = size_bytes
    while left:
        data = os.read(descriptor, min(left, PIECE_BYTES))
        if not data:
            raise ShrankWhileRead(f"{path} shrank while it was read")
        left -= len(data)
        yield data
    yield tar.padding(size_bytes)


def _capability(descriptor: int) -> dict[str, bytes]:
    """The extended attribute that Docker's archives carry, if the file has it."""
    try:
        return {_CAPABILITY: os.getxattr(descriptor, _CAPABILITY)}
    except OSError as error:
        if error.errno in _NO_XATTR:
            return {}
        raise
