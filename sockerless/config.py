"""Every environment variable the daemon reads, in one table: name, default, meaning, check. Makes no AWS call.

Source of the first thirteen: the backend-ecs reference (docs/reference/configuration.md is generated from here).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sockerless import config_values as values
from sockerless.errors import InvalidParameter
from sockerless.types import SimulatorCredentials

FILL_COMMAND = "sockerless-kit apply"
"""The command that fills what infrastructure determines."""
MAX_CPU_UNITS, MAX_MEMORY_MIB = 16384, 122880
"""The largest Fargate task; the smallest is 256 with 512 (developer guide, "Task CPU and memory")."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One row: the variable's name, the Config attribute it fills, default text, meaning and parser.

    required: the daemon does not start without it. determined: `sockerless-kit apply` writes it to daemon.env.
    """

    name: str
    attribute: str
    default: str
    meaning: str
    parse: Callable[[str], Any] = values.text
    required: bool = False
    determined: bool = False
    secret: bool = False


VARIABLES: tuple[Variable, ...] = (
    Variable(
        "AWS_REGION",
        "region",
        "us-east-1",
        "AWS region",
        values.matching(r"[a-z]{2}(-[a-z]+)+-\d", "a region like eu-central-1"),
        determined=True,
    ),
    Variable("SOCKERLESS_ECS_CLUSTER", "cluster", "sockerless", "ECS cluster name", determined=True),
    Variable(
        "SOCKERLESS_ECS_SUBNETS",
        "subnets",
        "",
        "Comma-separated subnet IDs",
        values.ids("subnet"),
        required=True,
        determined=True,
    ),
    Variable(
        "SOCKERLESS_ECS_SECURITY_GROUPS",
        "security_groups",
        "",
        "Comma-separated security group IDs",
        values.ids("sg"),
        determined=True,
    ),
    Variable(
        "SOCKERLESS_ECS_TASK_ROLE_ARN", "task_role_arn", "", "IAM role for the task", values.role, determined=True
    ),
    Variable(
        "SOCKERLESS_ECS_EXECUTION_ROLE_ARN",
        "execution_role_arn",
        "",
        "IAM role for task execution (image pull, logs)",
        values.role,
        required=True,
        determined=True,
    ),
    Variable("SOCKERLESS_ECS_LOG_GROUP", "log_group", "/sockerless", "CloudWatch log group", determined=True),
    Variable(
        "SOCKERLESS_ECS_PUBLIC_IP",
        "public_ip",
        "false",
        "Assign a public IP to tasks and dial their agents there",
        values.boolean,
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
        values.matching(r"fs-[0-9a-f]+", "a file system id like fs-0123abcd"),
        determined=True,
    ),
    Variable("SOCKERLESS_AGENT_TOKEN", "agent_token", "", "Default agent authentication token", secret=True),
    Variable(
        "SOCKERLESS_CALLBACK_URL",
        "callback_url",
        "",
        "Backend URL for reverse agent mode",
        values.callback_url,
    ),
    Variable(
        "SOCKERLESS_CALLBACK_LISTEN",
        "callback_listen",
        "",
        "HOST:PORT where the daemon listens for agents in reverse mode (empty: every address, at the port of an http "
        "or ws SOCKERLESS_CALLBACK_URL)",
        values.address,
    ),
    Variable(
        "SOCKERLESS_ENDPOINT_URL",
        "endpoint_url",
        "",
        "Custom AWS endpoint (simulator mode)",
        values.url("http", "https"),
        determined=True,
    ),
    Variable(
        "SOCKERLESS_SIMULATOR_CREDENTIALS",
        "simulator_credentials",
        "test:test",
        "Whom a simulated AWS that enforces IAM takes us for: ACCESS_KEY_ID:SECRET_ACCESS_KEY[:SESSION_TOKEN]; "
        "test:test is its root user",
        values.credentials,
        secret=True,
    ),
    Variable(
        "SOCKERLESS_AGENT_EFS_ACCESS_POINT",
        "agent_efs_access_point",
        "",
        "EFS access point the agent is mounted from",
        values.matching(r"fsap-[0-9a-f]+", "an access point id like fsap-0123abcd"),
        determined=True,
    ),
    Variable(
        "SOCKERLESS_AGENT_VERSION",
        "agent_version",
        "",
        "Version of the agent in EFS, the name of its directory there",
        values.matching(r"[0-9a-zA-Z][0-9a-zA-Z._-]*", "a directory name"),
        determined=True,
    ),
    Variable(
        "SOCKERLESS_AGENT_ARCHITECTURE",
        "agent_architecture",
        "X86_64",
        "What that agent was built for, X86_64 or ARM64: containers of the other platform are refused",
        values.architecture,
        determined=True,
    ),
    Variable(
        "SOCKERLESS_ECS_CAPACITY_PROVIDERS",
        "capacity_providers",
        "FARGATE=1",
        "What tasks run on, with weights: FARGATE (on demand) and FARGATE_SPOT, like FARGATE=1,FARGATE_SPOT=3",
        values.capacity_providers,
        determined=True,
    ),
    Variable(
        "SOCKERLESS_EVENTS_QUEUE_URL",
        "events_queue_url",
        "",
        "SQS queue that tells of task changes, one to a daemon (empty: ECS is asked for them)",
        values.url("http", "https"),
        determined=True,
    ),
    Variable(
        "SOCKERLESS_ARCHITECTURE",
        "architecture",
        "",
        "What images for both platforms run on, X86_64 or ARM64 (empty: what the agent was built for)",
        values.architecture,
        determined=True,
    ),
    Variable(
        "SOCKERLESS_DEFAULT_CPU_UNITS",
        "default_cpu_units",
        "256",
        "CPU of a container that asks for none (1024 = 1 vCPU)",
        values.number(256, MAX_CPU_UNITS),
        determined=True,
    ),
    Variable(
        "SOCKERLESS_DEFAULT_MEMORY_MIB",
        "default_memory_mib",
        "512",
        "Memory in MiB of a container that asks for none",
        values.number(512, MAX_MEMORY_MIB),
        determined=True,
    ),
    Variable(
        "SOCKERLESS_MAX_CPU_UNITS",
        "max_cpu_units",
        str(MAX_CPU_UNITS),
        "Most CPU the task of a container may have",
        values.number(256, MAX_CPU_UNITS),
        determined=True,
    ),
    Variable(
        "SOCKERLESS_MAX_MEMORY_MIB",
        "max_memory_mib",
        str(MAX_MEMORY_MIB),
        "Most memory in MiB the task of a container may have",
        values.number(512, MAX_MEMORY_MIB),
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
        "SOCKERLESS_ECR_PULL_THROUGH",
        "pull_through",
        "",
        "Comma-separated HOST=URI pairs: the registries that ECR caches, and what their repositories' URIs start with",
        values.pull_through,
        determined=True,
    ),
    Variable(
        "SOCKERLESS_REGISTRY_MIRRORS",
        "registry_mirrors",
        "",
        "Comma-separated mirror URLs asked before docker.io, and before ECR's cache of it",
        values.several,
    ),
    Variable(
        "SOCKERLESS_STATE_DIR",
        "state_dir",
        "~/.local/state/sockerless",
        "Directory of the daemon's records",
        values.path,
        determined=True,
    ),
    Variable(
        "SOCKERLESS_LINGER_S",
        "linger_s",
        "60",
        "Seconds a task stays after its process ended, so that start, cp, diff and export find its files",
        values.seconds,
    ),
    Variable(
        "SOCKERLESS_START_TIMEOUT_S",
        "start_timeout_s",
        "300",
        "Seconds a start may take until its agent answers",
        values.seconds,
    ),
    Variable(
        "SOCKERLESS_DEFINITION_RETENTION_S",
        "definition_retention_s",
        "86400",
        "Seconds an unused task definition is kept before it is deregistered (0 = at once)",
        values.seconds,
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
    simulator_credentials: SimulatorCredentials
    agent_efs_access_point: str
    agent_version: str
    agent_architecture: str
    capacity_providers: tuple[tuple[str, int], ...]
    events_queue_url: str
    architecture: str
    default_cpu_units: int
    default_memory_mib: int
    max_cpu_units: int
    max_memory_mib: int
    ecr_repository: str
    pull_through: tuple[tuple[str, str], ...]
    registry_mirrors: tuple[str, ...]
    state_dir: Path
    linger_s: float
    start_timeout_s: float
    definition_retention_s: float

    @property
    def prefers_arm64(self) -> bool:
        """Whether an image for both platforms runs on ARM64."""
        return (self.architecture or self.agent_architecture) == "ARM64"


def simulator_credentials(environment: Mapping[str, str] = os.environ) -> SimulatorCredentials:
    """Whom the simulated AWS is to take us for, for what has no Config; InvalidParameter when it is malformed."""
    variable = next(one for one in VARIABLES if one.attribute == "simulator_credentials")
    try:
        return values.credentials(environment.get(variable.name, "") or variable.default)
    except ValueError as error:
        raise InvalidParameter(f"{variable.name}: its value is not valid: {error}") from None


def load(environment: Mapping[str, str] = os.environ) -> Config:
    """Config from the environment. InvalidParameter names every missing or malformed variable and what fills it."""
    read: dict[str, Any] = {}
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
            read[variable.attribute] = variable.parse(text)
        except ValueError as error:
            shown = "its value" if variable.secret else repr(text)
            problems.append(f"{variable.name}: {shown} is not valid: {error}")
    if problems:
        raise InvalidParameter("; ".join(problems))
    return Config(**read)
