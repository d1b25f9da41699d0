"""What is asked of a container's processes as a whole: pause, unpause, top, stats. Decode, call one verb, encode."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from aiohttp import web

from sockerless.api.call import Call
from sockerless.api.replies import empty_reply, encode_json, json_reply
from sockerless.types import JsonObject


async def pause(call: Call) -> web.StreamResponse:
    """POST /containers/{name}/pause."""
    await call.verbs.pause(call.name)
    return empty_reply(204)


async def unpause(call: Call) -> web.StreamResponse:
    """POST /containers/{name}/unpause."""
    await call.verbs.unpause(call.name)
    return empty_reply(204)


async def top(call: Call) -> web.StreamResponse:
    """GET /containers/{name}/top."""
    return json_reply(await call.verbs.top(call.name, call.text("ps_args")))


async def stats(call: Call) -> web.StreamResponse:
    """GET /containers/{name}/stats. The headers go out at once, one JSON object a line.

    A failure before the first object is a status, unless the stream has begun; one-shot is only read without stream.
    """
    stream = call.flag("stream", default=True)
    samples = call.verbs.stats(call.name, stream, call.flag("one-shot") and not stream)
    if not stream:
        return json_reply(await call.connection.outlast(asyncio.ensure_future(anext(samples))))
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(call.request)
    await call.connection.outlast(asyncio.create_task(_send(response, samples)))
    return response


async def _send(response: web.StreamResponse, samples: AsyncIterator[JsonObject]) -> None:
    async for sample in samples:
        await response.write(encode_json(sample) + b"\n")
