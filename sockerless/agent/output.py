"""The process's output: its pipes or terminal, read into the journal, and not read while a reader is too far behind.

Owns the descriptors of one run's output. After the process ended they are read to their end, or until they have
been silent for SETTLE_S, because something else may hold the other side.
"""

from __future__ import annotations

import asyncio
import os

from sockerless.agent.descriptors import READ_BYTES
from sockerless.agent.journal import Journal

SETTLE_S = 0.5
SETTLE_LIMIT_S = 10.0


class Output:
    """Reads sources, descriptors by their stream, from the moment it is made."""

    def __init__(self, journal: Journal, sources: dict[int, int]) -> None:
        self._loop = asyncio.get_running_loop()
        self._journal = journal
        self._sources = sources
        self._active = asyncio.Event()
        self._paused = True
        journal.when_relieved = self._resume
        self._resume()

    async def settle(self) -> None:
        """Returns once the output has ended, closed."""
        deadline = self._loop.time() + SETTLE_LIMIT_S
        while self._sources:
            self._active.clear()
            try:
                await asyncio.wait_for(self._active.wait(), SETTLE_S)
            except TimeoutError:
                if not self._paused:
                    break
            if self._paused:
                deadline = self._loop.time() + SETTLE_LIMIT_S
            elif self._loop.time() > deadline:
                break
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
        self._journal.append(self._sources[descriptor], data)
        if self._journal.crowded():
            self._pause()

    def _end(self, descriptor: int) -> None:
        self._loop.remove_reader(descriptor)
        del self._sources[descriptor]
        os.close(descriptor)

    def _pause(self) -> None:
        self._paused = True
        for descriptor in self._sources:
            self._loop.remove_reader(descriptor)

    def _resume(self) -> None:
        if self._paused and not self._journal.crowded():
            self._paused = False
            for descriptor in self._sources:
                self._loop.add_reader(descriptor, self._read, descriptor)
