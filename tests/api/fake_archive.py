"""The verbs of docker cp, export and diff for the fake engine: a few paths, and what was put."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from sockerless.errors import NotFound, SystemFailure
from sockerless.types import Change
from sockerless.wire.agent_files import PathStat


class FakeArchive:
    """paths: what stands where, with its archive; breaks_after: pieces after which an archive fails; refusal: of puts
    (before anything is read); find is the engine's."""

    find: Any

    def __init__(self) -> None:
        super().__init__()
        self.paths: dict[str, tuple[PathStat, list[bytes]]] = {}
        self.breaks_after: int | None = None
        self.refusal: Exception | None = None
        self.put: list[tuple[str, bytes, bool, bool]] = []
        self.changed: list[Change] = []
        self.pieces_read = 0

    async def stat_path(self, reference: str, path: str) -> PathStat:
        self.find(reference)
        if path not in self.paths:
            raise NotFound(f"Could not find the file {path} in container {reference}")
        return self.paths[path][0]

    async def get_archive(self, reference: str, path: str) -> tuple[PathStat, AsyncGenerator[bytes]]:
        return await self.stat_path(reference, path), self._pieces(self.paths[path][1])

    async def put_archive(
        self, reference: str, path: str, content: AsyncIterator[bytes], keep_kinds: bool, copy_owner: bool
    ) -> None:
        self.find(reference)
        if self.refusal is not None:
            raise self.refusal
        received = b"".join([piece async for piece in content])
        self.put.append((path, received, keep_kinds, copy_owner))

    async def export(self, reference: str) -> AsyncGenerator[bytes]:
        self.find(reference)
        return self._pieces(self.paths["/"][1])

    async def changes(self, reference: str) -> list[Change]:
        self.find(reference)
        return self.changed

    async def _pieces(self, pieces: list[bytes]) -> AsyncGenerator[bytes]:
        for number, piece in enumerate(pieces):
            if number == self.breaks_after:
                raise SystemFailure("the connection to the container's agent broke")
            self.pieces_read += 1
            yield piece
