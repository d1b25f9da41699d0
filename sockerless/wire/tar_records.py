"""PAX records: what a PAX header says of the entry behind it.

Owns their syntax and which of an entry's fields they overrule. Source: POSIX.1-2017 pax, "pax Extended Header".
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from sockerless.wire import tar
from sockerless.wire.tar import INVALID, Entry, TarError
from sockerless.wire.tar_sparse import RepeatedRecords

_NS = 10**9


def parse(text: bytes) -> dict[str, bytes]:
    """The records of a PAX header. TarError for damage."""
    records: dict[str, bytes] = {}
    repeated = RepeatedRecords()
    position = 0
    while position < len(text):
        digits = text[position : position + 8].partition(b" ")[0]
        end = position + (int(digits) if digits.isdigit() else 0)
        key, separator, value = text[position + len(digits) + 1 : end - 1].partition(b"=")
        if end > len(text) or not separator or not key or text[end - 1 : end] != b"\n" or b"\0" in key:
            raise TarError(INVALID)
        name = key.decode("utf-8", "surrogateescape")
        if not repeated.takes(name, value):
            records[name] = value
        position = end
    return records | repeated.record()


def apply(entry: Entry, records: dict[str, bytes]) -> None:
    """Lets the records overrule the header; an empty value says nothing. TarError for damage."""
    for key, value in records.items():
        if key.startswith(tar.XATTR):
            entry.xattrs[key.removeprefix(tar.XATTR)] = value
        elif value and key in _RECORDS:
            attribute, parse = _RECORDS[key]
            try:
                setattr(entry, attribute, parse(value.decode("utf-8", "surrogateescape")))
            except (ValueError, ArithmeticError):
                raise TarError(INVALID) from None


def _name(text: str) -> str:
    if "\0" in text:
        raise ValueError("a name contains a NUL byte")
    return text


def _natural(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 19:
        raise ValueError(text)
    return int(text)


def _nanoseconds(text: str) -> int:
    if len(text) > 40:
        raise ValueError(text)
    return int(Decimal(text) * _NS)


_RECORDS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "path": ("name", _name),
    "linkpath": ("link", _name),
    "size": ("size_bytes", _natural),
    "uid": ("uid", _natural),
    "gid": ("gid", _natural),
    "mtime": ("mtime_ns", _nanoseconds),
    "atime": ("atime_ns", _nanoseconds),
}
