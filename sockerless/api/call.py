"""One request, decoded as far as every handler needs it: version, the path's name, query values, JSON body."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from sockerless.api.connection import Connection, connection_of
from sockerless.api.verbs import Verbs
from sockerless.api.versions import Version
from sockerless.errors import InvalidParameter
from sockerless.types import JsonObject
from sockerless.wire import filters
from sockerless.wire.filters import Filters

_FALSE_WORDS = frozenset({"", "0", "no", "false", "none"})
_INTEGER = re.compile(r"[+-]?\d+")


@dataclass(frozen=True, slots=True)
class Call:
    """A request on its way to a verb. name: what stands for {name} in the route's path ("" when there is none)."""

    request: web.Request
    verbs: Verbs
    version: Version
    name: str

    @property
    def connection(self) -> Connection:
        """The client's connection."""
        return connection_of(self.request)

    def text(self, key: str, default: str = "") -> str:
        """A query value."""
        return self.request.query.get(key, default)

    def flag(self, key: str, *, default: bool = False) -> bool:
        """A query value as Docker reads booleans: everything is true but "", 0, no, false, none."""
        value = self.request.query.get(key)
        return default if value is None else value.strip().lower() not in _FALSE_WORDS

    def integer(self, key: str) -> int | None:
        """A query value as a number, None when absent or empty; InvalidParameter in Go's words otherwise."""
        value = self.text(key)
        return atoi(value) if value else None

    def filters(self) -> Filters:
        """The decoded `filters` value."""
        return filters.parse(self.text("filters"))

    async def json_object(self) -> JsonObject:
        """The JSON body; InvalidParameter for another media type, an empty body or anything but an object."""
        body = await self.request.read()
        media_type = self.request.headers.get("Content-Type", "")
        if body and media_type.partition(";")[0].strip().lower() != "application/json":
            raise InvalidParameter(f"Content-Type specified ({media_type}) must be 'application/json'")
        if not body:
            raise InvalidParameter("invalid JSON: got EOF while reading request body")
        return _object(body)


Handler = Callable[[Call], Awaitable[web.StreamResponse]]


def atoi(text: str) -> int:
    """The decimal number; InvalidParameter in Go's words."""
    if not _INTEGER.fullmatch(text):
        raise InvalidParameter(f'strconv.Atoi: parsing "{text}": invalid syntax')
    return int(text)


def _object(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except ValueError as error:
        raise InvalidParameter(f"invalid JSON: {error}") from error
    if not isinstance(document, dict):
        raise InvalidParameter("invalid JSON: expected an object")
    return document
