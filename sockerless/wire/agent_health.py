"""Health checks between daemon and agent: what to run, and how the last runs went.

Owns the values that wire/agent.py's Process, Hello and HealthReport message carry. Source of the numbers' meaning:
Engine API 1.44, HealthConfig and Health.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

HealthStatus = Literal["starting", "healthy", "unhealthy"]
LOG_ENTRIES = 5
MAX_OUTPUT_BYTES = 4096


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """What the agent runs beside the main process, with its user, environment and working directory.

    argv: program and arguments, a shell's command line already wrapped in its shell. Times are in nanoseconds: pause
    between probes (start_interval_ns while starting within start_period_ns), longest run, time from the start in
    which failures do not count. retries: consecutive failures that make it unhealthy.
    """

    argv: list[str]
    interval_ns: int
    timeout_ns: int
    start_period_ns: int
    start_interval_ns: int
    retries: int


@dataclass(frozen=True, slots=True)
class Probe:
    """One run of the check. exit_code: 0 healthy, -1 when it could not run or took too long."""

    start_ns: int
    end_ns: int
    exit_code: int
    output: str


@dataclass(frozen=True, slots=True)
class HealthReport:
    """Agent to daemon, after every probe: where the check stands. log: the last LOG_ENTRIES probes, oldest first."""

    status: HealthStatus
    failing_streak: int
    log: list[Probe] = field(default_factory=list)


def report_from(document: dict[str, Any]) -> HealthReport:
    """The report in a decoded message. KeyError, TypeError when it is none."""
    log = [Probe(**probe) for probe in document["log"]]
    return HealthReport(document["status"], document["failing_streak"], log)


def go_duration(duration_ns: int) -> str:
    """A duration as Go prints it: "1s", "1m30s", "1.5s", "250ms"."""
    for unit, unit_ns in (("ns", 1), ("µs", 10**3), ("ms", 10**6)):
        if duration_ns < unit_ns * 1000:
            return f"{_number(duration_ns, unit_ns)}{unit}" if duration_ns else "0s"
    minutes, rest_ns = divmod(duration_ns, 60 * 10**9)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{_number(rest_ns, 10**9)}s"
    return f"{hours}h{minutes}m{seconds}" if hours else f"{minutes}m{seconds}" if minutes else seconds


def _number(value: int, unit: int) -> str:
    whole, rest = divmod(value, unit)
    fraction = f"{rest:0{len(str(unit)) - 1}d}".rstrip("0") if rest else ""
    return f"{whole}.{fraction}" if fraction else str(whole)
