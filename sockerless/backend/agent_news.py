"""What is told of a container's run, settled in the record one after the other, in the order it was told.

Law: nothing that was told is lost. What cannot be settled now (a full disk) is tried again, and what came after waits.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from sockerless.backend import containers_exit, health, retry
from sockerless.backend.containers_find import on_record
from sockerless.backend.context import Backend
from sockerless.backend.live import Live
from sockerless.backend.reach import reachable
from sockerless.ecs.state import TaskView
from sockerless.errors import SockerlessError
from sockerless.types import Container, TaskBinding
from sockerless.wire.agent import Exited, Hello
from sockerless.wire.agent_health import HealthReport

log = logging.getLogger(__name__)

UNRECORDED = "the daemon ended while the container was starting"
UNRECORDED_EXIT_CODE = 125
"""What a start is recorded as that a daemon began and did not live to record."""


@dataclass(frozen=True, slots=True)
class TaskEnded:
    """The task serves its container no longer. view: what ECS said last, None for nothing; reason: a sentence."""

    binding: TaskBinding
    view: TaskView | None
    reason: str


@dataclass(frozen=True, slots=True)
class TaskStopped:
    """ECS has taken the task down. view: its last word, None when it said nothing."""

    view: TaskView | None


News = Hello | Exited | HealthReport | TaskEnded | TaskStopped


async def settle_forever(backend: Backend, container_id: str, news: asyncio.Queue[News]) -> None:
    """Settles news until cancelled, none while a start, signal or pause of the container is under way."""
    live = backend.lives.of(container_id)
    while True:
        told = await news.get()
        work = partial(_settle_alone, backend, live, container_id, told)
        await retry.until_done(work, f"record what was told of container {container_id[:12]}")
        news.task_done()


async def _settle_alone(backend: Backend, live: Live, container_id: str, told: News) -> None:
    async with live.starting:
        await settle(backend, container_id, told)


async def settled(news: asyncio.Queue[News], settling: asyncio.Task[None]) -> None:
    """Returns once everything told so far is settled; raises what settling died of."""
    joined = asyncio.create_task(news.join())
    try:
        await asyncio.wait({joined, settling}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        joined.cancel()
    if settling.done():
        settling.result()


async def settle(backend: Backend, container_id: str, told: News) -> None:
    """Makes the record say what was told. Harmless when it is told again, and when the record is gone."""
    match told:
        case Exited():
            await containers_exit.process_exited(backend, container_id, told)
        case Hello(exited=Exited() as exited):
            await containers_exit.process_exited(backend, container_id, exited)
        case Hello(status="running"):
            _catch_up(backend, container_id, told)
            await _end_unrecorded(backend, container_id, told)
        case HealthReport():
            container = _running(backend, container_id)
            if container is not None:
                health.take(backend, container, told)
        case TaskEnded(binding, view, reason):
            await containers_exit.task_over(backend, container_id, binding, view, reason)
        case TaskStopped(view):
            containers_exit.explain(backend, container_id, view)


def _catch_up(backend: Backend, container_id: str, hello: Hello) -> None:
    """What a daemon that was away did not hear: a pause or its end, probes."""
    container = _running(backend, container_id)
    if container is None:
        return
    status: Literal["paused", "running"] = "paused" if hello.paused else "running"
    if container.state.status != status:
        container = replace(container, state=replace(container.state, status=status))
        backend.store.save_container(container)
    if hello.health is not None:
        health.take(backend, container, hello.health)


async def _end_unrecorded(backend: Backend, container_id: str, hello: Hello) -> None:
    """Ends a run that a daemon began in a lingering task and did not live to record: nobody was told of its start.

    What cannot be ended now is when the agent says hello again.
    """
    container = on_record(backend, container_id)
    if container is None or container.state.status not in {"exited", "restarting"}:
        return
    if hello.started_at_ns <= container.state.started_at_ns:
        return
    if container.state.status == "exited":
        state = replace(container.state, exit_code=UNRECORDED_EXIT_CODE, error=UNRECORDED)
        backend.store.save_container(replace(container, state=state))
    log.warning("container %s runs though no start of it is on record: ending that run", container_id[:12])
    with contextlib.suppress(SockerlessError):
        link = await reachable(backend, container)
        await link.request("signal", signal=signal.SIGKILL)


def _running(backend: Backend, container_id: str) -> Container | None:
    container = on_record(backend, container_id)
    return container if container is not None and container.state.status in {"running", "paused"} else None
