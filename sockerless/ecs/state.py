"""What ECS says about a task, as the few facts the daemon decides on, and its stop reasons as sentences.

Owns the reading of DescribeTasks' Task. Knows no Docker state: backend/ maps a TaskView onto one.
Source: Amazon ECS API reference, Task and Container; developer guide, "Task lifecycle" and "Stopped tasks error
messages". A container has already exited while its task is STOPPING, seconds before the task is STOPPED. Stop codes
are an open set.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sockerless.ecs.eni import network_interface
from sockerless.ecs.taskdef import MAIN_CONTAINER
from sockerless.types import JsonObject

OWN_REASON = "sockerless: "
"""What the reason of every StopTask of this daemon starts with."""

_STOPPED = "STOPPED"
_ENDED_BY_ITSELF = frozenset({None, "", "EssentialContainerExited", "TaskFailedToStart"})
"""Stop codes of tasks that nobody took away."""
_ENDED = frozenset({_STOPPED, "DELETED"})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class TaskView:
    """A task as DescribeTasks tells it. Times are nanoseconds since the epoch, 0 = not yet.

    exit_code: of MAIN_CONTAINER, None when it never ran or still does. reason: AWS's words, the task's and those its
    containers add. stopped: the main container has ended (ECS may still be taking the task down). running: the task
    is RUNNING and not stopped. stopping_at_ns: when ECS began to end it. version: grows with each change that ECS makes
    an event of (0: not told), the same number there and here.
    """

    arn: str
    last_status: str
    desired_status: str
    private_address: str | None
    eni_id: str | None
    exit_code: int | None
    stop_code: str | None
    reason: str
    oom_killed: bool
    started_at_ns: int
    stopping_at_ns: int
    stopped_at_ns: int
    stopped: bool
    running: bool
    version: int


def view(task: JsonObject) -> TaskView:
    """The facts in one of DescribeTasks' (or RunTask's) tasks, as botocore decodes it."""
    main = _main(task)
    interface = network_interface(task)
    last_status = task.get("lastStatus", "")
    stopped = last_status in _ENDED or main.get("lastStatus") == _STOPPED or "executionStoppedAt" in task
    reason = _reason(task)
    return TaskView(
        arn=task["taskArn"],
        last_status=last_status,
        desired_status=task.get("desiredStatus", ""),
        private_address=interface.private_address,
        eni_id=interface.eni_id,
        exit_code=main.get("exitCode"),
        stop_code=task.get("stopCode"),
        reason=reason,
        oom_killed="OutOfMemory" in reason,
        started_at_ns=_nanoseconds(task.get("startedAt")),
        stopping_at_ns=_nanoseconds(task.get("stoppingAt")),
        stopped_at_ns=_nanoseconds(_stopped_at(task)) if stopped else 0,
        stopped=stopped,
        running=last_status == "RUNNING" and not stopped,
        version=int(task.get("version") or 0),
    )


def failure_message(view: TaskView) -> str:
    """One sentence for docker's client: what failed, AWS's reason, and the remedy when the reason is a known one."""
    text = view.reason or f"ECS gave no reason (stop code {view.stop_code or 'none'})"
    searched = f"{view.stop_code} {text}".lower()
    for words, what, remedy in _FAILURES:
        if all(word in searched for word in words):
            return f"{what}: {text}" + (f" ({remedy})" if remedy else "")
    return f"the Fargate task stopped: {text}"


def interruption(view: TaskView, finished_at_ns: int) -> str:
    """Why AWS, or somebody other than this daemon, ended the task of a process that finished then; "" when nobody did.

    A process that had finished before ECS began to end its task was not interrupted.
    """
    if view.stop_code in _ENDED_BY_ITSELF or view.reason.startswith(OWN_REASON):
        return ""
    return failure_message(view) if finished_at_ns >= view.stopping_at_ns else ""


_IMAGE = "the image could not be pulled"
_RESOURCES = "the task's resources could not be prepared"
_ARCHITECTURE = "the image has no variant for the task's CPU architecture"
_ROUTE = (
    "the task needs a route to its registry and CloudWatch: a NAT gateway, a public IP with "
    "SOCKERLESS_ECS_PUBLIC_IP=true, or VPC endpoints"
)
_SPOT = "the Fargate Spot task was interrupted by AWS"
_SPOT_REMEDY = "start it again, or run it on demand: fargate_weight in sockerless.toml"
_ROLE = "check the permissions of the role in SOCKERLESS_ECS_EXECUTION_ROLE_ARN"

_FAILURES: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (("cannotpull", "toomanyrequests"), _IMAGE, "the registry's rate limit is reached; use a mirror or ECR"),
    (("cannotpull", "matching platform"), _IMAGE, _ARCHITECTURE),
    (("cannotpull", "match for platform"), _IMAGE, _ARCHITECTURE),
    (("cannotpull", "403 forbidden"), _IMAGE, _ROLE),
    (("cannotpull", "access denied"), _IMAGE, "the image does not exist there, or " + _ROLE),
    (("cannotpull", "not found"), _IMAGE, "no such image in its registry any more; pull or load it again"),
    (("cannotpull", "manifest unknown"), _IMAGE, "no such image in its registry any more; pull or load it again"),
    (("cannotpull", "no space left"), _IMAGE, "it needs more storage than the task has"),
    (("cannotpull", "timeout"), _IMAGE, _ROUTE),
    (("cannotpull",), _IMAGE, ""),
    (("resourceinitialization", "accessdenied"), _RESOURCES, _ROLE),
    (
        ("resourceinitialization", "efs utils"),
        _RESOURCES,
        "check the file system's mount targets and its security group",
    ),
    (
        ("resourceinitialization", "logger args"),
        _RESOURCES,
        "check SOCKERLESS_ECS_LOG_GROUP and the route to CloudWatch",
    ),
    (("resourceinitialization", "log group"), _RESOURCES, "check that SOCKERLESS_ECS_LOG_GROUP exists"),
    (("resourceinitialization", "registry auth"), _RESOURCES, _ROUTE),
    (("resourceinitialization",), _RESOURCES, ""),
    (("cannotstartcontainer",), "the container could not be started", ""),
    (("cannotcreatecontainer",), "the container could not be created", ""),
    (("outofmemory",), "the container was killed for lack of memory", "give it more with --memory"),
    (
        ("vcpu", "limit"),
        "the account's Fargate quota is used up",
        "ask AWS to raise quota L-3032A538 (on Spot: L-36FBB829)",
    ),
    (("capacity is unavailable",), "Fargate has no capacity", "try again, or use subnets in other zones"),
    (("network interface",), "the task got no network interface", "try again; check the subnets' free addresses"),
    (("spot task was interrupted",), _SPOT, _SPOT_REMEDY),
    (("spotinterruption",), _SPOT, _SPOT_REMEDY),
    (("terminationnotice",), "AWS took the task's machine away", "start the container again"),
    (("userinitiated",), "the task was stopped", ""),
)
"""(words that all occur in stop code and reason, what failed, remedy); the first that fits speaks."""


def _main(task: JsonObject) -> JsonObject:
    containers: list[JsonObject] = task.get("containers", [])
    return next((container for container in containers if container.get("name") == MAIN_CONTAINER), {})


def _reason(task: JsonObject) -> str:
    """The task's reason, then what its containers add to it."""
    parts: list[str] = []
    for text in (task.get("stoppedReason"), *(container.get("reason") for container in task.get("containers", []))):
        if text and not any(text in part for part in parts):
            parts.append(text)
    return "; ".join(parts)


def _nanoseconds(moment: datetime | None) -> int:
    if moment is None:
        return 0
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000


def _stopped_at(task: JsonObject) -> datetime | None:
    moments = (task.get(name) for name in ("executionStoppedAt", "stoppedAt", "stoppingAt"))
    return next((moment for moment in moments if moment), None)
