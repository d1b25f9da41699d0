"""What the image verbs work with: the store, the registry client, the deployment's ECR, the mirrors.

Owns: the lifetime of the registries' HTTP session and of ECR's credentials. Knows no verb.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from sockerless.aws.ecr import EcrAuthorization
from sockerless.backend.event_journal import EventJournal
from sockerless.config import Config
from sockerless.errors import InvalidParameter
from sockerless.registry.auth import RegistryAuth
from sockerless.registry.client import Registry, open_registry
from sockerless.registry.endpoint import Mirror, is_ecr, parse_mirrors, parse_pull_through
from sockerless.registry.manifest import AMD64, ARM64, Platform
from sockerless.registry.reference import DEFAULT_DOMAIN, Reference, parse
from sockerless.store.base import Store

KEPT_S = 60.0
"""How long ECR's credentials are used before they are asked for again. They are good for hours; asking anew for each
pull and layer costs next to nothing, and credentials that ended early are not held on to."""

EcrCredentials = Callable[[], Awaitable[EcrAuthorization]]
"""Asks AWS for fresh credentials of the account's ECR registry."""


@dataclass(slots=True)
class EcrAccess:
    """ECR's credentials, asked for when needed and kept for kept_s."""

    ask: EcrCredentials
    kept_s: float = KEPT_S
    _kept: RegistryAuth | None = field(default=None, repr=False)
    _asked_at_s: float = 0.0

    async def auth(self) -> RegistryAuth:
        """Credentials of the moment."""
        now_s = time.monotonic()
        if self._kept is None or now_s - self._asked_at_s >= self.kept_s:
            answer = await self.ask()
            self._kept, self._asked_at_s = RegistryAuth(answer.username, answer.password), now_s
        return self._kept


@dataclass(frozen=True, slots=True)
class ImageContext:
    """The image verbs' world.

    ecr_repository: where loaded images go, None when the deployment names none. preferred: the platform that is taken
    of an image for several. mirrors: of docker.io. pull_through: ECR's caches of registries, by their domain.
    """

    store: Store
    events: EventJournal
    registry: Registry
    ecr: EcrAccess
    ecr_repository: Reference | None
    mirrors: tuple[Mirror, ...] = ()
    preferred: Platform = AMD64
    pull_through: Mapping[str, Mirror] = field(default_factory=dict)

    def before(self, domain: str) -> tuple[Mirror, ...]:
        """Where images of this registry are looked for before they are looked for there: mirrors, then ECR's cache."""
        mirrors = self.mirrors if domain == DEFAULT_DOMAIN else ()
        cache = self.pull_through.get(domain)
        return (*mirrors, cache) if cache else mirrors

    def is_ecr(self, domain: str) -> bool:
        """Whether tasks pull from this registry with the execution role."""
        own = {cache.domain for cache in self.pull_through.values()}
        if self.ecr_repository is not None:
            own.add(self.ecr_repository.domain)
        return is_ecr(domain) or domain in own

    async def auth_of_tasks(self, domain: str) -> RegistryAuth | None:
        """The credentials a Fargate task has for this registry: ECR's, or none."""
        return await self.ecr.auth() if self.is_ecr(domain) else None


@contextlib.asynccontextmanager
async def open_images(
    config: Config, store: Store, events: EventJournal, ecr_credentials: EcrCredentials
) -> AsyncIterator[ImageContext]:
    """The image verbs' world over this configuration; InvalidParameter names a variable that does not parse."""
    repository = _ecr_repository(config.ecr_repository)
    mirrors, caches = parse_mirrors(config.registry_mirrors), parse_pull_through(config.pull_through)
    async with open_registry() as registry:
        preferred = ARM64 if config.prefers_arm64 else AMD64
        yield ImageContext(store, events, registry, EcrAccess(ecr_credentials), repository, mirrors, preferred, caches)


def _ecr_repository(uri: str) -> Reference | None:
    if not uri:
        return None
    try:
        return parse(uri).repository
    except InvalidParameter as error:
        raise InvalidParameter(f"SOCKERLESS_ECR_REPOSITORY: {uri!r} is not a repository URI: {error}") from None
