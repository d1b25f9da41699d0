"""A start whose task lingers, or whose agent drops out: one task, one process, and the files stay where they are."""

from __future__ import annotations

import asyncio
from dataclasses import asdict

import pytest

from sockerless.backend import agent_news, containers_start, containers_wait, streams
from sockerless.backend.attachment import Attachment
from sockerless.errors import Conflict, InvalidParameter, SystemFailure, Unavailable
from sockerless.wire import stdcopy
from sockerless.wire.agent import Exited, Hello
from tests.backend.fakes import FakeAgent
from tests.backend.rig import Rig, eventually

OUTPUT = {"stdin": False, "stdout": True, "stderr": True, "stream": True, "logs": False, "detach_keys": ""}


async def run(rig: Rig, container: str) -> int:
    """Starts it; its exit code."""
    waiter = containers_wait.begin_wait(rig.backend, container, "next-exit")
    await containers_start.start(rig.backend, container)
    return (await asyncio.wait_for(waiter, 5)).status_code


@pytest.fixture
async def lingering(rig: Rig) -> str:
    """A container that has run once, and whose task is still there."""
    container = await rig.create()
    await run(rig, container)
    return container


async def test_a_refused_start_leaves_the_lingering_task_and_its_files(rig: Rig, lingering: str) -> None:
    agent = rig.agents[0]
    agent.refusal = ("not_found", "no such program")
    with pytest.raises(InvalidParameter, match="no such program"):
        await containers_start.start(rig.backend, lingering)
    state = rig.backend.store.container(lingering).state
    assert (state.status, state.exit_code, state.error) == ("exited", 127, "no such program")
    agent.refusal = None
    assert await run(rig, lingering) == 0
    assert (agent.starts, rig.ecs.calls["ecs", "RunTask"]) == (2, 1)


async def test_a_start_waits_for_a_connection_that_broke(rig: Rig, lingering: str) -> None:
    live = rig.backend.lives.of(lingering)
    link = live.link
    await live.set_link(None)
    starting = asyncio.create_task(run(rig, lingering))
    await asyncio.sleep(0.2)
    assert (rig.agents[0].starts, rig.ecs.calls["ecs", "RunTask"]) == (1, 1)
    await live.set_link(link)
    assert await starting == 0
    assert (rig.agents[0].starts, rig.ecs.calls["ecs", "RunTask"]) == (2, 1)


@pytest.mark.parametrize("where", ["cut_at", "cut_behind"])
@pytest.mark.parametrize("again", [False, True])
async def test_a_connection_that_breaks_at_the_start_request_costs_nothing(rig: Rig, where: str, again: bool) -> None:
    container = await rig.create()
    if again:
        await run(rig, container)
        setattr(rig.agents[0], where, ["start"])
    else:
        rig.prepare = lambda agent: setattr(agent, where, ["start"])
    assert await run(rig, container) == 0
    assert (rig.agents[0].starts, rig.ecs.calls["ecs", "RunTask"]) == (1 + again, 1)


async def test_an_agent_that_leaves_at_the_start_request_ends_with_its_task(rig: Rig, lingering: str) -> None:
    agent, leaving = rig.agents[0], []
    agent.on_start = lambda: leaving.append(asyncio.create_task(agent.close()))
    agent.cut_behind = ["start"]
    with pytest.raises(Unavailable, match="cannot be reached"):
        await containers_start.start(rig.backend, lingering)
    await eventually(lambda: [task["lastStatus"] for task in rig.ecs.tasks.values()] == ["STOPPED"])
    assert rig.backend.store.container(lingering).task is None


async def test_a_run_that_cannot_be_recorded_ends_with_its_lingering_task(rig: Rig, lingering: str) -> None:
    rig.agents[0].exit_code = None
    rig.agents[0].on_start = lambda: setattr(rig.disk, "full", True)
    with pytest.raises(SystemFailure, match="disk is full"):
        await containers_start.start(rig.backend, lingering)
    rig.disk.full = False
    await eventually(lambda: [task["lastStatus"] for task in rig.ecs.tasks.values()] == ["STOPPED"])


