"""The agent's stream of an attach, as its attachment sees it: whole, whatever becomes of the connection.

Owns the daemon's side of STREAMS in wire/agent_output.py: where the output is, and the input that the agent may not
have yet. What cannot be made whole is told to the client in the stream itself, because its end alone would look like
the process's.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import replace

import aiohttp

from sockerless.backend.agent_link import AgentLink
from sockerless.backend.context import Backend
from sockerless.backend.resume import reopened
from sockerless.errors import SockerlessError, Unavailable
from sockerless.types import Container
from sockerless.wire import agent as wire
from sockerless.wire import stdcopy
from sockerless.wire.agent_output import GOING_AWAY, NORMAL, Opened, StreamQuery, count_taken, unframed

OPENED_TIMEOUT_S = 10.0
RETAINED_BYTES = 16 * 1024 * 1024
"""Input kept until the agent says that it has it. More than what connections hold on the way; older input is forgotten
then, so that a client that reads no output can still send."""
Connection = aiohttp.ClientWebSocketResponse
Again = Callable[[StreamQuery], Awaitable[tuple[Connection, Opened]]]
_BROKEN = "the connection to the container's agent broke"


async def open_stream(backend: Backend, container: Container, link: AgentLink, query: StreamQuery) -> AttachStream:
    """The stream of container's present task, over its link. Unavailable when the agent is not there."""
    query = replace(query, client=secrets.token_hex(16))

    async def again(asked: StreamQuery) -> tuple[Connection, Opened]:
        present = backend.lives.of(container.id).latest or link
        return await reopened(backend, container, lambda: dialled(present, wire.STREAMS, asked.to_query()))

    connection, opened = await dialled(link, wire.STREAMS, query.to_query())
    return AttachStream(connection, opened, query, again, tty=bool(container.config.get("Tty")))


async def dialled(link: AgentLink, path: str, query: str) -> tuple[Connection, Opened]:
    """A connection and what it begins with; Unavailable when the agent cannot be reached any more."""
    connection = await link.open(path, query)
    try:
        return connection, Opened.decode(await connection.receive_str(timeout=OPENED_TIMEOUT_S))
    except (OSError, TypeError, ValueError, aiohttp.ClientError) as error:
        await connection.close()
        raise Unavailable(f"the container's agent went away: {error}") from error


def close_code(message: aiohttp.WSMessage) -> int:
    """The code that the agent closed with; 0 for a break, which aiohttp's own close_code may call 1000."""
    return int(message.data) if message.type is aiohttp.WSMsgType.CLOSE else 0


class AttachStream:
    """Yields the client's bytes as binary messages; forwards its input. again opens the stream anew."""

    def __init__(self, connection: Connection, opened: Opened, query: StreamQuery, again: Again, *, tty: bool) -> None:
        self._connection = connection
        self._query = replace(query, run=opened.run, position=opened.position)
        self._again = again
        self._tty = tty
        self._over = False
        self._input = _Input()
        self._turn = asyncio.Lock()
        self._whole = asyncio.Event()
        self._whole.set()

    @property
    def position(self) -> int:
        """The journal's position behind the output yielded so far."""
        return self._query.position

    @property
    def closed(self) -> bool:
        """Whether no more input can be sent."""
        return self._over

    def __aiter__(self) -> AttachStream:
        return self

    async def __anext__(self) -> aiohttp.WSMessage:
        while not self._over:
            message = await self._connection.receive()
            if message.type is aiohttp.WSMsgType.BINARY:
                position, _, data = unframed(message.data)
                self._query = replace(self._query, position=position)
                if data:
                    return aiohttp.WSMessage(aiohttp.WSMsgType.BINARY, data, None)
            elif message.type is aiohttp.WSMsgType.TEXT:
                self._input.taken(count_taken(message.data))
            elif complaint := await self._after(close_code(message)):
                return aiohttp.WSMessage(aiohttp.WSMsgType.BINARY, stdcopy.complaint(complaint, tty=self._tty), None)
        raise StopAsyncIteration

    async def _after(self, code: int) -> str:
        """What a connection's end is followed by: nothing, the next connection, or a complaint, which is returned."""
        if self._over or code in {NORMAL, GOING_AWAY}:
            complaint, over = "", True
        elif code:
            complaint, over = f"{_BROKEN}: it was closed with code {code}", True
        else:
            complaint = await self._resume()
            over = bool(complaint)
        if over:
            self._end()
        return complaint

    async def send_bytes(self, data: bytes) -> None:
        """Input; waits while the connection is broken."""
        async with self._turn:
            await self._whole.wait()
            self._input.add(data)
            await self._try(lambda connection: connection.send_bytes(data))

    async def send_str(self, text: str) -> None:
        """The end of the input."""
        async with self._turn:
            await self._whole.wait()
            self._input.end = text
            await self._try(lambda connection: connection.send_str(text))

    async def close(self) -> None:
        """The client has gone."""
        self._end()
        await self._connection.close()

    async def abandon(self) -> None:
        """The daemon goes, and nobody knows of the client: it may come back to the next daemon."""
        self._end()
        await self._connection.close(code=GOING_AWAY)

    async def _try(self, send: Callable[[Connection], Awaitable[None]]) -> None:
        """What a broken connection does not take is sent on the next one, which may be there already."""
        connection = self._connection
        try:
            await send(connection)
        except (ConnectionError, aiohttp.ClientError):
            if connection is self._connection:
                self._whole.clear()

    def _end(self) -> None:
        self._over = True
        self._whole.set()

    async def _resume(self) -> str:
        """Opens the stream where it broke; why the rest is lost, "" when nothing is."""
        self._whole.clear()
        try:
            connection, opened = await self._again(self._query)
        except SockerlessError as error:
            return f"{_BROKEN} and the rest of the output is lost: {error}"
        self._connection = connection
        if opened.position != self._query.position:
            return f"{_BROKEN}, and the agent no longer keeps the output that came then: docker logs has it"
        if not self._input.taken(opened.taken):
            return f"{_BROKEN}, and input was lost with it"
        try:
            for data in self._input.left():
                await connection.send_bytes(data)
            if self._input.end:
                await connection.send_str(self._input.end)
        except (ConnectionError, aiohttp.ClientError):
            return ""  # broken again, which the next receive tells
        self._whole.set()
        return ""


class _Input:
    """Input by its offset, from what the agent has for certain to what was sent. end: the frame that ended it."""

    def __init__(self) -> None:
        self.end = ""
        self._begin = 0
        self._left: deque[bytes] = deque()
        self._bytes = 0

    def add(self, data: bytes) -> None:
        """Sent, or about to be."""
        self._left.append(data)
        self._bytes += len(data)
        while self._bytes > RETAINED_BYTES:
            self._drop()

    def taken(self, count: int) -> bool:
        """The agent has this much; False when what comes next is forgotten."""
        while self._left and self._begin < count:
            self._drop()
        return self._begin == count

    def left(self) -> list[bytes]:
        """What the agent has not, as far as is known."""
        return list(self._left)

    def _drop(self) -> None:
        gone = self._left.popleft()
        self._begin += len(gone)
        self._bytes -= len(gone)
