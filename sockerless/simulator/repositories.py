"""The simulated ECR's records as the data plane sees them: repositories, which blobs and manifests each holds.

The records are moto's own, so that DescribeImages, BatchGetImage, lifecycle and DeleteRepository see pushes and
pushes see them. Callers hold the simulator's lock. Source: ECR API reference, PutImage.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from moto.ecr.exceptions import ImageAlreadyExistsException
from moto.ecr.models import Image, Repository, ecr_backends

from sockerless.errors import Conflict, InvalidParameter, NotFound

INDEX_TYPES = {
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
}
MANIFEST_TYPES = {
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
}


@dataclass(frozen=True, slots=True)
class Manifest:
    """A stored manifest: exact bytes, media type, digest."""

    content: bytes
    media_type: str
    digest: str


def digest_of(content: bytes) -> str:
    """The sha256 digest of content."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class Repositories:
    """The repositories of one account, those of the default region first."""

    def __init__(self, account_id: str, region: str) -> None:
        self._account_id, self._region = account_id, region

    def _backend(self, name: str) -> Any:
        account = ecr_backends[self._account_id]
        regions = [self._region, *(region for region in account if region != self._region)]
        for region in regions:
            if name in account[region].repositories:
                return account[region]
        raise NotFound(f"The repository with name '{name}' does not exist in the registry with id '{self._account_id}'")

    def holds(self, name: str) -> bool:
        """Whether there is such a repository."""
        return any(name in backend.repositories for backend in ecr_backends[self._account_id].values())

    def get(self, name: str) -> Repository:
        """moto's record; NotFound in ECR's words."""
        repository: Repository = self._backend(name).repositories[name]
        return repository

    def _image(self, name: str, reference: str) -> Image | None:
        by_digest = ":" in reference
        for image in self.get(name).images:
            if (image.get_image_digest() == reference) if by_digest else (reference in image.image_tags):
                return image
        return None

    def resolve(self, name: str, reference: str) -> str | None:
        """The digest of a tag or digest, None when repository or image is not there."""
        try:
            image = self._image(name, reference)
        except NotFound:
            return None
        return str(image.get_image_digest()) if image else None

    def manifest(self, name: str, reference: str) -> Manifest:
        """The manifest of a tag or digest; NotFound."""
        image = self._image(name, reference)
        if image is None:
            raise NotFound(f"Requested image not found: {name}:{reference}")
        return Manifest(image.image_manifest.encode(), str(image.image_manifest_media_type), image.get_image_digest())

    def tags(self, name: str) -> list[str]:
        """Every tag, sorted; NotFound for the repository."""
        return sorted(tag for image in self.get(name).images for tag in image.image_tags)

    def put(self, name: str, reference: str, content: bytes, content_type: str) -> str:
        """Stores a manifest under a tag or its own digest; the digest. NotFound for a blob it names, Conflict for a
        tag that may not change, InvalidParameter for a manifest that is none."""
        repository = self.get(name)
        digest = digest_of(content)
        if ":" in reference and reference != digest:
            raise InvalidParameter(f"manifest digest {digest} does not match {reference}")
        media_type = _checked(repository, content, content_type)
        tag = None if ":" in reference else reference
        held = self._image(name, digest)
        if held is not None and (tag is None or (tag in held.image_tags and not repository.is_tag_immutable())):
            return digest
        try:
            self._backend(name).put_image(name, content.decode(), tag, media_type, digest)
        except ImageAlreadyExistsException:
            raise Conflict(
                f"The image tag '{tag}' already exists in the '{name}' repository and cannot be overwritten because "
                "the tag is immutable."
            ) from None
        return digest

    def cache(self, name: str, reference: str, manifest: Manifest) -> None:
        """Stores a manifest of a registry that is cached; what it names is fetched when it is asked for."""
        tag = None if ":" in reference else reference
        held = self._image(name, manifest.digest)
        if held is None or (tag is not None and tag not in held.image_tags):
            self._backend(name).put_image(name, manifest.content.decode(), tag, manifest.media_type, manifest.digest)

    def delete(self, name: str, reference: str) -> None:
        """Removes a tag, or by digest the image; NotFound."""
        if self._image(name, reference) is None:
            raise NotFound(f"Requested image not found: {name}:{reference}")
        key = "imageDigest" if ":" in reference else "imageTag"
        self._backend(name).batch_delete_image(repository_name=name, image_ids=[{key: reference}])


def _checked(repository: Repository, content: bytes, content_type: str) -> str:
    """The manifest's media type, once everything it names is in the repository."""
    try:
        document = json.loads(content)
        media_type = str(document.get("mediaType") or content_type)
    except (ValueError, AttributeError) as error:
        raise InvalidParameter(f"manifest is not a JSON document: {error}") from error
    if media_type in INDEX_TYPES:
        held = {image.get_image_digest() for image in repository.images}
        named = [entry["digest"] for entry in document.get("manifests") or []]
    elif media_type in MANIFEST_TYPES:
        held = set(repository.layers)
        named = [entry["digest"] for entry in [document["config"], *document["layers"]] if not entry.get("urls")]
    else:
        raise InvalidParameter(f"manifest media type {media_type!r} is not supported")
    missing = [digest for digest in named if digest not in held]
    if missing:
        raise NotFound(f"Image does not exist: layer or manifest {missing[0]} is not in the repository")
    return media_type


def image_size_bytes(image: Image) -> int | None:
    """What DescribeImages reports: the sum of config and layers; None for an index."""
    document = json.loads(image.image_manifest)
    if "layers" not in document:
        return None
    return sum(int(entry.get("size", 0)) for entry in [document.get("config", {}), *document["layers"]])
