"""What stands behind a daemon under test: its store, and the simulated AWS seen through boto3."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.docker_cli import eventually


@dataclass(frozen=True)
class Scene:
    """client(service) is a boto3 client of the simulator; store is the daemon's database file."""

    cluster: str
    log_group: str
    store: Path
    clients: Any

    def record(self, container: str) -> dict[str, Any]:
        """The container's record as stored; read-only, beside the daemon."""
        with sqlite3.connect(f"file:{self.store}?mode=ro", uri=True) as database:
            rows = database.execute("SELECT document FROM containers WHERE id LIKE ?", (container + "%",)).fetchall()
        document: dict[str, Any] = json.loads(rows[0][0])
        return document

    def task_arn(self, container: str) -> str:
        """The task that serves the container now."""
        return str(self.record(container)["task"]["task_arn"])

    def last_task_arn(self, container: str) -> str:
        """The id of the newest task that served the container, from its log stream."""
        return str(self.record(container)["log_streams"][-1]).rpartition("/")[2]

    def tasks(self, *arns: str) -> list[dict[str, Any]]:
        """DescribeTasks, with tags."""
        answer = self.clients("ecs").describe_tasks(cluster=self.cluster, tasks=list(arns), include=["TAGS"])
        tasks: list[dict[str, Any]] = answer["tasks"]
        return tasks

    def archived(self, task_arn: str) -> list[str]:
        """What the task's main container wrote to CloudWatch so far, a message a line."""
        logs, task = self.clients("logs"), task_arn.rpartition("/")[2]
        stream = f"sockerless/main/{task}"
        group = {"logGroupName": self.log_group}
        if not logs.describe_log_streams(**group, logStreamNamePrefix=stream)["logStreams"]:
            return []
        events = logs.get_log_events(**group, logStreamName=stream, startFromHead=True)["events"]
        return [event["message"] for event in events]

    def end_task(self, container: str) -> str:
        """Stops the container's lingering task and returns its id once ECS and the daemon know that it is over."""
        arn = self.task_arn(container)
        self.clients("ecs").stop_task(cluster=self.cluster, task=arn, reason="the test ends it")
        eventually(lambda: self.tasks(arn)[0]["lastStatus"] == "STOPPED")
        eventually(lambda: self.record(container)["task"] is None, timeout_s=60)
        return arn.rpartition("/")[2]
