"""docker rm and container prune: the task ends first, then the record goes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace

from sockerless.backend import containers_exit, task_end
from sockerless.backend.containers_find import find
from sockerless.backend.containers_stop import stop_locked
from sockerless.backend.context import Backend
from sockerless.backend.live import WaitResult
from sockerless.errors import Conflict, NotFound, NotModified, SockerlessError
from sockerless.types import Container


async def remove(backend: Backend, reference: str, force: bool, volumes: bool) -> None:
    """Removes the container. Conflict in Docker's words when it runs and force is not given.

    volumes: also its anonymous volumes; there are none yet, so both values do the same.
    """
    container = find(backend, reference)
    live = backend.lives.of(container.id)
    async with live.lock:
        container = backend.store.container(container.id)
        if container.state.status in {"running", "paused"}:
            if not force:
                raise Conflict(
                    f"You cannot remove a running container {container.id}. "
                    "Stop the container before attempting removal or force remove"
                )
            with contextlib.suppress(NotModified):
                await stop_locked(backend, container, 0, None)
        if container.state.status == "restarting" and not force:
            raise Conflict(
                f"You cannot remove a restarting container {container.id}. "
                "Stop the container before attempting removal or force remove"
            )
        await _forget(backend, container.id)


async def _forget(backend: Backend, container_id: str) -> None:
    try:
        container = backend.store.container(container_id)
    except NotFound:
        return
    backend.store.save_container(replace(container, state=replace(container.state, status="removing")))
    await _end_task(backend, container)
    containers_exit.forget(backend, container, WaitResult(container.state.exit_code))


async def _end_task(backend: Backend, container: Container) -> None:
    """Lets a lingering agent go, or stops the task when it cannot be told."""
    if container.task is None or container.task.task_arn is None:
        return
    link = backend.lives.of(container.id).link
    if link is not None:
        with contextlib.suppress(SockerlessError):
            await link.request("finish")
            return
    await task_end.stop(backend, container.task.task_arn, f"container {container.name} is removed")


async def prune(backend: Backend, matches: Callable[[Container], bool]) -> list[str]:
    """Removes every container that does not run and matches; the ids, in the order of removal."""
    removed: list[str] = []
    for container in backend.store.containers():
        if container.state.status in {"created", "exited", "dead"} and matches(container):
            with contextlib.suppress(NotFound, Conflict):
                await remove(backend, container.id, force=False, volumes=False)
                removed.append(container.id)
    backend.events.add("container", "prune", "", {"reclaimed": "0"})
    return removed
