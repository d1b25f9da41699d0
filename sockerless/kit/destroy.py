"""Takes a deployment down: its tasks first, then what terraform built, then what the kit remembers of it.

Owns: what destroy names before it asks, and the wait for tasks to end: while one stands, its network interface holds
the subnets and security groups that terraform wants to delete. Knows no command line.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import click

from sockerless.aws import ecs
from sockerless.aws.session import Aws
from sockerless.errors import DeadlineExceeded, NotFound
from sockerless.kit import account, apply, daemon_env, say
from sockerless.kit.outputs import Deployment
from sockerless.kit.plan import Plan
from sockerless.kit.project import Project

STOP_TIMEOUT_S = 300.0
"""A task has up to 120 s to end after TERM (ECS stopTimeout), then AWS takes its interface away."""
_POLL_S = 1.0
_REASON = "sockerless-kit destroy"
_DATA = {
    "aws_efs_file_system": "the agent and every Docker volume",
    "aws_ecr_repository": "images",
    "aws_cloudwatch_log_group": "the containers' output",
}
"""Terraform's resource types that hold what nothing makes again, and what it is."""


def run(project: Project, plugin_dir: Path | None, yes: bool) -> None:
    """Shows what goes, asks unless yes, stops the tasks, destroys. click.Abort when the answer is no.

    Does nothing when nothing stands; safe to run again after an interruption.
    """
    planned = apply.show_plan(project, plugin_dir, destroy=True, yes=yes)
    if not planned.changes:
        planned.path.unlink()
        _forget(project)
        return
    for address, what in holding_data(planned):
        say.tell("holds_data", f"  holds data: {address} ({what})", address=address, what=what)
    if not yes:
        click.confirm("Stop all tasks and destroy all of this?", abort=True)
    deployment = _standing(project)
    if deployment is not None:
        stopped = stop_tasks(deployment)
        say.tell("stopped", f"stopped {stopped} task{'' if stopped == 1 else 's'}", tasks=stopped)
    apply.apply_plan(project, planned, "destroying")
    _forget(project)


def holding_data(planned: Plan) -> list[tuple[str, str]]:
    """The address of each resource whose data goes with it, and what the data is."""
    kinds = ((change.address, change.address.rpartition(".")[0].rpartition(".")[2]) for change in planned.changes)
    return [(address, _DATA[kind]) for address, kind in kinds if kind in _DATA]


def stop_tasks(deployment: Deployment) -> int:
    """Stops every task on the deployment's cluster and waits until each has ended; how many there were."""
    return asyncio.run(_stop_tasks(deployment))


async def _stop_tasks(deployment: Deployment) -> int:
    cluster = deployment.outputs.cluster_name
    async with account.opened(account.of(deployment.project)) as aws:
        try:
            arns = [
                *await ecs.list_tasks(aws, cluster, None, "RUNNING"),
                *await ecs.list_tasks(aws, cluster, None, "STOPPED"),
            ]
        except NotFound:
            return 0  # the cluster went in an earlier, interrupted destroy
        tasks = await ecs.describe_tasks(aws, cluster, arns)
        going = [arn for arn, task in tasks.items() if task["lastStatus"] != "STOPPED"]
        await asyncio.gather(*(ecs.stop_task(aws, cluster, arn, _REASON) for arn in going))
        await _ended(aws, cluster, going)
        return len(going)


async def _ended(aws: Aws, cluster: str, arns: list[str]) -> None:
    deadline = time.monotonic() + STOP_TIMEOUT_S
    while arns:
        tasks = await ecs.describe_tasks(aws, cluster, arns)
        arns = [arn for arn, task in tasks.items() if task["lastStatus"] != "STOPPED"]
        if arns and time.monotonic() > deadline:
            raise DeadlineExceeded(
                f"{len(arns)} tasks on {cluster} did not stop within {STOP_TIMEOUT_S:g} s; run the same command again"
            )
        if arns:
            await asyncio.sleep(_POLL_S)


def _standing(project: Project) -> Deployment | None:
    try:
        return apply.load(project)
    except NotFound:
        return None


def _forget(project: Project) -> None:
    """Removes daemon.env: it names what is gone."""
    daemon_env.path_of(project).unlink(missing_ok=True)
