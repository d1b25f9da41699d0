"""The process's output: its pipes or terminal, read into the journal, and not read while a reader is too far behind.

Owns the descriptors of one run's output. After the process ended they are read to their end, or until they have
been silent for SETTLE_S, because something else may hold the other side.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

from sockerless.agent.descriptors import READ_BYTES
from sockerless.agent.journal import Journal

SETTLE_S = 0.5
SETTLE_LIMIT_S = 10.0
DISK_RETRY_S = 0.1


class Output:
    """Reads sources, descriptors by their stream, from the moment it is made; notice takes what people should know."""

    def __init__(self, journal: Journal, sources: dict[int, int], notice: Callable[[str], None]) -> None:
        self._notice = notice
        self._loop = asyncio.get_running_loop()
        self._journal = journal
        self._sources = sources
        self._active = asyncio.Event()
        self._paused = True
        self._settling = False
        self._unsaved: tuple[int, bytes] | None = None
        journal.when_relieved = self._resume
        self._resume()

    async def settle(self) -> None:
        """Returns once the output has ended, closed. What the dead process left is read whoever is behind."""
        self._settling = True
        self._resume()
        try:
            async with asyncio.timeout(SETTLE_LIMIT_S):
                while self._sources or self._unsaved:
                    self._active.clear()
                    await asyncio.wait_for(self._active.wait(), SETTLE_S)
        except TimeoutError:
            pass  # silent, or endless, because something else holds the other side
        for descriptor in list(self._sources):
            self._end(descriptor)
        self._journal.when_relieved = lambda: None

    def _read(self, descriptor: int) -> None:
        try:
            data = os.read(descriptor, READ_BYTES)
        except BlockingIOError:
            return
        except OSError:  # a terminal whose other side is closed: EIO
            data = b""
        self._active.set()
        if not data:
            self._end(descriptor)
            return
        self._unsaved = (self._sources[descriptor], data)
        self._save()

    def _save(self) -> None:
        """Keeps what was read last; while the disk has no room for it, nothing more is read."""
        if self._unsaved is None:
            return
        try:
            self._journal.append(*self._unsaved)
        except OSError as error:
            if not self._paused:
                self._notice(f"output cannot be kept, the process waits: {error}")
            self._pause()
            self._loop.call_later(DISK_RETRY_S, self._save)
            return
        self._unsaved = None
        self._active.set()
        if self._must_wait():
            self._pause()
        else:
            self._resume()

    def _end(self, descriptor: int) -> None:
        self._loop.remove_reader(descriptor)
        del self._sources[descriptor]
        os.close(descriptor)

    def _pause(self) -> None:
        self._paused = True
        for descriptor in self._sources:
            self._loop.remove_reader(descriptor)

    def _resume(self) -> None:
        if self._paused and not self._must_wait():
            self._paused = False
            for descriptor in self._sources:
                self._loop.add_reader(descriptor, self._read, descriptor)

    def _must_wait(self) -> bool:
        return self._unsaved is not None or (self._journal.crowded() and not self._settling)
