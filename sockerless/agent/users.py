"""Who the process runs as: Docker's user forms resolved in the container's own /etc/passwd and /etc/group.

Owns name, uid, name:group and uid:gid, and Docker's words for what cannot be resolved. The files are read by hand:
they may be missing, and the agent's own libc must not ask name services. Source: moby's user lookup rules.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from sockerless.errors import InvalidParameter

MAX_ID = 2**31 - 1


class User(NamedTuple):
    """A resolved user: numeric ids, supplementary groups, home directory ("/" when the user has no entry)."""

    uid: int
    gid: int
    groups: tuple[int, ...]
    home: str


def resolve(spec: str, passwd: str, group: str) -> User:
    """The user that spec names in the texts of the two files. InvalidParameter carries Docker's message."""
    user_part, _, group_part = spec.partition(":")
    uid = _number(user_part) if user_part else 0
    entry = next((e for e in _entries(passwd, 6) if (e[0] == user_part if uid is None else _number(e[2]) == uid)), None)
    if entry is None and uid is None:
        raise InvalidParameter(f"unable to find user {user_part}: no matching entries in passwd file")
    found_uid = _number(entry[2]) if entry else uid
    gid = (_number(entry[3]) or 0) if entry else 0
    groups: tuple[int, ...] = ()
    if group_part:
        gid = _group_id(group_part, group)
    elif entry:
        groups = _memberships(entry[0], group)
    ids = (found_uid or 0, gid, *groups)
    if any(not 0 <= number <= MAX_ID for number in ids):
        raise InvalidParameter(f"uids and gids must be in range 0-{MAX_ID}")
    return User(ids[0], gid, groups, entry[5] if entry and entry[5] else "/")


def read_user(spec: str) -> User:
    """The user that spec names in this container."""
    return resolve(spec, _text("/etc/passwd"), _text("/etc/group"))


def user_names() -> dict[int, str]:
    """This container's user names by id; of several names the first."""
    return _names(_text("/etc/passwd"))


def group_names() -> dict[int, str]:
    """This container's group names by id; of several names the first."""
    return _names(_text("/etc/group"))


def _names(text: str) -> dict[int, str]:
    found: dict[int, str] = {}
    for entry in _entries(text, 3):
        number = _number(entry[2])
        if number is not None:
            found.setdefault(number, entry[0])
    return found


def _group_id(name: str, group: str) -> int:
    number = _number(name)
    if number is not None:
        return number
    for entry in _entries(group, 3):
        if entry[0] == name:
            return _number(entry[2]) or 0
    raise InvalidParameter(f"unable to find group {name}: no matching entries in group file")


def _memberships(name: str, group: str) -> tuple[int, ...]:
    members = (entry for entry in _entries(group, 4) if name in entry[3].split(","))
    return tuple(number for entry in members if (number := _number(entry[2])) is not None)


def _entries(text: str, fields: int) -> Iterator[list[str]]:
    for line in text.splitlines():
        entry = line.strip().split(":")
        if len(entry) >= fields and not line.startswith("#"):
            yield entry


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.removeprefix("-").isdigit() else None


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except FileNotFoundError:
        return ""
