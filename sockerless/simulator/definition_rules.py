"""What Fargate takes as a task definition. Pure; the first broken rule is raised as ClientException.

Source: ECS API reference, RegisterTaskDefinition, Volume, EFSVolumeConfiguration, ContainerDependency; service quotas.
The words are AWS's where AWS's are known.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from moto.ecs.exceptions import EcsClientException

from sockerless.simulator import container_rules, fargate_sizes, tagrules
from sockerless.simulator.run_request import no_configuration

MAX_BYTES = 64 * 1024
MAX_CONTAINERS = 10
_FAMILY = re.compile(r"[A-Za-z0-9_-]{1,255}")
_ECR_IMAGE = re.compile(r"\d{12}\.dkr\.ecr\..*")
_NOT_SIMULATED = (
    "proxyConfiguration",
    "inferenceAccelerators",
    "enableFaultInjection",
    "trustedExecutionConfiguration",
)

Document = Mapping[str, Any]


def check(document: Document, registry: str) -> None:
    """ClientException or InvalidParameterException for the first rule broken. registry: the ECR's host:port."""
    if not _FAMILY.fullmatch(document.get("family") or ""):
        raise EcsClientException("Family contains invalid characters.")
    size = len(json.dumps(document, separators=(",", ":"), default=str).encode())
    if size > MAX_BYTES:
        raise EcsClientException(f"Actual length: '{size}'. Max allowed length is '{MAX_BYTES}' bytes.")
    tagrules.check(document.get("tags") or [])
    if "FARGATE" in (document.get("requiresCompatibilities") or []):
        _check_task(document)
        _check_containers(document, registry)
        _check_volumes(document)
        _check_references(document)


def _check_task(document: Document) -> None:
    if document.get("networkMode") != "awsvpc":
        raise EcsClientException("Fargate only supports network mode ‘awsvpc’.")  # noqa: RUF001 - AWS's quotes
    for member in ("cpu", "memory"):
        if not document.get(member):
            raise EcsClientException(f"Fargate requires that '{member}' be defined at the task level.")
    cpu, memory = fargate_sizes.cpu_units(document["cpu"]), fargate_sizes.memory_mib(document["memory"])
    if cpu is None:
        raise EcsClientException("Invalid 'cpu' setting for task.")
    if memory is None:
        raise EcsClientException("Invalid 'memory' setting for task.")
    if not fargate_sizes.is_legal(cpu, memory):
        raise EcsClientException(no_configuration(cpu, memory))
    if document.get("ipcMode"):
        raise EcsClientException("Tasks using the Fargate launch type do not support ipcMode.")
    if document.get("placementConstraints"):
        raise EcsClientException("Fargate does not support task placement constraints.")
    for member in _NOT_SIMULATED:
        if document.get(member):
            raise EcsClientException(f"TaskDefinition.{member} is not simulated.")
    storage = (document.get("ephemeralStorage") or {}).get("sizeInGiB")
    if storage is not None and not 21 <= storage <= 200:
        raise EcsClientException("Ephemeral storage must be between 21 and 200 GiB.")
    if (document.get("runtimePlatform") or {}).get("operatingSystemFamily") not in (None, "LINUX"):
        raise EcsClientException("Only operatingSystemFamily LINUX is simulated.")


def _check_containers(document: Document, registry: str) -> None:
    containers = document.get("containerDefinitions") or []
    if not containers:
        raise EcsClientException("Container list cannot be empty.")
    if len(containers) > MAX_CONTAINERS:
        raise EcsClientException(f"Too many containers: at most {MAX_CONTAINERS}.")
    for container in containers:
        container_rules.check(container)
    names = [container["name"] for container in containers]
    if len(set(names)) != len(names):
        raise EcsClientException("Container names must be unique within a task definition.")
    if not any(container.get("essential", True) for container in containers):
        raise EcsClientException("Task definition must have at least one essential container.")
    if any((container.get("memory") or 0) > _memory_mib(document) for container in containers):
        raise EcsClientException("The 'memory' setting for container is greater than for the task.")
    if sum(container.get("cpu") or 0 for container in containers) > (fargate_sizes.cpu_units(document["cpu"]) or 0):
        raise EcsClientException("Invalid 'cpu' setting for task: it is smaller than the sum of its containers'.")
    if not document.get("executionRoleArn"):
        _check_no_execution_role(containers, registry)


def _memory_mib(document: Document) -> int:
    return fargate_sizes.memory_mib(document["memory"]) or 0


