"""docker stop, restart and kill: signals through the agent; StopTask only when the agent cannot be reached."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace

from sockerless.backend import container_config, containers_pause, events, task_end
from sockerless.backend.agent_link import AgentLink
from sockerless.backend.containers_find import find
from sockerless.backend.containers_start import start
from sockerless.backend.containers_wait import begin_wait
from sockerless.backend.context import Backend
from sockerless.backend.live import WaitResult
from sockerless.backend.reach import reachable, reachable_again
from sockerless.errors import Conflict, DeadlineExceeded, InvalidParameter, NotModified, Unavailable
from sockerless.types import Container
from sockerless.wire import signals

SIGKILL = 9
KILL_TIMEOUT_S = 10.0
STOP_TASK_TIMEOUT_S = 180.0
"""Fargate's own grace of at most 120 s, and some for ECS to say so."""


async def stop(backend: Backend, reference: str, timeout_s: int | None, signal: str | None) -> None:
    """Signal, wait timeout_s (None: the container's own, negative: for ever), SIGKILL. NotModified when not running."""
    container = find(backend, reference)
    async with backend.lives.of(container.id).lock:
        if not _cancel_restart(backend, backend.store.container(container.id)):
            await stop_locked(backend, backend.store.container(container.id), timeout_s, signal)
        events.emit(backend, container, "stop")


async def stop_locked(backend: Backend, container: Container, timeout_s: int | None, signal: str | None) -> None:
    """stop(), for a caller that holds the container's lock."""
    if container.state.status not in {"running", "paused"}:
        raise NotModified(f"container {container.id} is not running")
    number = signal_number(signal) if signal else container_config.stop_signal(container.config)
    grace_s = container_config.stop_timeout_s(container.config) if timeout_s is None else timeout_s
    backend.store.save_container(replace(container, stopped_by_user=True))
    exit_ = begin_wait(backend, container.id, "not-running")
    try:
        if not await _stop_through_agent(backend, container, exit_, number, grace_s):
            await _stop_task(backend, container, exit_)
    finally:
        exit_.cancel()


async def _stop_through_agent(
    backend: Backend, container: Container, exit_: asyncio.Future[WaitResult], number: int, grace_s: float
) -> bool:
    """Whether the process ended by signals; False when the agent cannot be reached or the process survives."""
    try:
        if grace_s != 0:
            await _signal_surely(backend, container, number)
            if await _ends(exit_, None if grace_s < 0 else grace_s):
                return True
        await _signal_surely(backend, container, SIGKILL)
        return await _ends(exit_, KILL_TIMEOUT_S)
    except Unavailable:
        return False


async def _stop_task(backend: Backend, container: Container, exit_: asyncio.Future[WaitResult]) -> None:
    """Ends the whole task, for a process whose agent does not answer; returns when ECS says it has stopped."""
    if container.task is not None and container.task.task_arn is not None:
        await task_end.stop(backend, container.task.task_arn, f"container {container.name} is stopped")
    if not await _ends(exit_, STOP_TASK_TIMEOUT_S):
        raise DeadlineExceeded(f"task of container {container.id} did not stop within {STOP_TASK_TIMEOUT_S:g} s")


async def restart(backend: Backend, reference: str, timeout_s: int | None, signal: str | None) -> None:
    """stop when running, then start: in the same task while it lingers."""
    container = find(backend, reference)
    live = backend.lives.of(container.id)
    live.restarting = True
    try:
        with contextlib.suppress(NotModified):
            await stop(backend, container.id, timeout_s, signal)
    finally:
        live.restarting = False
    await start(backend, container.id)
    events.emit(backend, container, "restart")


async def kill(backend: Backend, reference: str, signal: str) -> None:
    """Sends any signal to the main process. Conflict in Docker's words when it does not run."""
    number = signal_number(signal or "SIGKILL")
    container = find(backend, reference)
    if _cancel_restart(backend, container):
        return
    if container.state.status not in {"running", "paused"}:
        raise Conflict(f"Cannot kill container: {container.name}: Container {container.id} is not running")
    if _is_an_end(container, number):
        backend.store.save_container(replace(container, stopped_by_user=True))
    exit_ = begin_wait(backend, container.id, "not-running")
    try:
        if number == SIGKILL:
            await _signal_surely(backend, container, number)
        else:
            await _signal(backend, container, await reachable(backend, container), number)
    except Unavailable:
        if number != SIGKILL:
            raise
        await _stop_task(backend, container, exit_)
        return
    if number == SIGKILL:
        await _ends(exit_, KILL_TIMEOUT_S)


def signal_number(text: str) -> int:
    """The signal's number; InvalidParameter in Docker's words."""
    try:
        return signals.number(text)
    except ValueError as error:
        raise InvalidParameter(str(error)) from error


async def _signal_surely(backend: Backend, container: Container, number: int) -> None:
    """_signal(), over the next link when this one breaks: the process may get the signal twice then."""
    link = await reachable(backend, container)
    try:
        await _signal(backend, container, link, number)
    except Unavailable:
        await _signal(backend, container, await reachable_again(backend, container, link), number)


async def _signal(backend: Backend, container: Container, link: AgentLink, number: int) -> None:
    """Sends a signal, unless the process has ended meanwhile. The exit it causes is settled after it was told."""
    async with backend.lives.of(container.id).starting:
        try:
            await link.request("signal", signal=number)
        except Conflict:
            return
        events.emit(backend, container, "kill", signal=str(number))
        container = backend.store.container(container.id)
        if container.state.status == "paused" and number != SIGKILL and _is_an_end(container, number):
            with contextlib.suppress(Conflict):
                await containers_pause.resume(backend, container, link)


def _is_an_end(container: Container, number: int) -> bool:
    """Whether moby takes this signal for the wish that the container end: it is woken for it, and not restarted.

    Without a stop signal of its own that is every signal. What SIGKILL ends needs no waking.
    """
    own = container.config.get("StopSignal")
    return number == SIGKILL or not own or number == container_config.stop_signal(container.config)


def _cancel_restart(backend: Backend, container: Container) -> bool:
    """Whether the container was about to run again by its policy, and now will not."""
    if container.state.status != "restarting":
        return False
    state = replace(container.state, status="exited")
    backend.store.save_container(replace(container, state=state, stopped_by_user=True))
    backend.lives.of(container.id).complete_exit(WaitResult(state.exit_code))
    return True


async def _ends(exit_: asyncio.Future[WaitResult], timeout_s: float | None) -> bool:
    try:
        await asyncio.wait_for(asyncio.shield(exit_), timeout_s)
    except TimeoutError:
        return False
    return True
