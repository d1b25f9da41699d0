"""Task definitions by shape: found, registered once, deregistered when no container has used them for long enough.

Law: registering and deregistering share a budget of one call a second (facts: ECS API throttle buckets), so equal
shapes share one definition and definitions outlive containers.
"""

from __future__ import annotations

import asyncio
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


async def ensure(backend: Backend, shape: Shape) -> str:
    """The ARN of the active definition for this shape: the one on record, one that ECS has, or a new one."""
    key = shape_hash(shape)
    async with backend.definition_lock:
        for record in backend.store.task_definitions():
            if record.shape == key:
                backend.store.save_task_definition(replace(record, last_used_at_ns=time.time_ns()))
                return record.arn
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
    own_tags = tags.definition_tags(backend.store.installation_id(), key)
    request = task_definition(shape, backend.config.cluster, own_tags)
    arn = await aws_ecs.register_task_definition(backend.aws, request)
    backend.store.save_task_definition(TaskDefinitionRecord(key, arn, time.time_ns()))
    return arn


async def sweep(backend: Backend) -> None:
    """Deregisters definitions that no container uses and that are older than the retention time."""
    retention_ns = int(backend.config.definition_retention_s * 1e9)
    async with backend.definition_lock:
        used = {container.task_definition_arn for container in backend.store.containers()}
        for record in backend.store.task_definitions():
            if record.arn in used or time.time_ns() - record.last_used_at_ns < retention_ns:
                continue
            await aws_ecs.deregister_task_definition(backend.aws, record.arn)
            backend.store.delete_task_definition(record.shape)
            await asyncio.sleep(DEREGISTER_SPACING_S)


async def sweep_forever(backend: Backend) -> None:
    """Sweeps every SWEEP_INTERVAL_S until cancelled; what AWS refuses is tried again at the next round."""
    while True:
        await asyncio.sleep(SWEEP_INTERVAL_S)
        try:
            await sweep(backend)
        except SockerlessError as error:
            log.warning("cannot deregister unused task definitions, trying again: %s", error)
