"""What is told of a container's run, settled in the record one after the other, in the order it was told.

Law: nothing that was told is lost. What cannot be settled now (a full disk) is tried again, and what came after waits.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from sockerless.backend import containers_exit, health, retry
from sockerless.backend.context import Backend
from sockerless.backend.live import Live
from sockerless.ecs.state import TaskView
from sockerless.errors import NotFound
from sockerless.types import Container, TaskBinding
from sockerless.wire.agent import Exited, Hello
from sockerless.wire.agent_health import HealthReport


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
            await containers_exit.process_exited(backend, container_id, exited, told.started_at_ns)
        case Hello(status="running"):
            _catch_up(backend, container_id, told)
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


def _running(backend: Backend, container_id: str) -> Container | None:
    try:
        container = backend.store.container(container_id)
    except NotFound:
        return None
    return container if container.state.status in {"running", "paused"} else None
