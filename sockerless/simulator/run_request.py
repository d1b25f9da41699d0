"""A RunTask request: what it asks for, and whether Fargate would have it.

Source: ECS API reference, RunTask, TaskOverride, AwsVpcConfiguration; errors in AWS's words.
"""

from __future__ import annotations

import json
import re
from functools import cached_property
from typing import Any

from moto.ec2.models import ec2_backends
from moto.ecs.exceptions import EcsClientException, ECSException, InvalidParameterException
from moto.ecs.models import Cluster, TaskDefinition

from sockerless.simulator import capacity, fargate_sizes, roles, tagrules
from sockerless.simulator.tasks import JsonObject

MAX_COUNT = 10
MAX_OVERRIDES_CHARACTERS = 8192
MAX_SUBNETS, MAX_SECURITY_GROUPS = 16, 5
_STARTED_BY = re.compile(r"[A-Za-z0-9_/-]{0,128}")
_CLIENT_TOKEN = re.compile(r"[\x21-\x7e]{1,64}")
_NOT_SIMULATED = ("enableExecuteCommand", "placementConstraints", "placementStrategy", "volumeConfigurations")
_CONTAINER_OVERRIDES = {"name", "command", "environment", "cpu", "memory", "memoryReservation"}


class PlatformUnknownException(ECSException):
    """The platform version does not exist."""

    def __init__(self) -> None:
        super().__init__("PlatformUnknownException", "The specified platform does not exist.")


