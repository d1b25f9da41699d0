"""One exec's live side: what Docker's inspect shows of it, and what became of its agent's stream.

Exec instances live in memory and are lost with the daemon, as Docker's are; the processes are not.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

from sockerless.types import Exec

MOST = 1000
"""How many instances a container may have that do not run; the oldest are forgotten first."""


@dataclass(eq=False)
class ExecInstance:
    """view: as inspect shows it. run_ns: when the container's run began that this exec belongs to.

    settled: set once the process runs, or could not be started. broken: what to tell of a lost stream whose process
    may go on, until somebody has been told; lost: that stream is lost.
    """

    view: Exec
    run_ns: int
    claimed: bool = False
    settled: asyncio.Event = field(default_factory=asyncio.Event)
    lost: bool = False
    broken: str = ""

    def begun(self, pid: int) -> None:
        """The process runs."""
        self.view = replace(self.view, running=True, pid=pid)
        self.settled.set()

    def ended(self, exit_code: int) -> None:
        """The process has ended, or could not be started."""
        self.view = replace(self.view, running=False, exit_code=exit_code)
        self.settled.set()

    def lose(self, reason: str) -> None:
        """The agent's stream broke while the process ran."""
        self.lost, self.broken = True, reason


class Execs:
    """One container's instances, by id, oldest first."""

    def __init__(self) -> None:
        self._by_id: dict[str, ExecInstance] = {}

    def add(self, instance: ExecInstance) -> None:
        """A new one; makes room for it."""
        idle = [known for known in self._by_id.values() if not known.view.running]
        for known in idle[: max(0, len(idle) + 1 - MOST)]:
            del self._by_id[known.view.id]
        self._by_id[instance.view.id] = instance

    def get(self, exec_id: str) -> ExecInstance | None:
        """The instance of this id."""
        return self._by_id.get(exec_id)

    def unfinished(self, run_ns: int) -> list[str]:
        """The ids of those that run or may still be started in the container's run that began then."""
        found = (known for known in self._by_id.values() if known.run_ns == run_ns)
        return [known.view.id for known in found if known.view.exit_code is None]
