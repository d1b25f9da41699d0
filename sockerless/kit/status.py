"""How a deployment stands: what is provisioned, whether simulator and daemon are up, what runs.

Owns: the questions and the words. Changes nothing and starts nothing. Source of what is provisioned: Terraform's local
state file, format version 4.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sockerless.aws import ecs
from sockerless.errors import NotFound, SockerlessError, Unavailable
from sockerless.kit import account, background, environments, outputs, probe, processes, serving, state
from sockerless.kit.project import Project

CONTAINERS_PATH = "/v1.44/containers/json"


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

    containers: None unless a daemon told. tasks: ECS's count, asked when no daemon answers, None unless ECS told.
    problem: why neither is known though something is provisioned or up.
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
    tasks: int | None = None
    problem: str = ""


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
    try:
        if up:
            return dataclasses.replace(found, containers=_containers(up[0]))
        return dataclasses.replace(found, tasks=_tasks(project, document))
    except SockerlessError as error:
        return dataclasses.replace(found, problem=error.message)


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
        told.append(f"running      {len(status.containers)} containers")
        told += [f"  {one.id[:12]}  {one.name}  {one.image}  {one.status}" for one in status.containers]
    elif status.tasks is not None:
        told.append(f"running      {status.tasks} tasks on the cluster (no daemon to ask for their names)")
    return told


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


def _containers(host: str) -> tuple[Running, ...]:
    """What the daemon runs; Unavailable with its own words when it does not say."""
    answer = probe.get(host, CONTAINERS_PATH)
    if answer is None or answer.status != 200:
        raise Unavailable(f"the daemon at {host} does not list its containers: {_words(answer)}")
    return tuple(
        Running(one["Id"], one["Names"][0].removeprefix("/"), one["Image"], one["Status"])
        for one in json.loads(answer.body)
    )


def _words(answer: probe.Answer | None) -> str:
    """What a daemon answered instead of a list."""
    if answer is None:
        return "it has just ended"
    try:
        return f"{json.loads(answer.body)['message']} (HTTP {answer.status})"
    except (ValueError, KeyError, TypeError):
        return f"HTTP {answer.status}" if answer.status else "it does not speak HTTP"


def _tasks(project: Project, document: dict[str, Any]) -> int | None:
    """How many tasks run on the cluster; None when nothing is provisioned, an error when AWS cannot be asked."""
    try:
        cluster = outputs.parse(document.get("outputs", {}), project).cluster_name
    except NotFound:
        return None
    return len(asyncio.run(_running(project, cluster)))


async def _running(project: Project, cluster: str) -> list[str]:
    async with account.opened(account.of(project)) as aws:
        return await ecs.list_tasks(aws, cluster, None, "RUNNING")


def _resources(document: dict[str, Any]) -> dict[str, int]:
    """How many managed resources stand, by module; "root" for what stands in none."""
    counts: Counter[str] = Counter()
    for resource in document.get("resources", []):
        if resource["mode"] == "managed":
            module = resource.get("module", "root").removeprefix("module.").partition(".")[0]
            counts[module] += len(resource["instances"])
    return dict(counts)
