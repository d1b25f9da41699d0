"""What a deployment costs right now: the infrastructure that stands and the tasks that run, by AWS's list prices.

Owns: the price of a running task from what ECS tells of it. Changes nothing. Knows no command line.
Law: what ECS does not tell of a task is an error, never a cheap guess.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from sockerless.aws import ecs
from sockerless.ecs import tags
from sockerless.errors import SystemFailure
from sockerless.kit import account, estimate, outputs, prices, state
from sockerless.kit.estimate import Estimate
from sockerless.kit.outputs import Outputs
from sockerless.kit.project import Project
from sockerless.types import JsonObject

_ENDED = {"DEPROVISIONING", "STOPPED", "DELETED"}
_ARCHITECTURE = "ecs.cpu-architecture"


@dataclass(frozen=True, slots=True)
class TaskCost:
    """A task that is paid for now. name: its container's name, "" when the daemon gave it none."""

    id: str
    name: str
    status: str
    cpu_units: int
    memory_mib: int
    ephemeral_gib: int
    architecture: str
    spot: bool
    public_address: bool
    usd_per_hour: float
    usd_per_month: float


@dataclass(frozen=True, slots=True)
class Cost:
    """US dollars. usd_per_hour and usd_per_month: all of it, when everything goes on as it is now."""

    infrastructure: Estimate
    tasks: tuple[TaskCost, ...]
    tasks_usd_per_hour: float
    usd_per_hour: float
    usd_per_month: float


def gather(project: Project) -> Cost:
    """Asks terraform's state and ECS; NotFound when nothing is provisioned."""
    known = state.read(project)
    built = outputs.parse(known.get("outputs") or {}, project)
    return of(
        estimate.of_resources(project, estimate.from_state(known)),
        [of_task(task, built.assign_public_ip) for task in tasks(project, built)],
    )


def tasks(project: Project, built: Outputs) -> list[JsonObject]:
    """Every task that is paid for, with its tags: from the pull of its image to its end, whoever started it."""
    return asyncio.run(_tasks(project, built))


def of(infrastructure: Estimate, priced: list[TaskCost]) -> Cost:
    """The sums, the dearest task first."""
    tasks_usd = sum(task.usd_per_hour for task in priced)
    total = infrastructure.usd_per_month / prices.HOURS_PER_MONTH + tasks_usd
    return Cost(
        infrastructure=infrastructure,
        tasks=tuple(sorted(priced, key=lambda task: -task.usd_per_hour)),
        tasks_usd_per_hour=round(tasks_usd, 4),
        usd_per_hour=round(total, 4),
        usd_per_month=round(infrastructure.usd_per_month + tasks_usd * prices.HOURS_PER_MONTH, 2),
    )


def of_task(task: JsonObject, public_address: bool) -> TaskCost:
    """What a task as DescribeTasks tells it costs. public_address: whether the deployment's tasks have one."""
    arm = _architecture(task) == "ARM64"
    spot = task.get("capacityProviderName") == "FARGATE_SPOT"
    cpu_units, memory_mib = int(task["cpu"]), int(task["memory"])
    ephemeral_gib = int((task.get("ephemeralStorage") or {}).get("sizeInGiB", prices.FREE_EPHEMERAL_GIB))
    usd = prices.task_usd_per_hour(
        cpu_units, memory_mib, arm=arm, spot=spot, public_address=public_address, ephemeral_gib=ephemeral_gib
    )
    return TaskCost(
        id=str(task["taskArn"]).rpartition("/")[2],
        name=tags.tag_value(task.get("tags") or [], tags.NAME) or "",
        status=str(task["lastStatus"]),
        cpu_units=cpu_units,
        memory_mib=memory_mib,
        ephemeral_gib=ephemeral_gib,
        architecture="ARM64" if arm else "X86_64",
        spot=spot,
        public_address=public_address,
        usd_per_hour=round(usd, 6),
        usd_per_month=round(usd * prices.HOURS_PER_MONTH, 2),
    )


def lines(cost: Cost) -> list[str]:
    """The cost for people."""
    told = estimate.lines(cost.infrastructure)
    told.append(f"running now: {len(cost.tasks)} task{'' if len(cost.tasks) == 1 else 's'}")
    told += [f"  {_cells(task)}" for task in cost.tasks]
    told.append(
        f"all of it: ${cost.usd_per_hour:.4f} an hour, {estimate.money(cost.usd_per_month)} a month if it goes on so"
    )
    return told


def _cells(task: TaskCost) -> str:
    size = f"{task.cpu_units / 1024:g} vCPU, {task.memory_mib / 1024:g} GB"
    storage = f", {task.ephemeral_gib} GiB of storage" if task.ephemeral_gib > prices.FREE_EPHEMERAL_GIB else ""
    kind = f"{task.architecture}{', Spot' if task.spot else ''}{', public address' if task.public_address else ''}"
    paid = f"${task.usd_per_hour:.4f}/h{estimate.money(task.usd_per_month):>11}/month"
    return f"{task.name or task.id[:12]:<24}{paid:>28}  {size}{storage}, {kind}"


def _architecture(task: JsonObject) -> str:
    """X86_64 or ARM64. ECS spells it x86_64 or arm64 among a Fargate task's attributes."""
    told = [one.get("value", "") for one in task.get("attributes") or [] if one.get("name") == _ARCHITECTURE]
    if not told:
        raise SystemFailure(f"ecs:DescribeTasks tells no architecture of the task {task['taskArn']}")
    return str(told[0]).upper()


async def _tasks(project: Project, built: Outputs) -> list[JsonObject]:
    async with account.opened(account.of(project)) as aws:
        arns = await ecs.list_tasks(aws, built.cluster_name, None, "RUNNING")
        found = await ecs.describe_tasks(aws, built.cluster_name, arns, with_tags=True)
    return [task for task in found.values() if task["lastStatus"] not in _ENDED]
