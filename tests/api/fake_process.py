"""A few programs that run in memory: what the fake engine's containers and execs are made of."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from sockerless.api.verbs import AttachRequest
from sockerless.wire import stdcopy


class FakeAttachment:
    """A client of one process; holds at most one piece ahead of a slow reader, and says how much it held."""

    def __init__(self, process: FakeProcess, asked: AttachRequest) -> None:
        self.process, self.asked, self.tty = process, asked, process.tty
        self.pieces: asyncio.Queue[bytes] = asyncio.Queue(maxsize=1)
        self.closed = asyncio.Event()
        self.abandoned = False

    async def read(self) -> bytes:
        """Output, or b"" once the process has ended or the client has detached."""
        return b"" if self.closed.is_set() else await self.pieces.get()

    async def write(self, data: bytes) -> None:
        """Stdin."""
        if self.asked.stdin:
            await self.process.stdin.put(data)

    async def write_eof(self) -> None:
        """The end of stdin."""
        if self.asked.stdin:
            await self.process.stdin.put(b"")

    async def abandon(self) -> None:
        """The daemon ends."""
        self.abandoned = True
        await self.close()

    async def close(self) -> None:
        """The client has gone."""
        self.closed.set()
        self.process.attachments.discard(self)


class FakeProcess:
    """A container's main process: stdin in, output to every attachment and to the journal."""

    def __init__(self, argv: list[str], *, tty: bool) -> None:
        self.argv, self.tty = argv, tty
        self.stdin: asyncio.Queue[bytes] = asyncio.Queue(maxsize=4)
        self.attachments: set[FakeAttachment] = set()
        self.journal: list[bytes] = []
        self.killed = asyncio.Event()
        self.size = (0, 0)
        self.emitted = 0

    async def emit(self, data: bytes, stream: int = stdcopy.STDOUT, *, keep: bool = True) -> None:
        """Writes output; waits for slow clients."""
        piece = data if self.tty else stdcopy.encode(stream, data)
        if keep:
            self.journal.append(piece)
        for attachment in tuple(self.attachments):
            await attachment.pieces.put(piece)
        self.emitted += len(data)

    async def end(self) -> None:
        """The end of the output."""
        for attachment in tuple(self.attachments):
            await attachment.pieces.put(b"")


async def _echo(process: FakeProcess) -> int:
    await process.emit(" ".join(process.argv[1:]).encode() + b"\n")
    return 0


async def _both(process: FakeProcess) -> int:
    await process.emit(b"out\n")
    await process.emit(b"err\n", stdcopy.STDERR)
    return 3


async def _cat(process: FakeProcess) -> int:
    while data := await process.stdin.get():
        await process.emit(data)
    return 0


async def _sleep(process: FakeProcess) -> int:
    await process.killed.wait()
    return 137


async def _flood(process: FakeProcess) -> int:
    piece = bytes(64 * 1024)
    for _ in range(int(process.argv[1]) // len(piece)):
        await process.emit(piece, keep=False)
    return 0


PROGRAMS: dict[str, Callable[[FakeProcess], Awaitable[int]]] = {
    "echo": _echo,
    "both": _both,
    "cat": _cat,
    "sleep": _sleep,
    "flood": _flood,
}
