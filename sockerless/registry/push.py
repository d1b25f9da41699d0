"""Pushes blobs and images to a registry repository.

Owns: what is skipped because the repository holds it already, and the order (blobs, then the manifest). Knows
neither archives nor AWS. Source: OCI distribution-spec 1.1, "Pushing manifests".
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sockerless.errors import SystemFailure, Unavailable
from sockerless.registry import manifest
from sockerless.registry.assemble import BuiltImage
from sockerless.registry.auth import RegistryAuth
from sockerless.registry.client import CHUNK_BYTES, Registry
from sockerless.registry.layers import LayerFile
from sockerless.registry.manifest import DOCKER_CONFIG, OCI_CONFIG, Descriptor, Manifest
from sockerless.registry.reference import Reference
from sockerless.registry.transport import BlobReader

RETRY_PAUSES_S = (0.25, 1.0)
"""Between the attempts to upload a blob."""


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes to push: what a manifest says of them, and how to read them (again)."""

    descriptor: Descriptor
    read: BlobReader


def bytes_blob(media_type: str, data: bytes) -> Blob:
    """A blob held in memory: an image config."""

    async def read() -> AsyncIterator[bytes]:
        yield data

    return Blob(Descriptor(media_type, manifest.sha256(data), len(data)), read)


def config_blob(config: bytes, oci: bool) -> Blob:
    """An image config as a blob, of OCI's or Docker's media type."""
    return bytes_blob(OCI_CONFIG if oci else DOCKER_CONFIG, config)


def file_blob(layer: LayerFile) -> Blob:
    """A blob held in a file."""
    return Blob(layer.descriptor, lambda: _read_file(layer.path))


async def push_blob(registry: Registry, repository: Reference, blob: Blob, auth: RegistryAuth | None = None) -> bool:
    """Uploads the blob unless the repository holds it; whether it was uploaded. Tries again after passing failures."""
    for pause_s in RETRY_PAUSES_S:
        try:
            return await _push_once(registry, repository, blob, auth)
        except (SystemFailure, Unavailable):
            await asyncio.sleep(pause_s)
    return await _push_once(registry, repository, blob, auth)


async def push_image(
    registry: Registry, reference: Reference, config: Blob, layers: Sequence[Blob], auth: RegistryAuth | None = None
) -> Manifest:
    """Pushes layers (base first), config and their manifest, under the reference's tag or, without one, by digest."""
    for blob in (*layers, config):
        await push_blob(registry, reference, blob, auth)
    composed = manifest.compose(config.descriptor, tuple(layer.descriptor for layer in layers))
    await registry.put_manifest(reference, composed, auth)
    return composed


async def push(registry: Registry, reference: Reference, built: BuiltImage, auth: RegistryAuth | None = None) -> str:
    """Pushes an assembled image under the reference's tag (or by digest); its manifest's digest."""
    pushed = await push_image(registry, reference, config_blob(built.config, oci=True), [file_blob(built.layer)], auth)
    return pushed.digest


async def _push_once(registry: Registry, repository: Reference, blob: Blob, auth: RegistryAuth | None) -> bool:
    if await registry.head_blob(repository, blob.descriptor.digest, auth):
        return False
    await registry.upload(repository, blob.descriptor, blob.read, auth)
    return True


async def _read_file(path: Path) -> AsyncIterator[bytes]:
    with await asyncio.to_thread(path.open, "rb") as file:
        while piece := await asyncio.to_thread(file.read, CHUNK_BYTES):
            yield piece
