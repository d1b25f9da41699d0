"""The images' operations: decode, call one verb, encode; progress as it comes."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path

from aiohttp import web

from sockerless.api import images_json
from sockerless.api.call import Call
from sockerless.api.replies import empty_reply, encode_json, json_reply
from sockerless.api.verbs import PullRequest
from sockerless.errors import InvalidParameter, NotFound, NotSupported, SockerlessError
from sockerless.registry.auth import decode_registry_auth
from sockerless.types import JsonObject

_UPLOAD_PIECE_BYTES = 1 << 20


async def list_(call: Call) -> web.StreamResponse:
    """GET /images/json."""
    if call.flag("shared-size"):
        raise NotSupported(
            "shared-size is not available in this version of sockerless: layers stay in their registry. "
            "Leave the option out."
        )
    found = call.verbs.list_images(call.filters(), call.flag("all"))
    return json_reply([images_json.summary(image, call.version) for image in found])


async def inspect(call: Call) -> web.StreamResponse:
    """GET /images/{name}/json."""
    try:
        image = call.verbs.find_image(call.name)
    except NotFound as error:
        raise NotFound(f"no such image: {call.name}: {error.message}") from error
    return json_reply(images_json.inspect(image, call.version))


async def pull(call: Call) -> web.StreamResponse:
    """POST /images/create. A failure before the first line is a status."""
    if call.text("fromSrc"):
        raise NotSupported(
            "Importing a file system as an image (fromSrc) is not available in this version of sockerless. "
            "Build the image elsewhere and use docker load or docker pull."
        )
    if not call.text("fromImage"):
        raise InvalidParameter("fromImage must name an image")
    asked = PullRequest(
        from_image=call.text("fromImage"),
        tag=call.text("tag"),
        auth=decode_registry_auth(call.request.headers.get("X-Registry-Auth", "")),
        platform=call.text("platform"),
    )
    return await _progress(call, call.verbs.pull(asked), line_end=b"\r\n")


async def load(call: Call) -> web.StreamResponse:
    """POST /images/load. The archive goes to a temporary file in constant memory, and that file away after."""
    if call.text("platform"):
        raise NotSupported(
            "platform (--platform) of docker load is not available in this version of sockerless. Leave the option out."
        )
    with tempfile.TemporaryDirectory(prefix="sockerless-load-") as directory:
        archive = Path(directory) / "archive"
        await _receive(call.request, archive)
        return await _progress(call, call.verbs.load(archive, call.flag("quiet")), line_end=b"\r\n")


async def _receive(request: web.Request, path: Path) -> None:
    with await asyncio.to_thread(path.open, "wb") as file:
        async for piece in request.content.iter_chunked(_UPLOAD_PIECE_BYTES):
            await asyncio.to_thread(file.write, piece)


async def tag(call: Call) -> web.StreamResponse:
    """POST /images/{name}/tag."""
    call.verbs.tag_image(call.name, call.text("repo"), call.text("tag"))
    return empty_reply(201)


async def remove(call: Call) -> web.StreamResponse:
    """DELETE /images/{name}."""
    return json_reply(call.verbs.remove_image(call.name, call.flag("force"), not call.flag("noprune")))


async def _progress(call: Call, lines: AsyncIterator[JsonObject], line_end: bytes) -> web.StreamResponse:
    """Sends lines as they come. A failure before the first is raised; a later one is a line. A client that leaves
    ends the work."""
    async with contextlib.aclosing(_with_failure(lines)) as told:
        line = await call.connection.outlast(asyncio.ensure_future(anext(told, None)))
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(call.request)
        if line is not None:
            await response.write(encode_json(line) + line_end)
            await call.connection.outlast(asyncio.create_task(_send(response, told, line_end)))
    return response


async def _send(response: web.StreamResponse, lines: AsyncIterator[JsonObject], line_end: bytes) -> None:
    async for line in lines:
        await response.write(encode_json(line) + line_end)


async def _with_failure(lines: AsyncIterator[JsonObject]) -> AsyncGenerator[JsonObject, None]:
    begun = False
    try:
        async for line in lines:
            yield line
            begun = True
    except SockerlessError as error:
        if not begun:
            raise
        yield {"errorDetail": {"message": error.message}, "error": error.message}
