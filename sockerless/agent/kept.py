"""Kept output: what the journal holds, selected and shown as `docker logs` shows it, and followed while it grows.

Owns LOGS of wire/agent.py. A slow reader slows nobody; if it falls behind the journal's bound, it goes on with the
oldest kept piece.
"""

from __future__ import annotations

import asyncio

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from sockerless.agent.journal import Chunk, Cursor, Journal
from sockerless.agent.lifecycle import Lifecycle
from sockerless.wire.agent import LogQuery
from sockerless.wire.logs import Piece, Renderer, pieces


class LineSkip:
    """Leaves out the first lines of both streams together."""

    def __init__(self, lines: int) -> None:
        self.left = lines
        self._unfinished: dict[int, bool] = {}

    def passes_over(self, chunk: Chunk) -> bool:
        """Whether all of the next chunk is left out; if so, it need not be asked for piece by piece."""
        stream, _, data = chunk
        begun = lines_begun(data, within_line=stream in self._unfinished)
        if begun > self.left or self._unfinished.get(stream):
            return False
        self.left -= begun
        self._unfinished.pop(stream, None)
        if not data.endswith(b"\n"):
            self._unfinished[stream] = False
        return True

    def keeps(self, piece: Piece) -> bool:
        """Whether the next piece belongs to a line that is not left out."""
        keep = self._unfinished.get(piece.stream)
        if keep is None:
            keep = self.left <= 0
            self.left -= 1
        if piece.ends_line:
            self._unfinished.pop(piece.stream, None)
        else:
            self._unfinished[piece.stream] = keep
        return keep


async def serve_logs(connection: ServerConnection, query: LogQuery, lifecycle: Lifecycle) -> None:
    """Sends what query selects; with follow until the process that runs now, or comes first, has ended."""
    try:
        if query.follow and lifecycle.run is None:
            while lifecycle.run is None:
                await lifecycle.journal.changed()
        with lifecycle.journal.cursor(from_start=True) as cursor:
            await _send(connection, query, lifecycle, cursor)
    except ConnectionClosed:
        return
    await connection.close(1000)


async def _send(connection: ServerConnection, query: LogQuery, lifecycle: Lifecycle, cursor: Cursor) -> None:
    run = lifecycle.run
    if run is None:
        return
    journal = lifecycle.journal
    now = journal.end
    skip = LineSkip(0 if query.tail is None else await _lines_before(journal, now) - query.tail)
    renderer = Renderer(query, run.process.tty)
    while True:
        end = run.end if query.follow else now
        chunks = cursor.read(end)
        if chunks:
            data = render(chunks, renderer, skip)
            if data:
                await connection.send(data)
            await asyncio.sleep(0)
            if renderer.is_past(chunks[-1].time_ns):
                return
        elif end is not None:
            return
        else:
            await journal.changed()


def render(chunks: list[Chunk], renderer: Renderer, skip: LineSkip) -> bytes:
    """The answer's bytes for chunks."""
    wanted = (chunk for chunk in chunks if not skip.passes_over(chunk))
    found = (piece for stream, time_ns, data in wanted for piece in pieces(stream, time_ns, data))
    return b"".join(renderer.feed(piece) for piece in found if skip.keeps(piece))


def lines_begun(data: bytes, *, within_line: bool) -> int:
    """How many lines begin in a chunk that may continue one."""
    return data.count(b"\n") - within_line + (not data.endswith(b"\n"))


async def _lines_before(journal: Journal, position: int) -> int:
    """How many lines, of both streams, begin between the oldest kept chunk and position."""
    begun = 0
    unfinished: set[int] = set()
    with journal.cursor(from_start=True) as cursor:
        while chunks := cursor.read(position):
            for stream, _, data in chunks:
                begun += lines_begun(data, within_line=stream in unfinished)
                (unfinished.discard if data.endswith(b"\n") else unfinished.add)(stream)
            await asyncio.sleep(0)
    return begun
