"""One file operation of a container's agent, on a stream of its own.

Owns the daemon's side of wire/agent_files.py. Law: a stream that closes without the agent's last word is a failure.
Knows no container record; what a missing path is called to a client is the caller's to say.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

import aiohttp

from sockerless.backend.agent_link import REPLY_TIMEOUT_S, AgentLink
from sockerless.errors import (
    Conflict,
    Forbidden,
    InvalidParameter,
    SockerlessError,
    SystemFailure,
    Unavailable,
)
from sockerless.wire import agent as wire
from sockerless.wire import agent_files
from sockerless.wire.agent_files import Done, FilesRequest, Ok, PathStat, Refused
from sockerless.wire.paths import NoSuchPath

FRAME_BYTES = 1024 * 1024
_ERRORS: dict[str, type[SockerlessError]] = {
    "not_found": NoSuchPath,
    "permission": Forbidden,
    "invalid": InvalidParameter,
    "conflict": Conflict,
}
_BROKEN = (OSError, aiohttp.ClientError)


class FilesStream:
    """An operation that has begun. stat: of its path, where the operation tells it. Always close()."""

    def __init__(self, stream: aiohttp.ClientWebSocketResponse, stat: PathStat | None) -> None:
        self.stat = stat
        self._stream = stream

    async def pieces(self) -> AsyncGenerator[bytes]:
        """What the agent sends, to its end. Its reason, or Unavailable when the connection breaks."""
        while True:
            message = await self._stream.receive()
            if message.type is not aiohttp.WSMsgType.BINARY:
                _require_done(message)
                return
            yield message.data

    async def unpack(self, content: AsyncIterator[bytes]) -> None:
        """Sends an archive; returns once all of it is unpacked. The agent's reason as soon as it refuses."""
        sending = asyncio.create_task(self._send(content))
        answering = asyncio.create_task(self._stream.receive())
        try:
            await asyncio.wait({sending, answering}, return_when=asyncio.FIRST_COMPLETED)
            if not answering.done():
                await sending
            _require_done(await answering)
        except _BROKEN as error:
            if answering.done() and not answering.cancelled():
                _require_done(answering.result())
            raise _gone(str(error)) from error
        finally:
            sending.cancel()
            answering.cancel()
            await asyncio.gather(sending, answering, return_exceptions=True)

    async def close(self) -> None:
        """Ends the stream; the agent stops an operation that is not done."""
        await self._stream.close()

    async def _send(self, content: AsyncIterator[bytes]) -> None:
        """Sends each piece while the next one comes."""
        pieces = gathered(content)
        coming = asyncio.create_task(anext(pieces, b""))
        try:
            while piece := await coming:
                coming = asyncio.create_task(anext(pieces, b""))
                await self._stream.send_bytes(piece)
        finally:
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)
        await self._stream.send_str(wire.STDIN_EOF)


async def open_files(link: AgentLink, request: FilesRequest) -> FilesStream:
    """The operation, once the agent has begun it; its reason when it refuses, Unavailable when it cannot be asked."""
    stream = await link.open(wire.FILES, "")
    try:
        await stream.send_str(agent_files.encode_request(request))
        message = await stream.receive(REPLY_TIMEOUT_S)
        answer = agent_files.decode(message.data) if message.type is aiohttp.WSMsgType.TEXT else None
        if isinstance(answer, Ok):
            return FilesStream(stream, answer.stat)
        _require_done(message)
        raise SystemFailure("the agent ended an operation on files that it had not begun")
    except BaseException as error:
        await stream.close()
        if isinstance(error, (*_BROKEN, TimeoutError)):
            raise _gone(str(error)) from error
        raise


async def gathered(content: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    """The same bytes in pieces of about FRAME_BYTES."""
    parts: list[bytes] = []
    waiting_bytes = 0
    async for part in content:
        parts.append(part)
        waiting_bytes += len(part)
        if waiting_bytes >= FRAME_BYTES:
            yield b"".join(parts)
            parts.clear()
            waiting_bytes = 0
    if parts:
        yield b"".join(parts)


def _require_done(message: aiohttp.WSMessage) -> None:
    answer = agent_files.decode(message.data) if message.type is aiohttp.WSMsgType.TEXT else None
    if isinstance(answer, Refused):
        raise _ERRORS.get(answer.kind, SystemFailure)(answer.message)
    if not isinstance(answer, Done):
        raise _gone("the connection was closed")


def _gone(reason: str) -> Unavailable:
    return Unavailable(f"the connection to the container's agent broke before all files were copied: {reason}")
