"""The listener that agents call in reverse mode, apart from the Docker API: calls, pipes, and 401 for anybody else.

Owns HTTP and WebSocket of wire/callback.py; who may call and what a pipe is joined with is backend/callback.py's.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator

import aiohttp
from aiohttp import web

from sockerless.backend.callback import Call, Callbacks, listen_address
from sockerless.backend.context import Backend
from sockerless.errors import Conflict
from sockerless.wire.callback import parse_path

log = logging.getLogger(__name__)

SILENCE_S = 30.0
"""Agents ping every few seconds: a call without a word for this long is over."""
CLOSE_S = 2.0
END_S = 0.1
"""What calls and pipes are given at the daemon's end; the agents call again."""
READ_BYTES = 256 * 1024
MAX_CALL_FRAME_BYTES = 4096
_ENDS = {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSING, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR}


@contextlib.asynccontextmanager
async def listening(backend: Backend) -> AsyncIterator[None]:
    """Listens for agents while the context lasts; does nothing in forward mode. Conflict when the port is taken."""
    if not backend.config.callback_url:
        yield
        return
    host, port = listen_address(backend.config)
    server = web.Server(lambda request: serve(request, backend.callbacks), access_log=None)
    try:
        listener = await asyncio.get_running_loop().create_server(server, host, port, backlog=1024)
    except OSError as error:
        raise Conflict(f"cannot listen for agents on {host}:{port} (SOCKERLESS_CALLBACK_LISTEN): {error}") from error
    log.info("listening for agents on %s:%d", host, port)
    try:
        yield
    finally:
        listener.close()
        await server.shutdown(END_S)


async def serve(request: web.BaseRequest, callbacks: Callbacks) -> web.StreamResponse:
    """One request of whoever found the port."""
    called = parse_path(request.path)
    given = request.headers.getall("Authorization", [])
    if called is None or not callbacks.admits(called.agent_id, given[0] if len(given) == 1 else ""):
        return _refused(401)
    if not web.WebSocketResponse().can_prepare(request):
        return _refused(426)
    callbacks.peers.watch(request.transport)
    if called.pipe_id is not None:
        far = callbacks.take(called.agent_id, called.pipe_id)
        if far is None:
            return _refused(404)
        with callbacks.carrying(called.agent_id) as over:
            return await _pipe(request, far, over)
    call = await callbacks.begin(called.agent_id)
    return _refused(409) if call is None else await _call(request, callbacks, called.agent_id, call)


def _refused(status: int) -> web.Response:
    refused = web.Response(status=status, headers={"Server": ""})
    refused.force_close()
    return refused


async def _call(request: web.BaseRequest, callbacks: Callbacks, agent_id: str, call: Call) -> web.StreamResponse:
    connection = web.WebSocketResponse(
        autoping=False, timeout=CLOSE_S, compress=False, max_msg_size=MAX_CALL_FRAME_BYTES
    )
    left = False
    try:
        await connection.prepare(request)
        await callbacks.connected(agent_id, call, connection.send_str)
        hearing = asyncio.create_task(_hear(connection, call))
        over = asyncio.create_task(call.over.wait())
        await asyncio.wait({hearing, over}, return_when=asyncio.FIRST_COMPLETED)
        left = hearing.done() and hearing.result()
        for task in (hearing, over):
            task.cancel()
        await asyncio.gather(hearing, over, return_exceptions=True)
    finally:
        await callbacks.ended(agent_id, call, left=left)
    await connection.close()
    return connection


async def _hear(connection: web.WebSocketResponse, call: Call) -> bool:
    """Listens until the call is over; True when the agent said so itself."""
    try:
        while True:
            message = await connection.receive(timeout=SILENCE_S)
            if message.type is aiohttp.WSMsgType.TEXT:
                call.heard(message.data)
            elif message.type is aiohttp.WSMsgType.PING:
                await connection.pong(message.data)
            elif message.type in _ENDS:
                return message.type is aiohttp.WSMsgType.CLOSE
    except (OSError, TimeoutError):
        return False


async def _pipe(request: web.BaseRequest, far: socket.socket, over: asyncio.Event) -> web.StreamResponse:
    """Joins a pipe with the socket whose other end the daemon's client holds, until it is over."""
    connection = web.WebSocketResponse(timeout=CLOSE_S, compress=False, max_msg_size=0)
    with far:
        await connection.prepare(request)
        inwards = asyncio.create_task(_inwards(connection, far))
        outwards = asyncio.create_task(_outwards(far, connection))
        ended = asyncio.create_task(_set(over))
        try:
            await asyncio.wait({inwards, outwards, ended}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (inwards, outwards, ended):
                task.cancel()
            await asyncio.gather(inwards, outwards, ended, return_exceptions=True)
    await connection.close()
    return connection


async def _set(over: asyncio.Event) -> None:
    await over.wait()


async def _inwards(connection: web.WebSocketResponse, far: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    with contextlib.suppress(OSError):
        async for message in connection:
            if message.type is not aiohttp.WSMsgType.BINARY:
                return
            await loop.sock_sendall(far, message.data)


async def _outwards(far: socket.socket, connection: web.WebSocketResponse) -> None:
    loop = asyncio.get_running_loop()
    with contextlib.suppress(OSError):
        while data := await loop.sock_recv(far, READ_BYTES):
            await connection.send_bytes(data)
