"""The ECR data plane: the OCI distribution protocol at /v2/, as a WSGI application.

Decodes, asks whether whom the password was issued to may do it, calls repositories and blobs, encodes. Source: OCI
distribution specification 1.1; ECR's errors and its 401 challenge as its registry answers them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any

from werkzeug.wrappers import Request, Response

from sockerless.errors import Conflict, InvalidParameter, NotFound, Unavailable
from sockerless.simulator.blobs import Blobs
from sockerless.simulator.pull_through import PullThrough
from sockerless.simulator.repositories import Repositories
from sockerless.simulator.tokens import Tokens

_NAME = r"(?P<name>[a-z0-9]+(?:[._/-]+[a-z0-9]+)*)"
_TAGS_PAGE = 1000


Refuse = Callable[[str, str, str], str | None]
"""Why an access key may not do an ECR operation on a repository; None when it may."""


class RegistryApplication:
    """Serves /v2/. lock guards the ECR records."""

    def __init__(
        self,
        repositories: Repositories,
        blobs: Blobs,
        tokens: Tokens,
        cache: PullThrough,
        lock: AbstractContextManager[Any],
        refuse: Refuse | None = None,
    ) -> None:
        self._repositories, self._blobs, self._tokens, self._lock = repositories, blobs, tokens, lock
        self._cache, self._refuse = cache, refuse
        self._routes: list[tuple[re.Pattern[str], dict[str, Callable[..., Response]]]] = [
            (re.compile(r"/v2/?"), {"GET": self._base, "HEAD": self._base}),
            (re.compile(rf"/v2/{_NAME}/tags/list"), {"GET": self._tags}),
            (
                re.compile(rf"/v2/{_NAME}/manifests/(?P<reference>[^/]+)"),
                {
                    "GET": self._get_manifest,
                    "HEAD": self._get_manifest,
                    "PUT": self._put_manifest,
                    "DELETE": self._delete_manifest,
                },
            ),
            (re.compile(rf"/v2/{_NAME}/blobs/uploads/?"), {"POST": self._begin_upload}),
            (
                re.compile(rf"/v2/{_NAME}/blobs/uploads/(?P<upload_id>[^/]+)"),
                {
                    "GET": self._upload_status,
                    "PATCH": self._append,
                    "PUT": self._finish_upload,
                    "DELETE": self._cancel_upload,
                },
            ),
            (
                re.compile(rf"/v2/{_NAME}/blobs/(?P<digest>[^/]+)"),
                {"GET": self._get_blob, "HEAD": self._get_blob, "DELETE": self._delete_blob},
            ),
        ]

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        response = self._answer(request)
        response.headers["Docker-Distribution-Api-Version"] = "registry/2.0"
        return response(environ, start_response)

    def _answer(self, request: Request) -> Response:
        given = request.authorization
        caller = self._tokens.issued_to(given.username or "", given.password or "") if given else None
        if caller is None:
            response = _error(401, "UNAUTHORIZED", "Not Authorized")
            response.headers["WWW-Authenticate"] = f'Basic realm="{request.host_url}",service="ecr.amazonaws.com"'
            return response
        for pattern, methods in self._routes:
            match = pattern.fullmatch(request.path)
            if match and request.method in methods:
                denied = self._denied(caller, request, match.groupdict())
                return denied or _guarded(methods[request.method], request, match.groupdict())
            if match:
                return _error(405, "UNSUPPORTED", "The operation is unsupported.")
        return _error(404, "NAME_UNKNOWN", "page not found")

    def _denied(self, caller: str, request: Request, arguments: dict[str, str]) -> Response | None:
        if self._refuse is None or "name" not in arguments:
            return None
        with self._lock:
            operations = (_operation(request), *self._importing(request, arguments))
            reasons = [self._refuse(caller, operation, arguments["name"]) for operation in operations]
        reason = next((one for one in reasons if one), None)
        return _error(403, "DENIED", reason) if reason else None

    def _importing(self, request: Request, arguments: dict[str, str]) -> tuple[str, ...]:
        """What a manifest that is not cached yet needs on top of reading."""
        if request.method not in {"GET", "HEAD"} or "/manifests/" not in request.path:
            return ()
        return self._cache.operations(arguments["name"], arguments["reference"])

    def _base(self, request: Request) -> Response:
        return Response("{}", content_type="application/json")

    def _tags(self, request: Request, name: str) -> Response:
        with self._lock:
            tags = self._repositories.tags(name)
        last = request.args.get("last", "")
        count = request.args.get("n", _TAGS_PAGE, type=int)
        rest = [tag for tag in tags if tag > last] if last else tags
        response = _json({"name": name, "tags": rest[:count]})
        if len(rest) > count > 0:
            response.headers["Link"] = f'</v2/{name}/tags/list?n={count}&last={rest[count - 1]}>; rel="next"'
        return response

    def _get_manifest(self, request: Request, name: str, reference: str) -> Response:
        self._cache.bring_manifest(name, reference)
        with self._lock:
            manifest = self._repositories.manifest(name, reference)
        response = Response(manifest.content, content_type=manifest.media_type)
        response.headers["Docker-Content-Digest"] = manifest.digest
        return response

    def _put_manifest(self, request: Request, name: str, reference: str) -> Response:
        content = request.get_data()
        with self._lock:
            digest = self._repositories.put(name, reference, content, request.content_type or "")
        headers = {"Location": f"/v2/{name}/manifests/{digest}", "Docker-Content-Digest": digest}
        return Response(status=201, headers=headers)

    def _delete_manifest(self, request: Request, name: str, reference: str) -> Response:
        with self._lock:
            self._repositories.delete(name, reference)
        return Response(status=202)

    def _layers(self, name: str) -> dict[str, int]:
        layers: dict[str, int] = self._repositories.get(name).layers
        return layers

    def _get_blob(self, request: Request, name: str, digest: str) -> Response:
        self._cache.bring_blob(name, digest)
        with self._lock:
            size = self._layers(name).get(digest)
        if size is None:
            return _error(404, "BLOB_UNKNOWN", f"blob {digest} is not in the repository")
        content = self._blobs.read(digest) if request.method == "GET" else b""
        response = Response(content, content_type="application/octet-stream", direct_passthrough=True)
        response.headers["Content-Length"] = str(size)
        response.headers["Docker-Content-Digest"] = digest
        return response

    def _delete_blob(self, request: Request, name: str, digest: str) -> Response:
        with self._lock:
            if self._layers(name).pop(digest, None) is None:
                return _error(404, "BLOB_UNKNOWN", f"blob {digest} is not in the repository")
        return Response(status=202)

    def _begin_upload(self, request: Request, name: str) -> Response:
        mounted = request.args.get("mount")
        with self._lock:
            layers = self._layers(name)
            source = self._layers(request.args["from"]) if mounted and request.args.get("from") else {}
            if mounted and mounted in source:
                layers[mounted] = source[mounted]
                return _created(name, mounted)
        upload_id = self._blobs.begin()
        if "digest" in request.args:
            return self._finish_upload(request, name, upload_id)
        return _uploading(202, name, upload_id, 0)

    def _upload_status(self, request: Request, name: str, upload_id: str) -> Response:
        return _uploading(204, name, upload_id, self._blobs.received(upload_id))

    def _append(self, request: Request, name: str, upload_id: str) -> Response:
        received = self._blobs.received(upload_id)
        given = re.fullmatch(r"(?:bytes )?(\d+)-\d+(?:/\S+)?", request.headers.get("Content-Range", ""))
        if given and int(given[1]) != received:
            return _uploading(416, name, upload_id, received)
        return _uploading(202, name, upload_id, self._blobs.append(upload_id, request.stream))

    def _finish_upload(self, request: Request, name: str, upload_id: str) -> Response:
        digest = request.args.get("digest", "")
        self._blobs.append(upload_id, request.stream)
        size = self._blobs.finish(upload_id, digest)
        with self._lock:
            self._layers(name)[digest] = size
        return _created(name, digest)

    def _cancel_upload(self, request: Request, name: str, upload_id: str) -> Response:
        self._blobs.cancel(upload_id)
        return Response(status=204)


def _operation(request: Request) -> str:
    """The ECR operation whose permission a request needs. Source: ECR user guide, "Amazon ECR Repository policies"."""
    rest = request.path.partition("/v2/")[2]
    if "/blobs/uploads/" in rest or rest.endswith("/blobs/uploads"):
        return {"POST": "InitiateLayerUpload", "PUT": "CompleteLayerUpload"}.get(request.method, "UploadLayerPart")
    if "/blobs/" in rest:
        return {"HEAD": "BatchCheckLayerAvailability", "GET": "GetDownloadUrlForLayer"}.get(
            request.method, "BatchDeleteImage"
        )
    if rest.endswith("/tags/list"):
        return "ListImages"
    return {"PUT": "PutImage", "DELETE": "BatchDeleteImage"}.get(request.method, "BatchGetImage")


def _guarded(handler: Callable[..., Response], request: Request, arguments: dict[str, str]) -> Response:
    try:
        return handler(request, **arguments)
    except NotFound as error:
        return _error(404, _unknown(request, error), error.message)
    except Unavailable as error:
        return _error(500, "UNKNOWN", f"UnableToGetUpstreamImageException: {error.message}")
    except Conflict as error:
        return _error(400, "TAG_INVALID", error.message)
    except InvalidParameter as error:
        code = "MANIFEST_INVALID" if "/manifests/" in request.path else "DIGEST_INVALID"
        return _error(400, code, error.message)


def _unknown(request: Request, error: NotFound) -> str:
    if error.message.startswith("The repository"):
        return "NAME_UNKNOWN"
    if "/uploads/" in request.path:
        return "BLOB_UPLOAD_UNKNOWN"
    if "/manifests/" in request.path:
        return "MANIFEST_BLOB_UNKNOWN" if request.method == "PUT" else "MANIFEST_UNKNOWN"
    return "BLOB_UNKNOWN"


def _json(document: Any, status: int = 200) -> Response:
    return Response(json.dumps(document), status, content_type="application/json")


def _error(status: int, code: str, message: str) -> Response:
    return _json({"errors": [{"code": code, "message": message}]}, status)


def _created(name: str, digest: str) -> Response:
    headers = {"Location": f"/v2/{name}/blobs/{digest}", "Docker-Content-Digest": digest}
    return Response(status=201, headers=headers)


def _uploading(status: int, name: str, upload_id: str, received: int) -> Response:
    headers = {
        "Location": f"/v2/{name}/blobs/uploads/{upload_id}",
        "Docker-Upload-UUID": upload_id,
        "Range": f"0-{max(received - 1, 0)}",
    }
    return Response(status=status, headers=headers)
