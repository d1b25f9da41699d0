"""docker cp and export: a container's files as tar archives.

Owns where the files of a container are at the moment, and Docker's words for a path that is not there: with its agent
while its task lives, with the daemon before the first start (archive_created.py), nowhere once the task is over.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from sockerless.backend.agent_files import FilesStream, open_files
from sockerless.backend.containers_find import find
from sockerless.backend.context import Backend
from sockerless.backend.events import emit
from sockerless.backend.reach import reachable
from sockerless.errors import Conflict, NotFound, SockerlessError, Unavailable
from sockerless.registry.decompression import decompressed
from sockerless.types import Container
from sockerless.wire.agent_files import FilesRequest, PathStat

BODY = "Error processing tar file"


async def stat_path(backend: Backend, reference: str, path: str) -> PathStat:
    """What is at the path; a symbolic link itself is described. NotFound in Docker's words."""
    stream = await _open(backend, find(backend, reference), reference, FilesRequest("stat", path))
    await stream.close()
    return _stat(stream)


async def get_archive(backend: Backend, reference: str, path: str) -> tuple[PathStat, AsyncGenerator[bytes]]:
    """What is at the path, and its archive, to be iterated to its end or closed. NotFound in Docker's words."""
    container = find(backend, reference)
    stream = await _open(backend, container, reference, FilesRequest("get", path))
    emit(backend, container, "archive-path")
    return _stat(stream), _pieces(stream)


async def put_archive(
    backend: Backend, reference: str, path: str, content: AsyncIterator[bytes], keep_kinds: bool, copy_owner: bool
) -> None:
    """Unpacks a tar archive, plain or compressed, into the directory at path.

    keep_kinds: no directory becomes something else and the other way round. copy_owner: all of it shall belong to the
    user that the container runs as, as Docker has it. InvalidParameter in Docker's words, NotFound for the path.
    """
    container = find(backend, reference)
    owner = str(container.config.get("User") or "") if copy_owner else ""
    stream = await _open(backend, container, reference, FilesRequest("put", path, keep_kinds, owner))
    try:
        async with aclosing(decompressed(content, BODY)) as plain:
            await stream.unpack(plain)
    finally:
        await stream.close()
    emit(backend, container, "extract-to-dir")


async def export(backend: Backend, reference: str) -> AsyncGenerator[bytes]:
    """The archive of the container's root, to be iterated to its end or closed."""
    container = find(backend, reference)
    stream = await _open(backend, container, reference, FilesRequest("export"))
    emit(backend, container, "export")
    return _pieces(stream)


async def open_with_agent(backend: Backend, container: Container, request: FilesRequest) -> FilesStream:
    """The operation, begun by the container's agent; Conflict with the remedy when its task is over."""
    _require_files(backend, container)
    try:
        return await open_files(await reachable(backend, container), request)
    except Unavailable:
        _require_files(backend, backend.store.container(container.id))
        raise


def _require_files(backend: Backend, container: Container) -> None:
    if container.task is not None:
        return
    if container.state.status == "created":
        raise Conflict(
            f"Container {container.id} has not been started: its files are the image's, which can be read once it runs"
        )
    raise Conflict(
        f"the files of container {container.id} are gone with its task, which ends {backend.config.linger_s:g} s after "
        "its process; copy them before, keep tasks longer with SOCKERLESS_LINGER_S, or start the container again"
    )


async def _open(backend: Backend, container: Container, reference: str, request: FilesRequest) -> FilesStream:
    try:
        return await open_with_agent(backend, container, request)
    except NotFound as error:
        raise NotFound(f"Could not find the file {request.path} in container {reference}") from error


async def _pieces(stream: FilesStream) -> AsyncGenerator[bytes]:
    try:
        async for piece in stream.pieces():
            yield piece
    finally:
        await stream.close()


def _stat(stream: FilesStream) -> PathStat:
    if stream.stat is None:
        raise SockerlessError("the agent did not describe the path")
    return stream.stat
