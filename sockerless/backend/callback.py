"""Reverse dialling, the daemon's side: which agents may call, which have, and the pipes asked of them.

Owns wire/callback.py here, but for the listener (api/agents.py) and what passes through a pipe (agent_link.py). Laws:
an agent shows the credential made from its own token, compared in constant time; one call for one agent, where a new
one replaces an old one only if that no longer answers; a pipe that nobody asked for is not opened.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import secrets
import socket
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from sockerless.backend.peers import Peers
from sockerless.config import Config
from sockerless.errors import InvalidParameter
from sockerless.types import AgentCredentials
from sockerless.wire import callback as wire

PROBE_TIMEOUT_S = 3.0
"""How long an agent that called before is given to answer, when another calls with the same id."""
_HOST_SUFFIX = ".agent"
_NOBODY = "0" * 64


def listen_address(config: Config) -> tuple[str, int]:
    """Where agents are listened for. InvalidParameter where it cannot follow from SOCKERLESS_CALLBACK_URL."""
    if config.callback_listen is not None:
        return config.callback_listen
    url = urlsplit(config.callback_url)
    if url.scheme in {"https", "wss"}:
        raise InvalidParameter(
            f"SOCKERLESS_CALLBACK_URL is {url.scheme}: the proxy that speaks TLS there needs an address behind it; "
            "set SOCKERLESS_CALLBACK_LISTEN to the HOST:PORT that it forwards to"
        )
    return "0.0.0.0", url.port or 80  # noqa: S104 - agents come from the tasks' network


def host_of(agent_id: str) -> str:
    """The host name in an agent's URLs when it is reached through a pipe."""
    return agent_id + _HOST_SUFFIX


def agent_of(host: str) -> str | None:
    """The agent that such a host names; None for an address to be dialled."""
    return host.removesuffix(_HOST_SUFFIX) if host.endswith(_HOST_SUFFIX) else None


@dataclass(eq=False)
class Call:
    """One agent's call. send: set once it is connected. over: set when it is to end."""

    send: Callable[[str], Awaitable[None]] | None = None
    over: asyncio.Event = field(default_factory=asyncio.Event)
    _answered: asyncio.Event = field(default_factory=asyncio.Event)

    def heard(self, text: str) -> None:
        """A text frame from the agent."""
        if text == wire.CALL_ALIVE:
            self._answered.set()

    async def answers(self) -> bool:
        """Whether the agent is still at the other end; one that is only about to connect is."""
        if self.send is None:
            return True
        self._answered.clear()
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_S):
                await self.send(wire.CALL_PROBE)
                await self._answered.wait()
        except (OSError, TimeoutError):
            return False
        return True


@dataclass(eq=False)
class _Asked:
    """A pipe that an agent was asked for, on its call. far: the socket to join with it."""

    agent_id: str
    call: Call
    far: socket.socket
    opened: asyncio.Future[None]
    joined: bool = False


class Callbacks:
    """Every agent that may call, by its id. peers: gives up connections with agents that vanished."""

    def __init__(self) -> None:
        self.peers = Peers()
        self._pipes: dict[str, set[asyncio.Event]] = {}
        self._credentials: dict[str, str] = {}
        self._calls: dict[str, Call] = {}
        self._left: set[str] = set()
        self._asked: dict[str, _Asked] = {}
        self._changed = asyncio.Condition()

    def expect(self, credentials: AgentCredentials) -> None:
        """From now on this agent may call."""
        shown = wire.credential(credentials.token, credentials.agent_id)
        self._credentials[credentials.agent_id] = shown

    def forget(self, agent_id: str) -> None:
        """This agent may call no longer; its call ends, and so do its pipes."""
        self._credentials.pop(agent_id, None)
        self._left.discard(agent_id)
        if agent_id in self._calls:
            self._calls[agent_id].over.set()
        for over in self._pipes.get(agent_id, ()):
            over.set()

    @contextlib.contextmanager
    def carrying(self, agent_id: str) -> Iterator[asyncio.Event]:
        """While one of this agent's pipes is open; yields what is set when it is to end."""
        over = asyncio.Event()
        pipes = self._pipes.setdefault(agent_id, set())
        pipes.add(over)
        try:
            yield over
        finally:
            pipes.discard(over)
            if not pipes:
                self._pipes.pop(agent_id, None)

    def admits(self, agent_id: str, authorization: str) -> bool:
        """Whether an Authorization header is this agent's; equally slow for agents that nobody expects."""
        expected = self._credentials.get(agent_id)
        given = authorization.encode(errors="surrogateescape")
        shown = hmac.compare_digest(given, f"Bearer {expected or _NOBODY}".encode())
        return shown and expected is not None

    async def begin(self, agent_id: str) -> Call | None:
        """The place of an admitted agent's new call; None while an earlier one of the same id still answers."""
        before = self._calls.get(agent_id)
        if before is not None:
            if await before.answers():
                return None
            before.over.set()
            if self._calls.get(agent_id) is not before:
                return None  # a third one was quicker
        call = self._calls[agent_id] = Call()
        return call

    async def connected(self, agent_id: str, call: Call, send: Callable[[str], Awaitable[None]]) -> None:
        """The call stands: pipes can be asked for with send."""
        call.send = send
        self._left.discard(agent_id)
        await self._notify()

    async def ended(self, agent_id: str, call: Call, *, left: bool) -> None:
        """The call is over. left: the agent said that it goes."""
        if self._calls.get(agent_id) is call:
            del self._calls[agent_id]
            if left and agent_id in self._credentials:
                self._left.add(agent_id)
        for asked in self._asked.values():
            if asked.call is call and not asked.opened.done():
                asked.opened.set_exception(ConnectionResetError("the agent's call broke"))
        await self._notify()

    def take(self, agent_id: str, pipe_id: str) -> socket.socket | None:
        """What to join with a pipe that this agent opens; None when nobody asked it for that one."""
        asked = self._asked.get(pipe_id)
        if asked is None or asked.agent_id != agent_id or asked.opened.done():
            return None
        asked.joined = True
        asked.opened.set_result(None)
        return asked.far

    async def pipe(self, agent_id: str) -> socket.socket:
        """A new connection to the agent's server, once the agent has called and opened it; bounded by the caller.

        ConnectionError when the agent has left, or its call breaks.
        """
        call, send = await self._connected_call(agent_id)
        near, far = socket.socketpair()
        pipe_id = secrets.token_hex(16)
        asked = self._asked[pipe_id] = _Asked(agent_id, call, far, asyncio.get_running_loop().create_future())
        near.setblocking(False)
        far.setblocking(False)
        try:
            await send(wire.ask_for_pipe(pipe_id))
            await asked.opened
        except BaseException:
            near.close()
            if not asked.joined:
                far.close()
            raise
        finally:
            del self._asked[pipe_id]
        return near

    async def _connected_call(self, agent_id: str) -> tuple[Call, Callable[[str], Awaitable[None]]]:
        async with self._changed:
            while True:
                call = self._calls.get(agent_id)
                if call is not None and call.send is not None:
                    return call, call.send
                if agent_id in self._left:
                    raise ConnectionRefusedError("the agent has left")
                await self._changed.wait()

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()
