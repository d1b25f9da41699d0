"""The container's whole root: exported as an archive, or listed with what was changed in it.

Owns what "the root" is: its own file system without what is mounted in it, as Docker exports it. Changed is what the
kernel changed since the agent started: a file that a process touches gets a new change time when it is copied up from
the image, whatever is written into its other times. Source: inode(7), st_ctime.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from typing import Literal

from sockerless.agent import files_read
from sockerless.agent.files_place import Mounts
from sockerless.wire.agent_files import Listed, encode_listed

RECORDS = 4096


def export(mounts: Mounts) -> Iterator[bytes]:
    """The archive of the root: what is mounted in it is an empty directory or file."""
    return files_read.pieces(_walk(mounts))


def listing(mounts: Mounts, since_ns: int) -> Iterator[bytes]:
    """The records of wire/agent_files.py for everything in the root, the root first."""
    records = [_record(files_read.Walked("/", "", os.lstat("/")), since_ns)]
    for item in _walk(mounts):
        records.append(_record(item, since_ns))
        if len(records) == RECORDS:
            yield b"".join(records)
            records.clear()
    yield b"".join(records)


def _walk(mounts: Mounts) -> Iterator[files_read.Walked]:
    """Everything without the root itself; names are relative to it."""
    walked = files_read.walk("/", "", os.lstat("/"), mounts.points.__contains__)
    next(walked)
    return walked


def _record(item: files_read.Walked, since_ns: int) -> bytes:
    if item.mounted:
        return encode_listed(Listed(item.path, "mount"))
    kind: Literal["directory", "other"] = "directory" if stat.S_ISDIR(item.status.st_mode) else "other"
    return encode_listed(Listed(item.path, kind, item.status.st_ctime_ns >= since_ns))
