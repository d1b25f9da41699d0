"""Where a registry is: from a reference's domain or a mirror's URL to a base URL. Pure.

Owns: docker.io's real host, which hosts may be spoken to without verified TLS (loopback only, as dockerd does without
further configuration), what an ECR domain looks like, mirrors and ECR's pull-through caches. Makes no call.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from sockerless.errors import InvalidParameter
from sockerless.registry.reference import DEFAULT_DOMAIN, Reference, parse

_DOCKER_HUB_HOST = "registry-1.docker.io"
_ECR = re.compile(
    r"(\d{12})\.dkr[.-]ecr(-fips)?\.([a-z0-9-]+)\.(amazonaws\.com(\.cn)?|on\.(aws|amazonwebservices\.com\.cn))"
)


@dataclass(frozen=True, slots=True)
class Mirror:
    """A registry asked before an image's own: its domain, and a path prefix its repositories stand under ("" = none).

    The prefix serves ECR pull-through caches: https://ACCOUNT.dkr.ecr.REGION.amazonaws.com/docker-hub. caches: it
    fetches from the image's own registry what it does not have.
    """

    domain: str
    prefix: str
    caches: bool = False

    def reference(self, reference: Reference) -> Reference:
        """The same image as the mirror names it; a task pulls it by this name."""
        return Reference(self.domain, self.prefix + reference.path, reference.tag, reference.digest)


def parse_mirrors(urls: tuple[str, ...]) -> tuple[Mirror, ...]:
    """SOCKERLESS_REGISTRY_MIRRORS' URLs; InvalidParameter names one that tasks could not pull from."""
    return tuple(_parse_mirror(url) for url in urls)


def parse_pull_through(pairs: tuple[tuple[str, str], ...]) -> dict[str, Mirror]:
    """SOCKERLESS_ECR_PULL_THROUGH's registries, by domain; InvalidParameter names one that is none."""
    return dict(_parse_cache(domain, uri) for domain, uri in pairs)


def host(domain: str) -> str:
    """The host with port that serves this domain's distribution API."""
    return _DOCKER_HUB_HOST if domain == DEFAULT_DOMAIN else domain


def is_loopback(domain: str) -> bool:
    """Whether the domain is this machine: localhost, 127.0.0.0/8 or ::1, with any port."""
    name = urlsplit(f"//{domain}").hostname or ""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


def is_loopback_url(url: str) -> bool:
    """Whether an http or https URL points at this machine."""
    parts = urlsplit(url)
    return parts.scheme in {"http", "https"} and is_loopback(parts.netloc)


def is_ecr(domain: str) -> bool:
    """Whether the domain is a private ECR registry (public.ecr.aws is not: it needs no credentials)."""
    return _ECR.fullmatch(domain) is not None


def same_origin(one: str, other: str) -> bool:
    """Whether two URLs share scheme, host and port."""
    return urlsplit(one)[:2] == urlsplit(other)[:2]


def _parse_mirror(url: str) -> Mirror:
    parts = urlsplit(url)
    prefix = parts.path.strip("/")
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.query or parts.username or parts.fragment:
        raise InvalidParameter(f"SOCKERLESS_REGISTRY_MIRRORS: {parts.hostname or url!r} is not given as a plain URL")
    if parts.scheme == "http" and not is_loopback(parts.netloc):
        raise InvalidParameter(
            f"SOCKERLESS_REGISTRY_MIRRORS: {url} is not https, and Fargate tasks pull over https only; give the "
            "mirror a certificate, or use an ECR pull-through cache"
        )
    try:
        checked = parse(f"{parts.netloc}/{prefix}/x" if prefix else f"{parts.netloc}/x")
    except InvalidParameter as error:
        raise InvalidParameter(f"SOCKERLESS_REGISTRY_MIRRORS: {url}: {error}") from None
    if checked.domain != parts.netloc:
        raise InvalidParameter(f"SOCKERLESS_REGISTRY_MIRRORS: {url} needs a host name with a dot or a port")
    return Mirror(checked.domain, f"{prefix}/" if prefix else "")


def _parse_cache(domain: str, uri: str) -> tuple[str, Mirror]:
    try:
        cached, cache = parse(f"{domain}/x").domain, parse(f"{uri}/x")
    except InvalidParameter as error:
        raise InvalidParameter(f"SOCKERLESS_ECR_PULL_THROUGH: {domain}={uri}: {error}") from None
    if cached != domain or not f"{uri}/".startswith(f"{cache.domain}/"):
        raise InvalidParameter(
            f"SOCKERLESS_ECR_PULL_THROUGH: {domain}={uri} does not name a registry and what its repositories' URIs "
            "start with, like quay.io=123456789012.dkr.ecr.eu-central-1.amazonaws.com/quay"
        )
    return domain, Mirror(cache.domain, cache.path.removesuffix("x"), caches=True)
