"""The one poller: DescribeTasks for every task somebody watches, 100 to a call.

Laws: nothing else polls tasks; an AWS error is logged and asked again, it never reads as "the task is gone"; a task
is gone only when AWS says MISSING and the task is old enough for AWS to know it (DescribeTasks may lag RunTask).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from sockerless.ecs.state import TaskView
from sockerless.errors import SockerlessError

log = logging.getLogger(__name__)

STEADY_INTERVAL_S = 30.0
FIRST_INTERVAL_S = 0.1
LARGEST_URGENT_INTERVAL_S = 1.0
GROWTH = 0.15
"""An urgent task of age t is asked about every GROWTH * t seconds, between FIRST and LARGEST: about 30 calls for a
15 s Fargate start, whatever the number of tasks starting together (up to 100)."""
MISSING_GRACE_S = 60.0
"""RunTask's own text asks callers to allow for eventual consistency before believing MISSING."""


class DescribesTasks(Protocol):
    """Where views come from: all asked tasks that AWS knows, by ARN; errors raise."""

    async def __call__(self, arns: list[str]) -> dict[str, TaskView]: ...


@dataclass(eq=False)
class Watch:
    """One watched task. view is the newest answer (None before the first); gone means AWS knows it no longer."""

    arn: str
    urgent: bool
    since_s: float = field(default_factory=time.monotonic)
    view: TaskView | None = None
    gone: bool = False
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def over(self) -> bool:
        """Whether the task has stopped or is unknown to ECS."""
        return self.gone or (self.view is not None and self.view.stopped)

    async def changed(self) -> None:
        """Returns at the next answer after this call."""
        self._changed.clear()
        await self._changed.wait()

    def answer(self, view: TaskView | None) -> None:
        """Takes one DescribeTasks answer; None = MISSING."""
        if view is not None:
            self.view = view
        elif time.monotonic() - self.since_s > MISSING_GRACE_S:
            self.gone = True
        self._changed.set()


class Poller:
    """Owns the polling loop. watch() and unwatch() may be called at any time; run() is one task of the daemon."""

    def __init__(self, describe: DescribesTasks) -> None:
        self._describe = describe
        self._watches: set[Watch] = set()
        self._wake = asyncio.Event()

    def watch(self, arn: str, *, urgent: bool, known_for_s: float = 0.0) -> Watch:
        """Starts asking about a task; urgent while somebody waits for it. known_for_s: age of an adopted task."""
        watch = Watch(arn, urgent, since_s=time.monotonic() - known_for_s)
        self._watches.add(watch)
        if urgent:
            self._wake.set()
        return watch

    def set_urgent(self, watch: Watch, urgent: bool) -> None:
        """Changes how often a watched task is asked about."""
        if urgent and not watch.urgent:
            watch.urgent = True
            self._wake.set()
        watch.urgent = urgent

    def unwatch(self, watch: Watch) -> None:
        """Stops asking; harmless when it is not watched."""
        self._watches.discard(watch)

    async def run(self) -> None:
        """Polls until cancelled."""
        failures = 0
        while True:
            try:
                async with asyncio.timeout(self._interval_s() * 2**failures):  # wait_for may swallow a cancellation
                    await self._wake.wait()
            except TimeoutError:
                pass
            else:
                await asyncio.sleep(FIRST_INTERVAL_S)
            self._wake.clear()
            try:
                await self.ask(self._watches)
                failures = 0
            except SockerlessError as error:
                failures = min(failures + 1, 5)
                log.warning("cannot ask ECS about tasks, trying again: %s", error)

    async def ask(self, watches: Iterable[Watch]) -> None:
        """Asks once about these watches and answers each; raises what AWS raises."""
        asked = list(watches)
        if not asked:
            return
        views = await self._describe(sorted({watch.arn for watch in asked}))
        for watch in asked:
            watch.answer(views.get(watch.arn))

    def _interval_s(self) -> float:
        now = time.monotonic()
        ages = [now - watch.since_s for watch in self._watches if watch.urgent]
        if not ages:
            return STEADY_INTERVAL_S
        return min(max(min(ages) * GROWTH, FIRST_INTERVAL_S), LARGEST_URGENT_INTERVAL_S)
