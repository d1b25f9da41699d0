"""What the image verbs work with: the store, the registry client, the deployment's ECR, the mirrors.

Owns: the lifetime of the registries' HTTP session and of ECR's credentials. Knows no verb.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import aiohttp

from sockerless.aws.ecr import EcrAuthorization
from sockerless.config import Config
from sockerless.errors import InvalidParameter
from sockerless.registry.auth import RegistryAuth
from sockerless.registry.client import Registry
from sockerless.registry.endpoint import Mirror, is_ecr, parse_mirrors
from sockerless.registry.reference import Reference, parse
from sockerless.store.base import Store

RENEWAL_MARGIN_S = 600.0
"""ECR credentials are renewed this long before they expire, so that an upload begun with them can end."""

EcrCredentials = Callable[[], Awaitable[EcrAuthorization]]
"""Asks AWS for fresh credentials of the account's ECR registry."""


@dataclass(slots=True)
class EcrAccess:
    """ECR's credentials, asked for when needed and kept until shortly before they expire."""

    ask: EcrCredentials
    _kept: EcrAuthorization | None = field(default=None, repr=False)

    async def auth(self) -> RegistryAuth:
        """Credentials of the moment."""
        if self._kept is None or self._kept.expires_at.timestamp() - RENEWAL_MARGIN_S <= time.time():
            self._kept = await self.ask()
        return RegistryAuth(self._kept.username, self._kept.password)


@dataclass(frozen=True, slots=True)
class ImageContext:
    """The image verbs' world. ecr_repository: where loaded images go, None when the deployment names none."""

    store: Store
    registry: Registry
    ecr: EcrAccess
    ecr_repository: Reference | None
    mirrors: tuple[Mirror, ...] = ()

    def is_ecr(self, domain: str) -> bool:
        """Whether tasks pull from this registry with the execution role."""
        return is_ecr(domain) or (self.ecr_repository is not None and domain == self.ecr_repository.domain)

    async def auth_of_tasks(self, domain: str) -> RegistryAuth | None:
        """The credentials a Fargate task has for this registry: ECR's, or none."""
        return await self.ecr.auth() if self.is_ecr(domain) else None


@contextlib.asynccontextmanager
async def open_images(config: Config, store: Store, ecr_credentials: EcrCredentials) -> AsyncIterator[ImageContext]:
    """The image verbs' world over this configuration; InvalidParameter names a variable that does not parse."""
    repository = _ecr_repository(config.ecr_repository)
    mirrors = parse_mirrors(config.registry_mirrors)
    async with aiohttp.ClientSession() as session:
        yield ImageContext(store, Registry(session), EcrAccess(ecr_credentials), repository, mirrors)


def _ecr_repository(uri: str) -> Reference | None:
    if not uri:
        return None
    try:
        return parse(uri).repository
    except InvalidParameter as error:
        raise InvalidParameter(f"SOCKERLESS_ECR_REPOSITORY: {uri!r} is not a repository URI: {error}") from None
