"""Tar headers as bytes: what archives of a container's files are made of.

Owns the entry's value and its encoding: ustar, with a PAX header before it only for what ustar cannot say. Names are
text whose undecodable bytes are surrogates (os.fsdecode). tar_decoder.py reads what this writes, and more.
Sources: POSIX.1-2017 pax, "ustar Interchange Format" and "pax Extended Header"; GNU tar's manual for what it adds.
"""

from __future__ import annotations

from dataclasses import dataclass, field

BLOCK_BYTES = 512
REGULAR, HARD_LINK, SYMLINK, CHARACTER, BLOCK, DIRECTORY, FIFO = b"0", b"1", b"2", b"3", b"4", b"5", b"6"
PAX, PAX_GLOBAL = b"x", b"g"
END = bytes(2 * BLOCK_BYTES)
"""What ends an archive."""
XATTR = "SCHILY.xattr."
"""Prefix of the PAX records that carry extended attributes, as star, GNU tar and Docker write them."""

_NAME_BYTES, _PREFIX_BYTES = 100, 155
_MAX_ID, _MAX_SIZE = 0o7777777, 0o77777777777
_NS = 10**9


class TarError(ValueError):
    """The archive is damaged; str() is what Go's archive/tar says of it."""


INVALID = "archive/tar: invalid tar header"
TOO_LONG = "archive/tar: header field too long"
CUT_OFF = "unexpected EOF"


@dataclass(slots=True)
class Entry:
    """One member of an archive.

    kind: a type flag as above, or another one as read. mode: permission bits, 0 to 0o7777. mtime_ns: since the epoch;
    atime_ns: the same, None when the archive does not say. size_bytes: of a regular file, holes included. link: the
    target of a symbolic or hard link. device: major and minor. extents: for a sparse file the (offset, length) of what
    the archive holds of it, in order; None for any other.
    """

    name: str
    kind: bytes = REGULAR
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    size_bytes: int = 0
    mtime_ns: int = 0
    link: str = ""
    device: tuple[int, int] = (0, 0)
    atime_ns: int | None = None
    xattrs: dict[str, bytes] = field(default_factory=dict)
    extents: list[tuple[int, int]] | None = None


def header(entry: Entry) -> bytes:
    """The blocks that stand before the entry's content. Times are cut to whole seconds, as Docker does."""
    name, prefix = _split(encoded(entry.name))
    link = encoded(entry.link)
    records = _records(entry, name, link)
    own = _block(entry, name[:_NAME_BYTES], prefix, link[:_NAME_BYTES])
    if not records:
        return own
    text = b"".join(_record(key, value) for key, value in records)
    extended = Entry("PaxHeaders.0/" + entry.name[-40:].rpartition("/")[2], PAX, size_bytes=len(text))
    return _block(extended, encoded(extended.name)[:_NAME_BYTES], b"", b"") + text + padding(len(text)) + own


def padding(size_bytes: int) -> bytes:
    """What fills the last block of content of this size."""
    return bytes(-size_bytes % BLOCK_BYTES)


def encoded(text: str) -> bytes:
    """A name's bytes."""
    return text.encode("utf-8", "surrogateescape")


def _split(name: bytes) -> tuple[bytes, bytes]:
    """Name and prefix of a ustar header; the whole name and no prefix when it has to stand in a PAX record."""
    if len(name) <= _NAME_BYTES or not name.isascii():
        return name, b""
    cut = name.find(b"/", max(len(name) - _NAME_BYTES - 1, 1))
    if not 0 < cut <= _PREFIX_BYTES or cut == len(name) - 1:
        return name, b""
    return name[cut + 1 :], name[:cut]


def _records(entry: Entry, name: bytes, link: bytes) -> list[tuple[bytes, bytes]]:
    """What ustar's fields cannot hold."""
    records: list[tuple[bytes, bytes]] = []
    if len(name) > _NAME_BYTES or not name.isascii():
        records.append((b"path", encoded(entry.name)))
    if len(link) > _NAME_BYTES or not link.isascii():
        records.append((b"linkpath", link))
    for key, number, most in (
        (b"uid", entry.uid, _MAX_ID),
        (b"gid", entry.gid, _MAX_ID),
        (b"size", entry.size_bytes, _MAX_SIZE),
        (b"mtime", entry.mtime_ns // _NS, _MAX_SIZE),
    ):
        if not 0 <= number <= most:
            records.append((key, str(number).encode()))
    records += [(encoded(XATTR + key), value) for key, value in sorted(entry.xattrs.items())]
    return records


def _record(key: bytes, value: bytes) -> bytes:
    """One PAX record: its own length in decimal, then key=value and a newline."""
    rest = b" " + key + b"=" + value + b"\n"
    length = len(rest) + len(str(len(rest)))
    length = len(rest) + len(str(length))
    return str(length).encode() + rest


def _block(entry: Entry, name: bytes, prefix: bytes, link: bytes) -> bytes:
    """The 512 bytes of a ustar header; numbers that do not fit are left 0, for a PAX record to say."""
    numbers = b"%07o\0%07o\0%07o\0%011o\0%011o\0" % (
        entry.mode & 0o7777,
        _fitting(entry.uid, _MAX_ID),
        _fitting(entry.gid, _MAX_ID),
        _fitting(entry.size_bytes, _MAX_SIZE),
        _fitting(entry.mtime_ns // _NS, _MAX_SIZE),
    )
    rest = b"%b%bustar\00000%b%07o\0%07o\0%b" % (
        entry.kind,
        link.ljust(_NAME_BYTES, b"\0"),
        bytes(64),
        _fitting(entry.device[0], _MAX_ID),
        _fitting(entry.device[1], _MAX_ID),
        prefix.ljust(_PREFIX_BYTES, b"\0"),
    )
    name = name.ljust(_NAME_BYTES, b"\0")
    checksum = sum(name) + sum(numbers) + sum(rest) + 8 * 32
    return b"%b%b%06o\0 %b" % (name, numbers, checksum, rest + bytes(12))


def _fitting(number: int, most: int) -> int:
    return number if 0 <= number <= most else 0
