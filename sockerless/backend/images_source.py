"""Where an image is taken from: mirrors of docker.io, ECR's cache of its registry, its registry itself, in that order.

Owns: the order, and whose credentials are used where. Laws: what a task will pull is proven pullable with what a task
has, which is the execution role for ECR and nothing elsewhere; a user's credentials go to the image's own registry
only, never to a mirror or a cache, so what only they open is in neither.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sockerless.backend.images_context import ImageContext
from sockerless.errors import NotFound, SockerlessError, SystemFailure, Unauthorized, Unavailable
from sockerless.registry.auth import RegistryAuth
from sockerless.registry.endpoint import Mirror
from sockerless.registry.failures import AccessDenied, BlobUnknown, ManifestUnknown
from sockerless.registry.manifest import Platform
from sockerless.registry.reference import Reference
from sockerless.registry.resolve import Resolved, pull_failure, resolve

log = logging.getLogger(__name__)

FETCH_PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Between questions for the parts of an image that a cache has begun to fetch: half a minute in all."""
_NEXT_SOURCE = (NotFound, AccessDenied, Unauthorized, Unavailable, SystemFailure)
"""What sends a pull from a mirror on to the next source. Damaged data does not: it is shown."""


@dataclass(frozen=True, slots=True)
class Found:
    """A resolved image. private: only the user's own credentials opened it. missed: why ECR's cache did not have it."""

    resolved: Resolved
    private: bool = False
    missed: str = ""


async def find(
    context: ImageContext, reference: Reference, platforms: tuple[Platform, ...], auth: RegistryAuth | None
) -> Found:
    """The image for the first of the platforms; errors.* in Docker's words, with what was tried before."""
    tried, missed = "", ""
    for mirror in context.before(reference.domain):
        try:
            return Found(await _resolve_at(context, mirror, mirror.reference(reference), platforms), missed=missed)
        except _NEXT_SOURCE as failure:
            tried += f" ({'ECR cache' if mirror.caches else 'mirror'} {mirror.domain}: {failure})"
            missed = str(failure) if mirror.caches else ""
    if missed:
        log.warning("ECR does not pull %s through, asking %s itself: %s", reference, reference.domain, missed)
    try:
        return replace(await _find_at_home(context, reference, platforms, auth), missed=missed)
    except SystemFailure as failure:
        raise SystemFailure(failure.message + tried) from failure
    except SockerlessError as failure:
        raise pull_failure(reference, failure) from failure


async def _resolve_at(
    context: ImageContext, mirror: Mirror, mirrored: Reference, platforms: tuple[Platform, ...]
) -> Resolved:
    """The image at a mirror or cache. A cache may need a while for the first pull: it has the tag, then its parts."""
    auth = await context.auth_of_tasks(mirror.domain)
    pauses_s: Sequence[float] = FETCH_PAUSES_S if mirror.caches else ()
    for pause_s in pauses_s:
        try:
            return await resolve(context.registry, mirrored, platforms, auth)
        except (ManifestUnknown, BlobUnknown):
            if not await context.registry.head_manifest(mirrored, auth):
                raise
        await asyncio.sleep(pause_s)
    return await resolve(context.registry, mirrored, platforms, auth)


async def _find_at_home(
    context: ImageContext, reference: Reference, platforms: tuple[Platform, ...], auth: RegistryAuth | None
) -> Found:
    try:
        known = await context.auth_of_tasks(reference.domain)
        return Found(await resolve(context.registry, reference, platforms, known))
    except (AccessDenied, Unauthorized):
        if auth is None or context.is_ecr(reference.domain):
            raise
    return Found(await resolve(context.registry, reference, platforms, auth), private=True)
