"""The containers' operations but their streams: decode, call one verb, encode."""

from __future__ import annotations

import asyncio
import time

from aiohttp import web

from sockerless.api import containers_json
from sockerless.api.call import Call, atoi
from sockerless.api.create_config import read_config, read_networking
from sockerless.api.create_host_config import HOST_CONFIG
from sockerless.api.create_options import read
from sockerless.api.replies import empty_reply, encode_json, json_reply
from sockerless.api.verbs import WaitResult
from sockerless.api.versions import Version
from sockerless.errors import InvalidParameter, NotSupported
from sockerless.types import Container, JsonObject
from sockerless.wire import filters
from sockerless.wire.filters import Filters
from sockerless.wire.timestamps import parse_moment

_PRUNE_FILTERS = ("label", "label!", "until")
_EARLY_HEADERS: Version = (1, 30)
_STOP_SIGNAL: Version = (1, 42)


async def list_(call: Call) -> web.StreamResponse:
    """GET /containers/json."""
    _refuse_sizes(call)
    found = call.verbs.list_containers(call.filters(), call.flag("all"), call.integer("limit") or 0)
    now_ns = time.time_ns()
    return json_reply([containers_json.summary(container, now_ns) for container in found])


async def create(call: Call) -> web.StreamResponse:
    """POST /containers/create. The body is settled field by field before anything is done."""
    body = await call.json_object()
    config, warnings = read_config(body)
    host_config, host_warnings = read("HostConfig", HOST_CONFIG, _section(body, "HostConfig"))
    networking, _ = read_networking(_section(body, "NetworkingConfig"))
    created, more = await call.verbs.create(
        call.text("name") or None, config, host_config, networking, call.text("platform")
    )
    return json_reply({"Id": created, "Warnings": [*warnings, *host_warnings, *more]}, status=201)


def _section(body: JsonObject, name: str) -> JsonObject:
    section = body.get(name) or {}
    if not isinstance(section, dict):
        raise InvalidParameter(f"invalid JSON: {name} must be an object")
    return section


async def inspect(call: Call) -> web.StreamResponse:
    """GET /containers/{name}/json."""
    _refuse_sizes(call)
    container = call.verbs.find(call.name)
    return json_reply(containers_json.inspect(container, call.verbs.unfinished_execs(container)))


def _refuse_sizes(call: Call) -> None:
    if call.flag("size"):
        raise NotSupported(
            "size (--size) is not available in this version of sockerless: a task's disk is not measured. "
            "Leave the option out."
        )


async def start(call: Call) -> web.StreamResponse:
    """POST /containers/{name}/start. A body is what API 1.23 sent, and is refused."""
    if (await call.request.read()).strip() not in {b"", b"{}", b"null"}:
        raise InvalidParameter(
            "starting container with non-empty request body was deprecated since API v1.22 and removed in v1.24"
        )
    await call.verbs.start(call.name)
    return empty_reply(204)


async def stop(call: Call) -> web.StreamResponse:
    """POST /containers/{name}/stop. t is in seconds, negative for ever."""
    await call.verbs.stop(call.name, call.integer("t"), _stop_signal(call))
    return empty_reply(204)


async def restart(call: Call) -> web.StreamResponse:
    """POST /containers/{name}/restart. t is in seconds, negative for ever."""
    await call.verbs.restart(call.name, call.integer("t"), _stop_signal(call))
    return empty_reply(204)


def _stop_signal(call: Call) -> str | None:
    return call.text("signal") or None if call.version >= _STOP_SIGNAL else None


async def kill(call: Call) -> web.StreamResponse:
    """POST /containers/{name}/kill. Without a signal: SIGKILL."""
    await call.verbs.kill(call.name, call.text("signal") or "SIGKILL")
    return empty_reply(204)


async def rename(call: Call) -> web.StreamResponse:
    """POST /containers/{name}/rename."""
    await call.verbs.rename(call.name, call.text("name"))
    return empty_reply(204)


async def resize(call: Call) -> web.StreamResponse:
    """POST /containers/{name}/resize. h and w in characters."""
    await call.verbs.resize(call.name, atoi(call.text("h")), atoi(call.text("w")))
    return empty_reply(200)


async def remove(call: Call) -> web.StreamResponse:
    """DELETE /containers/{name}."""
    if call.flag("link"):
        raise NotSupported(
            "link (--link) is not available in this version of sockerless: containers have no links. "
            "Leave the option out."
        )
    await call.verbs.remove(call.name, call.flag("force"), call.flag("v"))
    return empty_reply(204)


async def prune(call: Call) -> web.StreamResponse:
    """POST /containers/prune. The filters must all hold."""
    asked = call.filters()
    filters.check_names(asked, _PRUNE_FILTERS)
    until_ns = _until_ns(asked)
    removed = await call.verbs.prune(lambda container: _is_prunable(container, asked, until_ns))
    return json_reply({"ContainersDeleted": removed or None, "SpaceReclaimed": 0})


def _until_ns(asked: Filters) -> int | None:
    values = asked.get("until", ())
    if len(values) > 1:
        raise InvalidParameter("more than one until filter specified")
    return parse_moment(values[0], time.time_ns()) if values else None


def _is_prunable(container: Container, asked: Filters, until_ns: int | None) -> bool:
    labels = container.config.get("Labels") or {}
    return (
        (until_ns is None or container.created_at_ns < until_ns)
        and filters.matches_labels(asked.get("label", ()), labels)
        and not any(filters.matches_labels([entry], labels) for entry in asked.get("label!", ()))
    )


async def wait(call: Call) -> web.StreamResponse:
    """POST /containers/{name}/wait. The headers go out at once, the result at the exit.

    A client that leaves ends the wait. Before API 1.30 there were no conditions and no early headers.
    """
    early = call.version >= _EARLY_HEADERS
    result = asyncio.ensure_future(call.verbs.begin_wait(call.name, call.text("condition") if early else ""))
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    try:
        if early:
            await response.prepare(call.request)
        outcome = await call.connection.outlast(result)
        await response.prepare(call.request)
        await response.write(encode_json(_wait_body(outcome)) + b"\n")
    finally:
        result.cancel()
    return response


def _wait_body(result: WaitResult) -> JsonObject:
    error = None if result.error is None else {"Message": result.error}
    return {"Error": error, "StatusCode": result.status_code}
