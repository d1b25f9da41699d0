"""Every environment variable the daemon reads, in one table: name, default, meaning, check. Makes no AWS call.

Source of the first thirteen: the backend-ecs reference (docs/reference/configuration.md is generated from here).
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sockerless.errors import InvalidParameter

FILL_COMMAND = "sockerless-kit apply"
"""The command that fills what infrastructure determines."""


def _text(value: str) -> str:
    return value


def _boolean(value: str) -> bool:
    lowered = value.strip().lower()
    if lowered in {"1", "true", "yes", "on"}:
        return True
    if lowered in {"0", "false", "no", "off", ""}:
        return False
    raise ValueError("expected true or false")


def _list(value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _matching(pattern: str, what: str) -> Callable[[str], str]:
    compiled = re.compile(pattern)

    def check(value: str) -> str:
        if value and not compiled.fullmatch(value):
            raise ValueError(f"expected {what}")
        return value

    return check


def _ids(prefix: str) -> Callable[[str], tuple[str, ...]]:
    one = _matching(prefix + "-[0-9a-f]+", f"ids like {prefix}-0123abcd, separated by commas")

    def check(value: str) -> tuple[str, ...]:
        return tuple(one(part) for part in _list(value))

    return check


def _seconds(value: str) -> float:
    try:
        seconds = float(value)
    except ValueError:
        raise ValueError("expected a number of seconds") from None
    if not 0 <= seconds < float("inf"):
        raise ValueError("expected a number of seconds, 0 or more")
    return seconds


def _url(schemes: tuple[str, ...]) -> Callable[[str], str]:
    return _matching(f"({'|'.join(schemes)})://[^\\s/]+(/\\S*)?", f"a URL starting with {' or '.join(schemes)}")


def _callback_url(value: str) -> str:
    url = _url(("http", "https", "ws", "wss"))(value)
    if set(url) & set("@?#"):
        raise ValueError("expected a URL without a user, a query or a fragment")
    return url


def _address(value: str) -> tuple[str, int] | None:
    if not value:
        return None
    host, colon, port = value.rpartition(":")
    if not colon or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError("expected HOST:PORT")
    return host.strip("[]") or "0.0.0.0", int(port)  # noqa: S104 - an empty host means every address


def _path(value: str) -> Path:
    return Path(value).expanduser()


_ROLE = _matching(r"arn:aws[a-z-]*:iam::\d{12}:role/\S+", "a role ARN like arn:aws:iam::123456789012:role/name")


@dataclass(frozen=True, slots=True)
class Variable:
    """One row: the variable's name, the Config attribute it fills, default text, meaning and parser.

    required: the daemon does not start without it. determined: `sockerless-kit apply` writes it to daemon.env.
    """

    name: str
    attribute: str
    default: str
    meaning: str
    parse: Callable[[str], Any] = _text
    required: bool = False
    determined: bool = False
    secret: bool = False


VARIABLES: tuple[Variable, ...] = (
    Variable(
        "AWS_REGION",
        "region",
        "us-east-1",
        "AWS region",
        _matching(r"[a-z]{2}(-[a-z]+)+-\d", "a region like eu-central-1"),
        determined=True,
    ),
    Variable("SOCKERLESS_ECS_CLUSTER", "cluster", "sockerless", "ECS cluster name", determined=True),
    Variable(
        "SOCKERLESS_ECS_SUBNETS",
        "subnets",
        "",
        "Comma-separated subnet IDs",
        _ids("subnet"),
        required=True,
        determined=True,
    ),
    Variable(
        "SOCKERLESS_ECS_SECURITY_GROUPS",
        "security_groups",
        "",
        "Comma-separated security group IDs",
        _ids("sg"),
        determined=True,
    ),
    Variable("SOCKERLESS_ECS_TASK_ROLE_ARN", "task_role_arn", "", "IAM role for the task", _ROLE, determined=True),
    Variable(
        "SOCKERLESS_ECS_EXECUTION_ROLE_ARN",
        "execution_role_arn",
        "",
        "IAM role for task execution (image pull, logs)",
        _ROLE,
        required=True,
        determined=True,
    ),
    Variable("SOCKERLESS_ECS_LOG_GROUP", "log_group", "/sockerless", "CloudWatch log group", determined=True),
    Variable(
        "SOCKERLESS_ECS_PUBLIC_IP",
        "public_ip",
        "false",
        "Assign a public IP to tasks and dial their agents there",
        _boolean,
        determined=True,
    ),
    Variable(
        "SOCKERLESS_AGENT_IMAGE",
        "agent_image",
        "sockerless/agent:latest",
        "Agent image, for the task that fills EFS or, without EFS, the container that delivers the agent",
        determined=True,
    ),
    Variable(
        "SOCKERLESS_AGENT_EFS_ID",
        "agent_efs_id",
        "",
        "EFS file system that holds the agent",
        _matching(r"fs-[0-9a-f]+", "a file system id like fs-0123abcd"),
        determined=True,
    ),
    Variable("SOCKERLESS_AGENT_TOKEN", "agent_token", "", "Default agent authentication token", secret=True),
    Variable(
        "SOCKERLESS_CALLBACK_URL",
        "callback_url",
        "",
        "Backend URL for reverse agent mode",
        _callback_url,
    ),
    Variable(
        "SOCKERLESS_CALLBACK_LISTEN",
        "callback_listen",
        "",
        "HOST:PORT where the daemon listens for agents in reverse mode (empty: every address, at the port of an http "
        "or ws SOCKERLESS_CALLBACK_URL)",
        _address,
    ),
    Variable(
        "SOCKERLESS_ENDPOINT_URL",
        "endpoint_url",
        "",
        "Custom AWS endpoint (simulator mode)",
        _url(("http", "https")),
        determined=True,
    ),
    Variable(
        "SOCKERLESS_AGENT_EFS_ACCESS_POINT",
        "agent_efs_access_point",
        "",
        "EFS access point the agent is mounted from",
        _matching(r"fsap-[0-9a-f]+", "an access point id like fsap-0123abcd"),
        determined=True,
    ),
    Variable(
        "SOCKERLESS_AGENT_VERSION",
        "agent_version",
        "",
        "Version of the agent in EFS, the name of its directory there",
        _matching(r"[0-9a-zA-Z][0-9a-zA-Z._-]*", "a directory name"),
        determined=True,
    ),
    Variable(
        "SOCKERLESS_AGENT_ARCHITECTURE",
        "agent_architecture",
        "X86_64",
        "What that agent was built for, X86_64 or ARM64: containers of the other platform are refused",
        _matching(r"X86_64|ARM64", "X86_64 or ARM64"),
        determined=True,
    ),
    Variable(
        "SOCKERLESS_ECR_REPOSITORY",
        "ecr_repository",
        "",
        "ECR repository URI that receives loaded images",
        determined=True,
    ),
    Variable(
        "SOCKERLESS_REGISTRY_MIRRORS",
        "registry_mirrors",
        "",
        "Comma-separated mirror URLs asked before docker.io",
        _list,
    ),
    Variable(
        "SOCKERLESS_STATE_DIR",
        "state_dir",
        "~/.local/state/sockerless",
        "Directory of the daemon's records",
        _path,
        determined=True,
    ),
    Variable(
        "SOCKERLESS_LINGER_S",
        "linger_s",
        "60",
        "Seconds a task stays after its process ended, so that start, cp and commit find its files",
        _seconds,
    ),
    Variable(
        "SOCKERLESS_START_TIMEOUT_S",
        "start_timeout_s",
        "300",
        "Seconds a start may take until its agent answers",
        _seconds,
    ),
    Variable(
        "SOCKERLESS_DEFINITION_RETENTION_S",
        "definition_retention_s",
        "86400",
        "Seconds an unused task definition is kept before it is deregistered (0 = at once)",
        _seconds,
    ),
)


@dataclass(frozen=True, slots=True)
class Config:
    """The daemon's configuration, parsed and checked. One attribute per row of VARIABLES."""

    region: str
    cluster: str
    subnets: tuple[str, ...]
    security_groups: tuple[str, ...]
    task_role_arn: str
    execution_role_arn: str
    log_group: str
    public_ip: bool
    agent_image: str
    agent_efs_id: str
    agent_token: str
    callback_url: str
    callback_listen: tuple[str, int] | None
    endpoint_url: str
    agent_efs_access_point: str
    agent_version: str
    agent_architecture: str
    ecr_repository: str
    registry_mirrors: tuple[str, ...]
    state_dir: Path
    linger_s: float
    start_timeout_s: float
    definition_retention_s: float


def load(environment: Mapping[str, str] = os.environ) -> Config:
    """Config from the environment. InvalidParameter names every missing or malformed variable and what fills it."""
    values: dict[str, Any] = {}
    problems: list[str] = []
    for variable in VARIABLES:
        text = environment.get(variable.name, "") or variable.default
        if variable.required and not text:
            problems.append(
                f"{variable.name} ({variable.meaning.lower()}) is not set; run `{FILL_COMMAND}` and start the "
                "daemon from the daemon.env it writes"
            )
            continue
        try:
            values[variable.attribute] = variable.parse(text)
        except ValueError as error:
            shown = "its value" if variable.secret else repr(text)
            problems.append(f"{variable.name}: {shown} is not valid: {error}")
    if problems:
        raise InvalidParameter("; ".join(problems))
    return Config(**values)
