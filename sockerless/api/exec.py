"""docker exec: create, start, inspect, resize. A start's connection is hijacked, as an attach's.

What can be known before the stream is answered in HTTP; a process that cannot be started is told in the stream, as
Docker does. Source: Engine API 1.44, "Exec"; the bytes recorded on dockerd 20.10.
"""

from __future__ import annotations

import base64

from aiohttp import web

from sockerless.api.call import Call, atoi
from sockerless.api.connection import NoReply, RawStream
from sockerless.api.container_streams import carry, leave
from sockerless.api.create_options import read
from sockerless.api.exec_options import EXEC_CREATE, EXEC_START, SIZED_SINCE
from sockerless.api.middleware import ENGINE_VERSION, api_headers
from sockerless.api.replies import empty_reply, json_reply
from sockerless.api.verbs import ExecStart
from sockerless.errors import InvalidParameter, SockerlessError
from sockerless.types import Exec, JsonObject
from sockerless.wire import hijack, stdcopy
from sockerless.wire.detach_keys import parse


async def create(call: Call) -> web.StreamResponse:
    """POST /containers/{name}/exec."""
    config, _ = read("ExecConfig", EXEC_CREATE, await call.json_object())
    if not config.get("Cmd"):
        raise InvalidParameter("No exec command specified")
    if call.version < SIZED_SINCE:
        config.pop("ConsoleSize", None)
    return json_reply({"Id": call.verbs.create_exec(call.name, config)}, status=201)


async def start(call: Call) -> web.StreamResponse:
    """POST /exec/{name}/start. Hijacks the connection unless Detach is set."""
    asked = _start_request(call, await call.json_object())
    call.verbs.check_exec(call.name)
    if asked.detach:
        await call.verbs.start_exec(call.name, asked)
        return empty_reply(200)
    client = call.connection.hijack()
    try:
        await client.write(_head(call, asked))
        await _attached(call, asked, client)
    finally:
        client.close()
    return NoReply()


def _start_request(call: Call, body: JsonObject) -> ExecStart:
    config, _ = read("ExecStartConfig", EXEC_START, body)
    size = config.get("ConsoleSize") if call.version >= SIZED_SINCE else None
    return ExecStart(
        detach=bool(config.get("Detach")),
        tty=bool(config.get("Tty")),
        console_size=(size[0], size[1]) if size else None,
    )


def _head(call: Call, asked: ExecStart) -> bytes:
    headers = api_headers(call.request.config_dict[ENGINE_VERSION])
    if not hijack.wants_upgrade(call.request.headers):
        return hijack.plain_head(headers)
    return hijack.upgraded_head(hijack.stream_media_type(tty=asked.tty, version=call.version), headers)


async def _attached(call: Call, asked: ExecStart, client: RawStream) -> None:
    """Carries bytes both ways until the process has ended or the client is gone."""
    try:
        attachment = await call.verbs.start_exec(call.name, asked)
    except SockerlessError as error:
        sentence = f"{error.message}\r\n".encode()
        await client.write(sentence if asked.tty else stdcopy.encode(stdcopy.STDOUT, sentence))
        return
    try:
        await carry(client, attachment)
    finally:
        client.close()
        await leave(call, attachment)


async def inspect(call: Call) -> web.StreamResponse:
    """GET /exec/{name}/json."""
    return json_reply(_view(await call.verbs.inspect_exec(call.name)))


def _view(exec_: Exec) -> JsonObject:
    """ExecInspectResponse."""
    config = exec_.config
    process = {
        "tty": config["Tty"],
        "entrypoint": config["Cmd"][0],
        "arguments": config["Cmd"][1:],
        "privileged": False,
        **({"user": config["User"]} if config["User"] else {}),
    }
    asked_keys = config["DetachKeys"]
    return {
        "ID": exec_.id,
        "Running": exec_.running,
        "ExitCode": exec_.exit_code,
        "ProcessConfig": process,
        "OpenStdin": config["AttachStdin"],
        "OpenStderr": config["AttachStderr"],
        "OpenStdout": config["AttachStdout"],
        "CanRemove": False,
        "ContainerID": exec_.container_id,
        "DetachKeys": base64.b64encode(parse(asked_keys)).decode() if asked_keys else "",
        "Pid": exec_.pid,
    }


async def resize(call: Call) -> web.StreamResponse:
    """POST /exec/{name}/resize. h and w in characters; waits for the start that it follows."""
    await call.verbs.resize_exec(call.name, atoi(call.text("h")), atoi(call.text("w")))
    return empty_reply(200)