async def test_who_attaches_while_the_agent_starts_the_process_gets_its_output_from_the_first_byte(rig: Rig) -> None:
    container = await rig.create()
    attaching: list[asyncio.Task[Attachment]] = []

    def attach() -> None:
        attaching.append(asyncio.create_task(streams.attach(rig.backend, container, **OUTPUT)))  # type: ignore[arg-type]

    def prepare(agent: FakeAgent) -> None:
        agent.on_start = attach

    rig.prepare = prepare
    await run(rig, container)
    attachment = await attaching[0]
    assert await asyncio.wait_for(attachment.read(), 5) == stdcopy.encode(1, b"hello\n")
    assert await asyncio.wait_for(attachment.read(), 5) == b""


async def test_the_end_of_the_run_before_told_late_does_not_end_the_run_that_is_on(rig: Rig) -> None:
    rig.prepare = lambda agent: setattr(agent, "exit_code", None)
    container = await rig.create()
    await containers_start.start(rig.backend, container)
    started_at_ns = rig.backend.store.container(container).state.started_at_ns
    before = Exited(3, False, started_at_ns - 1, 0, started_at_ns - 2)
    for late in (before, Hello("test", "exited", 7, started_at_ns - 2, before)):
        await agent_news.settle(rig.backend, container, late)
        assert rig.status(container) == "running"
    now = Exited(3, False, started_at_ns + 1, 0, started_at_ns)
    await agent_news.settle(rig.backend, container, Hello("test", "exited", 7, started_at_ns, now))
    assert rig.status(container) == "exited"


async def start_behind_the_record(rig: Rig, container: str) -> None:
    """What a daemon leaves that dies between the agent's answer and the record."""
    agent = rig.agents[0]
    agent.exit_code = None
    link = rig.backend.lives.of(container).link
    assert link is not None
    await link.request("start", process=asdict(agent.process))
    await rig.die()


async def test_a_run_that_no_daemon_lived_to_record_is_ended_and_the_files_are_kept(rig: Rig, lingering: str) -> None:
    await start_behind_the_record(rig, lingering)
    await rig.boot()
    await eventually(lambda: rig.agents[0].signals == [9])
    state = rig.backend.store.container(lingering).state
    assert (state.status, state.exit_code) == ("exited", 125)
    assert state.error == "the daemon ended while the container was starting"
    rig.agents[0].exit_code = 0
    assert await run(rig, lingering) == 0
    assert (rig.agents[0].starts, rig.ecs.calls["ecs", "RunTask"]) == (3, 1)


async def test_a_restart_that_no_daemon_lived_to_record_is_made_again(rig: Rig) -> None:
    rig.prepare = lambda agent: setattr(agent, "exit_code", 1)
    container = await rig.create(RestartPolicy={"Name": "always"})
    await run(rig, container)
    await start_behind_the_record(rig, container)
    await rig.boot()
    await eventually(lambda: rig.status(container) == "running")
    assert rig.agents[0].signals == [9]
    assert rig.ecs.calls["ecs", "RunTask"] == 1


async def test_an_agent_that_is_leaving_is_followed_by_a_new_task(rig: Rig, lingering: str) -> None:
    agent, leaving = rig.agents[0], []
    agent.refusal = ("conflict", "the agent is ending")
    agent.on_start = lambda: leaving.append(asyncio.create_task(agent.close()))
    assert await run(rig, lingering) == 0
    assert (len(rig.agents), rig.agents[1].starts) == (2, 1)


async def test_an_agent_that_is_busy_and_stays_refuses_the_start(
    rig: Rig, lingering: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(containers_start, "LEAVING_TIMEOUT_S", 0.2)
    rig.agents[0].refusal = ("conflict", "the process is already running")
    with pytest.raises(Conflict, match="already running"):
        await containers_start.start(rig.backend, lingering)
    rig.agents[0].refusal = None
    assert await run(rig, lingering) == 0
    assert rig.ecs.calls["ecs", "RunTask"] == 1
