"""PID 1's duty: every child that ends is reaped, ours and the orphans that the kernel hands us.

Owns waitpid; nothing else in the agent may call it, or a code would be lost to a race.
"""

from __future__ import annotations

import asyncio
import os
import signal


class Reaper:
    """Reaps on SIGCHLD and tells those who watch a pid its exit code: 0..255, 128+n for signal n."""

    def __init__(self) -> None:
        self._watched: dict[int, asyncio.Future[int]] = {}

    def install(self, loop: asyncio.AbstractEventLoop) -> None:
        """Starts reaping; children that ended before are reaped now."""
        loop.add_signal_handler(signal.SIGCHLD, self.reap)
        self.reap()

    def watch(self, pid: int) -> asyncio.Future[int]:
        """The exit code of a child to come. To be called before the loop runs again after the fork."""
        future = asyncio.get_running_loop().create_future()
        self._watched[pid] = future
        return future

    def reap(self) -> None:
        """Collects every child that has ended."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            future = self._watched.pop(pid, None)
            if future is not None and not future.done():
                code = os.waitstatus_to_exitcode(status)
                future.set_result(code if code >= 0 else 128 - code)
