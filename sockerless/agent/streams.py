"""Attached streams: a run's live output to one client, and the client's input to the process.

Owns STREAMS of wire/agent.py. A client that reads slowly slows the process once it is ATTACHED_LAG_BYTES behind,
as in Docker, and nobody else.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from sockerless.agent.journal import Chunk, Cursor, Journal
from sockerless.agent.lifecycle import Lifecycle
from sockerless.agent.run import Run
from sockerless.wire import stdcopy
from sockerless.wire.agent import STDIN_EOF, StreamQuery

ATTACHED_LAG_BYTES = 8 * 1024 * 1024
NORMAL, GOING_AWAY = 1000, 1001


async def serve_streams(connection: ServerConnection, query: StreamQuery, lifecycle: Lifecycle) -> None:
    """Sends the output of the run that is there or comes next until it ends; returns early when the client goes."""
    with lifecycle.journal.cursor(from_start=query.replay, lag_limit=ATTACHED_LAG_BYTES) as cursor:
        coming = asyncio.create_task(_run_for(query, lifecycle))
        receiving = asyncio.create_task(_receive(connection, query, coming))
        sending = asyncio.create_task(_send(connection, query, coming, cursor, lifecycle.journal))
        try:
            await asyncio.wait([receiving, sending], return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                await connection.close(sending.result())
        finally:
            for task in (coming, receiving, sending):
                task.cancel()
            await asyncio.gather(coming, receiving, sending, return_exceptions=True)


async def _run_for(query: StreamQuery, lifecycle: Lifecycle) -> Run | None:
    if query.running and not lifecycle.is_running():
        return None
    return await lifecycle.next_run()


async def _send(
    connection: ServerConnection, query: StreamQuery, coming: asyncio.Task[Run | None], cursor: Cursor, journal: Journal
) -> int:
    """Sends all of the run's output; returns the code to close with."""
    run = await asyncio.shield(coming)
    if run is None:
        return NORMAL if query.running else GOING_AWAY
    wanted = {stdcopy.STDOUT} if query.stdout else set()
    wanted |= {stdcopy.STDERR} if query.stderr else set()
    try:
        async for chunks in until_end(cursor, run, journal):
            data = frames(chunks, wanted, tty=run.process.tty)
            if data:
                await connection.send(data)
    except ConnectionClosed:
        return GOING_AWAY
    return NORMAL


async def until_end(cursor: Cursor, run: Run, journal: Journal) -> AsyncIterator[list[Chunk]]:
    """What cursor reads, as it comes, up to run's end."""
    while True:
        chunks = cursor.read(run.end)
        if chunks:
            yield chunks
        elif run.end is not None:
            return
        else:
            await journal.changed()


def frames(chunks: list[Chunk], wanted: set[int], *, tty: bool) -> bytes:
    """The bytes for a Docker client of the wanted streams' chunks."""
    if tty:
        return b"".join(chunk.data for chunk in chunks if chunk.stream in wanted)
    return b"".join(stdcopy.encode(chunk.stream, chunk.data) for chunk in chunks if chunk.stream in wanted)


async def _receive(connection: ServerConnection, query: StreamQuery, coming: asyncio.Task[Run | None]) -> None:
    """Passes input on until the client goes; reads on after the input's end, to see that."""
    if not query.stdin:
        await connection.wait_closed()
        return
    run = await asyncio.shield(coming)
    if run is None or run.stdin is None:
        await connection.wait_closed()
        return
    try:
        async for frame in connection:
            if isinstance(frame, bytes):
                await run.stdin.write(frame)
            elif frame == STDIN_EOF:
                await run.stdin.client_ended()
    except ConnectionClosed:
        return
    finally:
        await run.stdin.client_ended()
