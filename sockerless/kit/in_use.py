"""What a plan would take away from under the tasks that run: refused before terraform spends its patience on it.

AWS deletes no cluster with tasks, and no file system, group or network that a task's interface or mount holds; the
provider tries for ten minutes and more. Changes nothing.
"""

from __future__ import annotations

import asyncio

from sockerless.aws import ecs
from sockerless.errors import Conflict, NotFound
from sockerless.kit import account, outputs, state
from sockerless.kit.outputs import Outputs
from sockerless.kit.plan import Plan
from sockerless.kit.project import Project


def refuse(project: Project, planned: Plan) -> None:
    """Conflict when the plan replaces or destroys what tasks of this deployment stand on, while tasks run."""
    going = _going(planned)
    if not going:
        return
    standing = outputs.parse(state.read(project).get("outputs", {}), project)
    taken = sorted(address for address, id_ in going.items() if id_ in _under_tasks(standing))
    tasks = asyncio.run(_count(project, standing.cluster_name)) if taken else 0
    if tasks:
        raise Conflict(
            f"this plan takes away {', '.join(taken)}, and {tasks} task{'s run' if tasks > 1 else ' runs'} on it: "
            f"remove the containers (`docker rm -f $(docker ps -aq)`), end what else runs on {standing.cluster_name}, "
            "and run the same command again"
        )


def _going(planned: Plan) -> dict[str, str]:
    """The ids of what the plan replaces or destroys, by address."""
    changes = {one["address"]: one["change"] for one in planned.document.get("resource_changes", ())}
    return {
        address: str(change["before"].get("id")) for address, change in changes.items() if "delete" in change["actions"]
    }


def _under_tasks(standing: Outputs) -> set[str]:
    return {
        standing.cluster_arn,
        standing.vpc_id,
        standing.efs_file_system_id,
        standing.agent_access_point_id,
        *standing.task_subnet_ids,
        *standing.security_group_ids,
    }


async def _count(project: Project, cluster: str) -> int:
    async with account.opened(account.of(project)) as aws:
        try:
            return len(await ecs.list_tasks(aws, cluster, None, "RUNNING"))
        except NotFound:
            return 0  # the cluster itself is gone, which the plan mends
