"""Running again what its restart policy wants running: one task that hears of every exit.

Law: containers_exit alone decides that a container is restarting, and writes it down; this only acts on the record,
so that the next daemon goes on where this one ended.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

from sockerless.backend.containers_find import on_record
from sockerless.backend.containers_start import start_locked
from sockerless.backend.context import Backend, spawn
from sockerless.backend.restart_policy import next_pause_s
from sockerless.errors import Conflict, DeadlineExceeded, SockerlessError, SystemFailure, Unavailable
from sockerless.types import Container

log = logging.getLogger(__name__)


async def restart_forever(backend: Backend) -> None:
    """Schedules a run for every container that is restarting, now and from now on, until cancelled."""
    for container in backend.store.containers():
        _schedule(backend, container)
    while True:
        found = on_record(backend, await backend.to_restart.get())
        if found is not None:
            _schedule(backend, found)


def _schedule(backend: Backend, container: Container) -> None:
    if container.state.status == "restarting":
        work = asyncio.create_task(_run_again(backend, container), name=f"restart {container.id[:12]}")
        spawn(backend, work)


async def _run_again(backend: Backend, exited: Container) -> None:
    """Waits, then starts the container, unless somebody else has changed it; tries again while AWS has no place."""
    live, state = backend.lives.of(exited.id), exited.state
    ran_s = max(0, state.finished_at_ns - state.started_at_ns) / 1e9
    while True:
        live.restart_pause_s = next_pause_s(live.restart_pause_s, ran_s)
        await asyncio.sleep(live.restart_pause_s)
        async with live.lock:
            container = on_record(backend, exited.id)
            if container is None or container.state.status != "restarting" or not _same_run(container, exited):
                return
            try:
                if await _started(backend, container):
                    return
            except SystemFailure as error:
                log.warning("container %s cannot be restarted yet: %s", container.id[:12], error)
        ran_s = 0.0


async def _started(backend: Backend, container: Container) -> bool:
    """Whether it runs again, or never will; False when another attempt may do it. SystemFailure: no record written."""
    container = replace(container, restart_count=container.restart_count + 1)
    backend.store.save_container(container)
    try:
        await start_locked(backend, container)
    except (Unavailable, DeadlineExceeded, Conflict) as error:  # Conflict: the run before is ending still
        log.warning("container %s cannot be restarted yet: %s", container.id[:12], error)
        failed = backend.store.container(container.id)
        backend.store.save_container(replace(failed, state=replace(failed.state, status="restarting")))
        return False
    except SockerlessError as error:
        log.warning("container %s cannot be restarted: %s", container.id[:12], error)
        left = on_record(backend, container.id)
        return left is None or left.state.status != "restarting"
    return True


def _same_run(container: Container, exited: Container) -> bool:
    return container.state.started_at_ns == exited.state.started_at_ns
