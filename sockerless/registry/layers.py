"""Layers on their way from an archive to a registry.

Owns: the verification of an archived layer and the compressed file that is uploaded for it. Knows no HTTP.
Synchronous: callers run it in a thread. Laws: the same layer gives the same blob; memory does not grow with a layer.
"""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from sockerless.errors import InvalidParameter, NotSupported
from sockerless.registry.archive import ArchivedLayer
from sockerless.registry.compression import (
    COPY_BYTES,
    Compression,
    Writable,
    damage_translated,
    decompressing,
    gzip_writer,
    recognise_stream,
)
from sockerless.registry.manifest import DOCKER_LAYER_GZIP, OCI_LAYER_GZIP, OCI_LAYER_ZSTD, Descriptor


@dataclass(frozen=True, slots=True)
class LayerFile:
    """A blob ready for upload: what a manifest says of it, and the file that holds its bytes."""

    descriptor: Descriptor
    path: Path


class HashingWriter:
    """Passes bytes on (or nowhere) and knows their digest and number."""

    def __init__(self, target: Writable | None = None) -> None:
        self._target = target
        self._hasher = hashlib.sha256()
        self.size_bytes = 0

    def write(self, data: bytes) -> int:
        """Takes data, as a file does."""
        self._hasher.update(data)
        self.size_bytes += len(data)
        if self._target is not None:
            self._target.write(data)
        return len(data)

    def flush(self) -> None:
        """Does nothing: the owner of the target flushes it."""

    @property
    def digest(self) -> str:
        """The digest of everything written so far, "sha256:<hex>"."""
        return "sha256:" + self._hasher.hexdigest()


@damage_translated("invalid layer")
def prepare_layer(source: IO[bytes], layer: ArchivedLayer, oci: bool, scratch: Path) -> LayerFile:
    """Verifies an archived layer and writes the blob to upload into the scratch directory.

    source: the layer's stored bytes, seekable. Gzip is kept as it is, anything else is compressed anew, zstd (OCI
    only) is kept with its stored digest verified. InvalidParameter in Docker's words for a layer that is not the one
    the image config names.
    """
    compression = recognise_stream(source)
    if compression == "zstd" and not oci:
        raise NotSupported(
            "the archive holds a zstd layer, which Docker's archive format does not have; save it as OCI"
        )
    _verify_stored(source, layer)
    with tempfile.NamedTemporaryFile(dir=scratch, prefix="layer-", delete=False) as file:
        blob = HashingWriter(file)
        diff_id = _write(source, blob, compression)
    if diff_id not in {"", layer.diff_id}:
        raise InvalidParameter(f'invalid diffID for layer: expected "{layer.diff_id}", got "{diff_id}"')
    return LayerFile(Descriptor(_media_type(compression, oci), blob.digest, blob.size_bytes), Path(file.name))


def _write(source: IO[bytes], blob: HashingWriter, compression: Compression) -> str:
    """Writes the blob; the digest of the uncompressed layer, "" when it cannot be known here (zstd)."""
    plain = HashingWriter()
    if compression in {"gzip", "zstd"}:
        _copy(source, blob)
        if compression == "zstd":
            return ""
        source.seek(0)
        _copy(decompressing(source, compression), plain)
        return plain.digest
    with gzip_writer(blob) as compressed:
        plain = HashingWriter(compressed)
        _copy(decompressing(source, compression), plain)
    return plain.digest


def _verify_stored(source: IO[bytes], layer: ArchivedLayer) -> None:
    if not layer.digest:
        return
    stored = HashingWriter()
    _copy(source, stored)
    source.seek(0)
    if stored.digest != layer.digest:
        raise InvalidParameter(f"filesystem layer verification failed for digest {layer.digest}")


def _copy(source: IO[bytes], target: Writable) -> None:
    while piece := source.read(COPY_BYTES):
        target.write(piece)


def _media_type(compression: Compression, oci: bool) -> str:
    if compression == "zstd":
        return OCI_LAYER_ZSTD
    return OCI_LAYER_GZIP if oci else DOCKER_LAYER_GZIP
