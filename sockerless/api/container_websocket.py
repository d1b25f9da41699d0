"""Attach by WebSocket: one binary message a piece of output, whatever stream it is of; every message is input.

A refusal is answered in HTTP, before the upgrade. Source: Engine API 1.44, GET /containers/{id}/attach/ws; moby's
container router, which never multiplexes here.
"""

from __future__ import annotations

import asyncio

from aiohttp import WSCloseCode, WSMsgType, web

from sockerless.api.call import Call
from sockerless.api.container_streams import leave
from sockerless.api.verbs import Attachment, AttachRequest
from sockerless.errors import InvalidParameter
from sockerless.wire import stdcopy

_CHOICE_SINCE = (1, 42)
"""The API version from which a client says which streams it wants; older ones get all of them."""


async def attach(call: Call) -> web.StreamResponse:
    """GET /containers/{name}/attach/ws."""
    socket = web.WebSocketResponse(compress=False)
    if not socket.can_prepare(call.request).ok:
        raise InvalidParameter("not a WebSocket handshake: send Upgrade: websocket, or use POST .../attach")
    everything = call.version < _CHOICE_SINCE
    asked = AttachRequest(
        stdin=everything or call.flag("stdin"),
        stdout=everything or call.flag("stdout"),
        stderr=everything or call.flag("stderr"),
        stream=call.flag("stream"),
        logs=call.flag("logs"),
        detach_keys=call.text("detachKeys"),
    )
    attachment = await call.verbs.attach(call.name, asked)
    try:
        await socket.prepare(call.request)
        await call.connection.outlast(asyncio.create_task(_carry(socket, attachment)))
    finally:
        await leave(call, attachment)
    return socket


async def _carry(socket: web.WebSocketResponse, attachment: Attachment) -> None:
    """Carries both ways until the output ends, with 1000, or the client is gone."""
    output = asyncio.create_task(_carry_output(socket, attachment))
    stdin = asyncio.create_task(_carry_stdin(socket, attachment))
    try:
        await asyncio.wait({output, stdin}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (output, stdin):
            task.cancel()
        results = await asyncio.gather(output, stdin, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception) and not isinstance(result, ConnectionError):
            raise result
    if not socket.closed:
        failure = next((result for result in results if isinstance(result, str)), "")
        code = WSCloseCode.INTERNAL_ERROR if failure else WSCloseCode.OK
        await socket.close(code=code, message=failure.encode()[:123])


async def _carry_output(socket: web.WebSocketResponse, attachment: Attachment) -> str:
    """Sends everything; returns what went wrong, "" when nothing did."""
    frames = stdcopy.Decoder()
    while data := await attachment.read():
        if attachment.tty:
            await socket.send_bytes(data)
            continue
        for stream, payload in frames.feed(data):
            if stream == stdcopy.SYSTEM_ERROR:
                return payload.decode(errors="replace")
            await socket.send_bytes(payload)
    return ""


async def _carry_stdin(socket: web.WebSocketResponse, attachment: Attachment) -> None:
    async for message in socket:
        if message.type is WSMsgType.BINARY:
            await attachment.write(message.data)
        elif message.type is WSMsgType.TEXT:
            await attachment.write(message.data.encode())
