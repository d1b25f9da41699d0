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
        self._writing: asyncio.Task[None] | None = None

    async def write(self, data: bytes) -> None:
        """Returns once the process has room for all of data, or its input is closed."""
        async with self._turn:
            if self._descriptor is None:
                return
            self._writing = asyncio.create_task(write_all(self._descriptor, data))
            try:
                await asyncio.wait([self._writing])
            finally:
                self._writing.cancel()
            if not self._writing.cancelled() and isinstance(self._writing.exception(), OSError):
                await self.close()  # EPIPE, EIO: nobody reads any more, which is the process's own choice

    async def client_ended(self) -> None:
        """A client sent its end or went away: the process sees the end of its input if it was to have one client."""
        if self._once:
            async with self._turn:
                await self.close()

    async def close(self) -> None:
        """Ends the input, and whatever is being written to it."""
        if self._descriptor is None:
            return
        descriptor, self._descriptor = self._descriptor, None
        if self._writing is not None and not self._writing.done():
            self._writing.cancel()
            await asyncio.wait([self._writing])
        os.close(descriptor)
