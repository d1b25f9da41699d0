"""docker stats: samples from the agent, each beside the one before it, as clients divide them.

Source: Engine API 1.44, ContainerStatsResponse; what a container that does not run shows: recorded on dockerd 20.10.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from sockerless.backend.containers_find import find
from sockerless.backend.context import Backend
from sockerless.backend.reach import reachable
from sockerless.errors import NotFound
from sockerless.types import Container, JsonObject
from sockerless.wire.timestamps import NEVER, rfc3339

INTERVAL_S = 1.0
_NO_CPU: JsonObject = {
    "cpu_usage": {"total_usage": 0, "usage_in_kernelmode": 0, "usage_in_usermode": 0},
    "throttling_data": {"periods": 0, "throttled_periods": 0, "throttled_time": 0},
}
_BLKIO_NAMES = (
    "io_service_bytes_recursive",
    "io_serviced_recursive",
    "io_queue_recursive",
    "io_service_time_recursive",
    "io_wait_time_recursive",
    "io_merged_recursive",
    "io_time_recursive",
    "sectors_recursive",
)
_NOTHING: JsonObject = {
    "read": NEVER,
    "pids_stats": {},
    "blkio_stats": dict.fromkeys(_BLKIO_NAMES),
    "num_procs": 0,
    "cpu_stats": _NO_CPU,
    "memory_stats": {},
}
_MIB = 1024 * 1024


def stats(backend: Backend, reference: str, stream: bool, one_shot: bool) -> AsyncIterator[JsonObject]:
    """One object a second until the container is removed (stream), else one: with the sample before it, or at once.

    NotFound at the call; Unavailable at a step when the agent of a running container cannot be reached.
    """
    return _stats(backend, find(backend, reference).id, stream=stream, one_shot=one_shot)


async def _stats(backend: Backend, container_id: str, *, stream: bool, one_shot: bool) -> AsyncIterator[JsonObject]:
    previous: JsonObject | None = None
    while True:
        try:
            container = backend.store.container(container_id)
        except NotFound:
            return
        current = await _sample(backend, container)
        only_first = not stream and not one_shot and previous is None and current is not None
        if not only_first:
            yield _shown(container, current, previous)
            if not stream:
                return
        previous = current
        await asyncio.sleep(INTERVAL_S)


async def _sample(backend: Backend, container: Container) -> JsonObject | None:
    """The agent's sample in Docker's shape; None for a container that does not run."""
    if container.state.status not in {"running", "paused"}:
        return None
    link = await reachable(backend, container)
    sample = await link.request("stats")
    memory = sample["memory_stats"]
    task_bytes = container.size.memory_mib * _MIB
    limited = {**memory, "limit": min(memory.get("limit") or task_bytes, task_bytes)}
    return {"read": rfc3339(sample.pop("read_ns")), **sample, "memory_stats": limited}


def _shown(container: Container, current: JsonObject | None, previous: JsonObject | None) -> JsonObject:
    before = previous if current is not None else None
    return {
        **(current or _NOTHING),
        "preread": before["read"] if before else NEVER,
        "precpu_stats": before["cpu_stats"] if before else _NO_CPU,
        "storage_stats": {},
        "name": f"/{container.name}",
        "id": container.id,
    }
