"""ECS: task definitions, tasks, the cluster. Requests come from ecs/, tasks go out as ECS tells them.

Law: a task is reported absent only when ECS said MISSING. Source: Amazon ECS API reference.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Literal

from sockerless import errors
from sockerless.aws.session import Aws, answer_of
from sockerless.config import FILL_COMMAND
from sockerless.types import JsonObject

TASKS_PER_DESCRIBE = 100
DEFINITIONS_PER_DELETE = 10
_MISSING = "MISSING"
_ACTIVE = "ACTIVE"
_REASON_CHARACTERS = 255
"""StopTask's reason in AWS's older SDK references: "Up to 255 characters are allowed in this message". Newer ones, and
the service's model, name no number, so this is the largest that is known to be taken."""


async def register_task_definition(aws: Aws, definition: JsonObject) -> str:
    """Registers a revision; its ARN. definition: ecs/taskdef.py's task_definition()."""
    answer = await aws.call("ecs", "RegisterTaskDefinition", **definition)
    return str(answer["taskDefinition"]["taskDefinitionArn"])


async def find_task_definition(aws: Aws, family: str) -> str | None:
    """The ARN of the family's newest active revision; None when it has none."""
    answer = await aws.call("ecs", "ListTaskDefinitions", familyPrefix=family, status=_ACTIVE, sort="DESC")
    arns = [arn for arn in answer["taskDefinitionArns"] if _family(arn) == family]
    return max(arns, key=_revision, default=None)


async def task_definition_families(aws: Aws, prefix: str) -> list[str]:
    """The families whose names start with the prefix, those without an active revision included."""
    families: list[str] = []
    page: JsonObject = {}
    while True:
        answer = await aws.call("ecs", "ListTaskDefinitionFamilies", familyPrefix=prefix, status="ALL", **page)
        families.extend(answer["families"])
        if not answer.get("nextToken"):
            return families
        page = {"nextToken": answer["nextToken"]}


async def task_definitions(aws: Aws, family: str, status: Literal["ACTIVE", "INACTIVE"]) -> list[str]:
    """The ARNs of the family's revisions of this status."""
    arns: list[str] = []
    page: JsonObject = {}
    while True:
        answer = await aws.call("ecs", "ListTaskDefinitions", familyPrefix=family, status=status, **page)
        arns.extend(arn for arn in answer["taskDefinitionArns"] if _family(arn) == family)
        if not answer.get("nextToken"):
            return arns
        page = {"nextToken": answer["nextToken"]}


async def delete_task_definitions(aws: Aws, arns: Sequence[str]) -> list[str]:
    """Deletes at most DEFINITIONS_PER_DELETE inactive revisions; those that ECS does not delete."""
    answer = await aws.call("ecs", "DeleteTaskDefinitions", taskDefinitions=list(arns))
    return [str(failure.get("arn")) for failure in answer.get("failures", [])]


async def deregister_task_definition(aws: Aws, arn: str) -> None:
    """Makes a revision INACTIVE; tasks that run it go on."""
    await aws.call("ecs", "DeregisterTaskDefinition", taskDefinition=arn)


async def run_task(aws: Aws, request: JsonObject) -> JsonObject:
    """Starts one task and returns it. request: ecs/taskdef.py's run_task().

    Repeating a request returns the task that its client token already started. Raises errors.Unavailable when AWS
    could not place the task, with AWS's reason.
    """
    try:
        answer = await aws.call("ecs", "RunTask", **request)
    except errors.Conflict as conflict:
        return await _task_in_conflict(aws, request, conflict)
    if answer.get("failures"):
        raise _not_placed(request, answer["failures"])
    if not answer.get("tasks"):
        raise errors.SystemFailure("ecs:RunTask answered with neither a task nor a failure")
    task: JsonObject = answer["tasks"][0]
    return task


async def describe_tasks(aws: Aws, cluster: str, arns: Sequence[str], with_tags: bool = False) -> dict[str, JsonObject]:
    """The tasks among these ARNs that ECS knows, by ARN. Absent: ECS said MISSING. Anything else it says raises."""
    batches = [arns[start : start + TASKS_PER_DESCRIBE] for start in range(0, len(arns), TASKS_PER_DESCRIBE)]
    answers = await asyncio.gather(*(_describe(aws, cluster, batch, with_tags) for batch in batches))
    return {task["taskArn"]: task for tasks in answers for task in tasks}


