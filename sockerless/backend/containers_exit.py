"""How a container's run ends: the record first, then everybody who waits, then what auto-remove asks.

Order (Engine API, docker run --rm): the streams' last bytes, the record, `wait` for the exit, removal, `wait` for
the removal. Nobody is told before the store knows.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import replace

from sockerless.backend import archive_kept, events, health, ports, restart_policy
from sockerless.backend.containers_find import on_record
from sockerless.backend.context import Backend
from sockerless.backend.live import WaitResult
from sockerless.ecs.state import TaskView, interruption
from sockerless.ecs.taskdef import log_stream
from sockerless.types import Container, ContainerState, TaskBinding
from sockerless.wire.agent import Exited

log = logging.getLogger(__name__)

DRAIN_TIMEOUT_S = 30.0
LOST_EXIT_CODE = 255
"""What moby records for a process whose exit it could not see."""


async def process_exited(backend: Backend, container_id: str, exited: Exited) -> None:
    """The agent reports the main process's end; harmless when it is reported again, also during the next run."""
    container = on_record(backend, container_id)
    runs = container is not None and container.state.status in {"running", "paused"}
    if container is None or not runs or exited.started_at_ns not in {0, container.state.started_at_ns}:
        auto_remove(backend, container)
        return
    ended = replace(
        container.state,
        status="exited",
        exit_code=exited.code,
        oom_killed=exited.oom_killed,
        finished_at_ns=exited.finished_at_ns,
        pid=0,
    )
    await _finish(backend, container_id, ended, exited.last_log_ns)


async def task_over(
    backend: Backend, container_id: str, binding: TaskBinding, view: TaskView | None, reason: str
) -> None:
    """The task is gone: settles a run that nobody reported the end of, and unbinds the task from the record."""
    container = on_record(backend, container_id)
    if container is None or container.task is None or container.task.client_token != binding.client_token:
        return
    if container.state.status in {"running", "paused"}:
        await _finish(backend, container_id, _state_from_ecs(container.state, view, reason), container.last_log_ns)
        container = on_record(backend, container_id)
    if container is not None:
        backend.store.save_container(replace(container, task=None))
        auto_remove(backend, container)


def explain(backend: Backend, container_id: str, view: TaskView | None) -> None:
    """Keeps as the container's error why its last task was ended from outside, as Fargate Spot does; harmless again."""
    container = on_record(backend, container_id)
    if container is None or view is None or container.log_streams[-1:] != (log_stream(view.arn),):
        return
    state = container.state
    reason = interruption(view, state.finished_at_ns)
    if reason and state.status in {"exited", "restarting"} and not state.error:
        backend.store.save_container(replace(container, state=replace(state, error=reason)))


def _state_from_ecs(state: ContainerState, view: TaskView | None, reason: str) -> ContainerState:
    code = view.exit_code if view is not None else None
    finished_at_ns = (view.stopped_at_ns if view is not None else 0) or time.time_ns()
    return replace(
        state,
        status="exited",
        exit_code=LOST_EXIT_CODE if code is None else code,
        error=reason if view is None or code is None else interruption(view, finished_at_ns),
        oom_killed=view.oom_killed if view is not None else False,
        finished_at_ns=finished_at_ns,
        pid=0,
    )


async def _finish(backend: Backend, container_id: str, ended: ContainerState, last_log_ns: int) -> None:
    await _drain(backend, container_id)
    await ports.close(backend, container_id)
    container = on_record(backend, container_id)
    if container is None or container.state.status not in {"running", "paused"}:
        return
    if restart_policy.applies(container, ended.exit_code):
        ended = replace(ended, status="restarting")
    unwatched = health.unwatched(container.health)
    _record_end(backend, replace(container, state=ended, last_log_ns=last_log_ns, health=unwatched))


def _record_end(backend: Backend, container: Container) -> None:
    """One write: what is removed at its exit never stands as exited."""
    live, result = backend.lives.of(container.id), WaitResult(container.state.exit_code)
    removed = _is_auto_removed(backend, container)
    if removed:
        backend.store.delete_container(container.id)
    else:
        backend.store.save_container(container)
    if container.state.status == "restarting":
        backend.to_restart.put_nowait(container.id)
    try:
        _tell(backend, container)
    finally:
        live.complete_exit(result)
        if removed:
            _let_go(backend, container, result)


def _is_auto_removed(backend: Backend, container: Container) -> bool:
    asked = container.state.status == "exited" and container.host_config.get("AutoRemove")
    return bool(asked) and not backend.lives.of(container.id).restarting


def auto_remove(backend: Backend, container: Container | None) -> None:
    """Forgets an exited container that asked for it, also when a daemon died (or the disk was full) at its exit."""
    if container is not None and _is_auto_removed(backend, container):
        forget(backend, container, WaitResult(container.state.exit_code))


def _tell(backend: Backend, container: Container) -> None:
    state = container.state
    if state.oom_killed:
        events.emit(backend, container, "oom")
    duration_s = max(0, state.finished_at_ns - state.started_at_ns) // 1_000_000_000
    events.emit(backend, container, "die", exitCode=str(state.exit_code), execDuration=str(duration_s))


def forget(backend: Backend, container: Container, result: WaitResult) -> None:
    """Deletes the record and answers everybody who still waits for the container."""
    backend.store.delete_container(container.id)
    _let_go(backend, container, result)


def _let_go(backend: Backend, container: Container, result: WaitResult) -> None:
    """What follows a record's deletion."""
    archive_kept.forget(backend, container.id)
    try:
        events.emit(backend, container, "destroy")
    finally:
        live = backend.lives.of(container.id)
        for attachment in list(live.attachments):
            attachment.release()
        live.complete_removal(result)
        backend.lives.drop(container.id)
        if backend.config.definition_retention_s == 0:
            backend.unused_definitions.set()


async def _drain(backend: Backend, container_id: str) -> None:
    """Takes what is left of the streams off the agent, so that no client misses a byte when the task ends.

    A client whose stream does not end in time is told that the rest of its output is lost.
    """
    attachments = list(backend.lives.of(container_id).attachments)
    for attachment in attachments:
        attachment.release()
    try:
        async with asyncio.timeout(DRAIN_TIMEOUT_S):
            await asyncio.gather(*(attachment.drained.wait() for attachment in attachments))
    except TimeoutError:
        log.warning("container %s: a stream did not end within %s s of the exit", container_id[:12], DRAIN_TIMEOUT_S)
    for attachment in attachments:
        attachment.fail(
            f"the container has ended, but the rest of its output did not come within {DRAIN_TIMEOUT_S:g} s"
        )
