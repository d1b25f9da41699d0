"""docker pause and unpause: the agent stops every process of the task but itself, and lets them go on.

Law: the record changes under the live side's `starting` lock, after the agent's word, so that an exit is settled
before or after, never in between.
"""

from __future__ import annotations

from dataclasses import replace

from sockerless.backend import events, health
from sockerless.backend.agent_link import AgentLink
from sockerless.backend.containers_find import find, require_running
from sockerless.backend.context import Backend
from sockerless.backend.reach import reachable
from sockerless.errors import Conflict, SystemFailure
from sockerless.types import Container


async def pause(backend: Backend, reference: str) -> None:
    """Returns once nothing of the container runs. Conflict in Docker's words when it does not run or is paused."""
    container = find(backend, reference)
    _require_unpaused(container)
    link = await reachable(backend, container)
    async with backend.lives.of(container.id).starting:
        container = backend.store.container(container.id)
        _require_unpaused(container)
        await link.request("pause")
        state = replace(container.state, status="paused")
        paused = replace(container, state=state, health=health.unwatched(container.health))
        backend.store.save_container(paused)
        events.emit(backend, paused, "pause")


async def unpause(backend: Backend, reference: str) -> None:
    """Lets everything go on. SystemFailure (dockerd answers 500) in Docker's words when it is not paused."""
    container = find(backend, reference)
    _require_paused(container)
    link = await reachable(backend, container)
    async with backend.lives.of(container.id).starting:
        container = backend.store.container(container.id)
        _require_paused(container)
        await resume(backend, container, link)


async def resume(backend: Backend, container: Container, link: AgentLink) -> None:
    """Ends a pause, for a caller that holds `starting`. Conflict when the agent knows of none."""
    await link.request("unpause")
    running = replace(container, state=replace(container.state, status="running"))
    backend.store.save_container(running)
    events.emit(backend, running, "unpause")


def _require_unpaused(container: Container) -> None:
    require_running(container)
    if container.state.status == "paused":
        raise Conflict(f"Container {container.id} is already paused")


def _require_paused(container: Container) -> None:
    if container.state.status != "paused":
        raise SystemFailure(f"Container {container.id} is not paused")
