"""The container engine's HTTP API: requests, errors and streams. Docker's Engine API, which Podman serves too.

Knows no task and no AWS. One connection a request, so that any number of threads may block in wait and attach.
Source: Engine API 1.40 to 1.44.
"""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from sockerless.errors import InvalidParameter, SystemFailure, Unavailable

NEWEST_KNOWN = (1, 44)
"""The newest API version this module was written against; older engines are spoken to in their own."""
CONNECT_TIMEOUT_S = 10.0


class EngineError(SystemFailure):
    """The engine refused or failed a request; status is its HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("engine")
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(CONNECT_TIMEOUT_S)
        self.sock.connect(self._path)
        self.sock.settimeout(None)


class Engine:
    """A container engine at unix:///path or tcp://host:port. Safe to use from many threads."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        if parts.scheme not in {"unix", "tcp"} or not (parts.path if parts.scheme == "unix" else parts.netloc):
            raise InvalidParameter(f"engine address {address!r}: expected unix:///path or tcp://host:port")
        self.address = address
        self._parts = parts
        self._version: str | None = None

    def _connect(self) -> http.client.HTTPConnection:
        if self._parts.scheme == "unix":
            return _UnixConnection(self._parts.path)
        return http.client.HTTPConnection(self._parts.netloc)

    @property
    def version(self) -> str:
        """The API version spoken, like "1.41": the engine's own, at most NEWEST_KNOWN. Unavailable when it is down."""
        if self._version is None:
            document = json.loads(self._exchange("GET", "/version", None, {}))
            served = tuple(int(part) for part in document["ApiVersion"].split("."))
            self._version = ".".join(str(part) for part in min(served, NEWEST_KNOWN))
        return self._version

    def reachable(self) -> bool:
        """Whether the engine answers now."""
        try:
            self._exchange("GET", "/_ping", None, {})
        except (Unavailable, EngineError):
            return False
        return True

    @contextmanager
    def stream(
        self,
        method: str,
        path: str,
        query: Mapping[str, object] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[http.client.HTTPResponse]:
        """The response to a request, its body unread. EngineError for a refusal, Unavailable when it is down."""
        target = f"/v{self.version}{path}" + (f"?{urlencode(query)}" if query else "")
        connection = self._connect()
        try:
            yield self._response(connection, method, target, body, headers or {})
        finally:
            connection.close()

    def _response(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        target: str,
        body: bytes | None,
        headers: Mapping[str, str],
    ) -> http.client.HTTPResponse:
        try:
            connection.request(method, target, body, dict(headers))
            response = connection.getresponse()
            if response.status >= 400:
                raise EngineError(response.status, _message(response.read()))
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(f"the container engine at {self.address} does not answer: {error}") from error
        return response

    def _exchange(self, method: str, target: str, body: bytes | None, headers: Mapping[str, str]) -> bytes:
        connection = self._connect()
        try:
            return self._response(connection, method, target, body, headers).read()
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(f"the container engine at {self.address} broke off: {error}") from error
        finally:
            connection.close()

    def call(
        self,
        method: str,
        path: str,
        query: Mapping[str, object] | None = None,
        document: Any = None,
    ) -> Any:
        """Sends document as JSON, returns the decoded reply or None. EngineError, Unavailable."""
        target = f"/v{self.version}{path}" + (f"?{urlencode(query)}" if query else "")
        body = None if document is None else json.dumps(document).encode()
        reply = self._exchange(method, target, body, {"Content-Type": "application/json"} if body else {})
        return json.loads(reply) if reply.strip() else None

    def create(self, name: str, document: Mapping[str, Any]) -> str:
        """Creates a container; its id."""
        return str(self.call("POST", "/containers/create", {"name": name}, document)["Id"])

    def start(self, container_id: str) -> None:
        """Starts a created container; EngineError carries the runtime's words when the program cannot be run."""
        self.call("POST", f"/containers/{container_id}/start")

    def inspect(self, container_id: str) -> dict[str, Any]:
        """The engine's view of a container."""
        document: dict[str, Any] = self.call("GET", f"/containers/{container_id}/json")
        return document

    def wait(self, container_id: str) -> int:
        """Blocks until a started container is not running; its exit code."""
        return int(self.call("POST", f"/containers/{container_id}/wait")["StatusCode"])

    def remove(self, container_id: str) -> None:
        """Removes a container and its anonymous volumes, running or not; does nothing when it is gone."""
        try:
            self.call("DELETE", f"/containers/{container_id}", {"force": "1", "v": "1"})
        except EngineError as error:
            if error.status not in {404, 409}:
                raise

    def image(self, reference: str) -> dict[str, Any] | None:
        """The engine's view of an image it holds, or None."""
        try:
            document: dict[str, Any] = self.call("GET", f"/images/{quote(reference, safe='/:@')}/json")
        except EngineError as error:
            if error.status == 404:
                return None
            raise
        return document

    def pull(self, name: str, tag_or_digest: str, registry_auth: str = "") -> None:
        """Pulls an image; EngineError with the engine's words when it cannot be had.

        registry_auth: X-Registry-Auth, URL-safe base64 of Docker's AuthConfig.
        """
        headers = {"X-Registry-Auth": registry_auth} if registry_auth else {}
        query = {"fromImage": name, "tag": tag_or_digest}
        with self.stream("POST", "/images/create", query, headers=headers) as response:
            for line in response:
                if not line.strip():
                    continue
                progress = json.loads(line)
                if "error" in progress:
                    raise EngineError(500, str(progress["error"]))


def _message(body: bytes) -> str:
    try:
        return str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        return body.decode(errors="replace").strip() or "no reason given"
