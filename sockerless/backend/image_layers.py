"""The files in an image's layers, read from its registry: their names and attributes, and their contents.

Owns the download of layers that docker diff and docker cp before a start need, and a cache of each layer's headers on
disk, so that a layer is downloaded for its names only once. Law: a layer that is not what its digest says is a failure.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import tempfile
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sockerless.backend.images_context import ImageContext
from sockerless.errors import InvalidParameter
from sockerless.registry.auth import RegistryAuth
from sockerless.registry.decompression import decompressed
from sockerless.registry.manifest import Descriptor, parse_image
from sockerless.registry.reference import Reference, parse
from sockerless.types import Image
from sockerless.wire.tar import Entry, TarError
from sockerless.wire.tar_decoder import Begin, Event, TarDecoder

FOLDER = "layers"
KEPT_LAYERS = 500
"""How many layers' headers are kept; the least recently written go first. A large layer's take about a megabyte."""


@dataclass(frozen=True, slots=True)
class ImageLayers:
    """An image's layers, base first, and where they are."""

    context: ImageContext
    cache: Path
    reference: Reference
    auth: RegistryAuth | None
    descriptors: tuple[Descriptor, ...]

    async def headers(self, number: int) -> list[Entry]:
        """What one layer holds, without contents."""
        descriptor = self.descriptors[number]
        path = self.cache / f"{descriptor.digest.rpartition(':')[2]}.gz"
        if not path.exists():
            entries = [event.entry async for event in self.events(number) if isinstance(event, Begin)]
            await asyncio.to_thread(_write, path, entries)
            return entries
        return await asyncio.to_thread(_read, path)

    async def events(self, number: int) -> AsyncGenerator[Event]:
        """What one layer holds, with contents. DataLoss when it is not what its digest says."""
        descriptor = self.descriptors[number]
        what = f"layer {descriptor.digest}"
        decoder = TarDecoder()
        stored = self.context.registry.stream_blob(self.reference, descriptor, self.auth)
        async with aclosing(decompressed(stored, what)) as plain:
            try:
                async for piece in plain:
                    for event in await asyncio.to_thread(list[Event], decoder.feed(piece)):
                        yield event
                decoder.finish()
            except TarError as error:
                raise InvalidParameter(f"{what}: {error}") from error


async def layers_of(context: ImageContext, image: Image, state_dir: Path) -> ImageLayers:
    """The layers of an image on record; errors.* in the registry's words when it does not have it any more."""
    reference = parse(image.pull_reference)
    auth = await context.auth_of_tasks(reference.domain)
    found = parse_image(await context.registry.get_manifest(reference, auth))
    return ImageLayers(context, state_dir / FOLDER, reference, auth, found.layers)


def _write(path: Path, entries: list[Entry]) -> None:
    """Keeps a layer's headers: whole or not at all."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(descriptor, "wb") as file, gzip.open(file, "wt", compresslevel=1, encoding="ascii") as text:
        for entry in entries:
            text.write(json.dumps(_document(entry)) + "\n")
    os.replace(temporary, path)
    for old in sorted(path.parent.glob("*.gz"), key=lambda kept: kept.stat().st_mtime)[:-KEPT_LAYERS]:
        old.unlink(missing_ok=True)


def _read(path: Path) -> list[Entry]:
    with gzip.open(path, "rt", encoding="ascii") as text:
        return [_entry(json.loads(line)) for line in text]


def _document(entry: Entry) -> list[Any]:
    kind = entry.kind.decode("latin-1")
    attributes = (entry.mode, entry.uid, entry.gid, entry.size_bytes, entry.mtime_ns)
    return [entry.name, kind, *attributes, entry.link, *entry.device]


def _entry(document: list[Any]) -> Entry:
    name, kind, mode, uid, gid, size_bytes, mtime_ns, link, major, minor = document
    return Entry(name, kind.encode("latin-1"), mode, uid, gid, size_bytes, mtime_ns, link, (major, minor))
