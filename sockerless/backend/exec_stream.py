"""The agent's stream of one exec, as its attachment sees it: output, then the end, which is in inspect by then.

Outlives its client: when that leaves, the agent is told to discard the output, and the stream is read on for the exit
code. A stream that breaks is told to the client in the stream itself, because its end alone would look like success.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any

import aiohttp

from sockerless.backend.agent_link import REPLY_TIMEOUT_S, AgentLink
from sockerless.errors import Conflict, InvalidParameter, Unavailable
from sockerless.wire import agent as wire
from sockerless.wire import agent_exec, stdcopy

BROKEN = "the connection to the container's agent broke while the exec ran; its process may go on, without a client"
Background = Callable[[Coroutine[Any, Any, None]], None]
_EXIT_CODES: dict[str, int] = {"not_found": 127, "permission": 126, "failed": 128}


class ExecRefused(InvalidParameter):
    """The agent could not start it; exit_code is what inspect shows, as the current Docker has it."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


async def open_exec(
    link: AgentLink, container_id: str, asked: agent_exec.Exec
) -> tuple[aiohttp.ClientWebSocketResponse, int]:
    """(the agent's stream, the process's pid), once it runs. ExecRefused, Conflict or Unavailable when it does not."""
    stream = await link.open(wire.EXEC, "")
    try:
        await stream.send_str(agent_exec.encode_exec(asked))
        message = await stream.receive(REPLY_TIMEOUT_S)
    except (OSError, aiohttp.ClientError, TimeoutError) as error:
        await stream.close()
        raise Unavailable(f"the container's agent went away: {error}") from error
    answer = agent_exec.decode(message.data) if message.type is aiohttp.WSMsgType.TEXT else None
    if isinstance(answer, agent_exec.Started):
        return stream, answer.pid
    await stream.close()
    if not isinstance(answer, agent_exec.Refused):
        raise Unavailable("the container's agent went away before it answered")
    if answer.kind == "conflict":
        raise Conflict(f"Container {container_id} is not running")
    raise ExecRefused(answer.message, _EXIT_CODES.get(answer.kind, 126))


class ExecStream:
    """Yields the agent's binary messages; forwards stdin.

    on_end, on_loss: told the exit code, or why the stream broke. background: keeps going what outlives the client.
    """

    def __init__(
        self,
        stream: aiohttp.ClientWebSocketResponse,
        on_end: Callable[[int], None],
        on_loss: Callable[[str], None],
        background: Background,
        *,
        raw: bool,
    ) -> None:
        self._stream = stream
        self._on_end = on_end
        self._on_loss = on_loss
        self._background = background
        self._raw = raw
        self._over = False
        self._turn = asyncio.Lock()

    @property
    def closed(self) -> bool:
        """Whether stdin can no longer be sent."""
        return self._over or self._stream.closed

    def __aiter__(self) -> ExecStream:
        return self

    async def __anext__(self) -> aiohttp.WSMessage:
        if self._over:
            raise StopAsyncIteration
        async with self._turn:
            message = await self._stream.receive()
        if message.type is aiohttp.WSMsgType.BINARY:
            return message
        self._over = True
        if message.type is aiohttp.WSMsgType.TEXT:
            answer = agent_exec.decode(message.data)
            if isinstance(answer, agent_exec.Ended):
                self._on_end(answer.code)
                raise StopAsyncIteration
        return self._lost()

    async def send_bytes(self, data: bytes) -> None:
        """Stdin."""
        await self._stream.send_bytes(data)

    async def send_str(self, text: str) -> None:
        """STDIN_EOF."""
        await self._stream.send_str(text)

    async def close(self) -> None:
        """The client has all, or has gone."""
        self._background(self._close() if self._over else self._read_on())

    async def abandon(self) -> None:
        """The daemon ends, and with it what it knows of the exec."""
        await self.close()

    async def _close(self) -> None:
        await self._stream.close()

    async def _read_on(self) -> None:
        with contextlib.suppress(ConnectionError, aiohttp.ClientError):
            await self._stream.send_str(wire.STDIN_EOF)
            await self._stream.send_str(agent_exec.DISCARD)
        async for _ in self:
            pass
        await self._stream.close()

    def _lost(self) -> aiohttp.WSMessage:
        """What the client reads last."""
        self._on_loss(BROKEN)
        return aiohttp.WSMessage(aiohttp.WSMsgType.BINARY, stdcopy.complaint(BROKEN, tty=self._raw), None)
