"""Attached streams: a run's live output to one client, and the client's input to the process.

Owns STREAMS of wire/agent_output.py. A client that reads slowly slows the process once it is ATTACHED_LAG_BYTES behind,
as in Docker, and nobody else. A client whose connection broke goes on where it was on its next one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from sockerless.agent.journal import Cursor
from sockerless.agent.lifecycle import Lifecycle
from sockerless.agent.run import Run
from sockerless.agent.stdin import GRACE_S, Client
from sockerless.wire import stdcopy
from sockerless.wire.agent import STDIN_EOF
from sockerless.wire.agent_output import GOING_AWAY, NORMAL, TAKEN_BYTES, Opened, StreamQuery, framed, taken
from sockerless.wire.chunks import Chunk

ATTACHED_LAG_BYTES = 8 * 1024 * 1024
UNTOLD_BYTES = 1024 * 1024
"""Output that a client does not want is told by an empty frame so often, so that it knows where it is."""


class Streams:
    """The attached clients by their ids."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self._lifecycle = lifecycle
        self._attached: dict[str, _Attached] = {}
        self._lost_at_s: dict[str, float] = {}

    def expects_any(self) -> bool:
        """Whether a client whose connection broke may still come back: within the grace that its input has, too."""
        least_s = asyncio.get_running_loop().time() - GRACE_S
        self._lost_at_s = {client: at_s for client, at_s in self._lost_at_s.items() if at_s > least_s}
        return bool(self._lost_at_s)

    async def serve(self, connection: ServerConnection, query: StreamQuery) -> None:
        """Serves the run asked for until its output ends; returns early when the client goes or comes anew."""
        attached = _Attached(connection, query, self._lifecycle)
        await self._supersede(query.client, attached)
        try:
            await attached.serve()
        finally:
            attached.over.set()
            if self._attached.get(query.client) is attached:
                del self._attached[query.client]
                if connection.close_code != NORMAL:
                    self._lost_at_s[query.client] = asyncio.get_running_loop().time()

    async def _supersede(self, client_id: str, attached: _Attached) -> None:
        """Ends the client's connection before this one: nothing more is taken from it."""
        if not client_id:
            return
        self._lost_at_s.pop(client_id, None)
        before = self._attached.get(client_id)
        self._attached[client_id] = attached
        if before is not None:
            before.superseded.set()
            await before.over.wait()


