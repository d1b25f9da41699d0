"""The one poller: batched, patient, never fooled by an error."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from sockerless.backend.poller import Poller
from sockerless.backend.task_watch import MISSING_GRACE_S
from sockerless.ecs.state import TaskView, view
from sockerless.errors import Unavailable


@contextlib.asynccontextmanager
async def running(poller: Poller) -> AsyncIterator[None]:
    task = asyncio.create_task(poller.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class Describe:
    """Answers RUNNING for every known ARN and records what was asked."""

    def __init__(self, known: set[str]) -> None:
        self.known = known
        self.asked: list[list[str]] = []
        self.failures = 0

    async def __call__(self, arns: list[str]) -> dict[str, TaskView]:
        self.asked.append(arns)
        if self.failures:
            self.failures -= 1
            raise Unavailable("throttled")
        return {arn: view({"taskArn": arn, "lastStatus": "RUNNING"}) for arn in arns if arn in self.known}


async def test_all_watched_tasks_are_asked_about_in_one_call() -> None:
    describe = Describe({"a", "b"})
    poller = Poller(describe)
    first, second = poller.watch("a", urgent=True), poller.watch("b", urgent=False)
    async with running(poller), asyncio.timeout(5):
        await asyncio.gather(first.changed(), second.changed())
    assert describe.asked[0] == ["a", "b"]


async def test_nothing_is_asked_while_nothing_is_watched() -> None:
    describe = Describe(set())
    async with running(Poller(describe)):
        await asyncio.sleep(0.3)
    assert describe.asked == []


async def test_an_aws_error_is_asked_again_and_never_means_gone() -> None:
    describe = Describe({"a"})
    describe.failures = 2
    poller = Poller(describe)
    watch = poller.watch("a", urgent=True, known_for_s=MISSING_GRACE_S * 2)
    async with running(poller), asyncio.timeout(10):
        await watch.changed()
    assert watch.view is not None
    assert not watch.gone
    assert len(describe.asked) == 3


async def test_missing_means_gone_only_for_a_task_old_enough() -> None:
    poller = Poller(Describe(set()))
    young, old = poller.watch("a", urgent=True), poller.watch("b", urgent=True, known_for_s=MISSING_GRACE_S * 2)
    async with running(poller), asyncio.timeout(5):
        await asyncio.gather(young.changed(), old.changed())
    assert (young.over, old.over) == (False, True)


async def test_the_pace_slows_down_while_a_start_takes_its_time() -> None:
    describe = Describe({"a"})
    poller = Poller(describe)
    poller.watch("a", urgent=True, known_for_s=4)
    async with running(poller):
        await asyncio.sleep(1.0)
    assert 1 <= len(describe.asked) <= 3
