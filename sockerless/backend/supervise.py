"""Keeping each task's agent within reach, from RunTask's answer to the task's end.

One supervising task per live task: it waits for the address, dials (the agent usually speaks before ECS says
RUNNING), listens, dials again when the connection breaks, and settles the record when the task is over.
Law: nothing but the task's end ends it. What AWS or the disk refuses meanwhile is tried again.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import time
from dataclasses import dataclass, replace

import aiohttp

from sockerless.aws import ec2
from sockerless.backend import retry, task_end
from sockerless.backend.agent_link import AgentLink
from sockerless.backend.agent_news import News, TaskEnded, TaskStopped, settle_forever, settled
from sockerless.backend.callback import host_of
from sockerless.backend.containers_find import on_record
from sockerless.backend.context import Backend, spawn
from sockerless.backend.live import Live
from sockerless.backend.task_watch import Watch
from sockerless.ecs.state import TaskView, failure_message
from sockerless.errors import NotFound, SockerlessError, SystemFailure, Unavailable
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


def supervise(backend: Backend, container: Container, seen: TaskView, *, adopted: bool = False) -> None:
    """Starts supervising the container's task. seen: what ECS has just said of it. adopted: an earlier daemon's."""
    if container.task is None or container.task.task_arn is None:
        raise SystemFailure(f"container {container.id} has no task to supervise")
    age_s = max(0.0, (time.time_ns() - seen.started_at_ns) / 1e9) if seen.started_at_ns else 0.0
    watch = backend.poller.watch(container.task.task_arn, urgent=True, known_for_s=age_s, view=seen)
    live = backend.lives.of(container.id)
    live.link_error = None
    work = asyncio.create_task(
        _supervise(backend, container.id, container.task, watch, new=not adopted),
        name=f"supervise {container.id[:12]}",
    )
    live.supervisor = work
    spawn(backend, work)


async def _supervise(backend: Backend, container_id: str, binding: TaskBinding, watch: Watch, *, new: bool) -> None:
    """new: the process has not run in this task yet, so its agent is still to come, whatever the record says."""
    live, news = backend.lives.of(container_id), asyncio.Queue[News]()
    settling = asyncio.create_task(settle_forever(backend, container_id, news), name=f"news {container_id[:12]}")
    spawn(backend, settling)
    if binding.calls:
        backend.callbacks.expect(binding.credentials)
    supervised = _Supervised(backend, container_id, binding, live, watch, news, settling, binding.address)
    try:
        over = await _until_over(supervised, new)
        await _publish(supervised, None, over)  # so that streams that broke end, which the settling waits for
        news.put_nowait(TaskEnded(binding, watch.view, str(over)))
        await settled(news, settling)
        await _publish(supervised, None, over)
        await task_end.ensure(backend, watch)
        news.put_nowait(TaskStopped(watch.view))
        await settled(news, settling)
    finally:
        settling.cancel()
        backend.callbacks.forget(binding.credentials.agent_id)
        backend.poller.unwatch(watch)


@dataclass(eq=False)
class _Supervised:
    """What one supervising task works on. settling: the task that settles news. address: of the agent, once known."""

    backend: Backend
    container_id: str
    binding: TaskBinding
    live: Live
    watch: Watch
    news: asyncio.Queue[News]
    settling: asyncio.Task[None]
    address: str | None


async def _until_over(supervised: _Supervised, new: bool) -> TaskOver:
    """Connects and listens, again and again until the task is over; why it is."""
    pauses_s = retry.pauses_s()
    while True:
        try:
            _raise_if_over(supervised.watch)
            link, hello = await _reach(supervised, new)
            new, pauses_s = False, retry.pauses_s()
            await _listen(supervised, link, hello)
        except TaskOver as over:
            return over
        except SockerlessError as error:
            starting = new and isinstance(error, Unavailable)  # a start waits for as long as it may pass
            await _publish(supervised, None, None if starting else error)
            await _pause(supervised, next(pauses_s), error)


async def _listen(supervised: _Supervised, link: AgentLink, hello: Hello) -> None:
    """Hands on what the agent tells until its connection breaks, and settles it."""
    backend, container_id, watch = supervised.backend, supervised.container_id, supervised.watch
    backend.poller.set_urgent(watch, False)
    try:
        _remember(backend, container_id, watch.arn, hello.address)
        supervised.news.put_nowait(hello)
        await _publish(supervised, link)
        await link.listen(supervised.news.put_nowait)
    finally:
        await link.close()
    await _publish(supervised, None)
    await settled(supervised.news, supervised.settling)
    backend.poller.set_urgent(watch, not _has_exited(backend, container_id))


async def _pause(supervised: _Supervised, pause_s: float, error: SockerlessError) -> None:
    """Waits before another attempt, unless the task ends."""
    short_id, watch = supervised.container_id[:12], supervised.watch
    log.warning("container %s: cannot reach its agent, trying again in %g s: %s", short_id, pause_s, error)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(pause_s):
            await watch.ended()


def _check_mode(backend: Backend, binding: TaskBinding) -> None:
    """SystemFailure for an agent that calls a daemon which no longer listens for calls."""
    if binding.calls and not backend.config.callback_url:
        raise SystemFailure(
            "the container was started in reverse mode, so its agent calls the daemon: start the daemon with the "
            "SOCKERLESS_CALLBACK_URL that it had then"
        )


async def _publish(supervised: _Supervised, link: AgentLink | None, error: SockerlessError | None = None) -> None:
    """Tells the verbs, unless a newer task serves the container by now."""
    if supervised.live.supervisor is asyncio.current_task():
        await supervised.live.set_link(link, error)


def _has_exited(backend: Backend, container_id: str) -> bool:
    """Whether the main process has run and ended (or the record is gone): its agent may leave at any moment."""
    container = on_record(backend, container_id)
    return container is None or container.state.status in {"exited", "restarting"}


async def _reach(supervised: _Supervised, new: bool) -> tuple[AgentLink, Hello]:
    """The connected link; TaskOver when the task ends first, or has a process that ended and an agent that is gone."""
    backend, container_id, binding = supervised.backend, supervised.container_id, supervised.binding
    _check_mode(backend, binding)
    attempts = ATTEMPTS_AFTER_EXIT if not new and _has_exited(backend, container_id) else None
    address = host_of(binding.credentials.agent_id) if binding.calls else await _address(supervised)
    link = AgentLink(backend.agents, address, binding.credentials)
    began_s = absent_s = time.monotonic()
    for attempt in itertools.count(1):
        try:
            hello = await link.connect()
            found_s = time.monotonic() - absent_s
            log.info("container %s: its agent answered, %.3f s after it was found absent", container_id[:12], found_s)
            return link, hello
        except (OSError, aiohttp.ClientError, TimeoutError, TypeError) as error:
            log.debug("container %s: agent at %s does not answer yet: %s", container_id[:12], address, error)
        absent_s = time.monotonic()
        _raise_if_over(supervised.watch)
        if attempt == attempts:
            raise TaskOver("the agent has left after its process ended")
        waited_s = time.monotonic() - began_s
        await asyncio.sleep(min(max(waited_s * DIAL_GROWTH, FIRST_DIAL_PAUSE_S), LARGEST_DIAL_PAUSE_S))
    raise AssertionError("an endless loop ended")


async def _address(supervised: _Supervised) -> str:
    """The address to dial, once ECS has attached the network interface; kept in the record."""
    backend, watch = supervised.backend, supervised.watch
    while not supervised.address:
        _raise_if_over(watch)
        if watch.view is not None and backend.config.public_ip and watch.view.eni_id:
            supervised.address = await ec2.public_address(backend.aws, watch.view.eni_id)
        elif watch.view is not None:
            supervised.address = watch.view.private_address
        if not supervised.address:
            await watch.changed()
    _remember(backend, supervised.container_id, watch.arn, supervised.address)
    return supervised.address


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
