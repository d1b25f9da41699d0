"""Listening: unix sockets and TCP, and the daemon's end. Knows no path of the API.

Laws: a socket that somebody answers on is not taken; an address that others can reach is not opened without TLS.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import os
import socket
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from sockerless.api.app import make_app
from sockerless.api.connection import Connection
from sockerless.backend.context import Backend
from sockerless.errors import Conflict, InvalidParameter

log = logging.getLogger(__name__)

DEFAULT_TCP_PORT = 2375
SHUTDOWN_S = 10.0
"""How long requests under way may take to end when the daemon stops; waits and streams end at once."""
_SOCKET_MODE = 0o660
_BACKLOG = 128
_LONGEST_SOCKET_PATH = 107


async def serve(
    backend: Backend, hosts: Sequence[str], stopped: asyncio.Event, listening: asyncio.Event | None = None
) -> None:
    """Serves the API on hosts until stopped is set; sets listening once all of them answer.

    hosts: "unix:///path" or "tcp://127.0.0.1:2375". InvalidParameter for an address that is malformed or would be
    open to others; Conflict when another process answers there.
    """
    await serve_app(make_app(backend), hosts, stopped, listening)


async def serve_app(
    app: web.Application, hosts: Sequence[str], stopped: asyncio.Event, listening: asyncio.Event | None = None
) -> None:
    """serve() for a ready application."""
    connections: set[Connection] = set()
    runner = web.AppRunner(app, handle_signals=False, shutdown_timeout=SHUTDOWN_S)
    async with contextlib.AsyncExitStack() as ending:
        await runner.setup()
        ending.push_async_callback(runner.cleanup)
        ending.callback(_end, connections)
        for host in hosts:
            bound = await asyncio.to_thread(_bind, host)
            ending.callback(_remove, bound.family, bound.getsockname())
            await _listen(runner, bound, connections, ending)
            log.info("API listening on %s", host)
        if listening is not None:
            listening.set()
        await stopped.wait()


async def _listen(
    runner: web.AppRunner, bound: socket.socket, connections: set[Connection], ending: contextlib.AsyncExitStack
) -> None:
    server = runner.server
    if server is None:
        raise AssertionError("the runner was not set up")
    loop = asyncio.get_running_loop()

    def connection() -> Connection:
        return Connection(server, connections)

    if bound.family == socket.AF_UNIX:
        listener = await loop.create_unix_server(connection, sock=bound, backlog=_BACKLOG)
    else:
        listener = await loop.create_server(connection, sock=bound, backlog=_BACKLOG)
    ending.callback(listener.close)


def _end(connections: set[Connection]) -> None:
    for connection in tuple(connections):
        connection.end()


def _bind(host: str) -> socket.socket:
    scheme, separator, address = host.partition("://")
    if separator and scheme == "unix":
        return _bind_unix(Path(address))
    if separator and scheme == "tcp":
        return _bind_tcp(host)
    raise InvalidParameter(f"{host}: expected unix:///path/to/socket or tcp://127.0.0.1:{DEFAULT_TCP_PORT}")


def _bind_unix(path: Path) -> socket.socket:
    if not path.is_absolute():
        raise InvalidParameter(f"unix://{path}: the path of the socket must be absolute, as in unix:///run/x.sock")
    if len(os.fsencode(path)) > _LONGEST_SOCKET_PATH:
        raise InvalidParameter(
            f"unix://{path}: the path of a socket can have {_LONGEST_SOCKET_PATH} bytes; choose a shorter one"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_stale(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    previous = os.umask(0o777 & ~_SOCKET_MODE)
    try:
        listener.bind(str(path))
    except BaseException:
        listener.close()
        raise
    finally:
        os.umask(previous)
    return listener


def _remove_stale(path: Path) -> None:
    """Removes a socket that nobody answers on; Conflict when somebody does."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise InvalidParameter(f"unix://{path}: there is something else than a socket; choose another path")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            path.unlink(missing_ok=True)
            return
    raise Conflict(f"unix://{path}: another daemon answers there; stop it, or choose another --host")


def _bind_tcp(host: str) -> socket.socket:
    address, port = _tcp_address(host)
    found = socket.getaddrinfo(address or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    if not all(ipaddress.ip_address(entry[4][0]).is_loopback for entry in found):
        raise InvalidParameter(
            f"{host}: anyone who reaches this address could run containers at your cost, because it would be served "
            f"without TLS. Listen on tcp://127.0.0.1:{port} or on a unix socket, and reach it from elsewhere by ssh "
            "(DOCKER_HOST=ssh://user@host)"
        )
    family, kind, protocol, _, sockaddr = found[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(sockaddr)
    except OSError as error:
        listener.close()
        raise Conflict(f"{host}: cannot listen there: {error.strerror}; stop what does, or choose another") from error
    return listener


def _tcp_address(host: str) -> tuple[str, int]:
    parts = urlsplit(host)
    try:
        port = parts.port
    except ValueError:
        raise InvalidParameter(f"{host}: the port must be a number from 1 to 65535") from None
    if parts.path not in {"", "/"} or parts.query or parts.username:
        raise InvalidParameter(f"{host}: expected tcp://HOST:PORT and nothing else")
    return parts.hostname or "", DEFAULT_TCP_PORT if port is None else port


def _remove(family: int, address: Any) -> None:
    if family == socket.AF_UNIX:
        Path(address).unlink(missing_ok=True)
