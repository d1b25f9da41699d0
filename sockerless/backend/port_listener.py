"""One published port: a listener on the daemon's machine whose connections end in the task, through its agent.

Owns the sockets and the bytes. Knows no container record: it is handed a function that opens a tunnel. A spare tunnel
is kept open, so that a connection costs one round trip to the agent and no TLS handshake.
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
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Accepts from now on."""
        self._server = await asyncio.start_server(self._accept, sock=self._listening, limit=READ_BYTES)
        self._refill()

    async def close(self) -> None:
        """Stops listening and ends every connection."""
        if self._server is not None:
            self._server.close()
        ending = [*self._connections, *([self._spare] if self._spare else [])]
        for task in ending:
            task.cancel()
        for done in await asyncio.gather(*ending, return_exceptions=True):
            if isinstance(done, aiohttp.ClientWebSocketResponse):
                await done.close()

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
        try:
            await _splice(reader, writer, tunnel)
        finally:
            writer.close()
            await tunnel.close()

    async def _connected(self) -> Tunnel:
        """A tunnel to the port; through the spare one when it is still good."""
        spare, self._spare = self._spare, None
        self._refill()
        if spare is not None:
            with contextlib.suppress(SockerlessError, OSError, aiohttp.ClientError, asyncio.CancelledError):
                if not (kept := await spare).closed:
                    return await self._ask(kept)
        return await self._ask(await self._open_tunnel())

    async def _ask(self, tunnel: Tunnel) -> Tunnel:
        await tunnel.send_str(json.dumps({"port": self._container_port}))
        answer = await tunnel.receive(timeout=ANSWER_TIMEOUT_S)
        if answer.type is not aiohttp.WSMsgType.TEXT:
            raise ConnectionError("the agent closed the tunnel")
        refusal = json.loads(answer.data).get("error")
        if refusal:
            await tunnel.close()
            raise Unavailable(str(refusal.get("message")))
        return tunnel

    def _refill(self) -> None:
        if self._spare is None:
            self._spare = asyncio.ensure_future(self._open_tunnel())
            self._spare.add_done_callback(_retrieve)


def _retrieve(spare: asyncio.Task[Tunnel]) -> None:
    """A spare that could not be opened is no failure: the next connection opens its own and tells why it cannot."""
    if not spare.cancelled():
        spare.exception()


async def _splice(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, tunnel: Tunnel) -> None:
    directions = [asyncio.create_task(_inward(reader, tunnel)), asyncio.create_task(_outward(writer, tunnel))]
    try:
        await asyncio.gather(*directions)
    except (OSError, aiohttp.ClientError):
        writer.transport.abort()
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
