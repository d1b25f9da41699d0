"""docker cp on a container that has not been started: its image's files, from the registry, and what was copied in.

Owns the view of both on top of each other. What is copied in is checked against it by the rules that the agent goes by
at the start, so that a copy that would fail then is refused now. A copy into "/", which every image has, is taken
without reading the image; should it fail, the start says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

from sockerless.backend import archive_kept, file_contents, image_layers, images_find
from sockerless.backend.archive_kept import Kept
from sockerless.backend.context import Backend
from sockerless.backend.file_tree import FileTree
from sockerless.backend.image_layers import ImageLayers
from sockerless.errors import InvalidParameter, SockerlessError
from sockerless.types import Container
from sockerless.wire import paths
from sockerless.wire.agent_files import FilesRequest, Listed, PathStat
from sockerless.wire.paths import Asked, Refused
from sockerless.wire.tar_decoder import Event

_KERNELS = ("/dev", "/proc", "/sys")


class CreatedFiles:
    """One container's files before its first start."""

    def __init__(self, layers: ImageLayers, tree: FileTree, copies: list[Kept]) -> None:
        self.tree = tree
        self._layers = layers
        self._copies = copies

    def describe(self, path: str) -> PathStat:
        """What is at a client's path. NotFound, InvalidParameter in lstat's words."""
        return self.tree.describe(Asked.of(path))

    def archive(self, path: str) -> AsyncGenerator[bytes]:
        """The archive of what is at a client's path, which exists."""
        asked = Asked.of(path)
        found, _ = self.tree.find(asked)
        return file_contents.archive(
            ((name, node) for _, name, node in self.tree.walk(found, asked.name)), self._events
        )

    def export(self) -> AsyncGenerator[bytes]:
        """The archive of all of them, without the root."""
        walked = ((name, node) for path, name, node in self.tree.walk("/", "") if path != "/")
        return file_contents.archive(walked, self._events)

    def listing(self) -> list[Listed]:
        """Every path; changed is what was copied in."""
        below = len(self._layers.descriptors)
        return [
            Listed(path, "directory" if node.is_directory else "other", node.source.archive >= below)
            for path, _, node in self.tree.walk("/", "")
        ]

    def _events(self, number: int) -> AsyncGenerator[Event]:
        below = len(self._layers.descriptors)
        return self._layers.events(number) if number < below else self._copies[number - below].events()


def is_created(container: Container) -> bool:
    """Whether the container has never been started, so that its files are with the daemon."""
    return container.state.status == "created" and container.task is None


async def files(backend: Backend, container: Container) -> CreatedFiles:
    """The files that the container's first task will find; errors.* in the registry's words when it cannot be asked."""
    layers, tree = await image_files(backend, container.image_id)
    copies = archive_kept.kept(backend, container.id)
    for number, copy in enumerate(copies, start=len(layers.descriptors)):
        await _unpack(tree, copy, number)
    return CreatedFiles(layers, tree, copies)


async def image_files(backend: Backend, image_id: str) -> tuple[ImageLayers, FileTree]:
    """An image's layers and the files they make."""
    image = images_find.find(backend.images, image_id)
    layers = await image_layers.layers_of(backend.images, image, backend.config.state_dir)
    tree = FileTree()
    for number in range(len(layers.descriptors)):
        await asyncio.to_thread(tree.add_layer, await layers.headers(number), number)
    return layers, tree


async def listing(backend: Backend, container: Container) -> tuple[list[Listed], FileTree]:
    """What the container's first task will find, and what the image has."""
    _, image = await image_files(backend, container.image_id)
    return (await files(backend, container)).listing(), image


async def put(backend: Backend, container: Container, request: FilesRequest, content: AsyncIterator[bytes]) -> None:
    """Keeps a plain archive for the start. Refusals in Docker's words."""
    if container.host_config.get("ReadonlyRootfs"):
        raise InvalidParameter("container rootfs is marked read-only")
    before = None if Asked.of(request.path).clean == "/" else await files(backend, container)
    if before is not None:
        target = before.tree.directory(request.path)
        if any(paths.is_within(target, kernels) for kernels in _KERNELS):
            raise InvalidParameter(f"{target} is a file system of the kernel's, nothing can be copied into it")
    copy, description = await archive_kept.receive(backend, container.id, request, content)
    try:
        await (copy.headers() if before is None else _unpack(before.tree, copy, 1 << 30))
    except SockerlessError:
        archive_kept.discard(copy)
        raise
    archive_kept.commit(copy, description)


async def _unpack(tree: FileTree, copy: Kept, number: int) -> None:
    headers = await copy.headers()
    try:
        await asyncio.to_thread(tree.unpack, headers, copy.path, number, keep_kinds=copy.keep_kinds)
    except Refused as refused:
        raise InvalidParameter(str(refused)) from refused
