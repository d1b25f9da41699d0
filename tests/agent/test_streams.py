"""Live streams: apart, whole, binary-safe, in both directions, with and without a terminal."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Callable

import pytest
from websockets.exceptions import ConnectionClosedError, ConnectionClosedOK

from sockerless.wire import agent as wire
from sockerless.wire.agent_output import TAKEN_BYTES, count_taken
from tests.agent.container import DEADLINE_S, AgentContainer, demultiplexed, received

pytestmark = pytest.mark.engine


async def test_stdout_and_stderr_stay_apart_and_the_code_is_the_process_s(container: AgentContainer) -> None:
    output, exited = await container.run("sh", "-c", "echo out; echo err >&2; exit 7")
    assert (output.stdout, output.stderr, exited.code) == (b"out\n", b"err\n", 7)


async def test_every_byte_passes_unchanged(container: AgentContainer) -> None:
    output, _ = await container.run(
        "sh", "-c", "i=0; while [ $i -lt 256 ]; do printf \\\\x$(printf %x $i); i=$((i+1)); done"
    )
    assert output.stdout == bytes(range(256))


async def test_a_stream_may_ask_for_one_of_the_two(container: AgentContainer) -> None:
    control = await container.control()
    only_errors = await container.streams(stdout=False)
    await control.start("sh", "-c", "echo out; echo err >&2")
    output = await received(only_errors)
    assert (output.stdout, output.stderr) == (b"", b"err\n")


async def test_stdin_sent_before_the_start_arrives_and_its_end_leaves_the_output_open(
    container: AgentContainer,
) -> None:
    control = await container.control()
    stream = await container.streams(stdin=True)
    await stream.send(b"early\n")
    await control.start("sh", "-c", "cat; echo after", open_stdin=True, stdin_once=True)
    await stream.send(b"late\n")
    await stream.send(wire.STDIN_EOF)
    assert (await received(stream)).stdout == b"early\nlate\nafter\n"


async def test_a_megabyte_of_stdin_comes_back(container: AgentContainer) -> None:
    sent = hashlib.sha512(b"seed").digest() * 40_000
    control = await container.control()
    stream = await container.streams(stdin=True)
    await control.start("cat", open_stdin=True, stdin_once=True)
    answer = asyncio.create_task(received(stream))
    for start in range(0, len(sent), 100_000):
        await stream.send(sent[start : start + 100_000])
    await stream.send(wire.STDIN_EOF)
    assert (await answer).stdout == sent


async def test_without_open_stdin_the_process_reads_nothing(container: AgentContainer) -> None:
    output, exited = await container.run("sh", "-c", "cat; readlink /proc/self/fd/0")
    assert (output.stdout, exited.code) == (b"/dev/null\n", 0)


async def test_stdin_not_for_once_survives_the_client(container: AgentContainer) -> None:
    control = await container.control()
    first = await container.streams(stdin=True)
    await control.start("sh", "-c", "read a; read b; echo $a $b", open_stdin=True)
    await first.send(b"one\n")
    await first.close()
    second = await container.streams(stdin=True)
    await second.send(b"two\n")
    assert (await received(second)).stdout == b"one two\n"


async def test_stdin_for_once_ends_with_the_client(container: AgentContainer) -> None:
    control = await container.control()
    stream = await container.streams(stdin=True)
    await control.start("sh", "-c", "cat; exit 4", open_stdin=True, stdin_once=True)
    await stream.close()
    assert (await control.exited()).code == 4


async def test_a_process_that_reads_no_stdin_holds_up_nobody(container: AgentContainer) -> None:
    control = await container.control()
    stream = await container.streams(stdin=True)
    await control.start("sh", "-c", "sleep 0.3; echo done", open_stdin=True, stdin_once=True)
    sending = asyncio.create_task(stream.send(b"x" * 4_000_000))
    assert (await received(stream)).stdout == b"done\n"
    await asyncio.gather(sending, return_exceptions=True)


async def test_a_terminal_has_its_size_before_the_program_runs_and_changes_it(container: AgentContainer) -> None:
    control = await container.control()
    stream = await container.streams(stdin=True)
    await control.start(
        "sh", "-c", "tty; stty size; read x; stty size; echo err >&2",
        tty=True, open_stdin=True, stdin_once=True, height=33, width=77,
    )  # fmt: skip
    first = await stream.recv()
    while b"77" not in first:
        first += await stream.recv()
    assert (await control.request("resize", height=44, width=99)).error_kind is None
    await stream.send(b"x\n")
    rest = (await received(stream, tty=True)).raw
    assert first + rest == b"/dev/pts/0\r\n33 77\r\nx\r\n44 99\r\nerr\r\n"


async def test_control_c_reaches_the_foreground_of_the_terminal(container: AgentContainer) -> None:
    control = await container.control()
    stream = await container.streams(stdin=True)
    await control.start(
        "sh", "-c", "trap 'echo got; exit 3' INT; echo ready; sleep 60 & wait", tty=True, open_stdin=True
    )
    assert await stream.recv() == b"ready\r\n"
    await stream.send(b"\x03")
    assert b"got\r\n" in (await received(stream, tty=True)).raw
    assert (await control.exited()).code == 3


async def test_two_hundred_thousand_lines_are_complete_and_in_order_everywhere(container: AgentContainer) -> None:
    expected = b"".join(b"%d\n" % number for number in range(1, 200_001))
    output, exited = await container.run("seq", "200000", linger_s=30)
    assert output.stdout == expected
    assert (await container.logs()).stdout == expected
    control = await container.control()
    await control.request("finish")
    assert await container.ended() == exited.code == 0
    assert container.archived().stdout == expected


async def test_a_late_stream_sees_what_comes(container: AgentContainer) -> None:
    control = await container.control()
    early = await container.streams()
    await control.start("sh", "-c", "echo one; read x; echo two", open_stdin=True)
    assert (await early.recv())[8:] == b"one\n"
    late = await container.streams(stdin=True)
    await late.send(b"\n")
    assert (await received(late)).stdout == b"two\n"


async def test_a_stream_of_what_is_running_ends_at_once_between_runs(container: AgentContainer) -> None:
    control = await container.control()
    assert (await received(await container.streams(running=True))).raw == b""
    await control.start("sh", "-c", "read x; echo $x", open_stdin=True, linger_s=60)
    stream = await container.streams(running=True, stdin=True)
    await stream.send(b"now\n")
    assert (await received(stream)).stdout == b"now\n"
    await control.exited()
    assert (await received(await container.streams(running=True))).raw == b""


async def test_a_full_disk_slows_the_process_and_loses_nothing_live(launch: Callable[..., AgentContainer]) -> None:
    container = launch(state="rw,size=3m")
    control = await container.control()
    stream = await container.streams()
    await control.start("sh", "-c", f"yes {'x' * 149} | head -n 80000")
    async with asyncio.timeout(DEADLINE_S):
        while not any(" agent F output cannot be kept, the process waits: " in line for line in container.archive()):
            await asyncio.sleep(0.05)
    assert (await received(stream)).stdout == (b"x" * 149 + b"\n") * 80_000
    assert await container.ended() == (await control.exited()).code == 0
    assert container.archived().stdout == (b"x" * 149 + b"\n") * 80_000


async def test_a_reader_that_stops_slows_the_process_and_loses_nothing(container: AgentContainer) -> None:
    size = 40_000_000
    control = await container.control()
    stalled = await container.streams()
    await control.start("sh", "-c", f"head -c {size} /dev/zero; echo end >&2")
    other = await container.streams(stdout=False)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(other.recv(), 1)
    output = await received(stalled)
    assert (len(output.stdout), output.stderr) == (size, b"end\n")
    assert (await received(other)).stderr == b"end\n"


SLOW_LINES = "for part in $(seq 0 19); do seq $((part*1000+1)) $((part*1000+1000)); sleep 0.2; done"


async def test_a_client_goes_on_where_its_connections_broke_and_misses_nothing(container: AgentContainer) -> None:
    control = await container.control()
    stream = await container.streams(client="c0")
    await control.start("sh", "-c", SLOW_LINES, linger_s=60)
    whole, cuts = b"", 0
    with contextlib.suppress(ConnectionClosedOK):  # the end
        while True:
            whole += await stream.recv()
            stream.cut()
            stream = await container.streams(client="c0", run=stream.opened.run, position=stream.position)
            cuts += 1
    assert cuts > 1
    assert demultiplexed(whole).stdout == b"".join(b"%d\n" % number for number in range(1, 20_001))


async def test_a_client_that_comes_back_in_the_next_run_gets_the_rest_of_its_own(container: AgentContainer) -> None:
    control = await container.control()
    stream = await container.streams(client="c0")
    await control.start("sh", "-c", "echo one; sleep 0.3; echo two", linger_s=60)
    assert (await stream.recv())[8:] == b"one\n"
    stream.cut()
    await control.exited()
    await control.start("sh", "-c", "echo three; sleep 60", linger_s=60)
    again = await container.streams(client="c0", run=stream.opened.run, position=stream.position)
    assert (again.opened.run, (await received(again)).stdout) == (1, b"two\n")
    nothing = await container.streams(client="c0", run=1, position=again.position)
    assert (await received(nothing)).stdout == b""


async def test_input_sent_over_several_connections_arrives_once(container: AgentContainer) -> None:
    control = await container.control()
    stream = await container.streams(client="c0", stdin=True)
    await control.start("sh", "-c", "sleep 1; sha256sum", open_stdin=True, stdin_once=True)
    sent = hashlib.sha512(b"seed").digest() * 40_000
    pieces = [sent[start : start + 64_000] for start in range(0, len(sent), 64_000)]
    offset = 0
    for cut_after in (1, 3, 7):
        for piece in pieces[offset // 64_000 :][:cut_after]:
            await asyncio.wait([asyncio.create_task(stream.send(piece))], timeout=0.2)
        stream.cut()
        stream = await container.streams(client="c0", stdin=True, run=1, position=stream.position)
        offset = stream.opened.taken
        assert offset % 64_000 == 0
    for piece in pieces[offset // 64_000 :]:
        await stream.send(piece)
    await stream.send(wire.STDIN_EOF)
    assert (await received(stream)).stdout == hashlib.sha256(sent).hexdigest().encode() + b"  -\n"
    assert count_taken(stream.told[-1]) > len(sent) - 2 * TAKEN_BYTES


async def test_a_newer_connection_ends_the_one_before(container: AgentContainer) -> None:
    control = await container.control()
    await control.start("sh", "-c", "read x; echo $x", open_stdin=True)
    before = await container.streams(client="c0", stdin=True, running=True)
    newer = await container.streams(client="c0", stdin=True, run=1, position=before.position)
    with pytest.raises(ConnectionClosedError):
        await asyncio.wait_for(before.recv(), DEADLINE_S)
    await newer.send(b"hi\n")
    assert (await received(newer)).stdout == b"hi\n"


@pytest.mark.parametrize("end", ["cut", "going away"])
async def test_input_for_one_client_outlives_its_connection(container: AgentContainer, end: str) -> None:
    control = await container.control()
    stream = await container.streams(client="c0", stdin=True)
    await control.start("sh", "-c", "cat; echo end", open_stdin=True, stdin_once=True)
    await stream.send(b"one\n")
    assert (await stream.recv())[8:] == b"one\n"
    if end == "cut":
        stream.cut()
    else:
        await stream.close(1001)
    other = await container.streams(client="c1", stdin=True, running=True)
    await other.send(b"two\n")
    assert (await other.recv())[8:] == b"two\n"
    await other.close()
    await control.exited()


async def test_a_position_that_is_no_longer_kept_is_told(launch: Callable[..., AgentContainer]) -> None:
    container = launch(state="rw,size=3m")
    control = await container.control()
    stream = await container.streams(client="c0")
    await control.start("sh", "-c", "echo begin; sleep 0.5; head -c 20000000 /dev/zero; read x", open_stdin=True)
    await stream.recv()
    stream.cut()
    async with asyncio.timeout(DEADLINE_S):
        while (again := await container.streams(client="c0", run=1, position=stream.position)).opened.first_ns == 0:
            again.cut()
    assert again.opened.position > stream.position


async def test_a_client_that_comes_late_goes_to_the_run_and_the_first_byte_that_its_start_was_answered_with(
    container: AgentContainer,
) -> None:
    control = await container.control()
    for run in (1, 2):
        started = (await control.start("echo", f"run {run}", linger_s=60)).result
        await control.exited()
        late = await container.streams(run=started["run"], position=started["position"])
        assert (started["run"], (await received(late)).stdout) == (run, b"run %d\n" % run)
