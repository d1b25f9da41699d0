"""docker exec: one more process in a running container, through a stream of its own to the agent.

An instance is created, started once, and known until its container goes or the daemon ends. Its exit code is in
inspect before its client's stream ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from functools import partial
from typing import Any

from sockerless.backend import exec_process
from sockerless.backend.attachment import Attachment
from sockerless.backend.containers_exit import LOST_EXIT_CODE
from sockerless.backend.containers_find import find, require_running
from sockerless.backend.containers_wait import begin_wait
from sockerless.backend.context import Backend, spawn
from sockerless.backend.events import emit
from sockerless.backend.exec_instance import ExecInstance
from sockerless.backend.exec_stream import ExecRefused, ExecStream, open_exec
from sockerless.backend.names import new_id
from sockerless.backend.reach import reachable
from sockerless.errors import Conflict, DeadlineExceeded, InvalidParameter, NotFound, SockerlessError, Unavailable
from sockerless.types import Container, Exec, JsonObject
from sockerless.wire import agent_exec
from sockerless.wire.agent_output import StreamQuery

SETTLED_TIMEOUT_S = 10.0
"""How long a resize waits for the start that it follows. Docker's time."""
EXIT_TIMEOUT_S = 2.0
"""How long the news of an exit may take that the agent knows of already."""
NOT_STARTED_CODE = 126
"""Docker's exit code of an exec that could not be started, for reasons that are not its program's."""


def create(backend: Backend, reference: str, config: JsonObject) -> str:
    """A new instance's id. config: Docker's ExecConfig. Conflict unless the container runs and is not paused."""
    container = find(backend, reference)
    _require_unpaused(container)
    config = exec_process.completed(config, container)
    view = Exec(id=new_id(), container_id=container.id, config=config)
    backend.lives.of(container.id).execs.add(ExecInstance(view, container.state.started_at_ns))
    _emit(backend, view, f"exec_create: {exec_process.command(config)}")
    return view.id


def check(backend: Backend, exec_id: str) -> None:
    """Whether the instance may be started at all: NotFound, or Conflict while its container is paused."""
    _require_unpaused(_container(backend, _instance(backend, exec_id)))


async def start(
    backend: Backend, exec_id: str, *, detach: bool, tty: bool, console_size: tuple[int, int] | None
) -> Attachment:
    """Runs it; the client's attachment, which has ended already with detach or when no stream was asked for.

    tty: whether the client wants raw bytes. Conflict for a second start; Docker's words when it cannot run.
    """
    instance = _instance(backend, exec_id)
    container = _container(backend, instance)
    _require_unpaused(container)
    if instance.claimed:
        state = "has already run" if instance.view.exit_code is not None else "is already running"
        raise Conflict(f"Error: Exec command {exec_id} {state}")
    instance.claimed = True
    asked = exec_process.request(instance.view, container, detach=detach, raw=tty, console_size=console_size)
    try:
        stream = await _begin(backend, container, instance, asked)
    except ExecRefused as refused:
        instance.ended(refused.exit_code)
        raise
    except (SockerlessError, asyncio.CancelledError):
        instance.ended(NOT_STARTED_CODE)
        raise
    return await _attached(backend, instance, stream, detach=detach)


async def inspect(backend: Backend, exec_id: str) -> Exec:
    """The instance. Unavailable once when its stream broke, then the agent is asked."""
    instance = _instance(backend, exec_id)
    if instance.lost and instance.view.running:
        if instance.broken:
            reason, instance.broken = instance.broken, ""
            raise Unavailable(f"exec {exec_id}: {reason}")
        await _ask(backend, instance)
    return instance.view


async def resize(backend: Backend, exec_id: str, height: int, width: int) -> None:
    """Sets the terminal's size, once the process runs. NotFound when it has ended."""
    instance = _instance(backend, exec_id)
    container = _container(backend, instance)
    _require_unpaused(container)
    try:
        await asyncio.wait_for(instance.settled.wait(), SETTLED_TIMEOUT_S)
    except TimeoutError:
        raise DeadlineExceeded("timeout waiting for exec session ready") from None
    if not instance.view.pid:
        raise InvalidParameter("exec process is not started")
    try:
        link = await reachable(backend, container)
        await link.request("resize", exec=exec_id, height=height, width=width)
    except Conflict:
        raise NotFound("no such exec") from None


