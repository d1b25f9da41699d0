"""The process's input: what attached clients send, written whole and in order to its pipe or terminal."""

from __future__ import annotations

import asyncio
import os

from sockerless.agent.descriptors import write_all


class Stdin:
    """One descriptor that several attached clients may write to. A process that no longer reads loses the rest."""

    def __init__(self, descriptor: int, *, once: bool) -> None:
        self._descriptor: int | None = descriptor
        self._once = once
        self._turn = asyncio.Lock()

    async def write(self, data: bytes) -> None:
        """Returns once the process has room for all of data."""
        async with self._turn:
            if self._descriptor is not None:
                try:
                    await write_all(self._descriptor, data)
                except OSError:  # EPIPE, EIO: nobody reads any more, which is the process's own choice
                    self.close()

    async def client_ended(self) -> None:
        """A client sent its end or went away: the process sees the end of its input if it was to have one client."""
        if self._once:
            async with self._turn:
                self.close()

    def close(self) -> None:
        """Ends the input."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
