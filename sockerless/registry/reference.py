"""Image references, parsed and normalised as Docker does. Pure.

Owns: the grammar, the default domain and tag, familiar names, and Docker's words for what is malformed. Knows no
network. Source: the grammar in distribution's reference package and the normalisation dockerd applies to it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from sockerless.errors import InvalidParameter

DEFAULT_DOMAIN = "docker.io"
DEFAULT_TAG = "latest"
_LEGACY_DOMAIN = "index.docker.io"
_OFFICIAL = "library/"
_NAME_LIMIT = 255
_HEX_LENGTHS = {"sha256": 64, "sha384": 96, "sha512": 128}

_LABEL = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_DOMAIN = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[(?:[a-fA-F0-9:]+)\])(?::[0-9]+)?"
_COMPONENT = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_PATH = rf"{_COMPONENT}(?:/{_COMPONENT})*"
_TAG = r"[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127}"
_DIGEST = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}"

_REFERENCE = re.compile(rf"({_DOMAIN})/({_PATH})(?::({_TAG}))?(?:@({_DIGEST}))?")
_TAG_ONLY = re.compile(_TAG)
_IDENTIFIER = re.compile(r"[a-f0-9]{64}")


@dataclass(frozen=True, slots=True)
class Reference:
    """A normalised name: domain with port, repository path, and a tag, a digest, both or neither ("" = absent)."""

    domain: str
    path: str
    tag: str = ""
    digest: str = ""

    @property
    def name(self) -> str:
        """The full repository name: docker.io/library/alpine."""
        return f"{self.domain}/{self.path}"

    @property
    def familiar_name(self) -> str:
        """The repository name as people write it: alpine, user/app, quay.io/org/app."""
        if self.domain != DEFAULT_DOMAIN:
            return self.name
        official = self.path.removeprefix(_OFFICIAL)
        return self.path if "/" in official else official

    @property
    def familiar(self) -> str:
        """The familiar name with tag and digest: alpine:3.20."""
        return self.familiar_name + self._suffix

    @property
    def selector(self) -> str:
        """What follows /manifests/ in the distribution API: the digest if there is one, else the tag."""
        return self.digest or self.tag

    @property
    def repository(self) -> Reference:
        """The same name without tag and digest."""
        return Reference(self.domain, self.path)

    def with_tag(self, tag: str) -> Reference:
        """The same name with this tag; InvalidParameter in Docker's words when the tag is malformed."""
        if not _TAG_ONLY.fullmatch(tag):
            raise InvalidParameter("invalid tag format")
        return replace(self, tag=tag)

    def with_digest(self, digest: str) -> Reference:
        """The same repository at this digest, without a tag; InvalidParameter when the digest is malformed."""
        return replace(self.repository, digest=check_digest(digest))

    def with_default_tag(self) -> Reference:
        """The same reference, tagged latest when it has neither tag nor digest."""
        return self if self.tag or self.digest else replace(self, tag=DEFAULT_TAG)

    def __str__(self) -> str:
        return self.name + self._suffix

    @property
    def _suffix(self) -> str:
        return (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")


def parse(text: str) -> Reference:
    """The reference a user wrote, normalised; the tag is not defaulted. InvalidParameter in Docker's words."""
    if _IDENTIFIER.fullmatch(text):
        raise InvalidParameter(f"invalid repository name ({text}), cannot specify 64-byte hexadecimal strings")
    domain, remainder = _split_domain(text)
    repository = remainder.partition(":")[0]
    if repository.lower() != repository:
        raise InvalidParameter("invalid reference format: repository name must be lowercase")
    match = _REFERENCE.fullmatch(f"{domain}/{remainder}")
    if match is None:
        raise InvalidParameter("invalid reference format")
    domain, path, tag, digest = (match[1], match[2], match[3] or "", match[4] or "")
    if len(domain) + 1 + len(path) > _NAME_LIMIT:
        raise InvalidParameter(f"repository name must not be more than {_NAME_LIMIT} characters")
    return Reference(domain, path, tag, check_digest(digest) if digest else "")


def check_digest(text: str) -> str:
    """text, when it is a digest by a known algorithm ("sha256:<64 hex>"); InvalidParameter otherwise."""
    algorithm, colon, encoded = text.partition(":")
    if not colon or not re.fullmatch(_DIGEST, text):
        raise InvalidParameter("invalid checksum digest format")
    if algorithm not in _HEX_LENGTHS:
        raise InvalidParameter("unsupported digest algorithm")
    if len(encoded) != _HEX_LENGTHS[algorithm]:
        raise InvalidParameter("invalid checksum digest length")
    if encoded.lower() != encoded:
        raise InvalidParameter("invalid checksum digest format")
    return text


def is_digest(text: str) -> bool:
    """Whether text is a well-formed digest by a known algorithm."""
    try:
        check_digest(text)
    except InvalidParameter:
        return False
    return True


def _split_domain(text: str) -> tuple[str, str]:
    first, slash, rest = text.partition("/")
    is_domain = bool(slash) and ("." in first or ":" in first or first == "localhost" or first.lower() != first)
    domain, remainder = (first, rest) if is_domain else (DEFAULT_DOMAIN, text)
    if domain == _LEGACY_DOMAIN:
        domain = DEFAULT_DOMAIN
    if domain == DEFAULT_DOMAIN and "/" not in remainder:
        remainder = _OFFICIAL + remainder
    return domain, remainder
