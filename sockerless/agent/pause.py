"""Pausing: every process of the container but the agent is stopped until it is unpaused.

Fargate offers no freezer, so this is SIGSTOP, sent again until nothing runs: a process may fork while the others are
being stopped. What had been stopped before stays so afterwards. Parents stop before and go on after their children,
so that a shell's job control sees nothing. Source: signal(7), proc(5); wait_for_vfork_done in Linux's kernel/fork.c.
"""

from __future__ import annotations

import asyncio
import os
import signal

from sockerless.agent.processes import Process, parse_stat, processes, read

TIMEOUT_S = 10.0
ROUND_S = 0.002
_STOPPED, _GONE, _WAITING = frozenset("Tt"), frozenset("ZX"), "D"
_STOP_BIT = 1 << (signal.SIGSTOP - 1)


class Freezer:
    """Whether the processes are paused, and which ones were stopped by others before."""

    def __init__(self) -> None:
        self.paused = False
        self._stopped_before: set[tuple[int, int]] = set()

    async def pause(self) -> None:
        """Returns once nothing runs. TimeoutError, and everything running again, when that does not come about."""
        self.paused = True
        self._stopped_before = {_key(process) for process in processes() if process.state in _STOPPED}
        try:
            async with asyncio.timeout(TIMEOUT_S):
                while self.paused and (running := [process for process in processes() if _runs(process.pid)]):
                    for process in running:
                        _send(process, signal.SIGSTOP)
                    await asyncio.sleep(ROUND_S)
        except TimeoutError:
            self.unpause()
            raise TimeoutError(f"something still runs after {TIMEOUT_S:g} s") from None
        except OSError:
            self.unpause()
            raise

    def unpause(self) -> None:
        """Lets everything go on that pause() stopped."""
        for process in reversed(processes()):
            if _key(process) not in self._stopped_before:
                _send(process, signal.SIGCONT)
        self.paused = False


def _key(process: Process) -> tuple[int, int]:
    return process.pid, process.start


def _runs(pid: int) -> bool:
    """Whether any of the process's threads may still run its program."""
    return any(not _stands_still(f"/proc/{pid}/task/{thread}") for thread in _threads(pid))


def _threads(pid: int) -> list[str]:
    try:
        return os.listdir(f"/proc/{pid}/task")
    except (FileNotFoundError, ProcessLookupError):
        return []


def _stands_still(thread: str) -> bool:
    """Whether a thread is stopped, gone, or in the kernel until it stops.

    The parent of a vfork waits there for its child, which may have been stopped before it could go its own way.
    """
    stat = read(f"{thread}/stat")
    state = parse_stat(stat).state if stat else "X"
    return state in _STOPPED or state in _GONE or (state == _WAITING and _will_stop(read(f"{thread}/status")))


def _will_stop(status: str) -> bool:
    masks = (line.split()[1] for line in status.splitlines() if line.startswith(("SigPnd:", "ShdPnd:")))
    return any(int(mask, 16) & _STOP_BIT for mask in masks)


def _send(process: Process, number: int) -> None:
    try:
        os.kill(process.pid, number)
    except ProcessLookupError:
        return
