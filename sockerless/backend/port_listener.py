"""One published port: a listener on the daemon's machine whose connections end in the task, through its agent.

Owns the sockets and the bytes. Knows no container record: it is handed a function that opens a tunnel. A tunnel carries
one connection at a time and is kept for the next, and a spare one is opened in advance, so that a connection costs one
round trip to the agent and no TLS handshake.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import socket
from collections.abc import Awaitable, Callable

import aiohttp

from sockerless.errors import SockerlessError, Unavailable
from sockerless.wire.agent import STDIN_EOF

log = logging.getLogger(__name__)

READ_BYTES = 256 * 1024
BACKLOG = 128
ANSWER_TIMEOUT_S = 15.0
SPARE_ANSWER_TIMEOUT_S = 1.0
"""What a tunnel that stood idle is given: its peer may have gone since, and a fresh one costs little."""
MOST_IDLE = 8
"""How many tunnels are kept for the next connections of a port."""

Tunnel = aiohttp.ClientWebSocketResponse
OpenTunnel = Callable[[], Awaitable[Tunnel]]


def bind(host_ip: str, port: int) -> socket.socket:
    """A listening TCP socket; OSError when the address is taken or not ours."""
    family = socket.AF_INET6 if ":" in host_ip else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host_ip, port))
        listening.listen(BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening


class PortListener:
    """Serves one listening socket until close(). open_tunnel: a fresh, idle TUNNEL connection to the agent."""

    def __init__(self, listening: socket.socket, container_port: int, open_tunnel: OpenTunnel) -> None:
        self._listening = listening
        self._container_port = container_port
        self._open_tunnel = open_tunnel
        self._spare: asyncio.Task[Tunnel] | None = None
        self._idle: list[Tunnel] = []
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._closing: set[asyncio.Future[bool]] = set()

    @property
    def _serving(self) -> bool:
        return self._server is not None and self._server.is_serving()

    async def start(self) -> None:
        """Accepts from now on."""
        self._server = await asyncio.start_server(self._accept, sock=self._listening, limit=READ_BYTES)
        self._refill()

    async def close(self) -> None:
        """Stops listening and ends every connection."""
        if self._server is not None:
            self._server.close()
        if self._spare is not None:
            self._drop(self._spare)
        while self._idle:
            self._abandon(self._idle.pop())
        ending = list(self._connections)
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
        await asyncio.gather(*self._closing, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)
        try:
            tunnel = await self._connected()
        except (SockerlessError, OSError, aiohttp.ClientError, TimeoutError, ValueError) as error:
            log.info("no connection to port %d of the task: %s", self._container_port, error)
            writer.transport.abort()
            return
        except asyncio.CancelledError:
            writer.transport.abort()
            raise
        whole = False
        try:
            whole = await _splice(reader, writer, tunnel)
        finally:
            writer.close()
            if whole and self._serving and len(self._idle) < MOST_IDLE:
                self._idle.append(tunnel)
            else:
                await tunnel.close()

    async def _connected(self) -> Tunnel:
        """A tunnel to the port: a good one of those that stood idle, else the spare, else a fresh one."""
        while self._idle:
            if tunnel := await self._ask_idle(self._idle.pop()):
                return tunnel
        spare, self._spare = self._spare, None
        self._refill()
        if spare is not None:
            try:
                await asyncio.wait({spare})
            except asyncio.CancelledError:
                self._drop(spare)
                raise
            if _is_open(spare) and (tunnel := await self._ask_idle(spare.result())):
                return tunnel
        return await self._ask(await self._open_tunnel(), ANSWER_TIMEOUT_S)

    async def _ask_idle(self, tunnel: Tunnel) -> Tunnel | None:
        """The tunnel, connected to the port; None when it is no good any more."""
        with contextlib.suppress(OSError, aiohttp.ClientError, TimeoutError):
            return await self._ask(tunnel, SPARE_ANSWER_TIMEOUT_S)
        return None

    async def _ask(self, tunnel: Tunnel, timeout_s: float) -> Tunnel:
        try:
            await tunnel.send_str(json.dumps({"port": self._container_port}))
            answer = await tunnel.receive(timeout=timeout_s)
            if answer.type is not aiohttp.WSMsgType.TEXT:
                raise ConnectionError("the agent closed the tunnel")
            refusal = json.loads(answer.data).get("error")
            if refusal:
                raise Unavailable(str(refusal.get("message")))
        except BaseException:
            self._abandon(tunnel)
            raise
        return tunnel

    def _drop(self, spare: asyncio.Task[Tunnel]) -> None:
        """Ends a spare tunnel that nobody will use, open or still to come."""
        spare.cancel()
        spare.add_done_callback(lambda done: self._abandon(done.result()) if _is_open(done) else None)

    def _abandon(self, tunnel: Tunnel) -> None:
        """Closes a tunnel that came to nothing, without waiting for a peer that may be dead."""
        closing = asyncio.ensure_future(tunnel.close())
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)

    def _refill(self) -> None:
        if self._spare is None:
            self._spare = asyncio.ensure_future(self._open_tunnel())
            self._spare.add_done_callback(_retrieve)


def _is_open(spare: asyncio.Task[Tunnel]) -> bool:
    """Whether a spare tunnel that is no longer awaited can be used."""
    return not spare.cancelled() and spare.exception() is None and not spare.result().closed


def _retrieve(spare: asyncio.Task[Tunnel]) -> None:
    """A spare that could not be opened is no failure: the next connection opens its own and tells why it cannot."""
    if not spare.cancelled():
        spare.exception()


async def _splice(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, tunnel: Tunnel) -> bool:
    """Carries both directions; whether each came to its own end."""
    directions = [asyncio.create_task(_inward(reader, tunnel)), asyncio.create_task(_outward(writer, tunnel))]
    try:
        await asyncio.gather(*directions)
        return True
    except (OSError, aiohttp.ClientError):
        writer.transport.abort()
        return False
    finally:
        for direction in directions:
            direction.cancel()
        await asyncio.gather(*directions, return_exceptions=True)


async def _inward(reader: asyncio.StreamReader, tunnel: Tunnel) -> None:
    while data := await reader.read(READ_BYTES):
        await tunnel.send_bytes(data)
    await tunnel.send_str(STDIN_EOF)


async def _outward(writer: asyncio.StreamWriter, tunnel: Tunnel) -> None:
    async for message in tunnel:
        if message.type is aiohttp.WSMsgType.TEXT:
            if writer.can_write_eof():
                writer.write_eof()
            return
        if message.type is not aiohttp.WSMsgType.BINARY:
            break
        writer.write(message.data)
        await writer.drain()
    raise ConnectionError("the agent closed the tunnel")
