"""Assembles an image from a directory, in pure Python.

Owns: a reproducible one-layer OCI image: sorted entries, no times, no owners, so the same files give the same digests
on every machine. Knows no registry. Used by the kit for the agent's image.
Source: OCI image-spec 1.1 (layer.md, config.md).
"""

from __future__ import annotations

import json
import stat
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import IO, cast

from sockerless.errors import InvalidParameter
from sockerless.registry import manifest
from sockerless.registry.compression import gzip_writer
from sockerless.registry.layers import HashingWriter, LayerFile
from sockerless.registry.manifest import OCI_LAYER_GZIP, Descriptor

_EPOCH = "1970-01-01T00:00:00Z"
_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class BuiltImage:
    """An assembled image: its config document's bytes, and its layer in a temporary file."""

    config: bytes
    layer: LayerFile

    @property
    def id(self) -> str:
        """The image's id, "sha256:<digest of the config>"."""
        return manifest.sha256(self.config)


@contextmanager
def assemble(
    directory: Path,
    entrypoint: list[str],
    architecture: str,
    prefix_in_image: str,
    environment: Mapping[str, str] | None = None,
) -> Iterator[BuiltImage]:
    """An image holding the directory's content under prefix_in_image ("/opt/agent"), as a context.

    architecture: amd64 or arm64. Regular files, directories and symbolic links only (InvalidParameter for others);
    permission bits are kept, owners are 0:0. environment: what the image sets beside PATH. The layer's file is gone
    when the context ends.
    """
    with TemporaryDirectory(prefix="sockerless-image-") as scratch:
        layer, diff_id = _write_layer(directory, PurePosixPath(prefix_in_image), Path(scratch) / "layer.tar.gz")
        variables = [_PATH, *(f"{name}={value}" for name, value in (environment or {}).items())]
        config = {
            "created": _EPOCH,
            "architecture": architecture,
            "os": "linux",
            "config": {"Env": variables, "Entrypoint": entrypoint, "WorkingDir": "/"},
            "rootfs": {"type": "layers", "diff_ids": [diff_id]},
            "history": [{"created": _EPOCH, "created_by": "sockerless-kit"}],
        }
        yield BuiltImage(json.dumps(config, separators=(",", ":")).encode(), layer)


def _write_layer(directory: Path, prefix: PurePosixPath, path: Path) -> tuple[LayerFile, str]:
    """The gzip layer in a file, and the digest of its uncompressed tar."""
    with path.open("wb") as file:
        blob = HashingWriter(file)
        with gzip_writer(blob) as compressed:
            plain = HashingWriter(compressed)
            with tarfile.open(fileobj=cast(IO[bytes], plain), mode="w|", format=tarfile.PAX_FORMAT) as tar:
                _add_parents(tar, prefix)
                for source in sorted(directory.rglob("*"), key=lambda each: each.relative_to(directory).parts):
                    _add(tar, source, prefix / source.relative_to(directory).as_posix())
    return LayerFile(Descriptor(OCI_LAYER_GZIP, blob.digest, blob.size_bytes), path), plain.digest


def _add_parents(tar: tarfile.TarFile, prefix: PurePosixPath) -> None:
    for parent in [*reversed(prefix.parents), prefix]:
        name = str(parent).strip("/")
        if name not in {"", "."}:
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(entry)


def _add(tar: tarfile.TarFile, source: Path, target: PurePosixPath) -> None:
    status = source.lstat()
    entry = tarfile.TarInfo(str(target).strip("/"))
    entry.mode = stat.S_IMODE(status.st_mode)
    if stat.S_ISDIR(status.st_mode):
        entry.type = tarfile.DIRTYPE
        tar.addfile(entry)
    elif stat.S_ISLNK(status.st_mode):
        entry.type, entry.linkname, entry.mode = tarfile.SYMTYPE, str(source.readlink()), 0o777
        tar.addfile(entry)
    elif stat.S_ISREG(status.st_mode):
        entry.size = status.st_size
        with source.open("rb") as file:
            tar.addfile(entry, file)
    else:
        raise InvalidParameter(f"{source} is neither a file nor a directory nor a symbolic link")
