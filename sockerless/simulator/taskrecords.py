"""The simulated ECS's records of clusters, definitions and tasks: finding, counting, forgetting.

Tasks lie in moto's own table (cluster name, ARN), so that moto's tagging actions find them. Callers hold the lock.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, cast

from moto.ecs.exceptions import ClusterNotFoundException, EcsClientException
from moto.ecs.models import Cluster, EC2ContainerServiceBackend, TaskDefinition, ecs_backends

from sockerless.simulator.tasks import JsonObject, Task, now

_PENDING = {"PROVISIONING", "PENDING", "ACTIVATING"}


class TaskRecords:
    """The records of one account and region."""

    def __init__(self, account_id: str, region: str) -> None:
        self.account_id, self.region = account_id, region
        self.backend: EC2ContainerServiceBackend = ecs_backends[account_id][region]

    def cluster(self, name_or_arn: str | None) -> Cluster:
        """The active cluster ("default" when none is named); ClusterNotFoundException."""
        cluster = self.backend.clusters.get((name_or_arn or "default").split("/")[-1])
        if cluster is None or cluster.status != "ACTIVE":
            raise ClusterNotFoundException
        return cluster

    def tasks(self, cluster: Cluster) -> dict[str, Task]:
        """The cluster's tasks by ARN."""
        return self._table.setdefault(cluster.name, {})

    def every_task(self) -> list[Task]:
        """The tasks of all clusters: quotas count them together."""
        return [task for tasks in self._table.values() for task in tasks.values()]

    @property
    def _table(self) -> dict[str, dict[str, Task]]:
        table: Any = self.backend.tasks
        return cast("dict[str, dict[str, Task]]", table)

    def task(self, cluster: Cluster, id_or_arn: str) -> Task | None:
        """The cluster's task of this id or ARN."""
        return self.tasks(cluster).get(self.task_arn(cluster, id_or_arn))

    def task_arn(self, cluster: Cluster, id_or_arn: str) -> str:
        """The ARN a task reference means."""
        if id_or_arn.startswith("arn:"):
            return id_or_arn
        return f"arn:aws:ecs:{self.region}:{self.account_id}:task/{cluster.name}/{id_or_arn.split('/')[-1]}"

    def definition(self, reference: str) -> TaskDefinition:
        """The active definition a RunTask names (family, family:revision or ARN); ClientException."""
        family, _, revision = reference.split("/")[-1].partition(":")
        revisions = self.backend.task_definitions.get(family, {})
        if not revision:
            revisions = {number: found for number, found in revisions.items() if found.status == "ACTIVE"}
        wanted = int(revision) if revision.isdigit() else max(revisions, default=None)
        if wanted not in revisions:
            raise EcsClientException("TaskDefinition not found.")
        definition = revisions[wanted]
        if definition.status != "ACTIVE":
            raise EcsClientException("TaskDefinition is inactive")
        return definition

    def count(self, cluster: Cluster) -> None:
        """Brings the cluster's running and pending counts in step with its tasks."""
        statuses = [task.last_status for task in self.tasks(cluster).values()]
        cluster.running_tasks_count = statuses.count("RUNNING")
        cluster.pending_tasks_count = sum(status in _PENDING for status in statuses)

    def purge(self, retention_s: float) -> list[str]:
        """Forgets tasks that stopped longer ago than retention_s, as ECS does after about an hour; their ARNs."""
        oldest = now() - timedelta(seconds=retention_s)
        purged: list[str] = []
        for tasks in self._table.values():
            old = [arn for arn, task in tasks.items() if _stopped_before(task, oldest)]
            for arn in old:
                del tasks[arn]
            purged += old
        return purged


def _stopped_before(task: Task, oldest: datetime) -> bool:
    return task.last_status == "STOPPED" and task.times["stoppedAt"] < oldest


def definition_document(definition: TaskDefinition) -> JsonObject:
    """The members of a registered definition that running a task needs."""
    return {
        "family": definition.family,
        "revision": definition.revision,
        "containerDefinitions": definition.container_definitions,
        "volumes": definition.volumes,
        "cpu": definition.cpu,
        "memory": definition.memory,
        "executionRoleArn": getattr(definition, "execution_role_arn", None),
        "taskRoleArn": getattr(definition, "task_role_arn", None),
        "pidMode": definition.pid_mode,
        "runtimePlatform": definition.runtime_platform,
        "ephemeralStorage": definition.ephemeral_storage,
        "requiresCompatibilities": definition.requires_compatibilities or [],
        "tags": definition.tags,
    }
