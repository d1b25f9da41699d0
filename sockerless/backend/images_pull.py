"""docker pull: resolves an image in its registry and records where tasks pull it from. No layer is downloaded.

Owns: the order of mirrors and registry, whose credentials are used, and the progress lines. Laws: what a task will pull
is proven pullable with what a task has, which is the execution role for ECR and nothing for other registries. An image
that only the user's own credentials open is therefore copied, by the daemon, into the deployment's ECR.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from sockerless.backend import images_copy, images_ecr
from sockerless.backend.events import emit_image
from sockerless.backend.images_context import ImageContext
from sockerless.backend.images_record import record
from sockerless.errors import NotFound, SockerlessError, SystemFailure, Unauthorized, Unavailable
from sockerless.registry.auth import RegistryAuth
from sockerless.registry.failures import AccessDenied
from sockerless.registry.manifest import Platform, wanted_platforms
from sockerless.registry.reference import DEFAULT_DOMAIN, Reference, is_digest, parse
from sockerless.registry.resolve import Resolved, pull_failure, resolve
from sockerless.types import Image, JsonObject

_NEXT_SOURCE = (NotFound, AccessDenied, Unauthorized, Unavailable, SystemFailure)
"""What sends a pull from a mirror on to the next source. Damaged data does not: it is shown."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A resolved image; private: only the user's own credentials opened it."""

    resolved: Resolved
    private: bool = False


async def pull(
    context: ImageContext, from_image: str, tag: str, auth: RegistryAuth | None, platform: str
) -> AsyncGenerator[JsonObject]:
    """Docker's progress lines of a pull; with neither tag nor digest every tag of the repository is pulled.

    Failures before the first line raise on the first step (NotFound, SystemFailure, Unavailable in Docker's words);
    later ones raise in between. platform: "" takes the agent's, else the other. Images of registries other than
    ECR that need credentials are copied to the deployment's ECR (NotSupported when it has none).
    """
    platforms = wanted_platforms(platform, context.preferred)
    asked = pull_reference(from_image, tag)
    for reference in await _references(context, asked, auth):
        found = await _find(context, reference, platforms, auth)
        async with aclosing(_pull_one(context, reference, found, auth)) as lines:
            async for line in lines:
                yield line


def pull_reference(from_image: str, tag: str) -> Reference:
    """What fromImage and tag name together; tag may be a digest. InvalidParameter in Docker's words."""
    reference = parse(from_image.removesuffix(":"))
    if not tag:
        return reference
    return reference.with_digest(tag) if is_digest(tag) else reference.with_tag(tag)


async def _references(context: ImageContext, asked: Reference, auth: RegistryAuth | None) -> list[Reference]:
    if asked.selector:
        return [asked]
    known = await context.auth_of_tasks(asked.domain) or auth
    try:
        return [asked.with_tag(tag) for tag in await context.registry.list_tags(asked, known)]
    except SockerlessError as failure:
        raise pull_failure(asked, failure) from failure


async def _find(
    context: ImageContext, reference: Reference, platforms: tuple[Platform, ...], auth: RegistryAuth | None
) -> _Found:
    """The image, from the first mirror that has it, else from its registry."""
    tried = ""
    for mirror in context.mirrors if reference.domain == DEFAULT_DOMAIN else ():
        mirrored = mirror.reference(reference)
        try:
            known = await context.auth_of_tasks(mirror.domain)
            return _Found(await resolve(context.registry, mirrored, platforms, known))
        except _NEXT_SOURCE as failure:
            tried += f" (mirror {mirror.domain}: {failure})"
    try:
        return await _find_at_home(context, reference, platforms, auth)
    except SystemFailure as failure:
        raise SystemFailure(failure.message + tried) from failure
    except SockerlessError as failure:
        raise pull_failure(reference, failure) from failure


async def _find_at_home(
    context: ImageContext, reference: Reference, platforms: tuple[Platform, ...], auth: RegistryAuth | None
) -> _Found:
    try:
        known = await context.auth_of_tasks(reference.domain)
        return _Found(await resolve(context.registry, reference, platforms, known))
    except (AccessDenied, Unauthorized):
        if auth is None or context.is_ecr(reference.domain):
            raise
    return _Found(await resolve(context.registry, reference, platforms, auth), private=True)


async def _pull_one(
    context: ImageContext, reference: Reference, found: _Found, auth: RegistryAuth | None
) -> AsyncGenerator[JsonObject]:
    resolved, source = found.resolved, found.resolved.by_digest
    started = {"status": f"Pulling from {reference.path}", "id": reference.selector}
    if found.private:
        target = images_ecr.place(context, resolved.image_id, _why_copied(reference))
        source = target.with_digest(resolved.manifest.digest)
        yield started
        async with aclosing(images_copy.copy(context, resolved, auth, target)) as lines:
            async for line in lines:
                yield line
    else:
        yield started
        yield {"status": _where_layers_are(resolved)}
    changed = record(context.store, _image(reference, resolved, source))
    emit_image(context, "pull", reference.familiar, reference.familiar_name)
    yield {"status": f"Digest: {resolved.shown_digest}"}
    outcome = "Downloaded newer image for" if changed else "Image is up to date for"
    yield {"status": f"Status: {outcome} {reference.familiar}"}


def _image(reference: Reference, resolved: Resolved, source: Reference) -> Image:
    return Image(
        id=resolved.image_id,
        config=resolved.config,
        manifest_digest=resolved.manifest.digest,
        pull_reference=str(source),
        size_bytes=resolved.image.layers_bytes,
        repo_tags=(reference.familiar,) if reference.tag and not reference.digest else (),
        repo_digests=(reference.with_digest(resolved.shown_digest).familiar,),
    )


def _why_copied(reference: Reference) -> str:
    return (
        f"{reference.familiar} opens only with your credentials for {reference.domain}, which a Fargate task does not "
        "have; the daemon can copy it to the deployment's ECR repository"
    )


def _where_layers_are(resolved: Resolved) -> str:
    count, megabytes = len(resolved.image.layers), resolved.image.layers_bytes / 1e6
    where = resolved.reference.name
    if count == 1:
        return f"1 layer ({megabytes:.1f} MB) stays in {where}; tasks pull it from there"
    return f"{count} layers ({megabytes:.1f} MB) stay in {where}; tasks pull them from there"
