"""How the text of one environment variable becomes a value.

Owns the checks of single values: each takes the text and raises ValueError with what was expected instead. Knows no
variable's name; config.py owns the table.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from sockerless.types import SimulatorCredentials

CAPACITY_PROVIDERS = ("FARGATE", "FARGATE_SPOT")
MAX_CAPACITY_WEIGHT = 1000
"""ECS API reference, CapacityProviderStrategyItem.weight."""


def text(value: str) -> str:
    """The text as it is."""
    return value


def boolean(value: str) -> bool:
    """True or false, in one of the usual spellings."""
    lowered = value.strip().lower()
    if lowered in {"1", "true", "yes", "on"}:
        return True
    if lowered in {"0", "false", "no", "off", ""}:
        return False
    raise ValueError("expected true or false")


def several(value: str) -> tuple[str, ...]:
    """What stands between commas."""
    return tuple(part.strip() for part in value.split(",") if part.strip())


def matching(pattern: str, what: str) -> Callable[[str], str]:
    """A check for text that is empty or matches the whole pattern."""
    compiled = re.compile(pattern)

    def check(value: str) -> str:
        if value and not compiled.fullmatch(value):
            raise ValueError(f"expected {what}")
        return value

    return check


def ids(prefix: str) -> Callable[[str], tuple[str, ...]]:
    """A check for AWS ids that start with prefix."""
    one = matching(prefix + "-[0-9a-f]+", f"ids like {prefix}-0123abcd, separated by commas")

    def check(value: str) -> tuple[str, ...]:
        return tuple(one(part) for part in several(value))

    return check


def seconds(value: str) -> float:
    """A number of seconds, 0 or more."""
    try:
        found = float(value)
    except ValueError:
        raise ValueError("expected a number of seconds") from None
    if not 0 <= found < float("inf"):
        raise ValueError("expected a number of seconds, 0 or more")
    return found


def number(smallest: int, largest: int) -> Callable[[str], int]:
    """A check for a whole number within these bounds."""

    def check(value: str) -> int:
        if not value.isascii() or not value.isdecimal() or not smallest <= int(value) <= largest:
            raise ValueError(f"expected a whole number from {smallest} to {largest}")
        return int(value)

    return check


def url(*schemes: str) -> Callable[[str], str]:
    """A check for a URL of one of these schemes."""
    return matching(f"({'|'.join(schemes)})://[^\\s/]+(/\\S*)?", f"a URL starting with {' or '.join(schemes)}")


def callback_url(value: str) -> str:
    """A URL that agents call: it goes into task definitions' overrides, so it carries no secret."""
    found = url("http", "https", "ws", "wss")(value)
    if set(found) & set("@?#"):
        raise ValueError("expected a URL without a user, a query or a fragment")
    return found


def address(value: str) -> tuple[str, int] | None:
    """HOST:PORT; None when it is empty. An empty host means every address."""
    if not value:
        return None
    host, colon, port = value.rpartition(":")
    if not colon or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError("expected HOST:PORT")
    return host.strip("[]") or "0.0.0.0", int(port)  # noqa: S104 - an empty host means every address


def credentials(value: str) -> SimulatorCredentials:
    """An access key, with its session token where it has one."""
    parts = value.split(":")
    if len(parts) not in {2, 3} or not all(parts):
        raise ValueError("expected ACCESS_KEY_ID:SECRET_ACCESS_KEY, or those and :SESSION_TOKEN")
    return SimulatorCredentials(*parts)


def path(value: str) -> Path:
    """A path; ~ is the user's home."""
    return Path(value).expanduser()


role = matching(r"arn:aws[a-z-]*:iam::\d{12}:role/\S+", "a role ARN like arn:aws:iam::123456789012:role/name")
"""The ARN of an IAM role."""
architecture = matching(r"X86_64|ARM64", "X86_64 or ARM64")
"""A CPU architecture as ECS spells it."""


def pull_through(value: str) -> tuple[tuple[str, str], ...]:
    """HOST=URI pairs."""
    return _pairs(value, "quay.io=123456789012.dkr.ecr.eu-central-1.amazonaws.com/quay")


def capacity_providers(value: str) -> tuple[tuple[str, int], ...]:
    """PROVIDER=WEIGHT pairs of Fargate's own providers, one weight at least above 0."""
    weight = number(0, MAX_CAPACITY_WEIGHT)
    weights = tuple((name, weight(share)) for name, share in _pairs(value, "FARGATE_SPOT=3"))
    for name, _ in weights:
        if name not in CAPACITY_PROVIDERS:
            raise ValueError(f"{name} is not one of {' and '.join(CAPACITY_PROVIDERS)}")
    if not any(share for _, share in weights):
        raise ValueError("at least one weight must be more than 0")
    return weights


def _pairs(value: str, form: str) -> tuple[tuple[str, str], ...]:
    """NAME=VALUE pairs between commas, no name twice. form: how a refusal shows one."""
    found: dict[str, str] = {}
    for one in several(value):
        name, _, given = (part.strip() for part in one.partition("="))
        if not name or not given:
            raise ValueError(f"expected pairs like {form}, separated by commas")
        if name in found:
            raise ValueError(f"{name} is given twice")
        found[name] = given
    return tuple(found.items())
