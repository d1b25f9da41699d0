"""The end of the process and of the agent: codes, signals, orphans, the linger, running again."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

import pytest

from sockerless.agent.server import STUCK_S
from tests.agent.container import DEADLINE_S, AgentContainer, received

pytestmark = pytest.mark.engine


@pytest.mark.parametrize("code", [0, 1, 255])
async def test_the_agent_exits_with_the_process_s_code(container: AgentContainer, code: int) -> None:
    _, exited = await container.run("sh", "-c", f"exit {code}")
    assert exited.code == code
    assert await container.ended() == code


@pytest.mark.parametrize(("number", "code"), [(signal.SIGKILL, 137), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
async def test_a_signal_that_kills_is_128_and_its_number(container: AgentContainer, number: int, code: int) -> None:
    control = await container.control()
    await control.start("sleep", "60")
    assert (await control.request("signal", signal=number)).error_kind is None
    exited = await control.exited()
    assert (exited.code, exited.oom_killed) == (code, False)
    assert await container.ended() == code


async def test_a_trapped_term_ends_with_the_process_s_own_code_and_last_words(container: AgentContainer) -> None:
    control = await container.control()
    stream = await container.streams()
    await control.start("sh", "-c", "trap 'echo bye; exit 9' TERM; echo ready; while :; do sleep 0.05; done")
    await stream.until(b"ready")
    await control.request("signal", signal=signal.SIGTERM)
    assert (await received(stream)).stdout == b"bye\n"
    assert (await control.exited()).code == 9


async def test_a_process_that_ignores_term_dies_of_kill(container: AgentContainer) -> None:
    control = await container.control()
    stream = await container.streams()
    await control.start("sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done")
    await stream.until(b"ready")
    await control.request("signal", signal=signal.SIGTERM)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(stream.recv(), 0.3)
    await control.request("signal", signal=signal.SIGKILL)
    assert (await control.exited()).code == 137


async def test_signals_to_nothing_are_conflicts(container: AgentContainer) -> None:
    control = await container.control()
    assert (await control.request("signal", signal=15)).error_kind == "conflict"
    assert (await control.request("resize", height=1, width=1)).error_kind == "conflict"


async def test_a_signal_reaches_the_main_process_only(container: AgentContainer) -> None:
    control = await container.control()
    stream = await container.streams()
    child = "sh -c 'trap \"echo child\" USR1; while :; do sleep 0.05; done' &"
    await control.start("sh", "-c", f"{child} trap 'echo main; exit 0' USR1; echo ready; wait")
    await stream.until(b"ready")
    await control.request("signal", signal=signal.SIGUSR1)
    assert (await received(stream)).stdout == b"main\n"


async def test_orphans_are_reaped_and_the_main_process_s_code_is_not_mistaken(container: AgentContainer) -> None:
    script = (
        "i=0; while [ $i -lt 50 ]; do (sh -c 'exit 3' &); i=$((i+1)); done; sleep 0.3; "
        "grep -l '^State:.Z' /proc/[0-9]*/status | wc -l; exit 5"
    )
    output, exited = await container.run("sh", "-c", script)
    assert (output.stdout, exited.code) == (b"0\n", 5)


async def test_what_the_process_leaves_running_ends_with_it(container: AgentContainer) -> None:
    output, _ = await container.run("sh", "-c", "sleep 600 & echo left", linger_s=60)
    assert output.stdout == b"left\n"
    output, _ = await container.run("sh", "-c", "ps -o comm | grep -c sleep")
    assert output.stdout == b"0\n"


async def test_output_written_just_before_the_exit_is_not_lost(container: AgentContainer) -> None:
    output, exited = await container.run("sh", "-c", "head -c 3000000 /dev/zero; echo last >&2")
    assert (len(output.stdout), output.stderr) == (3_000_000, b"last\n")
    assert exited.last_log_ns > 0


async def test_out_of_memory_is_told(launch: Callable[..., AgentContainer]) -> None:
    container = launch("--memory", "64m")
    _, exited = await container.run("sh", "-c", "exec tail /dev/zero")
    assert (exited.code, exited.oom_killed) == (137, True)


async def test_terminating_the_agent_stops_the_process_its_own_way(container: AgentContainer) -> None:
    control = await container.control()
    stream = await container.streams()
    await control.start(
        "sh", "-c", "trap 'echo quitting; exit 6' QUIT; echo ready; while :; do sleep 0.05; done",
        stop_signal=signal.SIGQUIT, linger_s=600,
    )  # fmt: skip
    await stream.until(b"ready")
    container.engine("kill", "--signal", "TERM", container.id)
    assert (await received(stream)).stdout == b"quitting\n"
    assert await container.ended() == 6
    assert container.archived().stdout == b"ready\nquitting\n"


@pytest.mark.parametrize("name", ["TERM", "QUIT", "WINCH", "RTMIN+3"])
async def test_any_image_s_stop_signal_ends_a_waiting_agent(container: AgentContainer, name: str) -> None:
    await container.control()
    container.engine("kill", "--signal", name, container.id)
    assert await container.ended() == 128 + {"TERM": 15, "QUIT": 3, "WINCH": 28, "RTMIN+3": 37}[name]


async def test_a_lingering_agent_tells_the_exit_and_runs_the_process_again(container: AgentContainer) -> None:
    first = await container.control()
    await first.start("sh", "-c", "echo kept >/file; echo one; exit 3", linger_s=600)
    told = await first.exited()
    second = await container.control()
    assert (second.hello.status, second.hello.exited) == ("exited", told)
    output, exited = await container.run("sh", "-c", "cat /file; exit 4", linger_s=600)
    assert (output.stdout, exited.code) == (b"kept\n", 4)
    assert (await first.exited()).code == 4
    assert (await container.logs()).stdout == b"one\nkept\n"
    assert (await second.request("finish")).error_kind is None
    assert await container.ended() == 4


async def test_the_linger_ends_by_itself(container: AgentContainer) -> None:
    loop = asyncio.get_running_loop()
    before = loop.time()
    await container.run("true", linger_s=1)
    assert await container.ended() == 0
    assert 1 <= loop.time() - before < 5


async def test_an_agent_that_nobody_starts_gives_up_with_125(launch: Callable[..., AgentContainer]) -> None:
    container = launch(patience_s=0.5)
    assert await container.ended() == 125
    assert any(" agent F nobody started a process within 0.5 s" in line for line in container.archive())


async def test_an_agent_that_cannot_write_its_state_says_so(launch: Callable[..., AgentContainer]) -> None:
    container = launch(state="ro,size=1m")
    assert await container.ended() == 125
    assert container.engine.stderr("logs", container.id).startswith("/.sockerless/state is not a directory that can be")


async def test_finish_ends_an_agent_that_never_started_anything(container: AgentContainer) -> None:
    control = await container.control()
    assert (await control.request("finish")).error_kind is None
    assert await container.ended() == 0


async def test_a_hello_of_a_running_process_says_so(container: AgentContainer) -> None:
    control = await container.control()
    assert control.hello.status == "waiting"
    reply = await control.start("sleep", "60")
    hello = (await container.control()).hello
    assert (hello.status, hello.pid, hello.started_at_ns) == (
        "running", reply.result["pid"], reply.result["started_at_ns"],
    )  # fmt: skip


async def test_a_stream_that_waits_for_a_run_that_never_comes_is_closed_as_going_away(
    container: AgentContainer,
) -> None:
    control = await container.control()
    stream = await container.streams()
    await control.request("finish")
    assert (await received(stream, code=1001)).raw == b""


async def test_an_exit_is_told_though_a_reader_stands_still(container: AgentContainer) -> None:
    control = await container.control()
    stalled = await container.streams()
    await control.start("sh", "-c", "head -c 30000000 /dev/zero & sleep 1; kill -9 $!; exit 8", linger_s=60)
    assert (await control.exited()).code == 8
    assert len((await received(stalled)).stdout) > 8_000_000


async def test_a_control_client_that_reads_nothing_does_not_hold_up_the_end(container: AgentContainer) -> None:
    control = await container.control()
    silent = await container.control()
    assert silent.connection.transport is not None
    silent.connection.transport.pause_reading()
    await control.start("sh", "-c", "exit 2")
    assert (await control.exited()).code == 2
    assert await container.ended() == 2
    silent.connection.transport.abort()


async def test_a_reader_that_takes_nothing_does_not_hold_up_the_end_for_ever(container: AgentContainer) -> None:
    control = await container.control()
    stalled = await container.streams()
    await control.start("head", "-c", "8000000", "/dev/zero")
    assert (await control.exited()).code == 0
    assert await container.ended(STUCK_S + DEADLINE_S) == 0
    assert len(container.archived().stdout) == 8_000_000
    stalled.cut()


async def test_a_client_whose_connection_broke_at_the_end_still_gets_the_rest(container: AgentContainer) -> None:
    control = await container.control()
    stream = await container.streams(client="c0")
    await control.start("sh", "-c", "echo one; sleep 1; echo two")
    first = await stream.recv()
    stream.cut()
    assert (await control.exited()).code == 0
    again = await container.streams(client="c0", run=stream.opened.run, position=stream.position)
    assert first + (await received(again)).raw == b"\x01\0\0\0\0\0\0\x04one\n\x01\0\0\0\0\0\0\x04two\n"
    assert await container.ended() == 0
