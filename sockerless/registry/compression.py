"""Compressed tar streams: recognised by their first bytes, opened, and written the same way every time.

Owns: magic numbers, decompression of a file or stream, reproducible gzip, and what damage in them is called. Knows no
image. Synchronous.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Literal, Protocol, cast

from sockerless.errors import InvalidParameter, NotSupported


class Writable(Protocol):
    """What gzip needs of the file it writes to."""

    def write(self, data: bytes, /) -> object:
        """Takes all of data."""

    def flush(self) -> object:
        """Hands on what is buffered."""


Compression = Literal["", "gzip", "bzip2", "xz", "zstd"]

GZIP_LEVEL = 6
COPY_BYTES = 1 << 18
_MAGIC: tuple[tuple[bytes, Compression], ...] = (
    (b"\x1f\x8b\x08", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
)


def recognise(first_bytes: bytes) -> Compression:
    """The compression a stream begins with; "" for none of the known."""
    return next((name for magic, name in _MAGIC if first_bytes.startswith(magic)), "")


def recognise_stream(file: IO[bytes]) -> Compression:
    """The compression of a seekable stream that stands at its beginning, where it is left."""
    found = recognise(file.read(6))
    file.seek(0)
    return found


def decompressing(file: IO[bytes], compression: Compression) -> IO[bytes]:
    """The decompressed bytes of file; file itself when it is not compressed. NotSupported for zstd."""
    if compression == "gzip":
        return cast(IO[bytes], gzip.GzipFile(fileobj=file, mode="rb"))
    if compression == "bzip2":
        return cast(IO[bytes], bz2.BZ2File(file))
    if compression == "xz":
        return cast(IO[bytes], lzma.LZMAFile(file))
    if compression == "zstd":
        raise NotSupported(
            "the archive is compressed with zstd, which this Python cannot read: decompress it first "
            "(zstd -dc image.tar.zst | docker load)"
        )
    return file


def gzip_writer(file: Writable) -> gzip.GzipFile:
    """A gzip stream into file whose bytes depend on what is written only: no time, no name."""
    return gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=GZIP_LEVEL, mtime=0)


@contextmanager
def decompressed(path: Path, scratch: Path) -> Iterator[Path]:
    """The file itself, or a temporary decompressed copy of it in the scratch directory."""
    with path.open("rb") as file:
        compression = recognise_stream(file)
        if not compression:
            yield path
            return
        with tempfile.NamedTemporaryFile(dir=scratch, prefix="sockerless-load-") as plain:
            with decompressing(file, compression) as source:
                shutil.copyfileobj(source, plain, COPY_BYTES)
            plain.flush()
            yield Path(plain.name)


@contextmanager
def damage_translated(what: str) -> Iterator[None]:
    """Turns damage found while reading tar or compressed data into InvalidParameter; what begins the message."""
    try:
        yield
    except (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise InvalidParameter(f"{what}: {str(error) or type(error).__name__}") from error
    except OSError as error:
        if error.errno is not None:
            raise
        raise InvalidParameter(f"{what}: {error}") from error
