"""What Fargate takes in a container definition. Pure; the first broken rule is raised as ClientException.

Members of AWS's that are not simulated are refused by name rather than accepted and ignored.
Source: ECS API reference, ContainerDefinition; developer guide, "Fargate task definition differences". The words are
AWS's where AWS's are known.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from moto.ecs.exceptions import EcsClientException

_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
_SIMULATED = {
    "name", "image", "cpu", "memory", "memoryReservation", "portMappings", "essential", "entryPoint", "command",
    "environment", "mountPoints", "volumesFrom", "linuxParameters", "secrets", "dependsOn", "stopTimeout",
    "versionConsistency", "user", "workingDirectory", "readonlyRootFilesystem", "interactive", "pseudoTerminal",
    "dockerLabels", "ulimits", "logConfiguration", "healthCheck",
}  # fmt: skip
_NOT_WITH_AWSVPC = ("links", "hostname", "dnsServers", "dnsSearchDomains", "extraHosts")
_NOT_ON_FARGATE = ("privileged", "dockerSecurityOptions", "disableNetworking")
_LINUX_NOT_ON_FARGATE = ("devices", "sharedMemorySize", "maxSwap", "swappiness")
_AWSLOGS_REQUIRED = ("awslogs-group", "awslogs-region", "awslogs-stream-prefix")
_AWSLOGS_OPTIONS = {*_AWSLOGS_REQUIRED, "awslogs-create-group", "mode", "max-buffer-size"}
_ULIMITS = {
    "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc", "rss", "rtprio",
    "rttime", "sigpending", "stack",
}  # fmt: skip
_HEALTH_RANGES = {"interval": (5, 300), "timeout": (2, 60), "retries": (1, 10), "startPeriod": (0, 300)}
MAX_OPEN_FILES = 1_048_576
STOP_TIMEOUT_S = (2, 120)
MIN_MEMORY_MIB = 4

Definition = Mapping[str, Any]


def check(container: Definition) -> None:
    """ClientException for the first rule one container definition breaks by itself."""
    _check_identity(container)
    _check_members(container)
    _check_linux(container.get("linuxParameters") or {})
    _check_ports(container.get("portMappings") or [])
    _check_environment(container)
    _check_limits(container)
    _check_logs(container.get("logConfiguration"))
    _check_health(container.get("healthCheck"))


def _check_identity(container: Definition) -> None:
    if not container.get("name"):
        raise EcsClientException("Container.name should not be null or empty.")
    if not _NAME.fullmatch(container["name"]):
        raise EcsClientException("Container.name contains invalid characters.")
    if not container.get("image"):
        raise EcsClientException("Container.image should not be null or empty.")
    if container["image"] != container["image"].strip() or " " in container["image"]:
        raise EcsClientException("Container.image contains invalid characters.")


def _check_members(container: Definition) -> None:
    given = [member for member, value in container.items() if value not in (None, "", False, [], {})]
    for member in given:
        if member in _NOT_WITH_AWSVPC:
            raise EcsClientException(f"{member} is not supported on container when networkMode=awsvpc.")
        if member in _NOT_ON_FARGATE:
            raise EcsClientException(f"Tasks using the Fargate launch type do not support {member}.")
        if member not in _SIMULATED:
            raise EcsClientException(f"Container.{member} is not simulated.")


def _check_linux(linux: Definition) -> None:
    for member in _LINUX_NOT_ON_FARGATE:
        if linux.get(member):
            raise EcsClientException(f"Tasks using the Fargate launch type do not support {member}.")
    added = set((linux.get("capabilities") or {}).get("add") or [])
    if added - {"SYS_PTRACE"}:
        raise EcsClientException(
            f"The following added capabilities are not supported on Fargate: {sorted(added - {'SYS_PTRACE'})}. "
            "Only SYS_PTRACE is supported."
        )


def _check_ports(mappings: list[Definition]) -> None:
    for mapping in mappings:
        if mapping.get("hostPort") not in (None, 0, mapping.get("containerPort")):
            raise EcsClientException(
                "When networkMode=awsvpc, the host ports and container ports in port mappings must match."
            )


def _check_environment(container: Definition) -> None:
    names = {variable["name"] for variable in container.get("environment") or []}
    for secret in container.get("secrets") or []:
        if secret["name"] in names:
            raise EcsClientException(
                "The secret name must be unique and not shared with any new or existing environment variables set on "
                f"the container, such as '{secret['name']}'."
            )
        names.add(secret["name"])


def _check_limits(container: Definition) -> None:
    memory, reservation = container.get("memory"), container.get("memoryReservation")
    if memory is not None and memory < MIN_MEMORY_MIB:
        raise EcsClientException(f"Invalid 'memory' setting for container '{container['name']}'.")
    if memory and reservation and reservation > memory:
        raise EcsClientException("memoryReservation should be smaller or equal to memory.")
    stop_timeout = container.get("stopTimeout")
    if stop_timeout is not None and not STOP_TIMEOUT_S[0] <= stop_timeout <= STOP_TIMEOUT_S[1]:
        raise EcsClientException(
            "Invalid 'stopTimeout' setting for container: it must be between 2 and 120 on Fargate."
        )
    for ulimit in container.get("ulimits") or []:
        if ulimit["name"] not in _ULIMITS:
            raise EcsClientException(f"Invalid ulimit name {ulimit['name']}.")
        if ulimit["softLimit"] > ulimit["hardLimit"]:
            raise EcsClientException(f"Invalid ulimit {ulimit['name']}: soft limit must not exceed hard limit.")
        if ulimit["name"] == "nofile" and ulimit["hardLimit"] > MAX_OPEN_FILES:
            raise EcsClientException(f"Invalid ulimit nofile: at most {MAX_OPEN_FILES} on Fargate.")


def _check_logs(configuration: Definition | None) -> None:
    if not configuration:
        return
    driver = configuration.get("logDriver")
    if driver in {"splunk", "awsfirelens"}:
        raise EcsClientException(f"Log driver {driver} is not simulated.")
    if driver != "awslogs":
        raise EcsClientException(f"Tasks using the Fargate launch type do not support the log driver {driver}.")
    options = configuration.get("options") or {}
    for required in _AWSLOGS_REQUIRED:
        if not options.get(required):
            raise EcsClientException(f"Log driver awslogs requires options: {', '.join(_AWSLOGS_REQUIRED)}.")
    unknown = set(options) - _AWSLOGS_OPTIONS
    if unknown or configuration.get("secretOptions"):
        raise EcsClientException(f"Log option {sorted(unknown or {'secretOptions'})[0]} is not simulated.")


def _check_health(check_definition: Definition | None) -> None:
    if not check_definition:
        return
    command = check_definition.get("command") or []
    if not command or command[0] not in {"CMD", "CMD-SHELL", "NONE"}:
        raise EcsClientException("HealthCheck.command must start with NONE, CMD or CMD-SHELL.")
    for member, (least, most) in _HEALTH_RANGES.items():
        value = check_definition.get(member)
        if value is not None and not least <= value <= most:
            raise EcsClientException(f"HealthCheck.{member} must be between {least} and {most}.")
