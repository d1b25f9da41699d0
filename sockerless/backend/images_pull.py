"""docker pull: resolves an image in its registry and records where tasks pull it from. No layer is downloaded.

Owns: the progress lines, and the copying of an image that only the user's own credentials open into the deployment's
ECR, since a task has none of them. Where an image is taken from is images_source.py's.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from sockerless.backend import images_copy, images_ecr, images_source
from sockerless.backend.events import emit_image
from sockerless.backend.images_context import ImageContext
from sockerless.backend.images_record import record
from sockerless.backend.images_source import Found
from sockerless.errors import SockerlessError
from sockerless.registry.auth import RegistryAuth
from sockerless.registry.manifest import wanted_platforms
from sockerless.registry.reference import Reference, is_digest, parse
from sockerless.registry.resolve import Resolved, pull_failure
from sockerless.types import Image, JsonObject


async def pull(
    context: ImageContext, from_image: str, tag: str, auth: RegistryAuth | None, platform: str
) -> AsyncGenerator[JsonObject]:
    """Docker's progress lines of a pull; with neither tag nor digest every tag of the repository is pulled.

    Failures before the first line raise on the first step (NotFound, SystemFailure, Unavailable in Docker's words);
    later ones raise in between. platform: "" takes the preferred, else the other. Images of registries other than
    ECR that need credentials are copied to the deployment's ECR (NotSupported when it has none).
    """
    platforms = wanted_platforms(platform, context.preferred)
    asked = pull_reference(from_image, tag)
    for reference in await _references(context, asked, auth):
        found = await images_source.find(context, reference, platforms, auth)
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


async def _pull_one(
    context: ImageContext, reference: Reference, found: Found, auth: RegistryAuth | None
) -> AsyncGenerator[JsonObject]:
    resolved, source = found.resolved, found.resolved.by_digest
    started = {"status": f"Pulling from {reference.path}", "id": reference.selector}
    if found.private:
        target = images_ecr.place(context, resolved.image_id, _why_copied(reference))
        yield started
        async with aclosing(images_copy.copy(context, resolved, auth, target)) as lines:
            async for line in lines:
                yield line
        source = await images_ecr.where(context, target, resolved.image_id)
    else:
        yield started
        if found.missed:
            yield {"status": f"ECR does not pull this image through: {found.missed}"}
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
        manifest_digest=source.digest,
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
