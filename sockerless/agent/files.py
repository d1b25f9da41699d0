"""The container's files, for the daemon: one operation to a connection.

Owns FILES of wire/agent.py and what a failure is called there. File work runs in threads, a piece at a time, so that
everything else is served meanwhile and memory does not grow with a file. Imported with the first request.
"""

from __future__ import annotations

import asyncio
import errno
import os
import stat
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from sockerless.agent import files_read, files_root
from sockerless.agent.files_place import Mounts, describe, find, read_mounts, resolve, visible_status
from sockerless.agent.files_write import Extraction, Failed, Options
from sockerless.agent.users import read_user
from sockerless.errors import InvalidParameter
from sockerless.wire import agent_files as wire
from sockerless.wire.agent import ErrorKind
from sockerless.wire.paths import Asked, Refused

NORMAL = 1000
WORKERS = 8
"""Operations whose file work goes on at the same moment; the others wait for a piece's time."""
T = TypeVar("T")
_workers = ThreadPoolExecutor(WORKERS, "files")
_FULL_OR_BROKEN = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM})


async def serve_files(connection: ServerConnection, since_ns: int) -> None:
    """One operation, from its opening frame to its end. since_ns: what changed later counts as changed."""
    try:
        try:
            request = wire.decode_request(await connection.recv())
            await _perform(connection, request, since_ns)
        except (OSError, ValueError, InvalidParameter, files_read.ShrankWhileRead) as error:
            await connection.send(wire.encode(_refusal(error)))
        await connection.close(NORMAL)
    except ConnectionClosed:
        return


async def _perform(connection: ServerConnection, request: wire.FilesRequest, since_ns: int) -> None:
    mounts = await _step(read_mounts)
    match request.operation:
        case "stat":
            stat_ = await _step(lambda: describe(find(Asked.of(request.path), mounts), Asked.of(request.path), mounts))
            await connection.send(wire.encode(wire.Ok(stat_)))
        case "get":
            asked = Asked.of(request.path)
            found = await _step(find, asked, mounts)
            await connection.send(wire.encode(wire.Ok(await _step(describe, found, asked, mounts))))
            await _send(connection, files_read.archive(found, mounts))
        case "export":
            await connection.send(wire.encode(wire.Ok()))
            await _send(connection, files_root.export(mounts))
        case "list":
            await connection.send(wire.encode(wire.Ok()))
            await _send(connection, files_root.listing(mounts, since_ns))
        case "put":
            await _put(connection, request, mounts)
    await connection.send(wire.encode(wire.Done()))


async def _send(connection: ServerConnection, pieces: Iterator[bytes]) -> None:
    """Sends every piece, while the next one is made."""
    coming = asyncio.create_task(_step(next, pieces, b""))
    try:
        while piece := await coming:
            coming = asyncio.create_task(_step(next, pieces, b""))
            await connection.send(piece)
    finally:
        coming.cancel()
        await asyncio.gather(coming, return_exceptions=True)


async def _put(connection: ServerConnection, request: wire.FilesRequest, mounts: Mounts) -> None:
    extraction = await _step(_extraction, request, mounts)
    try:
        await connection.send(wire.encode(wire.Ok()))
        async for frame in connection:
            if isinstance(frame, str):
                await _step(extraction.finish)
                return
            await _step(extraction.feed, frame)
        raise ConnectionClosed(None, None)
    finally:
        extraction.close()


def _extraction(request: wire.FilesRequest, mounts: Mounts) -> Extraction:
    """What unpacks into the request's directory; Refused in Docker's words when it cannot be written to."""
    destination = resolve(Asked.of(request.path).clean, mounts)
    if not stat.S_ISDIR(visible_status(destination, mounts).st_mode):
        raise Refused("extraction point is not a directory")
    if destination in mounts.kernel:
        raise Refused(f"{destination} is a file system of the kernel's, nothing can be copied into it")
    if os.statvfs(destination).f_flag & os.ST_RDONLY:
        what = "container rootfs" if mounts.point_of(destination) == "/" else "mounted volume"
        raise Refused(f"{what} is marked read-only")
    user = read_user(request.owner) if request.owner else None
    return Extraction(destination, mounts, Options(request.keep_kinds, user and (user.uid, user.gid)))


async def _step(function: Callable[..., T], *arguments: Any) -> T:
    """The function's result, from a thread; when cancelled, still waits until the thread is done with it."""
    work = asyncio.get_running_loop().run_in_executor(_workers, function, *arguments)
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait([work])
        raise


def _refusal(error: Exception) -> wire.Refused:
    """What the daemon is told of a failure."""
    kind: ErrorKind = "invalid"
    message = str(error)
    if isinstance(error, files_read.ShrankWhileRead):
        kind = "failed"
    elif isinstance(error, InvalidParameter):
        message = error.message
    elif isinstance(error, OSError):
        kind = "failed" if error.errno in _FULL_OR_BROKEN else "invalid"
        if not isinstance(error, Failed):
            kind = "not_found" if isinstance(error, FileNotFoundError) else kind
            message = f"lstat {error.filename}: {(error.strerror or '').lower()}"
    return wire.Refused(kind, message)
