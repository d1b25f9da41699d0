"""The fake agent's output and input: STREAMS and LOGS over a journal of which every chunk is one position long."""

from __future__ import annotations

import asyncio
import time

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed, ConnectionClosedOK

from sockerless.wire import agent as wire
from sockerless.wire import stdcopy
from sockerless.wire.agent_output import DROPPED, KeptQuery, Opened, StreamQuery, framed, taken
from sockerless.wire.chunks import Chunk, pack
from sockerless.wire.logs import count_pieces


class FakeOutput:
    """chunks: all output. first: the oldest that is kept. stdin: all input; inputs: how much of it by client.

    queries: what was asked, in order. ended_by: the codes that connections for input were closed with.
    refuses_input: leaves input where it is; refused: how many messages. hangs: sends neither output nor an end.
    close_with: the code to close with instead of going on. cut_after: breaks a connection for logs after so many
    chunks, once for each number. pauses: sends no logs for now.
    """

    def __init__(self) -> None:
        self.chunks: list[Chunk] = []
        self.first = 0
        self.stdin = bytearray()
        self.inputs: dict[str, int] = {}
        self.queries: list[StreamQuery | KeptQuery] = []
        self.ended_by: list[int | None] = []
        self.input_ended = False
        self.refuses_input, self.refused = False, 0
        self.hangs = False
        self.close_with = 0
        self.cut_after: list[int] = []
        self.pauses = False
        self._ends: list[int] = []
        self._running = False
        self._open: set[ServerConnection] = set()
        self._changed = asyncio.Event()

    @property
    def last_ns(self) -> int:
        """The stamp of the last piece."""
        last = self.chunks[-1] if self.chunks else None
        return last.time_ns + count_pieces(last.data) - 1 if last else 0

    @property
    def next_run(self) -> int:
        """The number of the run that is on or comes next."""
        return len(self._ends) + 1

    def begin(self) -> None:
        """A run begins."""
        self._running = True
        self._wake()

    def write(self, stream: int, data: bytes) -> None:
        """The process writes."""
        self.chunks.append(Chunk(stream, max(time.time_ns(), self.last_ns + 1), data))
        self._wake()

    def end(self) -> None:
        """The run ends."""
        self._running = False
        self._ends.append(len(self.chunks))
        self._wake()

    def drop(self) -> None:
        """Forgets everything so far, as a journal does that is over its bound."""
        self.first = len(self.chunks)
        self._wake()

    def cut(self) -> None:
        """Breaks every connection."""
        for connection in self._open:
            connection.transport.abort()

    async def serve(self, connection: ServerConnection, path: str, query: str) -> None:
        """One connection."""
        self._open.add(connection)
        try:
            if path == wire.STREAMS:
                await self._stream(connection, StreamQuery.from_query(query))
            else:
                await self._logs(connection, KeptQuery.from_query(query))
        except ConnectionClosed:
            return
        finally:
            self._open.discard(connection)

    async def _stream(self, connection: ServerConnection, query: StreamQuery) -> None:
        self.queries.append(query)
        run = query.run or self.next_run
        position = max(query.position, self.first) if query.position >= 0 else len(self.chunks)
        first_ns = self._first_ns() if position > query.position >= 0 else 0
        await connection.send(Opened(run, position, first_ns, self.inputs.get(query.client, 0)).encode())
        receiving = asyncio.create_task(self._receive(connection, query.client))
        try:
            while self.hangs or (end := self._end_of(run)) is None or position < end:
                if self.close_with:
                    await connection.close(self.close_with)
                    return
                if position == len(self.chunks):
                    await self._change(connection)
                    continue
                stream, _, data = self.chunks[position]
                position += 1
                await connection.send(framed(position, stdcopy.encode(stream, data)))
            await connection.close()
        finally:
            receiving.cancel()

    async def _receive(self, connection: ServerConnection, client: str) -> None:
        try:
            async for frame in connection:
                if self.refuses_input:
                    self.refused += 1
                elif isinstance(frame, str):
                    self.input_ended = True
                else:
                    self.stdin += frame
                    self.inputs[client] = self.inputs.get(client, 0) + len(frame)
                    await connection.send(taken(self.inputs[client]))
        except ConnectionClosed:
            pass
        self.ended_by.append(connection.close_code)

    async def _logs(self, connection: ServerConnection, query: KeptQuery) -> None:
        self.queries.append(query)
        run = query.run or max(1, len(self._ends) + self._running)
        asked = max(query.position, 0)
        position = max(asked, self.first)
        first_ns = self._first_ns() if position > asked else 0
        now = len(self.chunks) if query.end < 0 else query.end
        if query.select.tail is not None and query.position < 0:
            position = max(position, now - query.select.tail)
        await connection.send(Opened(run, position, first_ns, lines=now - position).encode())
        breaks_at = position + self.cut_after.pop(0) if self.cut_after else -1
        while True:
            if self.pauses:
                await self._change(connection)
                continue
            if position == breaks_at:
                connection.transport.abort()
                return
            if self.close_with or position < self.first:
                await connection.close(self.close_with or DROPPED)
                return
            end = self._end_of(run) if query.select.follow else now
            if position == (len(self.chunks) if end is None else end):
                if end is not None:
                    await connection.close()
                    return
                await self._change(connection)
                continue
            position += 1
            await connection.send(framed(position, pack([self.chunks[position - 1]])))

    def _end_of(self, run: int) -> int | None:
        return self._ends[run - 1] if run <= len(self._ends) else None

    def _first_ns(self) -> int:
        return self.chunks[self.first].time_ns if self.first < len(self.chunks) else self.last_ns + 1

    async def _change(self, connection: ServerConnection) -> None:
        """Returns when there is more, or raises ConnectionClosed."""
        changed = asyncio.create_task(self._changed.wait())
        closed = asyncio.create_task(connection.wait_closed())
        await asyncio.wait({changed, closed}, return_when=asyncio.FIRST_COMPLETED)
        changed.cancel()
        if closed.done():
            raise ConnectionClosedOK(None, None)
        closed.cancel()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
