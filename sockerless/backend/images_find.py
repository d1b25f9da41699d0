"""Finds the image a client names.

Owns: how a name, a digest or an id (or its beginning) leads to an image on record. Asks no registry.
Source: moby's image lookup order (references first, then ids).
"""

from __future__ import annotations

import re

from sockerless.backend.images_context import ImageContext
from sockerless.errors import NotFound
from sockerless.registry.reference import Reference, is_digest, parse
from sockerless.types import Image

_ID_PREFIX = re.compile(r"(?:sha256:)?([0-9a-f]{1,64})")


def find(context: ImageContext, reference: str) -> Image:
    """The image a client names: name[:tag], name@digest, id or unambiguous id prefix, with or without "sha256:".

    NotFound in Docker's words; InvalidParameter when it is no reference at all.
    """
    images = context.store.images()
    named, missing = _parse_any(reference)
    if named is not None:
        for image in images:
            if _refers(image, named):
                return image
    matching = [image for image in images if is_id_of(image, reference)]
    if len(matching) != 1:
        raise NotFound(f"No such image: {missing}")
    return matching[0]


def is_id_of(image: Image, text: str) -> bool:
    """Whether text is the image's id or a beginning of it."""
    match = _ID_PREFIX.fullmatch(text)
    return match is not None and image.id.removeprefix("sha256:").startswith(match[1])


def _parse_any(text: str) -> tuple[Reference | None, str]:
    """The name in text (None for an id or digest), and how Docker would write it in a message."""
    if re.fullmatch(r"[0-9a-f]{64}", text):
        return None, f"sha256:{text}"
    if is_digest(text):
        return None, text
    named = parse(text).with_default_tag()
    return named, named.familiar


def _refers(image: Image, named: Reference) -> bool:
    if named.digest:
        return f"{named.familiar_name}@{named.digest}" in image.repo_digests
    return named.familiar in image.repo_tags
