"""Reads the archives that `docker save` and OCI tools write.

Owns: both layouts of docker-archive (manifest.json beside layer directories, or over blobs/sha256) and the plain OCI
layout (index.json only); compression of the whole file; what an archive may not do. Knows no registry. Synchronous:
callers run it in a thread. Laws: nothing is ever extracted to a path the archive names; memory does not grow with a
layer; anything malformed is InvalidParameter.
Source: moby's image tarball format (image/spec v1.2) and OCI image-spec 1.1 (image-layout.md).
"""

from __future__ import annotations

import io
import json
import posixpath
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from sockerless.errors import InvalidParameter
from sockerless.registry import manifest
from sockerless.registry.compression import damage_translated, decompressed
from sockerless.registry.manifest import Manifest, Platform
from sockerless.registry.reference import Reference, parse
from sockerless.types import JsonObject

DOCUMENT_LIMIT_BYTES = 8 << 20
MEMBERS_LIMIT = 100_000
_LINKS_FOLLOWED = 8
_NAME_ANNOTATION = "io.containerd.image.name"


@dataclass(frozen=True, slots=True)
class ArchivedLayer:
    """A layer inside an archive: its member, its uncompressed tar's digest, the stored blob's digest if stated."""

    member: str
    diff_id: str
    digest: str = ""


@dataclass(frozen=True, slots=True)
class ArchivedImage:
    """An image inside an archive. id: "sha256:<digest of config>"; tags: normalised, each with its tag."""

    id: str
    config: bytes
    tags: tuple[Reference, ...]
    layers: tuple[ArchivedLayer, ...]
    oci: bool


class Archive:
    """An open archive: its images, and its layers as streams."""

    def __init__(self, members: dict[str, tarfile.TarInfo], file: tarfile.TarFile) -> None:
        self._members = members
        self._file = file

    @damage_translated("invalid archive")
    def images(self) -> list[ArchivedImage]:
        """Every image in the archive, in its order."""
        if "manifest.json" in self._members:
            return [self._docker_image(entry) for entry in _objects(self._json("manifest.json"), "manifest.json")]
        if "index.json" in self._members:
            return self._oci_images()
        raise InvalidParameter("not an image archive: it has neither manifest.json nor index.json")

    def open_layer(self, layer: ArchivedLayer) -> IO[bytes]:
        """The layer's stored bytes, compressed or not."""
        return self._open(layer.member)

    def _docker_image(self, entry: JsonObject) -> ArchivedImage:
        config = self._read(_text(entry.get("Config"), "Config"))
        members = [_text(layer, "Layers") for layer in _list(entry.get("Layers"), "Layers")]
        diff_ids = _diff_ids(config)
        if len(diff_ids) != len(members):
            raise InvalidParameter(
                f"invalid manifest, layers length mismatch: expected {len(diff_ids)}, got {len(members)}"
            )
        tags = [parse(_text(tag, "RepoTags")) for tag in _list(entry.get("RepoTags") or [], "RepoTags")]
        if not all(tag.tag for tag in tags):
            raise InvalidParameter("invalid tag: a name in RepoTags has no tag")
        layers = tuple(ArchivedLayer(member, diff_id) for member, diff_id in zip(members, diff_ids, strict=True))
        return ArchivedImage(manifest.sha256(config), config, tuple(tags), layers, oci=False)

    def _oci_images(self) -> list[ArchivedImage]:
        images: dict[str, ArchivedImage] = {}
        for entry in _objects(self._json("index.json").get("manifests"), "index.json"):
            found = self._resolve(entry)
            image = self._oci_image(found, _oci_tags(entry))
            known = images.get(image.id)
            images[image.id] = image if known is None else _with_tags(known, image.tags)
        return list(images.values())

    def _resolve(self, entry: JsonObject) -> Manifest:
        """The image manifest an index entry leads to, through at most one nested index."""
        found = self._manifest(entry)
        if found.is_list:
            chosen = manifest.choose(found, manifest.RUNNABLE)
            found = self._manifest(chosen.document())
        if found.is_list:
            raise InvalidParameter("invalid archive: an index inside an index's index")
        return found

    def _manifest(self, entry: JsonObject) -> Manifest:
        described = manifest.descriptor(entry)
        found = manifest.of_bytes(self._read(_blob(described.digest)), described.media_type)
        if found.digest != described.digest:
            raise InvalidParameter(f"invalid archive: manifest verification failed for digest {described.digest}")
        return found

    def _oci_image(self, found: Manifest, tags: tuple[Reference, ...]) -> ArchivedImage:
        named = manifest.parse_image(found)
        config = self._read(_blob(named.config.digest))
        if manifest.sha256(config) != named.config.digest:
            raise InvalidParameter(f"invalid archive: image verification failed for digest {named.config.digest}")
        diff_ids = _diff_ids(config)
        if len(diff_ids) != len(named.layers):
            raise InvalidParameter(
                f"invalid manifest, layers length mismatch: expected {len(diff_ids)}, got {len(named.layers)}"
            )
        layers = tuple(
            ArchivedLayer(_blob(layer.digest), diff_id, layer.digest)
            for layer, diff_id in zip(named.layers, diff_ids, strict=True)
        )
        return ArchivedImage(named.config.digest, config, tags, layers, oci=True)

    def _json(self, name: str) -> Any:
        try:
            return json.loads(self._read(name))
        except (ValueError, RecursionError) as error:
            raise InvalidParameter(f"invalid archive: {name}: {error}") from None

    def _read(self, name: str) -> bytes:
        member = self._member(name)
        if member.size > DOCUMENT_LIMIT_BYTES:
            raise InvalidParameter(f"invalid archive: {name} is longer than {DOCUMENT_LIMIT_BYTES} bytes")
        with self._open(name) as file:
            return file.read()

    def _open(self, name: str) -> IO[bytes]:
        file = self._file.extractfile(self._member(name))
        if file is None:
            raise InvalidParameter(f"invalid archive: {name} is not a file")
        return file

    def _member(self, name: str) -> tarfile.TarInfo:
        """The regular member of this name; links inside the archive (docker 20.10 writes them) are followed."""
        for _ in range(_LINKS_FOLLOWED):
            member = self._members.get(_normal(name))
            if member is None:
                raise InvalidParameter(f"invalid archive: {name} is missing")
            if member.isreg() and not member.issparse():
                return member
            if not member.issym() and not member.islnk():
                break
            name = posixpath.join(posixpath.dirname(name), member.linkname) if member.issym() else member.linkname
        raise InvalidParameter(f"invalid archive: {name} is not a file")


