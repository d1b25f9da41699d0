"""Kept output: the same lines with the same stamps from the agent and from the archive, selected as Docker selects."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from sockerless.wire import agent as wire
from sockerless.wire.agent_output import DROPPED, KeptQuery, Opened
from sockerless.wire.chunks import unpack
from tests.agent.container import AgentContainer, received

pytestmark = pytest.mark.engine

SCRIPT = (
    "echo 1; echo e1 >&2; sleep 0.05; printf 'no newline'; sleep 0.05; echo; printf '\\001\\377\\r\\n'; echo tail >&2"
)


async def test_agent_and_archive_answer_alike(container: AgentContainer) -> None:
    _, exited = await container.run("sh", "-c", SCRIPT, linger_s=60)
    whole = (await container.logs(timestamps=True)).raw.split(b"Z ")
    middle_ns = exited.last_log_ns - 60_000_000
    queries: list[dict[str, Any]] = [
        {}, {"timestamps": True}, {"stdout": False}, {"stderr": False, "timestamps": True},
        {"since_ns": middle_ns, "timestamps": True}, {"until_ns": middle_ns}, {"since_ns": exited.last_log_ns},
    ]  # fmt: skip
    live = [await container.logs(**query) for query in queries]
    control = await container.control()
    await control.request("finish")
    await container.ended()
    archived = [container.archived(**query) for query in queries]
    assert [(a.stdout, a.stderr) for a in archived] == [(b.stdout, b.stderr) for b in live]
    assert live[0].stdout == b"1\nno newline\n\x01\xff\r\n"
    assert live[0].stderr == b"e1\ntail\n"
    assert live[-1].stderr == b"tail\n"
    assert len(whole) == 6


async def test_tail_counts_the_lines_of_both_streams(container: AgentContainer) -> None:
    await container.run("sh", "-c", "for i in 1 2 3; do echo o$i; echo e$i >&2; sleep 0.02; done", linger_s=60)
    for tail, stdout, stderr in (
        (0, b"", b""),
        (1, b"", b"e3\n"),
        (2, b"o3\n", b"e3\n"),
        (3, b"o3\n", b"e2\ne3\n"),
        (6, b"o1\no2\no3\n", b"e1\ne2\ne3\n"),
        (100, b"o1\no2\no3\n", b"e1\ne2\ne3\n"),
    ):
        output = await container.logs(tail=tail)
        assert (output.stdout, output.stderr) == (stdout, stderr)


async def test_follow_begins_before_the_start_and_ends_with_the_run(container: AgentContainer) -> None:
    control = await container.control()
    following = asyncio.create_task(container.logs(follow=True))
    await control.start("sh", "-c", "echo a; sleep 0.2; echo b", linger_s=60)
    assert (await following).stdout == b"a\nb\n"
    assert (await container.logs(follow=True, tail=1)).stdout == b"b\n"


async def test_without_follow_a_running_process_s_logs_end_where_they_are(container: AgentContainer) -> None:
    control = await container.control()
    stream = await container.streams()
    assert (await container.logs()).raw == b""
    await control.start("sh", "-c", "echo a; sleep 60")
    await stream.recv()
    assert (await container.logs()).stdout == b"a\n"


async def test_follow_with_until_ends_when_that_moment_has_output_after_it(container: AgentContainer) -> None:
    control = await container.control()
    reply = await control.start("sh", "-c", "while :; do echo x; sleep 0.05; done")
    until_ns = reply.result["started_at_ns"] + 300_000_000
    output = await container.logs(follow=True, until_ns=until_ns)
    assert 1 <= output.stdout.count(b"x\n") <= 7


async def test_a_terminal_s_logs_are_raw_and_archived_readably(container: AgentContainer) -> None:
    control = await container.control()
    await control.start("sh", "-c", "echo one; echo two", tty=True, linger_s=60)
    await control.exited()
    assert (await container.logs(tty=True, tail=1)).raw == b"two\r\n"
    await control.request("finish")
    await container.ended()
    assert [line.split(" ", 1)[1] for line in container.archive()][1:] == ["stdout F:cr one", "stdout F:cr two"]


async def test_nothing_is_told_to_be_missing_while_everything_is_kept(container: AgentContainer) -> None:
    control = await container.control()
    assert (await container.kept()).opened == Opened(run=1)
    await control.start("sh", "-c", "echo only", linger_s=60)
    await control.exited()
    assert (await container.kept()).opened == Opened(run=1)
    assert (await container.kept(KeptQuery(wire.LogQuery(tail=5)))).opened == Opened(run=1, lines=1)


async def test_a_reading_goes_on_where_its_connection_broke_within_its_run(container: AgentContainer) -> None:
    control = await container.control()
    await control.start("sh", "-c", "echo a; read x; echo b; echo c >&2", open_stdin=True, linger_s=60)
    first = await container.kept(KeptQuery(wire.LogQuery(follow=True)))
    assert unpack(await first.recv())[0][0].data == b"a\n"
    first.cut()
    await (await container.streams(stdin=True)).send(b"\n")
    await control.exited()
    await control.start("echo", "another run", linger_s=60)
    await control.exited()
    rest = await container.kept(KeptQuery(wire.LogQuery(follow=True), run=first.opened.run, position=first.position))
    assert rest.opened == Opened(run=1, position=first.position)
    chunks, _ = unpack((await received(rest, tty=True)).raw)
    assert [(chunk.stream, chunk.data) for chunk in chunks] == [(1, b"b\n"), (2, b"c\n")]


async def test_a_reader_who_left_all_of_it_out_goes_on_behind_it(container: AgentContainer) -> None:
    control = await container.control()
    await control.start("sh", "-c", "echo a; echo b; read x; echo c", open_stdin=True, linger_s=60)
    while (await container.logs()).stdout != b"a\nb\n":
        await asyncio.sleep(0.05)
    first = await container.kept(KeptQuery(wire.LogQuery(follow=True, tail=0)))
    assert [chunk.data for chunk in unpack(await first.recv())[0]] == [b""]
    first.cut()
    await (await container.streams(stdin=True)).send(b"\n")
    await control.exited()
    query = KeptQuery(wire.LogQuery(follow=True, tail=0), run=1, position=first.position)
    chunks, _ = unpack((await received(await container.kept(query), tty=True)).raw)
    assert [chunk.data for chunk in chunks] == [b"c\n"]


async def test_kept_output_may_end_at_a_position(container: AgentContainer) -> None:
    control = await container.control()
    await control.start("sh", "-c", "echo a; read x; echo b", open_stdin=True, linger_s=60)
    first = await container.kept(KeptQuery(wire.LogQuery(follow=True)))
    await first.recv()
    live = await container.streams(stdin=True)
    assert live.opened.position == first.position
    await live.send(b"\n")
    await control.exited()
    chunks, _ = unpack((await received(await container.kept(KeptQuery(end=live.opened.position)), tty=True)).raw)
    assert [chunk.data for chunk in chunks] == [b"a\n"]


@pytest.mark.slow
async def test_more_than_the_journal_keeps_is_told_to_be_missing_and_is_in_the_archive(
    container: AgentContainer,
) -> None:
    size = 300 * 1024 * 1024
    control = await container.control()
    early = await container.kept(KeptQuery(wire.LogQuery(follow=True)))
    await control.start("head", "-c", str(size), "/dev/zero", linger_s=60)
    exited = await control.exited()
    kept = await container.kept()
    assert 0 < kept.opened.first_ns < exited.last_log_ns
    assert 200 * 1024 * 1024 < len((await received(kept, tty=True)).raw) < 270 * 1024 * 1024
    await received(early, tty=True, code=DROPPED)
    rest = await container.kept(KeptQuery(run=1, position=early.position))
    assert (rest.opened.first_ns, rest.opened.position > early.position) == (kept.opened.first_ns, True)
