"""Execs: what they get, what passes through their streams, how they end, and what they cannot do to each other."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable

import pytest

from sockerless.wire import agent as wire
from sockerless.wire.agent_exec import DISCARD, Refused, Started
from tests.agent.container import DEADLINE_S, AgentContainer, Control
from tests.agent.execs import begin, run

pytestmark = pytest.mark.engine

EXEC = "OCI runtime exec failed: exec failed: "
"""How dockerd 20.10 begins its answers; the rest below is recorded from it too."""
UNABLE = EXEC + "unable to start container process: "


@pytest.fixture
async def beside(container: AgentContainer) -> tuple[AgentContainer, Control]:
    """A container whose main process runs, and its control connection."""
    control = await container.control()
    assert (await control.start("sleep", "1000")).error_kind is None
    return container, control


async def test_an_exec_gets_its_arguments_environment_user_and_directory_whole(
    launch: Callable[..., AgentContainer],
) -> None:
    container = launch("--env", "AWS_X=from-ecs")
    await (await container.control()).start("sleep", "1000")
    script = 'printf "%s|" "$A" "$AWS_X" "$HOME" "$(id -u):$(id -g)" "$PWD" "$@"'
    argv = ["sh", "-c", script, "sh", "", "two words", 'quo"te', "new\nline"]
    env = {"PATH": "/bin", "A": "b=c\nd"}
    output, code = await run(container, *argv, env=env, user="1000:1001", working_dir="/tmp")
    assert (output.stdout, code) == (b'b=c\nd|from-ecs|/|1000:1001|/tmp||two words|quo"te|new\nline|', 0)


async def test_streams_stay_apart_and_the_code_is_the_exec_s(beside: tuple[AgentContainer, Control]) -> None:
    output, code = await run(beside[0], "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (output.stdout, output.stderr, code) == (b"out\n", b"err\n", 7)
    _, code = await run(beside[0], "sh", "-c", "kill -9 $$")
    assert code == 137


async def test_refusals_are_docker_s(beside: tuple[AgentContainer, Control]) -> None:
    missing = 'chdir to cwd ("/nosuch") set in config.json failed: no such file or directory: unknown'
    for argv, fields, kind, message in (
        (["nosuch"], {}, "not_found", UNABLE + 'exec: "nosuch": executable file not found in $PATH: unknown'),
        (["/no/x"], {}, "not_found", UNABLE + 'exec: "/no/x": stat /no/x: no such file or directory: unknown'),
        (["/etc/passwd"], {}, "permission", UNABLE + 'exec: "/etc/passwd": permission denied: unknown'),
        (["true"], {"working_dir": "/nosuch"}, "not_found", UNABLE + missing),
        (["true"], {"working_dir": "rel"}, "failed", EXEC + "Cwd must be an absolute path: unknown"),
        (["true"], {"user": "nosuch"}, "invalid", "unable to find user nosuch: no matching entries in passwd file"),
    ):
        refused = await begin(beside[0], *argv, **fields)
        assert refused.answer == Refused(kind, message)  # type: ignore[arg-type]  # a kind's text
        await asyncio.wait_for(refused.connection.wait_closed(), DEADLINE_S)
        assert refused.connection.close_code == 1000
    output, _ = await run(beside[0], "ls", "-d", "/nosuch")
    assert b"No such file" in output.stderr


async def test_an_exec_needs_a_running_main_process_and_an_id_of_its_own(container: AgentContainer) -> None:
    control = await container.control()
    assert (await begin(container, "true")).answer == Refused("conflict", "the process is not running")
    await control.start("sleep", "1000")
    first = await begin(container, "true", exec_id="e1")
    assert (await first.received())[1] == 0
    assert (await begin(container, "true", exec_id="e1")).answer == Refused("conflict", "exec e1 has already run")


async def test_stdin_arrives_whole_and_its_end_leaves_the_output_open(beside: tuple[AgentContainer, Control]) -> None:
    sent = hashlib.sha512(b"seed").digest() * 40_000
    running = await begin(beside[0], "sh", "-c", "cat; sleep 0.2; echo after", open_stdin=True)
    answer = asyncio.create_task(running.received())
    for start in range(0, len(sent), 100_000):
        await running.connection.send(sent[start : start + 100_000])
    await running.connection.send(wire.STDIN_EOF)
    output, _ = await answer
    assert output.stdout == sent + b"after\n"


async def test_without_stdin_the_process_reads_the_end_at_once(beside: tuple[AgentContainer, Control]) -> None:
    output, code = await run(beside[0], "sh", "-c", "cat; echo end")
    assert (output.stdout, code) == (b"end\n", 0)


async def test_a_terminal_has_its_size_is_raw_and_can_be_resized(beside: tuple[AgentContainer, Control]) -> None:
    container, control = beside
    script = "stty size; trap 'stty size; exit 4' WINCH; echo ready; while :; do sleep 0.1; done"
    running = await begin(container, "sh", "-c", script, raw=True, tty=True, height=33, width=77, open_stdin=True)
    seen = b""
    while b"ready" not in seen:
        seen += bytes(await asyncio.wait_for(running.connection.recv(), DEADLINE_S))
    assert seen.startswith(b"33 77\r\n")
    assert (await control.request("resize", exec=running.id, height=5, width=66)).error_kind is None
    output, code = await running.received(raw=True)
    assert (output.raw, code) == (b"5 66\r\n", 4)
    assert (await control.request("resize", exec=running.id, height=5, width=66)).error_kind == "conflict"


async def test_thirty_execs_at_once_have_their_own_streams(beside: tuple[AgentContainer, Control]) -> None:
    async def one(number: int) -> None:
        running = await begin(beside[0], "sh", "-c", "cat; echo err$0 >&2; exit $0", str(number), open_stdin=True)
        await running.connection.send(b"%d\n" % number * 1000)
        await running.connection.send(wire.STDIN_EOF)
        output, code = await running.received()
        assert (output.stdout, output.stderr, code) == (b"%d\n" % number * 1000, b"err%d\n" % number, number)

    await asyncio.gather(*(one(number) for number in range(30)))


async def test_a_slow_client_slows_its_exec_and_nobody_else(beside: tuple[AgentContainer, Control]) -> None:
    slow = await begin(beside[0], "sh", "-c", "dd if=/dev/zero bs=65536 count=800 2>/dev/null; touch /tmp/written")
    output, _ = await run(beside[0], "seq", "100000")
    assert output.stdout == b"".join(b"%d\n" % number for number in range(1, 100_001))
    assert (await run(beside[0], "ls", "/tmp/written"))[1] != 0
    output, code = await slow.received()
    assert (len(output.stdout), code) == (800 * 65536, 0)
    assert (await run(beside[0], "ls", "/tmp/written"))[1] == 0


@pytest.mark.parametrize("how", ["discard", "break"])
async def test_an_exec_goes_on_without_its_client(beside: tuple[AgentContainer, Control], how: str) -> None:
    container, control = beside
    script = "dd if=/dev/zero bs=65536 count=200 2>/dev/null; sleep 0.2; touch /tmp/done; exit 3"
    running = await begin(container, "sh", "-c", script)
    if how == "discard":
        await running.connection.send(DISCARD)
    else:
        running.connection.transport.abort()
    state = {"running": True}
    async with asyncio.timeout(DEADLINE_S):
        while state["running"]:
            state = (await control.request("exec_state", exec=running.id)).result
    assert state == {"running": False, "code": 3}
    assert (await run(container, "ls", "/tmp/done"))[1] == 0
    assert (await control.request("exec_state", exec="other")).result == {"running": False, "code": None}


async def test_what_holds_the_output_after_the_end_is_not_waited_for_long(
    beside: tuple[AgentContainer, Control],
) -> None:
    output, code = await run(beside[0], "sh", "-c", "echo hi; (sleep 60; echo late) & exit 5")
    assert (output.stdout, code) == (b"hi\n", 5)
    output, code = await run(beside[0], "sh", "-c", "(while :; do echo more; done) & sleep 0.1; kill -9 $$")
    assert code == 137


async def test_execs_end_with_the_main_process(beside: tuple[AgentContainer, Control]) -> None:
    container, control = beside
    execs = [await begin(container, "sh", "-c", "echo hi; sleep 100") for _ in range(3)]
    assert all(isinstance(each.answer, Started) for each in execs)
    await control.request("signal", signal=15)
    for each in execs:
        output, code = await each.received()
        assert (output.stdout, code) == (b"hi\n", 137)
    assert (await control.exited()).code == 143


async def test_an_exec_leaves_nothing_behind_in_the_agent(beside: tuple[AgentContainer, Control]) -> None:
    count = ("sh", "-c", "ls /proc/1/fd | wc -l; grep -c . /proc/1/task/1/children || true")
    before, _ = await run(beside[0], *count)
    for tty in (False, True) * 5:
        await run(beside[0], "true", tty=tty, open_stdin=True)
    left = True
    async with asyncio.timeout(DEADLINE_S):
        while left:
            after, _ = await run(beside[0], *count)
            left = any(now > then for now, then in zip(counts(after.stdout), counts(before.stdout), strict=True))


def counts(output: bytes) -> list[int]:
    """The numbers in lines of output."""
    return [int(line) for line in output.split()]


async def test_capabilities_and_privileges_are_dropped_as_asked(beside: tuple[AgentContainer, Control]) -> None:
    output, _ = await run(
        beside[0], "grep", "-E", "^(CapBnd|NoNew)", "/proc/self/status", capabilities_drop=["ALL"],
        no_new_privileges=True,
    )  # fmt: skip
    assert output.stdout.split() == [b"CapBnd:", b"0000000000000000", b"NoNewPrivs:", b"1"]


@pytest.mark.parametrize("opening", [b"\xff", "x", "[]", "{}", '{"id":"a","process":{}}', '{"id":"a","process":7}'])
async def test_a_malformed_opening_is_refused(beside: tuple[AgentContainer, Control], opening: str | bytes) -> None:
    connection = await beside[0].dial(wire.EXEC)
    await connection.send(opening)
    assert '"kind":"invalid"' in str(await asyncio.wait_for(connection.recv(), DEADLINE_S)).replace(" ", "")
    await asyncio.wait_for(connection.wait_closed(), DEADLINE_S)
