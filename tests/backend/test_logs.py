"""docker logs over connections that break, agents that forget and tasks that end: no line missing, none twice."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from sockerless.backend import containers_remove, containers_start, logs, logs_archive
from sockerless.errors import Unavailable
from sockerless.wire import stdcopy
from sockerless.wire.agent import LogQuery
from sockerless.wire.agent_output import KeptQuery
from sockerless.wire.logs import archive_lines
from tests.backend.fakes import FakeAgent
from tests.backend.rig import Rig, eventually

FOLLOW = LogQuery(follow=True)


async def running(rig: Rig, **config: Any) -> tuple[str, FakeAgent]:
    """A running container whose process has written nothing yet."""

    def prepare(agent: FakeAgent) -> None:
        agent.exit_code, agent.output = None, []

    rig.prepare = prepare
    container = await rig.create(config=config)
    await containers_start.start(rig.backend, container)
    return container, rig.agents[-1]


def write(agent: FakeAgent, *lines: str) -> None:
    for line in lines:
        agent.streams.write(stdcopy.STDOUT, line.encode())


def archive(rig: Rig, container: str, agent: FakeAgent, *, without: int = 0) -> None:
    """CloudWatch has what the agent has written, but for so many of the last chunks."""
    stream = rig.backend.store.container(container).log_streams[-1]
    chunks = agent.streams.chunks[: len(agent.streams.chunks) - without]
    rig.ecs.archive[stream] = [line for one in chunks for line in archive_lines(*one).decode().splitlines()]


class Reader:
    """Reads an answer to docker logs; text: what came so far, failure: what ended it, ended: whether it has ended."""

    def __init__(self, rig: Rig, container: str, query: LogQuery) -> None:
        self.text, self.failure, self.ended = "", "", False
        self._reading = asyncio.create_task(self._read(rig, container, query))

    async def _read(self, rig: Rig, container: str, query: LogQuery) -> None:
        answer = await logs.logs(rig.backend, container, query)
        frames = stdcopy.Decoder()
        try:
            async for chunk in answer.chunks:
                self.text += "".join(frame.payload.decode() for frame in frames.feed(chunk))
        except Unavailable as error:
            self.failure = error.message
        self.ended = True

    async def has(self, text: str) -> None:
        await eventually(lambda: self.text == text)

    async def all(self) -> str:
        await eventually(lambda: self.ended, timeout_s=10)
        assert self.failure == ""
        return self.text


async def text(rig: Rig, container: str, **query: Any) -> str:
    return await Reader(rig, container, LogQuery(**query)).all()


async def test_following_goes_on_where_its_connection_broke(rig: Rig) -> None:
    container, agent = await running(rig)
    reader = Reader(rig, container, FOLLOW)
    for number in range(3):
        write(agent, f"{number} before\n")
        await eventually(lambda: reader.text.endswith("before\n"))
        agent.streams.cut()
        write(agent, f"{number} after\n")
        await eventually(lambda: reader.text.endswith("after\n"))
    await agent.exit(0)
    assert await reader.all() == "".join(f"{number} before\n{number} after\n" for number in range(3))


async def test_an_answer_without_follow_is_whole_though_its_connection_breaks(rig: Rig) -> None:
    container, agent = await running(rig)
    write(agent, *(f"{number}\n" for number in range(20)))
    agent.streams.cut_after = [0, 3, 5]
    assert await text(rig, container) == "".join(f"{number}\n" for number in range(20))
    agent.streams.cut_after = [0, 2]
    assert await text(rig, container, tail=5) == "15\n16\n17\n18\n19\n"


async def test_a_line_that_a_break_parts_stays_one(rig: Rig) -> None:
    container, agent = await running(rig)
    reader = Reader(rig, container, LogQuery(follow=True, timestamps=True))
    write(agent, "one ")
    await eventually(lambda: reader.text.endswith("Z one "))
    agent.streams.cut()
    write(agent, "line\n", "two\n")
    await agent.exit(0)
    lines = (await reader.all()).splitlines()
    assert [line.partition("Z ")[2] for line in lines] == ["one line", "two"]


async def test_following_ends_with_its_run_though_the_break_outlasts_it(rig: Rig) -> None:
    container, agent = await running(rig)
    reader = Reader(rig, container, FOLLOW)
    write(agent, "one\n")
    await reader.has("one\n")
    agent.streams.cut()
    write(agent, "two\n")
    await agent.exit(0)
    agent.streams.begin()
    write(agent, "of the next run\n")
    assert await reader.all() == "one\ntwo\n"
    asked = [query for query in agent.streams.queries if isinstance(query, KeptQuery)]
    assert (asked[-1].run, asked[-1].position) == (1, 1)


async def test_what_the_agent_let_go_meanwhile_comes_from_cloudwatch(rig: Rig) -> None:
    container, agent = await running(rig)
    reader = Reader(rig, container, FOLLOW)
    write(agent, "one\n")
    await reader.has("one\n")
    agent.streams.cut()
    write(agent, "two\n", "three\n")
    agent.streams.drop()
    write(agent, "four\n")
    archive(rig, container, agent)
    await agent.exit(0)
    assert await reader.all() == "one\ntwo\nthree\nfour\n"


async def test_what_a_slow_reader_fell_behind_of_comes_from_cloudwatch(rig: Rig) -> None:
    container, agent = await running(rig)
    reader = Reader(rig, container, FOLLOW)
    write(agent, "one\n")
    await reader.has("one\n")
    agent.streams.pauses = True
    write(agent, "two\n", "three\n")
    agent.streams.drop()
    agent.streams.pauses = False
    write(agent, "four\n")
    archive(rig, container, agent)
    await agent.exit(0)
    assert await reader.all() == "one\ntwo\nthree\nfour\n"


async def test_the_beginning_that_the_agent_no_longer_keeps_comes_from_cloudwatch(rig: Rig) -> None:
    container, agent = await running(rig)
    write(agent, "one\n", "two\n", "three\n")
    agent.streams.drop()
    write(agent, "four\n", "five\n")
    archive(rig, container, agent)
    assert await text(rig, container) == "one\ntwo\nthree\nfour\nfive\n"
    assert await text(rig, container, tail=1) == "five\n"
    assert await text(rig, container, tail=4) == "two\nthree\nfour\nfive\n"
    since_ns = agent.streams.chunks[2].time_ns
    assert await text(rig, container, since_ns=since_ns) == "three\nfour\nfive\n"


async def test_a_gap_that_cloudwatch_cannot_fill_is_told(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs_archive, "INGESTION_GRACE_S", 0.1)
    container, agent = await running(rig)
    write(agent, "one\n", "two\n")
    agent.streams.drop()
    write(agent, "three\n")
    archive(rig, container, agent, without=2)
    reader = Reader(rig, container, LogQuery())
    await eventually(lambda: reader.ended)
    assert (reader.text, "what it has let go is not in CloudWatch yet" in reader.failure) == ("one\n", True)


async def test_the_rest_of_a_lost_task_comes_from_cloudwatch(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs_archive, "INGESTION_GRACE_S", 0.5)
    container, agent = await running(rig)
    reader = Reader(rig, container, FOLLOW)
    write(agent, "one\n")
    await reader.has("one\n")
    (arn,) = rig.ecs.tasks
    agent.streams.cut()
    await agent.close()
    write(agent, "two\n", "three\n")
    archive(rig, container, agent)
    rig.ecs.end(arn, 3)
    assert await reader.all() == "one\ntwo\nthree\n"


async def test_what_earlier_tasks_wrote_comes_first(rig: Rig) -> None:
    container, agent = await running(rig)
    write(agent, "first task\n")
    archive(rig, container, agent)
    (arn,) = rig.ecs.tasks
    await agent.close()
    rig.ecs.end(arn, 0)
    await eventually(lambda: rig.backend.store.container(container).task is None)
    await containers_start.start(rig.backend, container)
    write(rig.agents[-1], "second task\n")
    assert await text(rig, container) == "first task\nsecond task\n"
    assert await text(rig, container, tail=2) == "first task\nsecond task\n"
    assert await text(rig, container, tail=1) == "second task\n"


async def test_an_agent_that_closes_for_another_reason_breaks_the_answer_off(rig: Rig) -> None:
    container, agent = await running(rig)
    agent.streams.close_with = 1011
    reader = Reader(rig, container, FOLLOW)
    await eventually(lambda: reader.ended)
    assert reader.failure == "the container's agent ended its logs with code 1011"


async def test_following_a_created_container_has_its_first_run_from_the_first_line(rig: Rig) -> None:
    def prepare(agent: FakeAgent) -> None:
        agent.exit_code = None

    rig.prepare = prepare
    container = await rig.create()
    reader = Reader(rig, container, FOLLOW)
    await containers_start.start(rig.backend, container)
    await reader.has("hello\n")
    await rig.agents[0].exit(0)
    assert await reader.all() == "hello\n"


async def test_following_a_container_that_is_removed_before_it_ran_ends(rig: Rig) -> None:
    container = await rig.create()
    reader = Reader(rig, container, FOLLOW)
    await asyncio.sleep(0.05)
    await containers_remove.remove(rig.backend, container, force=False, volumes=False)
    assert await reader.all() == ""
    other = await rig.create()
    assert await text(rig, other) == ""
