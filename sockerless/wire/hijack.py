"""The heads with which an HTTP connection turns into Docker's raw stream, byte for byte. No I/O.

Source: Engine API 1.44, POST /containers/{id}/attach, "Hijacking"; the bytes recorded on dockerd 20.10.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

RAW_STREAM = "application/vnd.docker.raw-stream"
MULTIPLEXED_STREAM = "application/vnd.docker.multiplexed-stream"
MULTIPLEXED_SINCE = (1, 42)
"""The first API version in which a stream without terminal is announced as multiplexed."""


HEAD_END = b"\r\n\r\n"
_HIJACKING = re.compile(
    rb"POST \S*/(?:containers/\S+/attach|exec/\S+/start)[? ]|[^\0]*\nupgrade:(?![ \t]*websocket)", re.IGNORECASE
)
_CONTENT_LENGTH = re.compile(rb"\ncontent-length:[ \t]*(\d+)[ \t]*\r", re.IGNORECASE)
_CHUNKED = re.compile(rb"\ntransfer-encoding:", re.IGNORECASE)


def may_hijack(head: bytes) -> bool:
    """Whether what follows this request (its head up to HEAD_END, and its body) may be a raw stream, not HTTP.

    A request whose body has no declared length never does: its end cannot be told from the head. A WebSocket is HTTP.
    """
    return _HIJACKING.match(head) is not None and not _CHUNKED.search(head)


def body_bytes(head: bytes) -> int:
    """The declared length of the request's body."""
    found = _CONTENT_LENGTH.search(head)
    return int(found[1]) if found else 0


def stream_media_type(*, tty: bool, version: tuple[int, int]) -> str:
    """The Content-Type of a container's output for a client of this API version."""
    return RAW_STREAM if tty or version < MULTIPLEXED_SINCE else MULTIPLEXED_STREAM


def wants_upgrade(headers: Mapping[str, str]) -> bool:
    """Whether the client asked for 101; without it the head is 200 and the connection is hijacked all the same."""
    return bool(headers.get("Upgrade"))


def upgraded_head(media_type: str, extra: Mapping[str, str] | None = None) -> bytes:
    """The answer to a request with Upgrade; extra: headers that follow (exec sends the API's own, attach none)."""
    lines = [
        "HTTP/1.1 101 UPGRADED",
        f"Content-Type: {media_type}",
        "Connection: Upgrade",
        "Upgrade: tcp",
        *_lines(extra),
    ]
    return _head(lines)


def plain_head(extra: Mapping[str, str] | None = None) -> bytes:
    """The answer to a request without Upgrade: no length, not chunked, ended by the close. extra: as above."""
    return _head(["HTTP/1.1 200 OK", f"Content-Type: {RAW_STREAM}", *_lines(extra)])


def refusal(status: int, reason: str, message: str) -> bytes:
    """A whole reply on the hijacked connection: plain text, not JSON, ended by the close."""
    return _head([f"HTTP/1.1 {status} {reason}", f"Content-Type: {RAW_STREAM}"]) + f"{message}\r\n".encode()


def _lines(headers: Mapping[str, str] | None) -> list[str]:
    return [f"{name}: {value}" for name, value in (headers or {}).items()]


def _head(lines: list[str]) -> bytes:
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
