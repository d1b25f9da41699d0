"""Keeping each task's agent within reach, from RunTask's answer to the task's end.

One supervising task per live task: it waits for the address, dials (the agent usually speaks before ECS says
RUNNING), listens, dials again when the connection breaks, and settles the record when the task is over.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from dataclasses import replace

import aiohttp

from sockerless.aws import ec2
from sockerless.backend import containers_exit, task_end
from sockerless.backend.agent_link import AgentLink
from sockerless.backend.agent_news import News, settle_forever
from sockerless.backend.callback import host_of
from sockerless.backend.context import Backend, spawn
from sockerless.backend.live import Live
from sockerless.backend.poller import Watch
from sockerless.ecs.state import failure_message
from sockerless.errors import NotFound, SockerlessError, SystemFailure
from sockerless.types import Container, TaskBinding
from sockerless.wire.agent import Hello

log = logging.getLogger(__name__)

FIRST_DIAL_PAUSE_S = 0.02
LARGEST_DIAL_PAUSE_S = 2.0
DIAL_GROWTH = 0.05
"""After t seconds of dialling the next dial comes DIAL_GROWTH * t later: a start waits at most 5 % too long."""
ATTEMPTS_AFTER_EXIT = 4
"""Dials to a lingering agent whose connection broke, before it is taken to have left."""


class TaskOver(SystemFailure):
    """The task has stopped, or ECS knows it no longer; message is ECS's reason."""


def supervise(backend: Backend, container: Container, *, adopted_age_s: float | None = None) -> None:
    """Starts supervising the container's task. adopted_age_s: how old a task is that an earlier daemon started."""
    if container.task is None or container.task.task_arn is None:
        raise SystemFailure(f"container {container.id} has no task to supervise")
    watch = backend.poller.watch(container.task.task_arn, urgent=True, known_for_s=adopted_age_s or 0.0)
    live = backend.lives.of(container.id)
    live.link_error = None
    work = asyncio.create_task(
        _supervise(backend, container.id, container.task, watch, new=adopted_age_s is None),
        name=f"supervise {container.id[:12]}",
    )
    live.supervisor = work
    spawn(backend, work)


async def _supervise(backend: Backend, container_id: str, binding: TaskBinding, watch: Watch, *, new: bool) -> None:
    """new: the process has not run in this task yet, so its agent is still to come, whatever the record says."""
    live = backend.lives.of(container_id)
    news: asyncio.Queue[News] = asyncio.Queue()
    settling = asyncio.create_task(settle_forever(backend, container_id, news), name=f"news {container_id[:12]}")
    spawn(backend, settling)
    if binding.calls:
        backend.callbacks.expect(binding.credentials)
    try:
        _check_mode(backend, binding)
        while True:
            leaving = not new and _has_exited(backend, container_id)
            attempts = ATTEMPTS_AFTER_EXIT if leaving else None
            link, hello = await _reach(backend, container_id, binding, watch, attempts)
            new = False
            backend.poller.set_urgent(watch, False)
            _remember(backend, container_id, watch.arn, hello.address)
            news.put_nowait(hello)
            await _publish(live, link)
            await link.listen(news.put_nowait)
            await _publish(live, None)
            await asyncio.wait_for(news.join(), containers_exit.DRAIN_TIMEOUT_S * 2)
            backend.poller.set_urgent(watch, not _has_exited(backend, container_id))
    except TaskOver as over:
        await containers_exit.task_over(backend, container_id, binding, watch.view, str(over))
        await _publish(live, None, over)
        await task_end.ensure(backend, watch)
        containers_exit.explain(backend, container_id, watch.view)
    except SockerlessError as error:
        log.error("container %s: its agent cannot be supervised: %s", container_id[:12], error)
        await _publish(live, None, error)
    finally:
        settling.cancel()
        backend.callbacks.forget(binding.credentials.agent_id)
        backend.poller.unwatch(watch)


def _check_mode(backend: Backend, binding: TaskBinding) -> None:
    """SystemFailure for an agent that calls a daemon which no longer listens for calls."""
    if binding.calls and not backend.config.callback_url:
        raise SystemFailure(
            "the container was started in reverse mode, so its agent calls the daemon: start the daemon with the "
            "SOCKERLESS_CALLBACK_URL that it had then"
        )


async def _publish(live: Live, link: AgentLink | None, error: SockerlessError | None = None) -> None:
    """Tells the verbs, unless a newer task serves the container by now."""
    if live.supervisor is asyncio.current_task():
        await live.set_link(link, error)


def _has_exited(backend: Backend, container_id: str) -> bool:
    """Whether the main process has run and ended (or the record is gone): its agent may leave at any moment."""
    try:
        return backend.store.container(container_id).state.status in {"exited", "restarting"}
    except NotFound:
        return True


async def _reach(
    backend: Backend, container_id: str, binding: TaskBinding, watch: Watch, attempts: int | None
) -> tuple[AgentLink, Hello]:
    """The connected link; TaskOver when the task ends first, or after attempts (None: as long as it takes)."""
    if binding.calls:
        address = host_of(binding.credentials.agent_id)
    else:
        address = binding.address or await _address(backend, container_id, watch)
    link = AgentLink(backend.agents, address, binding.credentials)
    began_s = time.monotonic()
    for attempt in itertools.count(1):
        try:
            return link, await link.connect()
        except (OSError, aiohttp.ClientError, TimeoutError, TypeError) as error:
            log.debug("container %s: agent at %s does not answer yet: %s", container_id[:12], address, error)
        _raise_if_over(watch)
        if attempt == attempts:
            raise TaskOver("the agent has left after its process ended")
        waited_s = time.monotonic() - began_s
        await asyncio.sleep(min(max(waited_s * DIAL_GROWTH, FIRST_DIAL_PAUSE_S), LARGEST_DIAL_PAUSE_S))
    raise AssertionError("an endless loop ended")


async def _address(backend: Backend, container_id: str, watch: Watch) -> str:
    """The address to dial, once ECS has attached the network interface; kept in the record."""
    while True:
        _raise_if_over(watch)
        if watch.view is not None:
            address = watch.view.private_address
            if backend.config.public_ip and watch.view.eni_id:
                address = await ec2.public_address(backend.aws, watch.view.eni_id)
            if address:
                _remember(backend, container_id, watch.arn, address)
                return address
        await watch.changed()


def _remember(backend: Backend, container_id: str, arn: str, address: str) -> None:
    """Keeps the task's address in the record, the first that is told."""
    try:
        container = backend.store.container(container_id)
    except NotFound:
        return
    if address and container.task is not None and container.task.task_arn == arn and not container.task.address:
        backend.store.save_container(replace(container, task=replace(container.task, address=address)))


def _raise_if_over(watch: Watch) -> None:
    if watch.gone:
        raise TaskOver("ECS no longer knows the task")
    if watch.view is not None and watch.view.stopped:
        raise TaskOver(failure_message(watch.view))