def unfinished(backend: Backend, container: Container) -> list[str]:
    """The ids of the container's execs that run or may still be started, oldest first."""
    if container.state.status not in {"running", "paused"}:
        return []
    return backend.lives.of(container.id).execs.unfinished(container.state.started_at_ns)


def _instance(backend: Backend, exec_id: str) -> ExecInstance:
    """NotFound also for one that was never started in a run of the container that is over."""
    instance = backend.lives.exec_instance(exec_id)
    missing = NotFound(f"No such exec instance: {exec_id}")
    if instance is None:
        raise missing
    if not instance.claimed and exec_id not in unfinished(backend, _container(backend, instance)):
        raise missing
    return instance


def _container(backend: Backend, instance: ExecInstance) -> Container:
    try:
        return backend.store.container(instance.view.container_id)
    except NotFound:
        raise NotFound(f"No such exec instance: {instance.view.id}") from None


def _require_unpaused(container: Container) -> None:
    require_running(container)
    if container.state.status == "paused":
        raise Conflict(f"Container {container.id} is paused, unpause the container before exec")


async def _begin(backend: Backend, container: Container, instance: ExecInstance, asked: agent_exec.Exec) -> ExecStream:
    link = await reachable(backend, container)
    try:
        stream, pid = await open_exec(link, container.id, asked)
    except Conflict:
        await _require_running(backend, container)
        raise
    instance.begun(pid)
    _emit(backend, instance.view, f"exec_start: {exec_process.command(instance.view.config)}")

    def background(work: Coroutine[Any, Any, None]) -> None:
        spawn(backend, asyncio.create_task(work, name=f"exec {instance.view.id[:12]}"))

    return ExecStream(stream, partial(_ended, backend, instance), instance.lose, background, raw=asked.raw)


async def _require_running(backend: Backend, container: Container) -> None:
    """For an agent that says the process has ended: Conflict in the words for what becomes of the container."""
    exit_ = begin_wait(backend, container.id, "next-exit")
    try:
        require_running(backend.store.container(container.id))
        await asyncio.wait_for(exit_, EXIT_TIMEOUT_S)
        require_running(backend.store.container(container.id))
    except (TimeoutError, NotFound):
        return
    finally:
        exit_.cancel()


async def _attached(backend: Backend, instance: ExecInstance, stream: ExecStream, *, detach: bool) -> Attachment:
    config = instance.view.config
    query = StreamQuery(stdin=bool(config["AttachStdin"]) and not detach)
    tty = bool(config["Tty"])
    attachment = Attachment(query, tty=tty, live=True, detach_keys=exec_process.detach_keys(config))
    if detach or not any(config[name] for name in exec_process.STREAMS):
        await stream.close()
        attachment.end()
        return attachment
    attachments = backend.lives.of(instance.view.container_id).attachments
    attachments.add(attachment)
    attachment.on_end(lambda: attachments.discard(attachment))
    attachment.on_end(lambda: _tell_detached(backend, instance, attachment))
    attachment.connect(stream)
    return attachment


def _tell_detached(backend: Backend, instance: ExecInstance, attachment: Attachment) -> None:
    if attachment.detached:
        _emit(backend, instance.view, "exec_detach")


def _ended(backend: Backend, instance: ExecInstance, code: int) -> None:
    instance.ended(code)
    _emit(backend, instance.view, "exec_die", exitCode=str(code))


async def _ask(backend: Backend, instance: ExecInstance) -> None:
    """Asks the agent what became of an exec whose stream broke; after the container's run nothing is left of it."""
    container = _container(backend, instance)
    over = container.state.status not in {"running", "paused"}
    if over or container.state.started_at_ns != instance.run_ns:
        _ended(backend, instance, LOST_EXIT_CODE)
        return
    link = await reachable(backend, container)
    state = await link.request("exec_state", exec=instance.view.id)
    if not state["running"]:
        _ended(backend, instance, LOST_EXIT_CODE if state["code"] is None else int(state["code"]))


def _emit(backend: Backend, view: Exec, action: str, **attributes: str) -> None:
    try:
        container = backend.store.container(view.container_id)
    except NotFound:
        return
    emit(backend, container, action, execID=view.id, **attributes)
