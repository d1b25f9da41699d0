"""Output as it was read: chunks, as the journal's file keeps them and as LOGS carries them.

Owns their format: a header of stream, stamp and length, then the bytes. Knows neither files nor sockets.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import NamedTuple

_HEADER = struct.Struct("<BQI")
HEADER_BYTES = _HEADER.size


class Chunk(NamedTuple):
    """Bytes read from the process at once, and the stamp of their first line."""

    stream: int
    time_ns: int
    data: bytes


def header(chunk: Chunk) -> bytes:
    """What stands before the chunk's bytes."""
    return _HEADER.pack(chunk.stream, chunk.time_ns, len(chunk.data))


def pack(chunks: Iterable[Chunk]) -> bytes:
    """The chunks behind each other."""
    return b"".join(part for chunk in chunks for part in (header(chunk), chunk.data))


def unpack(block: bytes, begin: int = 0) -> tuple[list[Chunk], int]:
    """The whole chunks from begin on, and where what follows them begins."""
    chunks = []
    while len(block) - begin >= HEADER_BYTES:
        stream, time_ns, length = _HEADER.unpack_from(block, begin)
        body = begin + HEADER_BYTES
        if body + length > len(block):
            break
        chunks.append(Chunk(stream, time_ns, block[body : body + length]))
        begin = body + length
    return chunks, begin


def length_of_first(block: bytes) -> int:
    """How many bytes the chunk is whose header begins block."""
    _, _, length = _HEADER.unpack_from(block)
    return HEADER_BYTES + int(length)
