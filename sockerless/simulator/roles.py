"""Whether ECS can assume the roles a task names. The caller holds the lock.

Source: ECS developer guide, "Amazon ECS task IAM role" and "task execution IAM role" (trust ecs-tasks.amazonaws.com).
"""

from __future__ import annotations

import json

from moto.ecs.exceptions import EcsClientException
from moto.ecs.models import TaskDefinition
from moto.iam.models import iam_backends

from sockerless.simulator.tasks import JsonObject

_SERVICE = "ecs-tasks.amazonaws.com"


def check(account_id: str, definition: TaskDefinition, overrides: JsonObject) -> None:
    """ClientException in AWS's words for a role that does not exist or does not trust ECS tasks."""
    roles = [
        overrides.get("executionRoleArn") or getattr(definition, "execution_role_arn", None),
        overrides.get("taskRoleArn") or getattr(definition, "task_role_arn", None),
    ]
    for role in roles:
        if role and not _assumable(account_id, role):
            raise EcsClientException(
                f"ECS was unable to assume the role '{role}' that was provided for this task. Please verify that the "
                "role being passed has the proper trust relationship and permissions and that your IAM user has "
                "permissions to pass this role."
            )


def _assumable(account_id: str, name_or_arn: str) -> bool:
    wanted = name_or_arn.split("/")[-1]
    for role in iam_backends[account_id]["aws"].roles.values():
        if role.name == wanted and name_or_arn in {role.name, role.arn}:
            return _trusts_tasks(role.assume_role_policy_document)
    return False


def _trusts_tasks(policy: str) -> bool:
    statements = json.loads(policy).get("Statement", [])
    for statement in [statements] if isinstance(statements, dict) else statements:
        principal = statement.get("Principal", {})
        services = principal.get("Service", []) if isinstance(principal, dict) else []
        trusted = [services] if isinstance(services, str) else services
        if statement.get("Effect") == "Allow" and _SERVICE in trusted:
            return True
    return False
