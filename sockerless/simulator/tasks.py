"""A Fargate task as ECS knows it: its values and what DescribeTasks says of it.

Knows neither engine nor moto. Everything here is changed only under the simulator's lock.
Source: ECS API reference, Task and Container; developer guide, "Amazon ECS task lifecycle".
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

TaskStatus = Literal[
    "PROVISIONING",
    "PENDING",
    "ACTIVATING",
    "RUNNING",
    "DEACTIVATING",
    "STOPPING",
    "DEPROVISIONING",
    "STOPPED",
]
JsonObject = dict[str, Any]


def now() -> datetime:
    """The time, at the millisecond precision ECS reports."""
    stamp = datetime.now(UTC)
    return stamp.replace(microsecond=stamp.microsecond // 1000 * 1000)


def without_none(document: JsonObject) -> JsonObject:
    """document without the members that are None: ECS leaves out what it does not know."""
    return {key: value for key, value in document.items() if value is not None}


@dataclass(slots=True)
class Interface:
    """The task's elastic network interface. address is "" until the engine has given it one. public: assignPublicIp."""

    id: str
    subnet_id: str
    availability_zone: str
    mac_address: str
    attachment_id: str
    public: bool = False
    status: str = "PRECREATED"
    address: str = ""
    private_dns_name: str = ""

    def describe(self) -> JsonObject:
        """The Attachment document."""
        details = {
            "subnetId": self.subnet_id,
            "networkInterfaceId": self.id,
            "macAddress": self.mac_address,
            "privateDnsName": self.private_dns_name,
            "privateIPv4Address": self.address,
        }
        return {
            "id": self.attachment_id,
            "type": "ElasticNetworkInterface",
            "status": self.status,
            "details": [{"name": name, "value": value} for name, value in details.items() if value],
        }


@dataclass(slots=True)
class TaskContainer:
    """One container of a task.

    definition: its container definition; override: its ContainerOverride or {}. engine_id: "" until created.
    """

    arn: str
    definition: JsonObject
    override: JsonObject
    last_status: str = "PENDING"
    exit_code: int | None = None
    reason: str | None = None
    image_digest: str | None = None
    runtime_id: str | None = None
    health_status: str = "UNKNOWN"
    engine_id: str = ""

    @property
    def name(self) -> str:
        """The name in the definition."""
        return str(self.definition["name"])

    @property
    def essential(self) -> bool:
        """Whether its end ends the task (the default)."""
        return bool(self.definition.get("essential", True))

    def describe(self, task: Task) -> JsonObject:
        """The Container document."""
        interface = task.interface
        size = {
            key: str(value)
            for key in ("cpu", "memory", "memoryReservation")
            if (value := self.override.get(key, self.definition.get(key))) is not None
        }
        return without_none(
            {
                "containerArn": self.arn,
                "taskArn": task.arn,
                "name": self.name,
                "image": self.definition["image"],
                "imageDigest": self.image_digest,
                "runtimeId": self.runtime_id,
                "lastStatus": self.last_status,
                "exitCode": self.exit_code,
                "reason": self.reason,
                "networkBindings": [],
                "networkInterfaces": [
                    {"attachmentId": interface.attachment_id, "privateIpv4Address": interface.address}
                ]
                if interface.address
                else [],
                "healthStatus": self.health_status,
                "cpu": "0",
            }
            | size
        )


@dataclass(slots=True)
class Task:
    """One task. tags: ECS tag documents. definition: the (moto) task definition document it was started from.

    storage_key: the KMS key of its ephemeral storage, "" for AWS's own. The attributes moto's tagging of tasks reads
    (task_arn, cluster_arn, tags) keep moto's names.
    """

    id: str
    task_arn: str
    cluster_arn: str
    task_definition_arn: str
    definition: JsonObject
    containers: list[TaskContainer]
    interface: Interface
    cpu_units: int
    memory_mib: int
    group: str
    started_by: str | None = None
    capacity_provider_name: str | None = None
    platform_version: str = "1.4.0"
    overrides: JsonObject = field(default_factory=dict)
    tags: list[dict[str, str]] = field(default_factory=list)
    enable_execute_command: bool = False
    ephemeral_storage_gib: int = 20
    storage_key: str = ""
    last_status: TaskStatus = "PROVISIONING"
    desired_status: str = "RUNNING"
    stop_code: str | None = None
    stopped_reason: str | None = None
    version: int = 1
    times: dict[str, datetime] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """The task's ARN."""
        return self.task_arn

    def advance(self, status: TaskStatus) -> None:
        """Moves to a status, stamping the time that belongs to it."""
        self.last_status = status
        self.version += 1
        stamp = {"RUNNING": "startedAt", "STOPPING": "stoppingAt", "STOPPED": "stoppedAt"}.get(status)
        if stamp:
            self.times.setdefault(stamp, now())

    def stop(self, code: str, reason: str) -> None:
        """Records why the task ends; the first cause stands."""
        self.desired_status = "STOPPED"
        if self.stop_code is None:
            self.stop_code, self.stopped_reason = code, reason
            self.times.setdefault("stoppingAt", now())
        self.version += 1

    def health_status(self) -> str:
        """HEALTHY when every essential container with a health check is, UNHEALTHY when one is not, else UNKNOWN."""
        checked = [c.health_status for c in self.containers if c.essential and c.definition.get("healthCheck")]
        if "UNHEALTHY" in checked:
            return "UNHEALTHY"
        return "HEALTHY" if checked and all(status == "HEALTHY" for status in checked) else "UNKNOWN"

    def describe(self, with_tags: bool = True) -> JsonObject:
        """The Task document; times are datetimes."""
        return without_none(
            {
                "attachments": [self.interface.describe()],
                "attributes": [{"name": "ecs.cpu-architecture", "value": self.architecture()}],
                "availabilityZone": self.interface.availability_zone,
                "capacityProviderName": self.capacity_provider_name,
                "clusterArn": self.cluster_arn,
                "connectivity": "CONNECTED" if "connectivityAt" in self.times else None,
                "containers": [container.describe(self) for container in self.containers],
                "cpu": str(self.cpu_units),
                "memory": str(self.memory_mib),
                "desiredStatus": self.desired_status,
                "enableExecuteCommand": self.enable_execute_command,
                "group": self.group,
                "healthStatus": self.health_status(),
                "lastStatus": self.last_status,
                "launchType": "FARGATE",
                "overrides": self.overrides
                or {
                    "containerOverrides": [{"name": c.name} for c in self.containers],
                    "inferenceAcceleratorOverrides": [],
                },
                "platformVersion": self.platform_version,
                "platformFamily": "Linux",
                "startedBy": self.started_by,
                "stopCode": self.stop_code,
                "stoppedReason": self.stopped_reason,
                "tags": self.tags if with_tags else None,
                "taskArn": self.task_arn,
                "taskDefinitionArn": self.task_definition_arn,
                "version": self.version,
                "ephemeralStorage": {"sizeInGiB": self.ephemeral_storage_gib},
                "fargateEphemeralStorage": {"sizeInGiB": self.ephemeral_storage_gib}
                | ({"kmsKeyId": self.storage_key} if self.storage_key else {}),
            }
            | self.times
        )

    def architecture(self) -> str:
        """x86_64 or arm64."""
        platform = self.definition.get("runtimePlatform") or {}
        return "arm64" if platform.get("cpuArchitecture") == "ARM64" else "x86_64"


def new_id() -> str:
    """A task's, container's or attachment's id: 32 hex digits."""
    return uuid.uuid4().hex
