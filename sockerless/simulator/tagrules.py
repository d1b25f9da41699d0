"""What ECS takes as tags. Pure.

Source: ECS API reference, Tag; developer guide, "Tagging your Amazon ECS resources".
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from moto.ecs.exceptions import InvalidParameterException

MAX_TAGS = 50
MAX_KEY = 128
MAX_VALUE = 256
_LEGAL = re.compile(r"[\w\s+\-=._:/@]*")


def check(tags: Iterable[dict[str, str]]) -> None:
    """InvalidParameterException for the first tag that breaks a rule."""
    given = list(tags)
    if len(given) > MAX_TAGS:
        raise InvalidParameterException(f"Tags can not have more than {MAX_TAGS} elements.")
    keys = [tag.get("key", "") for tag in given]
    if len(set(keys)) != len(keys):
        raise InvalidParameterException("Tags with duplicate keys are not allowed.")
    for tag in given:
        key, value = tag.get("key", ""), tag.get("value", "")
        if not 1 <= len(key) <= MAX_KEY or not _LEGAL.fullmatch(key):
            raise InvalidParameterException(f"Invalid tag key {key!r}.")
        if len(value) > MAX_VALUE or not _LEGAL.fullmatch(value):
            raise InvalidParameterException(f"Invalid tag value {value!r} for key {key!r}.")
        if key.lower().startswith("aws:"):
            raise InvalidParameterException("Tag keys that begin with 'aws:' are reserved for AWS use.")
