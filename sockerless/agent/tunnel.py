"""Tunnels: one TCP connection at a time from the daemon's machine to a port of the task.

Owns TUNNEL of wire/agent.py. The port is reached at the task's own address, as Docker's proxy reaches a container's:
a server that listens on 127.0.0.1 only stays private.
"""

from __future__ import annotations

import asyncio
import json
import socket

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from sockerless.wire.agent import STDIN_EOF

READ_BYTES = 256 * 1024
CONNECT_TIMEOUT_S = 10.0
_SOMEWHERE = ("192.0.2.1", 9)
"""An address of the documentation block (RFC 5737): routing tells which own address would reach it, nothing is sent."""


async def serve_tunnel(connection: ServerConnection) -> None:
    """Carries one TCP connection after the other, each until both of its directions have ended."""
    try:
        while await _serve_one(connection, await connection.recv()):
            pass
    except ConnectionClosed:
        return


async def _serve_one(connection: ServerConnection, opening: str | bytes) -> bool:
    """Connects to the port that is asked for and carries its bytes; whether the tunnel may carry another one."""
    try:
        port = int(json.loads(opening)["port"])
    except (ValueError, KeyError, TypeError) as error:
        await _refuse(connection, "invalid", f"not a tunnel request: {error}")
        return False
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            reader, writer = await asyncio.open_connection(own_address(), port, limit=READ_BYTES)
    except (OSError, TimeoutError, OverflowError) as error:
        await _refuse(connection, "failed", f"connect to port {port}: {error}")
        return True
    try:
        await connection.send('{"ok":{}}')
        return await _splice(connection, reader, writer)
    finally:
        writer.close()


def own_address() -> str:
    """The task's address on its network interface; the loopback address when it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_SOMEWHERE)
        except OSError:
            return "127.0.0.1"
        address: str = probe.getsockname()[0]
        return address


async def _refuse(connection: ServerConnection, kind: str, message: str) -> None:
    await connection.send(json.dumps({"error": {"kind": kind, "message": message}}))


async def _splice(connection: ServerConnection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Carries both directions; whether each came to its own end."""
    directions = [asyncio.create_task(_outward(connection, reader)), asyncio.create_task(_inward(connection, writer))]
    try:
        await asyncio.gather(*directions)
        return True
    except (OSError, ConnectionClosed):
        writer.transport.abort()
        return False
    finally:
        for direction in directions:
            direction.cancel()
        await asyncio.gather(*directions, return_exceptions=True)


async def _outward(connection: ServerConnection, reader: asyncio.StreamReader) -> None:
    while data := await reader.read(READ_BYTES):
        await connection.send(data)
    await connection.send(STDIN_EOF)


async def _inward(connection: ServerConnection, writer: asyncio.StreamWriter) -> None:
    async for frame in connection:
        if isinstance(frame, str):
            if writer.can_write_eof():
                writer.write_eof()
            return
        writer.write(frame)
        await writer.drain()
    raise ConnectionClosed(None, None)
