"""docker start: a task, its agent, the attached streams, then the process; while the task lingers, just the process.

Order of writes: intent (client token) before RunTask, its outcome after, "running" after the agent's word. A start
that fails leaves the container "created" (or "exited") with the reason, and no task behind but the one that lingered
already: that one has the container's files, and ends only when nobody knows what its agent did.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from dataclasses import asdict, replace
from typing import Any

from sockerless.aws import ecs as aws_ecs
from sockerless.backend import (
    archive_kept,
    container_config,
    containers_exit,
    credentials,
    definitions,
    events,
    images_find,
    ports,
    task_end,
)
from sockerless.backend.agent_link import AgentLink, StartRefused
from sockerless.backend.attach_stream import open_stream
from sockerless.backend.attachment import Attachment
from sockerless.backend.containers_create import shape_of
from sockerless.backend.containers_find import find
from sockerless.backend.context import Backend
from sockerless.backend.live import Live, WaitResult
from sockerless.backend.reach import reachable_again
from sockerless.backend.supervise import TaskOver, supervise
from sockerless.ecs import tags
from sockerless.ecs.state import view
from sockerless.ecs.taskdef import log_stream, run_task
from sockerless.errors import Conflict, DeadlineExceeded, NotModified, SockerlessError, Unavailable
from sockerless.types import Container, ContainerState, Health, JsonObject, TaskBinding
from sockerless.wire.agent import Process
from sockerless.wire.agent_output import StreamQuery

log = logging.getLogger(__name__)

FAILED_TO_START = 125
_UNREACHABLE = (
    "check that the security groups let this machine reach port 9111 of the task, or use SOCKERLESS_CALLBACK_URL"
)
_UNREACHED = "check that tasks can reach SOCKERLESS_CALLBACK_URL; their log in CloudWatch says what they were answered"


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
    live = backend.lives.of(container.id)
    laps = _Laps()
    try:
        bound = ports.bind_all(container)
    except SockerlessError as error:
        _tell_failure(backend, container, error)
        raise
    lingering = container.task is not None
    try:
        link = await _lingering_link(backend, container, live) if lingering else None
        if link is None:
            lingering = False
            link = await _launch(backend, container, live, laps)
            await archive_kept.put_in_place(backend, container, link)
        await _run_process(backend, container.id, live, link, bound)
        laps.end("its process")
        log.info("container %s (%s) started: %s", container.id[:12], container.name, laps)
    except SockerlessError as error:
        ports.release(bound)
        if lingering and not isinstance(error, _Unanswered):
            _tell_failure(backend, backend.store.container(container.id), error)
        else:
            await _failed(backend, container.id, error)
        raise
    except asyncio.CancelledError:
        ports.release(bound)
        await _failed(backend, container.id, Conflict("the start was cancelled"))
        raise


class _Unanswered(Unavailable):
    """The agent was asked to start the process, and whether it did is not known."""


async def _lingering_link(backend: Backend, container: Container, live: Live) -> AgentLink | None:
    """The agent of the last run's task, which has the container's files; None when that task is over.

    Waits for a connection that broke, or that a new daemon has not made yet; Unavailable when none comes.
    """
    try:
        return await reachable_again(backend, container, None)
    except Unavailable:
        if isinstance(live.link_error, TaskOver):
            return None
        raise


class _Laps:
    """How long each step of a start took, for the log: what is slow is AWS's, the network's or ours."""

    def __init__(self) -> None:
        self._began_s = time.monotonic()
        self._told: list[str] = []

    def end(self, step: str) -> None:
        """The step ends now, and the next begins."""
        now_s = time.monotonic()
        self._told.append(f"{step} {now_s - self._began_s:.3f} s")
        self._began_s = now_s

    def __str__(self) -> str:
        return ", ".join(self._told)


async def _launch(backend: Backend, container: Container, live: Live, laps: _Laps) -> AgentLink:
    """A new task for the container; its agent's link."""
    made = credentials.make(backend.config.agent_token)
    binding = TaskBinding(secrets.token_hex(16), made, calls=bool(backend.config.callback_url))
    container = replace(container, task=binding)
    backend.store.save_container(container)
    laps.end("credentials and record")
    task = await _run_task(backend, container, binding)
    laps.end("RunTask")
    arn = str(task["taskArn"])
    stream = log_stream(arn)
    container = replace(
        backend.store.container(container.id),
        task=replace(binding, task_arn=arn, log_stream=stream),
        log_streams=(*container.log_streams, stream),
        last_log_ns=-1,
    )
    backend.store.save_container(container)
    supervise(backend, container, view(task))
    try:
        async with asyncio.timeout(backend.config.start_timeout_s):
            link = await live.linked()
    except TimeoutError:
        raise DeadlineExceeded(
            f"the agent of task {arn} did not answer within {backend.config.start_timeout_s:g} s; "
            + (_UNREACHED if backend.config.callback_url else _UNREACHABLE)
        ) from None
    laps.end("its task and agent")
    return link


async def _run_task(backend: Backend, container: Container, binding: TaskBinding) -> JsonObject:
    """RunTask; a definition that was deregistered behind our back is registered again, once."""
    try:
        return await aws_ecs.run_task(backend.aws, _request(backend, container, binding))
    except SockerlessError as error:
        if "inactive" not in str(error).lower():
            raise
    image = images_find.find(backend.images, container.image_id)
    shape = shape_of(backend.config, image, container.host_config, container.size)
    container = replace(container, task_definition_arn=await definitions.register_again(backend, shape))
    backend.store.save_container(container)
    return await aws_ecs.run_task(backend.aws, _request(backend, container, binding))


def _request(backend: Backend, container: Container, binding: TaskBinding) -> JsonObject:
    config, daemon = backend.config, backend.store.installation_id()
    return run_task(
        cluster=config.cluster,
        definition_arn=container.task_definition_arn,
        binding=binding,
        subnets=config.subnets,
        security_groups=config.security_groups,
        public_ip=config.public_ip,
        started_by=started_by(daemon),
        tags=tags.task_tags(daemon, container.id, container.name, config.cluster),
        patience_s=config.start_timeout_s,
        callback_url=config.callback_url,
        capacity_providers=config.capacity_providers,
    )


def started_by(installation_id: str) -> str:
    """RunTask's startedBy for every task of this daemon: ListTasks can filter by it."""
    return f"sockerless/{installation_id}"


async def _run_process(
    backend: Backend, container_id: str, live: Live, link: AgentLink, bound: list[ports.Bound]
) -> None:
    container = backend.store.container(container_id)
    for attachment in _unconnected(live):
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
    try:
        link = await reachable_again(backend, container, link)
        hello = link.hello
        if hello is not None and hello.status != "waiting" and hello.started_at_ns != container.state.started_at_ns:
            return link, {"pid": hello.pid, "started_at_ns": hello.started_at_ns}
        return link, await link.request("start", process=asdict(process))
    except Unavailable as error:
        raise _Unanswered(error.message) from error


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
    """Connects who attached while the agent started the process, to this run and its first byte."""
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
