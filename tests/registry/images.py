"""Small images made by hand, for registries and archives."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from dataclasses import dataclass

from sockerless.registry.manifest import DOCKER_CONFIG, DOCKER_LAYER_GZIP, DOCKER_MANIFEST, OCI_INDEX


def digest(data: bytes) -> str:
    """The sha256 digest."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def tar(files: dict[str, bytes]) -> bytes:
    """A tar of regular files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


@dataclass(frozen=True)
class SmallImage:
    """An image of one layer."""

    config: bytes
    plain_layer: bytes
    layer: bytes
    manifest: bytes

    @property
    def id(self) -> str:
        return digest(self.config)


def small_image(content: bytes = b"hello", architecture: str = "amd64", os: str = "linux") -> SmallImage:
    """An image whose one layer holds one file."""
    plain = tar({"file": content})
    layer = gzip.compress(plain, mtime=0)
    config = json.dumps(
        {
            "architecture": architecture,
            "os": os,
            "config": {},
            "rootfs": {"type": "layers", "diff_ids": [digest(plain)]},
        }
    ).encode()
    manifest = {
        "schemaVersion": 2,
        "mediaType": DOCKER_MANIFEST,
        "config": {"mediaType": DOCKER_CONFIG, "size": len(config), "digest": digest(config)},
        "layers": [{"mediaType": DOCKER_LAYER_GZIP, "size": len(layer), "digest": digest(layer)}],
    }
    return SmallImage(config, plain, layer, json.dumps(manifest).encode())


def index(*entries: tuple[SmallImage, dict[str, str]]) -> bytes:
    """An OCI index over images, each with its platform."""
    manifests = [
        {
            "mediaType": DOCKER_MANIFEST,
            "size": len(image.manifest),
            "digest": digest(image.manifest),
            "platform": platform,
        }
        for image, platform in entries
    ]
    return json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests}).encode()
