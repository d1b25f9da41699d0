"""The journal: the container's output, kept in order in a bounded file, read by any number of cursors.

Owns its files (chunks exactly as read, in the format of wire/chunks.py), the strictly increasing stamps and the bound:
the oldest segment goes when the journal is over its size, unless a limited cursor has still to read it. A cursor
without a limit that falls behind the bound is told so: nothing is passed over in silence. Segments are unlinked as soon
as they are open, so nothing is left behind and no process of the container finds them by name. Knows no network.
"""

from __future__ import annotations

import asyncio
import errno
import os
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sockerless.wire import chunks as codec
from sockerless.wire.chunks import Chunk
from sockerless.wire.logs import count_pieces

SEGMENT_BYTES = 32 * 1024 * 1024
SEGMENTS = 8
READ_BYTES = 256 * 1024


class Dropped(Exception):
    """What the cursor would read next is no longer kept."""


@dataclass(slots=True)
class _Segment:
    descriptor: int
    start: int
    first_ns: int
    size: int = 0


class Cursor:
    """A reader's place. It slows the process while it is more than lag_limit bytes behind; None never does."""

    def __init__(self, journal: Journal, position: int, lag_limit: int | None) -> None:
        self._journal = journal
        self.lag_limit = lag_limit
        self.position = position

    def __enter__(self) -> Cursor:
        return self

    def __exit__(self, *_: object) -> None:
        self._journal.forget(self)

    def read(self, until: int | None = None) -> list[Chunk]:
        """The next chunks, about READ_BYTES of them, none at or beyond position until; empty at the end.

        Dropped when they are no longer kept, which happens to cursors without a limit only.
        """
        chunks, self.position = self._journal.read(self.position, until)
        if chunks:
            self._journal.reads += 1
            self._journal.relieve()
        return chunks

    def is_behind(self) -> bool:
        """Whether this cursor is further behind than it may be."""
        return self.lag_limit is not None and self._journal.end - self.position > self.lag_limit


class Journal:
    """Chunks by position: bytes since the agent's start, of which [start, end) are kept."""

    def __init__(self, directory: Path, segment_bytes: int = SEGMENT_BYTES, segments: int = SEGMENTS) -> None:
        self._directory = directory
        self._segment_bytes = segment_bytes
        self._segment_count = segments
        self._segments: deque[_Segment] = deque()
        self._cursors: set[Cursor] = set()
        self._waiting: set[asyncio.Future[None]] = set()
        self._next_ns = 0
        self._last = Chunk(0, 0, b"")
        self.end = 0
        self.reads = 0
        """How often any cursor has read something: a measure of progress."""
        self.when_relieved: Callable[[], None] = lambda: None
        """Called when a reader moved on: crowded() may have become false."""

    @property
    def start(self) -> int:
        """The oldest kept position."""
        return self._segments[0].start if self._segments else self.end

    @property
    def first_ns(self) -> int:
        """The oldest kept stamp once older output has been dropped, 0 while everything is kept."""
        if not self.start:
            return 0
        return self._segments[0].first_ns if self._segments else self.last_ns + 1

    @property
    def last_ns(self) -> int:
        """The stamp of the last piece ever kept, 0 when there was none."""
        return self._last.time_ns + count_pieces(self._last.data) - 1 if self._last.data else 0

    def append(self, stream: int, data: bytes) -> None:
        """Keeps bytes just read. Their stamp is now, or one more than the last piece's if the clock lags behind.

        OSError when the disk does not take them, even without the segments that every limited cursor has read; then
        everything is as before.
        """
        if not data:
            return
        chunk = Chunk(stream, max(time.time_ns(), self._next_ns), data)
        while True:
            try:
                self._write(chunk)
                break
            except OSError:
                if not self._drop_what_is_read():
                    raise
        self._next_ns = chunk.time_ns + len(data)
        self._last = chunk
        self.wake()

    def cursor(self, position: int | None = None, *, lag_limit: int | None = None) -> Cursor:
        """A new reader, at the first kept chunk from position on, or at the end. A context manager, or forget() it."""
        where = self.end if position is None else min(max(position, self.start), self.end)
        cursor = Cursor(self, where, lag_limit)
        self._cursors.add(cursor)
        return cursor

    def forget(self, cursor: Cursor) -> None:
        """Ends a reader: it no longer slows the process."""
        self._cursors.discard(cursor)
        self.relieve()

    def crowded(self) -> bool:
        """Whether a reader is so far behind that the process must wait."""
        return any(cursor.is_behind() for cursor in self._cursors)

    def relieve(self) -> None:
        """Tells the writer that a reader moved on."""
        self.when_relieved()

    def read(self, position: int, until: int | None = None) -> tuple[list[Chunk], int]:
        """Chunks from position on, and the position after them. Dropped when they are no longer kept."""
        if position < self.start:
            raise Dropped
        stop = self.end if until is None else min(until, self.end)
        segment = next((s for s in self._segments if s.start <= position < s.start + s.size), None)
        if segment is None or position >= stop:
            return [], position
        block = os.pread(segment.descriptor, min(READ_BYTES, stop - position), position - segment.start)
        chunks, used = codec.unpack(block)
        if not chunks:
            block = os.pread(segment.descriptor, codec.length_of_first(block), position - segment.start)
            chunks, used = codec.unpack(block)
        return chunks, position + used

    async def changed(self) -> None:
        """Returns at the next wake()."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            await future
        finally:
            self._waiting.discard(future)

    def wake(self) -> None:
        """Wakes every reader that waits: there is more, or there will be no more."""
        for future in self._waiting:
            if not future.done():
                future.set_result(None)

    def _write(self, chunk: Chunk) -> None:
        """Writes a chunk whole, or leaves everything as it was."""
        header = codec.header(chunk)
        segment = self._segment_for(chunk.time_ns)
        length = os.writev(segment.descriptor, [header, chunk.data])
        if length != len(header) + len(chunk.data):
            os.ftruncate(segment.descriptor, segment.size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        segment.size += length
        self.end += length

    def _drop_what_is_read(self) -> bool:
        """Drops the oldest segment if no limited cursor still needs it."""
        if not self._segments:
            return False
        end = self._segments[0].start + self._segments[0].size
        if any(cursor.lag_limit is not None and cursor.position < end for cursor in self._cursors):
            return False
        os.close(self._segments.popleft().descriptor)
        return True

    def _segment_for(self, time_ns: int) -> _Segment:
        if not self._segments or self._segments[-1].size >= self._segment_bytes:
            self._segments.append(_Segment(_unlinked_file(self._directory), self.end, time_ns))
            while len(self._segments) > self._segment_count and self._drop_what_is_read():
                pass
        return self._segments[-1]


def _unlinked_file(directory: Path) -> int:
    path = directory / f"journal-{os.getpid()}-{time.monotonic_ns()}"
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    os.unlink(path)
    return descriptor
