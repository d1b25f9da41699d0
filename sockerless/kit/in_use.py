"""What a plan would take away from under the tasks that run: refused before terraform spends its patience on it.

AWS deletes no cluster with tasks, and no file system, group or network that a task's interface or mount holds; the
provider tries for ten minutes and more. Changes nothing.
"""

from __future__ import annotations

import asyncio
import re

from sockerless.aws import ecs
from sockerless.errors import Conflict, NotFound
from sockerless.kit import account, outputs, state
from sockerless.kit.plan import Plan
from sockerless.kit.project import Project

_HOLDING_TASKS = frozenset(
    {"aws_ecs_cluster", "aws_efs_file_system", "aws_efs_access_point", "aws_security_group", "aws_vpc"}
)
_TYPE = re.compile(r"(?:^|\.)(aws_\w+)\.")


def refuse(project: Project, planned: Plan) -> None:
    """Conflict when the plan replaces or destroys what tasks of this deployment stand on, while tasks run."""
    taken = [change.address for change in planned.changes if change.action in {"replace", "delete"}]
    taken = [address for address in taken if _HOLDING_TASKS & set(_TYPE.findall(address))]
    if not taken:
        return
    cluster = outputs.parse(state.read(project).get("outputs", {}), project).cluster_name
    tasks = asyncio.run(_count(project, cluster))
    if tasks:
        raise Conflict(
            f"this plan takes away {', '.join(taken)}, and {tasks} task{'s run' if tasks > 1 else ' runs'} on it: "
            f"remove the containers (`docker rm -f $(docker ps -aq)`), end what else runs on {cluster}, and run the "
            "same command again"
        )


async def _count(project: Project, cluster: str) -> int:
    async with account.opened(account.of(project)) as aws:
        try:
            return len(await ecs.list_tasks(aws, cluster, None, "RUNNING"))
        except NotFound:
            return 0  # the cluster itself is gone, which the plan mends
