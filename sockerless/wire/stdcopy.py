"""Docker's multiplexed stream: 8-byte headers [stream, 0, 0, 0, length as big-endian uint32], then the payload.

Owns the frame format of attach, exec and logs for containers without a terminal. Source: Engine API 1.44,
"Stream format" under POST /containers/{id}/attach.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
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


def encode_lines(stream: int, lines: Iterable[bytes]) -> bytes:
    """A frame for each line, with its newline behind it; no line may be longer than MAX_PAYLOAD with it."""
    return b"".join([_HEADER.pack(stream, len(line) + 1) + line + b"\n" for line in lines])


def complaint(sentence: str, *, tty: bool) -> bytes:
    """What the engine itself has to say in a client's stream: an error frame, or a line where there are no frames."""
    line = f"{sentence}\r\n".encode()
    return line if tty else encode(SYSTEM_ERROR, line)


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
