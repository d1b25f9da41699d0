"""The archive: every piece of output as a line on the agent's own standard output, which awslogs ships to CloudWatch.

Owns the agent's standard output and its notices there. A slow archive slows the process once it is ARCHIVE_LAG_BYTES
behind, as Docker's blocking log drivers do, so that the journal never drops what the archive has not got.
"""

from __future__ import annotations

import asyncio
import os
import time

from sockerless.agent.descriptors import write_all
from sockerless.agent.journal import Journal
from sockerless.wire.logs import archive_lines, notice_line

ARCHIVE_LAG_BYTES = 64 * 1024 * 1024
STUCK_S = 30.0


class Archive:
    """Writes the journal to a descriptor, and notices between its lines."""

    def __init__(self, journal: Journal, descriptor: int) -> None:
        self._journal = journal
        self._descriptor = descriptor
        self._cursor = journal.cursor(lag_limit=ARCHIVE_LAG_BYTES)
        self._notices: list[bytes] = []
        self._closing = False
        self._written = 0
        os.set_blocking(descriptor, False)

    def notice(self, text: str) -> None:
        """Adds a line of the agent's own."""
        self._notices.append(notice_line(time.time_ns(), text))
        self._journal.wake()

    async def run(self) -> None:
        """Writes until close() was called and everything kept is written. OSError when standard output is gone."""
        with self._cursor:
            while True:
                lines = self._notices
                self._notices = []
                lines.extend(archive_lines(*chunk) for chunk in self._cursor.read())
                if lines:
                    await write_all(self._descriptor, b"".join(lines))
                    self._written += len(lines)
                    await asyncio.sleep(0)
                elif self._closing:
                    return
                else:
                    await self._journal.changed()

    def close(self) -> None:
        """Lets run() end once all is written."""
        self._closing = True
        self._journal.wake()

    async def drain(self, task: asyncio.Task[None]) -> None:
        """Closes and waits for run(), given as its task, for as long as the reader of standard output takes lines."""
        self.close()
        before = -1
        while not task.done() and before != self._written:
            before = self._written
            await asyncio.wait([task], timeout=STUCK_S)
