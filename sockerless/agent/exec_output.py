"""One descriptor of an exec's output: a pipe or a terminal, read as fast as one client takes it.

Knows no process: whoever does says by finish() that what comes from now on is not waited for.
"""

from __future__ import annotations

import asyncio
import os

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from sockerless.agent.descriptors import READ_BYTES
from sockerless.wire import stdcopy

LEFT_BYTES = 1024 * 1024
"""The most that a pipe holds (pipe(7)): what is read of an output that goes on after finish()."""


class ExecOutput:
    """stream: the number in stdcopy frames, None for raw bytes. discarding: nobody wants it (any more)."""

    def __init__(
        self, descriptor: int, stream: int | None, connection: ServerConnection, *, discarding: bool = False
    ) -> None:
        self.discarding = discarding
        self._descriptor = descriptor
        self._stream = stream
        self._connection = connection
        self._left: int | None = None
        self._awake = asyncio.Event()

    async def run(self) -> None:
        """Sends or discards everything until the other side is closed, or nothing is there after finish()."""
        try:
            while data := await self._read():
                if not self.discarding:
                    await self._send(data)
                await asyncio.sleep(0)  # neither the read nor the send need have waited: others get their turn
        finally:
            os.close(self._descriptor)

    def finish(self) -> None:
        """What is there is the end, though something else may hold the other side."""
        self._left = LEFT_BYTES
        self._awake.set()

    async def _read(self) -> bytes:
        """What is there now or comes; b"" at the end."""
        while self._left is None or self._left > 0:
            try:
                data = os.read(self._descriptor, READ_BYTES)
            except BlockingIOError:
                if self._left is not None:
                    return b""
                await self._wait()
                continue
            except OSError:  # a terminal whose other side is closed: EIO
                return b""
            self._left = None if self._left is None else self._left - len(data)
            return data
        return b""

    async def _wait(self) -> None:
        """Returns when there is something to read, or at finish()."""
        loop = asyncio.get_running_loop()
        self._awake.clear()
        loop.add_reader(self._descriptor, self._awake.set)
        try:
            await self._awake.wait()
        finally:
            loop.remove_reader(self._descriptor)

    async def _send(self, data: bytes) -> None:
        try:
            await self._connection.send(data if self._stream is None else stdcopy.encode(self._stream, data))
        except ConnectionClosed:
            self.discarding = True
