"""Which container may start when. Pure.

Source: ECS API reference, ContainerDependency (START, COMPLETE, SUCCESS, HEALTHY); VolumeFrom.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sockerless.simulator.failures import CannotStartContainerError
from sockerless.simulator.tasks import TaskContainer


def _dependencies(container: TaskContainer) -> list[tuple[str, str]]:
    """(container name, condition) pairs."""
    given = [(d["containerName"], d["condition"]) for d in container.definition.get("dependsOn") or []]
    return [*given, *((v["sourceContainer"], "START") for v in container.definition.get("volumesFrom") or [])]


def _met(container: TaskContainer, condition: str) -> bool:
    if condition == "START":
        return container.last_status != "PENDING"
    if condition == "HEALTHY":
        return container.health_status == "HEALTHY"
    stopped = container.last_status == "STOPPED"
    return stopped and (condition == "COMPLETE" or container.exit_code == 0)


def _impossible(container: TaskContainer, condition: str) -> str | None:
    stopped = container.last_status == "STOPPED"
    if condition == "SUCCESS" and stopped and container.exit_code != 0:
        return f"did not exit successfully (exit code {container.exit_code})"
    if condition == "HEALTHY" and (stopped or container.health_status == "UNHEALTHY"):
        return "is not healthy"
    return None


def startable(containers: Sequence[TaskContainer]) -> list[TaskContainer]:
    """The containers not started whose dependencies are met."""
    by_name = {container.name: container for container in containers}
    return [
        container
        for container in containers
        if container.last_status == "PENDING"
        and all(_met(by_name[name], condition) for name, condition in _dependencies(container))
    ]


def check(containers: Sequence[TaskContainer]) -> None:
    """CannotStartContainerError when a container waits for what can no longer happen."""
    by_name = {container.name: container for container in containers}
    for container in containers:
        for name, condition in _dependencies(container) if container.last_status == "PENDING" else []:
            why = _impossible(by_name[name], condition)
            if why:
                raise CannotStartContainerError(
                    f"dependency graph: container ordering dependency [{name}] for target [{container.name}] {why}",
                    container.name,
                )


def volumes_first(containers: Iterable[TaskContainer]) -> list[TaskContainer]:
    """containers, every volumesFrom source before its users. ValueError for a circle."""
    remaining, ordered = list(containers), list[TaskContainer]()
    while remaining:
        created = {container.name for container in ordered}
        ready = [
            c for c in remaining if all(v["sourceContainer"] in created for v in c.definition.get("volumesFrom") or [])
        ]
        if not ready:
            raise ValueError("volumesFrom goes in a circle")
        ordered += ready
        remaining = [container for container in remaining if container not in ready]
    return ordered


def dependents(container: TaskContainer, containers: Iterable[TaskContainer]) -> list[TaskContainer]:
    """The containers that depend on this one: they are stopped before it."""
    return [other for other in containers if container.name in {name for name, _ in _dependencies(other)}]
