"""docker load: pushes the images of an archive to the deployment's ECR and records them.

Owns: the order of reading, verifying, uploading and recording, and Docker's lines. Laws: an image is recorded only when
the registry holds all of it; disk use beyond the archive is one layer at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AsyncExitStack, ExitStack, aclosing, asynccontextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from sockerless.backend import images_ecr
from sockerless.backend.events import emit_image
from sockerless.backend.images_context import ImageContext
from sockerless.backend.images_record import record
from sockerless.registry import manifest
from sockerless.registry.archive import Archive, ArchivedImage, ArchivedLayer, open_archive
from sockerless.registry.layers import LayerFile, prepare_layer
from sockerless.registry.manifest import Descriptor, Manifest
from sockerless.registry.push import config_blob, file_blob, push_blob
from sockerless.registry.reference import Reference
from sockerless.types import Image, JsonObject

Result = TypeVar("Result")
_WHY = "docker load puts images into the deployment's ECR repository, from which tasks pull them"


async def load(context: ImageContext, archive: Path, quiet: bool = False) -> AsyncGenerator[JsonObject]:
    """Docker's lines of a load; quiet leaves out the progress and keeps "Loaded image: name:tag".

    archive: a file in `docker save`'s or OCI's layout, plain or compressed; its directory takes temporary files.
    NotSupported when SOCKERLESS_ECR_REPOSITORY is not set; InvalidParameter for a malformed archive. Failures may
    come after the first lines.
    """
    images_ecr.place(context, "", _WHY)
    async with _opened(archive) as (opened, scratch):
        for image in await _in_thread(opened.images):
            async with aclosing(_load_one(context, opened, image, scratch)) as lines:
                async for line in lines:
                    if not quiet:
                        yield line
            for line in _loaded_lines(image):
                yield line


@asynccontextmanager
async def _opened(archive: Path) -> AsyncIterator[tuple[Archive, Path]]:
    stack = ExitStack()
    async with AsyncExitStack() as closing:
        closing.push_async_callback(asyncio.to_thread, stack.close)
        scratch = Path(stack.enter_context(TemporaryDirectory(dir=archive.parent, prefix="load-")))
        yield await _in_thread(partial(stack.enter_context, open_archive(archive, scratch))), scratch


async def _load_one(
    context: ImageContext, archive: Archive, image: ArchivedImage, scratch: Path
) -> AsyncGenerator[JsonObject]:
    target = images_ecr.place(context, image.id, _WHY)
    stored = await images_ecr.existing(context, target, image.id)
    if stored is None:
        layers: list[Descriptor] = []
        for layer in image.layers:
            prepared = await _in_thread(partial(_prepare, archive, image, layer, scratch))
            async with aclosing(images_ecr.upload(context, target, file_blob(prepared), layer.diff_id)) as lines:
                async for line in lines:
                    yield line
            layers.append(prepared.descriptor)
            prepared.path.unlink()
        stored = await _put(context, target, image, tuple(layers))
    record(context.store, _image(image, target, stored))
    emit_image(context, "load", image.id, image.id)


async def _in_thread(work: Callable[[], Result]) -> Result:
    """work's result. Cancelled, it still waits for the thread, which reads files that are about to be removed."""
    running = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(running)
    finally:
        await asyncio.wait({running})


def _prepare(archive: Archive, image: ArchivedImage, layer: ArchivedLayer, scratch: Path) -> LayerFile:
    with archive.open_layer(layer) as source:
        return prepare_layer(source, layer, image.oci, scratch)


async def _put(
    context: ImageContext, target: Reference, image: ArchivedImage, layers: tuple[Descriptor, ...]
) -> Manifest:
    config = config_blob(image.config, image.oci)
    await push_blob(context.registry, target, config, await context.ecr.auth())
    composed = manifest.compose(config.descriptor, layers)
    return await images_ecr.put(context, target, composed, image.id)


def _image(image: ArchivedImage, target: Reference, stored: Manifest) -> Image:
    return Image(
        id=image.id,
        config=manifest.decode(image.config, "image config"),
        manifest_digest=stored.digest,
        pull_reference=str(target.with_digest(stored.digest)),
        size_bytes=manifest.parse_image(stored).layers_bytes,
        repo_tags=tuple(tag.familiar for tag in image.tags),
    )


def _loaded_lines(image: ArchivedImage) -> list[JsonObject]:
    if not image.tags:
        return [{"stream": f"Loaded image ID: {image.id}\n"}]
    return [{"stream": f"Loaded image: {tag.familiar}\n"} for tag in image.tags]
