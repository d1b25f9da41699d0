"""Manifests, indexes and image configs as values. Pure.

Owns: media types (Docker v2 and OCI), the reading of manifests and the choice of a platform's manifest. Knows no
network. Source: OCI image-spec 1.1 (manifest.md, image-index.md) and Docker image manifest version 2, schema 2.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from sockerless.errors import InvalidParameter, NotFound, NotSupported
from sockerless.registry.reference import check_digest
from sockerless.types import JsonObject

DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER_GZIP = "application/vnd.docker.image.rootfs.diff.tar.gzip"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER_GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"
OCI_LAYER_ZSTD = "application/vnd.oci.image.layer.v1.tar+zstd"

ACCEPTED = (DOCKER_MANIFEST, DOCKER_LIST, OCI_MANIFEST, OCI_INDEX)
_LISTS = (DOCKER_LIST, OCI_INDEX)
_SCHEMA1 = "application/vnd.docker.distribution.manifest.v1"
_CONFIGS = (DOCKER_CONFIG, OCI_CONFIG)


@dataclass(frozen=True, slots=True)
class Descriptor:
    """What a manifest says of one blob or manifest it names."""

    media_type: str
    digest: str
    size_bytes: int

    def document(self) -> JsonObject:
        """The descriptor as it stands in a manifest."""
        return {"mediaType": self.media_type, "size": self.size_bytes, "digest": self.digest}


@dataclass(frozen=True, slots=True)
class Platform:
    """An image platform; variant "" means any."""

    os: str
    architecture: str
    variant: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)


AMD64 = Platform("linux", "amd64")
ARM64 = Platform("linux", "arm64")
RUNNABLE = (AMD64, ARM64)
"""What Fargate's Linux tasks run (runtimePlatform X86_64 and ARM64), in order of preference."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest's very bytes, its media type and the digest of those bytes."""

    media_type: str
    body: bytes
    digest: str

    @property
    def is_list(self) -> bool:
        """Whether this is a Docker manifest list or an OCI index."""
        return self.media_type in _LISTS

    @property
    def descriptor(self) -> Descriptor:
        """What names this manifest elsewhere."""
        return Descriptor(self.media_type, self.digest, len(self.body))


@dataclass(frozen=True, slots=True)
class ImageManifest:
    """What an image manifest names: its config and its layers, base first."""

    config: Descriptor
    layers: tuple[Descriptor, ...]

    @property
    def layers_bytes(self) -> int:
        """The layers' size as stored in the registry (compressed)."""
        return sum(layer.size_bytes for layer in self.layers)


def sha256(data: bytes) -> str:
    """The digest of data, "sha256:<hex>"."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def of_bytes(body: bytes, content_type: str) -> Manifest:
    """The manifest in body; its own mediaType wins over the Content-Type. InvalidParameter when it is none."""
    document = decode(body, "manifest")
    stated = document.get("mediaType") or content_type.partition(";")[0].strip()
    if document.get("schemaVersion") == 1 or stated.startswith(_SCHEMA1):
        raise NotSupported(
            "Docker Image manifest version 2, schema 1 is not supported: push the image again with a present-day "
            "docker, which writes schema 2 or OCI manifests"
        )
    if stated not in ACCEPTED:
        stated = _guess(document)
    return Manifest(stated, body, sha256(body))


def parse_image(manifest: Manifest) -> ImageManifest:
    """The config and layers an image manifest names; InvalidParameter for anything that is not an image."""
    document = decode(manifest.body, "manifest")
    config = descriptor(document.get("config"))
    if config.media_type not in _CONFIGS:
        raise InvalidParameter(f'Encountered remote "{config.media_type}"(unknown) when fetching')
    layers = document.get("layers")
    if not isinstance(layers, list):
        raise InvalidParameter("invalid manifest: it names no layers")
    return ImageManifest(config, tuple(descriptor(layer) for layer in layers))


def choose(manifest: Manifest, wanted: tuple[Platform, ...]) -> Descriptor:
    """The entry of a list for the first of the wanted platforms it has; NotFound in Docker's words when none."""
    entries = decode(manifest.body, "manifest list").get("manifests")
    if not isinstance(entries, list):
        raise InvalidParameter("invalid manifest list: it names no manifests")
    for platform in wanted:
        for entry in entries:
            if isinstance(entry, dict) and _entry_matches(entry, platform):
                return descriptor(entry)
    raise NotFound(f"no matching manifest for {wanted[0]} in the manifest list entries")


