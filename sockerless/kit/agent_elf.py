"""ELF as far as the agent's bundle needs it: a binary's loader, the libraries it loads, and what is not loaded at all.

Knows nothing of Python or of the bundle's layout. Source: elf(5), ld.so(8).
"""

from __future__ import annotations

import re
import struct
import subprocess
from pathlib import Path

from sockerless.errors import NotSupported

_PT_LOAD, _PT_INTERP = 1, 3
_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_PROGRAM = struct.Struct("<IIQQQQQQ")
_LISTED = re.compile(r"^\s*(\S+) => (/\S+) \(0x", re.MULTILINE)


def loader_of(binary: Path) -> Path:
    """The dynamic loader that binary asks for. NotSupported when it is static or not 64-bit little-endian ELF."""
    content = binary.read_bytes()
    for kind, offset, size in _segments(content, binary):
        if kind == _PT_INTERP:
            return Path(content[offset : offset + size].rstrip(b"\0").decode())
    raise NotSupported(f"{binary} is statically linked: build the agent's bundle with a dynamically linked Python")


def libraries_of(binary: Path, loader: Path) -> dict[str, Path]:
    """Every library that loader would load for binary, directly or not: its name and its file."""
    listing = subprocess.run([loader, "--list", binary], capture_output=True, text=True, check=False)
    if listing.returncode != 0:
        raise NotSupported(f"{loader} cannot load {binary}: {listing.stderr.strip() or listing.stdout.strip()}")
    return {name: Path(path) for name, path in _LISTED.findall(listing.stdout) if not name.startswith("/")}


def without_sections(content: bytes, name: Path) -> bytes:
    """An ELF file cut after the last byte that is ever loaded: no symbols, no debugging data, no section table."""
    end = max(offset + size for kind, offset, size in _segments(content, name) if kind == _PT_LOAD)
    fields = list(_HEADER.unpack_from(content))
    fields[6] = fields[12] = fields[13] = 0
    return _HEADER.pack(*fields) + content[_HEADER.size : end]


def is_elf(content: bytes) -> bool:
    """Whether content is a 64-bit little-endian ELF file."""
    return content[:6] == b"\x7fELF\x02\x01"


def _segments(content: bytes, name: Path) -> list[tuple[int, int, int]]:
    """Each segment's kind, file offset and size in the file."""
    if not is_elf(content):
        raise NotSupported(f"{name} is not a 64-bit little-endian ELF file")
    fields = _HEADER.unpack_from(content)
    table, entry_size, entries = fields[5], fields[9], fields[10]
    segments = (_PROGRAM.unpack_from(content, table + number * entry_size) for number in range(entries))
    return [(segment[0], segment[2], segment[5]) for segment in segments]
