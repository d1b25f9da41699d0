"""Start-up: making the records true again after the daemon was away, however it went.

Law: nothing is decided from an AWS error; the caller tries again. A task of ours that no record asks for is stopped,
because a daemon that died between RunTask and its outcome must not leave a task that nobody knows.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

from sockerless.aws import ecs as aws_ecs
from sockerless.backend import archive_kept, containers_exit, definitions, ports, task_end
from sockerless.backend.agent_news import UNRECORDED, UNRECORDED_EXIT_CODE
from sockerless.backend.containers_launch import started_by
from sockerless.backend.containers_restart import restart_forever
from sockerless.backend.context import Backend, spawn
from sockerless.backend.live import WaitResult
from sockerless.backend.supervise import supervise
from sockerless.ecs.state import TaskView, failure_message, view
from sockerless.ecs.tags import CONTAINER, tag_value
from sockerless.errors import SockerlessError, SystemFailure
from sockerless.types import Container, JsonObject

log = logging.getLogger(__name__)

FIRST_ATTEMPT_TIMEOUT_S = 10.0
RETRY_INTERVAL_S = 5.0


async def start_up(backend: Backend) -> None:
    """Reconciles, at most FIRST_ATTEMPT_TIMEOUT_S long; what AWS does not answer by then goes on in the background."""
    _drop_half_created(backend)
    archive_kept.sweep(backend)
    spawn(backend, asyncio.create_task(restart_forever(backend), name="restarts"))
    work = asyncio.create_task(_until_done(backend), name="reconcile")
    spawn(backend, work)
    spawn(backend, asyncio.create_task(definitions.sweep_forever(backend), name="definition sweep"))
    spawn(backend, asyncio.create_task(backend.aws.warm(), name="AWS clients"))
    await asyncio.wait([work], timeout=FIRST_ATTEMPT_TIMEOUT_S)


def _drop_half_created(backend: Backend) -> None:
    """Forgets containers whose create an earlier daemon did not live to finish: nobody was told their ids.

    A definition that was registered for one is found again by its family.
    """
    for container in backend.store.containers():
        if not container.task_definition_arn:
            log.warning("container %s was not created completely: forgetting it", container.name)
            backend.store.delete_container(container.id)


async def _until_done(backend: Backend) -> None:
    while True:
        try:
            await reconcile(backend)
            return
        except SockerlessError as error:
            log.warning("cannot ask AWS what runs, trying again in %g s: %s", RETRY_INTERVAL_S, error)
        await asyncio.sleep(RETRY_INTERVAL_S)


async def reconcile(backend: Backend) -> None:
    """One whole pass: records with a task are adopted or settled, tasks without a record are stopped."""
    cluster = backend.config.cluster
    records = [container for container in backend.store.containers() if container.task is not None]
    running = await aws_ecs.list_tasks(
        backend.aws, cluster, started_by(backend.store.installation_id()), desired_status="RUNNING"
    )
    asked = {c.task.task_arn for c in records if c.task is not None and c.task.task_arn is not None}
    tasks = await aws_ecs.describe_tasks(backend.aws, cluster, sorted(asked))
    for container in records:
        live = backend.lives.of(container.id)
        starting = container.task is not None and container.task.task_arn is None and live.lock.locked()
        if live.supervisor is None and not starting:
            await _settle(backend, container, tasks)
    await _stop_unknown(backend, sorted(set(running) - _served(backend)))
    for container in backend.store.containers():
        if container.state.status == "removing":
            containers_exit.forget(backend, container, WaitResult(container.state.exit_code))
        elif container.task is None:
            containers_exit.auto_remove(backend, container)


async def _stop_unknown(backend: Backend, arns: list[str]) -> None:
    """Stops tasks that no record names, but for those whose start is under way at this moment."""
    tasks = await aws_ecs.describe_tasks(backend.aws, backend.config.cluster, arns, with_tags=True)
    for arn, task in tasks.items():
        container_id = tag_value(task.get("tags", []), CONTAINER)
        if container_id and backend.lives.of(container_id).lock.locked():
            continue
        log.warning("task %s serves no container on record: stopping it", arn)
        await task_end.stop(backend, arn, "no container on record")


def _served(backend: Backend) -> set[str]:
    """The tasks on record now."""
    return {
        container.task.task_arn
        for container in backend.store.containers()
        if container.task is not None and container.task.task_arn is not None
    }


async def _settle(backend: Backend, container: Container, tasks: dict[str, JsonObject]) -> None:
    binding = container.task
    if binding is None:
        return
    found = view(tasks[binding.task_arn]) if binding.task_arn in tasks else None
    if container.state.status in {"created", "removing"}:
        await _roll_back(backend, container, found)
    elif binding.task_arn is None:
        backend.store.save_container(replace(container, task=None))
    elif found is None or found.stopped:
        reason = failure_message(found) if found is not None else "ECS no longer knows the task"
        await containers_exit.task_over(backend, container.id, binding, found, reason)
        containers_exit.explain(backend, container.id, found)
    else:
        supervise(backend, container, found, adopted=True)
        await _publish_again(backend, container)


async def _publish_again(backend: Backend, container: Container) -> None:
    """A port that somebody took meanwhile is said; the container runs on without it."""
    if container.state.status not in {"running", "paused"}:
        return
    try:
        await ports.publish_again(backend, container)
    except SystemFailure as error:
        log.error("%s", error)


async def _roll_back(backend: Backend, container: Container, found: TaskView | None) -> None:
    """A start (or removal) that the daemon did not live to finish: no process was promised, so no task stays."""
    if found is not None and not found.stopped:
        await task_end.stop(backend, found.arn, f"the start of container {container.name} was interrupted")
    if container.state.status == "created":
        state = replace(container.state, error=UNRECORDED, exit_code=UNRECORDED_EXIT_CODE)
        backend.store.save_container(replace(container, task=None, state=state))
        if container.host_config.get("AutoRemove"):
            containers_exit.forget(backend, container, WaitResult(state.exit_code))