def _check_no_execution_role(containers: list[Document], registry: str) -> None:
    requires = "Fargate requires task definition to have execution role ARN to support "
    for container in containers:
        if container.get("logConfiguration"):
            raise EcsClientException(f"{requires}log driver awslogs.")
        if _ECR_IMAGE.match(container["image"]) or container["image"].startswith(f"{registry}/"):
            raise EcsClientException(f"{requires}ECR images.")
        if container.get("secrets"):
            raise EcsClientException("When you are specifying container secrets, you must also specify a value for "
                                     "'executionRoleArn'.")  # fmt: skip


def _check_volumes(document: Document) -> None:
    volumes = document.get("volumes") or []
    names = [volume.get("name") for volume in volumes]
    if len(set(names)) != len(names) or not all(names):
        raise EcsClientException("Volume names must be given and unique within a task definition.")
    for volume in volumes:
        if (volume.get("host") or {}).get("sourcePath"):
            raise EcsClientException("host.sourcePath should not be set for volumes in Fargate.")
        unsupported = set(volume) - {"name", "host", "efsVolumeConfiguration"}
        if any(volume[member] for member in unsupported):
            raise EcsClientException(f"Volume.{sorted(unsupported)[0]} is not simulated.")
        if volume.get("efsVolumeConfiguration"):
            _check_efs(volume["efsVolumeConfiguration"])


def _check_efs(configuration: Document) -> None:
    if not re.fullmatch(r"fs-[0-9a-f]{8,40}", configuration.get("fileSystemId") or ""):
        raise EcsClientException("Invalid EFS file system ID.")
    authorization = configuration.get("authorizationConfig") or {}
    encrypted = configuration.get("transitEncryption") == "ENABLED"
    if authorization.get("accessPointId"):
        if configuration.get("rootDirectory") not in (None, "", "/"):
            raise EcsClientException(
                "Root directory must either be omitted or set to / when an EFS access point is specified."
            )
        if not encrypted:
            raise EcsClientException("EFS transit encryption must be enabled when an EFS access point is specified.")
    if authorization.get("iam") == "ENABLED" and not encrypted:
        raise EcsClientException("EFS transit encryption must be enabled when EFS IAM authorization is enabled.")
    if configuration.get("transitEncryptionPort") and not encrypted:
        raise EcsClientException("EFS transit encryption must be enabled when a transit encryption port is set.")


def _check_references(document: Document) -> None:
    containers = {container["name"]: container for container in document["containerDefinitions"]}
    volumes = {volume["name"] for volume in document.get("volumes") or []}
    for container in containers.values():
        for point in container.get("mountPoints") or []:
            if point.get("sourceVolume") not in volumes:
                raise EcsClientException(f"Unknown volume '{point.get('sourceVolume')}'.")
            if not str(point.get("containerPath") or "").startswith("/"):
                raise EcsClientException("Mount point containerPath must be an absolute path.")
        for source in container.get("volumesFrom") or []:
            if source.get("sourceContainer") not in containers:
                raise EcsClientException(f"Unknown container '{source.get('sourceContainer')}' in volumesFrom.")
        for dependency in container.get("dependsOn") or []:
            _check_dependency(container["name"], dependency, containers)
    _check_no_circle({name: _needs(container) for name, container in containers.items()})


def _needs(container: Document) -> set[str]:
    after = {dependency["containerName"] for dependency in container.get("dependsOn") or []}
    return after | {source["sourceContainer"] for source in container.get("volumesFrom") or []}


def _check_dependency(name: str, dependency: Document, containers: Mapping[str, Document]) -> None:
    target = containers.get(dependency["containerName"])
    condition = dependency["condition"]
    if target is None:
        raise EcsClientException(f"Unknown container '{dependency['containerName']}' in dependsOn of '{name}'.")
    if condition in {"COMPLETE", "SUCCESS"} and target.get("essential", True):
        raise EcsClientException(f"Container '{target['name']}' cannot be essential with condition {condition}.")
    if condition == "HEALTHY" and not target.get("healthCheck"):
        raise EcsClientException(f"Container '{target['name']}' must have a health check for condition HEALTHY.")


def _check_no_circle(needs: Mapping[str, set[str]]) -> None:
    settled: set[str] = set()
    while len(settled) < len(needs):
        ready = {name for name, needed in needs.items() if name not in settled and needed <= settled}
        if not ready:
            raise EcsClientException("Container dependencies must not form a circle.")
        settled |= ready
