"""Whether ECS can assume the roles a task names. The caller holds the lock.

Source: ECS developer guide, "Amazon ECS task IAM role" and "task execution IAM role": they trust
ecs-tasks.amazonaws.com, which says for which account and region it works and names no cluster.
"""

from __future__ import annotations

from moto.ecs.exceptions import EcsClientException
from moto.ecs.models import TaskDefinition
from moto.iam.models import iam_backends

from sockerless.simulator.iam_trust import trusts_service
from sockerless.simulator.tasks import JsonObject

_SERVICE = "ecs-tasks.amazonaws.com"


def check(account_id: str, region: str, definition: TaskDefinition, overrides: JsonObject) -> None:
    """ClientException in AWS's words for a role that does not exist or does not trust ECS tasks."""
    roles = [
        overrides.get("executionRoleArn") or getattr(definition, "execution_role_arn", None),
        overrides.get("taskRoleArn") or getattr(definition, "task_role_arn", None),
    ]
    for role in roles:
        if role and not _assumable(account_id, region, role):
            raise EcsClientException(
                f"ECS was unable to assume the role '{role}' that was provided for this task. Please verify that the "
                "role being passed has the proper trust relationship and permissions and that your IAM user has "
                "permissions to pass this role."
            )


def _assumable(account_id: str, region: str, name_or_arn: str) -> bool:
    wanted = name_or_arn.split("/")[-1]
    for role in iam_backends[account_id]["aws"].roles.values():
        if role.name == wanted and name_or_arn in {role.name, role.arn}:
            source = f"arn:aws:ecs:{region}:{account_id}:*"
            return trusts_service(role.assume_role_policy_document, _SERVICE, account_id, source)
    return False
