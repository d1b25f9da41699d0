"""What a deployer may do with what runs tasks: ECS, and the roles and policies of IAM.

IAM's actions are for roles and policies of the deployment's name alone; with a permissions boundary, for roles that
carry it. Source: Service Authorization Reference; terraform's AWS provider 5.100 for what it calls.
"""

from __future__ import annotations

from sockerless.kit.iam_scope import Scope, allow
from sockerless.types import JsonObject

_PASSED = (
    ("PassRolesToTasks", "ecs-tasks.amazonaws.com", ("execution", "agent-installer")),
    ("PassTheRoleOfFlowLogs", "vpc-flow-logs.amazonaws.com", ("flow-logs",)),
    ("PassTheRoleOfCaches", "ecr.amazonaws.com", ("ecr-cache",)),
)
"""The roles that are handed to a service: the installer's task, VPC flow logs, ECR's creation templates."""
_ROLES = (*(role for _, _, roles in _PASSED for role in roles), "task")
_LINKED = (
    "backup.amazonaws.com",
    "ecr.amazonaws.com",
    "ecs.amazonaws.com",
    "elasticfilesystem.amazonaws.com",
    "pullthroughcache.ecr.amazonaws.com",
)
"""The services that make a role of their own in an account where they are first used."""


def statements(scope: Scope) -> list[JsonObject]:
    """For all of them."""
    return [*_cluster(scope), *_roles(scope), *_passing(scope)]


def _cluster(scope: Scope) -> list[JsonObject]:
    cluster = scope.arns("ecs", f"cluster/{scope.name}")
    definitions, tasks = (
        scope.arns("ecs", f"task-definition/{scope.name}-*:*"),
        scope.arns("ecs", f"task/{scope.name}/*"),
    )
    on_cluster = {"ArnEquals": {"ecs:cluster": cluster[0]}}
    creating = {"StringEquals": {"ecs:CreateAction": ["RegisterTaskDefinition", "RunTask"]}}
    return [
        allow(
            "Cluster",
            "ecs",
            "CreateCluster DeleteCluster DescribeClusters PutClusterCapacityProviders TagResource UntagResource "
            "UpdateCluster UpdateClusterSettings",
            cluster,
        ),
        allow("InstallTheAgent", "ecs", "RunTask", definitions, on_cluster),
        allow("EndTasks", "ecs", "DescribeTasks StopTask", tasks, on_cluster),
        allow("ListTasks", "ecs", "ListTasks", "*", on_cluster),
        allow("Definitions", "ecs", "DeleteTaskDefinitions RegisterTaskDefinition", definitions),
        allow(
            "FindAndRetireDefinitions",
            "ecs",
            "DeregisterTaskDefinition DescribeTaskDefinition ListTaskDefinitionFamilies ListTaskDefinitions",
        ),
        allow("TagDefinitionsAndTasks", "ecs", "TagResource", [*definitions, *tasks], creating),
    ]


def _roles(scope: Scope) -> list[JsonObject]:
    roles = scope.iam(*(f"role/{scope.prefix}-{role}" for role in _ROLES))
    boundary = scope.project.permissions_boundary
    bounded = [{"StringEquals": {"iam:PermissionsBoundary": boundary}}] if boundary else []
    changing = "PutRolePermissionsBoundary" if boundary else "DeleteRolePermissionsBoundary"
    linked = {"StringEquals": {"iam:AWSServiceName": list(_LINKED)}}
    return [
        allow("MakeRoles", "iam", f"CreateRole PutRolePolicy {changing}", roles, *bounded),
        allow(
            "SeeChangeAndRemoveRoles",
            "iam",
            "DeleteRole DeleteRolePolicy GetRole GetRolePolicy ListAttachedRolePolicies ListInstanceProfilesForRole "
            "ListRolePolicies TagRole UntagRole UpdateAssumeRolePolicy UpdateRole UpdateRoleDescription",
            roles,
        ),
        allow(
            "Policies",
            "iam",
            "CreatePolicy CreatePolicyVersion DeletePolicy DeletePolicyVersion GetPolicy GetPolicyVersion "
            "ListPolicyVersions TagPolicy UntagPolicy",
            # not -deployer-*: who may write a policy of its own may do everything
            scope.iam(f"policy/{scope.prefix}-daemon"),
        ),
        allow("RolesOfServices", "iam", "CreateServiceLinkedRole", scope.iam("role/aws-service-role/*"), linked),
    ]


def _passing(scope: Scope) -> list[JsonObject]:
    return [
        allow(
            sid,
            "iam",
            "PassRole",
            scope.iam(*(f"role/{scope.prefix}-{role}" for role in roles)),
            {"StringEquals": {"iam:PassedToService": service}},
        )
        for sid, service, roles in _PASSED
    ]
