"""One attached client: bytes between the Docker client's hijacked connection and one agent stream.

Owns the order of things: a client may attach before the process exists; its stdin waits, its output starts at
byte 0, after what was kept if it asked for that. While the process runs a slow client slows the process (bounded
buffer); after the exit what is left is taken off the agent at once, so that the task can end while the client still
reads. Output that cannot be had is told, never left out. Knows no container record.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any, Protocol

import aiohttp

from sockerless.errors import SockerlessError
from sockerless.wire import agent as wire
from sockerless.wire import stdcopy
from sockerless.wire.agent_output import StreamQuery
from sockerless.wire.detach_keys import Detector

BUFFER_BYTES = 1 << 20


class Stream(Protocol):
    """An agent's stream: messages, of which binary ones are output; stdin. Ends the output when it closes."""

    @property
    def closed(self) -> bool: ...
    def __aiter__(self) -> AsyncIterator[aiohttp.WSMessage]: ...
    async def send_bytes(self, data: bytes) -> None: ...
    async def send_str(self, data: str) -> None: ...
    async def close(self) -> Any: ...
    async def abandon(self) -> Any: ...


class Attachment:
    """read() and write() are the client's side; play() and connect() give it the output; release() at the exit.

    tty: whether the bytes are raw (terminal) or stdcopy frames. live: whether it wants the live output at all.
    detached: whether the detach keys ended it.
    """

    def __init__(self, query: StreamQuery, *, tty: bool, live: bool, detach_keys: bytes) -> None:
        self.query = query
        self.tty = tty
        self.live = live
        self._detector = Detector(detach_keys) if tty and query.stdin and detach_keys else None
        self._kept: AsyncGenerator[bytes] | None = None
        self._stream: Stream | None = None
        self._connected = asyncio.Event()
        self._chunks: deque[bytes] = deque()
        self._buffered = 0
        self._ended = False
        self._unbounded = False
        self._readable = asyncio.Event()
        self._room = asyncio.Event()
        self._pump: asyncio.Task[None] | None = None
        self.drained = asyncio.Event()
        self.detached = False
        self._end_hooks: list[Callable[[], None]] = []

    @property
    def connected(self) -> bool:
        """Whether an agent's stream serves it (or did)."""
        return self._stream is not None

    @property
    def ended(self) -> bool:
        """Whether no more output will come from the agent."""
        return self._ended

    def on_end(self, hook: Callable[[], None]) -> None:
        """Calls hook once when the output has ended."""
        self._end_hooks.append(hook)

    def connect(self, stream: Stream) -> None:
        """Takes output from the agent's stream, after what is played, and lets waiting stdin through."""
        self._stream = stream
        self._connected.set()
        self._begin()

    def play(self, kept: AsyncGenerator[bytes]) -> None:
        """Serves kept output, before the agent's stream if it is to have one."""
        self._kept = kept
        self._begin()

    def release(self) -> None:
        """The process has ended, or there will be none: take what is left without waiting for the client."""
        self._unbounded = True
        self._room.set()
        self._connected.set()
        if self._pump is None:
            self.end()

    def fail(self, reason: str) -> None:
        """The rest of the output cannot be had; the client reads why."""
        if self._ended:
            return
        if self._pump is not None:
            self._pump.cancel()
        self._chunks.append(stdcopy.complaint(reason, tty=self.tty))
        self.end()

    def end(self) -> None:
        """No more output will come."""
        self._ended = True
        self._readable.set()
        self._connected.set()
        self.drained.set()
        while self._end_hooks:
            self._end_hooks.pop()()

    async def read(self) -> bytes:
        """The next bytes for the client; b"" at the end."""
        while not self._chunks and not self._ended:
            self._readable.clear()
            await self._readable.wait()
        if not self._chunks:
            return b""
        data = b"".join(self._chunks)
        self._chunks.clear()
        self._buffered = 0
        self._room.set()
        return data

    async def write(self, data: bytes) -> None:
        """Stdin from the client; waits while the process does not exist or does not read. The detach keys end it."""
        detached = False
        if self._detector is not None:
            data, detached = self._detector.feed(data)
        await self._connected.wait()
        if data and self.query.stdin and self._stream is not None and not self._stream.closed:
            with contextlib.suppress(ConnectionError, aiohttp.ClientError):
                await self._stream.send_bytes(data)
        if detached:
            self.detached = True
            await self.close()

    async def write_eof(self) -> None:
        """The client's end of stdin."""
        await self._connected.wait()
        if self.query.stdin and self._stream is not None and not self._stream.closed:
            with contextlib.suppress(ConnectionError, aiohttp.ClientError):
                await self._stream.send_str(wire.STDIN_EOF)

    async def close(self) -> None:
        """The client has gone or detached; the process goes on."""
        self._stop()
        if self._stream is not None:
            await self._stream.close()

    async def abandon(self) -> None:
        """The daemon ends, so nobody knows whether the client has gone."""
        self._stop()
        if self._stream is not None:
            await self._stream.abandon()

    def _stop(self) -> None:
        if self._pump is not None:
            self._pump.cancel()
        self.end()

    def _begin(self) -> None:
        if self._pump is None:
            self._pump = asyncio.create_task(self._take())

    async def _take(self) -> None:
        try:
            if self._kept is not None:
                async with contextlib.aclosing(self._kept):
                    async for chunk in self._kept:
                        await self._put(chunk)
            if self.live:
                await self._connected.wait()
            await self._take_live()
        except SockerlessError as error:
            self.fail(error.message)
        finally:
            self.end()

    async def _take_live(self) -> None:
        if self._stream is None:
            return
        async for message in self._stream:
            if message.type is not aiohttp.WSMsgType.BINARY:
                break
            await self._put(message.data)

    async def _put(self, data: bytes) -> None:
        self._chunks.append(data)
        self._buffered += len(data)
        self._readable.set()
        while self._buffered > BUFFER_BYTES and not self._unbounded:
            self._room.clear()
            await self._room.wait()
