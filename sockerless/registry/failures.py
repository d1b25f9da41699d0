"""What registries and networks answer when they fail, as errors.* with Docker's texts.

Owns: the error document of the distribution API, transport failures in Go's words, bounded reading of answers.
Knows no authentication and no image. Source: distribution's error codes (api/errcode) and dockerd's texts.
"""

from __future__ import annotations

import json
import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import aiohttp

from sockerless.errors import (
    DataLoss,
    Forbidden,
    InvalidParameter,
    NotFound,
    SockerlessError,
    SystemFailure,
    Unauthorized,
    Unavailable,
)

TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=15, sock_read=60)
"""No limit on the whole: a layer takes as long as it takes, as long as bytes flow."""
ANSWER_LIMIT_BYTES = 1 << 20


class ManifestUnknown(NotFound):
    """The repository has no such manifest."""


class RepositoryUnknown(NotFound):
    """The registry has no such repository."""


class BlobUnknown(NotFound):
    """The repository has no such blob."""


class AccessDenied(Forbidden):
    """The repository does not exist or the caller may not read (or write) it: registries do not say which."""


class TagTaken(InvalidParameter):
    """The tag is malformed, or stands for another manifest in a repository whose tags may not move."""


_CLASSES: dict[str, type[SockerlessError]] = {
    "MANIFEST_UNKNOWN": ManifestUnknown,
    "NAME_UNKNOWN": RepositoryUnknown,
    "BLOB_UNKNOWN": BlobUnknown,
    "DENIED": AccessDenied,
    "UNAUTHORIZED": Unauthorized,
    "TOOMANYREQUESTS": Unavailable,
    "UNAVAILABLE": Unavailable,
    "DIGEST_INVALID": DataLoss,
    "SIZE_INVALID": DataLoss,
    "NAME_INVALID": InvalidParameter,
    "TAG_INVALID": TagTaken,
    "MANIFEST_INVALID": InvalidParameter,
    "MANIFEST_BLOB_UNKNOWN": InvalidParameter,
}


def raise_for(response: aiohttp.ClientResponse, body: bytes) -> None:
    """Raises what an answer of 400 or more means; returns otherwise."""
    if response.status < HTTPStatus.BAD_REQUEST:
        return
    code, message = _first_error(body)
    if response.status == HTTPStatus.UNAUTHORIZED and "insufficient_scope" in _challenge(response):
        raise AccessDenied("denied: requested access to the resource is denied")
    if code:
        raise _CLASSES.get(code, _by_status(response.status))(f"{code.lower().replace('_', ' ')}: {message}")
    if response.status == HTTPStatus.TOO_MANY_REQUESTS:
        raise Unavailable("toomanyrequests: the registry limits the rate of requests; try again later")
    raise _by_status(response.status)(
        f"received unexpected HTTP status: {response.status} {response.reason or ''}".strip()
    )


@contextmanager
def translated(method: str, url: str) -> Iterator[None]:
    """Turns a transport failure inside into SystemFailure in the words dockerd (Go) uses."""
    try:
        yield
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise SystemFailure(f'{method.capitalize()} "{url}": {_transport_reason(error)}') from error


async def read_limited(response: aiohttp.ClientResponse, limit_bytes: int) -> bytes:
    """The whole body; InvalidParameter when it is longer than limit_bytes."""
    pieces: list[bytes] = []
    total_bytes = 0
    async for piece in response.content.iter_chunked(1 << 16):
        total_bytes += len(piece)
        if total_bytes > limit_bytes:
            raise InvalidParameter(f"the registry's answer is longer than the {limit_bytes} bytes allowed here")
        pieces.append(piece)
    return b"".join(pieces)


def _first_error(body: bytes) -> tuple[str, str]:
    """Code and message of the first error in a distribution error document; empty when it is none."""
    try:
        document: Any = json.loads(body)
        first = document["errors"][0]
        return str(first["code"]), str(first.get("message") or "")
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        return "", ""


def _by_status(status: int) -> type[SockerlessError]:
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        return Unavailable
    known: dict[int, type[SockerlessError]] = {401: Unauthorized, 403: AccessDenied, 404: NotFound}
    return known.get(status, SystemFailure)


def _challenge(response: aiohttp.ClientResponse) -> str:
    return ", ".join(response.headers.getall("WWW-Authenticate", []))


def _transport_reason(error: BaseException) -> str:
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"dial tcp: lookup {error.host}: no such host"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"tls: failed to verify certificate: {error.certificate_error}"
    if isinstance(error, aiohttp.ClientConnectorError):
        if isinstance(error.os_error, ssl.SSLError):
            return f"tls: {error.os_error.reason or error.os_error}"
        number = error.os_error.errno
        reason = os.strerror(number) if number else str(error.os_error)
        return f"dial tcp {error.host}:{error.port}: connect: {reason.lower()}"
    if isinstance(error, TimeoutError):
        return "net/http: request canceled (Client.Timeout exceeded while awaiting headers)"
    return str(error) or type(error).__name__
