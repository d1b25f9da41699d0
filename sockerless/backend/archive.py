"""docker cp and export: a container's files as tar archives.

Owns where the files of a container are at the moment, and Docker's words for a path that is not there: with its agent
while its task lives, with the daemon before the first start (archive_created.py), nowhere once the task is over.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, contextmanager

from sockerless.backend import archive_created
from sockerless.backend.agent_files import FilesStream, open_files
from sockerless.backend.containers_find import find
from sockerless.backend.context import Backend
from sockerless.backend.events import emit
from sockerless.backend.reach import reachable
from sockerless.errors import Conflict, NotFound, SockerlessError, Unavailable
from sockerless.registry.decompression import decompressed
from sockerless.types import Container
from sockerless.wire.agent_files import FilesRequest, PathStat
from sockerless.wire.paths import NoSuchPath

BODY = "Error processing tar file"


async def stat_path(backend: Backend, reference: str, path: str) -> PathStat:
    """What is at the path; a symbolic link itself is described. NotFound in Docker's words."""
    container = find(backend, reference)
    with _named(path, reference):
        if archive_created.is_created(container):
            return (await archive_created.files(backend, container)).describe(path)
        stream = await open_with_agent(backend, container, FilesRequest("stat", path))
    await stream.close()
    return _stat(stream)


async def get_archive(backend: Backend, reference: str, path: str) -> tuple[PathStat, AsyncGenerator[bytes]]:
    """What is at the path, and its archive, to be iterated to its end or closed. NotFound in Docker's words."""
    container = find(backend, reference)
    with _named(path, reference):
        if archive_created.is_created(container):
            files = await archive_created.files(backend, container)
            stat, pieces = files.describe(path), files.archive(path)
        else:
            stream = await open_with_agent(backend, container, FilesRequest("get", path))
            stat, pieces = _stat(stream), _pieces(stream)
    emit(backend, container, "archive-path")
    return stat, pieces


async def put_archive(
    backend: Backend, reference: str, path: str, content: AsyncIterator[bytes], keep_kinds: bool, copy_owner: bool
) -> None:
    """Unpacks a tar archive, plain or compressed, into the directory at path; before the first start, keeps it.

    keep_kinds: no directory becomes something else and the other way round. copy_owner: all of it shall belong to the
    user that the container runs as, as Docker has it. InvalidParameter in Docker's words, NotFound for the path.
    """
    container = find(backend, reference)
    owner = str(container.config.get("User") or "") if copy_owner else ""
    request = FilesRequest("put", path, keep_kinds, owner)
    async with aclosing(decompressed(content, BODY)) as plain:
        with _named(path, reference):
            if not await _keep(backend, container, request, plain):
                await _unpack(backend, container, request, plain)
    emit(backend, container, "extract-to-dir")


async def _keep(backend: Backend, container: Container, request: FilesRequest, plain: AsyncIterator[bytes]) -> bool:
    """Keeps the archive for the first start; False when there was one, or it is under way and has ended by now."""
    if container.state.status != "created":
        return False
    async with backend.lives.of(container.id).lock:
        container = backend.store.container(container.id)
        if not archive_created.is_created(container):
            return False
        await archive_created.put(backend, container, request, plain)
        return True


async def _unpack(backend: Backend, container: Container, request: FilesRequest, plain: AsyncIterator[bytes]) -> None:
    stream = await open_with_agent(backend, backend.store.container(container.id), request)
    try:
        await stream.unpack(plain)
    finally:
        await stream.close()


async def export(backend: Backend, reference: str) -> AsyncGenerator[bytes]:
    """The archive of the container's root, to be iterated to its end or closed."""
    container = find(backend, reference)
    if archive_created.is_created(container):
        pieces = (await archive_created.files(backend, container)).export()
    else:
        pieces = _pieces(await open_with_agent(backend, container, FilesRequest("export")))
    emit(backend, container, "export")
    return pieces


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
    raise Conflict(
        f"the files of container {container.id} are gone with its task, which ends {backend.config.linger_s:g} s after "
        "its process; copy them before, keep tasks longer with SOCKERLESS_LINGER_S, or start the container again"
    )


@contextmanager
def _named(path: str, reference: str) -> Iterator[None]:
    """Says in Docker's words that there is nothing at the path."""
    try:
        yield
    except NoSuchPath as error:
        raise NotFound(f"Could not find the file {path} in container {reference}") from error


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
