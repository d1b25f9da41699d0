"""Replies as the Engine writes them: Go's JSON with its final newline, empty replies, and streams of output.

Source: recorded on dockerd 20.10; Go's encoding/json, which escapes <, > and &.
"""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

_GO_ESCAPES = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})


def encode_json(value: Any) -> bytes:
    """One compact JSON document as Go's encoder writes it, without the newline."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return text.translate(_GO_ESCAPES).encode("utf-8", "surrogatepass")


def json_reply(value: Any, status: int = 200) -> web.Response:
    """A JSON reply."""
    return web.Response(body=encode_json(value) + b"\n", status=status, content_type="application/json")


def error_reply(status: int, message: str) -> web.Response:
    """The one error shape: {"message": "..."}."""
    return json_reply({"message": message}, status)


def empty_reply(status: int) -> web.Response:
    """No body and no Content-Type (200, 201, 204, 304)."""
    return web.Response(status=status)
