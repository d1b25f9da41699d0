"""docker rmi: takes names from images, and forgets an image with its last name.

Owns: Docker's rules on what may be removed and its conflict texts. Removes records only: content in registries is not
this daemon's to delete, and what it put into the deployment's ECR is left to that repository's lifecycle policy, since
tasks of other daemons and retained task definitions may still pull it.
Source: moby's image removal (names first, then the image; running and stopped containers hold it).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from sockerless.backend.events import emit_image
from sockerless.backend.images_context import ImageContext
from sockerless.backend.images_find import find, is_id_of
from sockerless.errors import Conflict, NotFound
from sockerless.registry.reference import parse
from sockerless.types import Container, Image, JsonObject

InUse = Callable[[str], list[Container]]
"""The containers made from the image of this id."""
_RUNNING = {"running", "paused", "restarting"}


def remove(context: ImageContext, reference: str, force: bool, prune: bool, in_use: InUse) -> list[JsonObject]:
    """Docker's list of what was untagged and deleted.

    NotFound when there is no such image; Conflict in Docker's words when containers or other names hold it. prune
    (remove untagged parents) has nothing to do: images have no parents on record here.
    """
    del prune
    image = find(context, reference)
    users = in_use(image.id)
    if is_id_of(image, reference):
        return _remove_by_id(context, image, force, users)
    return _remove_by_name(context, image, reference, force, users)


def _remove_by_name(
    context: ImageContext, image: Image, reference: str, force: bool, users: list[Container]
) -> list[JsonObject]:
    if not force and _one_name(image) and users:
        raise Conflict(
            f'conflict: unable to remove repository reference "{reference}" (must force) - container '
            f"{_short(users[0].id)} is using its referenced image {_short(image.id)}"
        )
    removed = _names_removed_with(image, reference)
    left = _without(image, removed)
    holders = _running(users) if force else users
    if _names(left) or holders:
        context.store.save_image(left)
        return _untagged(context, image, removed)
    return _forget(context, image, removed)


def _remove_by_id(context: ImageContext, image: Image, force: bool, users: list[Container]) -> list[JsonObject]:
    running = _running(users)
    if running:
        raise _conflict(image, "cannot be forced", f"image is being used by running container {_short(running[0].id)}")
    if not force and not _one_name(image):
        raise _conflict(image, "must be forced", "image is referenced in multiple repositories")
    if not force and users:
        raise _conflict(image, "must be forced", f"image is being used by stopped container {_short(users[0].id)}")
    return _forget(context, image, _names(image))


def _running(users: list[Container]) -> list[Container]:
    return [user for user in users if user.state.status in _RUNNING]


def _names_removed_with(image: Image, reference: str) -> list[str]:
    """The name asked for and, when it was the repository's last tag, the repository's digests."""
    named = parse(reference).with_default_tag()
    asked = f"{named.familiar_name}@{named.digest}" if named.digest else named.familiar
    if asked not in _names(image):
        raise NotFound(f"No such image: {asked}")
    tags_left = [name for name in image.repo_tags if name != asked and parse(name).name == named.name]
    if named.digest or tags_left:
        return [asked]
    return [asked, *(name for name in image.repo_digests if parse(name).name == named.name)]


def _one_name(image: Image) -> bool:
    """Whether the image has at most one tag, and its digests are of that tag's repository."""
    repositories = {parse(name).name for name in _names(image)}
    return len(image.repo_tags) <= 1 and len(repositories) <= 1


def _untagged(context: ImageContext, image: Image, names: Sequence[str]) -> list[JsonObject]:
    for _ in names:
        emit_image(context, "untag", image.id, image.id)
    return [{"Untagged": name} for name in names]


def _forget(context: ImageContext, image: Image, names: Sequence[str]) -> list[JsonObject]:
    context.store.delete_image(image.id)
    lines = _untagged(context, image, names)
    emit_image(context, "delete", image.id, image.id)
    return [*lines, {"Deleted": image.id}]


def _without(image: Image, names: list[str]) -> Image:
    return replace(
        image,
        repo_tags=tuple(name for name in image.repo_tags if name not in names),
        repo_digests=tuple(name for name in image.repo_digests if name not in names),
    )


def _names(image: Image) -> tuple[str, ...]:
    return image.repo_tags + image.repo_digests


def _conflict(image: Image, force: str, why: str) -> Conflict:
    return Conflict(f"conflict: unable to delete {_short(image.id)} ({force}) - {why}")


def _short(identifier: str) -> str:
    return identifier.removeprefix("sha256:")[:12]
