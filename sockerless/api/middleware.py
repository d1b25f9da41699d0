"""From classes of failure to HTTP, and the headers of every routed reply. The only place that knows both.

Source of the statuses: moby's mapping of errdefs to HTTP; of the headers: recorded on dockerd 20.10.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from aiohttp import hdrs, web

from sockerless import errors
from sockerless.api import versions
from sockerless.api.connection import NoReply, connection_of
from sockerless.api.replies import empty_reply, error_reply

log = logging.getLogger(__name__)

STATUS: dict[type[errors.SockerlessError], HTTPStatus] = {
    errors.NotModified: HTTPStatus.NOT_MODIFIED,
    errors.InvalidParameter: HTTPStatus.BAD_REQUEST,
    errors.Unauthorized: HTTPStatus.UNAUTHORIZED,
    errors.Forbidden: HTTPStatus.FORBIDDEN,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.Conflict: HTTPStatus.CONFLICT,
    errors.DeadlineExceeded: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.DataLoss: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.SystemFailure: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.NotSupported: HTTPStatus.NOT_IMPLEMENTED,
    errors.Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}
_ROUTED = web.RequestKey("routed", bool)
_ANSWERING = web.RequestKey("answering", bool)


def status_of(error: errors.SockerlessError) -> HTTPStatus:
    """The HTTP status of a failure; a subclass has its class's."""
    for kind in type(error).__mro__:
        if kind in STATUS:
            return STATUS[kind]
    return HTTPStatus.INTERNAL_SERVER_ERROR


def mark_routed(request: web.Request) -> None:
    """The path is the API's: its reply carries the API's headers."""
    request[_ROUTED] = True


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """aiohttp's on_response_prepare: the API's headers on a routed reply, no Server header on any other."""
    request[_ANSWERING] = True
    if request.get(_ROUTED):
        response.headers.update(api_headers(request.config_dict[ENGINE_VERSION]))
    else:
        response.headers.pop(hdrs.SERVER, None)


ENGINE_VERSION = web.AppKey("engine_version", str)


def api_headers(engine_version: str) -> dict[str, str]:
    """The headers by which clients recognise an Engine and its API version."""
    return {
        "Api-Version": versions.API_VERSION,
        "Docker-Experimental": "false",
        "Ostype": "linux",
        "Server": f"Docker/{engine_version} (linux)",
    }


@web.middleware
async def answer_errors(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Turns failures into replies. One that comes after the reply has begun can only break the connection.

    The one place that catches everything: a defect is logged with its traceback and answered 500.
    """
    try:
        return await handler(request)
    except errors.SockerlessError as error:
        if request.get(_ANSWERING):
            raise
        return failure_reply(error)
    except web.HTTPException as error:
        return error_reply(error.status, error.reason)
    except Exception as error:
        if isinstance(error, ConnectionError) and connection_of(request).client_left.is_set():
            return NoReply()
        if request.get(_ANSWERING):
            raise
        log.exception("%s %s failed", request.method, request.path)
        return error_reply(500, f"internal error: {type(error).__name__}: {error}")


def failure_reply(error: errors.SockerlessError) -> web.Response:
    """The reply to a known failure."""
    status = status_of(error)
    if status is HTTPStatus.NOT_MODIFIED:
        return empty_reply(status)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.warning("answering %d: %s", status, error.message)
    return error_reply(status, error.message)
