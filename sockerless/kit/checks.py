"""Checks of single settings: each takes what a person wrote and returns the value to use, or raises ValueError.

Owns: what is legal in AWS names and harmless in HCL. Knows no key and no file.
Source: quotas and character sets of the AWS resources the values end up in (IAM role name 64, ECR repository name
pattern, CloudWatch retention values, VPC CIDR block /16 to /28, tag key 128 and value 256 characters).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

Check = Callable[[Any], Any]

# fmt: off
RETENTION_DAYS = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)
# fmt: on
"""What CloudWatch Logs PutRetentionPolicy accepts."""
_TAG_TEXT = r"[A-Za-z0-9 +\-=._:/@]"
_MOST_TAGS = 40
_LABEL = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
"""One part of a host name. Source: RFC 1123, section 2.1."""
_A_URL = "a URL like http://127.0.0.1:4566"


def matching(pattern: str, what: str, empty: bool = False) -> Check:
    """A text that matches the whole pattern; with empty, "" too."""
    compiled = re.compile(pattern, re.ASCII)

    def check(value: Any) -> str:
        if isinstance(value, str) and (compiled.fullmatch(value) or (empty and not value)):
            return value
        raise ValueError(f"expected {what}{', or nothing' if empty else ''}")

    return check


def one_of(*choices: str) -> Check:
    """One of these words."""

    def check(value: Any) -> str:
        if value not in choices:
            raise ValueError(f"expected one of {', '.join(choices)}")
        return str(value)

    return check


def number(least: int, most: int) -> Check:
    """A whole number from least to most."""

    def check(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise ValueError(f"expected a number from {least} to {most}")
        return value

    return check


def boolean(value: Any) -> bool:
    """true or false."""
    if not isinstance(value, bool):
        raise ValueError("expected true or false")
    return value


def several(one: Check, what: str, most: int) -> Check:
    """A list of at most so many, each of which passes the check and stands in it once; a tuple."""

    def check(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple):
            raise ValueError(f"expected a list of {what}")
        if len(value) > most:
            raise ValueError(f"expected at most {most} {what}")
        found = tuple(one(part) for part in value)
        if len(set(found)) < len(found):
            raise ValueError("the same stands in it twice")
        return found

    return check


def name(value: Any) -> str:
    """What resource names start with."""
    text: str = matching(
        r"[a-z][a-z0-9]*(-[a-z0-9]+)*", "small letters, digits and single hyphens, starting with a letter"
    )(value)
    if not 2 <= len(text) <= 32:
        raise ValueError("expected 2 to 32 characters")
    if text == "sg" or text.startswith("sg-"):
        raise ValueError("AWS keeps names that start with sg- for itself")
    return text


def network_cidr(value: Any) -> str:
    """The range of a network of our own."""
    network = _network(value)
    if not 16 <= network.prefixlen <= 24:
        raise ValueError("expected a range from /16 to /24")
    address = network.network_address
    if (
        address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_reserved
        or address.packed[0] == 0
    ):
        raise ValueError("AWS gives no network in this range; use a private one like 10.0.0.0/16")
    return str(network)


def daemon_cidr(value: Any) -> str:
    """A range that may reach the agents."""
    network = _network(value)
    if network.prefixlen == 0:
        raise ValueError("the agents' port is not opened to the whole internet; name the range the daemon dials from")
    return str(network)


def url(value: Any) -> str:
    """The address of a service: http or https, a host name or an IP address, and a port or the scheme's own."""
    text: str = matching(rf"https?://(\[[0-9a-fA-F:]+\]|{_LABEL}(\.{_LABEL})*)(:\d{{1,5}})?/?", _A_URL)(value)
    parts = urlsplit(text)
    try:
        if ":" in (host := parts.hostname or "") or not re.search("[a-z]", host):
            ipaddress.ip_address(host)
        if parts.port == 0:
            raise ValueError("there is no port 0")
    except ValueError as error:
        raise ValueError(f"expected {_A_URL} ({error})") from None
    return text


def retention_days(value: Any) -> int:
    """One of CloudWatch's periods."""
    if isinstance(value, bool) or value not in RETENTION_DAYS:
        raise ValueError(f"expected one of CloudWatch's periods: {', '.join(map(str, RETENTION_DAYS))}")
    return int(value)


def tags(value: Any) -> tuple[tuple[str, str], ...]:
    """Tags as sorted pairs."""
    if isinstance(value, tuple):  # as Project holds them
        value = dict(value)
    if not isinstance(value, Mapping):
        raise ValueError('expected a table of texts like { team = "platform" }')
    if len(value) > _MOST_TAGS:
        raise ValueError(f"expected at most {_MOST_TAGS} tags")
    for key, text in value.items():
        if not re.fullmatch(_TAG_TEXT + "{1,128}", key, re.ASCII) or re.match("(aws|sockerless):", key, re.IGNORECASE):
            raise ValueError(f"{key[:140]!r} is not a tag key (1 to 128 letters, digits, blanks and + - = . _ : / @)")
        if not isinstance(text, str) or not re.fullmatch(_TAG_TEXT + "{0,256}", text, re.ASCII):
            raise ValueError(f"the value of {key!r} is not a tag value (letters, digits, blanks and + - = . _ : / @)")
    return tuple(sorted(value.items()))


def _network(value: Any) -> ipaddress.IPv4Network:
    if not isinstance(value, str):
        raise ValueError("expected an IPv4 range like 10.0.0.0/16")
    try:
        return ipaddress.IPv4Network(value)
    except ValueError as error:
        raise ValueError(f"expected an IPv4 range like 10.0.0.0/16 ({error})") from None
