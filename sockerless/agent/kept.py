"""Kept output: what the journal holds, sent as it was read, and followed while it grows.

Owns LOGS of wire/agent_output.py. A slow reader slows nobody; if it falls behind the journal's bound, it is told so.
"""

from __future__ import annotations

import asyncio

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from sockerless.agent.journal import Cursor, Dropped, Journal
from sockerless.agent.lifecycle import Lifecycle
from sockerless.wire import chunks as codec
from sockerless.wire import stdcopy
from sockerless.wire.agent_output import DROPPED, GOING_AWAY, NORMAL, KeptQuery, Opened, framed
from sockerless.wire.chunks import Chunk
from sockerless.wire.logs import Piece, count_pieces, pieces

_HELD = 1 << 62
"""As a cursor's limit: keeps what it has to read from being dropped, and slows nobody."""


class LineSkip:
    """Leaves out the first lines of both streams together, lines from before a moment, and the rest of such lines.

    left_out: the streams that are within a line that is left out.
    """

    def __init__(self, lines: int, since_ns: int = 0, left_out: int = 0) -> None:
        self.left = lines
        self._since_ns = since_ns
        self._unfinished = dict.fromkeys(_streams(left_out), False)

    @property
    def left_out(self) -> int:
        """As in a frame of wire/agent_output.py."""
        return sum(1 << (stream - 1) for stream, keeps in self._unfinished.items() if not keeps)

    def of(self, chunk: Chunk) -> Chunk | None:
        """What is not left out of the next chunk: a whole one costs next to nothing."""
        stream, time_ns, data = chunk
        keeps_line = self._unfinished.get(stream)
        if keeps_line is not False and self.left <= 0 and time_ns >= self._since_ns:
            self._note(stream, data, keeps=True)
            return chunk
        if not keeps_line and self._leaves_out_all(chunk):
            self._note(stream, data, keeps=False)
            return None
        kept = [piece for piece in pieces(stream, time_ns, data) if self._keeps(piece)]
        text = b"".join(piece.data + b"\n" if piece.ends_line else piece.data for piece in kept)
        return Chunk(stream, kept[0].time_ns, text) if kept else None

    def _leaves_out_all(self, chunk: Chunk) -> bool:
        """Whether no line that begins in the chunk is kept, counting them as left out then."""
        begun = lines_begun(chunk.data, within_line=chunk.stream in self._unfinished)
        if begun > self.left and chunk.time_ns + count_pieces(chunk.data) > self._since_ns:
            return False
        self.left -= begun
        return True

    def _keeps(self, piece: Piece) -> bool:
        keeps = self._unfinished.get(piece.stream)
        if keeps is None:
            keeps = self.left <= 0 and piece.time_ns >= self._since_ns
            self.left -= 1
        self._note(piece.stream, b"\n" if piece.ends_line else b"", keeps=keeps)
        return keeps

    def _note(self, stream: int, data: bytes, *, keeps: bool) -> None:
        if data.endswith(b"\n"):
            self._unfinished.pop(stream, None)
        else:
            self._unfinished[stream] = keeps


async def serve_logs(connection: ServerConnection, query: KeptQuery, lifecycle: Lifecycle) -> None:
    """Sends what query selects; with follow until the run that it follows has ended."""
    try:
        code = await _serve(connection, query, lifecycle)
    except ConnectionClosed:
        return
    except Dropped:
        code = DROPPED
    await connection.close(code)


async def _serve(connection: ServerConnection, query: KeptQuery, lifecycle: Lifecycle) -> int:
    journal, select = lifecycle.journal, query.select
    asked = max(query.position, 0)
    number = query.run or lifecycle.told_run
    with journal.cursor(asked, lag_limit=_HELD) as cursor:
        first_ns = journal.first_ns if cursor.position > asked else 0
        now = journal.end if query.end < 0 else min(query.end, journal.end)
        counts = select.tail is not None and query.position < 0
        lines = await _lines_before(journal, cursor.position, now) if counts else 0
        tail = min(lines, select.tail or 0)
        await connection.send(Opened(number, cursor.position, first_ns, lines=tail).encode())
        sending = _Sending(connection, query, cursor, LineSkip(lines - tail, select.since_ns, query.left_out))
        if select.follow:
            return await _follow(sending, lifecycle, number)
        await sending.until(now)
        return NORMAL


async def _follow(sending: _Sending, lifecycle: Lifecycle, number: int) -> int:
    if await lifecycle.begun(number) is None:
        return GOING_AWAY
    while True:
        end, kept = lifecycle.end_of(number), lifecycle.journal.end
        passed = await sending.until(kept if end is None else end)
        if passed or end is not None:
            return NORMAL
        if lifecycle.journal.end == kept and lifecycle.end_of(number) is None:
            await lifecycle.journal.changed()


class _Sending:
    """What one connection is sent. Until the lines that are left out are behind, nothing that it needs is dropped."""

    def __init__(self, connection: ServerConnection, query: KeptQuery, cursor: Cursor, skip: LineSkip) -> None:
        self._connection = connection
        self._until_ns = query.select.until_ns
        self._wanted = {stdcopy.STDOUT} if query.select.stdout else set()
        self._wanted |= {stdcopy.STDERR} if query.select.stderr else set()
        self._cursor = cursor
        self._skip = skip
        self._told = cursor.position

    async def until(self, end: int) -> bool:
        """Sends what is kept before end; whether that passed the moment until which output is wanted."""
        last: Chunk | None = None
        while chunks := self._cursor.read(end):
            last = chunks[-1]
            kept = [chunk for one in chunks if (chunk := self._skip.of(one)) and chunk.stream in self._wanted]
            if self._skip.left <= 0:
                self._cursor.lag_limit = None
            if kept:
                await self._send(kept)
            await asyncio.sleep(0)
            if 0 < self._until_ns < last.time_ns:
                return True
        if last is not None and self._told != self._cursor.position:
            await self._send([Chunk(last.stream, last.time_ns + count_pieces(last.data), b"")])
        return False

    async def _send(self, chunks: list[Chunk]) -> None:
        """An empty chunk, stamped behind what was left out, says how far this is: where one that breaks goes on."""
        await self._connection.send(framed(self._cursor.position, codec.pack(chunks), self._skip.left_out))
        self._told = self._cursor.position


def lines_begun(data: bytes, *, within_line: bool) -> int:
    """How many lines begin in a chunk that may continue one."""
    return data.count(b"\n") - within_line + (not data.endswith(b"\n"))


def _streams(left_out: int) -> list[int]:
    return [stream for stream in (stdcopy.STDOUT, stdcopy.STDERR) if left_out & 1 << (stream - 1)]


async def _lines_before(journal: Journal, begin: int, end: int) -> int:
    """How many lines, of both streams, begin between two positions that are kept."""
    begun = 0
    unfinished: set[int] = set()
    with journal.cursor(begin) as cursor:
        while chunks := cursor.read(end):
            for stream, _, data in chunks:
                begun += lines_begun(data, within_line=stream in unfinished)
                (unfinished.discard if data.endswith(b"\n") else unfinished.add)(stream)
            await asyncio.sleep(0)
    return begun
