"""RunTask, StopTask, DescribeTasks and ListTasks. Callers hold the simulator's lock.

Source: ECS API reference of these actions; errors and failures[] in AWS's words.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from moto.ecs.exceptions import ECSException, InvalidParameterException
from moto.ecs.models import Cluster, TaskDefinition

from sockerless.errors import InvalidParameter, NotFound
from sockerless.simulator import interfaces
from sockerless.simulator.fargate import Fargate
from sockerless.simulator.faults import Faults
from sockerless.simulator.gate import Refusal
from sockerless.simulator.lifecycle import TaskRunner
from sockerless.simulator.quotas import REACHED, Quotas
from sockerless.simulator.run_request import RunRequest
from sockerless.simulator.task_events import TaskEvents
from sockerless.simulator.taskrecords import TaskRecords, definition_document
from sockerless.simulator.tasks import JsonObject, Task, TaskContainer, new_id, now
from sockerless.simulator.throttle import Throttle

MAX_DESCRIBED = 100
MAX_LISTED = 100
NO_CAPACITY = "Capacity is unavailable at this time. Please try again later or in a different availability zone"


class ConflictException(ECSException):
    """A clientToken was used again with other parameters."""

    def __init__(self, arns: list[str]) -> None:
        super().__init__(
            "ConflictException", "The clientToken was already used by a request with different parameters."
        )
        self.resource_ids = arns


class ClusterContainsTasksException(ECSException):
    """A cluster that is to be deleted runs tasks."""

    def __init__(self) -> None:
        super().__init__("ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active.")


@dataclass(slots=True)
class _Idempotent:
    request: str
    arns: list[str] = field(default_factory=list)


class TaskService:
    """The task actions over one engine."""

    def __init__(self, fargate: Fargate, faults: Faults, throttle: Throttle | None, quotas: Quotas) -> None:
        self._fargate, self._faults, self._throttle, self._quotas = fargate, faults, throttle, quotas
        self._events = TaskEvents(faults)
        self._runners: dict[str, TaskRunner] = {}
        self._tokens: dict[tuple[str, str, str, str], _Idempotent] = {}

    def _records(self, account_id: str, region: str) -> TaskRecords:
        records = TaskRecords(account_id, region)
        for arn in records.purge(self._fargate.options.stopped_task_retention_s):
            self._runners.pop(arn, None)
        return records

    def run(self, account_id: str, region: str, document: JsonObject) -> JsonObject:
        """RunTask."""
        records = self._records(account_id, region)
        cluster = records.cluster(document.get("cluster"))
        token = document.get("clientToken")
        known = self._tokens.get((account_id, region, cluster.name, token)) if token else None
        if known is not None:
            return self._run_again(records, cluster, known, document)
        definition = records.definition(document["taskDefinition"])
        request = RunRequest(document, cluster, definition, account_id, region)
        request.check()
        self._check_launch_rate(account_id, region, request)
        fault = self._faults.take("capacity")
        if fault:
            return {"tasks": [], "failures": [{"reason": fault.reason or NO_CAPACITY}]}
        if self._quotas.reached(records.every_task(), request.cpu_units, request.capacity_providers):
            return {"tasks": [], "failures": [{"reason": REACHED}]}
        tasks = [
            self._new_task(records, cluster, definition, request, provider) for provider in request.capacity_providers
        ]
        if token:
            self._tokens[account_id, region, cluster.name, token] = _Idempotent(
                json.dumps(document, sort_keys=True, default=str), [task.task_arn for task in tasks]
            )
        answer = {"tasks": [task.describe() for task in tasks], "failures": []}
        for task in tasks:
            self._runners[task.task_arn].start()
        return answer

    def _check_launch_rate(self, account_id: str, region: str, request: RunRequest) -> None:
        on_spot = request.capacity_providers.count("FARGATE_SPOT")
        for pool, count in (("spot", on_spot), ("on-demand", request.count - on_spot)):
            if self._throttle and count and not self._throttle.launches(account_id, region, pool, count):
                raise Refusal("ThrottlingException", "Rate exceeded")

    def _run_again(
        self, records: TaskRecords, cluster: Cluster, known: _Idempotent, document: JsonObject
    ) -> JsonObject:
        if known.request != json.dumps(document, sort_keys=True, default=str):
            raise ConflictException(known.arns)
        found = [task for arn in known.arns if (task := records.task(cluster, arn))]
        return {"tasks": [task.describe() for task in found], "failures": []}

    def _new_task(
        self,
        records: TaskRecords,
        cluster: Cluster,
        definition: TaskDefinition,
        request: RunRequest,
        capacity_provider: str | None,
    ) -> Task:
        task_id = new_id()
        task_arn = records.task_arn(cluster, task_id)
        subnet_id, groups, public = request.placement()
        task = Task(
            id=task_id,
            task_arn=task_arn,
            cluster_arn=cluster.arn,
            task_definition_arn=definition.arn,
            definition=definition_document(definition),
            containers=[
                TaskContainer(
                    arn=f"{task_arn.replace(':task/', ':container/')}/{new_id()}",
                    definition=container,
                    override=request.override(str(container["name"])),
                )
                for container in definition.container_definitions
            ],
            interface=interfaces.attach(records.account_id, records.region, subnet_id, groups, public, task_arn),
            cpu_units=request.cpu_units,
            memory_mib=request.memory_mib,
            group=request.group,
            started_by=request.document.get("startedBy"),
            capacity_provider_name=capacity_provider,
            overrides=request.overrides,
            tags=request.tags(),
            ephemeral_storage_gib=request.ephemeral_storage_gib,
            storage_key=_storage_key(cluster),
        )
        task.times["createdAt"] = now()
        records.tasks(cluster)[task_arn] = task
        self._runners[task_arn] = TaskRunner(self._fargate, task, lambda changed: self._tell(records, cluster, changed))
        self._tell(records, cluster, task)
        return task

    def _tell(self, records: TaskRecords, cluster: Cluster, task: Task) -> None:
        records.count(cluster)
        self._events.tell(task)

    def stop(self, account_id: str, region: str, document: JsonObject) -> JsonObject:
        """StopTask."""
        records = self._records(account_id, region)
        task = records.task(records.cluster(document.get("cluster")), document["task"])
        reason = document.get("reason") or "Task stopped by user"
        if task is None:
            raise InvalidParameterException("The referenced task was not found.")
        if len(reason) > 255:
            raise InvalidParameterException("Reason length must be at most 255.")
        if task.last_status != "STOPPED":
            self._end(task, "UserInitiated", reason)
        task.tags = []
        return {"task": task.describe()}

    def _end(self, task: Task, code: str, reason: str) -> None:
        task.stop(code, reason)
        self._events.tell(task)
        self._runners[task.task_arn].request_stop()

    def describe(self, account_id: str, region: str, document: JsonObject) -> JsonObject:
        """DescribeTasks."""
        records = self._records(account_id, region)
        cluster = records.cluster(document.get("cluster"))
        references = document.get("tasks") or []
        if not references:
            raise InvalidParameterException("Tasks cannot be empty.")
        if len(references) > MAX_DESCRIBED:
            raise InvalidParameterException(f"Tasks cannot be more than {MAX_DESCRIBED}.")
        with_tags = "TAGS" in (document.get("include") or [])
        found = {reference: records.task(cluster, reference) for reference in references}
        return {
            "tasks": [task.describe(with_tags) for task in found.values() if task],
            "failures": [
                {"arn": records.task_arn(cluster, reference), "reason": "MISSING"}
                for reference, task in found.items()
                if task is None
            ],
        }

    def list(self, account_id: str, region: str, document: JsonObject) -> JsonObject:
        """ListTasks."""
        records = self._records(account_id, region)
        cluster = records.cluster(document.get("cluster"))
        filters = {"startedBy", "family", "serviceName", "containerInstance"} & {k for k, v in document.items() if v}
        if "startedBy" in filters and len(filters) > 1:
            raise InvalidParameterException("startedBy must be the only filter.")
        limit = int(document.get("maxResults") or MAX_LISTED)
        if not 1 <= limit <= MAX_LISTED:
            raise InvalidParameterException(f"maxResults must be between 1 and {MAX_LISTED}.")
        arns = sorted(task.task_arn for task in _filtered(records.tasks(cluster).values(), document))
        rest = [arn for arn in arns if arn > str(document.get("nextToken") or "")]
        page = {"taskArns": rest[:limit]}
        return page | ({"nextToken": rest[limit - 1]} if len(rest) > limit else {})

    def delete_cluster(self, account_id: str, region: str, document: JsonObject) -> JsonObject:
        """DeleteCluster."""
        records = self._records(account_id, region)
        cluster = records.cluster(document["cluster"])
        if any(task.last_status != "STOPPED" for task in records.tasks(cluster).values()):
            raise ClusterContainsTasksException
        return {"cluster": records.backend.delete_cluster(cluster.name)}

    def interrupt(self, task_arn: str) -> None:
        """Takes a Spot task's capacity away; InvalidParameter when it does not run on Spot, NotFound."""
        runner = self._runners.get(task_arn)
        if runner is None:
            raise NotFound(f"no task {task_arn}")
        if runner.task.capacity_provider_name != "FARGATE_SPOT":
            raise InvalidParameter(f"task {task_arn} does not run on FARGATE_SPOT")
        self._end(runner.task, "SpotInterruption", "Your Spot Task was interrupted.")

    def counts(self) -> dict[str, int]:
        """Tasks by last status, of every account and region."""
        counts: dict[str, int] = {}
        for runner in self._runners.values():
            counts[runner.task.last_status] = counts.get(runner.task.last_status, 0) + 1
        return counts

    def runners(self) -> Iterable[TaskRunner]:
        """Every runner, of tasks that run and that have stopped."""
        return list(self._runners.values())

    def shut_down(self) -> None:
        """Begins the end of every task, as losing the host would."""
        for runner in self.runners():
            if runner.task.last_status != "STOPPED":
                self._end(runner.task, "TerminationNotice", "The simulator stopped")


def _storage_key(cluster: Cluster) -> str:
    managed = (cluster.configuration or {}).get("managedStorageConfiguration") or {}
    return str(managed.get("fargateEphemeralStorageKmsKeyId") or "")


def _filtered(tasks: Iterable[Task], document: JsonObject) -> Iterable[Task]:
    wanted: dict[str, Any] = {
        "desired_status": document.get("desiredStatus") or "RUNNING",
        "started_by": document.get("startedBy"),
        "family": document.get("family"),
    }
    if document.get("serviceName") or document.get("containerInstance"):
        return []
    return [
        task
        for task in tasks
        if task.desired_status == wanted["desired_status"]
        and (not wanted["started_by"] or task.started_by == wanted["started_by"])
        and (not wanted["family"] or task.definition["family"] == wanted["family"])
    ]
