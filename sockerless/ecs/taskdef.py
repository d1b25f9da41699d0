"""A container's shape as an ECS task definition, and the RunTask request that binds a task to a container.

Owns what both requests say. The definition holds only what must be fixed before a task exists: image, size, roles,
volumes, limits. The command, environment, user and labels of a container never appear here; its agent gets them
over its own channel, so equal shapes share one definition and no secret of a user is readable in ECS.
Source: botocore's ECS model (RegisterTaskDefinition, RunTask) and the Fargate parameter page of the developer guide.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sockerless.config import FILL_COMMAND
from sockerless.ecs import capacity
from sockerless.ecs.tags import Tag
from sockerless.errors import InvalidParameter
from sockerless.types import JsonObject, TaskBinding, TaskSize
from sockerless.wire import agent
from sockerless.wire.callback import ENV_CALLBACK_URL

MAIN_CONTAINER = "main"
"""The definition's one container that runs the user's image."""
AGENT_CONTAINER = "agent"
"""The container that delivers the agent where no EFS holds it; it has ended before MAIN_CONTAINER starts."""
LOG_PREFIX = "sockerless"
"""awslogs stream prefix; a stream is LOG_PREFIX/container/task id."""
PLATFORM_VERSION = "1.4.0"
STOP_TIMEOUT_S = 120
"""Seconds ECS waits between TERM and KILL: Fargate's longest, since docker's own grace is the agent's to keep."""
MAX_NOFILE = 1_048_576
FREE_EPHEMERAL_GIB = 20
MAX_EPHEMERAL_GIB = 200

_AGENT_VOLUME = "agent"
_STATE_VOLUME = "state"
_FAMILY = re.compile(r"[A-Za-z0-9_-]{1,255}")
_HASH_DIGITS = 24


@dataclass(frozen=True, slots=True)
class AgentDelivery:
    """How the agent of this version reaches a task.

    efs_id and access_point: the file system that holds it (access_point may be empty: its root then).
    image: the agent image whose container copies it, used when efs_id is empty.
    """

    version: str
    efs_id: str = ""
    access_point: str = ""
    image: str = ""


@dataclass(frozen=True, slots=True)
class Shape:
    """Everything a task definition depends on; equal shapes share one definition.

    image: reference by digest. nofile: (soft, hard). ephemeral_gib: None or up to 20 is Fargate's free storage.
    """

    image: str
    size: TaskSize
    architecture: Literal["X86_64", "ARM64"]
    execution_role_arn: str
    task_role_arn: str
    log_group: str
    region: str
    agent: AgentDelivery
    nofile: tuple[int, int] | None = None
    sys_ptrace: bool = False
    readonly_root: bool = False
    ephemeral_gib: int | None = None


