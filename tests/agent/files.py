"""A small client of FILES, and archives to give it."""

from __future__ import annotations

import asyncio
import io
import tarfile
from dataclasses import dataclass
from typing import Any

from sockerless.wire import agent as protocol
from sockerless.wire import agent_files as wire
from sockerless.wire.agent import STDIN_EOF
from tests.agent.container import AgentContainer

DEADLINE_S = 60.0


class Refusal(AssertionError):
    """The agent refused or failed; kind and message are its own."""

    def __init__(self, refused: wire.Refused) -> None:
        super().__init__(f"{refused.kind}: {refused.message}")
        self.kind, self.message = refused.kind, refused.message


@dataclass(frozen=True)
class Files:
    """A container's files through its agent; each call is a connection of its own."""

    container: AgentContainer

    async def stat(self, path: str) -> wire.PathStat:
        """What the agent says of a path."""
        ok, _ = await self.ask(wire.FilesRequest("stat", path))
        assert ok.stat is not None
        return ok.stat

    async def get(self, path: str) -> list[tarfile.TarInfo]:
        """The members of a path's archive."""
        return members(await self.bytes(path))

    async def bytes(self, path: str) -> bytes:
        """A path's archive."""
        return (await self.ask(wire.FilesRequest("get", path)))[1]

    async def put(self, path: str, archive: bytes, piece: int = 1 << 18, **options: Any) -> None:
        """Unpacks an archive into path."""
        pieces = [archive[start : start + piece] for start in range(0, len(archive), piece)]
        await self.ask(wire.FilesRequest("put", path, **options), pieces)

    async def ask(self, request: wire.FilesRequest, pieces: list[bytes] | None = None) -> tuple[wire.Ok, bytes]:
        """One operation to its end: the agent's answer and what it sent. Refusal when it refuses."""
        await (await self.container.control()).connection.close()
        received = bytearray()
        ok: wire.Ok | None = None
        async with asyncio.timeout(DEADLINE_S), self.container.dial(protocol.FILES) as connection:
            await connection.send(wire.encode_request(request))
            async for frame in connection:
                if isinstance(frame, bytes):
                    received += frame
                    continue
                match wire.decode(frame):
                    case wire.Refused() as refused:
                        raise Refusal(refused)
                    case wire.Ok() as ok:
                        for piece in pieces or []:
                            await connection.send(piece)
                        if pieces is not None:
                            await connection.send(STDIN_EOF)
                    case wire.Done():
                        assert ok is not None
                        return ok, bytes(received)
        raise AssertionError(f"the agent closed with {connection.close_code} without a result")


def members(archive: bytes) -> list[tarfile.TarInfo]:
    """What stands in an archive."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        return opened.getmembers()


def names(archive: list[tarfile.TarInfo]) -> list[str]:
    """The members' names."""
    return [member.name for member in archive]


def content(archive: bytes, name: str) -> bytes:
    """A file's content."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        file = opened.extractfile(name)
        assert file is not None
        return file.read()


def member(name: str, data: bytes = b"", **fields: Any) -> tuple[tarfile.TarInfo, bytes]:
    """One member for archive()."""
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for field, value in fields.items():
        setattr(info, field, value)
    return info, data


def archive(*entries: tuple[tarfile.TarInfo, bytes], format: int = tarfile.PAX_FORMAT) -> bytes:
    """An archive of members."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=format) as opened:
        for info, data in entries:
            opened.addfile(info, io.BytesIO(data))
    return buffer.getvalue()
