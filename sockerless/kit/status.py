"""How a deployment stands: what is provisioned, whether simulator and daemon are up, what runs.

Owns: the questions and the words. Changes nothing and starts nothing. Source of what is provisioned: Terraform's local
state file, format version 4.
"""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from sockerless.ecs import tags
from sockerless.errors import NotFound, SockerlessError, Unavailable
from sockerless.kit import background, cost, environments, outputs, probe, processes, serving, state
from sockerless.kit.project import Project
from sockerless.types import JsonObject

T = TypeVar("T")

CONTAINERS_PATH = "/v1.44/containers/json?all=1"
_UP = frozenset({"running", "paused", "restarting"})
"""The states that `docker ps` shows. Source: moby, daemon/list.go."""


@dataclass(frozen=True, slots=True)
class Process:
    """One of the two processes: where it is to be found, whether it answers, its number when we started it."""

    address: str
    up: bool
    pid: int | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Running:
    """One container that runs, as the daemon tells it."""

    id: str
    name: str
    image: str
    status: str


@dataclass(frozen=True, slots=True)
class Status:
    """Everything `status` tells. resources: how many by module.

    containers: None unless a daemon told; problem: why, though one is up. tasks: those that are paid for, as `cost`
    counts them, None unless ECS told; tasks_problem: why, though something is provisioned. lingering: how many of them
    are there for the files of a container whose process has ended; None unless both told.
    """

    directory: Path
    env: str
    name: str
    target: str
    region: str
    resources: dict[str, int]
    simulator: Process | None
    daemon: tuple[Process, ...]
    containers: tuple[Running, ...] | None = None
    problem: str = ""
    tasks: int | None = None
    tasks_problem: str = ""
    lingering: int | None = None


def gather(project: Project) -> Status:
    """Asks everybody; what cannot be asked is shown as down, with the reason."""
    document = state.read(project)
    daemon = tuple(_daemon(project, host) for host in serving.hosts(project.directory))
    up = [process.address for process in daemon if process.up]
    found = Status(
        directory=project.directory,
        env=project.env,
        name=project.name,
        target=project.target,
        region=project.region,
        resources=_resources(document),
        simulator=_simulator(project) if project.simulator else None,
        daemon=daemon,
    )
    containers, problem = _asked(lambda: _containers(up[0])) if up else (None, "")
    tasks, tasks_problem = _asked(lambda: _tasks(project, document))
    return dataclasses.replace(
        found,
        containers=None if containers is None else _running(containers),
        problem=problem,
        tasks=None if tasks is None else len(tasks),
        tasks_problem=tasks_problem,
        lingering=None if containers is None or tasks is None else _lingering(containers, tasks),
    )


def lines(status: Status) -> list[str]:
    """The status for people."""
    count = sum(status.resources.values())
    modules = ", ".join(f"{module} {number}" for module, number in sorted(status.resources.items()))
    told = [
        f"deployment   {status.name} ({status.target}, {status.region}) in {status.directory}",
        f"provisioned  {count} resources ({modules})"
        if count
        else f"provisioned  nothing; `{environments.command(status.env, 'apply')}`",
    ]
    if status.simulator is not None:
        told.append(f"simulator    {_process(status.simulator, environments.command(status.env, 'up'))}")
    told += [
        f"daemon       {_process(process, environments.command(status.env, 'serve'))}" for process in status.daemon
    ]
    if status.problem:
        told.append(f"running      unknown: {status.problem}")
    elif status.containers is not None:
        told.append(f"running      {_count(len(status.containers), 'container')}")
        told += [f"  {one.id[:12]}  {one.name}  {one.image}  {one.status}" for one in status.containers]
    if status.tasks_problem:
        told.append(f"tasks        unknown: {status.tasks_problem}")
    elif status.tasks is not None:
        told.append(f"tasks        {_count(status.tasks, 'task')} on the cluster{_whose(status)}")
    return told


def _whose(status: Status) -> str:
    """Why there may be more tasks than containers that run."""
    if status.containers is None:
        return " (no daemon tells their names)"
    if not status.lingering:
        return ""
    verb = "lingers after its process" if status.lingering == 1 else "linger after their processes"
    return f", of which {status.lingering} {verb} for `docker start` and `docker cp`"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _process(process: Process, remedy: str) -> str:
    number = f" (process {process.pid})" if process.pid else ""
    if process.up:
        return f"up at {process.address}{number}"
    return f"down at {process.address}{number}: {process.problem or f'`{remedy}`'}"


def _simulator(project: Project) -> Process:
    found = background.find(processes.simulator_place(project.directory))
    pid = found.pid if found else None
    try:
        health = processes.simulator_health(project.endpoint_url)
    except SockerlessError as error:
        return Process(project.endpoint_url, False, pid, error.message)
    return Process(project.endpoint_url, health is not None, health.pid if health else pid)


def _daemon(project: Project, host: str) -> Process:
    found = serving.process(project.directory) or background.find(processes.daemon_place(project.directory))
    return Process(host, processes.daemon_answers(host), found.pid if found else None)


def _asked(ask: Callable[[], T]) -> tuple[T | None, str]:
    """The answer and no problem, or no answer and why."""
    try:
        return ask(), ""
    except SockerlessError as error:
        return None, error.message


def _containers(host: str) -> list[JsonObject]:
    """The daemon's containers, the ended ones too, as `docker ps --all` is told; Unavailable in its own words."""
    answer = probe.get(host, CONTAINERS_PATH)
    if answer is None or answer.status != 200:
        raise Unavailable(f"the daemon at {host} does not list its containers: {_words(answer)}")
    return list(json.loads(answer.body))


def _running(containers: Iterable[JsonObject]) -> tuple[Running, ...]:
    return tuple(
        Running(one["Id"], one["Names"][0].removeprefix("/"), one["Image"], one["Status"])
        for one in containers
        if one["State"] in _UP
    )


def _lingering(containers: Iterable[JsonObject], tasks: Iterable[JsonObject]) -> int:
    """How many of the tasks were started for a container whose process has ended."""
    ended = {one["Id"] for one in containers if one["State"] == "exited"}
    return sum(tags.tag_value(task.get("tags") or [], tags.CONTAINER) in ended for task in tasks)


def _words(answer: probe.Answer | None) -> str:
    """What a daemon answered instead of a list."""
    if answer is None:
        return "it has just ended"
    try:
        return f"{json.loads(answer.body)['message']} (HTTP {answer.status})"
    except (ValueError, KeyError, TypeError):
        return f"HTTP {answer.status}" if answer.status else "it does not speak HTTP"


def _tasks(project: Project, document: JsonObject) -> list[JsonObject] | None:
    """The tasks that are paid for; None when nothing is provisioned, an error when AWS cannot be asked."""
    try:
        built = outputs.parse(document.get("outputs", {}), project)
    except NotFound:
        return None
    return cost.tasks(project, built)


def _resources(document: JsonObject) -> dict[str, int]:
    """How many managed resources stand, by module; "root" for what stands in none."""
    counts: Counter[str] = Counter()
    for resource in document.get("resources", []):
        if resource["mode"] == "managed":
            module = resource.get("module", "root").removeprefix("module.").partition(".")[0]
            counts[module] += len(resource["instances"])
    return dict(counts)