def wanted_platforms(text: str, preferred: Platform = AMD64) -> tuple[Platform, ...]:
    """The platforms a client's platform parameter allows; "" allows everything Fargate runs, the preferred first."""
    if not text:
        return tuple(sorted(RUNNABLE, key=lambda platform: platform != preferred))
    parts = text.lower().split("/")
    if len(parts) == 1:
        parts = ["linux", *parts] if parts != ["linux"] else ["linux", "amd64"]
    architecture = {"x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64"}.get(parts[1], parts[1])
    platform = Platform(parts[0], architecture)
    variant = "".join(parts[2:])
    if platform not in RUNNABLE or variant not in {"", "v8" if architecture == "arm64" else ""}:
        raise NotSupported(f"platform {text} is not supported on AWS Fargate: use linux/amd64 or linux/arm64")
    return (platform,)


def config_platform(config: JsonObject) -> Platform:
    """The platform an image config states; variants are dropped, a missing os is linux (as in old images)."""
    return Platform(str(config.get("os") or "linux"), str(config.get("architecture") or "amd64"))


def descriptor(document: Any) -> Descriptor:
    """A descriptor from its JSON object; InvalidParameter when it is malformed."""
    if not isinstance(document, dict):
        raise InvalidParameter("invalid manifest: a descriptor is not an object")
    media_type, digest, size = (document.get(key) for key in ("mediaType", "digest", "size"))
    if not isinstance(media_type, str) or not isinstance(digest, str):
        raise InvalidParameter("invalid manifest: a descriptor lacks its mediaType or digest")
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise InvalidParameter("invalid manifest: a descriptor lacks its size")
    return Descriptor(media_type, check_digest(digest), size)


def decode(body: bytes, what: str) -> JsonObject:
    """body as a JSON object; InvalidParameter names what it should have been."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidParameter(f"invalid {what}: {error}") from None
    if not isinstance(document, dict):
        raise InvalidParameter(f"invalid {what}: not a JSON object")
    return document


def compose(config: Descriptor, layers: tuple[Descriptor, ...]) -> Manifest:
    """The image manifest that names these blobs, OCI or Docker after its config; the same input, the same bytes."""
    media_type = OCI_MANIFEST if config.media_type == OCI_CONFIG else DOCKER_MANIFEST
    document = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "config": config.document(),
        "layers": [layer.document() for layer in layers],
    }
    body = json.dumps(document, separators=(",", ":")).encode()
    return Manifest(media_type, body, sha256(body))


def _guess(document: JsonObject) -> str:
    """OCI allows a document without mediaType, and some registries answer a general Content-Type."""
    if isinstance(document.get("manifests"), list):
        return OCI_INDEX
    config = document.get("config")
    if isinstance(config, dict) and isinstance(document.get("layers"), list):
        return DOCKER_MANIFEST if config.get("mediaType") == DOCKER_CONFIG else OCI_MANIFEST
    raise InvalidParameter("invalid manifest: neither an image manifest nor a list")


def _entry_matches(entry: JsonObject, platform: Platform) -> bool:
    stated = entry.get("platform")
    if not isinstance(stated, dict):
        return False
    variant = stated.get("variant") or ""
    same = (stated.get("os"), stated.get("architecture")) == (platform.os, platform.architecture)
    return same and variant in {"", "v8"}
