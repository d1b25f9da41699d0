"""The deployment's ECR repository as the place of images that tasks cannot pull from elsewhere.

Owns: how such an image is named there, whether it is there already, and the upload of a blob with Docker's progress
lines. Laws: nothing is uploaded twice; a tag stands for one image for ever, so that it works where tags are immutable,
and users' names live in the store alone; nothing is ever deleted here (the repository's lifecycle policy does that).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass

from sockerless.backend.images_context import ImageContext
from sockerless.config import FILL_COMMAND
from sockerless.errors import NotFound, NotSupported, SystemFailure
from sockerless.registry import manifest
from sockerless.registry.failures import RepositoryUnknown, TagTaken
from sockerless.registry.manifest import Manifest
from sockerless.registry.push import Blob, push_blob
from sockerless.registry.reference import Reference
from sockerless.types import JsonObject

PROGRESS_INTERVAL_S = 0.5
_SHORT_ID = 12


@dataclass(slots=True)
class _Progress:
    sent_bytes: int = 0


def place(context: ImageContext, image_id: str, why: str) -> Reference:
    """Where an image of this id belongs in the deployment's ECR, by a tag made from the id.

    NotSupported, beginning with why, when SOCKERLESS_ECR_REPOSITORY is not set.
    """
    if context.ecr_repository is None:
        raise NotSupported(
            f"{why}, and SOCKERLESS_ECR_REPOSITORY is not set; run `{FILL_COMMAND}`, which makes the repository, and "
            "start the daemon from the daemon.env it writes"
        )
    return context.ecr_repository.with_tag("id-" + image_id.removeprefix("sha256:"))


async def existing(context: ImageContext, target: Reference, image_id: str) -> Manifest | None:
    """The manifest of this very image that stands at target, None when there is none."""
    try:
        found = await context.registry.get_manifest(target, await context.ecr.auth())
    except RepositoryUnknown as failure:
        raise NotFound(
            f"the ECR repository {target.name} (SOCKERLESS_ECR_REPOSITORY) does not exist; run `{FILL_COMMAND}`: "
            f"{failure}"
        ) from failure
    except NotFound:
        return None
    if found.is_list or manifest.parse_image(found).config.digest != image_id:
        return None
    return found


async def upload(context: ImageContext, target: Reference, blob: Blob, layer: str) -> AsyncGenerator[JsonObject]:
    """Uploads one blob unless it is there; Docker's progress lines of a push. layer: the digest shown (shortened)."""
    shown = layer.partition(":")[2][:_SHORT_ID]
    progress = _Progress()
    auth = await context.ecr.auth()
    counted = Blob(blob.descriptor, lambda: _counted(blob, progress))
    pushing = asyncio.create_task(push_blob(context.registry, target, counted, auth))
    try:
        while not pushing.done():
            detail = {"current": progress.sent_bytes, "total": blob.descriptor.size_bytes}
            yield {"status": "Pushing", "progressDetail": detail, "id": shown}
            await asyncio.wait({pushing}, timeout=PROGRESS_INTERVAL_S)
        uploaded = pushing.result()
    finally:
        pushing.cancel()
        await asyncio.wait({pushing})
    yield {"status": "Pushed" if uploaded else "Layer already exists", "progressDetail": {}, "id": shown}


async def put(context: ImageContext, target: Reference, value: Manifest, image_id: str) -> Manifest:
    """Stores the manifest of an image whose blobs are there, under target's tag; the manifest that stands there then.

    That is another's when it came first and tags may not move. TagTaken when what stands there is another image.
    """
    try:
        await context.registry.put_manifest(target, value, await context.ecr.auth())
    except TagTaken:
        stored = await existing(context, target, image_id)
        if stored is None:
            raise
        return stored
    return value


async def where(context: ImageContext, target: Reference, image_id: str) -> Reference:
    """The image of this id at target, by its manifest's digest; SystemFailure when it is not there."""
    stored = await existing(context, target, image_id)
    if stored is None:
        raise SystemFailure(f"image {image_id} was put to {target} and is not there; pull or load it again")
    return target.with_digest(stored.digest)


async def _counted(blob: Blob, progress: _Progress) -> AsyncIterator[bytes]:
    progress.sent_bytes = 0
    async for piece in blob.read():
        progress.sent_bytes += len(piece)
        yield piece
