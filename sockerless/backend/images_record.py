"""Writes images into the store: one record an image id, whichever way the image came."""

from __future__ import annotations

from dataclasses import replace

from sockerless.store.base import Store
from sockerless.types import Image


def record(store: Store, image: Image) -> bool:
    """Saves a pulled or loaded image, keeping the names its record already had; whether anything a user sees changed.

    The new pull_reference replaces the old one: it was seen to answer last.
    """
    known = next((each for each in store.images() if each.id == image.id), None)
    if known is None:
        store.save_image(image)
        return True
    merged = replace(
        image,
        repo_tags=_union(known.repo_tags, image.repo_tags),
        repo_digests=_union(known.repo_digests, image.repo_digests),
    )
    if merged != known:
        store.save_image(merged)
    return (merged.repo_tags, merged.repo_digests) != (known.repo_tags, known.repo_digests)


def _union(old: tuple[str, ...], new: tuple[str, ...]) -> tuple[str, ...]:
    return old + tuple(name for name in new if name not in old)