class _Attached:
    """One connection of a client. superseded: set when there is a newer one. over: set once nothing is done here."""

    def __init__(self, connection: ServerConnection, query: StreamQuery, lifecycle: Lifecycle) -> None:
        self.superseded = asyncio.Event()
        self.over = asyncio.Event()
        self._connection = connection
        self._query = query
        self._lifecycle = lifecycle
        self._number = query.run or lifecycle.live_run
        self._client: Client | None = None
        self._telling: asyncio.Task[None] | None = None

    async def serve(self) -> None:
        """Serves until all output is sent, the client has gone, or there is a newer connection."""
        if self._query.running and not self._query.run and not self._lifecycle.is_running():
            await _sent(self._connection, Opened(position=self._lifecycle.journal.end).encode())
            await self._connection.close(NORMAL)
            return
        asked = None if self._query.position < 0 else self._query.position
        with self._lifecycle.journal.cursor(asked, lag_limit=ATTACHED_LAG_BYTES) as cursor:
            self._client = self._input()
            await _sent(self._connection, self._opened(cursor).encode())
            await self._carry(cursor)
        await self._release()

    def _input(self) -> Client | None:
        """This client's side of the run's input; None when it sends none, or the run takes none or is not on."""
        run = self._lifecycle.run
        if not self._query.stdin or run is None or run.number != self._number or run.stdin is None:
            return None
        return run.stdin.client(self._query.client)

    def _opened(self, cursor: Cursor) -> Opened:
        dropped = cursor.position > self._query.position >= 0
        first_ns = self._lifecycle.journal.first_ns if dropped else 0
        count = self._client.taken if self._client is not None else 0
        return Opened(run=self._number, position=cursor.position, first_ns=first_ns, taken=count)

    async def _carry(self, cursor: Cursor) -> None:
        coming = asyncio.create_task(self._lifecycle.begun(self._number))
        receiving = asyncio.create_task(self._receive(coming))
        sending = asyncio.create_task(self._send(coming, cursor))
        superseded = asyncio.create_task(_set(self.superseded))
        try:
            await asyncio.wait([receiving, sending, superseded], return_when=asyncio.FIRST_COMPLETED)
            if superseded.done():
                self._connection.transport.abort()
            elif sending.done():
                await self._connection.close(sending.result())
        finally:
            tasks = [task for task in (coming, receiving, sending, superseded, self._telling) if task is not None]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _release(self) -> None:
        """What becomes of the input: a client that did not say goodbye may come back."""
        if self._client is None:
            return
        if self._connection.close_code == NORMAL:
            await self._client.leave()
        else:
            self._client.lose()

    async def _send(self, coming: asyncio.Task[Run | None], cursor: Cursor) -> int:
        """Sends all of the run's output; returns the code to close with."""
        run = await asyncio.shield(coming)
        if run is None:
            return GOING_AWAY
        wanted = {stdcopy.STDOUT} if self._query.stdout else set()
        wanted |= {stdcopy.STDERR} if self._query.stderr else set()
        told = cursor.position
        try:
            async for chunks in self._until_end(cursor):
                data = frames(chunks, wanted, tty=run.process.tty)
                if data or cursor.position - told > UNTOLD_BYTES:
                    await self._connection.send(framed(cursor.position, data))
                    told = cursor.position
        except ConnectionClosed:
            return GOING_AWAY
        return NORMAL

    async def _until_end(self, cursor: Cursor) -> AsyncIterator[list[Chunk]]:
        """What cursor reads, as it comes, up to the run's end."""
        while True:
            end = self._lifecycle.end_of(self._number)
            chunks = cursor.read(end)
            if chunks:
                yield chunks
            elif end is not None:
                return
            else:
                await self._lifecycle.journal.changed()

    async def _receive(self, coming: asyncio.Task[Run | None]) -> None:
        """Passes input on until the client goes; reads on after the input's end, to see that."""
        if not await self._stays_until(coming):
            return
        if coming.result() is not None and self._client is None:
            self._client = self._input()
        if self._client is None:
            await self._connection.wait_closed()
            return
        told = self._client.taken
        try:
            async for frame in self._connection:
                if isinstance(frame, bytes):
                    await self._client.feed(frame)
                    if self._client.taken - told >= TAKEN_BYTES and self._tell(self._client.taken):
                        told = self._client.taken
                elif frame == STDIN_EOF:
                    await self._client.end()
        except ConnectionClosed:
            return

    async def _stays_until(self, coming: asyncio.Task[Run | None]) -> bool:
        """Whether the client is still there when its run begins: one that goes before is not kept until then."""
        gone = asyncio.create_task(self._connection.wait_closed())
        try:
            await asyncio.wait([coming, gone], return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
        return coming.done()

    def _tell(self, count: int) -> bool:
        """Says how much input was taken; False while the client has not heard the last time, since it reads slowly."""
        if self._telling is not None and not self._telling.done():
            return False
        self._telling = asyncio.create_task(_sent(self._connection, taken(count)))
        return True


async def _set(event: asyncio.Event) -> None:
    await event.wait()


async def _sent(connection: ServerConnection, text: str) -> None:
    try:
        await connection.send(text)
    except ConnectionClosed:
        return


def frames(chunks: list[Chunk], wanted: set[int], *, tty: bool) -> bytes:
    """The bytes for a Docker client of the wanted streams' chunks."""
    if tty:
        return b"".join(chunk.data for chunk in chunks if chunk.stream in wanted)
    return b"".join(stdcopy.encode(chunk.stream, chunk.data) for chunk in chunks if chunk.stream in wanted)
