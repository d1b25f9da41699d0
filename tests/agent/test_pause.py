"""Pausing: nothing of the container runs, whatever it is doing, and all of it goes on."""

from __future__ import annotations

import asyncio
import signal

import pytest
from websockets.asyncio.client import ClientConnection

from sockerless.kit.agent_bundle import Bundle
from sockerless.wire import agent as wire
from tests.agent.container import AgentContainer, received

pytestmark = pytest.mark.engine
COUNTS = "i=0; while :; do i=$((i+1)); echo $i; sleep 0.02; done"


async def states(container: AgentContainer) -> list[str]:
    """The state letters of the container's processes, the agent and the asking shell left out."""
    script = 'for p in /proc/[0-9]*; do [ "${p#/proc/}" = 1 ] || [ "${p#/proc/}" = $$ ] || cat $p/stat; done'
    listed = await asyncio.to_thread(container.engine, "exec", container.id, "sh", "-c", script)
    return [line.rpartition(")")[2].split()[0] for line in listed.splitlines() if "(cat)" not in line]


async def drained(stream: ClientConnection) -> None:
    """Takes what the stream still has; returns once it has been silent for half a second."""
    try:
        while True:
            await asyncio.wait_for(stream.recv(), 0.5)
    except TimeoutError:
        return


async def test_a_paused_process_writes_nothing_and_goes_on_where_it_was(container: AgentContainer) -> None:
    control = await container.control()
    stream = await container.streams()
    await control.start("sh", "-c", COUNTS)
    await stream.recv()
    assert (await control.request("pause")).error_kind is None
    assert set(await states(container)) == {"T"}
    assert (await container.control()).hello.paused
    before = (await container.logs()).stdout
    await drained(stream)
    assert (await container.logs()).stdout == before
    assert (await control.request("unpause")).error_kind is None
    await stream.recv()
    after = (await container.logs()).stdout.split()
    assert after == [str(number).encode() for number in range(1, len(after) + 1)]
    assert not (await container.control()).hello.paused


async def test_processes_that_fork_all_the_time_are_all_stopped(container: AgentContainer) -> None:
    control = await container.control()
    await control.start("sh", "-c", "for i in 1 2 3 4; do (while :; do (true & true); done) & done; wait")
    for _ in range(3):
        assert (await control.request("pause")).error_kind is None
        assert set(await states(container)) <= {"T", "D", "Z"}
        assert "T" in await states(container)
        assert (await control.request("unpause")).error_kind is None


async def test_a_parent_that_waits_for_its_vforked_child_is_paused_too(
    container: AgentContainer, bundle: Bundle
) -> None:
    loader, *arguments = wire.agent_argv(bundle.version, [])
    spawns = (
        "import os\nprint('ready', flush=True)\nwhile True: os.waitpid(os.posix_spawn('/bin/true', ['true'], {}), 0)"
    )
    control = await container.control()
    stream = await container.streams()
    await control.start(loader, *arguments[: arguments.index("-m")], "-c", spawns)
    await stream.until(b"ready")
    for _ in range(20):
        assert (await control.request("pause")).error_kind is None
        assert (await control.request("unpause")).error_kind is None


async def test_what_was_stopped_before_stays_stopped_after(container: AgentContainer) -> None:
    control = await container.control()
    stream = await container.streams()
    await control.start("sh", "-c", f"({COUNTS}) & kill -STOP $!; echo ready; while :; do sleep 0.05; done")
    await stream.until(b"ready")
    await control.request("pause")
    await control.request("unpause")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(stream.recv(), 0.5)


async def test_a_shell_with_job_control_sees_nothing_of_a_pause(container: AgentContainer) -> None:
    control = await container.control()
    stream = await container.streams()
    await control.start("sh", "-mc", "echo ready; sleep 1; echo slept $?")
    await stream.until(b"ready")  # after the shell's complaint that there is no terminal
    await control.request("pause")
    await control.request("unpause")
    assert (await received(stream)).stdout == b"slept 0\n"


async def test_a_pause_of_nothing_or_of_the_paused_is_a_conflict(container: AgentContainer) -> None:
    control = await container.control()
    assert (await control.request("pause")).error_kind == "conflict"
    assert (await control.request("unpause")).error_kind == "conflict"
    await control.start("sleep", "60")
    assert (await control.request("unpause")).error_kind == "conflict"
    await control.request("pause")
    assert (await control.request("pause")).error_kind == "conflict"


async def test_a_paused_process_dies_of_kill_at_once_and_of_term_when_it_goes_on(container: AgentContainer) -> None:
    control = await container.control()
    await control.start("sleep", "60", linger_s=60)
    await control.request("pause")
    await control.request("signal", signal=signal.SIGKILL)
    assert (await control.exited()).code == 137
    assert not (await container.control()).hello.paused
    await control.start("sleep", "60", linger_s=60)
    await control.request("pause")
    await control.request("signal", signal=signal.SIGTERM)
    await control.request("signal", signal=signal.SIGCONT)
    assert set(await states(container)) == {"T"}
    await control.request("unpause")
    assert (await control.exited()).code == 143


async def test_terminating_the_agent_ends_a_paused_process_its_own_way(container: AgentContainer) -> None:
    control = await container.control()
    stream = await container.streams()
    await control.start("sh", "-c", "trap 'echo bye; exit 6' TERM; echo ready; while :; do sleep 0.05; done")
    await stream.until(b"ready")
    await control.request("pause")
    container.engine("kill", "--signal", "TERM", container.id)
    assert (await received(stream)).stdout == b"bye\n"
    assert await container.ended() == 6
