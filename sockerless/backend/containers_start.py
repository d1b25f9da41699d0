"""docker start: a task, its agent, the attached streams, then the process; while the task lingers, just the process.

Order of writes: intent (client token) before RunTask, its outcome after, "running" after the agent's word. A start
that fails leaves the container "created" (or "exited") with the reason, and no task behind but one that lingered and
whose process surely does not run: it has the container's files.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from dataclasses import asdict, replace
from typing import Any

from sockerless.backend import archive_kept, container_config, containers_exit, events, ports, task_end
from sockerless.backend.agent_link import AgentLink, StartRefused
from sockerless.backend.attach_stream import open_stream
from sockerless.backend.attachment import Attachment
from sockerless.backend.containers_find import find
from sockerless.backend.containers_launch import Laps, launch
from sockerless.backend.context import Backend
from sockerless.backend.live import Live, WaitResult
from sockerless.backend.reach import reachable_again
from sockerless.backend.supervise import TaskOver
from sockerless.errors import Conflict, NotModified, SockerlessError, Unavailable
from sockerless.types import Container, ContainerState, Health
from sockerless.wire.agent import Process
from sockerless.wire.agent_output import StreamQuery

log = logging.getLogger(__name__)

FAILED_TO_START = 125
LEAVING_TIMEOUT_S = 5.0
"""How long an agent may take to leave once it starts nothing any more."""


async def start(backend: Backend, reference: str) -> None:
    """Returns once the process runs. NotModified when it does already; the agent's or AWS's reason when it cannot."""
    container = find(backend, reference)
    live = backend.lives.of(container.id)
    async with live.lock:
        container = backend.store.container(container.id)
        if container.state.status == "paused":
            raise Conflict("cannot start a paused container, try unpause instead")
        if container.state.status in {"running", "restarting"}:
            raise NotModified(f"container {container.id} is already started")
        if container.state.status == "removing":
            raise Conflict("container is marked for removal and cannot be started")
        live.restart_pause_s = 0.0
        anew = replace(container, restart_count=0, stopped_by_user=False)
        if anew != container:
            backend.store.save_container(anew)
        await start_locked(backend, anew)


async def start_locked(backend: Backend, container: Container) -> None:
    """start() of a container that does not run, for a caller that holds its lock."""
    live, laps, bound = backend.lives.of(container.id), Laps(), list[ports.Bound]()
    try:
        bound = ports.bind_all(container)
        link = await _lingering_link(backend, container, live)
    except BaseException as error:
        ports.release(bound)
        if isinstance(error, SockerlessError):
            _tell_failure(backend, container, error)
        raise
    lingered = link is not None
    try:
        if link is None:
            link = await launch(backend, container, laps)
            await archive_kept.put_in_place(backend, container, link)
        await _run_process(backend, container.id, live, link, bound)
        laps.end("its process")
        log.info("container %s (%s) started: %s", container.id[:12], container.name, laps)
    except SockerlessError as error:
        ports.release(bound)
        if lingered and isinstance(error, Conflict) and not await _stays(live):
            await start_locked(backend, backend.store.container(container.id))
            return
        if lingered and isinstance(error, StartRefused | Conflict):
            _tell_failure(backend, backend.store.container(container.id), error)
        else:
            await _failed(backend, container.id, error)
        raise
    except asyncio.CancelledError:
        ports.release(bound)
        await _failed(backend, container.id, Conflict("the start was cancelled"))
        raise


async def _lingering_link(backend: Backend, container: Container, live: Live) -> AgentLink | None:
    """The agent of the last run's task, which has the container's files; None when there is none, or it is over.

    Waits for a connection that broke, or that a new daemon has not made yet; Unavailable when none comes.
    """
    if container.task is None:
        return None
    link: AgentLink | None = None
    try:
        while link is None or link.closed:
            link = await reachable_again(backend, container, link)
        return link
    except Unavailable:
        if isinstance(live.link_error, TaskOver):
            return None
        raise


async def _stays(live: Live) -> bool:
    """Whether an agent that starts nothing now is there any longer: one that is leaving refuses, and soon has left."""
    with contextlib.suppress(TimeoutError, SockerlessError):
        async with asyncio.timeout(LEAVING_TIMEOUT_S):
            await live.linked(other_than=live.link)
    return not isinstance(live.link_error, TaskOver)


async def _run_process(
    backend: Backend, container_id: str, live: Live, link: AgentLink, bound: list[ports.Bound]
) -> None:
    container = backend.store.container(container_id)
    for attachment in _unconnected(live):
        with contextlib.suppress(Unavailable):  # it counts as late then
            await _connect(backend, container, link, attachment, attachment.query)
    process = container_config.process(container, backend.config.linger_s)
    async with live.starting:
        link, started = await _begin(backend, container, link, process)
        state = ContainerState(
            status="running",
            pid=int(started.get("pid", 0)),
            started_at_ns=int(started.get("started_at_ns") or time.time_ns()),
        )
        published = await ports.serve(backend, container, bound)
        checked = Health() if process.healthcheck is not None else None
        container = replace(backend.store.container(container_id), state=state, ports=published, health=checked)
        backend.store.save_container(container)
        events.emit(backend, container, "start")
        await _connect_late(backend, container, live, link, started)


async def _begin(
    backend: Backend, container: Container, link: AgentLink, process: Process
) -> tuple[AgentLink, dict[str, Any]]:
    """The agent's word that the process runs, and the link it came by: another one when the connection broke."""
    try:
        return link, await link.request("start", process=asdict(process))
    except Unavailable:
        log.warning("container %s: the agent went away while it was asked to start", container.id[:12])
    link = await reachable_again(backend, container, link)
    hello = link.hello
    if hello is not None and hello.started_at_ns > container.state.started_at_ns:  # it had heard
        return link, {"pid": hello.pid, "started_at_ns": hello.started_at_ns}
    return link, await link.request("start", process=asdict(process))


