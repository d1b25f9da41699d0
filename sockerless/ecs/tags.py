"""The tags this product puts on what it makes in ECS, with the characters AWS allows.

Owns the tag keys. Knows no container record and no task.
Source: botocore's ECS model, Tag (key 128, value 256 characters; letters, digits, spaces and + - = . _ : / @).
"""

from __future__ import annotations

CONTAINER = "sockerless:container"
"""Full id of the container a task was started for."""
NAME = "sockerless:name"
"""The container's name when its task was started."""
DAEMON = "sockerless:daemon"
"""The installation id of the store that owns the task or definition."""
PROJECT = "sockerless:project"
"""The deployment: the cluster is called as it is. `destroy` finds by it what the daemon made."""
SHAPE = "sockerless:shape"
"""ecs/taskdef.py's hash of what a definition was registered for."""

Tag = dict[str, str]
"""{"key": ..., "value": ...}, as ECS spells it."""

_KEY_CHARACTERS = 128
_VALUE_CHARACTERS = 256
_PUNCTUATION = frozenset(" +-=._:/@")


def task_tags(installation_id: str, container_id: str, container_name: str, project: str = "") -> list[Tag]:
    """The tags RunTask puts on a container's task."""
    return tags({DAEMON: installation_id, CONTAINER: container_id, NAME: container_name, PROJECT: project})


def definition_tags(installation_id: str, shape: str, project: str = "") -> list[Tag]:
    """The tags RegisterTaskDefinition puts on a definition; shape is its hash."""
    return tags({DAEMON: installation_id, SHAPE: shape, PROJECT: project})


def tags(values: dict[str, str]) -> list[Tag]:
    """ECS tags of these keys and values; what AWS forbids becomes "_", what is too long is cut, empty is left out."""
    return [
        {"key": _legal(key, _KEY_CHARACTERS), "value": _legal(value, _VALUE_CHARACTERS)}
        for key, value in values.items()
        if value
    ]


def tag_value(tagged: list[Tag], key: str) -> str | None:
    """The value of a key among a task's or definition's tags; None when it carries no such tag."""
    return next((tag.get("value", "") for tag in tagged if tag.get("key") == key), None)


def _legal(text: str, characters: int) -> str:
    return "".join(c if c.isalnum() or c in _PUNCTUATION else "_" for c in text)[:characters]
