"""One run of the main process: its descriptors, its health check, and whether it is paused."""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable

from sockerless.agent.health import HealthMonitor
from sockerless.agent.output import Output
from sockerless.agent.pause import Freezer
from sockerless.agent.spawn import Spawned
from sockerless.agent.stdin import Stdin
from sockerless.wire.agent import Exited, Process
from sockerless.wire.agent_health import HealthReport


class Conflict(Exception):
    """The request contradicts where the process stands; str() is the reason."""


class Run:
    """One run of the main process, number counted from 1. Its output is in the journal."""

    def __init__(self, number: int, process: Process, spawned: Spawned, output: Output) -> None:
        self.number = number
        self.process = process
        self.pid = spawned.pid
        self.started_at_ns = spawned.started_at_ns
        self.code = spawned.code
        self.terminal = spawned.terminal
        once = process.stdin_once and not process.tty  # the end of a client is not the end of its terminal
        self.stdin = None if spawned.stdin is None else Stdin(spawned.stdin, once=once)
        self.output = output
        self.health: HealthMonitor | None = None
        self.exited: Exited | None = None
        self._freezer = Freezer()

    @property
    def paused(self) -> bool:
        """Whether the container's processes are stopped, or about to be."""
        return self._freezer.paused and not self.code.done()

    def watch_health(
        self, spawn: Callable[[Process], Awaitable[Spawned]], report: Callable[[HealthReport], None]
    ) -> None:
        """Begins the health check that the process came with, if any."""
        check = self.process.healthcheck
        if check is not None:
            self.health = HealthMonitor(self.process, check, self.started_at_ns, spawn, report)
            self.health.start()

    def signal(self, number: int) -> None:
        """Sends a signal to the process, which gets it once it runs; a paused one goes on by unpause() only."""
        if not (self.paused and number == signal.SIGCONT):
            os.kill(self.pid, number)

    async def pause(self) -> None:
        """Returns once nothing of the container runs. Conflict when it is paused already, or ends meanwhile."""
        if self.paused:
            raise Conflict("the process is paused already")
        if self.health is not None:
            await self.health.stop()
        try:
            await self._freezer.pause()
        finally:
            self._go_on()
        if self.code.done():
            raise Conflict("the process is not running")

    def unpause(self) -> None:
        """Lets everything go on. Conflict when nothing is paused."""
        if not self.paused:
            raise Conflict("the process is not paused")
        self._freezer.unpause()
        self._go_on()

    def _go_on(self) -> None:
        if self.health is not None and not self._freezer.paused and not self.code.done():
            self.health.start()

    async def close(self) -> None:
        """Gives up the run's descriptors."""
        if self.stdin is not None:
            await self.stdin.close()
        if self.terminal is not None:
            os.close(self.terminal)
            self.terminal = None
