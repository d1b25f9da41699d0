"""docker images: which images are on record, filtered and in Docker's order.

Asks no registry. Source: Engine API 1.44, ImageList.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from sockerless.backend.images_context import ImageContext
from sockerless.backend.images_find import find
from sockerless.errors import InvalidParameter
from sockerless.registry.reference import parse
from sockerless.types import Image
from sockerless.wire import filters as wire_filters
from sockerless.wire.filters import Filters

FILTERS = ("dangling", "label", "before", "since", "reference")


def list_images(context: ImageContext, filters: Filters, show_all: bool = False) -> list[Image]:
    """Images by creation time, newest first; with a reference filter each shows only the names that match.

    filters: dangling, label, before, since, reference; InvalidParameter for others. show_all makes no difference:
    intermediate images do not exist here.
    """
    del show_all
    wire_filters.check_names(filters, FILTERS)
    dangling = wire_filters.boolean(filters, "dangling")
    within = _time_range(context, filters)
    chosen = [
        image
        for image in context.store.images()
        if wire_filters.matches_labels(filters.get("label", ()), labels(image))
        and within(created(image))
        and (dangling is None or dangling == (not image.repo_tags))
    ]
    if "reference" in filters:
        chosen = [named for image in chosen if (named := _named_like(image, filters["reference"])) is not None]
    return sorted(chosen, key=created, reverse=True)


def labels(image: Image) -> Mapping[str, str]:
    """The labels in the image's config."""
    found = (image.config.get("config") or {}).get("Labels") or {}
    return {str(key): str(value) for key, value in found.items()}


def created(image: Image) -> str:
    """When the image was built, RFC 3339 as its config says; "" when it does not."""
    return str(image.config.get("created") or "")


def _time_range(context: ImageContext, filters: Filters) -> Callable[[str], bool]:
    before = [created(find(context, reference)) for reference in filters.get("before", ())]
    since = [created(find(context, reference)) for reference in filters.get("since", ())]
    return lambda moment: all(moment < bound for bound in before) and all(moment > bound for bound in since)


def _named_like(image: Image, patterns: tuple[str, ...]) -> Image | None:
    """The image with only those names that match one of the patterns; None when none does."""
    compiled = [_glob(pattern) for pattern in patterns]
    tags, digests = (
        tuple(name for name in names if any(_matches(pattern, name) for pattern in compiled))
        for names in (image.repo_tags, image.repo_digests)
    )
    return replace(image, repo_tags=tags, repo_digests=digests) if tags or digests else None


def _matches(pattern: re.Pattern[str], name: str) -> bool:
    return bool(pattern.fullmatch(name) or pattern.fullmatch(parse(name).familiar_name))


def _glob(pattern: str) -> re.Pattern[str]:
    """Go's path.Match: * and ? stop at a slash, [a-z] and [^a-z] are sets, a backslash takes the next literally."""
    parts: list[str] = []
    for symbol in re.findall(r"\[\^?(?:\\.|[^\]\\])+\]|\\.|.", pattern, re.DOTALL):
        if symbol in {"*", "?"}:
            parts.append("[^/]*" if symbol == "*" else "[^/]")
        elif len(symbol) > 2 and symbol.startswith("["):
            parts.append(symbol)
        else:
            parts.append(re.escape(symbol[-1]))
    try:
        return re.compile("".join(parts))
    except re.error:
        raise InvalidParameter(f"invalid reference filter {pattern!r}: syntax error in pattern") from None
