"""docker logs: a running (or lingering) container's from its agent, everything older from CloudWatch.

Laws: CloudWatch is read until its token repeats and the last piece the agent reported has been seen (or a grace is
over); streams are chosen by name, never by time. Source: facts on GetLogEvents in aws/logs.py.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import aiohttp

from sockerless.aws import logs as aws_logs
from sockerless.backend.agent_link import AgentLink
from sockerless.backend.containers_find import find
from sockerless.backend.context import Backend
from sockerless.backend.reach import reachable
from sockerless.errors import NotFound
from sockerless.types import Container
from sockerless.wire import agent as wire
from sockerless.wire import stdcopy
from sockerless.wire.agent import LogQuery
from sockerless.wire.logs import Piece, Renderer, Tail, parse_archive_line

INGESTION_GRACE_S = 15.0
"""How long after the end CloudWatch may still be without the last lines (field reports say 5 to 10 s)."""
RETRY_PAUSE_S = 0.5


@dataclass(frozen=True, slots=True)
class LogStream:
    """An answer to docker logs: tty tells the framing, chunks are the very bytes for the client."""

    tty: bool
    chunks: AsyncIterator[bytes]


async def logs(backend: Backend, reference: str, query: LogQuery) -> LogStream:
    """The container's selected output; NotFound when there is no such container."""
    container = find(backend, reference)
    return LogStream(bool(container.config.get("Tty")), _chunks(backend, container, query))


async def _chunks(backend: Backend, container: Container, query: LogQuery) -> AsyncIterator[bytes]:
    live = backend.lives.of(container.id)
    while True:
        container = backend.store.container(container.id)
        link = live.link
        if link is None and container.state.status in {"running", "paused"}:
            link = await reachable(backend, container)
        if link is not None and container.state.started_at_ns:
            async for chunk in _from_agent(backend, container, link, query):
                yield chunk
            return
        if container.log_streams and container.state.started_at_ns:
            async for chunk in _rendered(_archived(backend, container, container.log_streams), container, query):
                yield chunk
            return
        if not query.follow:
            return
        await live.next_link()


async def _from_agent(backend: Backend, container: Container, link: AgentLink, query: LogQuery) -> AsyncIterator[bytes]:
    earlier = container.log_streams[:-1]
    if earlier and query.tail is not None:
        earlier_lines = query.tail - await _count_lines(link, container, query)
        if earlier_lines > 0:
            tailed = replace(query, tail=earlier_lines)
            async for chunk in _rendered(_archived(backend, container, earlier), container, tailed):
                yield chunk
    elif earlier:
        async for chunk in _rendered(_archived(backend, container, earlier), container, query):
            yield chunk
    stream = await link.open(wire.LOGS, query.to_query())
    try:
        first_kept_ns = _first_kept_ns(stream)
        if first_kept_ns and query.tail is None:
            older = replace(query, until_ns=min(query.until_ns or first_kept_ns - 1, first_kept_ns - 1))
            async for chunk in _rendered(_archived(backend, container, container.log_streams[-1:]), container, older):
                yield chunk
        async for message in stream:
            if message.type is aiohttp.WSMsgType.BINARY:
                yield message.data
    finally:
        await stream.close()


async def _count_lines(link: AgentLink, container: Container, query: LogQuery) -> int:
    """How many lines the agent's own share of a tail has."""
    stream = await link.open(wire.LOGS, replace(query, follow=False).to_query())
    decoder, lines = stdcopy.Decoder(), 0
    async for message in stream:
        if message.type is not aiohttp.WSMsgType.BINARY:
            break
        parts = [message.data] if container.config.get("Tty") else [f.payload for f in decoder.feed(message.data)]
        lines += sum(part.count(b"\n") for part in parts)
    await stream.close()
    return lines


def _first_kept_ns(stream: aiohttp.ClientWebSocketResponse) -> int:
    """Stamp of the oldest piece the agent still keeps; 0 when it has dropped nothing."""
    return int(stream._response.headers.get(wire.FIRST_NS_HEADER, "0"))


async def _rendered(pieces: AsyncIterator[Piece], container: Container, query: LogQuery) -> AsyncIterator[bytes]:
    renderer = Renderer(query, bool(container.config.get("Tty")))
    if query.tail is None:
        async for piece in pieces:
            if renderer.is_past(piece.time_ns):
                return
            if chunk := renderer.feed(piece):
                yield chunk
        return
    tail = Tail(query.tail)
    async for piece in pieces:
        if not renderer.is_past(piece.time_ns):
            tail.feed(piece)
    for piece in tail.pieces():
        if chunk := renderer.feed(piece):
            yield chunk


async def _archived(backend: Backend, container: Container, streams: tuple[str, ...]) -> AsyncIterator[Piece]:
    """Every piece of these streams; of the container's newest one, until its reported last piece has been seen."""
    for stream in streams:
        newest = stream == container.log_streams[-1]
        last_ns = container.last_log_ns if newest else 0
        if newest and last_ns == 0:
            return
        deadline_s = _ingested_by_s(container) if newest else 0.0
        async for piece in _stream_pieces(backend, stream, last_ns, deadline_s):
            yield piece


def _ingested_by_s(container: Container) -> float:
    """The epoch second from which CloudWatch can be taken to hold everything."""
    return container.state.finished_at_ns / 1e9 + INGESTION_GRACE_S


async def _stream_pieces(backend: Backend, stream: str, last_ns: int, deadline_s: float) -> AsyncIterator[Piece]:
    token: str | None = None
    seen_ns = 0
    while True:
        page = await _page(backend, stream, token)
        for time_ms, line in page.messages if page else ():
            if (piece := _piece(time_ms, line)) is not None:
                seen_ns = piece.time_ns
                yield piece
        at_end = page is None or page.next_token == token
        complete = 0 < last_ns <= seen_ns or time.time() > deadline_s
        if at_end and complete:
            return
        if page is not None:
            token = page.next_token
        if at_end:
            await asyncio.sleep(RETRY_PAUSE_S)


def _piece(time_ms: int, line: str) -> Piece | None:
    """The piece in an archived line; a line the agent did not write (its loader's, say) is an error message."""
    try:
        return parse_archive_line(line)
    except ValueError:
        return Piece(stdcopy.STDERR, time_ms * 1_000_000, line.removesuffix("\n").encode(), True)


async def _page(backend: Backend, stream: str, token: str | None) -> aws_logs.LogPage | None:
    """The next page; None while the stream does not exist (yet)."""
    try:
        return await aws_logs.log_events(backend.aws, backend.config.log_group, stream, token)
    except NotFound:
        return None
