"""Attach and logs: a container's bytes on their way to one client, at that client's pace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from aiohttp import web

from sockerless.api.call import Call
from sockerless.api.connection import NoReply, RawStream
from sockerless.api.middleware import status_of
from sockerless.api.verbs import Attachment, AttachRequest
from sockerless.errors import InvalidParameter, NotSupported, SockerlessError
from sockerless.wire import hijack, stdcopy
from sockerless.wire.agent import LogQuery
from sockerless.wire.timestamps import parse_unix


async def attach(call: Call) -> web.StreamResponse:
    """POST /containers/{name}/attach. Hijacks the connection.

    A refusal is answered on the hijacked connection too, in plain text, as Docker does.
    """
    asked = AttachRequest(
        stdin=call.flag("stdin"),
        stdout=call.flag("stdout"),
        stderr=call.flag("stderr"),
        stream=call.flag("stream"),
        logs=call.flag("logs"),
        detach_keys=call.text("detachKeys"),
    )
    try:
        attachment = await call.verbs.attach(call.name, asked)
    except SockerlessError as error:
        status = status_of(error)
        refused = call.connection.hijack()
        await refused.write(hijack.refusal(status, status.phrase, error.message))
        refused.close()
        return NoReply()
    await _attached(call, attachment)
    return NoReply()


async def _attached(call: Call, attachment: Attachment) -> None:
    """Carries bytes both ways until the output ends or the client is gone."""
    try:
        client = call.connection.hijack()
        try:
            await client.write(_head(call, attachment.tty))
            await carry(client, attachment)
        finally:
            client.close()
    finally:
        await leave(call, attachment)


async def leave(call: Call, attachment: Attachment) -> None:
    """Ends the client's part in the attachment: it has gone, or the daemon ends."""
    await (attachment.abandon() if call.connection.daemon_ends else attachment.close())


def _head(call: Call, tty: bool) -> bytes:
    if not hijack.wants_upgrade(call.request.headers):
        return hijack.plain_head()
    return hijack.upgraded_head(hijack.stream_media_type(tty=tty, version=call.version))


async def carry(client: RawStream, attachment: Attachment) -> None:
    """Both ways until the output ends or the client is gone."""
    stdin = asyncio.create_task(_carry_stdin(client, attachment))
    output = asyncio.create_task(_carry_output(client, attachment))
    gone = asyncio.create_task(client.lost.wait())
    try:
        await asyncio.wait({output, gone}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (stdin, output, gone):
            task.cancel()
        results = await asyncio.gather(stdin, output, gone, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception) and not isinstance(result, ConnectionError):
            raise result


async def _carry_output(client: RawStream, attachment: Attachment) -> None:
    while data := await attachment.read():
        await client.write(data)


async def _carry_stdin(client: RawStream, attachment: Attachment) -> None:
    while data := await client.read():
        await attachment.write(data)
    await attachment.write_eof()


async def logs(call: Call) -> web.StreamResponse:
    """GET /containers/{name}/logs. The headers go out at once, lines as they come."""
    query = _log_query(call)
    stream = await call.verbs.logs(call.name, query)
    response = web.StreamResponse()
    response.content_type = hijack.stream_media_type(tty=stream.tty, version=call.version)
    await response.prepare(call.request)
    await call.connection.outlast(asyncio.create_task(_send(response, stream.chunks, tty=stream.tty)))
    return response


def _log_query(call: Call) -> LogQuery:
    stdout, stderr = call.flag("stdout"), call.flag("stderr")
    if not (stdout or stderr):
        raise InvalidParameter("Bad parameters: you must choose at least one stream")
    if call.flag("details"):
        raise NotSupported(
            "details (--details) is not available in this version of sockerless: log lines carry no attributes. "
            "Leave the option out."
        )
    tail = call.text("tail")
    return LogQuery(
        stdout=stdout,
        stderr=stderr,
        since_ns=_moment_ns(call, "since"),
        until_ns=_moment_ns(call, "until"),
        tail=int(tail) if tail.isdecimal() else None,
        timestamps=call.flag("timestamps"),
        follow=call.flag("follow"),
    )


def _moment_ns(call: Call, key: str) -> int:
    try:
        return parse_unix(call.text(key))
    except ValueError:
        raise InvalidParameter(f'invalid value for "{key}": {call.text(key)}') from None


async def _send(response: web.StreamResponse, chunks: AsyncGenerator[bytes], *, tty: bool) -> None:
    """Sends the chunks; a failure on the way is told in the stream, where clients look for it.

    Where there are no frames, nothing tells that sentence from output, so that the answer is not ended properly too.
    """
    try:
        async with aclosing(chunks):
            async for chunk in chunks:
                await response.write(chunk)
    except SockerlessError as error:
        sentence = f"Error grabbing logs: {error.message}\n".encode()
        await response.write(sentence if tty else stdcopy.encode(stdcopy.SYSTEM_ERROR, sentence))
        if tty:
            raise
