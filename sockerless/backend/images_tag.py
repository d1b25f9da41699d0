"""docker tag: one more name for an image on record. No registry is asked: names live in the store."""

from __future__ import annotations

from dataclasses import replace

from sockerless.backend.events import emit_image
from sockerless.backend.images_context import ImageContext
from sockerless.backend.images_find import find
from sockerless.errors import InvalidParameter
from sockerless.registry.reference import parse


def tag(context: ImageContext, source: str, repo: str, tag_name: str) -> None:
    """Gives the image that source names the name repo:tag_name ("" = latest), taking it from any other image.

    NotFound when there is no such image; InvalidParameter in Docker's words for a malformed name.
    """
    target = parse(repo)
    if target.digest:
        raise InvalidParameter("refusing to create a tag with a digest reference")
    if target.familiar_name == "sha256":
        raise InvalidParameter("refusing to create an ambiguous tag using digest algorithm as name")
    target = target.with_tag(tag_name) if tag_name else target.with_default_tag()
    image = find(context, source)
    others = tuple(name for name in image.repo_tags if name != target.familiar)
    context.store.save_image(replace(image, repo_tags=(*others, target.familiar)))
    emit_image(context, "tag", image.id, target.familiar)
