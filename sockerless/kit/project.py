"""The settings of one deployment: the table of keys in sockerless.toml, their checks, and the value they make.

Owns: what a person may ask for, each key with its default, meaning and check. Knows no terraform and asks nobody.
Law: whatever passes these checks is legal in AWS names and harmless in HCL; every refusal names the key.
Source: quotas and character sets of the AWS resources the names end up in (IAM role name 64, ECR repository name
pattern, CloudWatch retention values, VPC CIDR block /16 to /28, tag key 128 and value 256 characters).
"""

from __future__ import annotations

import difflib
import ipaddress
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from sockerless.errors import InvalidParameter, NotFound
from sockerless.kit.background import STATE_FOLDER

SETTINGS_FILE = "sockerless.toml"
"""The one file a person edits."""
DEFAULT_ENDPOINT_URL = "http://127.0.0.1:4566"
"""Where the simulated AWS listens unless sockerless.toml says otherwise."""
RETENTION_DAYS = (
    1,
    3,
    5,
    7,
    14,
    30,
    60,
    90,
    120,
    150,
    180,
    365,
    400,
    545,
    731,
    1096,
    1827,
    2192,
    2557,
    2922,
    3288,
    3653,
)
"""What CloudWatch Logs PutRetentionPolicy accepts."""
_TAG_TEXT = r"[A-Za-z0-9 +\-=._:/@]"
_MOST_TAGS = 40


@dataclass(frozen=True, slots=True)
class Field:
    """One key of sockerless.toml: its name, default, meaning in a few words, and the check that returns its value."""

    name: str
    default: Any
    meaning: str
    check: Callable[[Any], Any]
    asked: bool = False


@dataclass(frozen=True, slots=True)
class Project:
    """The checked settings of the deployment in directory (absolute). One attribute per row of FIELDS."""

    directory: Path
    name: str
    environment: str
    target: Literal["aws", "simulator"]
    endpoint_url: str
    region: str
    zones: int
    network_cidr: str
    daemon_cidrs: tuple[str, ...]
    log_retention_days: int
    force_delete_images: bool
    tags: tuple[tuple[str, str], ...]

    @property
    def simulator(self) -> bool:
        """Whether this deployment lives in the simulated AWS."""
        return self.target == "simulator"

    @property
    def state_directory(self) -> Path:
        """DIR/.sockerless, where the kit keeps what it needs (mode 0700)."""
        return self.directory / STATE_FOLDER

    @property
    def settings_path(self) -> Path:
        """DIR/sockerless.toml."""
        return self.directory / SETTINGS_FILE


def _matching(pattern: str, what: str) -> Callable[[Any], str]:
    compiled = re.compile(pattern, re.ASCII)

    def check(value: Any) -> str:
        if not isinstance(value, str) or not compiled.fullmatch(value):
            raise ValueError(f"expected {what}")
        return value

    return check


def _name(value: Any) -> str:
    text = _matching(
        r"[a-z][a-z0-9]*(-[a-z0-9]+)*", "small letters, digits and single hyphens, starting with a letter"
    )(value)
    if not 2 <= len(text) <= 32:
        raise ValueError("expected 2 to 32 characters")
    if text == "sg" or text.startswith("sg-"):
        raise ValueError("AWS keeps names that start with sg- for itself")
    return text


