"""Health checks: what results mean, and probes run in a real container beside its main process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import pytest

from sockerless.agent.health import after
from sockerless.wire.agent_health import HealthCheck, HealthReport, Probe, go_duration
from tests.agent.container import DEADLINE_S, AgentContainer, Control, received

MS = 1_000_000
CHECK = HealthCheck(["true"], 100 * MS, 1000 * MS, 0, 5000 * MS, 2)


def probe(code: int, start_ns: int = 0) -> Probe:
    return Probe(start_ns, start_ns + 1, code, "")


def states(*codes: int, check: HealthCheck = CHECK, every_ns: int = MS) -> list[str]:
    """The statuses that these results lead to, one after the other, from the start on."""
    state, found = HealthReport("starting", 0), []
    for number, code in enumerate(codes):
        state = after(state, probe(code, number * every_ns), check, 0)
        found.append(f"{state.status} {state.failing_streak}")
    return found


def test_so_many_failures_in_a_row_make_it_unhealthy_and_one_success_healthy() -> None:
    assert states(1, -1, 1, 0, 1, 0) == [
        "starting 1", "unhealthy 2", "unhealthy 3", "healthy 0", "healthy 1", "healthy 0",
    ]  # fmt: skip


def test_failures_within_the_start_period_do_not_count_until_the_first_success() -> None:
    check = replace(CHECK, start_period_ns=2 * MS)
    assert states(1, 1, 1, 1, check=check) == ["starting 0", "starting 0", "starting 1", "unhealthy 2"]
    assert states(0, 1, 1, check=check, every_ns=0) == ["healthy 0", "healthy 1", "unhealthy 2"]


def test_the_last_five_probes_are_kept() -> None:
    state = HealthReport("starting", 0)
    for number in range(7):
        state = after(state, probe(0, number), CHECK, 0)
    assert [kept.start_ns for kept in state.log] == [2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("duration_ns", "text"),
    [
        (10**9, "1s"),
        (90 * 10**9, "1m30s"),
        (3600 * 10**9, "1h0m0s"),
        (1_500_000_000, "1.5s"),
        (250 * MS, "250ms"),
        (0, "0s"),
    ],
)
def test_durations_are_written_as_go_does(duration_ns: int, text: str) -> None:
    assert go_duration(duration_ns) == text


async def begin(container: AgentContainer, *main: str, linger_s: float = 60, **check: Any) -> Control:
    control = await container.control()
    process = {"healthcheck": asdict(replace(CHECK, **check)), "linger_s": linger_s}
    assert (await control.start(*main, **process)).error_kind is None
    return control


async def report(control: Control, reached: Callable[[HealthReport], bool]) -> HealthReport:
    """The first report that is as wanted."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            message = await control._receive()
            if isinstance(message, HealthReport) and reached(message):
                return message


@pytest.mark.engine
async def test_a_probe_s_result_and_output_are_reported(container: AgentContainer) -> None:
    shell = ["sh", "-c", "echo hey; echo er >&2; test -f /ok"]
    control = await begin(container, "sleep", "60", argv=shell)
    failed = await report(control, lambda told: told.status == "unhealthy")
    assert (failed.failing_streak, failed.log[0].exit_code, failed.log[0].output) == (2, 1, "hey\ner\n")
    assert failed.log[0].start_ns < failed.log[0].end_ns < failed.log[1].start_ns
    container.engine("exec", container.id, "touch", "/ok")
    assert (await report(control, lambda told: told.status == "healthy")).failing_streak == 0
    hello = (await container.control()).hello
    assert hello.health is not None
    assert hello.health.status == "healthy"


@pytest.mark.engine
async def test_a_probe_runs_as_the_main_process_does(container: AgentContainer) -> None:
    control = await container.control()
    check = replace(CHECK, argv=["sh", "-c", 'echo "$(id -u) $PWD $A"'])
    process = {"healthcheck": asdict(check), "user": "1000", "working_dir": "/tmp", "env": {"A": "b", "PATH": "/bin"}}
    assert (await control.start("sleep", "60", **process)).error_kind is None
    assert (await report(control, lambda _: True)).log[0].output == "1000 /tmp b\n"


@pytest.mark.engine
async def test_a_probe_that_takes_too_long_is_killed_with_what_it_started(container: AgentContainer) -> None:
    control = await begin(
        container, "sleep", "60", argv=["sh", "-c", "echo slow; sleep 77 & wait"], timeout_ns=300 * MS
    )
    late = (await report(control, lambda _: True)).log[0]
    assert (late.exit_code, late.output) == (-1, "Health check exceeded timeout (300ms): slow\n")
    listed = (await control.request("top", ps_args="-eo pid,args")).result["processes"]
    assert [row[1] for row in listed if "77" in row[1]][1:] == []


@pytest.mark.engine
async def test_a_probe_that_cannot_run_says_why(container: AgentContainer) -> None:
    control = await begin(container, "sleep", "60", argv=["nosuch"])
    told = (await report(control, lambda _: True)).log[0]
    assert told.exit_code == -1
    assert 'exec: "nosuch": executable file not found in $PATH' in told.output


@pytest.mark.engine
async def test_of_a_long_output_the_first_4_kib_are_kept(container: AgentContainer) -> None:
    control = await begin(container, "sleep", "60", argv=["sh", "-c", "yes | head -c 1000000"])
    output = (await report(control, lambda _: True)).log[0].output
    assert (len(output), output[-3:]) == (4096 + 3, "...")


@pytest.mark.engine
async def test_a_pause_stops_the_probes_and_leaves_it_unhealthy_until_the_next_success(
    container: AgentContainer,
) -> None:
    control = await begin(container, "sleep", "60", argv=["true"])
    await report(control, lambda told: told.status == "healthy")
    await control.request("pause")
    paused = (await container.control()).hello.health
    assert paused is not None
    assert paused.status == "unhealthy"
    await control.request("unpause")
    healthy = await report(
        control, lambda told: told.status == "healthy" and told.log[-1].start_ns > paused.log[-1].end_ns
    )
    assert healthy.failing_streak == 0


@pytest.mark.engine
async def test_the_exit_ends_the_probes_and_the_next_run_begins_anew(container: AgentContainer) -> None:
    control = await begin(container, "sleep", "0.5", argv=["sleep", "30"], timeout_ns=60_000 * MS)
    assert (await control.exited()).code == 0
    stream = await container.streams()
    await begin(container, "sh", "-c", "ps -o args; exit 4")
    assert b"sleep 30" not in (await received(stream)).stdout
