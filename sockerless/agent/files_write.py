"""Unpacking a tar archive into the container, as it comes.

Owns what each entry does to what is there, in Docker's order: the old thing goes, the new one comes, with its owner,
attributes, mode and times; directories get their times at the end. Blocks: callers run it in a thread.
Laws: nothing lands outside the destination by its name, and nothing anywhere in the agent's own mount. Links in the
container lead where they lead: all of it is the container's own. Source: dockerd 20.10's behaviour, as recorded.
"""

from __future__ import annotations

import contextlib
import errno
import os
import posixpath
import stat
from collections.abc import Callable
from typing import NamedTuple

from sockerless.agent.files_attributes import give, give_node, times_ns
from sockerless.agent.files_directory import OpenDirectory, open_directory, remove_tree
from sockerless.agent.files_place import Mounts
from sockerless.wire import tar
from sockerless.wire.agent import MOUNT
from sockerless.wire.paths import Refused, check_kinds, check_symlink, entry_path, hard_link_target, is_within
from sockerless.wire.tar import Entry
from sockerless.wire.tar_decoder import Begin, Data, TarDecoder

_NODES = {tar.CHARACTER: stat.S_IFCHR, tar.BLOCK: stat.S_IFBLK, tar.FIFO: stat.S_IFIFO}
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_OPEN_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Failed(OSError):
    """The file system did not do it; str() is what and why."""


class Options(NamedTuple):
    """keep_kinds: no directory becomes something else and the other way round. owner: uid and gid of everything."""

    keep_kinds: bool = False
    owner: tuple[int, int] | None = None


