"""Asking whether something answers at an address: one small HTTP request over TCP or a unix socket.

Owns: host addresses (unix://PATH, tcp://HOST:PORT) as the kit uses them, their checks and one GET. Knows no endpoint's
meaning and goes through no proxy.
"""

from __future__ import annotations

import http.client
import socket
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from sockerless.errors import InvalidParameter

UNIX_PATH_MAX_BYTES = 107
"""Longest path a unix socket may have: sun_path holds 108 bytes with its final zero (unix(7))."""
TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: HTTP status and body; status 0 for something that listens and does not speak HTTP."""

    status: int
    body: bytes


def check_unix_path(path: Path) -> None:
    """InvalidParameter when the path is too long to be a unix socket."""
    length = len(str(path).encode())
    if length > UNIX_PATH_MAX_BYTES:
        raise InvalidParameter(
            f"the socket path {path} is {length} bytes long and a unix socket may have {UNIX_PATH_MAX_BYTES}; "
            "use a shorter directory or name another place with --host unix://PATH"
        )


def get(address: str, path: str, timeout_s: float = TIMEOUT_S) -> Answer | None:
    """GET path at unix://PATH, tcp://HOST:PORT or http://HOST:PORT; None when nothing listens there."""
    try:
        plug = _connect(address, timeout_s)
    except (ConnectionRefusedError, FileNotFoundError):
        return None
    except OSError:
        return Answer(0, b"")
    connection = http.client.HTTPConnection("localhost", timeout=timeout_s)
    connection.sock = plug
    try:
        connection.request("GET", path, headers={"Connection": "close"})
        response = connection.getresponse()
        return Answer(response.status, response.read())
    except (OSError, http.client.HTTPException):
        return Answer(0, b"")
    finally:
        connection.close()


def host_and_port(address: str) -> tuple[str, int]:
    """The two halves of tcp://HOST:PORT or http://HOST[:PORT]; InvalidParameter for anything else."""
    parts = urlsplit(address)
    try:
        port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    except (ValueError, KeyError):
        raise InvalidParameter(f"{address!r} is no address like tcp://127.0.0.1:2375") from None
    if not parts.hostname:
        raise InvalidParameter(f"{address!r} names no host")
    return parts.hostname, port


def _connect(address: str, timeout_s: float) -> socket.socket:
    if not address.startswith("unix://"):
        return socket.create_connection(host_and_port(address), timeout_s)
    plug = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        plug.settimeout(timeout_s)
        plug.connect(address.removeprefix("unix://"))
    except OSError:
        plug.close()
        raise
    return plug
