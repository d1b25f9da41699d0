"""Docker's multiplexed stream: 8-byte headers [stream, 0, 0, 0, length as big-endian uint32], then the payload.

Owns the frame format of attach, exec and logs for containers without a terminal. Source: Engine API 1.44,
"Stream format" under POST /containers/{id}/attach.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

STDIN, STDOUT, STDERR, SYSTEM_ERROR = 0, 1, 2, 3
_HEADER = struct.Struct(">BxxxI")
MAX_PAYLOAD = 64 * 1024


class Frame(NamedTuple):
    """One frame: the stream's number and its payload."""

    stream: int
    payload: bytes


def encode(stream: int, payload: bytes) -> bytes:
    """Frames of at most MAX_PAYLOAD bytes that carry payload; b"" for an empty payload."""
    if len(payload) <= MAX_PAYLOAD:
        return _HEADER.pack(stream, len(payload)) + payload if payload else b""
    view = memoryview(payload)
    return b"".join(
        encode(stream, bytes(view[start : start + MAX_PAYLOAD])) for start in range(0, len(payload), MAX_PAYLOAD)
    )


class Decoder:
    """Incremental decoder: feed() takes any split of the byte stream and returns the frames completed so far."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Frame]:
        """Frames that data completed. ValueError for a stream number above 3: that is not a multiplexed stream."""
        self._buffer += data
        frames: list[Frame] = []
        position = 0
        while len(self._buffer) - position >= _HEADER.size:
            stream, length = _HEADER.unpack_from(self._buffer, position)
            if stream > SYSTEM_ERROR:
                raise ValueError(f"not a multiplexed stream: stream number {stream}")
            end = position + _HEADER.size + length
            if len(self._buffer) < end:
                break
            frames.append(Frame(stream, bytes(self._buffer[position + _HEADER.size : end])))
            position = end
        del self._buffer[:position]
        return frames

    @property
    def pending(self) -> int:
        """Bytes of an unfinished frame still held."""
        return len(self._buffer)
