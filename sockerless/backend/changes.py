"""docker diff: a container's files beside its image's.

Owns the comparison. What exists is listed by the agent, with what the kernel changed since it started; what the image
has is read from its layers, and only when a directory changed, because only then can anything be new or gone. Exact for
what is added and deleted; a file counts as modified when it was written or given other attributes, even the same ones,
as with Docker's overlay2. Source: moby's archive.OverlayChanges, as observed on dockerd 20.10.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from typing import Final, Literal

from sockerless.backend import archive_created
from sockerless.backend.archive import open_with_agent
from sockerless.backend.containers_find import find
from sockerless.backend.context import Backend
from sockerless.backend.file_tree import FileTree
from sockerless.types import Change, Container
from sockerless.wire.agent_files import FilesRequest, Listed, ListingDecoder

MODIFIED: Final = 0
ADDED: Final = 1
DELETED: Final = 2
Kind = Literal[0, 1, 2]


async def changes(backend: Backend, reference: str) -> list[Change]:
    """What differs from the image, sorted by path; the directories above it count as modified, as Docker has it."""
    container = find(backend, reference)
    if archive_created.is_created(container):
        return compare(*await archive_created.listing(backend, container))
    listed = await _listed(backend, container)
    if not any(one.changed for one in listed):
        return []
    if not any(one.changed and one.kind == "directory" for one in listed):
        return compare(listed, None)
    return compare(listed, (await archive_created.image_files(backend, container.image_id))[1])


async def _listed(backend: Backend, container: Container) -> list[Listed]:
    stream = await open_with_agent(backend, container, FilesRequest("list"))
    decoder = ListingDecoder()
    try:
        return [listed async for piece in stream.pieces() for listed in decoder.feed(piece)]
    finally:
        await stream.close()


def compare(listed: Iterable[Listed], image: FileTree | None) -> list[Change]:
    """The changes from image to what is listed, parents first; image: None when it has every listed name."""
    kinds: dict[str, Kind] = {}
    there: dict[str, Listed] = {}
    for one in listed:
        there[one.path] = one
        kind = None if one.path == "/" else _kind(one, image, kinds)
        if kind is not None:
            kinds[one.path] = kind
    for path in _deleted(there, image) if image is not None else ():
        kinds[path] = DELETED
    for path in list(kinds):
        above = posixpath.dirname(path)
        while above != "/" and above not in kinds:
            kinds[above] = MODIFIED
            above = posixpath.dirname(above)
    return [Change(path, kinds[path]) for path in sorted(kinds, key=lambda path: path.split("/"))]


def _kind(one: Listed, image: FileTree | None, kinds: dict[str, Kind]) -> Kind | None:
    """What became of one path; None when nothing did, or when it was the container's runtime that made it."""
    known = image is None or image.node(one.path) is not None
    if known:
        return MODIFIED if one.changed else None
    return ADDED if one.changed or kinds.get(posixpath.dirname(one.path)) == ADDED else None


def _deleted(there: dict[str, Listed], image: FileTree) -> Iterable[str]:
    """The image's paths that are gone, without what was in them; what a mount covers is not gone."""
    for path, _, _ in image.walk("/", ""):
        above = there.get(posixpath.dirname(path))
        if path not in there and above is not None and above.kind == "directory":
            yield path
