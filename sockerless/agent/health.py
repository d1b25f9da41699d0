"""Health checks: the container's own probe, run again and again beside its main process, and what its results mean.

Owns when a probe runs, how long it may take and what a result does to the status. The rules are moby's
(daemon/health.go, 27): failures within the start period do not count, a pause ends the probe under way and leaves
the status unhealthy until the next success.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

from sockerless.agent.child import StartRefused
from sockerless.agent.descriptors import READ_BYTES
from sockerless.agent.spawn import Spawned
from sockerless.wire.agent import Process
from sockerless.wire.agent_health import (
    LOG_ENTRIES,
    MAX_OUTPUT_BYTES,
    HealthCheck,
    HealthReport,
    HealthStatus,
    Probe,
    go_duration,
)

SETTLE_S = 0.5
NOT_RUN = -1
_NS = 1_000_000_000


class HealthMonitor:
    """Probes from start() on until stop(); every result goes to report."""

    def __init__(
        self,
        process: Process,
        check: HealthCheck,
        started_at_ns: int,
        spawn: Callable[[Process], Awaitable[Spawned]],
        report: Callable[[HealthReport], None],
    ) -> None:
        self._check = check
        self._process = replace(process, argv=check.argv, tty=False, open_stdin=False, healthcheck=None)
        self._started_at_ns = started_at_ns
        self._spawn = spawn
        self._tell = report
        self._watching: asyncio.Task[None] | None = None
        self.state = HealthReport("starting", 0)

    def start(self) -> None:
        """Begins (or goes on) probing, an interval from now."""
        self._watching = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """Ends the probing and the probe under way. What is not watched counts as unhealthy, as in moby."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait([self._watching])
            self._watching = None
        self.state = replace(self.state, status="unhealthy")

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._pause_s())
            self.state = after(self.state, await self._probe(), self._check, self._started_at_ns)
            self._tell(self.state)

    def _pause_s(self) -> float:
        settling = time.time_ns() - self._started_at_ns < self._check.start_period_ns
        starting = settling and self.state.status == "starting"
        return (self._check.start_interval_ns if starting else self._check.interval_ns) / _NS

    async def _probe(self) -> Probe:
        start_ns = time.time_ns()
        try:
            spawned = await self._begin()
        except StartRefused as refused:
            return Probe(start_ns, time.time_ns(), NOT_RUN, refused.message)
        except OSError as error:
            return Probe(start_ns, time.time_ns(), NOT_RUN, f"{error.strerror or error}")
        output = ProbeOutput(list(spawned.outputs))
        try:
            async with asyncio.timeout(self._check.timeout_ns / _NS):
                code = await asyncio.shield(spawned.code)
            await output.settle()
            return Probe(start_ns, time.time_ns(), code, output.text())
        except TimeoutError:
            said = f": {output.text()}" if output.text() else ""
            late = f"Health check exceeded timeout ({go_duration(self._check.timeout_ns)}){said}"
            return Probe(start_ns, time.time_ns(), NOT_RUN, late)
        finally:
            await _end(spawned)
            output.close()

    async def _begin(self) -> Spawned:
        """The started probe. One that starts while the monitor is being stopped is ended, not forgotten."""
        beginning = asyncio.ensure_future(self._spawn(self._process))
        try:
            return await asyncio.shield(beginning)
        except asyncio.CancelledError:
            await asyncio.wait([beginning])
            if beginning.exception() is None:
                await _end(beginning.result())
                for descriptor in beginning.result().outputs:
                    os.close(descriptor)
            raise


class ProbeOutput:
    """What a probe writes, both streams as they come; of a long one the beginning, the rest is read and dropped."""

    def __init__(self, descriptors: list[int]) -> None:
        self._loop = asyncio.get_running_loop()
        self._open = set(descriptors)
        self._kept = bytearray()
        self._cut = False
        self._ended = asyncio.Event()
        for descriptor in descriptors:
            self._loop.add_reader(descriptor, self._read, descriptor)

    def text(self) -> str:
        """The output so far."""
        return self._kept.decode(errors="replace") + ("..." if self._cut else "")

    async def settle(self) -> None:
        """Returns once the output has ended, or after SETTLE_S: what the probe left running may hold it open."""
        try:
            await asyncio.wait_for(self._ended.wait(), SETTLE_S)
        except TimeoutError:
            return

    def close(self) -> None:
        """Gives up the descriptors."""
        for descriptor in list(self._open):
            self._end(descriptor)

    def _read(self, descriptor: int) -> None:
        try:
            data = os.read(descriptor, READ_BYTES)
        except BlockingIOError:
            return
        if not data:
            self._end(descriptor)
        room = MAX_OUTPUT_BYTES - len(self._kept)
        self._kept += data[:room]
        self._cut = self._cut or len(data) > room

    def _end(self, descriptor: int) -> None:
        self._loop.remove_reader(descriptor)
        self._open.discard(descriptor)
        os.close(descriptor)
        if not self._open:
            self._ended.set()


async def _end(spawned: Spawned) -> None:
    """Kills a probe that still runs, with all of its process group (it leads its own)."""
    if not spawned.code.done():
        os.killpg(spawned.pid, signal.SIGKILL)
        await spawned.code


def after(state: HealthReport, probe: Probe, check: HealthCheck, started_at_ns: int) -> HealthReport:
    """What a result makes of a state."""
    log = [*state.log, probe][-LOG_ENTRIES:]
    if probe.exit_code == 0:
        return HealthReport("healthy", 0, log)
    if state.status == "starting" and probe.start_ns - started_at_ns < check.start_period_ns:
        return HealthReport("starting", state.failing_streak, log)
    streak = state.failing_streak + 1
    status: HealthStatus = "unhealthy" if streak >= check.retries else state.status
    return HealthReport(status, streak, log)
