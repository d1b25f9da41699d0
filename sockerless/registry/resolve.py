"""From a reference to the manifest and config of one platform's image. No layer is read.

Owns: the walk reference -> list -> manifest -> config, and Docker's words for what goes wrong on a pull. Knows no
mirror policy and no store.
"""

from __future__ import annotations

from dataclasses import dataclass

from sockerless.errors import DataLoss, NotFound, SockerlessError, SystemFailure, Unauthorized
from sockerless.registry import manifest
from sockerless.registry.auth import RegistryAuth
from sockerless.registry.client import Registry
from sockerless.registry.failures import AccessDenied, ManifestUnknown, RepositoryUnknown
from sockerless.registry.manifest import ImageManifest, Manifest, Platform
from sockerless.registry.reference import Reference
from sockerless.types import JsonObject


@dataclass(frozen=True, slots=True)
class Resolved:
    """An image found in a registry.

    reference: where it was found. shown_digest: of what the tag names (a list's digest for a multi-platform image).
    manifest: the platform's own. config: its decoded document; image_id: that document's digest.
    """

    reference: Reference
    shown_digest: str
    manifest: Manifest
    image: ImageManifest
    config_bytes: bytes
    config: JsonObject

    @property
    def image_id(self) -> str:
        """The image's id, "sha256:<hex>"."""
        return self.image.config.digest

    @property
    def by_digest(self) -> Reference:
        """The platform's image, by its manifest's digest."""
        return self.reference.with_digest(self.manifest.digest)


async def resolve(
    registry: Registry, reference: Reference, platforms: tuple[Platform, ...], auth: RegistryAuth | None = None
) -> Resolved:
    """The image at reference for the first of the platforms it has; errors.* in the registry's words."""
    named = await registry.get_manifest(reference, auth)
    chosen = named
    if named.is_list:
        entry = manifest.choose(named, platforms)
        chosen = await registry.get_manifest(reference.with_digest(entry.digest), auth)
    image = manifest.parse_image(chosen)
    config_bytes = await registry.get_blob(reference, image.config, auth)
    config = manifest.decode(config_bytes, "image config")
    _check_platform(reference, config, platforms)
    return Resolved(reference, named.digest, chosen, image, config_bytes, config)


def pull_failure(reference: Reference, failure: SockerlessError) -> SockerlessError:
    """What dockerd says when a pull of reference fails this way. Never Unauthorized, at which the CLI would ask
    for a password where nobody may be typing."""
    if isinstance(failure, AccessDenied):
        return NotFound(
            f"pull access denied for {reference.familiar_name}, repository does not exist or may require "
            f"'docker login': {failure}"
        )
    if isinstance(failure, ManifestUnknown):
        return NotFound(f"manifest for {reference.familiar} not found: {failure}")
    if isinstance(failure, RepositoryUnknown):
        return NotFound(f"repository {reference.familiar_name} not found: {failure}")
    if isinstance(failure, Unauthorized):
        return SystemFailure(failure.message)
    return failure


def _check_platform(reference: Reference, config: JsonObject, platforms: tuple[Platform, ...]) -> None:
    if not isinstance(config.get("rootfs"), dict):
        raise DataLoss(f"{reference.familiar}: its image config has no rootfs")
    actual = manifest.config_platform(config)
    if actual in platforms:
        return
    if len(platforms) > 1:
        raise NotFound(
            f"image with reference {reference.familiar} was found but AWS Fargate cannot run its platform {actual}: "
            "use an image built for linux/amd64 or linux/arm64"
        )
    raise NotFound(
        f"image with reference {reference.familiar} was found but does not match the specified platform: "
        f"wanted {platforms[0]}, actual: {actual}"
    )
