"""Sparse files in tar archives: which parts of a file the archive holds, in GNU tar's four ways of saying so.

Owns the maps: the old header type S with its extension blocks, PAX 0.0 and 0.1 (records), PAX 1.0 (a map before the
content). Source: GNU tar's manual, "Storing Sparse Files"; the bounds are those of Go's archive/tar.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

from sockerless.wire import tar
from sockerless.wire.tar import BLOCK_BYTES, INVALID, Entry, TarError

OLD_GNU = b"S"
MAX_MAP_BYTES = 1 << 20
_PREFIX = "GNU.sparse."
_TOO_LONG = "archive/tar: sparse map too long"
_PAIR_BYTES, _FIELD_BYTES = 24, 12
_OLD_MAP, _OLD_EXTENDED, _OLD_REAL_SIZE = slice(386, 482), 482, slice(483, 495)
_MAX_OFFSET = 1 << 62


class Placement:
    """Where the pieces of an entry's content belong in the file."""

    def __init__(self, extents: list[tuple[int, int]] | None) -> None:
        self._extents = None if extents is None else iter(extents)
        self._offset = 0
        self._left = 0

    def place(self, piece: memoryview) -> Iterator[tuple[int, memoryview]]:
        """The next bytes of content with their offsets."""
        if self._extents is None:
            yield self._offset, piece
            self._offset += len(piece)
            return
        while piece:
            while not self._left:
                self._offset, self._left = next(self._extents)
            part, piece = piece[: self._left], piece[self._left :]
            yield self._offset, part
            self._offset += len(part)
            self._left -= len(part)


class MapReader(ABC):
    """A sparse entry whose map may still be coming. stored_left: bytes of content and rest of map behind the map."""

    def __init__(self, entry: Entry, real_size_bytes: int, stored_bytes: int) -> None:
        self.entry = entry
        self.complete = False
        self.stored_left = stored_bytes
        self._real_size_bytes = real_size_bytes
        self._numbers: list[int] = []

    @abstractmethod
    def feed(self, block: bytes) -> bool:
        """Takes the next block of the map; whether it is complete now. TarError for damage."""

    def _complete(self, numbers: list[int]) -> None:
        """Sets the entry's extents and real size once all numbers are there."""
        if len(numbers) % 2:
            raise TarError(INVALID)
        extents = list(zip(numbers[::2], numbers[1::2], strict=True))
        end = 0
        for offset, length in extents:
            if not end <= offset <= _MAX_OFFSET or not 0 <= length <= _MAX_OFFSET:
                raise TarError(INVALID)
            end = offset + length
        if end > self._real_size_bytes:
            raise TarError(INVALID)
        self.entry.kind = tar.REGULAR
        self.entry.size_bytes = self._real_size_bytes
        self.entry.extents = [extent for extent in extents if extent[1]]
        self.complete = True


class OldGnuMap(MapReader):
    """Four pairs in the header, 21 in each extension block."""

    def __init__(self, entry: Entry, block: bytes) -> None:
        super().__init__(entry, _octal(block[_OLD_REAL_SIZE]), entry.size_bytes)
        self._pairs(block[_OLD_MAP])
        if not block[_OLD_EXTENDED]:
            self._complete(self._numbers)

    def feed(self, block: bytes) -> bool:
        """Takes an extension block."""
        self._pairs(block[: 21 * _PAIR_BYTES])
        if len(self._numbers) * _FIELD_BYTES > MAX_MAP_BYTES:
            raise TarError(_TOO_LONG)
        if not block[21 * _PAIR_BYTES]:
            self._complete(self._numbers)
        return self.complete

    def _pairs(self, raw: bytes) -> None:
        for start in range(0, len(raw), _PAIR_BYTES):
            pair = raw[start : start + _PAIR_BYTES]
            if not pair[0]:
                return
            self._numbers += (_octal(pair[:_FIELD_BYTES]), _octal(pair[_FIELD_BYTES:]))


class RecordsMap(MapReader):
    """PAX 0.0 and 0.1: the map stands in the records, all of the content behind the header."""

    def __init__(self, entry: Entry, real_size_bytes: int, map_text: str) -> None:
        super().__init__(entry, real_size_bytes, entry.size_bytes)
        self._complete([_decimal(text) for text in map_text.split(",")] if map_text else [])

    def feed(self, block: bytes) -> bool:
        """Takes no block: nothing of the map comes after the records."""
        raise TarError(INVALID)


class BlocksMap(MapReader):
    """PAX 1.0: the number of pairs and the pairs, in decimal lines, fill the first blocks of the content."""

    def __init__(self, entry: Entry, real_size_bytes: int) -> None:
        super().__init__(entry, real_size_bytes, entry.size_bytes)
        self._line = b""
        self._wanted: int | None = None
        self._text_bytes = 0

    def feed(self, block: bytes) -> bool:
        """Takes a block of the map."""
        self.stored_left -= BLOCK_BYTES
        self._text_bytes += BLOCK_BYTES
        if self._text_bytes > MAX_MAP_BYTES or self.stored_left < 0:
            raise TarError(_TOO_LONG)
        *lines, self._line = (self._line + block).split(b"\n")
        for line in lines:
            number = _decimal(line.decode("ascii", "replace"))
            if self._wanted is None:
                self._wanted = 2 * number
            else:
                self._numbers.append(number)
        if self._wanted is not None and len(self._numbers) >= self._wanted:
            self._complete(self._numbers[: self._wanted])
        return self.complete


def map_reader(entry: Entry, records: dict[str, bytes], block: bytes) -> MapReader | None:
    """What reads the map of an entry; None for one that is not sparse. TarError for damage."""
    if entry.kind == OLD_GNU:
        return OldGnuMap(entry, block)
    known = {
        key.removeprefix(_PREFIX): value.decode("utf-8", "surrogateescape")
        for key, value in records.items()
        if key.startswith(_PREFIX)
    }
    if entry.kind != tar.REGULAR or not known.keys() & {"major", "map"}:
        return None
    entry.name = known.get("name", entry.name)
    if "map" in known:
        return RecordsMap(entry, _decimal(known.get("size", "")), known["map"])
    if (known["major"], known.get("minor")) != ("1", "0"):
        return None
    return BlocksMap(entry, _decimal(known.get("realsize", "")))


class RepeatedRecords:
    """The records of PAX 0.0, which repeats offset and numbytes; together they are 0.1's map."""

    def __init__(self) -> None:
        self._numbers: list[bytes] = []

    def takes(self, key: str, value: bytes) -> bool:
        """Whether the record is one of them."""
        if key not in (_PREFIX + "offset", _PREFIX + "numbytes"):
            return False
        self._numbers.append(value)
        return True

    def record(self) -> dict[str, bytes]:
        """The map's record, if there was any."""
        return {_PREFIX + "map": b",".join(self._numbers)} if self._numbers else {}


def _octal(raw: bytes) -> int:
    if raw[0] & 0x80:
        return int.from_bytes(raw, "big") & ((1 << (8 * len(raw) - 1)) - 1)
    digits = raw.partition(b"\0")[0].strip()
    if digits and not (digits.isdigit() and b"8" not in digits and b"9" not in digits):
        raise TarError(INVALID)
    return int(digits, 8) if digits else 0


def _decimal(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 19:
        raise TarError(INVALID)
    return int(text)
