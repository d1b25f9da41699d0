"""What every call of this product needs to be allowed: the rows of iam_targets.py, those of ECS, KMS and IAM here.

An operation without a row needs its own action on "*": an Allow that is scoped to ARNs does not reach it. Source:
Service Authorization Reference; a test holds every row to a copy of it.
"""

from __future__ import annotations

from collections.abc import Mapping

from sockerless.simulator import iam_lookups as lookups
from sockerless.simulator.iam_table_ec2 import EC2
from sockerless.simulator.iam_table_storage import STORAGE
from sockerless.simulator.iam_table_watch import WATCH
from sockerless.simulator.iam_targets import Call, Check, Ids, Row, Target, arn, passed, rows

_TASKS = "ecs-tasks.amazonaws.com"


def _cluster(call: Call) -> list[str]:
    return call.find("cluster || 'default'")


def _cluster_arn(call: Call) -> list[str]:
    return [arn(call, "ecs:cluster", one) for one in _cluster(call)]


def _cluster_name(call: Call) -> str:
    return _cluster(call)[0].rpartition("/")[2]


def _tasks(call: Call) -> list[str]:
    given = call.find("task || tasks")
    return [one if one.startswith("arn:") else f"{_cluster_name(call)}/{one}" for one in given]


def _new_task(call: Call) -> list[str]:
    return [f"{_cluster_name(call)}/*"]


def _definition(call: Call) -> list[str]:
    """By ARN, or family:revision; a bare family names all its revisions."""
    given = call.find("taskDefinition || taskDefinitions || family")
    return [one if ":" in one else f"{one}:*" for one in given]


def _task_roles(call: Call) -> list[Check]:
    roles = call.find("[overrides.taskRoleArn, overrides.executionRoleArn]") + lookups.definition_roles(call)
    return [passed(call, role, _TASKS) for role in roles]


_ECS = {
    **rows(
        "ecs",
        "RunTask",
        Target("ecs:task-definition", _definition),
        keys={"ecs:cluster": _cluster_arn},
        tag="ecs:TagResource",
        tagged=Target("ecs:task", _new_task),
        more=_task_roles,
    ),
    **rows("ecs", "StopTask DescribeTasks", Target("ecs:task", _tasks), keys={"ecs:cluster": _cluster_arn}),
    **rows("ecs", "ListTasks", keys={"ecs:cluster": _cluster_arn}),
    **rows(
        "ecs",
        "RegisterTaskDefinition",
        Target("ecs:task-definition", _definition),
        tag="ecs:TagResource",
        passes=("[taskRoleArn, executionRoleArn]", _TASKS),
    ),
    **rows("ecs", "DeleteTaskDefinitions", Target("ecs:task-definition", _definition)),
    **rows(
        "ecs",
        "CreateCluster",
        Target("ecs:cluster", "clusterName || 'default'"),
        tag="ecs:TagResource",
        linked=("ecs.amazonaws.com", "AWSServiceRoleForECS"),
    ),
    **rows("ecs", "DescribeClusters", Target("ecs:cluster", "clusters || ['default']")),
    **rows(
        "ecs",
        "DeleteCluster UpdateCluster UpdateClusterSettings PutClusterCapacityProviders ListContainerInstances",
        Target("ecs:cluster", _cluster),
    ),
    **rows("ecs", "TagResource UntagResource ListTagsForResource", Target("ecs:cluster", "resourceArn")),
}


_KEY = Target("kms:key", lookups.key)
_KMS = {
    **rows("kms", "CreateKey", tag="kms:TagResource", tagged=Target("kms:key")),
    **rows("kms", "CreateAlias UpdateAlias", Target("kms:alias", "AliasName"), Target("kms:key", "TargetKeyId")),
    **rows("kms", "DeleteAlias", Target("kms:alias", "AliasName"), Target("kms:key", lookups.key_of_alias)),
    **rows(
        "kms",
        "CancelKeyDeletion CreateGrant Decrypt DescribeKey DisableKey DisableKeyRotation EnableKey "
        "EnableKeyRotation Encrypt GenerateDataKey GenerateDataKeyWithoutPlaintext GetKeyPolicy "
        "GetKeyRotationStatus ListGrants ListKeyPolicies ListResourceTags PutKeyPolicy RetireGrant RevokeGrant "
        "ScheduleKeyDeletion TagResource UntagResource UpdateKeyDescription",
        _KEY,
    ),
}


def _source(kind: str) -> Ids:
    """PolicySourceArn, when it is of this kind."""
    return lambda call: [arn for arn in call.find("PolicySourceArn") if arn.split(":")[-1].startswith(f"{kind}/")]


_ROLE, _POLICY = Target("iam:role", "RoleName"), Target("iam:policy", "PolicyArn")
_GIVEN_BOUNDARY = {"iam:PermissionsBoundary": "PermissionsBoundary"}
_ITS_BOUNDARY = {"iam:PermissionsBoundary": lookups.boundary_of_role}
_IAM = {
    **rows("iam", "CreateRole", _ROLE, keys=_GIVEN_BOUNDARY, tag="iam:TagRole"),
    **rows("iam", "PutRolePermissionsBoundary", _ROLE, keys=_GIVEN_BOUNDARY),
    **rows("iam", "AttachRolePolicy DetachRolePolicy", _ROLE, keys=_ITS_BOUNDARY | {"iam:PolicyARN": "PolicyArn"}),
    **rows(
        "iam",
        "DeleteRole DeleteRolePermissionsBoundary DeleteRolePolicy GetRole PutRolePolicy "
        "UpdateAssumeRolePolicy UpdateRole UpdateRoleDescription",
        _ROLE,
        keys=_ITS_BOUNDARY,
    ),
    **rows(
        "iam",
        "GetRolePolicy ListAttachedRolePolicies ListInstanceProfilesForRole ListRolePolicies ListRoleTags "
        "TagRole UntagRole",
        _ROLE,
    ),
    **rows("iam", "SimulatePrincipalPolicy", Target("iam:role", _source("role")), Target("iam:user", _source("user"))),
    **rows("iam", "CreatePolicy", Target("iam:policy", "PolicyName"), tag="iam:TagPolicy"),
    **rows(
        "iam",
        "CreatePolicyVersion DeletePolicy DeletePolicyVersion GetPolicy GetPolicyVersion "
        "ListEntitiesForPolicy ListPolicyTags ListPolicyVersions SetDefaultPolicyVersion TagPolicy UntagPolicy",
        _POLICY,
    ),
}


TABLE: Mapping[str, Row] = {
    **EC2,
    **_ECS,
    **_KMS,
    **_IAM,
    **STORAGE,
    **WATCH,
    **rows("secretsmanager", "DescribeSecret GetSecretValue", Target("secretsmanager:Secret", "SecretId")),
    **rows(
        "service-quotas",
        "GetServiceQuota",
        Target(
            "servicequotas:quota", lambda call: [f"{call.parameters['ServiceCode']}/{call.parameters['QuotaCode']}"]
        ),
    ),
}
"""Operation ("ecs.RunTask") to what it needs."""
