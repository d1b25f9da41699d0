"""The daemon's end of one agent: the control connection and the streams it dials.

Owns dialling, pinning and the request/reply pairing of wire/agent.py. Knows no container record and no AWS.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import socket
import weakref
from collections.abc import Callable
from typing import Any

import aiohttp

from sockerless.backend import credentials as agent_credentials
from sockerless.backend.agent_connector import AgentConnector
from sockerless.backend.callback import Callbacks
from sockerless.errors import Conflict, InvalidParameter, SystemFailure, Unavailable
from sockerless.types import AgentCredentials
from sockerless.wire import agent as wire
from sockerless.wire.agent_health import HealthReport

log = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 5.0
REPLY_TIMEOUT_S = 60.0
HEARTBEAT_S = 60.0
"""How often the control connection is pinged; aiohttp waits half of it for the pong, so a network that is held for 20 s
ends nothing, and an agent that vanished is known after LOST_S of wire/tcp_info.py."""


class StartRefused(InvalidParameter):
    """The agent could not start the program; exit_code is Docker's 126 or 127 (or 125 for anything else)."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


_START_CODES: dict[str, int] = {"not_found": 127, "permission": 126}


def new_session(callbacks: Callbacks) -> aiohttp.ClientSession:
    """The HTTP session that reaches agents, dialled or over the pipes of those that call: no limit, no cookies."""
    return aiohttp.ClientSession(
        connector=AgentConnector(callbacks),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S),
    )


class AgentLink:
    """One agent, at an address or a host of callback.py. connect() first; then request() and open().

    hello: what the agent said of itself when it was connected.
    """

    def __init__(self, session: aiohttp.ClientSession, address: str, credentials: AgentCredentials) -> None:
        self._session = session
        self._base = f"wss://{address}:{wire.PORT}"
        self._headers = {"Authorization": f"Bearer {credentials.token}"}
        self._pin = aiohttp.Fingerprint(agent_credentials.fingerprint(credentials))
        self._control: aiohttp.ClientWebSocketResponse | None = None
        self.hello: wire.Hello | None = None
        self._ids = itertools.count(1)
        self._replies: dict[int, asyncio.Future[wire.Reply]] = {}
        self._resumable: weakref.WeakSet[aiohttp.ClientWebSocketResponse] = weakref.WeakSet()

    async def connect(self) -> wire.Hello:
        """Opens the control connection. OSError or aiohttp.ClientError when nobody (or not our agent) answers.

        SystemFailure when what answers speaks otherwise than wire/agent.py.
        """
        self._control = await self._dial(wire.CONTROL, heartbeat=HEARTBEAT_S)
        message = _decoded(await self._control.receive_str(timeout=CONNECT_TIMEOUT_S))
        if not isinstance(message, wire.Hello):
            raise SystemFailure("the agent's first message is not its hello")
        self.hello = message
        return message

    @property
    def closed(self) -> bool:
        """Whether no request can be made over it any more."""
        return self._control is None or self._control.closed

    async def open(self, path: str, query: str) -> aiohttp.ClientWebSocketResponse:
        """A stream of its own, whatever became of the control connection; Unavailable when the agent is not reached."""
        try:
            stream = await self._dial(f"{path}?{query}", heartbeat=None)
        except (OSError, aiohttp.ClientError, TimeoutError) as error:
            raise Unavailable(f"the container's agent cannot be reached: {error}") from error
        if path in {wire.STREAMS, wire.LOGS}:
            self._resumable.add(stream)
        return stream

    def retire(self) -> None:
        """Another link has taken this one's place: what can be resumed is, since it may hang where this one broke."""
        for stream in list(self._resumable):
            connected = stream.get_extra_info("socket")
            if connected is not None and connected.fileno() >= 0:
                with contextlib.suppress(OSError):  # the peer has closed it already
                    connected.shutdown(socket.SHUT_RDWR)

    async def request(self, op: Any, **arguments: Any) -> dict[str, Any]:
        """One control request's result; StartRefused, Conflict or SystemFailure as the agent answers."""
        if self._control is None or self.closed:
            raise Unavailable("the container's agent is not connected")
        number = next(self._ids)
        reply: asyncio.Future[wire.Reply] = asyncio.get_running_loop().create_future()
        self._replies[number] = reply
        try:
            await self._control.send_str(wire.encode(wire.Request(number, op, arguments)))
            answer = await asyncio.wait_for(reply, REPLY_TIMEOUT_S)
        except (OSError, aiohttp.ClientError) as error:
            raise Unavailable(f"the container's agent went away: {error}") from error
        finally:
            self._replies.pop(number, None)
        return _result(op, answer)

    async def listen(self, on_news: Callable[[wire.Exited | HealthReport], None]) -> None:
        """Reads the control connection until it closes; every reply and news is delivered before this returns."""
        if self._control is None:
            raise SystemFailure("listen() before connect()")
        try:
            async for message in self._control:
                if message.type is not aiohttp.WSMsgType.TEXT:
                    break
                decoded = _decoded(message.data)
                if isinstance(decoded, wire.Exited | HealthReport):
                    on_news(decoded)
                elif isinstance(decoded, wire.Reply) and decoded.id in self._replies:
                    future = self._replies[decoded.id]
                    if not future.done():
                        future.set_result(decoded)
        finally:
            for future in self._replies.values():
                if not future.done():
                    future.set_exception(Unavailable("the container's agent went away"))
            await self._control.close()

    async def close(self) -> None:
        """Closes the control connection; the agent and its process go on."""
        if self._control is not None:
            await self._control.close()

    async def _dial(self, path: str, heartbeat: float | None) -> aiohttp.ClientWebSocketResponse:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            return await self._session.ws_connect(
                self._base + path, headers=self._headers, ssl=self._pin, max_msg_size=0, heartbeat=heartbeat, compress=0
            )


def _decoded(text: str) -> wire.Message:
    try:
        return wire.decode(text)
    except ValueError as error:
        raise SystemFailure(f"the agent does not speak this daemon's language: {error}") from error


def _result(op: str, reply: wire.Reply) -> dict[str, Any]:
    if reply.error_kind is None:
        return reply.result
    if reply.error_kind == "conflict":
        raise Conflict(reply.message)
    if op == "start":
        raise StartRefused(reply.message, _START_CODES.get(reply.error_kind, 125))
    if reply.error_kind == "invalid":
        raise InvalidParameter(reply.message)
    raise SystemFailure(reply.message)
