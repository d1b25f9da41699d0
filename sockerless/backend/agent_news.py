"""What an agent tells of its own accord, settled in the record one after the other, in the order it was told."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Literal

from sockerless.backend import containers_exit, health
from sockerless.backend.context import Backend
from sockerless.errors import NotFound
from sockerless.types import Container
from sockerless.wire.agent import Exited, Hello
from sockerless.wire.agent_health import HealthReport

News = Hello | Exited | HealthReport


async def settle_forever(backend: Backend, container_id: str, news: asyncio.Queue[News]) -> None:
    """Settles news until cancelled, none while a start, signal or pause of the container is under way."""
    live = backend.lives.of(container_id)
    while True:
        told = await news.get()
        async with live.starting:
            await settle(backend, container_id, told)
        news.task_done()


async def settle(backend: Backend, container_id: str, told: News) -> None:
    """Makes the record say what the agent said. Harmless when it is told again, and when the record is gone."""
    match told:
        case Exited():
            await containers_exit.process_exited(backend, container_id, told)
        case Hello(exited=Exited() as exited):
            await containers_exit.process_exited(backend, container_id, exited)
        case Hello(status="running"):
            _catch_up(backend, container_id, told)
        case HealthReport():
            container = _running(backend, container_id)
            if container is not None:
                health.take(backend, container, told)


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
