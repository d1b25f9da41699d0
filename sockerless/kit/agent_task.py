"""The one-shot Fargate task that copies the agent from its image onto EFS, and how it ended.

Owns: that task's definition and the wait for its end. Its task role alone may write to the agent's access point.
Source: botocore's ECS model (RegisterTaskDefinition, RunTask), Amazon EFS volumes for Fargate.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid

from sockerless.aws import ecs, logs
from sockerless.aws.session import Aws
from sockerless.ecs import tags
from sockerless.errors import DeadlineExceeded, NotFound, SockerlessError, SystemFailure
from sockerless.kit.outputs import Outputs
from sockerless.types import JsonObject
from sockerless.wire import agent

CONTAINER = "installer"
FAMILY = "agent-installer"
"""Ends its definition's family, which begins with the deployment's name."""
TIMEOUT_S = 600.0
LOG_PREFIX = "sockerless"
_POLL_S = 1.0
"""DescribeTasks refills 20 a second for the whole account; one installer asks once a second."""
_VOLUME = "agent"


async def run(aws: Aws, outputs: Outputs, image: str, architecture: str) -> None:
    """Runs the installer and returns once it ended with code 0.

    SystemFailure with AWS's reason and the task's own last words otherwise, DeadlineExceeded after TIMEOUT_S.
    """
    await run_definition(aws, outputs, task_definition(outputs, image, architecture))


async def run_definition(aws: Aws, outputs: Outputs, definition: JsonObject) -> None:
    """run() for a ready definition, which is registered for this one task only."""
    arn = await ecs.register_task_definition(aws, definition)
    try:
        task = await ecs.run_task(aws, run_request(outputs, arn))
        ended = await _ended(aws, outputs.cluster_name, str(task["taskArn"]))
        await _check(aws, outputs, ended)
    except BaseException:
        with contextlib.suppress(
            SockerlessError
        ):  # it must not hide why the installer failed; destroy sees to the rest
            await ecs.deregister_task_definition(aws, arn)
        raise
    await ecs.deregister_task_definition(aws, arn)


def task_definition(outputs: Outputs, image: str, architecture: str) -> JsonObject:
    """RegisterTaskDefinition's parameters: the agent's image with its access point mounted writable."""
    return {
        "family": f"{outputs.cluster_name}-{FAMILY}",
        "tags": tags.tags({tags.PROJECT: outputs.cluster_name}),
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": "256",
        "memory": "512",
        "runtimePlatform": {"cpuArchitecture": architecture, "operatingSystemFamily": "LINUX"},
        "executionRoleArn": outputs.execution_role_arn,
        "taskRoleArn": outputs.agent_installer_role_arn,
        "containerDefinitions": [
            {
                "name": CONTAINER,
                "image": image,
                "essential": True,
                "command": ["install", agent.AGENT_DIR],
                "user": "0",
                "mountPoints": [{"sourceVolume": _VOLUME, "containerPath": agent.AGENT_DIR, "readOnly": False}],
                "logConfiguration": {
                    "logDriver": "awslogs",
                    "options": {
                        "awslogs-group": outputs.log_group_name,
                        "awslogs-region": outputs.region,
                        "awslogs-stream-prefix": LOG_PREFIX,
                    },
                },
            }
        ],
        "volumes": [
            {
                "name": _VOLUME,
                "efsVolumeConfiguration": {
                    "fileSystemId": outputs.efs_file_system_id,
                    "transitEncryption": "ENABLED",
                    "authorizationConfig": {"accessPointId": outputs.agent_access_point_id, "iam": "ENABLED"},
                },
            }
        ],
    }


def run_request(outputs: Outputs, definition_arn: str) -> JsonObject:
    """RunTask's parameters for one installer."""
    return {
        "cluster": outputs.cluster_name,
        "taskDefinition": definition_arn,
        "count": 1,
        "launchType": "FARGATE",
        "platformVersion": "1.4.0",
        "clientToken": uuid.uuid4().hex,
        "startedBy": "sockerless-kit/agent-installer",
        "tags": tags.tags({tags.PROJECT: outputs.cluster_name}),
        "networkConfiguration": {
            "awsvpcConfiguration": {
                "subnets": list(outputs.task_subnet_ids),
                "securityGroups": list(outputs.security_group_ids),
                "assignPublicIp": "ENABLED" if outputs.assign_public_ip else "DISABLED",
            }
        },
    }


async def _ended(aws: Aws, cluster: str, arn: str) -> JsonObject:
    """The task once it has stopped; a task that ECS does not tell of yet is waited for."""
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline:
        task = (await ecs.describe_tasks(aws, cluster, [arn])).get(arn)
        if task is not None and task["lastStatus"] == "STOPPED":
            return task
        await asyncio.sleep(_POLL_S)
    await ecs.stop_task(aws, cluster, arn, "the agent's installer took too long")
    raise DeadlineExceeded(f"the task that installs the agent did not end within {TIMEOUT_S:g} s ({arn})")


async def _check(aws: Aws, outputs: Outputs, task: JsonObject) -> None:
    container = next(one for one in task["containers"] if one["name"] == CONTAINER)
    if container.get("exitCode") == 0:
        return
    code = f"code {container['exitCode']}" if "exitCode" in container else "no exit code"
    reasons = [str(text) for text in (task.get("stoppedReason"), container.get("reason")) if text]
    said = await _said(aws, outputs.log_group_name, str(task["taskArn"]))
    raise SystemFailure(
        f"the task that installs the agent ended with {code}: {'; '.join(reasons) or 'AWS gives no reason'}{said}"
    )


async def _said(aws: Aws, group: str, arn: str) -> str:
    """What the installer wrote to CloudWatch, as a clause; "" when it never wrote."""
    try:
        page = await logs.log_events(aws, group, f"{LOG_PREFIX}/{CONTAINER}/{arn.rsplit('/', 1)[-1]}", None)
    except NotFound:
        return ""
    text = "\n".join(f"  {message}" for _, message in page.messages)
    return f". It wrote:\n{text}" if text else ""