class Extraction:
    """One archive on its way into destination, an absolute path without links. feed() and finish(); always close()."""

    def __init__(self, destination: str, mounts: Mounts, options: Options) -> None:
        self._destination = destination
        self._mounts = mounts
        self._options = options
        self._decoder = TarDecoder()
        self._entry = Entry("")
        self._file: int | None = None
        self._parent: OpenDirectory | None = None
        self._parent_of = ""
        self._doing = ""
        self._directory_times: list[tuple[str, tuple[int, int]]] = []
        self._makers: dict[bytes, Callable[[Entry, str, str, OpenDirectory], None]] = {
            tar.REGULAR: self._make_file,
            tar.DIRECTORY: self._make_directory,
            tar.SYMLINK: self._make_symlink,
            tar.HARD_LINK: self._make_hard_link,
            **dict.fromkeys(_NODES, self._make_node),
        }

    def feed(self, data: bytes) -> None:
        """Unpacks what data completes. Refused, Failed or TarError."""
        try:
            for event in self._decoder.feed(data):
                match event:
                    case Begin(entry):
                        self._begin(entry)
                    case Data(offset, content):
                        self._write(content, offset)
                    case _:
                        self._end()
        except OSError as error:
            raise Failed(error.errno, f"{self._doing}: {(error.strerror or str(error)).lower()}") from error
        except (OverflowError, RecursionError) as error:
            raise Refused(f"{self._doing}: {error}") from error

    def finish(self) -> None:
        """The archive is over. TarError when it was cut off."""
        self._decoder.finish()
        for path, times in self._directory_times:
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                os.utime(path, ns=times, follow_symlinks=False)

    def close(self) -> None:
        """Gives up the descriptors."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
        self._leave_parent()

    def _begin(self, entry: Entry) -> None:
        self._entry = entry
        if entry.kind not in self._makers:
            raise Refused(f"unhandled tar header type {entry.kind[0]}")
        path = entry_path(self._destination, entry.name)
        if path == self._destination:
            return
        self._doing = f"open {path}"
        parent = self._open_parent(path)
        name = posixpath.basename(path)
        actual = parent.join(name)
        if is_within(actual, MOUNT):
            raise Refused(f"{path} lies in {MOUNT}, which holds the agent of this container")
        if self._mounts.hides(actual) or (entry.kind == tar.DIRECTORY and actual in self._mounts.kernel):
            return  # as in Docker, what a kernel's file system covers is not touched
        self._make_room(entry, path, name, parent)
        self._makers[entry.kind](entry, path, name, parent)

    def _make_room(self, entry: Entry, path: str, name: str, parent: OpenDirectory) -> None:
        """Removes what is at path, unless a directory is to become a directory."""
        try:
            there = os.lstat(name, dir_fd=parent.descriptor)
        except FileNotFoundError:
            return
        is_directory, becomes_directory = stat.S_ISDIR(there.st_mode), entry.kind == tar.DIRECTORY
        if self._options.keep_kinds:
            check_kinds(path, self._destination, is_directory=is_directory, becomes_directory=becomes_directory)
        if is_directory and becomes_directory:
            return
        self._doing = f"unlinkat {path}"
        if any(is_within(point, parent.join(name)) for point in self._mounts.points):
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        if is_directory:
            remove_tree(name, parent.descriptor)
        else:
            os.unlink(name, dir_fd=parent.descriptor)
        if not stat.S_ISREG(there.st_mode):
            self._parent_of = ""  # the way to it may have led through what is gone: not to be used again

    def _make_file(self, entry: Entry, path: str, name: str, parent: OpenDirectory) -> None:
        self._doing = f"open {path}"
        self._file = os.open(name, _CREATE, 0o600, dir_fd=parent.descriptor)

    def _make_directory(self, entry: Entry, path: str, name: str, parent: OpenDirectory) -> None:
        self._doing = f"mkdir {path}"
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, 0o700, dir_fd=parent.descriptor)
        descriptor = os.open(name, _OPEN_DIRECTORY, dir_fd=parent.descriptor)
        try:
            give(descriptor, entry, self._options.owner)
        finally:
            os.close(descriptor)
        self._directory_times.append((parent.join(name), times_ns(entry)))

    def _make_symlink(self, entry: Entry, path: str, name: str, parent: OpenDirectory) -> None:
        check_symlink(path, entry.link, self._destination)
        self._doing = f"symlink {entry.link} {path}"
        os.symlink(entry.link, name, dir_fd=parent.descriptor)
        give_node(name, parent.descriptor, entry, self._options.owner)

    def _make_hard_link(self, entry: Entry, path: str, name: str, parent: OpenDirectory) -> None:
        target = hard_link_target(entry.link, self._destination)
        self._doing = f"link {target} {path}"
        there = open_directory(posixpath.dirname(target), self._mounts)
        try:
            target_name = posixpath.basename(target)
            if self._mounts.hides(there.join(target_name)):
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
            os.link(target_name, name, src_dir_fd=there.descriptor, dst_dir_fd=parent.descriptor, follow_symlinks=False)
        finally:
            os.close(there.descriptor)

    def _make_node(self, entry: Entry, path: str, name: str, parent: OpenDirectory) -> None:
        self._doing = f"mknod {path}"
        os.mknod(name, _NODES[entry.kind] | 0o600, os.makedev(*entry.device), dir_fd=parent.descriptor)
        give_node(name, parent.descriptor, entry, self._options.owner)

    def _write(self, content: memoryview, offset: int) -> None:
        while self._file is not None and content:
            written = os.pwrite(self._file, content, offset)
            content, offset = content[written:], offset + written

    def _end(self) -> None:
        if self._file is None:
            return
        if self._entry.extents is not None:
            os.ftruncate(self._file, self._entry.size_bytes)
        give(self._file, self._entry, self._options.owner)
        os.close(self._file)
        self._file = None

    def _open_parent(self, path: str) -> OpenDirectory:
        """The directory that path lies in, made if need be; kept for the next entry beside this one."""
        wanted = posixpath.dirname(path)
        if self._parent is None or self._parent_of != wanted:
            self._leave_parent()
            self._parent = open_directory(wanted, self._mounts, make=True)
            self._parent_of = wanted
        return self._parent

    def _leave_parent(self) -> None:
        if self._parent is not None:
            os.close(self._parent.descriptor)
            self._parent = None
