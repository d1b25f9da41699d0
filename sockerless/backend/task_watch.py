"""One watched task: what ECS said of it last, by an answer or by an event.

Knows no queue and makes no call. Law: a view is replaced by a newer version only.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

from sockerless.ecs.state import TaskView

MISSING_GRACE_S = 60.0
"""RunTask's own text asks callers to allow for eventual consistency before believing MISSING."""
_NEVER = float("-inf")


@dataclass(eq=False)
class Watch:
    """One watched task. view is the newest word (None before the first); gone means AWS knows it no longer.

    heard_s: when there was a word of it last, by time.monotonic(). answers: how often ECS was asked since an event.
    """

    arn: str
    urgent: bool
    since_s: float = field(default_factory=time.monotonic)
    view: TaskView | None = None
    gone: bool = False
    heard_s: float = _NEVER
    answers: int = 0
    _told_version: int | None = None
    _described_version: int = 0
    _described_s: float = _NEVER
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        if self.view is not None:
            self.hear()
            self._told_version = self.view.version

    @property
    def over(self) -> bool:
        """Whether the task has stopped or is unknown to ECS."""
        return self.gone or (self.view is not None and self.view.stopped)

    async def changed(self) -> None:
        """Returns at the next word after this call."""
        self._changed.clear()
        await self._changed.wait()

    async def ended(self) -> None:
        """Returns once the task is over."""
        while not self.over:
            await self.changed()

    def hear(self) -> None:
        """Counts the task's silence from now on, with the first patience again."""
        self.heard_s, self.answers = time.monotonic(), 0

    def tell(self, view: TaskView) -> bool:
        """Takes an event; whether it is a new one that brings the events up to what ECS was known to know."""
        new = self._told_version is None or view.version > self._told_version
        self._told_version = max(self._told_version or 0, view.version)
        if self.view is None or view.version > self.view.version:
            self.view = view
            self.hear()
            self._changed.set()
        return new and self._told_version >= self._described_version

    def answer(self, view: TaskView | None) -> None:
        """Takes one DescribeTasks answer; None = MISSING."""
        self.heard_s, self.answers = time.monotonic(), self.answers + 1
        if view is None:
            self.gone = self.gone or self.heard_s - self.since_s > MISSING_GRACE_S
        else:
            self._describe(view)
        self._changed.set()

    def overdue(self, grace_s: float) -> bool:
        """Whether grace_s after an answer no event has told yet of the change that the answer knew of."""
        behind = self._told_version is not None and self._told_version < self._described_version
        return behind and time.monotonic() - self._described_s > grace_s

    def _describe(self, view: TaskView) -> None:
        if self._told_version is None:
            self._told_version = view.version
        if view.version > self._described_version:
            self._described_version, self._described_s = view.version, self.heard_s
        if self.view is None or view.version >= self.view.version:
            self.view = view
