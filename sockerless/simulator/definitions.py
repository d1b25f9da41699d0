"""RegisterTaskDefinition, DeregisterTaskDefinition and ListTaskDefinitions: our rules, moto's records.

Source: ECS API reference; moto 5.2, ecs/models.py (TaskDefinition). Callers hold the simulator's lock.
"""

from __future__ import annotations

import copy

from moto.core.responses import BaseResponse
from moto.ecs.exceptions import InvalidParameterException
from moto.ecs.models import TaskDefinition, ecs_backends

from sockerless.simulator import definition_rules
from sockerless.simulator.tasks import JsonObject, now

MAX_LISTED = 100
_MEMBERS = {
    "networkMode": "network_mode",
    "placementConstraints": "placement_constraints",
    "requiresCompatibilities": "requires_compatibilities",
    "cpu": "cpu",
    "memory": "memory",
    "taskRoleArn": "task_role_arn",
    "executionRoleArn": "execution_role_arn",
    "runtimePlatform": "runtime_platform",
    "pidMode": "pid_mode",
    "ipcMode": "ipc_mode",
    "ephemeralStorage": "ephemeral_storage",
    "volumes": "volumes",
    "tags": "tags",
}


class Definitions:
    """The task definition actions. registry: host:port of the simulated ECR."""

    def __init__(self, registry: str) -> None:
        self._registry = registry

    def register(self, response: BaseResponse, document: JsonObject) -> JsonObject:
        """RegisterTaskDefinition."""
        definition_rules.check(document, self._registry)
        given = copy.deepcopy(document)
        definition = ecs_backends[response.current_account][response.region].register_task_definition(
            given["family"],
            [_with_defaults(container) for container in given["containerDefinitions"]],
            **{name: given.get(member) for member, name in _MEMBERS.items()},
        )
        definition.registered_at = now()  # type: ignore[attr-defined]
        definition.registered_by = (  # type: ignore[attr-defined]
            f"arn:aws:iam::{response.current_account}:root"
        )
        return {"taskDefinition": definition, "tags": definition.tags}

    def deregister(self, response: BaseResponse, document: JsonObject) -> JsonObject:
        """DeregisterTaskDefinition."""
        backend = ecs_backends[response.current_account][response.region]
        definition = backend.deregister_task_definition(document["taskDefinition"])
        definition.deregistered_at = now()  # type: ignore[attr-defined]
        return {"taskDefinition": definition}

    def list(self, response: BaseResponse, document: JsonObject) -> JsonObject:
        """ListTaskDefinitions, a page at a time."""
        limit = int(document.get("maxResults") or MAX_LISTED)
        if not 1 <= limit <= MAX_LISTED:
            raise InvalidParameterException(f"maxResults must be between 1 and {MAX_LISTED}.")
        revisions = ecs_backends[response.current_account][response.region].task_definitions.values()
        wanted = [
            definition
            for family in revisions
            for definition in family.values()
            if definition.status == (document.get("status") or "ACTIVE")
            and document.get("familyPrefix") in (None, "", definition.family)
        ]
        wanted.sort(key=_order, reverse=document.get("sort") == "DESC")
        arns = [definition.arn for definition in wanted]
        start = arns.index(document["nextToken"]) + 1 if document.get("nextToken") in arns else 0
        page = arns[start : start + limit]
        more = start + limit < len(arns)
        return {"taskDefinitionArns": page} | ({"nextToken": page[-1]} if more else {})


def _order(definition: TaskDefinition) -> tuple[str, int]:
    return definition.family, definition.revision


def _with_defaults(container: JsonObject) -> JsonObject:
    """The container definition with what AWS adds when it stores one."""
    ports = [
        {"protocol": "tcp", "hostPort": port.get("containerPort"), **port}
        for port in container.get("portMappings") or []
    ]
    return {"systemControls": [], **container, "portMappings": ports}
