"""Output as CloudWatch has it, piece by piece.

Laws: a stream is read until its token repeats and the last piece that is asked for has been seen, or a grace is over;
streams are chosen by name, never by time. Source: facts on GetLogEvents in aws/logs.py.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator

from sockerless.aws import logs as aws_logs
from sockerless.backend.context import Backend
from sockerless.errors import NotFound, Unavailable
from sockerless.types import Container
from sockerless.wire import stdcopy
from sockerless.wire.logs import Piece, parse_archive_line

INGESTION_GRACE_S = 15.0
"""How long after the end CloudWatch may still be without the last lines (field reports say 5 to 10 s)."""
RETRY_PAUSE_S = 0.5


async def whole(backend: Backend, container: Container, streams: tuple[str, ...]) -> AsyncGenerator[Piece]:
    """Every piece of these streams; of the container's newest one, until its reported last piece has been seen."""
    for stream in streams:
        async for piece in after(backend, container, stream, 0):
            yield piece


async def after(backend: Backend, container: Container, stream: str, after_ns: int) -> AsyncGenerator[Piece]:
    """The pieces of one of the container's streams from after that stamp to its end."""
    newest = stream == container.log_streams[-1]
    last_ns = container.last_log_ns if newest else 0
    if newest and last_ns == 0:
        return
    deadline_s = container.state.finished_at_ns / 1e9 + INGESTION_GRACE_S if newest else 0.0
    async for piece in _pieces(backend, stream, last_ns, deadline_s):
        if piece.time_ns > after_ns:
            yield piece


async def between(backend: Backend, stream: str, after_ns: int, before_ns: int) -> AsyncGenerator[Piece]:
    """The pieces between two stamps of a stream that goes on. Unavailable when CloudWatch does not have them all."""
    async for piece in _pieces(backend, stream, before_ns, time.time() + INGESTION_GRACE_S):
        if after_ns < piece.time_ns < before_ns:
            yield piece
        if piece.time_ns >= before_ns - 1:
            return
    raise Unavailable(
        "the agent no longer keeps all of the output, and what it has let go is not in CloudWatch yet: try again"
    )


async def _pieces(backend: Backend, stream: str, last_ns: int, deadline_s: float) -> AsyncGenerator[Piece]:
    """All of the stream that there is, and what comes until the piece of that stamp or the deadline."""
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
