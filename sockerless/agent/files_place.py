"""Where a path leads inside the container: links followed from its root, and what is not the container's to show.

Owns the mounts, what is at a path that wire/paths.py reads, and the two kinds of place that are kept apart: the agent's
own mount, which no client sees or writes, and the kernel's file systems, which are empty directories in Docker's
archives. Sources: proc(5) on mountinfo; dockerd 20.10, as recorded.
"""

from __future__ import annotations

import errno
import os
import posixpath
import re
import stat
from dataclasses import dataclass

from sockerless.wire import file_mode, paths
from sockerless.wire.agent import MOUNT
from sockerless.wire.agent_files import PathStat
from sockerless.wire.paths import Asked

_KERNEL_POINTS = ("/dev", "/proc", "/sys")
_KERNEL_TYPES = frozenset({
    "proc", "sysfs", "cgroup", "cgroup2", "devpts", "devtmpfs", "mqueue", "securityfs", "debugfs", "tracefs", "bpf",
    "fusectl", "binfmt_misc", "nsfs",
})  # fmt: skip
_ESCAPE = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Mounts:
    """What is mounted. points: mount point to file system type; kernel: those points that hold no container's files."""

    points: dict[str, str]
    kernel: frozenset[str]

    def hides(self, path: str) -> bool:
        """Whether there is nothing at this absolute path, as far as a client is concerned."""
        if path == MOUNT or path.startswith(MOUNT + "/"):
            return True
        above = posixpath.dirname(path)
        while above != "/":
            if above in self.kernel:
                return True
            above = posixpath.dirname(above)
        return False

    def point_of(self, path: str) -> str:
        """The mount point that an absolute path without links lies on."""
        while path != "/" and path not in self.points:
            path = posixpath.dirname(path)
        return path


def read_mounts() -> Mounts:
    """The mounts of this container, now."""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        return mounts_of(file.read())


def mounts_of(mountinfo: str) -> Mounts:
    """The mounts in the text of /proc/PID/mountinfo."""
    points: dict[str, str] = {}
    for line in mountinfo.splitlines():
        fields = line.split(" ")
        point = _ESCAPE.sub(lambda match: chr(int(match[1], 8)), fields[4])
        points[point] = fields[fields.index("-", 6) + 1]
    kernel = {point for point, kind in points.items() if kind in _KERNEL_TYPES or _is_below(point, _KERNEL_POINTS)}
    return Mounts(points, frozenset(kernel))


def _is_below(path: str, tops: tuple[str, ...]) -> bool:
    return any(path == top or path.startswith(top + "/") for top in tops)


def resolve(path: str, mounts: Mounts) -> str:
    """The absolute path without links that path leads to, by text where nothing is. LinkLoop."""
    return paths.resolve(path, lambda part: _link(part, mounts))


def _link(path: str, mounts: Mounts) -> str | None:
    """Where a link points; None for what is none or is not there."""
    if mounts.hides(path):
        return None
    try:
        return os.readlink(path)
    except OSError as error:
        if error.errno in {errno.EINVAL, errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG}:
            return None
        raise


@dataclass(frozen=True, slots=True)
class Found:
    """Something at a path. path: absolute, its parents without links; name: as its archive begins."""

    path: str
    name: str
    status: os.stat_result


def find(asked: Asked, mounts: Mounts) -> Found:
    """What is at the path; the last element is not followed unless the path says so. OSError in lstat's words."""
    if asked.too_long:
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG), asked.clean)
    if asked.followed:
        path = resolve(asked.clean, mounts)
    else:
        parent = resolve(posixpath.dirname(asked.clean), mounts)
        path = posixpath.join(parent, posixpath.basename(asked.clean))
    status = visible_status(path, mounts)
    if asked.followed and not stat.S_ISDIR(status.st_mode):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), asked.clean + "/")
    return Found(path, asked.name, status)


def visible_status(path: str, mounts: Mounts) -> os.stat_result:
    """lstat, for which hidden places do not exist."""
    if mounts.hides(path):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
    return os.lstat(path)


def describe(found: Found, asked: Asked, mounts: Mounts) -> PathStat:
    """What Docker tells of it."""
    status = found.status
    target = resolve(asked.clean, mounts) if stat.S_ISLNK(status.st_mode) else ""
    return PathStat(found.name, status.st_size, file_mode.from_unix(status.st_mode), status.st_mtime_ns, target)