async def list_tasks(
    aws: Aws, cluster: str, started_by: str | None, desired_status: Literal["RUNNING", "PENDING", "STOPPED"]
) -> list[str]:
    """The ARNs of the cluster's tasks of this desired status, all pages; of every starter when started_by is None."""
    wanted = {"cluster": cluster, "desiredStatus": desired_status, **({"startedBy": started_by} if started_by else {})}
    arns: list[str] = []
    page: JsonObject = {}
    while True:
        answer = await aws.call("ecs", "ListTasks", **wanted, **page)
        arns.extend(answer["taskArns"])
        if not answer.get("nextToken"):
            return arns
        page = {"nextToken": answer["nextToken"]}


async def stop_task(aws: Aws, cluster: str, arn: str, reason: str) -> None:
    """Asks ECS to stop a task (it sends TERM, then KILL); a task ECS no longer knows has stopped long ago."""
    try:
        await aws.call("ecs", "StopTask", cluster=cluster, task=arn, reason=reason[:_REASON_CHARACTERS])
    except errors.NotFound:
        return


async def describe_cluster(aws: Aws, cluster: str) -> JsonObject:
    """The cluster of this name or ARN; errors.NotFound when there is none that is ACTIVE."""
    answer = await aws.call("ecs", "DescribeClusters", clusters=[cluster])
    for found in answer.get("clusters", []):
        if found.get("status") == _ACTIVE:
            active: JsonObject = found
            return active
    unexpected = [failure for failure in answer.get("failures", []) if failure.get("reason") != _MISSING]
    if unexpected:
        raise errors.SystemFailure(f"ecs:DescribeClusters failed: {_reasons(unexpected)}")
    raise errors.NotFound(
        f"the ECS cluster {cluster} does not exist; run `{FILL_COMMAND}`, or name another in SOCKERLESS_ECS_CLUSTER"
    )


async def _describe(aws: Aws, cluster: str, arns: Sequence[str], with_tags: bool) -> list[JsonObject]:
    include = {"include": ["TAGS"]} if with_tags else {}
    answer = await aws.call("ecs", "DescribeTasks", cluster=cluster, tasks=list(arns), **include)
    unexpected = [failure for failure in answer.get("failures", []) if failure.get("reason") != _MISSING]
    if unexpected:
        raise errors.SystemFailure(f"ecs:DescribeTasks failed: {_reasons(unexpected)}")
    tasks: list[JsonObject] = answer["tasks"]
    return tasks


async def _task_in_conflict(aws: Aws, request: JsonObject, conflict: errors.Conflict) -> JsonObject:
    """The task that the request's client token started earlier, with other parameters; ECS names it."""
    arns = answer_of(conflict).get("resourceIds") or []
    known = await describe_tasks(aws, request["cluster"], arns[:1])
    if not known:
        raise conflict
    return known[arns[0]]


def _not_placed(request: JsonObject, failures: list[JsonObject]) -> errors.SockerlessError:
    reasons = _reasons(failures)
    if "Capacity is unavailable" in reasons and _on_spot(request):
        return errors.Unavailable(f"AWS could not place the task on Fargate Spot: {reasons}; {_SPOT_REMEDY}")
    remedy = next((remedy for words, remedy in _PLACEMENT_REMEDIES if words in reasons), "try again later")
    return errors.Unavailable(f"AWS could not place the task: {reasons}; {remedy}")


_SPOT_REMEDY = "try again, or run more on demand (fargate_weight in sockerless.toml, SOCKERLESS_ECS_CAPACITY_PROVIDERS)"
_PLACEMENT_REMEDIES = (
    ("vCPUs", "ask AWS to raise quota L-3032A538 (on Spot: L-36FBB829)"),
    ("RESOURCE:ENI", "the subnets have no free network interface or address; use more subnets"),
    ("Capacity is unavailable", "Fargate has no capacity in these zones; try again, or use subnets in other zones"),
)


def _on_spot(request: JsonObject) -> bool:
    return any(item["capacityProvider"] == "FARGATE_SPOT" for item in request.get("capacityProviderStrategy", ()))


def _reasons(failures: list[JsonObject]) -> str:
    told = [" ".join(filter(None, (failure.get("reason"), failure.get("detail")))) for failure in failures]
    return "; ".join(dict.fromkeys(text or "no reason given" for text in told))


def _family(arn: str) -> str:
    return arn.rsplit("/", 1)[-1].rsplit(":", 1)[0]


def _revision(arn: str) -> int:
    return int(arn.rsplit(":", 1)[-1])
