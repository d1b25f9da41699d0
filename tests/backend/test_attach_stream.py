"""Attach over connections that break: nothing is missing and nothing comes twice, or the client is told."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from sockerless.backend import containers_exit, containers_start, containers_stop, containers_wait, streams
from sockerless.backend.attach_stream import RETAINED_BYTES, _Input
from sockerless.backend.attachment import Attachment
from sockerless.wire import stdcopy
from sockerless.wire.agent_output import StreamQuery
from tests.backend.fakes import FakeAgent
from tests.backend.rig import Rig, eventually

WANTED: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr", "stream"), True) | {"detach_keys": ""}


async def attached(rig: Rig, container: str, *, logs: bool = False, stream: bool = True) -> Attachment:
    return await streams.attach(rig.backend, container, **{**WANTED, "logs": logs, "stream": stream})


async def running(rig: Rig, **config: Any) -> tuple[str, FakeAgent]:
    """A running container whose process has said hello."""
    rig.prepare = lambda agent: setattr(agent, "exit_code", None)
    container = await rig.create(config={"OpenStdin": True, **config})
    await containers_start.start(rig.backend, container)
    return container, rig.agents[-1]


class Client:
    """Reads an attachment; stdout: what came so far, told: what the engine itself said, ended: whether that was all."""

    def __init__(self, attachment: Attachment) -> None:
        self.attachment = attachment
        self.stdout, self.told, self.ended = b"", b"", False
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        frames = stdcopy.Decoder()
        while data := await self.attachment.read():
            for frame in frames.feed(data):
                if frame.stream == stdcopy.STDOUT:
                    self.stdout += frame.payload
                else:
                    self.told += frame.payload
        self.ended = True

    async def has(self, stdout: bytes) -> None:
        await eventually(lambda: self.stdout == stdout)


async def test_output_is_whole_across_breaks(rig: Rig) -> None:
    container, agent = await running(rig)
    client = Client(await attached(rig, container))
    for number in range(3):
        agent.streams.write(stdcopy.STDOUT, b"%d before\n" % number)
        await client.has(b"".join(b"%d before\n%d after\n" % (n, n) for n in range(number)) + b"%d before\n" % number)
        agent.streams.cut()
        agent.streams.write(stdcopy.STDOUT, b"%d after\n" % number)
    await agent.exit(0)
    await eventually(lambda: client.ended)
    assert client.stdout == b"".join(b"%d before\n%d after\n" % (n, n) for n in range(3))
    assert client.told == b""
    asked = [query for query in agent.streams.queries if isinstance(query, StreamQuery)]
    assert len({query.client for query in asked}) == 1
    assert {query.run for query in asked[1:]} == {1}


async def test_a_client_attached_before_the_start_is_served_from_byte_0_though_its_stream_breaks_then(rig: Rig) -> None:
    rig.prepare = lambda agent: setattr(agent, "on_start", lambda: agent.streams.cut())
    container = await rig.create()
    client = Client(await attached(rig, container))
    await containers_start.start(rig.backend, container)
    await eventually(lambda: client.ended)
    assert (client.stdout, client.told) == (b"hello\n", b"")


async def test_input_that_the_agent_had_not_taken_is_sent_again_and_no_other(rig: Rig) -> None:
    container, agent = await running(rig)
    client = Client(await attached(rig, container))
    await client.attachment.write(b"one ")
    await eventually(lambda: bytes(agent.streams.stdin) == b"one ")
    agent.streams.refuses_input = True
    await client.attachment.write(b"two ")
    await client.attachment.write(b"three ")
    await eventually(lambda: agent.streams.refused == 2)
    agent.streams.refuses_input = False
    agent.streams.cut()
    await client.attachment.write(b"four")
    await client.attachment.write_eof()
    await eventually(lambda: bytes(agent.streams.stdin) == b"one two three four")
    await eventually(lambda: agent.streams.input_ended)
    assert client.told == b""


async def test_the_end_of_input_is_sent_again_too(rig: Rig) -> None:
    container, agent = await running(rig)
    client = Client(await attached(rig, container))
    agent.streams.refuses_input = True
    await client.attachment.write(b"all")
    await client.attachment.write_eof()
    await eventually(lambda: agent.streams.refused == 2)
    agent.streams.refuses_input = False
    agent.streams.cut()
    await eventually(lambda: bytes(agent.streams.stdin) == b"all" and agent.streams.input_ended)


async def test_a_position_that_the_agent_no_longer_keeps_is_told(rig: Rig) -> None:
    container, agent = await running(rig)
    client = Client(await attached(rig, container))
    agent.streams.write(stdcopy.STDOUT, b"one\n")
    await client.has(b"one\n")
    agent.streams.cut()
    agent.streams.write(stdcopy.STDOUT, b"two\n")
    agent.streams.drop()
    await eventually(lambda: client.ended)
    assert client.stdout == b"one\n"
    assert b"the agent no longer keeps the output that came then: docker logs has it" in client.told


async def test_a_task_that_is_over_is_told_at_once(rig: Rig) -> None:
    container, agent = await running(rig)
    client = Client(await attached(rig, container))
    waiter = containers_wait.begin_wait(rig.backend, container, "not-running")
    (arn,) = rig.ecs.tasks
    agent.streams.cut()
    await agent.close()
    rig.ecs.end(arn, None, "Fargate needed the machine")
    async with asyncio.timeout(containers_exit.DRAIN_TIMEOUT_S / 2):
        await waiter
    await eventually(lambda: client.ended)
    assert b"the rest of the output is lost: its task is over" in client.told


async def test_an_agent_that_closes_for_another_reason_is_not_asked_again(rig: Rig) -> None:
    container, agent = await running(rig)
    client = Client(await attached(rig, container))
    agent.streams.close_with = 1011
    agent.streams.write(stdcopy.STDOUT, b"")
    await eventually(lambda: client.ended)
    assert b"it was closed with code 1011" in client.told


async def test_a_stream_that_does_not_end_with_its_container_is_told(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(containers_exit, "DRAIN_TIMEOUT_S", 0.2)
    container, agent = await running(rig)
    client = Client(await attached(rig, container))
    agent.streams.hangs = True
    await agent.exit(3)
    await eventually(lambda: client.ended)
    assert b"the container has ended, but the rest of its output did not come within 0.2 s" in client.told
    await eventually(lambda: rig.status(container) == "exited")
    agent.streams.cut()


@pytest.mark.parametrize(("how", "code"), [("close", 1000), ("abandon", 1001)])
async def test_the_agent_hears_whether_a_client_has_gone(rig: Rig, how: str, code: int) -> None:
    container, agent = await running(rig)
    attachment = await attached(rig, container)
    await getattr(attachment, how)()
    await eventually(lambda: agent.streams.ended_by == [code])


async def test_a_client_that_leaves_while_its_stream_is_broken_leaves_nothing_behind(rig: Rig) -> None:
    container, agent = await running(rig)
    attachment = await attached(rig, container)
    await agent.close()
    await asyncio.wait_for(attachment.close(), 5)
    assert rig.backend.lives.of(container).attachments == set()


async def test_logs_come_first_and_live_output_follows_without_a_gap(rig: Rig) -> None:
    container, agent = await running(rig)
    agent.streams.write(stdcopy.STDOUT, b"two\n")
    client = Client(await attached(rig, container, logs=True))
    agent.streams.write(stdcopy.STDOUT, b"three\n")
    await client.has(b"hello\ntwo\nthree\n")
    await agent.exit(0)
    await eventually(lambda: client.ended)
    assert (client.stdout, client.told) == (b"hello\ntwo\nthree\n", b"")


async def test_logs_alone_end(rig: Rig) -> None:
    container, _ = await running(rig)
    client = Client(await attached(rig, container, logs=True, stream=False))
    await eventually(lambda: client.ended)
    assert client.stdout == b"hello\n"


async def test_an_exited_container_s_logs_come_first_and_then_its_next_run(rig: Rig) -> None:
    container = await rig.create()
    await containers_start.start(rig.backend, container)
    await eventually(lambda: rig.status(container) == "exited")
    client, without = Client(await attached(rig, container, logs=True)), Client(await attached(rig, container))
    await client.has(b"hello\n")
    rig.agents[0].output = [(stdcopy.STDOUT, b"again\n")]
    assert (client.ended, without.ended) == (False, False)
    await containers_start.start(rig.backend, container)
    await eventually(lambda: client.ended and without.ended)
    assert (client.stdout, without.stdout) == (b"hello\nagain\n", b"again\n")


async def test_a_new_link_takes_streams_with_it_that_may_hang_where_the_old_one_broke(rig: Rig) -> None:
    container, agent = await running(rig)
    client = Client(await attached(rig, container))
    link = rig.backend.lives.of(container).link
    agent.cut_at = ["signal"]
    await containers_stop.kill(rig.backend, container, "KILL")
    await eventually(lambda: client.ended)
    assert rig.backend.lives.of(container).link is not link
    assert len([query for query in agent.streams.queries if isinstance(query, StreamQuery)]) >= 2
    assert client.told == b""


def test_input_is_kept_until_the_agent_has_it_up_to_a_bound() -> None:
    sent = _Input()
    sent.add(b"one")
    sent.add(b"two")
    assert sent.taken(3)
    assert sent.left() == [b"two"]
    assert sent.taken(0) is False
    for _ in range(3):
        sent.add(bytes(RETAINED_BYTES // 2))
    assert sum(map(len, sent.left())) <= RETAINED_BYTES
    assert not sent.taken(6)
