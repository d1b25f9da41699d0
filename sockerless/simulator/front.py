"""The one port: which application a request belongs to, and its body read before anything is locked.

/v2/ without an AWS signature is the registry, /_sockerless/ the simulator's own, everything else AWS (moto).
moto's records are not thread-safe, so AWS calls are served one at a time.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

Environ = dict[str, Any]
Application = Callable[[Environ, Any], Iterable[bytes]]


class Front:
    """The WSGI application behind the port."""

    def __init__(self, registry: Application, admin: Application, lock: AbstractContextManager[Any]) -> None:
        self._registry, self._admin, self._lock = registry, admin, lock
        self._aws = DomainDispatcherApplication(create_backend_app)

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path.startswith("/_sockerless/"):
            return self._admin(environ, start_response)
        signed = environ.get("HTTP_AUTHORIZATION", "").startswith("AWS4-")
        if not signed and (path == "/v2" or path.startswith("/v2/")):
            return self._registry(environ, start_response)
        return self._serve_aws(environ, start_response)

    def _serve_aws(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(_length(environ)) if _has_body(environ) else b""
        environ["wsgi.input"] = io.BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        environ.pop("wsgi.input_terminated", None)
        with self._lock:
            return list(self._aws(environ, start_response))


def _has_body(environ: Environ) -> bool:
    return bool(environ.get("CONTENT_LENGTH") or environ.get("wsgi.input_terminated"))


def _length(environ: Environ) -> int:
    return -1 if environ.get("wsgi.input_terminated") else int(environ["CONTENT_LENGTH"] or 0)
