"""Container names and ids: Docker's rules, and names for containers that were not given one."""

from __future__ import annotations

import re
import secrets
from collections.abc import Container as Holder

from sockerless.errors import InvalidParameter

_ALLOWED = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")
_QUALITIES = ("brave", "calm", "clever", "eager", "fair", "gentle", "happy", "keen", "lively", "merry", "quick", "wise")
_THINGS = (
    "anchor",
    "beacon",
    "birch",
    "cedar",
    "comet",
    "delta",
    "falcon",
    "heron",
    "lagoon",
    "otter",
    "river",
    "willow",
)


def checked(name: str) -> str:
    """The name without its leading slash; InvalidParameter in Docker's words when it is not allowed."""
    bare = name.removeprefix("/")
    if not _ALLOWED.fullmatch(bare):
        raise InvalidParameter(f"Invalid container name ({name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed")
    return bare


def new_id() -> str:
    """64 hex digits."""
    return secrets.token_hex(32)


def invent(taken: Holder[str]) -> str:
    """A readable name that is not taken."""
    while True:
        name = f"{secrets.choice(_QUALITIES)}_{secrets.choice(_THINGS)}"
        if name not in taken:
            return name
        numbered = f"{name}_{secrets.token_hex(2)}"
        if numbered not in taken:
            return numbered