class RunRequest:
    """One request against one cluster and definition. check() before anything else is used for a new task."""

    def __init__(
        self, document: JsonObject, cluster: Cluster, definition: TaskDefinition, account_id: str, region: str
    ) -> None:
        self.document, self._cluster, self._definition = document, cluster, definition
        self._account_id, self._region = account_id, region
        self._ec2 = ec2_backends[account_id][region]
        self.overrides: JsonObject = document.get("overrides") or {}
        self.count = int(document.get("count") or 1)
        self.group = str(document.get("group") or f"family:{definition.family}")

    def check(self) -> None:
        """InvalidParameterException or ClientException for the first thing AWS would refuse."""
        self._check_plain_members()
        self._check_launch()
        self._check_overrides()
        self._check_network()
        roles.check(self._account_id, self._region, self._definition, self.overrides)
        tagrules.check(self.document.get("tags") or [])

    def _check_plain_members(self) -> None:
        if not 1 <= self.count <= MAX_COUNT:
            raise InvalidParameterException(f"Count must be between 1 and {MAX_COUNT}.")
        if not _STARTED_BY.fullmatch(self.document.get("startedBy") or ""):
            raise InvalidParameterException("Invalid startedBy: up to 128 letters, digits, -, / and _ are allowed.")
        if not _CLIENT_TOKEN.fullmatch(self.document.get("clientToken") or "-"):
            raise InvalidParameterException("Invalid clientToken: up to 64 ASCII characters (33-126) are allowed.")
        for member in _NOT_SIMULATED:
            if self.document.get(member):
                raise InvalidParameterException(f"{member} is not simulated.")

    def _check_launch(self) -> None:
        launch_type, strategy = self.document.get("launchType"), self.document.get("capacityProviderStrategy")
        if launch_type and strategy:
            raise InvalidParameterException("Specify either Launch Type or Capacity Provider Strategy, but not both.")
        if launch_type not in {None, "FARGATE"}:
            raise InvalidParameterException(f"Launch type {launch_type} is not simulated: only FARGATE is.")
        if not launch_type and not self._strategy:
            raise InvalidParameterException("No Container Instances were found in your cluster.")
        capacity.strategy(self._strategy, self._cluster.capacity_providers or [])
        if "FARGATE" not in (self._definition.requires_compatibilities or []):
            raise InvalidParameterException("Task definition does not support launch_type FARGATE.")
        if self.document.get("platformVersion") not in {None, "", "LATEST", "1.4.0"}:
            raise PlatformUnknownException

    @cached_property
    def _strategy(self) -> list[dict[str, Any]]:
        if self.document.get("launchType"):
            return []
        return list(
            self.document.get("capacityProviderStrategy") or self._cluster.default_capacity_provider_strategy or []
        )

    @cached_property
    def capacity_providers(self) -> list[str | None]:
        """The provider of each task, in order; None with a launch type."""
        if not self._strategy:
            return [None] * self.count
        shares = capacity.strategy(self._strategy, self._cluster.capacity_providers or [])
        return [*capacity.providers(shares, self.count)]

    def _check_overrides(self) -> None:
        if len(json.dumps(self.overrides, separators=(",", ":"))) > MAX_OVERRIDES_CHARACTERS:
            raise InvalidParameterException(f"Container Overrides length must be at most {MAX_OVERRIDES_CHARACTERS}")
        names = {container["name"] for container in self._definition.container_definitions}
        for override in self.overrides.get("containerOverrides") or []:
            if override.get("name") not in names:
                raise InvalidParameterException(
                    f"Override for container named {override.get('name')} is not a container in the TaskDefinition."
                )
            unsupported = set(override) - _CONTAINER_OVERRIDES
            if unsupported:
                raise InvalidParameterException(f"Container override {sorted(unsupported)[0]} is not simulated.")
        if not fargate_sizes.is_legal(self.cpu_units, self.memory_mib):
            raise EcsClientException(no_configuration(self.cpu_units, self.memory_mib))
        if not 20 <= self.ephemeral_storage_gib <= 200:
            raise InvalidParameterException("Ephemeral storage must be between 21 and 200 GiB.")

    def _check_network(self) -> None:
        network = (self.document.get("networkConfiguration") or {}).get("awsvpcConfiguration")
        if not network:
            raise InvalidParameterException(
                "Network Configuration must be provided when networkMode 'awsvpc' is specified."
            )
        subnets, groups = network.get("subnets") or [], network.get("securityGroups") or []
        if not 1 <= len(subnets) <= MAX_SUBNETS:
            raise InvalidParameterException(f"subnets must have between 1 and {MAX_SUBNETS} items.")
        if len(groups) > MAX_SECURITY_GROUPS:
            raise InvalidParameterException(f"securityGroups can have at most {MAX_SECURITY_GROUPS} items.")
        known = {subnet_id: subnet for zone in self._ec2.subnets.values() for subnet_id, subnet in zone.items()}
        for subnet in subnets:
            if subnet not in known:
                raise InvalidParameterException(
                    f"Error retrieving subnet information for [{subnet}]: The subnet ID '{subnet}' does not exist "
                    "(ErrorCode: InvalidSubnetID.NotFound)"
                )
        vpcs = {known[subnet].vpc_id for subnet in subnets}
        if len(vpcs) > 1:
            raise InvalidParameterException("All subnets must be in the same VPC.")
        for group in groups:
            found = self._ec2.get_security_group_from_id(group)
            if found is None or found.vpc_id not in vpcs:
                raise InvalidParameterException(
                    f"Error retrieving security group information for [{group}]: The security group '{group}' does "
                    "not exist (ErrorCode: InvalidGroup.NotFound)"
                )

    def placement(self) -> tuple[str, list[str], bool]:
        """The subnet a task goes to (the one with the fewest interfaces), its security groups (the VPC's default
        group when none is named), and whether it gets a public address."""
        network = self.document["networkConfiguration"]["awsvpcConfiguration"]
        used = [interface.subnet.id for interface in self._ec2.enis.values()]
        subnet_id = str(min(network["subnets"], key=used.count))
        groups = list(network.get("securityGroups") or [])
        if not groups:
            vpc_id = self._ec2.get_subnet(subnet_id).vpc_id
            default = self._ec2.get_default_security_group(vpc_id)
            groups = [default.id] if default else []
        return subnet_id, groups, network.get("assignPublicIp") == "ENABLED"

    def override(self, container_name: str) -> JsonObject:
        """The override of one container, or {}."""
        overrides: list[JsonObject] = self.overrides.get("containerOverrides") or []
        return next((override for override in overrides if override["name"] == container_name), {})

    @property
    def cpu_units(self) -> int:
        """The task's CPU, overrides counted; 0 when it is no CPU size."""
        return fargate_sizes.cpu_units(str(self.overrides.get("cpu") or self._definition.cpu)) or 0

    @property
    def memory_mib(self) -> int:
        """The task's memory, overrides counted; 0 when it is no memory size."""
        return fargate_sizes.memory_mib(str(self.overrides.get("memory") or self._definition.memory)) or 0

    @property
    def ephemeral_storage_gib(self) -> int:
        """The task's ephemeral storage, overrides counted."""
        storage = self.overrides.get("ephemeralStorage") or self._definition.ephemeral_storage or {}
        return int(storage.get("sizeInGiB") or 20)

    def tags(self) -> list[dict[str, str]]:
        """The tags a task gets: propagated, asked for, and ECS's own when enableECSManagedTags is set."""
        tags: dict[str, str] = {}
        if self.document.get("propagateTags") == "TASK_DEFINITION":
            tags |= {tag["key"]: tag.get("value", "") for tag in self._definition.tags or []}
        tags |= {tag["key"]: tag.get("value", "") for tag in self.document.get("tags") or []}
        if self.document.get("enableECSManagedTags"):
            tags["aws:ecs:clusterName"] = self._cluster.name
        return [{"key": key, "value": value} for key, value in tags.items()]


def no_configuration(cpu_units: int, memory_mib: int) -> str:
    """AWS's words for a size Fargate does not have."""
    return (
        f"No Fargate configuration exists for given values: {cpu_units} CPU, {memory_mib} memory. "
        "See the Amazon ECS documentation for the valid values."
    )
