"""Owner, extended attributes, mode and times that an archive's entry gives to what was made for it.

Owns the order: the owner first, because changing it takes set-user-id bits and capabilities away.
Source: chown(2); dockerd, which passes over attributes that the file system does not take, and for which a time
before 1970 or beyond what the system can say is 1970.
"""

from __future__ import annotations

import errno
import os

from sockerless.wire import tar
from sockerless.wire.tar import Entry

_MAX_TIME_NS = (1 << 63) - 1
_NOT_TAKEN = frozenset({errno.ENOTSUP, errno.EPERM})
Owner = tuple[int, int] | None


def give(descriptor: int, entry: Entry, owner: Owner) -> None:
    """To an open file or directory; a directory's times are for later, when its content is there."""
    os.fchown(descriptor, *(owner or (entry.uid, entry.gid)))
    for name, value in entry.xattrs.items():
        _set_attribute(descriptor, name, value)
    os.fchmod(descriptor, entry.mode)
    if entry.kind != tar.DIRECTORY:
        os.utime(descriptor, ns=times_ns(entry))


def give_node(name: str, directory: int, entry: Entry, owner: Owner) -> None:
    """To a link, device or fifo, by its name in a directory."""
    uid, gid = owner or (entry.uid, entry.gid)
    os.chown(name, uid, gid, dir_fd=directory, follow_symlinks=False)
    if entry.kind != tar.SYMLINK:
        os.chmod(name, entry.mode, dir_fd=directory)
    os.utime(name, ns=times_ns(entry), dir_fd=directory, follow_symlinks=False)


def times_ns(entry: Entry) -> tuple[int, int]:
    """Access and modification time: the first is never before the second."""
    modified = _sane(entry.mtime_ns)
    accessed = modified if entry.atime_ns is None else _sane(entry.atime_ns)
    return max(accessed, modified), modified


def _sane(time_ns: int) -> int:
    return time_ns if 0 <= time_ns <= _MAX_TIME_NS else 0


def _set_attribute(descriptor: int, name: str, value: bytes) -> None:
    try:
        os.setxattr(descriptor, name, value)
    except OSError as error:
        if error.errno not in _NOT_TAKEN:
            raise
