"""Making sure that a task whose container is done really stops: nobody pays for a task that nobody needs."""

from __future__ import annotations

import asyncio
from functools import partial

from sockerless.aws import ecs as aws_ecs
from sockerless.backend import retry
from sockerless.backend.context import Backend, spawn
from sockerless.backend.task_watch import Watch
from sockerless.ecs.state import OWN_REASON

PATIENCE_S = 90.0
"""How long an agent that has left may take until ECS says STOPPED, before StopTask is called."""


async def ensure(backend: Backend, watch: Watch) -> None:
    """Returns when ECS says that the task has stopped; asks for it with StopTask once PATIENCE_S are over."""
    backend.poller.set_urgent(watch, False)
    try:
        async with asyncio.timeout(PATIENCE_S):
            await watch.ended()
    except TimeoutError:
        await _stop_surely(backend, watch.arn, "its container is done")
        await watch.ended()


async def stop(backend: Backend, arn: str, reason: str) -> None:
    """StopTask; does nothing for a task that ECS knows no longer."""
    await aws_ecs.stop_task(backend.aws, backend.config.cluster, arn, OWN_REASON + reason)


def stop_behind(backend: Backend, arn: str, reason: str) -> None:
    """StopTask in the background, again until AWS has heard it; after a restart, reconcile stops what is left."""
    work = asyncio.create_task(_stop_surely(backend, arn, reason), name=f"stop {arn.rpartition('/')[2]}")
    spawn(backend, work)


async def _stop_surely(backend: Backend, arn: str, reason: str) -> None:
    await retry.until_done(partial(stop, backend, arn, reason), f"stop task {arn}")
