"""The simulator's own HTTP interface at /_sockerless/: health, AWS calls, faults, quotas, upstream registries.

GET /_sockerless/health   {"ready", "pid", "instance", "region", "engine": {"address", "reachable"}, "tasks", "calls"}
GET /_sockerless/calls    {"service": {"Operation": count}}; DELETE starts from nothing
POST /_sockerless/faults  a fault (see faults.Fault), or {"kind": "spot", "target": task ARN}; DELETE forgets all
GET /_sockerless/quotas   {quota code: vCPUs}; PUT such a document changes them, DELETE grants the usual ones again
GET /_sockerless/upstreams {host: URL} of the registries ECR caches that stand elsewhere; PUT such a document adds to it
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Any

from werkzeug.wrappers import Request, Response

from sockerless.errors import InvalidParameter, NotFound
from sockerless.simulator.calls import Calls
from sockerless.simulator.ecs_tasks import TaskService
from sockerless.simulator.fargate import Fargate
from sockerless.simulator.faults import Faults
from sockerless.simulator.quotas import Quotas
from sockerless.simulator.upstream import Upstreams


class AdminApplication:
    """Serves /_sockerless/."""

    def __init__(
        self,
        fargate: Fargate,
        tasks: TaskService,
        calls: Calls,
        faults: Faults,
        upstreams: Upstreams,
        quotas: Quotas,
        lock: AbstractContextManager[Any],
    ) -> None:
        self._fargate, self._tasks, self._calls, self._faults, self._lock = fargate, tasks, calls, faults, lock
        self._upstreams, self._quotas = upstreams, quotas

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        handler = {
            ("GET", "/_sockerless/health"): self._health,
            ("GET", "/_sockerless/calls"): self._get_calls,
            ("DELETE", "/_sockerless/calls"): self._reset_calls,
            ("POST", "/_sockerless/faults"): self._inject,
            ("DELETE", "/_sockerless/faults"): self._clear_faults,
            ("GET", "/_sockerless/quotas"): self._get_quotas,
            ("PUT", "/_sockerless/quotas"): self._set_quotas,
            ("DELETE", "/_sockerless/quotas"): self._reset_quotas,
            ("GET", "/_sockerless/upstreams"): self._get_upstreams,
            ("PUT", "/_sockerless/upstreams"): self._place_upstreams,
        }.get((request.method, request.path))
        response = handler(request) if handler else _json({"message": "page not found"}, 404)
        return response(environ, start_response)

    def _health(self, request: Request) -> Response:
        engine = self._fargate.engine
        with self._lock:
            tasks = self._tasks.counts()
        return _json(
            {
                "ready": True,
                "pid": os.getpid(),
                "instance": self._fargate.id,
                "region": self._fargate.options.region,
                "engine": {"address": engine.address, "reachable": engine.reachable()},
                "tasks": tasks,
                "calls": self._calls.total(),
            }
        )

    def _get_calls(self, request: Request) -> Response:
        return _json(self._calls.counts())

    def _reset_calls(self, request: Request) -> Response:
        self._calls.reset()
        return Response(status=204)

    def _inject(self, request: Request) -> Response:
        try:
            document = json.loads(request.get_data())
            if not isinstance(document, dict):
                raise InvalidParameter("a fault is a JSON object")
            if document.get("kind") == "spot":
                with self._lock:
                    self._tasks.interrupt(str(document.get("target")))
            else:
                self._faults.inject(document)
        except NotFound as error:
            return _json({"message": error.message}, 404)
        except InvalidParameter as error:
            return _json({"message": error.message}, 400)
        except ValueError as error:
            return _json({"message": f"not JSON: {error}"}, 400)
        return Response(status=204)

    def _clear_faults(self, request: Request) -> Response:
        self._faults.clear()
        return Response(status=204)

    def _get_quotas(self, request: Request) -> Response:
        return _json(self._quotas.applied())

    def _set_quotas(self, request: Request) -> Response:
        try:
            with self._lock:
                self._quotas.set(json.loads(request.get_data()))
        except (InvalidParameter, ValueError) as error:
            return _json({"message": str(error)}, 400)
        return Response(status=204)

    def _reset_quotas(self, request: Request) -> Response:
        with self._lock:
            self._quotas.reset()
        return Response(status=204)

    def _get_upstreams(self, request: Request) -> Response:
        return _json(self._upstreams.places())

    def _place_upstreams(self, request: Request) -> Response:
        try:
            document = json.loads(request.get_data())
        except ValueError as error:
            return _json({"message": f"not JSON: {error}"}, 400)
        if not isinstance(document, dict) or not all(_is_url(url) for url in document.values()):
            return _json(
                {"message": "upstreams are a JSON object of host and URL each, like http://127.0.0.1:5000"}, 400
            )
        for host, url in document.items():
            self._upstreams.place(host, url)
        return Response(status=204)


def _is_url(text: Any) -> bool:
    return isinstance(text, str) and text.startswith(("http://", "https://"))


def _json(document: Any, status: int = 200) -> Response:
    return Response(json.dumps(document) + "\n", status, content_type="application/json")
