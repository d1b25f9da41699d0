"""A registry that ECR caches, read as ECR would: manifests and blobs over HTTP, with an account or without one.

Knows no repository of this simulator. Source: OCI distribution specification 1.1, "Pulling manifests" and "Pulling
blobs"; Distribution's token authentication (challenge, realm, scope).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from urllib.parse import urlencode

import urllib3

from sockerless.errors import NotFound, Unavailable
from sockerless.simulator.repositories import INDEX_TYPES, MANIFEST_TYPES, Manifest, digest_of

_TIMEOUT = urllib3.Timeout(connect=10, read=60)
_PARAMETER = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Login:
    """An account of the upstream registry, which is never logged."""

    user: str
    password: str


class Upstreams:
    """The registries by host, each at https://HOST unless told to stand elsewhere. Thread-safe."""

    def __init__(self, elsewhere: Mapping[str, str]) -> None:
        self._lock = Lock()
        self._elsewhere = dict(elsewhere)
        self._pool = urllib3.PoolManager(timeout=_TIMEOUT, retries=urllib3.Retry(connect=1, read=1, redirect=5))

    def place(self, host: str, url: str) -> None:
        """From now on this host is reached at url: scheme, host and port."""
        with self._lock:
            self._elsewhere[host] = url.rstrip("/")

    def places(self) -> dict[str, str]:
        """The hosts that stand elsewhere, with their URLs."""
        with self._lock:
            return dict(self._elsewhere)

    def manifest(self, host: str, path: str, reference: str, login: Login | None) -> Manifest:
        """The manifest of a tag or digest; NotFound, Unavailable."""
        accept = ", ".join(sorted(INDEX_TYPES | MANIFEST_TYPES))
        with self._get(host, path, f"manifests/{reference}", login, {"Accept": accept}) as answer:
            content, media_type = answer.read(), answer.headers.get("Content-Type", "")
        digest = digest_of(content)
        if ":" in reference and reference != digest:
            raise Unavailable(f"{host}/{path}@{reference} answered content of digest {digest}")
        return Manifest(content, media_type.partition(";")[0].strip(), digest)

    @contextmanager
    def blob(self, host: str, path: str, digest: str, login: Login | None) -> Iterator[urllib3.BaseHTTPResponse]:
        """The blob of a digest, to read from; NotFound, Unavailable. The reader checks its digest."""
        with self._get(host, path, f"blobs/{digest}", login, {}) as answer:
            yield answer

    @contextmanager
    def _get(
        self, host: str, path: str, what: str, login: Login | None, headers: Mapping[str, str]
    ) -> Iterator[urllib3.BaseHTTPResponse]:
        base = self.places().get(host, f"https://{host}")
        url = f"{base}/v2/{path}/{what}"
        answer = self._request(url, headers)
        if answer.status == 401:
            challenge = answer.headers.get("WWW-Authenticate", "")
            answer.release_conn()
            answer = self._request(url, {**headers, "Authorization": self._authorization(challenge, path, login)})
        try:
            if answer.status in {401, 403, 404}:
                raise NotFound(f"{host}/{path} {what}: the upstream registry answered {answer.status}")
            if answer.status != 200:
                raise Unavailable(f"{host}/{path} {what}: the upstream registry answered {answer.status}")
            yield answer
        except urllib3.exceptions.HTTPError as error:  # while the answer was read
            raise Unavailable(f"{host}/{path} {what}: the upstream registry broke off: {error}") from error
        finally:
            answer.release_conn()

    def _request(self, url: str, headers: Mapping[str, str]) -> urllib3.BaseHTTPResponse:
        try:
            return self._pool.request("GET", url, headers=headers, preload_content=False)
        except urllib3.exceptions.HTTPError as error:
            raise Unavailable(f"the upstream registry cannot be reached: {error}") from error

    def _authorization(self, challenge: str, path: str, login: Login | None) -> str:
        basic = urllib3.make_headers(basic_auth=f"{login.user}:{login.password}") if login else {}
        scheme, _, rest = challenge.partition(" ")
        if scheme.lower() != "bearer":
            return str(basic.get("authorization", ""))
        asked = dict(_PARAMETER.findall(rest))
        query = {"service": asked.get("service", ""), "scope": asked.get("scope", f"repository:{path}:pull")}
        answer = self._request(f"{asked.get('realm', '')}?{urlencode(query)}", basic)
        try:
            document = json.loads(answer.read())
            return f"Bearer {document.get('token') or document['access_token']}"
        except (ValueError, KeyError, AttributeError) as error:
            raise Unavailable(f"the upstream registry gave no token: {answer.status}") from error
        finally:
            answer.release_conn()