def _unconnected(live: Live) -> list[Attachment]:
    return [attachment for attachment in live.attachments if attachment.live and not attachment.connected]


async def _connect(
    backend: Backend, container: Container, link: AgentLink, attachment: Attachment, query: StreamQuery
) -> None:
    stream = await open_stream(backend, container, link, query)
    if attachment.ended:  # meanwhile: nobody would read it, and it would hold the process up
        await stream.close()
    else:
        attachment.connect(stream)


async def _connect_late(
    backend: Backend, container: Container, live: Live, link: AgentLink, started: dict[str, Any]
) -> None:
    """Connects who has no stream yet, to this run and its first byte; a client whose stream cannot be had is told."""
    run, position = int(started.get("run", 0)), int(started.get("position", -1))
    for attachment in _unconnected(live):
        try:
            await _connect(backend, container, link, attachment, replace(attachment.query, run=run, position=position))
        except Unavailable as error:
            attachment.fail(error.message)


async def _failed(backend: Backend, container_id: str, error: SockerlessError) -> None:
    """Ends the task behind the caller's back, and tells of the failure; a stop that fails is tried again."""
    container = backend.store.container(container_id)
    live, binding = backend.lives.of(container_id), container.task
    if binding is not None and binding.task_arn is not None:
        if live.supervisor is not None:
            live.supervisor.cancel()
        task_end.stop_behind(backend, binding.task_arn, f"container {container.name} failed to start")
    await live.set_link(None)
    _tell_failure(backend, replace(container, task=None), error)


def _tell_failure(backend: Backend, container: Container, error: SockerlessError) -> None:
    """Releases who is attached, and records why the start failed.

    Raises nothing, so that the start's own error is told: a `wait` that must not hang is told what could not be
    recorded.
    """
    live = backend.lives.of(container.id)
    for attachment in list(live.attachments):
        attachment.release()
    code = error.exit_code if isinstance(error, StartRefused) else FAILED_TO_START
    try:
        _record_failure(backend, container, str(error), code)
    except SockerlessError as failure:
        log.error("container %s: it cannot be recorded that its start failed: %s", container.id[:12], failure)
        live.complete_removal(WaitResult(code, str(failure)))


def _record_failure(backend: Backend, container: Container, reason: str, code: int) -> None:
    state = replace(container.state, error=reason, exit_code=code)
    if state.status == "restarting":
        state = replace(state, status="exited")
    backend.store.save_container(replace(container, state=state))
    if container.host_config.get("AutoRemove"):
        containers_exit.forget(backend, container, WaitResult(code))
