"""The container's life as the agent sees it: waiting, running, exited and lingering, perhaps running again, over.

Owns the main process's runs, who hears of an exit, and when the agent may go and with which code. Knows the verbs of
wire/agent.py but no connection.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Mapping
from typing import Any

from sockerless.agent import memory
from sockerless.agent.archive import Archive
from sockerless.agent.journal import Journal
from sockerless.agent.output import Output
from sockerless.agent.reaper import Reaper
from sockerless.agent.run import Conflict, Run
from sockerless.agent.spawn import Spawned, resize, spawn
from sockerless.wire.agent import Exited, Process
from sockerless.wire.agent_health import HealthReport

NEVER_STARTED = 125


class Lifecycle:
    """The runs and the agent's end. run: the latest run, None before the first. born_ns: before any run."""

    def __init__(
        self, journal: Journal, archive: Archive, own_environment: Mapping[str, str], patience_s: float
    ) -> None:
        self.born_ns = time.time_ns()
        self.journal = journal
        self.run: Run | None = None
        self._ends: list[int] = []
        self.listeners: set[Callable[[Exited | HealthReport], None]] = set()
        self._archive = archive
        self._reaper = Reaper()
        self._own_environment = own_environment
        self._patience_s = patience_s
        self._starting = False
        self._finish = False
        self._ended = False
        self._terminated = 0
        self._changed = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None

    def install_signals(self, loop: asyncio.AbstractEventLoop) -> None:
        """Takes on PID 1's duties: reaping, and passing on whatever signal asks the container to stop."""
        self._reaper.install(loop)
        for number in signal.valid_signals() - _NOT_FOR_US:
            loop.add_signal_handler(number, self.terminate, number)

    async def start(self, process: Process) -> dict[str, Any]:
        """Runs process; the reply of "start". Conflict while one runs, StartRefused when it cannot be run."""
        if self._starting or self.is_running():
            raise Conflict("the process is already running")
        if self._finish or self._terminated:
            raise Conflict("the agent is ending")
        self._starting = True
        try:
            kills_before, position = memory.oom_kills(), self.journal.end
            spawned = await spawn(process, self._reaper, self._own_environment)
        finally:
            self._starting = False
        output = Output(self.journal, spawned.outputs, self._archive.notice)
        run = self.run = Run(len(self._ends) + 1, process, spawned, output)
        run.watch_health(self._spawn_beside, self._tell)
        self._watching = asyncio.create_task(self._watch(run, kills_before))
        if self._terminated:
            os.kill(run.pid, process.stop_signal)
        self._change()
        return {"pid": run.pid, "started_at_ns": run.started_at_ns, "run": run.number, "position": position}

    async def spawn_beside(self, process: Process) -> Spawned:
        """Runs one more process, which ends with the main one at the latest. Conflict while that does not run."""
        if self.running().paused:
            raise Conflict("the process is paused")
        return await self._spawn_beside(process)

    async def _spawn_beside(self, process: Process) -> Spawned:
        return await spawn(process, self._reaper, self._own_environment, beside=True)

    def running(self) -> Run:
        """The run that is on. Conflict when none is."""
        if self.run is None or self.run.code.done():
            raise Conflict("the process is not running")
        return self.run

    def is_running(self) -> bool:
        """Whether a process runs, or has output that is still being read."""
        return self.run is not None and self.run.exited is None

    def signal(self, number: int) -> None:
        """Sends a signal to the main process. Conflict when none runs."""
        self.running().signal(number)

    def resize(self, height: int, width: int) -> None:
        """Sets the terminal's size; without a terminal nothing happens, as in Docker. Conflict when none runs."""
        run = self.running()
        if run.terminal is not None:
            resize(run.terminal, height, width)

    def finish(self) -> None:
        """Ends the linger, or an agent that never started anything. Conflict while a process runs."""
        if self._starting or self.is_running():
            raise Conflict("the process is running")
        self._finish = True
        self._change()

    def terminate(self, number: int) -> None:
        """Somebody asks the whole container to stop: the process gets its stop signal, the agent ends with it."""
        self._archive.notice(f"received {_name(number)}, ending")
        self._terminated = number
        if self.run is not None and not self.run.code.done():
            os.kill(self.run.pid, self.run.process.stop_signal)
            if self.run.paused:
                self.run.unpause()
        self._change()

    @property
    def live_run(self) -> int:
        """The number of the run that is on or, between runs, of the next one."""
        return len(self._ends) + 1

    @property
    def told_run(self) -> int:
        """The number of the latest run there is something to tell of; 1 before the first."""
        return self.run.number if self.run is not None else 1

    def end_of(self, number: int) -> int | None:
        """Where a run's output ends in the journal, None while it has not ended."""
        return self._ends[number - 1] if number <= len(self._ends) else None

    async def begun(self, number: int) -> Run | None:
        """The latest run, once that is the one of this number or a later one; None when the agent ends before."""
        while self.run is None or self.run.number < number:
            if self._ended:
                return None
            await self.journal.changed()
        return self.run

    def end(self) -> None:
        """Tells those who wait for another run that there is none."""
        self._ended = True
        self.journal.wake()

    async def live(self) -> int:
        """Returns the agent's exit code once it may go."""
        waiting_until: float | None = asyncio.get_running_loop().time() + self._patience_s
        while True:
            self._changed.clear()
            if not (self._starting or self.is_running()):
                code = self.run.exited.code if self.run and self.run.exited else 0
                if self._terminated:
                    return code if self.run else 128 + self._terminated
                if self._finish:
                    return code
            try:
                async with asyncio.timeout_at(self._deadline(waiting_until)):
                    await self._changed.wait()
            except TimeoutError:
                self._finish = True  # from now on no run begins
                if self.run is not None and self.run.exited is not None:
                    return self.run.exited.code
                self._archive.notice(f"nobody started a process within {self._patience_s:g} s, giving up")
                return NEVER_STARTED

    def _deadline(self, waiting_until: float | None) -> float | None:
        """The loop's time at which the agent gives up waiting; None while it must not."""
        if self._starting or self.is_running():
            return None
        if self.run is None or self.run.exited is None:
            return waiting_until
        since_exit_s = (time.time_ns() - self.run.exited.finished_at_ns) / 1e9
        return asyncio.get_running_loop().time() + max(0.0, self.run.process.linger_s - since_exit_s)

    async def _watch(self, run: Run, kills_before: int) -> None:
        code = await run.code
        finished_at_ns = time.time_ns()
        oom_killed = code == 128 + signal.SIGKILL and memory.oom_kills() > kills_before
        _end_all_processes()
        if run.health is not None:
            await run.health.stop()
        await run.output.settle()
        await run.close()
        self._ends.append(self.journal.end)
        run.exited = Exited(code, oom_killed, finished_at_ns, self.journal.last_ns, run.started_at_ns)
        self.journal.wake()
        self._tell(run.exited)
        self._change()

    def _tell(self, news: Exited | HealthReport) -> None:
        for listener in list(self.listeners):
            listener(news)

    def _change(self) -> None:
        self._changed.set()
        self.journal.wake()


_NOT_FOR_US = {
    signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD, signal.SIGPIPE, signal.SIGSEGV, signal.SIGBUS, signal.SIGILL,
    signal.SIGFPE, signal.SIGABRT, signal.SIGTRAP, signal.SIGSYS, signal.SIGTTIN, signal.SIGTTOU, signal.SIGTSTP,
    signal.SIGCONT, signal.SIGURG, signal.SIGIO, signal.SIGALRM, signal.SIGVTALRM, signal.SIGPROF,
}  # fmt: skip
"""Signals that are not a request to stop: they tell of our own faults, or are ignored by PID 1 anyway."""


def _end_all_processes() -> None:
    """A container whose main process ended has no processes, so PID 1 kills what is left; elsewhere it may not."""
    if os.getpid() == 1:
        try:
            os.kill(-1, signal.SIGKILL)
        except ProcessLookupError:
            return


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
