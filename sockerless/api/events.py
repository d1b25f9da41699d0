"""GET /events: the journal of events, replayed and followed. Source: Engine API 1.44; recorded on dockerd 20.10."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from aiohttp import web

from sockerless.api.call import Call
from sockerless.api.replies import encode_json
from sockerless.errors import InvalidParameter
from sockerless.types import Event, JsonObject
from sockerless.wire.timestamps import parse_unix

_NS = 1_000_000_000


async def events(call: Call) -> web.StreamResponse:
    """GET /events. The headers go out at once, one JSON object a line as things happen."""
    since_ns, until_ns = _moment_ns(call, "since"), _moment_ns(call, "until")
    if since_ns is not None and until_ns is not None and until_ns < since_ns:
        since, until = call.text("since"), call.text("until")
        raise InvalidParameter(f"`since` time ({since}) cannot be after `until` time ({until})")
    told = call.verbs.events(call.filters(), since_ns, until_ns)
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(call.request)
    await call.connection.outlast(asyncio.create_task(_send(response, told)))
    return response


def _moment_ns(call: Call, key: str) -> int | None:
    text = call.text(key)
    try:
        return parse_unix(text) if text else None
    except ValueError:
        raise InvalidParameter(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None


async def _send(response: web.StreamResponse, told: AsyncIterator[Event]) -> None:
    async for event in told:
        await response.write(encode_json(message(event)) + b"\n")


def message(event: Event) -> JsonObject:
    """EventMessage, with what clients before API 1.22 read beside it: status, id and from."""
    legacy: JsonObject = {}
    if event.type in {"container", "image"}:
        legacy = {"status": event.action, "id": event.actor_id}
    if event.type == "container":
        legacy["from"] = event.attributes.get("image")
    return {
        **{key: value for key, value in legacy.items() if value},
        "Type": event.type,
        "Action": event.action,
        "Actor": {"ID": event.actor_id, "Attributes": event.attributes},
        "scope": "local",
        "time": event.time_ns // _NS,
        "timeNano": event.time_ns,
    }
