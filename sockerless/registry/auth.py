"""Registry authentication: challenges, bearer tokens, and the credentials Docker clients send.

Owns: X-Registry-Auth decoding, WWW-Authenticate parsing, the token endpoint's protocol and the tokens' cache. Knows
no manifest and no blob. Laws: a secret goes to the registry that asked and to the https (or loopback) token endpoint
it names, never into a URL or a message.
Source: distribution's token authentication specification (jwt, oauth2) and RFC 7235.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from sockerless.errors import InvalidParameter, SystemFailure, Unauthorized
from sockerless.registry import failures
from sockerless.types import JsonObject

DEFAULT_LIFETIME_S = 60.0
"""How long a token is good when its endpoint does not say (the specification's default)."""
EXPIRY_MARGIN_S = 10.0
CLIENT_ID = "sockerless"

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 - RFC 7230's "token" rule
_CHALLENGE = re.compile(rf'({_TOKEN})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))|({_TOKEN})(?=\s|,|$)')


@dataclass(frozen=True, slots=True)
class RegistryAuth:
    """Credentials for one registry: name and password, or an identity token, or a ready bearer token."""

    username: str = ""
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)
    registry_token: str = field(default="", repr=False)


CredentialsProvider = Callable[[str], Awaitable[RegistryAuth]]
"""Given a registry's domain ("123456789012.dkr.ecr.eu-central-1.amazonaws.com"), its credentials of the moment."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """One WWW-Authenticate challenge: lower-case scheme, parameters by lower-case name."""

    scheme: str
    parameters: dict[str, str]


def decode_registry_auth(header: str) -> RegistryAuth | None:
    """The credentials in an X-Registry-Auth header; None when it carries none.

    Accepts the standard and the url-safe base64 alphabet, padded or not. InvalidParameter when it does not decode.
    """
    if not header.strip():
        return None
    try:
        document = json.loads(_base64(header.strip()))
    except (ValueError, binascii.Error, RecursionError):
        raise InvalidParameter("invalid X-Registry-Auth header: it is not base64 of a JSON object") from None
    if document is None:
        return None
    if not isinstance(document, dict):
        raise InvalidParameter("invalid X-Registry-Auth header: it is not base64 of a JSON object")
    return from_document(document)


def from_document(document: JsonObject) -> RegistryAuth | None:
    """The credentials in a decoded X-Registry-Auth object (Docker's AuthConfig); None when it has none."""
    fields = ("username", "password", "auth", "identitytoken", "registrytoken")
    values = [document.get(name) or "" for name in fields]
    if not all(isinstance(value, str) for value in values):
        raise InvalidParameter("invalid X-Registry-Auth header: its fields are not strings")
    username, password, joined, identity_token, registry_token = values
    if joined and not username:
        try:
            username, _, password = _base64(joined).decode().partition(":")
        except (ValueError, binascii.Error):
            raise InvalidParameter("invalid X-Registry-Auth header: its auth field is not base64") from None
    found = RegistryAuth(username, password, identity_token, registry_token)
    return None if found == RegistryAuth() else found


def parse_challenges(header: str) -> list[Challenge]:
    """The challenges of a WWW-Authenticate header, in order (several headers joined by ", " are fine)."""
    challenges: list[Challenge] = []
    for match in _CHALLENGE.finditer(header):
        name, quoted, plain, scheme = match.groups()
        if scheme:
            challenges.append(Challenge(scheme.lower(), {}))
        elif challenges:
            value = plain if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
            challenges[-1].parameters[name.lower()] = value
    return challenges


def basic(auth: RegistryAuth) -> str:
    """The Authorization header value of the Basic scheme."""
    return "Basic " + base64.b64encode(f"{auth.username}:{auth.password}".encode()).decode()


@dataclass(slots=True)
class _Kept:
    token: str
    expires_at_s: float


class TokenSource:
    """Bearer tokens from the endpoints that registries name, kept until shortly before they expire."""

    def __init__(self, session: aiohttp.ClientSession, clock: Callable[[], float] = time.monotonic) -> None:
        self._session = session
        self._clock = clock
        self._kept: dict[tuple[str, str, str, RegistryAuth | None], _Kept] = {}

    async def token(self, challenge: Challenge, scope: str, auth: RegistryAuth | None, fresh: bool) -> str:
        """A token for scope ("repository:library/alpine:pull"), anonymous when auth is None.

        fresh: do not use a kept one. Unauthorized when the endpoint refuses; SystemFailure when it fails.
        """
        if auth is not None and auth.registry_token:
            return auth.registry_token
        realm, service = (challenge.parameters.get(name, "") for name in ("realm", "service"))
        key = (realm, service, scope, auth)
        kept = self._kept.get(key)
        if kept is None or fresh or kept.expires_at_s <= self._clock():
            self._forget_expired()
            self._kept[key] = kept = await self._fetch(realm, service, scope, auth)
        return kept.token

    def _forget_expired(self) -> None:
        now_s = self._clock()
        self._kept = {key: kept for key, kept in self._kept.items() if kept.expires_at_s > now_s}

    async def _fetch(self, realm: str, service: str, scope: str, auth: RegistryAuth | None) -> _Kept:
        asked_at_s = self._clock()
        with failures.translated("GET", realm):
            async with self._ask(realm, service, scope, auth) as response:
                body = await failures.read_limited(response, failures.ANSWER_LIMIT_BYTES)
        if response.status in (400, 401, 403):
            raise Unauthorized(f'Get "{realm}": unauthorized: incorrect username or password')
        failures.raise_for(response, body)
        return _kept(body, realm, asked_at_s)

    def _ask(self, realm: str, service: str, scope: str, auth: RegistryAuth | None) -> Any:
        asked = {"service": service, "scope": scope}
        if auth is not None and auth.identity_token:
            form = {"grant_type": "refresh_token", "client_id": CLIENT_ID, "refresh_token": auth.identity_token}
            return self._session.post(realm, data=asked | form, timeout=failures.TIMEOUT, allow_redirects=False)
        headers = {} if auth is None else {"Authorization": basic(auth)}
        account = {} if auth is None else {"account": auth.username}
        return self._session.get(realm, params=asked | account, headers=headers, timeout=failures.TIMEOUT)


def _kept(body: bytes, realm: str, asked_at_s: float) -> _Kept:
    try:
        document = json.loads(body)
        token = document.get("token") or document.get("access_token")
        lifetime_s = float(document.get("expires_in") or DEFAULT_LIFETIME_S)
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise SystemFailure(f'Get "{realm}": the token endpoint\'s answer is not a token') from None
    if not isinstance(token, str) or not token:
        raise SystemFailure(f'Get "{realm}": authorization server did not include a token in the response')
    return _Kept(token, asked_at_s + max(lifetime_s - EXPIRY_MARGIN_S, 0.0))


def _base64(text: str) -> bytes:
    unpadded = text.rstrip("=").translate(str.maketrans("-_", "+/"))
    return base64.b64decode(unpadded + "=" * (-len(unpadded) % 4), validate=True)
