"""What a task's own roles are asked before its containers run: pulls and logs by its execution role, mounts by its
task role. On request only (SimulatorOptions.enforce_iam).

The caller holds the simulator's lock. Secrets are not asked for. Source: ECS developer guide, "Amazon ECS task
execution IAM role"; EFS user guide, "Using IAM to control file system data access".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from moto.efs.models import efs_backends

from sockerless.simulator import iam_lookups, iam_principals
from sockerless.simulator.failures import CannotPullContainerError, ResourceInitializationError
from sockerless.simulator.iam_gate import context, refusal
from sockerless.simulator.iam_policy import Decision, Request, decide
from sockerless.simulator.iam_principals import Principal
from sockerless.simulator.iam_targets import Call, Check, arn
from sockerless.simulator.tasks import Task, TaskContainer
from sockerless.simulator.volumes import access_denied

PULL = ("BatchCheckLayerAvailability", "BatchGetImage", "GetDownloadUrlForLayer")
"""The ECR actions of every pull."""
_LOG = ("CreateLogStream", "PutLogEvents")


def check_pull(task: Task, repository: str, operations: Iterable[str]) -> None:
    """ResourceInitializationError or CannotPullContainerError when the execution role may not pull."""
    principal, call = _of(task, "executionRoleArn"), _call(task)
    told = refusal(principal, call, Check("ecr:GetAuthorizationToken", "*"))
    if told:
        raise ResourceInitializationError(
            "unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve ecr "
            f"registry auth: service call has been retried 3 time(s): AccessDeniedException: {told}"
        )
    for operation in operations:
        told = refusal(principal, call, Check(f"ecr:{operation}", arn(call, "ecr:repository", repository)))
        if told:
            raise CannotPullContainerError(
                f"pull image manifest has been retried 1 time(s): failed to resolve ref {repository}: 403 Forbidden "
                f"({told})"
            )


def check_log(task: Task, container: TaskContainer) -> None:
    """ResourceInitializationError when the execution role may not write the container's log stream."""
    options = container.definition["logConfiguration"].get("options") or {}
    stream = f"{options['awslogs-stream-prefix']}/{container.name}/{task.id}"
    principal, call = _of(task, "executionRoleArn"), _call(task)
    resource = arn(call, "logs:log-stream", f"{options['awslogs-group']}:log-stream:{stream}")
    for operation in _LOG:
        told = refusal(principal, call, Check(f"logs:{operation}", resource))
        if told:
            raise ResourceInitializationError(
                "failed to validate logger args: create stream has been retried 1 times: failed to create Cloudwatch "
                f"log stream: AccessDeniedException: {told} : exit status 1"
            )


def may_write(task: Task, volume: Mapping[str, Any]) -> bool:
    """Whether containers may write to an EFS volume; ResourceInitializationError when they may not even mount it.

    Root squashing: where the access point makes every user root, that is nobody without ClientRootAccess, who writes
    nothing of root's. Source: EFS User Guide, "Enforcing a user identity using an access point".
    """
    configuration = volume.get("efsVolumeConfiguration")
    if configuration is None:
        return True
    if not _client(task, configuration, "ClientMount"):
        raise access_denied()
    actions = ["ClientWrite", "ClientRootAccess"] if _makes_root(task, configuration) else ["ClientWrite"]
    return all(_client(task, configuration, action) for action in actions)


def _makes_root(task: Task, configuration: Mapping[str, Any]) -> bool:
    """Whether the volume's access point replaces every user with root."""
    call, authorization = _call(task), configuration.get("authorizationConfig") or {}
    points = efs_backends[call.account_id][call.region].access_points
    point = points.get(str(authorization.get("accessPointId")))
    return point is not None and 0 in ((point.posix_user or {}).get("Uid"), (point.posix_user or {}).get("Gid"))


def _client(task: Task, configuration: Mapping[str, Any], action: str) -> bool:
    """A file system without a policy lets everybody in; one with a policy, whom it or their own policies allow."""
    call, authorization = _call(task), configuration.get("authorizationConfig") or {}
    file_system = efs_backends[call.account_id][call.region].file_systems_by_id.get(str(configuration["fileSystemId"]))
    if file_system is None:
        return True  # the mount fails by itself, with AWS's words for it
    policy = file_system.file_system_policy
    identified = authorization.get("iam") == "ENABLED"
    principal = _of(task, "taskRoleArn") if identified else Principal("anonymous", call.account_id)
    check = _check(call, configuration, authorization, action)
    request = Request(check.action, check.resource, context(principal, call, check))
    own = decide([policy], request) if policy else Decision.ALLOWED
    if own is Decision.DENIED:
        return False
    told = refusal(principal, call, check) if identified else "nobody"
    return told is None or (own is Decision.ALLOWED and "explicit deny" not in told)


def _check(call: Call, configuration: Mapping[str, Any], authorization: Mapping[str, Any], action: str) -> Check:
    keys = {
        "aws:SecureTransport": ("true" if configuration.get("transitEncryption") == "ENABLED" else "false",),
        "elasticfilesystem:AccessedViaMountTarget": ("true",),
    }
    point = authorization.get("accessPointId")
    if point:
        keys["elasticfilesystem:AccessPointArn"] = (arn(call, "elasticfilesystem:access-point", str(point)),)
    resource = arn(call, "elasticfilesystem:file-system", str(configuration["fileSystemId"]))
    return Check(f"elasticfilesystem:{action}", resource, keys)


def _of(task: Task, member: str) -> Principal:
    """The role as ECS takes it for this task; nobody, who may nothing, when the task has none."""
    call = _call(task)
    named = task.overrides.get(member) or task.definition.get(member)
    role = iam_lookups.role(call.account_id, str(named)) if named else None
    if role is None:
        return Principal("anonymous", call.account_id)
    return iam_principals.as_service_takes(call.account_id, role, task.id)


def _call(task: Task) -> Call:
    _, _, _, region, account_id, _ = task.task_arn.split(":", 5)
    return Call("ecs", "RunTask", {}, account_id, region)
