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
from sockerless.agent.spawn import Spawned, resize, spawn
from sockerless.agent.stdin import Stdin
from sockerless.wire.agent import Exited, Process

NEVER_STARTED = 125


class Conflict(Exception):
    """The request contradicts where the process stands; str() is the reason."""


class Run:
    """One run of the main process. Its output is the journal from start on, up to end once that is known."""

    def __init__(self, process: Process, spawned: Spawned, output: Output) -> None:
        self.process = process
        self.pid = spawned.pid
        self.started_at_ns = spawned.started_at_ns
        self.code = spawned.code
        self.terminal = spawned.terminal
        once = process.stdin_once and not process.tty  # the end of a client is not the end of its terminal
        self.stdin = None if spawned.stdin is None else Stdin(spawned.stdin, once=once)
        self.output = output
        self.end: int | None = None
        self.exited: Exited | None = None

    async def close(self) -> None:
        """Gives up the run's descriptors."""
        if self.stdin is not None:
            await self.stdin.close()
        if self.terminal is not None:
            os.close(self.terminal)
            self.terminal = None


class Lifecycle:
    """The runs and the agent's end. run: the latest run, None before the first."""

    def __init__(
        self, journal: Journal, archive: Archive, own_environment: Mapping[str, str], patience_s: float
    ) -> None:
        self.journal = journal
        self.run: Run | None = None
        self.listeners: set[Callable[[Exited], None]] = set()
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
            kills_before = memory.oom_kills()
            spawned = await spawn(process, self._reaper, self._own_environment)
        finally:
            self._starting = False
        output = Output(self.journal, spawned.outputs, self._archive.notice)
        run = self.run = Run(process, spawned, output)
        self._watching = asyncio.create_task(self._watch(run, kills_before))
        if self._terminated:
            os.kill(run.pid, process.stop_signal)
        self._change()
        return {"pid": run.pid, "started_at_ns": run.started_at_ns}

    async def spawn_beside(self, process: Process) -> Spawned:
        """Runs one more process, which ends with the main one at the latest. Conflict while that does not run."""
        if self.run is None or self.run.code.done():
            raise Conflict("the process is not running")
        return await spawn(process, self._reaper, self._own_environment, beside=True)

    def is_running(self) -> bool:
        """Whether a process runs, or has output that is still being read."""
        return self.run is not None and self.run.exited is None

    def signal(self, number: int) -> None:
        """Sends a signal to the main process. Conflict when none runs."""
        if self.run is None or self.run.code.done():
            raise Conflict("the process is not running")
        os.kill(self.run.pid, number)

    def resize(self, height: int, width: int) -> None:
        """Sets the terminal's size; without a terminal nothing happens, as in Docker. Conflict when none runs."""
        if self.run is None or self.run.code.done():
            raise Conflict("the process is not running")
        if self.run.terminal is not None:
            resize(self.run.terminal, height, width)

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
        self._change()

    async def next_run(self) -> Run | None:
        """The run that is running, or the next one; None when the agent ends before there is one."""
        before = None if self.is_running() else self.run
        while not self._ended and (self.run is None or self.run is before):
            await self.journal.changed()
        return None if self.run is before else self.run

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
        await run.output.settle()
        await run.close()
        run.end = self.journal.end
        run.exited = Exited(code, oom_killed, finished_at_ns, self.journal.last_ns)
        self.journal.wake()
        for listener in list(self.listeners):
            listener(run.exited)
        self._change()

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