def _zones(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 6:
        raise ValueError("expected a number from 1 to 6")
    return value


def _network(value: Any) -> ipaddress.IPv4Network:
    if not isinstance(value, str):
        raise ValueError("expected an IPv4 range like 10.0.0.0/16")
    try:
        return ipaddress.IPv4Network(value)
    except ValueError as error:
        raise ValueError(f"expected an IPv4 range like 10.0.0.0/16 ({error})") from None


def _network_cidr(value: Any) -> str:
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


def _daemon_cidrs(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise ValueError('expected a list of IPv4 ranges like ["10.0.0.0/16"]')
    networks = [_network(one) for one in value]
    if any(network.prefixlen == 0 for network in networks):
        raise ValueError("the agents' port is not opened to the whole internet; name the range the daemon dials from")
    return tuple(str(network) for network in networks)


def _target(value: Any) -> str:
    if value not in ("aws", "simulator"):
        raise ValueError('expected "aws" or "simulator"')
    return str(value)


def _retention(value: Any) -> int:
    if isinstance(value, bool) or value not in RETENTION_DAYS:
        raise ValueError(f"expected one of CloudWatch's periods: {', '.join(map(str, RETENTION_DAYS))}")
    return int(value)


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("expected true or false")
    return value


def _tags(value: Any) -> tuple[tuple[str, str], ...]:
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


FIELDS: tuple[Field, ...] = (
    Field("name", "sockerless", "name that starts every resource's name", _name, asked=True),
    Field(
        "environment",
        "dev",
        "environment, a tag on every resource",
        _matching(r"[a-z][a-z0-9-]{0,31}", "1 to 32 small letters, digits and hyphens, starting with a letter"),
    ),
    Field("target", "aws", "where it runs: aws, or simulator (a simulated AWS on this machine)", _target, asked=True),
    Field(
        "endpoint_url",
        DEFAULT_ENDPOINT_URL,
        "address of the simulated AWS",
        _matching(r"https?://(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+)(:\d{1,5})?/?", "a URL like http://127.0.0.1:4566"),
    ),
    Field(
        "region",
        "us-east-1",
        "AWS region",
        _matching(r"[a-z]{2}(-[a-z]{2,12}){1,2}-\d", "a region like eu-central-1"),
        asked=True,
    ),
    Field("zones", 2, "number of availability zones", _zones, asked=True),
    Field("network_cidr", "10.0.0.0/16", "IPv4 range of the network, /16 to /24", _network_cidr, asked=True),
    Field("daemon_cidrs", (), "IPv4 ranges the daemon dials the agents from; none: the network's own", _daemon_cidrs),
    Field("log_retention_days", 30, "days CloudWatch keeps the containers' output", _retention),
    Field("force_delete_images", True, "whether destroy may delete a repository that holds images", _boolean),
    Field("tags", (), "further tags on every resource", _tags),
)
_BY_NAME = {field.name: field for field in FIELDS}


def check(name: str, value: Any) -> Any:
    """The checked value of the key called name; InvalidParameter names the key."""
    try:
        return _BY_NAME[name].check(value)
    except (ValueError, TypeError) as error:
        shown = repr(value)
        raise InvalidParameter(f"{name}: {shown[:80]}{'…' if len(shown) > 80 else ''} is not valid: {error}") from None


def from_mapping(directory: Path, values: Mapping[str, Any]) -> Project:
    """The settings that values ask for, defaults for the rest. InvalidParameter names every key that is wrong."""
    problems = [_unknown(key) for key in values if key not in _BY_NAME]
    checked: dict[str, Any] = {}
    for field in FIELDS:
        try:
            checked[field.name] = check(field.name, values.get(field.name, field.default))
        except InvalidParameter as error:
            problems.append(error.message)
    if problems:
        raise InvalidParameter("; ".join(problems))
    return Project(directory=directory.absolute(), **checked)


def to_mapping(project: Project) -> dict[str, Any]:
    """The settings as from_mapping takes them: one entry per row of FIELDS."""
    return {name: getattr(project, name) for name in (field.name for field in fields(project)) if name in _BY_NAME}


def read_settings(directory: Path) -> dict[str, Any] | None:
    """The keys in DIR/sockerless.toml, unchecked; None when there is no such file."""
    path = directory / SETTINGS_FILE
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidParameter(f"{path} is not valid TOML: {error}") from None


def load(directory: Path) -> Project:
    """The deployment in directory; NotFound when it has no sockerless.toml, InvalidParameter names what is wrong."""
    values = read_settings(directory)
    if values is None:
        raise NotFound(f"there is no {SETTINGS_FILE} in {directory.absolute()}; run `sockerless-kit init` first")
    try:
        return from_mapping(directory, values)
    except InvalidParameter as error:
        raise InvalidParameter(f"{directory / SETTINGS_FILE}: {error.message}") from None


def _unknown(key: str) -> str:
    near = difflib.get_close_matches(key, _BY_NAME, n=1)
    return f"{key[:80]}: there is no such key" + (f"; did you mean {near[0]}?" if near else "")
