"""docker cp, export and diff: archives on their way through, in constant memory."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncGenerator
from contextlib import aclosing

from aiohttp import web

from sockerless.api.call import Call
from sockerless.api.replies import empty_reply, encode_json, json_reply
from sockerless.errors import InvalidParameter
from sockerless.types import JsonObject
from sockerless.wire.agent_files import PathStat
from sockerless.wire.timestamps import rfc3339

PATH_STAT = "X-Docker-Container-Path-Stat"
_EPOCH = "1970-01-01T00:00:00Z"


async def head(call: Call) -> web.StreamResponse:
    """HEAD /containers/{name}/archive."""
    stat = await call.verbs.stat_path(call.name, _path(call))
    return web.Response(headers={PATH_STAT: _encoded(stat)})


async def get(call: Call) -> web.StreamResponse:
    """GET /containers/{name}/archive. A failure on the way breaks the connection: no client takes it for the end."""
    stat, pieces = await call.verbs.get_archive(call.name, _path(call))
    return await _send(call, pieces, "application/x-tar", {PATH_STAT: _encoded(stat)})


async def put(call: Call) -> web.StreamResponse:
    """PUT /containers/{name}/archive. The body is a tar archive, plain or compressed."""
    unpacking = call.verbs.put_archive(
        call.name,
        _path(call),
        call.request.content.iter_any(),
        call.flag("noOverwriteDirNonDir"),
        call.flag("copyUIDGID"),
    )
    await call.connection.outlast(asyncio.ensure_future(unpacking))
    return empty_reply(200)


async def export(call: Call) -> web.StreamResponse:
    """GET /containers/{name}/export."""
    return await _send(call, await call.verbs.export(call.name), "application/octet-stream", {})


async def changes(call: Call) -> web.StreamResponse:
    """GET /containers/{name}/changes."""
    found = await call.connection.outlast(asyncio.ensure_future(call.verbs.changes(call.name)))
    return json_reply([{"Path": change.path, "Kind": change.kind} for change in found] or None)


async def _send(
    call: Call, pieces: AsyncGenerator[bytes], content_type: str, headers: dict[str, str]
) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": content_type, **headers})
    async with aclosing(pieces):
        await response.prepare(call.request)
        await call.connection.outlast(asyncio.create_task(_write(response, pieces)))
    return response


async def _write(response: web.StreamResponse, pieces: AsyncGenerator[bytes]) -> None:
    async for piece in pieces:
        await response.write(piece)


def _path(call: Call) -> str:
    path = call.text("path")
    if not path:
        raise InvalidParameter("bad parameter: pathcannot be empty")
    return path


def _encoded(stat: PathStat) -> str:
    document: JsonObject = {
        "name": stat.name,
        "size": stat.size_bytes,
        "mode": stat.mode,
        "mtime": rfc3339(stat.mtime_ns) if stat.mtime_ns else _EPOCH,
        "linkTarget": stat.link_target,
    }
    return base64.b64encode(encode_json(document)).decode()
