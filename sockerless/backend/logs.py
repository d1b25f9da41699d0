"""docker logs: a running (or lingering) container's from its agent, everything older from CloudWatch.

Law: what is shown has no hole, or says so: the answer is broken off where the rest cannot be had.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from sockerless.backend import logs_archive
from sockerless.backend.agent_link import AgentLink
from sockerless.backend.containers_find import find
from sockerless.backend.containers_wait import begin_wait
from sockerless.backend.context import Backend
from sockerless.backend.logs_agent import AgentLogs
from sockerless.backend.reach import reachable
from sockerless.errors import NotFound, Unavailable
from sockerless.types import Container
from sockerless.wire.agent import LogQuery
from sockerless.wire.agent_output import KeptQuery
from sockerless.wire.chunks import Chunk
from sockerless.wire.logs import Piece, Renderer, Tail, chunk_of


@dataclass(frozen=True, slots=True)
class LogStream:
    """An answer to docker logs: tty tells the framing, chunks are the very bytes for the client."""

    tty: bool
    chunks: AsyncGenerator[bytes]


async def logs(backend: Backend, reference: str, query: LogQuery) -> LogStream:
    """The container's selected output; NotFound when there is no such container."""
    container = find(backend, reference)
    return LogStream(bool(container.config.get("Tty")), shown(backend, container, query))


async def shown(backend: Backend, container: Container, query: LogQuery, end: int = -1) -> AsyncGenerator[bytes]:
    """The very bytes of the selected output. Unavailable when some of it cannot be had.

    end: the position in the journal of the container's present task at which to end, -1: none.
    """
    renderer = Renderer(query, bool(container.config.get("Tty")))
    async with aclosing(_selected(backend, container, KeptQuery(query, end=end))) as selected:
        async for chunks in selected:
            if data := renderer.render(chunks):
                yield data
            if renderer.is_past(chunks[-1].time_ns):
                return


async def _selected(backend: Backend, container: Container, query: KeptQuery) -> AsyncGenerator[list[Chunk]]:
    """The container's output as it was read, roughly selected: tail is settled, time is not."""
    try:
        link = await _agent(backend, container.id, follow=query.select.follow)
        container = backend.store.container(container.id)
    except NotFound:  # removed meanwhile: there is no output
        return
    if link is not None:
        reading = AgentLogs(backend, container, link, query)
        if await _opened(backend, container, reading):
            try:
                async for piece in _before(backend, container, query.select, reading):
                    yield [chunk_of(piece)]
                async for chunks in reading.chunks():
                    yield chunks
            finally:
                await reading.close()
            return
        container = backend.store.container(container.id)
    if container.log_streams and container.state.started_at_ns:
        pieces = logs_archive.whole(backend, container, container.log_streams)
        async for piece in _last(pieces, query.select, query.select.tail):
            yield [chunk_of(piece)]


async def _opened(backend: Backend, container: Container, reading: AgentLogs) -> bool:
    """Whether the agent tells its output; an agent that lingered may have left just now."""
    try:
        await reading.open()
    except Unavailable:
        if backend.store.container(container.id).state.status in {"running", "paused"}:
            raise
        return False
    return True


async def _agent(backend: Backend, container_id: str, *, follow: bool) -> AgentLink | None:
    """The link to the agent that has the output, which to follow may have to come first; None: no agent has it."""
    live = backend.lives.of(container_id)
    while True:
        container = backend.store.container(container_id)
        if live.link is not None and (container.state.started_at_ns or follow):
            return live.link
        if container.state.status in {"running", "paused"}:
            return await reachable(backend, container)
        if container.state.started_at_ns or not follow:
            return None
        await _started_or_removed(backend, container)


async def _started_or_removed(backend: Backend, container: Container) -> None:
    """Returns when a container that never ran has an agent or is removed."""
    removed = begin_wait(backend, container.id, "removed")
    linked = asyncio.create_task(backend.lives.of(container.id).has_link())
    either: set[asyncio.Future[Any]] = {removed, linked}
    try:
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    finally:
        removed.cancel()
        linked.cancel()


async def _before(backend: Backend, container: Container, query: LogQuery, reading: AgentLogs) -> AsyncIterator[Piece]:
    """What the agent does not keep (any more) of what is asked for."""
    missing = None if query.tail is None else query.tail - reading.opened.lines
    if missing is None or missing > 0:
        async for piece in _last(_older(backend, container, reading), query, missing):
            yield piece


async def _older(backend: Backend, container: Container, reading: AgentLogs) -> AsyncIterator[Piece]:
    """What earlier tasks have left, then what this one's agent has let go."""
    earlier = tuple(stream for stream in container.log_streams if stream != reading.stream)
    async for piece in logs_archive.whole(backend, container, earlier):
        yield piece
    if reading.opened.first_ns:
        async for piece in logs_archive.between(backend, reading.stream, 0, reading.opened.first_ns):
            yield piece


async def _last(pieces: AsyncIterator[Piece], query: LogQuery, lines: int | None) -> AsyncIterator[Piece]:
    """The pieces of the last lines that are not beyond the query's until; None: all pieces."""
    if lines is None:
        async for piece in pieces:
            yield piece
        return
    tail = Tail(lines)
    async for piece in pieces:
        if not 0 < query.until_ns < piece.time_ns:
            tail.feed(piece)
    for piece in tail.pieces():
        yield piece