@contextmanager
def open_archive(path: Path, scratch: Path) -> Iterator[Archive]:
    """Opens an image archive; a compressed one is first decompressed into the scratch directory.

    Formats: tar, and tar in gzip, bzip2 or xz. InvalidParameter for everything malformed, truncated or hostile.
    """
    with (
        damage_translated("invalid archive"),
        decompressed(path, scratch) as plain,
        _BoundedReads(plain) as file,
        _open_tar(file) as tar,
    ):
        yield Archive({_normal(member.name): member for member in tar.getmembers()}, tar)


class _BoundedReads(io.BufferedReader):
    """A file that refuses huge reads: tarfile reads extended headers whole, however long they claim to be."""

    def __init__(self, path: Path) -> None:
        super().__init__(io.FileIO(path))

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or not 0 <= size <= DOCUMENT_LIMIT_BYTES:
            raise InvalidParameter("invalid archive: a header is too long")
        return super().read(size)


def _open_tar(file: io.BufferedReader) -> tarfile.TarFile:
    """The tar in file, all headers read and plausible: tarfile itself would follow a negative size back for ever."""
    length = file.seek(0, io.SEEK_END)
    file.seek(0)
    try:
        tar = tarfile.TarFile(fileobj=file)
        for count, member in enumerate(tar):
            if not 0 <= member.size <= length or count >= MEMBERS_LIMIT:
                raise InvalidParameter(f"invalid archive: it has over {MEMBERS_LIMIT} members, or one of a false size")
    except (ValueError, OverflowError) as error:  # what tarfile lets through of numbers in headers
        raise InvalidParameter(f"invalid archive: {error}") from error
    return tar


def _normal(name: str) -> str:
    """A member's name in one spelling; InvalidParameter for one that would leave the archive."""
    normal = posixpath.normpath(name)
    if normal.startswith(("/", "../")) or normal == "..":
        raise InvalidParameter(f"invalid archive: {name!r} leads outside of it")
    return normal


def _blob(digest: str) -> str:
    algorithm, _, encoded = digest.partition(":")
    return f"blobs/{algorithm}/{encoded}"


def _diff_ids(config: bytes) -> list[str]:
    document = manifest.decode(config, "image config")
    platform = manifest.config_platform(document)
    if Platform(platform.os, platform.architecture) not in manifest.RUNNABLE:
        raise InvalidParameter(f"cannot load {platform} image: AWS Fargate runs linux/amd64 and linux/arm64")
    rootfs = document.get("rootfs")
    if not isinstance(rootfs, dict):
        raise InvalidParameter("invalid image config: it has no rootfs")
    return [_text(diff_id, "rootfs.diff_ids") for diff_id in _list(rootfs.get("diff_ids") or [], "rootfs.diff_ids")]


def _oci_tags(entry: JsonObject) -> tuple[Reference, ...]:
    annotations = entry.get("annotations")
    name = annotations.get(_NAME_ANNOTATION) if isinstance(annotations, dict) else None
    return () if name is None else (parse(_text(name, _NAME_ANNOTATION)).with_default_tag(),)


def _with_tags(image: ArchivedImage, tags: tuple[Reference, ...]) -> ArchivedImage:
    return ArchivedImage(image.id, image.config, image.tags + tags, image.layers, image.oci)


def _objects(value: Any, what: str) -> list[JsonObject]:
    entries = _list(value, what)
    if not all(isinstance(entry, dict) for entry in entries):
        raise InvalidParameter(f"invalid archive: {what} does not list objects")
    return entries


def _list(value: Any, what: str) -> list[Any]:
    if not isinstance(value, list):
        raise InvalidParameter(f"invalid archive: {what} is not a list")
    return value


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise InvalidParameter(f"invalid archive: {what} is not text")
    return value
