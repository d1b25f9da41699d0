"""The application: every request goes through one dispatch, from the path's version to the route's handler."""

from __future__ import annotations

from importlib.metadata import version as package_version

from aiohttp import web

from sockerless.api import versions
from sockerless.api.bind import bind
from sockerless.api.call import Call
from sockerless.api.connection import connection_of
from sockerless.api.middleware import ENGINE_VERSION, add_headers, answer_errors, mark_routed
from sockerless.api.replies import error_reply
from sockerless.api.routes import Route, resolve
from sockerless.api.verbs import Verbs
from sockerless.backend.context import Backend
from sockerless.errors import InvalidParameter

MAX_JSON_BODY_BYTES = 32 << 20
"""The longest JSON body; the archive of a load is streamed and has no limit."""
_VERBS = web.AppKey("verbs", Verbs)


def make_app(backend: Backend) -> web.Application:
    """The Engine API over this backend. It must be served by server.py, which owns the connections."""
    return application(bind(backend))


def application(verbs: Verbs) -> web.Application:
    """The Engine API over these verbs."""
    app = web.Application(middlewares=[answer_errors], client_max_size=MAX_JSON_BODY_BYTES)
    app[_VERBS] = verbs
    app[ENGINE_VERSION] = package_version("sockerless-kit")
    app.on_response_prepare.extend((add_headers, _close_after))
    app.router.add_route("*", "/{path:.*}", _dispatch)
    return app


async def _dispatch(request: web.Request) -> web.StreamResponse:
    asked, path = versions.split(request.path)
    match = resolve(request.method, path)
    if match is None:
        return error_reply(404, "page not found")
    mark_routed(request)
    try:
        version = versions.negotiate(asked)
    except InvalidParameter as error:
        if versions.speaks_json_errors(asked):
            raise
        return web.Response(status=400, text=f"{error.message}\n")
    if not isinstance(match.target, Route):
        return error_reply(match.target.status, match.target.message)
    return await match.target.handler(Call(request, request.app[_VERBS], version, match.name))


async def _close_after(request: web.Request, response: web.StreamResponse) -> None:
    """A reply in HTTP to a request that might have hijacked is the connection's last: what follows is no request."""
    if connection_of(request).may_be_hijacked:
        response.headers["Connection"] = "close"
        response.force_close()
