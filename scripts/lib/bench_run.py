"""One `docker run`, taken apart: what is ECS's, what is the agent's start in the task, and what is ours.

ECS's part is its own record: createdAt (it has the RunTask) to startedAt (RUNNING). The daemon's log says how long its
steps took and when it last found the agent absent. Nothing else is subtracted: the rest is the daemon's and the docker
client's, with key generation, records, RunTask's round trip, dialling, streams and the process itself in it.
"""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

_STEPS = re.compile(
    r"^(\S+ \S+),(\d+) .*container (\w+) \((\S+)\) started: "
    r"credentials and record ([\d.]+) s, RunTask ([\d.]+) s, its task and agent [\d.]+ s, its process ([\d.]+) s$",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Run:
    """Seconds. total_s: the whole command. ecs_s: RunTask to RUNNING. agent_s: RUNNING to where it may be found.

    request_s, find_s and process_s are in ours_s: credentials, record and RunTask's round trip; the dial that found the
    agent and the pause before it; the streams and the process's start.
    """

    total_s: float
    ecs_s: float
    agent_s: float
    request_s: float
    find_s: float
    process_s: float

    @property
    def beside_ecs_s(self) -> float:
        """The command without RunTask to RUNNING."""
        return self.total_s - self.ecs_s

    @property
    def ours_s(self) -> float:
        """The command without RunTask to RUNNING and the agent's start."""
        return self.beside_ecs_s - self.agent_s


def medians(runs: list[Run]) -> Run:
    """The run whose every figure is the median of that figure."""
    return Run(*(statistics.median(getattr(run, field.name) for run in runs) for field in fields(Run)))


def take_apart(run: Callable[[str], float], ecs: Any, cluster: str, log: Path) -> Run:
    """Runs a container of the name it is given to run, which returns the command's seconds."""
    name = f"bench-{time.monotonic_ns()}"
    total_s = run(name)
    task = _task(ecs, cluster, name)
    created_s, running_s = task["createdAt"].timestamp(), task["startedAt"].timestamp()
    text = log.read_text()
    moment, millis, container, _, *laps = next(found for found in _STEPS.findall(text) if found[3] == name)
    record_s, request_s, process_s = map(float, laps)
    started_s = time.mktime(time.strptime(moment, "%Y-%m-%d %H:%M:%S")) + int(millis) / 1000
    find_s = float(re.findall(rf"container {container}: its agent answered, ([\d.]+) s after", text)[0])
    return Run(
        total_s=total_s,
        ecs_s=running_s - created_s,
        agent_s=max(0.0, started_s - process_s - find_s - running_s),
        request_s=record_s + request_s,
        find_s=find_s,
        process_s=process_s,
    )


def _task(ecs: Any, cluster: str, name: str) -> dict[str, Any]:
    """The task of the container of this name."""
    for status in ("RUNNING", "STOPPED"):
        arns = ecs.list_tasks(cluster=cluster, desiredStatus=status)["taskArns"]
        for start in range(0, len(arns), 100):
            asked = arns[start : start + 100]
            for task in ecs.describe_tasks(cluster=cluster, tasks=asked, include=["TAGS"])["tasks"]:
                if {"key": "sockerless:name", "value": name} in task["tags"]:
                    found: dict[str, Any] = task
                    return found
    raise SystemExit(f"ECS knows no task of container {name}")