def shape_hash(shape: Shape) -> str:
    """24 hex digits of what would be registered, so a shape that this product renders otherwise is another shape."""
    document = json.dumps(_definition(shape), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(document.encode()).hexdigest()[:_HASH_DIGITS]


def family(shape: Shape, family_prefix: str) -> str:
    """The family of a shape's definition: "PREFIX-HASH". InvalidParameter when AWS would refuse the prefix."""
    name = f"{family_prefix}-{shape_hash(shape)}"
    if not _FAMILY.fullmatch(name):
        raise InvalidParameter(
            f"{family_prefix!r} cannot begin a task definition family: letters, digits, - and _ only, "
            f"at most {255 - _HASH_DIGITS - 1}"
        )
    return name


def task_definition(shape: Shape, family_prefix: str, tags: list[Tag]) -> JsonObject:
    """RegisterTaskDefinition's parameters. InvalidParameter for limits Fargate cannot set."""
    return {"family": family(shape, family_prefix), **_definition(shape), **_given(tags=tags)}


def run_task(
    cluster: str,
    definition_arn: str,
    binding: TaskBinding,
    subnets: Sequence[str],
    security_groups: Sequence[str],
    public_ip: bool,
    started_by: str,
    tags: list[Tag],
    patience_s: float,
    callback_url: str = "",
    capacity_providers: capacity.Weights = ((capacity.ON_DEMAND, 1),),
) -> JsonObject:
    """RunTask's parameters for one task whose agent has the binding's credentials.

    patience_s: how long that agent waits for its first start. callback_url: where it calls, "" when it is dialled.
    The client token makes a repeated request harmless.
    """
    environment = _agent_environment(binding, patience_s, callback_url)
    return {
        "cluster": cluster,
        "taskDefinition": definition_arn,
        "count": 1,
        **capacity.launch(capacity_providers, binding.client_token),
        "platformVersion": PLATFORM_VERSION,
        "enableExecuteCommand": False,
        "clientToken": binding.client_token,
        "startedBy": started_by,
        "networkConfiguration": {
            "awsvpcConfiguration": {
                "subnets": list(subnets),
                "assignPublicIp": "ENABLED" if public_ip else "DISABLED",
                **_given(securityGroups=list(security_groups)),
            }
        },
        "overrides": {"containerOverrides": [{"name": MAIN_CONTAINER, "environment": environment}]},
        **_given(tags=tags),
    }


def log_stream(task_arn: str) -> str:
    """The awslogs stream of a task's MAIN_CONTAINER."""
    return f"{LOG_PREFIX}/{MAIN_CONTAINER}/{task_arn.rsplit('/', 1)[-1]}"


def _definition(shape: Shape) -> JsonObject:
    containers = [_main_container(shape)]
    if not shape.agent.efs_id:
        containers.append(_agent_container(shape))
    return {
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": str(shape.size.cpu_units),
        "memory": str(shape.size.memory_mib),
        "runtimePlatform": {"cpuArchitecture": shape.architecture, "operatingSystemFamily": "LINUX"},
        "executionRoleArn": shape.execution_role_arn,
        "containerDefinitions": containers,
        "volumes": [_agent_volume(shape), {"name": _STATE_VOLUME}],
        **_given(taskRoleArn=shape.task_role_arn, ephemeralStorage=_ephemeral_storage(shape.ephemeral_gib)),
    }


def _main_container(shape: Shape) -> JsonObject:
    if not shape.agent.version:
        raise InvalidParameter(f"SOCKERLESS_AGENT_VERSION is not set, so no agent can be started; run `{FILL_COMMAND}`")
    argv = agent.agent_argv(shape.agent.version, ["serve"])
    delivered = [] if shape.agent.efs_id else [{"containerName": AGENT_CONTAINER, "condition": "SUCCESS"}]
    return {
        "name": MAIN_CONTAINER,
        "image": shape.image,
        "essential": True,
        # Split so that command is never empty: an empty one would let the image's own command in.
        "entryPoint": argv[:-1],
        "command": argv[-1:],
        "user": "0",
        "environment": _blank_environment(),
        "mountPoints": [
            {"sourceVolume": _AGENT_VOLUME, "containerPath": agent.AGENT_DIR, "readOnly": True},
            {"sourceVolume": _STATE_VOLUME, "containerPath": agent.STATE_DIR, "readOnly": False},
        ],
        "logConfiguration": _log_configuration(shape),
        "stopTimeout": STOP_TIMEOUT_S,
        **_given(
            dependsOn=delivered,
            ulimits=_ulimits(shape.nofile),
            linuxParameters={"capabilities": {"add": ["SYS_PTRACE"]}} if shape.sys_ptrace else {},
            readonlyRootFilesystem=shape.readonly_root,
        ),
    }


def _agent_container(shape: Shape) -> JsonObject:
    if not shape.agent.image:
        raise InvalidParameter(
            "nothing delivers the agent to the task: set SOCKERLESS_AGENT_EFS_ID or SOCKERLESS_AGENT_IMAGE"
        )
    return {
        "name": AGENT_CONTAINER,
        "image": shape.agent.image,
        "essential": False,
        "command": ["install", agent.AGENT_DIR],
        "user": "0",
        "mountPoints": [{"sourceVolume": _AGENT_VOLUME, "containerPath": agent.AGENT_DIR, "readOnly": False}],
        "logConfiguration": _log_configuration(shape),
    }


def _agent_volume(shape: Shape) -> JsonObject:
    delivery = shape.agent
    if not delivery.efs_id:
        return {"name": _AGENT_VOLUME}
    # IAM authorisation needs a task role; without one the access point and the security group decide.
    authorization = {"iam": "ENABLED" if shape.task_role_arn else "DISABLED"}
    return {
        "name": _AGENT_VOLUME,
        "efsVolumeConfiguration": {
            "fileSystemId": delivery.efs_id,
            "transitEncryption": "ENABLED",
            "authorizationConfig": {**authorization, **_given(accessPointId=delivery.access_point)},
        },
    }


def _log_configuration(shape: Shape) -> JsonObject:
    return {
        "logDriver": "awslogs",
        "options": {
            "awslogs-group": shape.log_group,
            "awslogs-region": shape.region,
            "awslogs-stream-prefix": LOG_PREFIX,
            # The archive must be complete; an account may have made the lossy "non-blocking" its default.
            "mode": "blocking",
        },
    }


def _ulimits(nofile: tuple[int, int] | None) -> list[JsonObject]:
    if nofile is None:
        return []
    soft, hard = nofile
    if not 0 <= soft <= hard <= MAX_NOFILE:
        raise InvalidParameter(
            f"ulimit nofile={soft}:{hard} is not possible on Fargate: soft must not exceed hard, at most {MAX_NOFILE}"
        )
    return [{"name": "nofile", "softLimit": soft, "hardLimit": hard}]


def _ephemeral_storage(gib: int | None) -> JsonObject:
    if gib is None or gib <= FREE_EPHEMERAL_GIB:
        return {}
    if gib > MAX_EPHEMERAL_GIB:
        raise InvalidParameter(f"{gib} GiB of storage are more than a Fargate task can have: {MAX_EPHEMERAL_GIB} GiB")
    return {"sizeInGiB": gib}


def _blank_environment() -> list[JsonObject]:
    """Keeps an image's values from the agent's own loader; the agent gives them to the process."""
    return [{"name": name, "value": ""} for name in agent.BLANK_VARIABLES]


def _agent_environment(binding: TaskBinding, patience_s: float, callback_url: str) -> list[JsonObject]:
    credentials = binding.credentials
    values = {
        agent.ENV_AGENT_ID: credentials.agent_id,
        agent.ENV_TOKEN: credentials.token,
        agent.ENV_CERTIFICATE: credentials.certificate_pem,
        agent.ENV_KEY: credentials.key_pem,
        agent.ENV_PATIENCE_S: f"{patience_s:g}",
        **({ENV_CALLBACK_URL: callback_url} if callback_url else {}),
    }
    return [{"name": name, "value": value} for name, value in values.items()]


def _given(**parameters: Any) -> JsonObject:
    """The parameters that say something: AWS takes an empty one for a wrong one."""
    return {name: value for name, value in parameters.items() if value}
