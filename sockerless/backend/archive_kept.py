"""Files copied into a container before its first start: kept on the daemon's disk, unpacked by each of its tasks.

Owns the folder STATE_DIR/files/CONTAINER: per copy a plain tar archive and what was asked, numbered. A copy counts once
its description is there, which is written last. Laws: what was answered 200 survives the daemon; nobody but the
daemon's user can read it; what is kept for one container and for all of them is bounded.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import asdict, dataclass
from pathlib import Path

from sockerless.backend.agent_files import gathered, open_files
from sockerless.backend.agent_link import AgentLink
from sockerless.backend.context import Backend
from sockerless.errors import InvalidParameter, SockerlessError, SystemFailure
from sockerless.types import Container
from sockerless.wire.agent_files import FilesRequest
from sockerless.wire.tar import Entry, TarError
from sockerless.wire.tar_decoder import Begin, Event, TarDecoder

FOLDER = "files"
MAX_CONTAINER_BYTES = 20 << 30
"""What one container's copies may take: Fargate's storage of a task, unless more was asked for."""
MIN_FREE_BYTES = 512 << 20
"""What must stay free on the daemon's disk."""
_READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Kept:
    """One copy: where it goes, how, and the archive. path, keep_kinds, owner: as in FilesRequest."""

    path: str
    keep_kinds: bool
    owner: str
    archive: Path

    async def read(self) -> AsyncGenerator[bytes]:
        """The archive's bytes."""
        with await asyncio.to_thread(self.archive.open, "rb") as file:
            while piece := await asyncio.to_thread(file.read, _READ_BYTES):
                yield piece

    async def events(self) -> AsyncGenerator[Event]:
        """What stands in the archive. InvalidParameter when it is damaged."""
        decoder = TarDecoder()
        try:
            async for piece in self.read():
                for event in await asyncio.to_thread(list[Event], decoder.feed(piece)):
                    yield event
            decoder.finish()
        except TarError as error:
            raise InvalidParameter(str(error)) from error

    async def headers(self) -> list[Entry]:
        """What stands in the archive, without contents."""
        return [event.entry async for event in self.events() if isinstance(event, Begin)]


def kept(backend: Backend, container_id: str) -> list[Kept]:
    """A container's copies, in the order in which they came."""
    return [
        Kept(**json.loads(description.read_text("utf-8")), archive=description.with_suffix(".tar"))
        for description in sorted(_folder(backend, container_id).glob("*.json"))
    ]


async def receive(
    backend: Backend, container_id: str, request: FilesRequest, content: AsyncIterator[bytes]
) -> tuple[Kept, Path]:
    """Takes a plain archive onto the disk; it counts with commit() only. InvalidParameter when it is too much."""
    folder = _folder(backend, container_id)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    number = 1 + max((int(path.stem) for path in folder.glob("*.json")), default=0)
    archive = folder / f"{number:06d}.tar"
    room_bytes = MAX_CONTAINER_BYTES - sum(path.stat().st_size for path in folder.glob("*.tar") if path != archive)
    try:
        await _write(archive, content, room_bytes)
    except BaseException:
        archive.unlink(missing_ok=True)
        raise
    return Kept(request.path, request.keep_kinds, request.owner, archive), archive.with_suffix(".json")


def commit(copy: Kept, description: Path) -> None:
    """From here on the copy counts."""
    document = asdict(copy)
    del document["archive"]
    temporary = description.with_suffix(".new")
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(document, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, description)
    _sync_folder(description.parent)


def discard(copy: Kept) -> None:
    """The copy was refused after all."""
    copy.archive.unlink(missing_ok=True)


async def put_in_place(backend: Backend, container: Container, link: AgentLink) -> None:
    """Unpacks every copy in a new task, in order, before its process exists. The agent's reason when one fails."""
    for copy in kept(backend, container.id):
        request = FilesRequest("put", copy.path, copy.keep_kinds, copy.owner)
        try:
            stream = await open_files(link, request)
            try:
                await stream.unpack(copy.read())
            finally:
                await stream.close()
        except SockerlessError as error:
            raise SystemFailure(
                f"files were copied into {copy.path} before the start, and it fails: {error}"
            ) from error


def forget(backend: Backend, container_id: str) -> None:
    """Removes a container's copies."""
    shutil.rmtree(_folder(backend, container_id), ignore_errors=True)


def sweep(backend: Backend) -> None:
    """Removes the copies of containers that are no longer on record."""
    known = {container.id for container in backend.store.containers()}
    for folder in backend.config.state_dir.joinpath(FOLDER).glob("*"):
        if folder.name not in known:
            forget(backend, folder.name)


def _folder(backend: Backend, container_id: str) -> Path:
    return backend.config.state_dir / FOLDER / container_id


async def _write(archive: Path, content: AsyncIterator[bytes], room_bytes: int) -> None:
    descriptor = await asyncio.to_thread(os.open, archive, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb", buffering=0) as file:
        async for piece in gathered(content):
            room_bytes -= len(piece)
            if room_bytes < 0:
                raise InvalidParameter(
                    f"more than {MAX_CONTAINER_BYTES >> 30} GiB are not kept for a container before its first start: "
                    "start it, then copy"
                )
            if shutil.disk_usage(archive.parent).free - len(piece) < MIN_FREE_BYTES:
                raise SystemFailure(
                    f"the disk of the daemon's SOCKERLESS_STATE_DIR ({archive.parent.parent.parent}) is full: make "
                    "room there, or start the container, then copy"
                )
            await asyncio.to_thread(_write_whole, file.fileno(), piece)
        await asyncio.to_thread(os.fsync, file.fileno())


def _write_whole(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
