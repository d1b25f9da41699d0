"""Log pieces: how output is cut into lines, written to the archive, read back and shown as `docker logs` shows it.

Owns the archive's line format and Docker's log selection, shared by agent and daemon. Knows neither files nor
CloudWatch and reads no clock. One archive line, after the CRI log format of Kubernetes:

    2026-11-23T13:39:21.416310570Z stdout F content

TAG is F when the piece ends its line, P when it does not, with a suffix when content is not the bytes themselves:
`:cr` a carriage return followed (terminals end every line with one), `:b64` base64, used for bytes that are not
UTF-8 and for control characters other than tab and escape, which an archive may change. Lines of the stream
`agent` are the agent's own notices. Stamps of one container strictly increase.
"""

from __future__ import annotations

import re
import time
from base64 import b64decode, b64encode
from calendar import timegm
from collections import deque
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import count
from typing import NamedTuple

from sockerless.wire import stdcopy
from sockerless.wire.agent import LogQuery
from sockerless.wire.chunks import Chunk

MAX_PIECE_BYTES = 8 * 1024
"""Longest content of one piece: its archive line stays under Docker's 16 KiB even in base64."""
NOTICE = "agent"

_NAMES = {stdcopy.STDOUT: "stdout", stdcopy.STDERR: "stderr"}
_STREAMS = {name: stream for stream, name in _NAMES.items()}
_UNSAFE = re.compile(rb"[\x00-\x08\x0a-\x1a\x1c-\x1f\x7f]")
_UNSAFE_IN_LINES = re.compile(rb"[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f]")
_ARCHIVED = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{9})Z (stdout|stderr|agent) ([FP])(|:b64|:cr)(?: (.*))?", re.DOTALL
)
_NS = 1_000_000_000


class Piece(NamedTuple):
    """A line or part of one: its stream, stamp and bytes without the newline, and whether a newline followed."""

    stream: int
    time_ns: int
    data: bytes
    ends_line: bool


def chunk_of(piece: Piece) -> Chunk:
    """The chunk that is one piece."""
    return Chunk(piece.stream, piece.time_ns, piece.data + b"\n" if piece.ends_line else piece.data)


def pieces(stream: int, time_ns: int, chunk: bytes) -> Iterator[Piece]:
    """The pieces of bytes read at once, stamped time_ns, time_ns + 1 and so on."""
    stamps = count(time_ns)
    *lines, unfinished = chunk.split(b"\n")
    for line in lines:
        *parts, last = _cut(line)
        for part in parts:
            yield Piece(stream, next(stamps), part, False)
        yield Piece(stream, next(stamps), last, True)
    if unfinished:
        for part in _cut(unfinished):
            yield Piece(stream, next(stamps), part, False)


def count_pieces(chunk: bytes) -> int:
    """How many pieces, and so how many stamps, pieces() makes of chunk."""
    if len(chunk) <= MAX_PIECE_BYTES:
        return chunk.count(b"\n") + (not chunk.endswith(b"\n") and bool(chunk))
    return sum(1 for _ in pieces(0, 0, chunk))


def _cut(line: bytes) -> list[bytes]:
    """line in parts of at most MAX_PIECE_BYTES, not cut within a UTF-8 character if that can be avoided."""
    parts = []
    while len(line) > MAX_PIECE_BYTES:
        boundaries = (end for end in range(MAX_PIECE_BYTES, MAX_PIECE_BYTES - 4, -1) if line[end] & 0xC0 != 0x80)
        end = next(boundaries, MAX_PIECE_BYTES)
        parts.append(line[:end])
        line = line[end:]
    return [*parts, line]


@lru_cache(maxsize=64)
def _date(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


@lru_cache(maxsize=64)
def _seconds(date: str) -> int:
    return timegm(time.strptime(date, "%Y-%m-%dT%H:%M:%S"))


def timestamp(time_ns: int) -> str:
    """RFC 3339 in UTC with nine digits, as Docker prints it."""
    seconds, nanoseconds = divmod(time_ns, _NS)
    return f"{_date(seconds)}.{nanoseconds:09d}Z"


def archive_line(piece: Piece) -> bytes:
    """The archive's line for a piece, with its newline; under 16 KiB."""
    suffix, content = _encode(piece.data)
    head = f"{timestamp(piece.time_ns)} {_NAMES[piece.stream]} {'F' if piece.ends_line else 'P'}{suffix} "
    return head.encode() + content + b"\n"


def archive_lines(stream: int, time_ns: int, chunk: bytes) -> bytes:
    """archive_line() of every piece of chunk, joined; the common case, plain lines of UTF-8, is done in one go."""
    lines = chunk.split(b"\n")
    seconds, nanoseconds = divmod(time_ns, _NS)
    plain = not _UNSAFE_IN_LINES.search(chunk) and max(map(len, lines)) <= MAX_PIECE_BYTES
    if not plain or nanoseconds + len(lines) > _NS or not _is_utf8(chunk):
        return b"".join(archive_line(piece) for piece in pieces(stream, time_ns, chunk))
    unfinished = lines.pop()
    date, name = _date(seconds).encode(), _NAMES[stream].encode()
    done = [b"%s.%09dZ %s F %s\n" % (date, n, name, line) for n, line in enumerate(lines, nanoseconds)]
    if unfinished:
        done.append(b"%s.%09dZ %s P %s\n" % (date, nanoseconds + len(lines), name, unfinished))
    return b"".join(done)


def notice_line(time_ns: int, text: str) -> bytes:
    """The archive's line for a notice of the agent itself; text is one line, cut at the limit of a piece."""
    flat = " ".join(text.split()).encode()[:MAX_PIECE_BYTES].decode(errors="ignore")
    return f"{timestamp(time_ns)} {NOTICE} F {flat}\n".encode()


def parse_archive_line(line: str) -> Piece | None:
    """The piece in an archive line (with or without its newline), None for a notice, ValueError for anything else."""
    match = _ARCHIVED.fullmatch(line.removesuffix("\n"))
    if match is None:
        raise ValueError(f"not an archive line: {line[:100]!r}")
    date, nanoseconds, name, tag, suffix, content = match.groups(default="")
    time_ns = _seconds(date) * _NS + int(nanoseconds)
    if name == NOTICE:
        return None
    return Piece(_STREAMS[name], time_ns, _decode(suffix, content), tag == "F")


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _encode(data: bytes) -> tuple[str, bytes]:
    body, suffix = (data[:-1], ":cr") if data.endswith(b"\r") else (data, "")
    return (suffix, body) if not _UNSAFE.search(body) and _is_utf8(body) else (":b64", b64encode(data))


def _decode(suffix: str, content: str) -> bytes:
    if suffix == ":b64":
        return b64decode(content, validate=True)
    return content.encode() + (b"\r" if suffix == ":cr" else b"")


class Renderer:
    """Turns pieces into the bytes of a logs answer: selection, stamps at line starts, framing unless tty.

    A line is selected or not by its first piece. Tail is not applied here: see Tail.
    """

    def __init__(self, query: LogQuery, tty: bool) -> None:
        self._query = query
        self._tty = tty
        self._unfinished: dict[int, bool] = {}

    def feed(self, piece: Piece) -> bytes:
        """The answer's bytes for the next piece; b"" when it is not selected."""
        begins_line = piece.stream not in self._unfinished
        selected = self._selects(piece) if begins_line else self._unfinished[piece.stream]
        if piece.ends_line:
            self._unfinished.pop(piece.stream, None)
        else:
            self._unfinished[piece.stream] = selected
        if not selected:
            return b""
        text = piece.data + b"\n" if piece.ends_line else piece.data
        if begins_line and self._query.timestamps:
            text = f"{timestamp(piece.time_ns)} ".encode() + text
        return text if self._tty else stdcopy.encode(piece.stream, text)

    def render(self, chunks: Iterable[Chunk]) -> bytes:
        """The answer's bytes for the next chunks."""
        return b"".join(self._whole(chunk) or b"".join(map(self.feed, pieces(*chunk))) for chunk in chunks)

    def _whole(self, chunk: Chunk) -> bytes:
        """The bytes of a chunk whose every byte is shown as it is, in one go; b"" for any other chunk."""
        stream, time_ns, data = chunk
        query = self._query
        plain = not query.timestamps and not query.until_ns and time_ns >= query.since_ns
        if not plain or not self._wants(stream) or self._unfinished.get(stream) is False:
            return b""
        *lines, unfinished = data.split(b"\n")
        if max(map(len, (*lines, unfinished))) > MAX_PIECE_BYTES:
            return b""
        if unfinished:
            self._unfinished[stream] = True
        else:
            self._unfinished.pop(stream, None)
        if self._tty:
            return data
        return stdcopy.encode_lines(stream, lines) + stdcopy.encode(stream, unfinished)

    def is_past(self, time_ns: int) -> bool:
        """Whether everything stamped time_ns or later is beyond the query's until."""
        return 0 < self._query.until_ns < time_ns

    def _selects(self, piece: Piece) -> bool:
        return self._wants(piece.stream) and piece.time_ns >= self._query.since_ns and not self.is_past(piece.time_ns)

    def _wants(self, stream: int) -> bool:
        return self._query.stdout if stream == stdcopy.STDOUT else self._query.stderr


class Tail:
    """Keeps the pieces of the last lines, of both streams together: Docker counts before it selects."""

    def __init__(self, lines: int) -> None:
        self._lines = lines
        self._begun = 0
        self._line_of: dict[int, int] = {}
        self._kept: deque[tuple[int, Piece]] = deque()

    def feed(self, piece: Piece) -> None:
        """Takes the next piece and forgets what is no longer among the last lines."""
        line = self._line_of.get(piece.stream)
        if line is None:
            line = self._line_of[piece.stream] = self._begun
            self._begun += 1
        if piece.ends_line:
            del self._line_of[piece.stream]
        first = self._begun - self._lines
        if line >= first:
            self._kept.append((line, piece))
        while self._kept and self._kept[0][0] < first:
            self._kept.popleft()

    def pieces(self) -> Iterator[Piece]:
        """The pieces of the last lines, in the order they came."""
        first = self._begun - self._lines
        return (piece for line, piece in self._kept if line >= first)
