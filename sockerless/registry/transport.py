"""One authenticated request to a registry.

Owns: scheme discovery for loopback registries, the 401 handshake, which request carries which Authorization. Knows no
verb of the protocol. Laws: an Authorization header goes only to the registry's own origin (aiohttp drops it on a
redirect elsewhere); a request is repeated at most once, after a challenge.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus

import aiohttp
from yarl import URL

from sockerless.errors import SystemFailure, Unauthorized
from sockerless.registry import failures
from sockerless.registry.auth import Challenge, RegistryAuth, TokenSource, basic, parse_challenges
from sockerless.registry.endpoint import host, is_loopback, is_loopback_url, same_origin
from sockerless.registry.reference import Reference

BlobReader = Callable[[], AsyncIterator[bytes]]
"""Opens a blob's bytes from their beginning, as often as it is called."""

_NOT_HTTP = (aiohttp.ClientPayloadError, aiohttp.ClientResponseError, aiohttp.ServerDisconnectedError, ConnectionError)


@dataclass(frozen=True, slots=True)
class Request:
    """One request: path stands below /v2/<repository>/, or url is absolute (where an upload continues)."""

    method: str
    reference: Reference
    path: str = ""
    url: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | BlobReader | None = None
    push: bool = False

    @property
    def scope(self) -> str:
        """What a token must allow for this request."""
        return f"repository:{self.reference.path}:{'pull,push' if self.push else 'pull'}"


class Transport:
    """Sends requests, answering the challenges that registries pose."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self._tokens = TokenSource(session)
        self._bases: dict[str, str] = {}
        self._challenges: dict[str, Challenge] = {}

    @asynccontextmanager
    async def send(self, request: Request, auth: RegistryAuth | None) -> AsyncIterator[aiohttp.ClientResponse]:
        """The response below 400, its body not yet read. Raises errors.* for everything else."""
        base = await self._base(request.reference.domain)
        url = request.url or f"{base}/v2/{request.reference.path}/{request.path}"
        own = same_origin(url, base)
        authorization = await self._authorization(base, request, auth) if own else ""
        for attempt in (1, 2):
            with failures.translated(request.method, url.partition("?")[0]):
                async with self._request(request, url, authorization) as response:
                    if attempt == 1 and own and response.status == HTTPStatus.UNAUTHORIZED:
                        self._challenges[base] = _answerable(response, auth)
                        authorization = await self._authorization(base, request, auth, fresh=True)
                        continue
                    if response.status >= HTTPStatus.BAD_REQUEST:
                        failures.raise_for(response, await failures.read_limited(response, failures.ANSWER_LIMIT_BYTES))
                    yield response
                    return

    def _request(self, request: Request, url: str, authorization: str) -> aiohttp.client._RequestContextManager:
        headers = {"Accept-Encoding": "identity", **request.headers}
        if authorization:
            headers["Authorization"] = authorization
        return self._session.request(
            request.method,
            URL(url, encoded=True),
            headers=headers,
            data=request.body() if callable(request.body) else request.body,
            timeout=failures.TIMEOUT,
            ssl=not is_loopback(URL(url).authority),
        )

    async def _authorization(self, base: str, request: Request, auth: RegistryAuth | None, fresh: bool = False) -> str:
        challenge = self._challenges.get(base)
        if challenge is None:
            return ""
        if challenge.scheme == "bearer":
            _check_realm(base, challenge)
            return "Bearer " + await self._tokens.token(challenge, request.scope, auth, fresh)
        return basic(auth) if auth is not None else ""

    async def _base(self, domain: str) -> str:
        """The registry's URL. A loopback registry is asked over http first, then over unverified https."""
        if domain not in self._bases:
            base = f"https://{host(domain)}"
            if is_loopback(domain) and await self._ping(f"http://{domain}"):
                base = f"http://{domain}"
            elif not await self._ping(base):
                raise SystemFailure(f'Get "{base}/v2/": malformed HTTP response')
            self._bases[domain] = base
        return self._bases[domain]

    async def _ping(self, base: str) -> bool:
        """Asks a registry for its challenge, which is kept; False when what answers does not speak base's scheme."""
        url = f"{base}/v2/"
        verified = not is_loopback(URL(url).authority)
        try:
            with failures.translated("GET", url):
                async with self._session.get(url, timeout=failures.TIMEOUT, ssl=verified) as response:
                    if (challenge := _offered(response)) is not None:
                        self._challenges[base] = challenge
                    elif response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                        failures.raise_for(response, await failures.read_limited(response, failures.ANSWER_LIMIT_BYTES))
                    return response.status != HTTPStatus.BAD_REQUEST
        except SystemFailure as failure:
            if isinstance(failure.__cause__, _NOT_HTTP):
                return False
            raise


def _check_realm(base: str, challenge: Challenge) -> None:
    """Refuses a token endpoint that credentials would reach in the clear, unless all of it is on this machine."""
    realm = challenge.parameters.get("realm", "")
    if not realm.startswith("https://") and not (is_loopback_url(realm) and is_loopback_url(base)):
        raise SystemFailure(f'{base} names "{realm}" as its token endpoint, which is not an https URL')


def _offered(response: aiohttp.ClientResponse) -> Challenge | None:
    """The strongest challenge in a response that this client can answer."""
    challenges = parse_challenges(", ".join(response.headers.getall("WWW-Authenticate", [])))
    offered = {challenge.scheme: challenge for challenge in reversed(challenges)}
    return offered.get("bearer") or offered.get("basic")


def _answerable(response: aiohttp.ClientResponse, auth: RegistryAuth | None) -> Challenge:
    """The challenge of a 401 to answer; Unauthorized in dockerd's words when there is nothing to answer it with."""
    challenge = _offered(response)
    if challenge is None:
        raise Unauthorized("unauthorized: authentication required")
    if challenge.scheme == "basic" and (auth is None or not auth.username):
        raise Unauthorized(f'{response.method.capitalize()} "{response.url}": no basic auth credentials')
    return challenge
