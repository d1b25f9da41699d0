"""The one poller: DescribeTasks for every task somebody watches, 100 to a call.

Where a queue tells of task changes (task_events.py), DescribeTasks only reconciles: now and then, and when a task that
somebody waits for has been silent for long. Laws: nothing else polls tasks; an AWS error is logged and asked again, it
never reads as "the task is gone"; a task is gone only when AWS says MISSING and the task is old enough for AWS to know
it (DescribeTasks may lag RunTask); of two answers the one with the higher version is the newer, whichever came first.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from sockerless.backend.task_watch import Watch
from sockerless.ecs.state import TaskView
from sockerless.errors import SockerlessError

log = logging.getLogger(__name__)

STEADY_INTERVAL_S = 30.0
FIRST_INTERVAL_S = 0.1
LARGEST_URGENT_INTERVAL_S = 1.0
GROWTH = 0.15
"""An urgent task of age t is asked about every GROWTH * t seconds, between FIRST and LARGEST: about 30 calls for a
15 s Fargate start, whatever the number of tasks starting together (up to 100)."""
JITTER = 0.2
"""Reconciling comes up to this share earlier or later, so that several daemons do not ask together."""
MOST_UNCLAIMED = 500
"""Tasks that nobody watches (yet) whose last event is kept: an event may come before RunTask's answer."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Where events tell: how long a task may be silent until ECS is asked about it, doubling with each answer.

    urgent_s, at first, of a task that somebody waits for; most_s of any. event_s: how long an event may take after
    ECS was known to know of the change, before events count as missing.
    """

    most_s: float = 300.0
    urgent_s: float = 20.0
    event_s: float = 15.0

    def silence_s(self, watch: Watch) -> float:
        """How long this task may be silent."""
        first_s = self.urgent_s if watch.urgent else self.most_s
        return min(first_s * (1 << min(watch.answers, 10)), self.most_s)


PATIENCE = Patience()


class DescribesTasks(Protocol):
    """Where views come from: all asked tasks that AWS knows, by ARN; errors raise."""

    async def __call__(self, arns: list[str]) -> dict[str, TaskView]: ...


class Poller:
    """Owns the polling loop. watch() and unwatch() may be called at any time; run() is one task of the daemon."""

    def __init__(self, describe: DescribesTasks, patience: Patience = PATIENCE) -> None:
        self._describe, self._patience = describe, patience
        self._watches: set[Watch] = set()
        self._unclaimed: dict[str, TaskView] = {}
        self._wake = asyncio.Event()
        self._queue_answers = False
        self._events_missing = False
        self._asked_s = time.monotonic()
        self._spread = 1.0

    @property
    def told(self) -> bool:
        """Whether events tell of task changes now, so that ECS need not be asked."""
        return self._queue_answers and not self._events_missing

    def watch(self, arn: str, *, urgent: bool, known_for_s: float = 0.0, view: TaskView | None = None) -> Watch:
        """Starts to follow a task; urgent while somebody waits for it.

        known_for_s: age of an adopted task. view: what ECS has just said of it; without one, ECS is asked soon.
        """
        watch = Watch(arn, urgent, since_s=time.monotonic() - known_for_s, view=view)
        self._watches.add(watch)
        if told := self._unclaimed.pop(arn, None):
            watch.tell(told)
        if urgent:
            self._wake.set()
        return watch

    def set_urgent(self, watch: Watch, urgent: bool) -> None:
        """Changes how often a watched task is asked about."""
        if urgent and not watch.urgent:
            watch.hear()
            self._wake.set()
        watch.urgent = urgent

    def unwatch(self, watch: Watch) -> None:
        """Stops following; harmless when it is not watched."""
        self._watches.discard(watch)

    def take(self, view: TaskView) -> None:
        """Takes what an event told of a task; an old or repeated event changes nothing."""
        watched = [watch for watch in self._watches if watch.arn == view.arn]
        if not watched:
            self._keep_unclaimed(view)
        for watch in watched:
            if watch.tell(view) and self._events_missing:
                log.info("task events come again")
                self._events_missing = False

    def queue_answers(self, answers: bool) -> None:
        """Whether the queue of events can be read now."""
        if self._queue_answers != answers:
            self._queue_answers = answers
            self._wake.set()

    async def run(self) -> None:
        """Polls until cancelled."""
        failures = 0
        while True:
            await self._until_due(failures)
            try:
                await self.ask(self._watches)
                failures = 0
            except SockerlessError as error:
                failures = min(failures + 1, 5)
                log.warning("cannot ask ECS about tasks, trying again: %s", error)
            self._asked_s = time.monotonic()
            self._spread = random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - spreads load, guards nothing

    async def ask(self, watches: Iterable[Watch]) -> None:
        """Asks once about these watches and answers each; raises what AWS raises."""
        asked = list(watches)
        if not asked:
            return
        views = await self._describe(sorted({watch.arn for watch in asked}))
        for watch in asked:
            watch.answer(views.get(watch.arn))
        overdue = sorted(watch.arn for watch in asked if watch.overdue(self._patience.event_s))
        if overdue and self.told:
            self._events_missing = True
            log.warning(
                "no event has told of a change of %s that ECS knew before: asking ECS about tasks until events come "
                "again; check the EventBridge rule and its queue's policy, and that no other daemon reads that queue",
                overdue[0],
            )

    def _keep_unclaimed(self, view: TaskView) -> None:
        known = self._unclaimed.pop(view.arn, None)
        self._unclaimed[view.arn] = known if known is not None and known.version >= view.version else view
        if len(self._unclaimed) > MOST_UNCLAIMED:
            del self._unclaimed[next(iter(self._unclaimed))]

    async def _until_due(self, failures: int) -> None:
        """Returns when ECS is to be asked again."""
        while (wait_s := self._due_in_s(failures)) > 0:
            try:
                async with asyncio.timeout(wait_s):
                    await self._wake.wait()
            except TimeoutError:
                continue
            self._wake.clear()
            if not self.told:
                await asyncio.sleep(FIRST_INTERVAL_S)
                break
        self._wake.clear()

    def _due_in_s(self, failures: int) -> float:
        now_s = time.monotonic()
        since_asked_s = now_s - self._asked_s
        if not self.told or failures:
            return self._interval_s() * (1 << failures) - since_asked_s
        silences = (self._patience.silence_s(watch) * self._spread - (now_s - watch.heard_s) for watch in self._watches)
        return min(silences, default=self._patience.most_s)

    def _interval_s(self) -> float:
        now = time.monotonic()
        ages = [now - watch.since_s for watch in self._watches if watch.urgent]
        if not ages:
            return STEADY_INTERVAL_S
        return min(max(min(ages) * GROWTH, FIRST_INTERVAL_S), LARGEST_URGENT_INTERVAL_S)
