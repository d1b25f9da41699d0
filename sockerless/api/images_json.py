"""An image as Docker's inspect and list write it, from its OCI config document. Pure.

Source: Engine API 1.44, ImageInspect and ImageSummary; OCI image specification 1.1, config.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sockerless.api.versions import Version
from sockerless.types import Image, JsonObject
from sockerless.wire.timestamps import NEVER

_WITHOUT_VIRTUAL_SIZE: Version = (1, 44)
_CONFIG_DEFAULTS: JsonObject = {
    "Hostname": "",
    "Domainname": "",
    "User": "",
    "AttachStdin": False,
    "AttachStdout": False,
    "AttachStderr": False,
    "Tty": False,
    "OpenStdin": False,
    "StdinOnce": False,
    "Env": None,
    "Cmd": None,
    "Image": "",
    "Volumes": None,
    "WorkingDir": "",
    "Entrypoint": None,
    "OnBuild": None,
    "Labels": None,
}


def inspect(image: Image, version: Version) -> JsonObject:
    """ImageInspect."""
    config = image.config
    fields: JsonObject = {
        "Id": image.id,
        "RepoTags": list(image.repo_tags),
        "RepoDigests": list(image.repo_digests),
        "Parent": "",
        "Comment": _last_comment(config),
        "Created": config.get("created") or NEVER,
        "DockerVersion": config.get("docker_version") or "",
        "Author": config.get("author") or "",
        "Config": {**_CONFIG_DEFAULTS, **(config.get("config") or {})},
        "Architecture": config.get("architecture") or "",
        "Variant": config.get("variant") or "",
        "Os": config.get("os") or "",
        "Size": image.size_bytes,
        "GraphDriver": {"Data": {}, "Name": "fargate"},
        "RootFS": {"Type": "layers", "Layers": list((config.get("rootfs") or {}).get("diff_ids") or [])},
        "Metadata": {"LastTagTime": NEVER},
    }
    if not fields["Variant"]:
        del fields["Variant"]
    return fields | _virtual_size(image, version)


def summary(image: Image, version: Version) -> JsonObject:
    """ImageSummary. -1 is Docker's word for "not counted"."""
    fields: JsonObject = {
        "Id": image.id,
        "ParentId": "",
        "RepoTags": list(image.repo_tags),
        "RepoDigests": list(image.repo_digests),
        "Created": _epoch_s(image.config.get("created")),
        "Size": image.size_bytes,
        "SharedSize": -1,
        "Labels": (image.config.get("config") or {}).get("Labels") or {},
        "Containers": -1,
    }
    return fields | _virtual_size(image, version)


def _virtual_size(image: Image, version: Version) -> JsonObject:
    return {"VirtualSize": image.size_bytes} if version < _WITHOUT_VIRTUAL_SIZE else {}


def _last_comment(config: JsonObject) -> str:
    steps = config.get("history") or [{}]
    return str(steps[-1].get("comment") or "")


def _epoch_s(created: str | None) -> int:
    if not created:
        return 0
    moment = datetime.fromisoformat(created)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
