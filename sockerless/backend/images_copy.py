"""Copies an image that only the user's credentials open into the deployment's ECR, where tasks may pull it.

Owns: the copy, blob by blob, in constant memory, manifest unchanged (same digests), once. Knows no Docker request.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from sockerless.backend import images_ecr
from sockerless.backend.images_context import ImageContext
from sockerless.registry.auth import RegistryAuth
from sockerless.registry.manifest import Descriptor
from sockerless.registry.push import Blob, bytes_blob, push_blob
from sockerless.registry.reference import Reference
from sockerless.registry.resolve import Resolved
from sockerless.types import JsonObject


async def copy(
    context: ImageContext, resolved: Resolved, auth: RegistryAuth | None, target: Reference
) -> AsyncGenerator[JsonObject]:
    """Copies layers, config and manifest to target (a tag in ECR), yielding Docker's progress lines.

    An image that is there is not copied again, though its manifest there may be another: loaded images have one made
    here.
    """
    if await images_ecr.existing(context, target, resolved.image_id) is not None:
        yield {"status": f"A task has no credentials for {resolved.reference.domain}, and finds it in {target.name}"}
        return
    yield {"status": f"A task has no credentials for {resolved.reference.domain}: copying to {target.name}"}
    for layer in resolved.image.layers:
        remote = _remote(context, resolved, layer, auth)
        async with aclosing(images_ecr.upload(context, target, remote, layer.digest)) as lines:
            async for line in lines:
                yield line
    config = bytes_blob(resolved.image.config.media_type, resolved.config_bytes)
    await push_blob(context.registry, target, config, await context.ecr.auth())
    await images_ecr.put(context, target, resolved.manifest, resolved.image_id)


def _remote(context: ImageContext, resolved: Resolved, layer: Descriptor, auth: RegistryAuth | None) -> Blob:
    return Blob(layer, lambda: context.registry.stream_blob(resolved.reference, layer, auth))
