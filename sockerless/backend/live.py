"""The live side of a container: what exists only while this daemon runs (link, attached clients, waiters).

Everything here can be lost at any instant and rebuilt from the store, ECS and the agent.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import NamedTuple

from sockerless.backend.agent_link import AgentLink
from sockerless.backend.attachment import Attachment
from sockerless.backend.exec_instance import ExecInstance, Execs
from sockerless.backend.port_listener import PortListener
from sockerless.errors import SockerlessError


class WaitResult(NamedTuple):
    """What `docker wait` is told: the exit code and, when the container could not be waited for, why."""

    status_code: int
    error: str | None = None


@dataclass(eq=False)
class Live:
    """One container's live side.

    lock: held by the verb that changes the container (start, stop, restart, rename, rm), one at a time.
    starting: held from the agent's start request until the record says running; exits are settled under it.
    link: the agent's control link while it is up; link_error: why there is none, when that is known. latest: the last
    link there was, over whose address streams are opened again while it is down.
    attachments: clients attached now, before and after the start, execs' clients too.
    listeners: its published ports, open while the process runs.
    restart_pause_s: what the restart policy waited before the last run, 0 when that was not its doing.
    restarting: a restart is under way, so the exit is not the end that auto-remove waits for.
    """

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    starting: asyncio.Lock = field(default_factory=asyncio.Lock)
    link: AgentLink | None = None
    link_error: SockerlessError | None = None
    supervisor: asyncio.Task[None] | None = None
    attachments: set[Attachment] = field(default_factory=set)
    execs: Execs = field(default_factory=Execs)
    exit_waiters: set[asyncio.Future[WaitResult]] = field(default_factory=set)
    removal_waiters: set[asyncio.Future[WaitResult]] = field(default_factory=set)
    restarting: bool = False
    restart_pause_s: float = 0.0
    listeners: list[PortListener] = field(default_factory=list)
    link_changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    latest: AgentLink | None = None

    async def set_link(self, link: AgentLink | None, error: SockerlessError | None = None) -> None:
        """Publishes the link, its loss (None), or why there is none (error)."""
        async with self.link_changed:
            if link is not None:
                if self.latest is not None and self.latest is not link:
                    self.latest.retire()
                self.latest = link
            self.link, self.link_error = link, error
            self.link_changed.notify_all()

    async def linked(self, *, other_than: AgentLink | None = None) -> AgentLink:
        """The link, once there is one; raises why there is none when that is known. Bounded by the caller.

        other_than: a link that broke, perhaps before that was published.
        """

        def settled() -> bool:
            return self.link_error is not None or (self.link is not None and self.link is not other_than)

        async with self.link_changed:
            await self.link_changed.wait_for(settled)
            if self.link is None:
                raise self.link_error or AssertionError("woken without a link and without an error")
            return self.link

    async def has_link(self) -> None:
        """Returns once there is a link, whatever was before. Bounded by the caller."""
        async with self.link_changed:
            await self.link_changed.wait_for(lambda: self.link is not None)

    def complete_exit(self, result: WaitResult) -> None:
        """Answers everybody who waits for the exit."""
        _answer(self.exit_waiters, result)

    def complete_removal(self, result: WaitResult) -> None:
        """Answers everybody who waits for anything: the container is gone."""
        _answer(self.exit_waiters, result)
        _answer(self.removal_waiters, result)


def _answer(waiters: set[asyncio.Future[WaitResult]], result: WaitResult) -> None:
    for waiter in waiters:
        if not waiter.done():
            waiter.set_result(result)
    waiters.clear()


class Lives:
    """The live side of every container, made on first use and dropped at removal."""

    def __init__(self) -> None:
        self._by_id: dict[str, Live] = {}

    def of(self, container_id: str) -> Live:
        """This container's live side."""
        return self._by_id.setdefault(container_id, Live())

    def exec_instance(self, exec_id: str) -> ExecInstance | None:
        """The exec of this id, whichever container it belongs to."""
        return next((found for live in self._by_id.values() if (found := live.execs.get(exec_id))), None)

    def drop(self, container_id: str) -> None:
        """Forgets a removed container's live side."""
        self._by_id.pop(container_id, None)
