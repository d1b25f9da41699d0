"""A container definition, as the engine's create document. Pure: dicts in, dict out.

Source: ECS API reference, ContainerDefinition; Docker Engine API 1.40, ContainerCreate. Fargate's environment of a
container: developer guide, "Amazon ECS task metadata" and "Fargate task definition differences". The metadata
endpoint is not served here, so its variables are not set.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sockerless.simulator.tasks import JsonObject, Task, TaskContainer, without_none

DEFAULT_STOP_TIMEOUT_S = 30
_MIB = 1024 * 1024
_NANOSECONDS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a container's create document needs beside its definition.

    image: what the engine is to run. pause_id: whose network (and PID) namespace. volumes: volume name to directory.
    read_only: volumes that no container may write to. secrets: environment variables resolved. volumes_from: engine
    ids by container name. cpus: limit in vCPUs, or None. open_files: nofile limit of a container that sets none.
    """

    image: str
    pause_id: str
    region: str
    labels: Mapping[str, str]
    volumes: Mapping[str, Path]
    read_only: Collection[str]
    secrets: Mapping[str, str]
    volumes_from: Mapping[str, str]
    cpus: float | None
    open_files: int | None


def engine_document(task: Task, container: TaskContainer, around: Surroundings) -> JsonObject:
    """The body of the engine's container create."""
    definition, override = container.definition, container.override
    linux = definition.get("linuxParameters") or {}
    return without_none(
        {
            "Image": around.image,
            "Entrypoint": definition.get("entryPoint") or None,
            "Cmd": override.get("command") or definition.get("command") or None,
            "Env": [f"{name}={value}" for name, value in _environment(task, container, around).items()],
            "User": definition.get("user"),
            "WorkingDir": definition.get("workingDirectory"),
            "Tty": bool(definition.get("pseudoTerminal")),
            "OpenStdin": bool(definition.get("interactive")),
            "Labels": {**_labels(task, container), **(definition.get("dockerLabels") or {}), **around.labels},
            "Healthcheck": _health_check(definition.get("healthCheck")),
            "HostConfig": without_none(
                {
                    "NetworkMode": f"container:{around.pause_id}",
                    "PidMode": f"container:{around.pause_id}" if task.definition.get("pidMode") == "task" else None,
                    "LogConfig": {"Type": "none"},
                    "ReadonlyRootfs": bool(definition.get("readonlyRootFilesystem")),
                    "Init": True if linux.get("initProcessEnabled") else None,
                    "CapAdd": (linux.get("capabilities") or {}).get("add") or None,
                    "CapDrop": (linux.get("capabilities") or {}).get("drop") or None,
                    "Ulimits": _ulimits(definition.get("ulimits") or [], around.open_files),
                    "Mounts": [_mount(point, around) for point in definition.get("mountPoints") or []],
                    "VolumesFrom": _volumes_from(definition.get("volumesFrom") or [], around.volumes_from),
                    "Tmpfs": {t["containerPath"]: _tmpfs(t) for t in linux.get("tmpfs") or []},
                }
                | _limits(task, container, around.cpus)
            ),
        }
    )


def stop_timeout_s(container: TaskContainer) -> int:
    """Seconds between the stop signal and SIGKILL."""
    return int(container.definition.get("stopTimeout") or DEFAULT_STOP_TIMEOUT_S)


def _environment(task: Task, container: TaskContainer, around: Surroundings) -> dict[str, str]:
    given = [*(container.definition.get("environment") or []), *(container.override.get("environment") or [])]
    return {
        "AWS_EXECUTION_ENV": "AWS_ECS_FARGATE",
        "AWS_REGION": around.region,
        "AWS_DEFAULT_REGION": around.region,
        **{variable["name"]: variable.get("value", "") for variable in given},
        **around.secrets,
    }


def _labels(task: Task, container: TaskContainer) -> dict[str, str]:
    return {
        "com.amazonaws.ecs.cluster": task.cluster_arn,
        "com.amazonaws.ecs.container-name": container.name,
        "com.amazonaws.ecs.task-arn": task.task_arn,
        "com.amazonaws.ecs.task-definition-family": str(task.definition["family"]),
        "com.amazonaws.ecs.task-definition-version": str(task.definition["revision"]),
    }


def _health_check(check: Mapping[str, Any] | None) -> JsonObject:
    if not check:
        return {"Test": ["NONE"]}  # ECS does not run the image's own HEALTHCHECK
    return {
        "Test": check["command"],
        "Interval": int(check.get("interval") or 30) * _NANOSECONDS,
        "Timeout": int(check.get("timeout") or 5) * _NANOSECONDS,
        "Retries": int(check.get("retries") or 3),
        "StartPeriod": int(check.get("startPeriod") or 0) * _NANOSECONDS,
    }


def _ulimits(ulimits: list[JsonObject], open_files: int | None) -> list[JsonObject]:
    given = [{"Name": u["name"], "Soft": int(u["softLimit"]), "Hard": int(u["hardLimit"])} for u in ulimits]
    if open_files is None or any(u["Name"] == "nofile" for u in given):
        return given
    return [*given, {"Name": "nofile", "Soft": open_files, "Hard": open_files}]


def _mount(point: Mapping[str, Any], around: Surroundings) -> JsonObject:
    return {
        "Type": "bind",
        "Source": str(around.volumes[point["sourceVolume"]]),
        "Target": point["containerPath"],
        "ReadOnly": bool(point.get("readOnly")) or point["sourceVolume"] in around.read_only,
    }


def _volumes_from(sources: list[JsonObject], engine_ids: Mapping[str, str]) -> list[str]:
    return [engine_ids[source["sourceContainer"]] + (":ro" if source.get("readOnly") else ":rw") for source in sources]


def _tmpfs(tmpfs: Mapping[str, Any]) -> str:
    return ",".join([*(tmpfs.get("mountOptions") or []), f"size={int(tmpfs['size'])}m"])


def _limits(task: Task, container: TaskContainer, cpus: float | None) -> JsonObject:
    def chosen(member: str) -> int | None:
        value = container.override.get(member, container.definition.get(member))
        return int(value) if value else None

    memory_bytes = (chosen("memory") or task.memory_mib) * _MIB
    reservation, shares = chosen("memoryReservation"), chosen("cpu")
    return without_none(
        {
            "Memory": memory_bytes,
            "MemorySwap": memory_bytes,
            "MemoryReservation": reservation * _MIB if reservation else None,
            "CpuShares": max(shares, 2) if shares else None,
            "NanoCpus": int(cpus * _NANOSECONDS) if cpus else None,
        }
    )
