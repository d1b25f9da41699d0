"""The agent's TLS WebSocket server: no token, no service.

Owns the listening socket, the check before the upgrade and the paths. Compression is off (it would cost the task's
processor), and pings are sent but never waited for: a client that reads slowly must not be taken for dead.
"""

from __future__ import annotations

import asyncio
import fcntl
import hmac
import logging
import socket
import ssl
import sys
import termios
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import MultipleValuesError
from websockets.http11 import Request, Response

from sockerless.agent.control import ControlConnections
from sockerless.agent.exec import Execs
from sockerless.agent.kept import serve_logs
from sockerless.agent.lifecycle import Lifecycle
from sockerless.agent.peers import Peers
from sockerless.agent.streams import Streams
from sockerless.agent.tunnel import serve_tunnel
from sockerless.wire import agent as protocol
from sockerless.wire.agent_output import KeptQuery, StreamQuery

STUCK_S = 25.0
"""How long those who follow output may take nothing of it at the end: longer than a network is held for a moment."""
WATCH_S = 0.5
CLOSE_S = 1.0
_Stand = tuple[int, dict[ServerConnection, int]]
_Serve = Callable[[ServerConnection], Coroutine[Any, Any, None]]


class AgentServer:
    """Serves a lifecycle to whoever has the token."""

    def __init__(self, lifecycle: Lifecycle, token: str, agent_version: str, logger: logging.Logger) -> None:
        self._lifecycle = lifecycle
        self._authorization = f"Bearer {token}".encode()
        self._execs = Execs(lifecycle)
        self._streams = Streams(lifecycle)
        self._controls = ControlConnections(lifecycle, self._execs, agent_version)
        self._logger = logger
        self._following: dict[ServerConnection, asyncio.Task[None]] = {}
        self._connections: set[ServerConnection] = set()
        self._peers = Peers()
        self._server: Server | None = None

    async def listen(self, tls: ssl.SSLContext, listening: socket.socket | None = None) -> None:
        """Listens on every address, or on the given socket."""
        self._server = await serve(
            self._handle,
            sock=listening or _listening_socket(protocol.PORT),
            ssl=tls,
            process_request=self._check,
            compression=None,
            server_header=None,
            max_size=protocol.MAX_FRAME_BYTES,
            max_queue=4,
            write_limit=512 * 1024,
            ping_interval=20,
            ping_timeout=None,
            close_timeout=None,
            logger=self._logger,
        )

    async def drain(self) -> None:
        """Lets everything reach those who follow output, gives up on those that take nothing, closes the rest."""
        self._lifecycle.end()
        await self._deliver()
        for connection in self._following:
            connection.transport.abort()
        await self._controls.close(CLOSE_S)
        if self._server is not None:
            self._server.close()
            await asyncio.wait([asyncio.create_task(self._server.wait_closed())], timeout=CLOSE_S)
        for connection in self._connections:
            connection.transport.abort()

    async def _deliver(self) -> None:
        """Returns once every follower has all, or none has taken anything, or come back, for STUCK_S."""
        loop = asyncio.get_running_loop()
        before, moved_at = self._stand(), loop.time()
        while (self._following or self._streams.expects_any()) and loop.time() - moved_at < STUCK_S:
            if self._following:
                await asyncio.wait(self._following.values(), timeout=WATCH_S)
            else:
                await asyncio.sleep(WATCH_S)
            now = self._stand()
            if _has_moved(before, now):
                moved_at = loop.time()
            before = now

    def _stand(self) -> _Stand:
        """How far those are who follow output."""
        return self._lifecycle.journal.reads, {one: _unsent_bytes(one) for one in self._following}

    def _check(self, connection: ServerConnection, request: Request) -> Response | None:
        try:
            given = request.headers.get("Authorization", "")
        except MultipleValuesError:
            given = ""
        if not hmac.compare_digest(given.encode(), self._authorization):
            return connection.respond(401, "Unauthorized\n")
        try:
            self._route(request.path)
        except KeyError:
            return connection.respond(404, "Not Found\n")
        except ValueError as error:
            return connection.respond(400, f"{error}\n")
        return None

    def _route(self, target: str) -> _Serve:
        """What serves a request target. KeyError for an unknown path, ValueError for a query that does not parse."""
        parts = urlsplit(target)
        match parts.path:
            case protocol.CONTROL:
                return self._controls.serve
            case protocol.STREAMS:
                streams = StreamQuery.from_query(parts.query)
                return lambda connection: self._streams.serve(connection, streams)
            case protocol.EXEC:
                return self._execs.serve
            case protocol.TUNNEL:
                return serve_tunnel
            case protocol.FILES:
                from sockerless.agent.files import serve_files  # what it imports would slow every container's start

                return lambda connection: serve_files(connection, self._lifecycle.born_ns)
            case protocol.LOGS:
                logs = KeptQuery.from_query(parts.query)
                return lambda connection: serve_logs(connection, logs, self._lifecycle)
        raise KeyError(parts.path)

    async def _handle(self, connection: ServerConnection) -> None:
        target = connection.request.path if connection.request else ""
        serving = asyncio.create_task(self._route(target)(connection))
        self._connections.add(connection)
        if urlsplit(target).path != protocol.CONTROL:
            self._following[connection] = serving
        self._peers.watch(connection.transport)
        try:
            await serving
        finally:
            serving.cancel()
            self._peers.forget(connection.transport)
            self._following.pop(connection, None)
            self._connections.discard(connection)


def _has_moved(before: _Stand, now: _Stand) -> bool:
    """Whether anybody has taken output, come or gone; our own pings, which add to what is unsent, are no progress."""
    (reads, unsent), (reads_now, unsent_now) = before, now
    return reads != reads_now or unsent.keys() != unsent_now.keys() or any(unsent_now[c] < unsent[c] for c in unsent)


def _unsent_bytes(connection: ServerConnection) -> int:
    """Bytes that the peer has not taken: in our buffers and in the kernel's."""
    connected = connection.transport.get_extra_info("socket")
    if connected is None or connected.fileno() < 0:  # closed meanwhile
        return 0
    queued = fcntl.ioctl(connected.fileno(), termios.TIOCOUTQ, bytes(4))
    return connection.transport.get_write_buffer_size() + int.from_bytes(queued, sys.byteorder)


def _listening_socket(port: int) -> socket.socket:
    """Listens for IPv4. Accepted connections inherit that small writes are not delayed, which asyncio sets only on
    sockets it made itself."""
    listening = socket.create_server(("0.0.0.0", port), backlog=128)  # noqa: S104 - the task's security group guards it
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening
