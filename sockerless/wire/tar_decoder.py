"""Tar archives decoded as they come: feed() takes any split of the bytes and gives entries and their content.

Owns the formats that clients send: ustar, PAX, GNU's long names, V7. Memory is bounded whatever an archive claims.
tar_sparse.py owns sparse files. Knows no file system: names are as they stand in the archive, hostile ones too.
Sources: POSIX.1-2017 pax; GNU tar's manual; the words for damage and the bounds are those of Go's archive/tar.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from sockerless.wire import tar, tar_records, tar_sparse
from sockerless.wire.tar import BLOCK_BYTES, CUT_OFF, INVALID, TOO_LONG, Entry, TarError

MAX_SPECIAL_BYTES = 1 << 20
"""Longest PAX header or long name."""
HEADER_ONLY = frozenset({tar.HARD_LINK, tar.SYMLINK, tar.CHARACTER, tar.BLOCK, tar.DIRECTORY, tar.FIFO})
_LONG_NAME, _LONG_LINK = b"L", b"K"
_SPECIAL = frozenset({tar.PAX, tar.PAX_GLOBAL, _LONG_NAME, _LONG_LINK})
_EMPTY = bytes(BLOCK_BYTES)
_FIELDS = struct.Struct("100s8s8s8s12s12s8sc100s8s32s32s8s8s155s12s")
_NS = 10**9


@dataclass(frozen=True, slots=True)
class Begin:
    """An entry begins. Its Data follow, then its End."""

    entry: Entry


@dataclass(frozen=True, slots=True)
class Data:
    """A piece of the entry's content, and where it belongs in the file."""

    offset: int
    data: memoryview


@dataclass(frozen=True, slots=True)
class End:
    """The entry is complete."""


Event = Begin | Data | End
_END = End()


class TarDecoder:
    """One archive. Iterate over each feed() to its end before the next; then finish()."""

    def __init__(self) -> None:
        self._pending = b""
        self._special = bytearray()
        self._special_kind = b""
        self._special_left = 0
        self._records: dict[str, bytes] = {}
        self._long: dict[str, bytes] = {}
        self._placed = tar_sparse.Placement(None)
        self._left = 0
        self._skip = 0
        self._sparse: tar_sparse.MapReader | None = None
        self._ended = False

    def feed(self, data: bytes) -> Iterator[Event]:
        """The events in data. TarError for damage."""
        view = memoryview(self._pending + data if self._pending else data)
        self._pending = b""
        position = 0
        while position < len(view) and not self._ended:
            if self._left:
                piece = view[position : position + self._left]
                self._left -= len(piece)
                position += len(piece)
                yield from (Data(offset, part) for offset, part in self._placed.place(piece))
                if not self._left:
                    yield _END
            elif self._special_left:
                piece = view[position : position + self._special_left]
                self._special += piece
                self._special_left -= len(piece)
                position += len(piece)
                if not self._special_left:
                    self._apply_special()
            elif self._skip:
                passed = min(self._skip, len(view) - position)
                self._skip -= passed
                position += passed
            elif len(view) - position < BLOCK_BYTES:
                self._pending = bytes(view[position:])
                return
            else:
                yield from self._block(bytes(view[position : position + BLOCK_BYTES]))
                position += BLOCK_BYTES

    def finish(self) -> None:
        """The archive's bytes are over. TarError when they end within an entry; a missing end mark is no damage."""
        unfinished = (self._pending, self._left, self._special_left, self._sparse, self._records, self._long)
        if not self._ended and any(unfinished):
            raise TarError(CUT_OFF)

    def _block(self, block: bytes) -> Iterator[Event]:
        """A header, or a block of a sparse file's map."""
        if self._sparse is not None:
            if self._sparse.feed(block):
                yield from self._begin_sparse(self._sparse)
            return
        if block == _EMPTY:
            self._ended = True
            return
        entry = _parse(block)
        if entry.kind in _SPECIAL:
            self._begin_special(entry)
            return
        records = self._long | self._records
        self._long, self._records = {}, {}
        tar_records.apply(entry, records)
        if entry.kind in HEADER_ONLY:
            entry.size_bytes = 0
        self._sparse = tar_sparse.map_reader(entry, records, block)
        if self._sparse is None:
            yield from self._begin(entry, entry.size_bytes)
        elif self._sparse.complete:
            yield from self._begin_sparse(self._sparse)

    def _begin_sparse(self, sparse: tar_sparse.MapReader) -> Iterator[Event]:
        self._sparse = None
        entry = sparse.entry
        yield from self._begin(entry, sum(length for _, length in entry.extents or ()), sparse.stored_left)

    def _begin(self, entry: Entry, content_bytes: int, stored_bytes: int | None = None) -> Iterator[Event]:
        """content_bytes follow, within stored_bytes and their padding."""
        stored = content_bytes if stored_bytes is None else stored_bytes
        if stored < content_bytes:
            raise TarError(INVALID)
        self._left = content_bytes
        self._skip = stored - content_bytes + (-stored % BLOCK_BYTES)
        self._placed = tar_sparse.Placement(entry.extents)
        yield Begin(entry)
        if not self._left:
            yield _END

    def _begin_special(self, entry: Entry) -> None:
        if entry.size_bytes > MAX_SPECIAL_BYTES:
            raise TarError(TOO_LONG)
        self._special, self._special_kind = bytearray(), entry.kind
        self._special_left = entry.size_bytes
        self._skip = -entry.size_bytes % BLOCK_BYTES
        if not entry.size_bytes:
            self._apply_special()

    def _apply_special(self) -> None:
        """What a special entry says of the next one. Global PAX headers are left out, as Docker does."""
        special, self._special = bytes(self._special), bytearray()
        if self._special_kind == tar.PAX:
            self._records = tar_records.parse(special)
        elif self._special_kind != tar.PAX_GLOBAL:
            key = "path" if self._special_kind == _LONG_NAME else "linkpath"
            self._long[key] = special.partition(b"\0")[0]


def _parse(block: bytes) -> Entry:
    """One header block; TarError when it is none."""
    (name, mode, uid, gid, size, mtime, checksum, kind, link, magic, _, _, major, minor, prefix, _) = _FIELDS.unpack(
        block
    )
    if _number(checksum) != sum(block) - sum(checksum) + 8 * 32:
        raise TarError(INVALID)
    path = _text(name)
    if magic.startswith(b"ustar\x00") and prefix[0]:
        path = f"{_text(prefix)}/{path}"
    if kind == b"\0":
        kind = tar.DIRECTORY if path.endswith("/") else tar.REGULAR
    size_bytes = _number(size)
    if size_bytes < 0:
        raise TarError(INVALID)
    device = (_number(major), _number(minor)) if kind in {tar.CHARACTER, tar.BLOCK} else (0, 0)
    return Entry(
        name=path,
        kind=kind,
        mode=_number(mode) & 0o7777,
        uid=_number(uid),
        gid=_number(gid),
        size_bytes=size_bytes,
        mtime_ns=_number(mtime) * _NS,
        link=_text(link),
        device=device,
    )


def _text(raw: bytes) -> str:
    return raw.partition(b"\0")[0].decode("utf-8", "surrogateescape")


def _number(raw: bytes) -> int:
    """A numeric field: octal digits, or GNU's two's complement in base 256."""
    if raw[0] & 0x80:
        value = int.from_bytes(raw, "big") & ((1 << (8 * len(raw) - 1)) - 1)
        return value - (1 << (8 * len(raw) - 1)) if raw[0] & 0x40 else value
    digits = raw.partition(b"\0")[0].strip(b" \0")
    try:
        return int(digits, 8) if digits else 0
    except ValueError:
        raise TarError(INVALID) from None
