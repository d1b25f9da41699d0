"""Task definitions by shape: found, registered once, deregistered when no container has used them for long enough.

Law: registering and deregistering share a budget of one call a second (facts: ECS API throttle buckets), so equal
shapes share one definition and definitions outlive containers.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from dataclasses import replace

from sockerless.aws import ecs as aws_ecs
from sockerless.backend.context import Backend
from sockerless.ecs import tags
from sockerless.ecs.taskdef import Shape, family, shape_hash, task_definition
from sockerless.errors import SockerlessError
from sockerless.types import TaskDefinitionRecord

log = logging.getLogger(__name__)

SWEEP_INTERVAL_S = 60.0
DEREGISTER_SPACING_S = 2.0


def on_record(backend: Backend, shape: Shape) -> str | None:
    """The ARN of the definition on record for this shape, from now on in use; None also while definitions change."""
    return None if backend.definition_lock.locked() else _used_now(backend, shape_hash(shape))


def _used_now(backend: Backend, key: str) -> str | None:
    now_ns = time.time_ns()
    for record in backend.store.task_definitions():
        if record.shape == key:
            if now_ns - record.last_used_at_ns > SWEEP_INTERVAL_S * 1e9:  # no sweep asks for more precision
                backend.store.save_task_definition(replace(record, last_used_at_ns=now_ns))
            return record.arn
    return None


async def ensure(backend: Backend, shape: Shape) -> str:
    """The ARN of the active definition for this shape: the one on record, one that ECS has, or a new one."""
    key = shape_hash(shape)
    async with backend.definition_lock:
        known = _used_now(backend, key)
        if known is not None:
            return known
        found = await aws_ecs.find_task_definition(backend.aws, family(shape, backend.config.cluster))
        if found is None:
            return await _register(backend, shape, key)
        backend.store.save_task_definition(TaskDefinitionRecord(key, found, time.time_ns()))
        return found


async def register_again(backend: Backend, shape: Shape) -> str:
    """A fresh revision, for when ECS says the one on record is no longer active."""
    async with backend.definition_lock:
        return await _register(backend, shape, shape_hash(shape))


async def _register(backend: Backend, shape: Shape, key: str) -> str:
    own_tags = tags.definition_tags(backend.store.installation_id(), key, backend.config.cluster)
    request = task_definition(shape, backend.config.cluster, own_tags)
    arn = await aws_ecs.register_task_definition(backend.aws, request)
    backend.store.save_task_definition(TaskDefinitionRecord(key, arn, time.time_ns()))
    return arn


async def sweep(backend: Backend) -> None:
    """Deregisters definitions that no container uses and that are older than the retention time."""
    for record in backend.store.task_definitions():
        if await _deregister_unused(backend, record.shape):
            await asyncio.sleep(DEREGISTER_SPACING_S)


async def _deregister_unused(backend: Backend, shape: str) -> bool:
    """Whether this shape's definition was deregistered. Decided under the lock, by the records as they are then."""
    retention_ns = int(backend.config.definition_retention_s * 1e9)
    async with backend.definition_lock:
        used = {container.task_definition_arn for container in backend.store.containers()}
        for record in backend.store.task_definitions():
            unused = record.arn not in used and time.time_ns() - record.last_used_at_ns >= retention_ns
            if record.shape == shape and unused:
                await aws_ecs.deregister_task_definition(backend.aws, record.arn)
                backend.store.delete_task_definition(shape)
                return True
    return False


async def sweep_forever(backend: Backend) -> None:
    """Sweeps every SWEEP_INTERVAL_S, or when woken, until cancelled; what AWS refuses is tried at the next round."""
    while True:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SWEEP_INTERVAL_S):
                await backend.unused_definitions.wait()
        backend.unused_definitions.clear()
        try:
            await sweep(backend)
        except SockerlessError as error:
            log.warning("cannot deregister unused task definitions, trying again: %s", error)
