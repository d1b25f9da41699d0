"""Compressed streams opened as they come, in constant memory whatever they expand to.

Owns: members that follow each other, padding behind them, pieces of bounded size. compression.py owns the magic numbers
and the words for damage.
"""

from __future__ import annotations

import asyncio
import bz2
import lzma
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from typing import Any

from sockerless.errors import NotSupported
from sockerless.registry.compression import Compression, damage_translated, recognise

PIECE_BYTES = 1 << 19
_MAGIC_BYTES = 6
_GZIP_WINDOW = 31
"""zlib's wbits for a gzip stream."""
_MAKERS: dict[Compression, Callable[[], Any]] = {
    "gzip": lambda: zlib.decompressobj(_GZIP_WINDOW),
    "bzip2": bz2.BZ2Decompressor,
    "xz": lzma.LZMADecompressor,
}


class Expander:
    """One compressed stream of one or more members."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._member: Any = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What data expands to, in pieces of at most PIECE_BYTES."""
        while True:
            if self._member is None:
                data = data.lstrip(b"\0")
                if not data:
                    return
                self._member = self._make()
            piece = self._member.decompress(data, PIECE_BYTES)
            if piece:
                yield piece
            if self._member.eof:
                data, self._member = self._member.unused_data, None
            else:
                data = getattr(self._member, "unconsumed_tail", b"")
                if not data and len(piece) < PIECE_BYTES:
                    return

    def finish(self) -> None:
        """EOFError when the stream ended within a member."""
        if self._member is not None:
            raise EOFError("unexpected EOF")


async def decompressed(pieces: AsyncIterator[bytes], what: str) -> AsyncGenerator[bytes]:
    """The plain bytes of a stream that may be compressed; what begins the message about damage.

    NotSupported for zstd, InvalidParameter for damage.
    """
    head = b""
    async for piece in pieces:
        head += piece
        if len(head) >= _MAGIC_BYTES:
            break
    compression = recognise(head)
    if not compression:
        if head:
            yield head
        async for piece in pieces:
            yield piece
        return
    if compression == "zstd":
        raise NotSupported(
            f"{what} is compressed with zstd, which this Python cannot read: send it as plain tar or gzip"
        )
    with damage_translated(what):
        expander = Expander(_MAKERS[compression])
        async for piece in _expanded(expander, head):
            yield piece
        async for compressed in pieces:
            async for piece in _expanded(expander, compressed):
                yield piece
        expander.finish()


async def _expanded(expander: Expander, data: bytes) -> AsyncGenerator[bytes]:
    expanding = expander.feed(data)
    while piece := await asyncio.to_thread(next, expanding, b""):
        yield piece
