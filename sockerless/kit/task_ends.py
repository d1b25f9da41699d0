"""The end of what runs on a deployment's cluster: tasks are stopped, and their network interfaces waited for.

While an interface stands it holds the subnets and security groups that terraform wants to delete. Tasks are listed
again until none is left: one may have been under way when the first list was made. Changes nothing but tasks.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass

from sockerless.aws import ec2_tagged, ecs
from sockerless.aws.session import Aws
from sockerless.ecs import eni
from sockerless.errors import DeadlineExceeded, NotFound
from sockerless.kit import account
from sockerless.kit.project import Project
from sockerless.types import JsonObject

STOP_TIMEOUT_S = 300.0
"""A task has up to 120 s to end after TERM (ECS stopTimeout), then AWS takes its interface away."""
INTERFACE_TIMEOUT_S = 300.0
_POLL_S = 1.0
_REASON = "sockerless-kit destroy"


@dataclass(frozen=True, slots=True)
class Ended:
    """How many tasks were stopped, and how many network interfaces went with them."""

    tasks: int
    interfaces: int


def end(project: Project, cluster: str) -> Ended:
    """Stops every task on the cluster; returns once none is left, nor any of their interfaces.

    DeadlineExceeded when tasks keep coming, or an interface does not go.
    """
    return asyncio.run(_end(project, cluster))


async def _end(project: Project, cluster: str) -> Ended:
    async with account.opened(account.of(project)) as aws:
        try:
            await ecs.describe_cluster(aws, cluster)
        except NotFound:
            return Ended(0, 0)  # the cluster went in an earlier, interrupted destroy
        stopped, interfaces = await _stop(aws, cluster)
        await _gone(aws, interfaces)
        return Ended(len(stopped), len(interfaces))


async def _stop(aws: Aws, cluster: str) -> tuple[set[str], set[str]]:
    """The tasks that were stopped, and the interfaces of all that ECS still knows."""
    stopped: set[str] = set()
    interfaces: set[str] = set()
    deadline = time.monotonic() + STOP_TIMEOUT_S
    while True:
        tasks = await _known(aws, cluster)
        interfaces |= set(_interfaces(tasks.values()))
        going = {arn for arn, task in tasks.items() if task["lastStatus"] != "STOPPED"}
        if not going:
            return stopped, interfaces
        if time.monotonic() > deadline:
            raise DeadlineExceeded(
                f"{len(going)} tasks on {cluster} did not stop within {STOP_TIMEOUT_S:g} s, or new ones keep coming: "
                "end whatever daemon still serves this cluster, then run the same command again"
            )
        await asyncio.gather(*(ecs.stop_task(aws, cluster, arn, _REASON) for arn in going - stopped))
        stopped |= going
        await asyncio.sleep(_POLL_S)


async def _known(aws: Aws, cluster: str) -> dict[str, JsonObject]:
    """Every task that ECS knows, those that stopped within the hour included."""
    running = await ecs.list_tasks(aws, cluster, None, "RUNNING")
    return await ecs.describe_tasks(aws, cluster, [*running, *await ecs.list_tasks(aws, cluster, None, "STOPPED")])


def _interfaces(tasks: Iterable[JsonObject]) -> Iterable[str]:
    """Those that AWS has not taken away yet."""
    return (found for task in tasks if (found := eni.network_interface(task).eni_id) is not None)


async def _gone(aws: Aws, interfaces: set[str]) -> None:
    deadline = time.monotonic() + INTERFACE_TIMEOUT_S
    while left := await ec2_tagged.interfaces(aws, interfaces):
        if time.monotonic() > deadline:
            raise DeadlineExceeded(
                f"AWS did not take {len(left)} network interfaces of stopped tasks away within "
                f"{INTERFACE_TIMEOUT_S:g} s ({', '.join(sorted(left)[:3])}); run the same command again"
            )
        await asyncio.sleep(_POLL_S)
