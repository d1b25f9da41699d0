"""Which API versions are spoken, and what a version in the path means.

Source: Engine API 1.44 ("Versioning"); the words of moby's version middleware.
"""

from __future__ import annotations

import re

from sockerless.errors import InvalidParameter

Version = tuple[int, int]

API_VERSION = "1.44"
"""What is spoken, and what an unversioned path means. Above it fields disappear that clients still read."""
MIN_API_VERSION = "1.24"

_VERSIONED = re.compile(r"/v([0-9.]+)(/.*)")


def parse(text: str) -> Version:
    """(1, 44) of "1.44"; InvalidParameter for anything that is not two numbers."""
    major, dot, minor = text.partition(".")
    if not (major.isdecimal() and dot and minor.isdecimal()):
        raise InvalidParameter(f"invalid version format: {text}")
    return int(major), int(minor)


_NEWEST, _OLDEST = parse(API_VERSION), parse(MIN_API_VERSION)


def split(path: str) -> tuple[str | None, str]:
    """("1.41", "/info") of "/v1.41/info"; (None, path) for an unversioned path."""
    match = _VERSIONED.fullmatch(path)
    return (match[1], match[2]) if match else (None, path)


def negotiate(asked: str | None) -> Version:
    """The version to answer in; InvalidParameter when the client is too old or too new."""
    if asked is None:
        return _NEWEST
    version = parse(asked)
    if version < _OLDEST:
        raise InvalidParameter(
            f"client version {asked} is too old. Minimum supported API version is {MIN_API_VERSION}, "
            "please upgrade your client to a newer version"
        )
    if version > _NEWEST:
        raise InvalidParameter(f"client version {asked} is too new. Maximum supported API version is {API_VERSION}")
    return version


def speaks_json_errors(asked: str | None) -> bool:
    """Whether a client of this version reads {"message"}; before 1.24 errors were plain text."""
    return asked is None or parse(asked) >= _OLDEST
