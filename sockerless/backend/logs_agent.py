"""Output as a container's agent keeps it: chunk by chunk, whole across breaks of its connection.

Owns the daemon's side of LOGS in wire/agent_output.py. What the agent does not keep any more, or takes with it when its
task ends, comes from CloudWatch by its stamps.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace

import aiohttp

from sockerless.backend import logs_archive
from sockerless.backend.agent_link import AgentLink
from sockerless.backend.attach_stream import close_code, dialled
from sockerless.backend.containers_wait import begin_wait
from sockerless.backend.context import Backend
from sockerless.backend.reach import LINK_TIMEOUT_S
from sockerless.backend.resume import RESUME_TIMEOUT_S, reopened
from sockerless.errors import Unavailable
from sockerless.types import Container
from sockerless.wire import agent as wire
from sockerless.wire import chunks as codec
from sockerless.wire.agent_output import DROPPED, GOING_AWAY, NORMAL, KeptQuery, Opened, unframed
from sockerless.wire.chunks import Chunk
from sockerless.wire.logs import chunk_of, count_pieces

SETTLE_TIMEOUT_S = 60.0
"""How long the record of an exit may take once the agent is gone."""


class AgentLogs:
    """One reading of the output of container's present task. opened: what its connection began with."""

    def __init__(self, backend: Backend, container: Container, link: AgentLink, query: KeptQuery) -> None:
        self._backend = backend
        self._container = container
        self._link = link
        self._query = query
        self._connection: aiohttp.ClientWebSocketResponse | None = None
        self._code = 0
        self._last_ns = 0
        self.opened = Opened()

    @property
    def stream(self) -> str:
        """The CloudWatch stream that has the same output."""
        task = self._container.task
        return (task.log_stream if task is not None else None) or self._container.log_streams[-1]

    async def open(self, timeout_s: float = LINK_TIMEOUT_S) -> None:
        """Begins, or goes on. Unavailable when the agent cannot be reached."""

        async def once() -> tuple[aiohttp.ClientWebSocketResponse, Opened]:
            present = self._backend.lives.of(self._container.id).latest or self._link
            return await dialled(present, wire.LOGS, self._query.to_query())

        self._connection, self.opened = await reopened(self._backend, self._container, once, timeout_s)
        begun = self._query.select.tail is None or self._query.position >= 0  # else a tail has still to be counted
        position = self.opened.position if begun else self._query.position
        self._query = replace(self._query, run=self.opened.run, position=position)

    async def close(self) -> None:
        """Ends."""
        if self._connection is not None:
            await self._connection.close()

    async def chunks(self) -> AsyncGenerator[list[Chunk]]:
        """All that is asked for from where it was opened on. Unavailable when the rest cannot be had."""
        while self._connection is not None:
            async for chunks in self._received(self._connection):
                yield chunks
            if self._code in {NORMAL, GOING_AWAY}:
                return
            if self._code not in {0, DROPPED}:
                raise Unavailable(f"the container's agent ended its logs with code {self._code}")
            async for chunks in self._missed():
                yield chunks

    async def _received(self, connection: aiohttp.ClientWebSocketResponse) -> AsyncGenerator[list[Chunk]]:
        """What this connection carries until it is closed or breaks."""
        while True:
            message = await connection.receive()
            if message.type is not aiohttp.WSMsgType.BINARY:
                self._code = close_code(message)
                return
            position, left_out, data = unframed(message.data)
            chunks, _ = codec.unpack(data)
            self._query = replace(self._query, position=position, left_out=left_out)
            self._last_ns = chunks[-1].time_ns + count_pieces(chunks[-1].data) - 1
            if told := [chunk for chunk in chunks if chunk.data]:  # an empty one only says how far the agent is
                yield told

    async def _missed(self) -> AsyncGenerator[list[Chunk]]:
        """Opens again where it broke, with what the agent let go meanwhile; where that fails, all the rest."""
        try:
            await self.open(RESUME_TIMEOUT_S)
        except Unavailable:
            self._connection = None
        if self._connection is None:
            pieces = logs_archive.after(self._backend, await self._ended(), self.stream, self._last_ns)
        elif self.opened.first_ns:
            pieces = logs_archive.between(self._backend, self.stream, self._last_ns, self.opened.first_ns)
        else:
            return
        async for piece in pieces:
            yield [chunk_of(piece)]
        self._last_ns = max(self._last_ns, self.opened.first_ns - 1)

    async def _ended(self) -> Container:
        """The record once it says how the run ended. Unavailable when that is not told, or does not tell enough."""
        exit_ = begin_wait(self._backend, self._container.id, "next-exit")
        try:
            async with asyncio.timeout(SETTLE_TIMEOUT_S):
                if self._backend.store.container(self._container.id).state.status in {"running", "paused"}:
                    await exit_
        except TimeoutError:
            raise Unavailable("the connection to the container's agent broke and did not come back") from None
        finally:
            exit_.cancel()
        if self._query.end >= 0:
            raise Unavailable("the container has ended, and the connection to its agent broke before: try docker logs")
        return self._backend.store.container(self._container.id)
