"""Container verbs against a fake ECS and real agent connections: order, states, errors, no lost exit."""

from __future__ import annotations

import asyncio
import logging
import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sockerless.backend import (
    containers_remove,
    containers_rename,
    containers_start,
    containers_stop,
    containers_wait,
    streams,
)
from sockerless.backend.agent_link import HEARTBEAT_S
from sockerless.errors import Conflict, Forbidden, InvalidParameter, NotFound, NotModified, Unavailable
from sockerless.wire import stdcopy
from sockerless.wire.tcp_info import LOST_S
from tests.backend.rig import Rig, eventually

BOTH = {"stdin": True, "stdout": True, "stderr": True, "stream": True, "logs": False, "detach_keys": ""}


def forever(agent: object) -> None:
    agent.exit_code = None  # type: ignore[attr-defined]


async def test_run_delivers_output_then_exit_code(rig: Rig) -> None:
    container = await rig.create()
    attachment = await streams.attach(rig.backend, container, **BOTH)  # type: ignore[arg-type]
    waiter = containers_wait.begin_wait(rig.backend, container, "next-exit")
    rig.prepare = lambda agent: setattr(agent, "exit_code", 7)
    await containers_start.start(rig.backend, container)
    assert await attachment.read() == stdcopy.encode(1, b"hello\n")
    assert await attachment.read() == b""
    assert (await waiter).status_code == 7
    assert rig.status(container) == "exited"


async def test_auto_remove_forgets_the_container_before_wait_answers(rig: Rig) -> None:
    container = await rig.create(AutoRemove=True)
    waiter = containers_wait.begin_wait(rig.backend, container, "removed")
    await containers_start.start(rig.backend, container)
    assert (await waiter).status_code == 0
    assert rig.backend.store.find_containers(container) == []
    assert rig.ecs.calls["ecs", "StopTask"] == 0


async def test_one_run_of_a_known_shape_changes_one_thing_in_aws(rig: Rig) -> None:
    await rig.create()
    rig.ecs.calls.clear()
    container = await rig.create(AutoRemove=True)
    waiter = containers_wait.begin_wait(rig.backend, container, "removed")
    await containers_start.start(rig.backend, container)
    await waiter
    assert {name for _, name in rig.ecs.calls} <= {"RunTask", "DescribeTasks"}
    assert rig.ecs.calls["ecs", "RunTask"] == 1


async def test_equal_shapes_share_one_definition(rig: Rig) -> None:
    await rig.create(config={"Cmd": ["a"], "Env": ["SECRET=1"], "Labels": {"x": "y"}})
    await rig.create(config={"Cmd": ["b"], "User": "1000"})
    await rig.create(Memory=4 << 30)
    assert len(rig.ecs.definitions) == 2
    assert "SECRET" not in str(rig.ecs.definitions)


async def test_a_definition_that_ecs_has_is_found_when_the_store_does_not_know_it(rig: Rig) -> None:
    await rig.create()
    for record in rig.backend.store.task_definitions():
        rig.backend.store.delete_task_definition(record.shape)
    await rig.create()
    assert len(rig.ecs.definitions) == 1


async def test_a_missing_program_fails_the_start_with_127_and_leaves_no_task(rig: Rig) -> None:
    rig.prepare = lambda agent: setattr(agent, "refusal", ("not_found", 'exec: "x": executable file not found'))
    container = await rig.create()
    with pytest.raises(InvalidParameter, match="executable file not found"):
        await containers_start.start(rig.backend, container)
    record = rig.backend.store.container(container)
    assert (record.state.status, record.state.exit_code, record.task) == ("created", 127, None)
    await eventually(lambda: [task["lastStatus"] for task in rig.ecs.tasks.values()] == ["STOPPED"])


async def test_a_failed_start_of_an_auto_removed_container_completes_its_wait(rig: Rig) -> None:
    rig.prepare = lambda agent: setattr(agent, "refusal", ("permission", "permission denied"))
    container = await rig.create(AutoRemove=True)
    waiter = containers_wait.begin_wait(rig.backend, container, "removed")
    with pytest.raises(InvalidParameter):
        await containers_start.start(rig.backend, container)
    assert (await asyncio.wait_for(waiter, 5)).status_code == 126
    assert rig.backend.store.containers() == []


async def test_a_failed_start_tells_its_own_error_and_lets_everybody_go_though_its_task_cannot_be_stopped(
    rig: Rig,
) -> None:
    refusals = [Unavailable("Rate exceeded"), Forbidden("no ecs:StopTask")]

    def refuse(operation: str) -> None:
        if operation == "StopTask" and refusals:
            raise refusals.pop(0)

    rig.prepare = lambda agent: setattr(agent, "refusal", ("not_found", "no such program"))
    container = await rig.create(AutoRemove=True)
    attachment = await streams.attach(rig.backend, container, **BOTH)  # type: ignore[arg-type]
    waiter = containers_wait.begin_wait(rig.backend, container, "removed")
    rig.ecs.before = refuse
    with pytest.raises(InvalidParameter, match="no such program"):
        await containers_start.start(rig.backend, container)
    assert (await waiter).status_code == 127
    await rig.agents[0].close()
    assert await asyncio.wait_for(attachment.read(), 5) == b""
    await eventually(lambda: [task["lastStatus"] for task in rig.ecs.tasks.values()] == ["STOPPED"])
    assert refusals == []


async def test_a_refused_run_task_leaves_the_container_created(rig: Rig) -> None:
    def refuse(operation: str) -> None:
        if operation == "RunTask":
            raise Unavailable("AWS could not place the task: Capacity is unavailable")

    container = await rig.create()
    rig.ecs.before = refuse
    with pytest.raises(Unavailable, match="Capacity"):
        await containers_start.start(rig.backend, container)
    assert rig.status(container) == "created"
    rig.ecs.before = lambda operation: None
    await containers_start.start(rig.backend, container)


async def test_a_task_that_never_runs_fails_the_start_with_awss_reason(rig: Rig) -> None:
    rig.answers = False
    container = await rig.create()
    start = asyncio.create_task(containers_start.start(rig.backend, container))
    await eventually(lambda: bool(rig.ecs.tasks))
    rig.ecs.end(next(iter(rig.ecs.tasks)), None, "CannotPullContainerError: manifest unknown")
    with pytest.raises(Exception, match="CannotPullContainerError"):
        await start
    assert rig.status(container) == "created"


async def test_stop_ends_with_the_signals_code_and_kills_what_ignores_it(rig: Rig) -> None:
    rig.prepare = forever
    polite = await rig.create()
    await containers_start.start(rig.backend, polite)
    await containers_stop.stop(rig.backend, polite, 5, None)
    assert rig.backend.store.container(polite).state.exit_code == 143

    stubborn = await rig.create()
    await containers_start.start(rig.backend, stubborn)
    rig.agents[-1].ignores.add(15)
    await containers_stop.stop(rig.backend, stubborn, 1, None)
    assert rig.agents[-1].signals == [15, 9]
    assert rig.backend.store.container(stubborn).state.exit_code == 137
    with pytest.raises(NotModified):
        await containers_stop.stop(rig.backend, stubborn, 1, None)


async def test_a_second_start_runs_in_the_same_task_while_it_lingers(rig: Rig) -> None:
    container = await rig.create()
    for _ in range(2):
        waiter = containers_wait.begin_wait(rig.backend, container, "next-exit")
        await containers_start.start(rig.backend, container)
        await waiter
    assert rig.agents[0].starts == 2
    assert rig.ecs.calls["ecs", "RunTask"] == 1


async def test_the_log_tells_how_long_each_step_of_a_start_took(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    await containers_start.start(rig.backend, await rig.create("web"))
    steps = "credentials and record S s, RunTask S s, its task and agent S s, its process S s"
    line = next(message for message in caplog.messages if "(web) started: " in message)
    assert re.fullmatch(steps.replace("S", r"\d+\.\d{3}"), line.partition("started: ")[2])
    assert any(re.search(r"its agent answered, \d+\.\d{3} s after it was found absent$", m) for m in caplog.messages)


async def test_a_run_writes_its_record_only_where_a_daemon_that_died_would_need_it(rig: Rig) -> None:
    await rig.create()
    rig.disk.written.clear()
    container = await rig.create(AutoRemove=True)
    waiter = containers_wait.begin_wait(rig.backend, container, "removed")
    await containers_start.start(rig.backend, container)
    await waiter
    durable = [name for name in rig.disk.written if name != "add_event"]
    created, asked, answered, addressed, runs = ["save_container"] * 5
    assert durable == [created, asked, answered, addressed, runs, "delete_container"]


async def test_a_start_after_the_task_is_gone_waits_for_the_new_tasks_agent(rig: Rig) -> None:
    container = await rig.create()
    waiter = containers_wait.begin_wait(rig.backend, container, "next-exit")
    await containers_start.start(rig.backend, container)
    await waiter
    rig.ecs.end(next(iter(rig.ecs.tasks)), 0)
    await rig.agents[0].close()
    await eventually(lambda: rig.backend.store.container(container).task is None)
    rig.comes_up_after_s = 1.0
    await containers_start.start(rig.backend, container)
    assert len(rig.ecs.tasks) == 2


async def test_removing_a_lingering_container_lets_its_agent_go(rig: Rig) -> None:
    container = await rig.create()
    waiter = containers_wait.begin_wait(rig.backend, container, "next-exit")
    await containers_start.start(rig.backend, container)
    await waiter
    await containers_remove.remove(rig.backend, container, force=False, volumes=False)
    await asyncio.wait_for(rig.agents[0].finished.wait(), 5)
    with pytest.raises(NotFound, match=f"No such container: {container}"):
        await containers_start.start(rig.backend, container)


async def test_a_running_container_is_removed_only_by_force(rig: Rig) -> None:
    rig.prepare = forever
    container = await rig.create("busy")
    await containers_start.start(rig.backend, container)
    with pytest.raises(Conflict, match=f"You cannot remove a running container {container}"):
        await containers_remove.remove(rig.backend, "busy", force=False, volumes=False)
    await containers_remove.remove(rig.backend, "busy", force=True, volumes=False)
    assert rig.agents[0].signals == [9]
    assert rig.backend.store.containers() == []


async def test_kill_of_a_container_that_does_not_run_conflicts_in_dockers_words(rig: Rig) -> None:
    container = await rig.create("idle")
    with pytest.raises(Conflict, match=f"Cannot kill container: idle: Container {container} is not running"):
        await containers_stop.kill(rig.backend, "idle", "KILL")
    with pytest.raises(InvalidParameter, match="Invalid signal: FOO"):
        await containers_stop.kill(rig.backend, "idle", "FOO")


async def test_a_taken_name_conflicts_and_a_rename_frees_it(rig: Rig) -> None:
    first = await rig.create("web")
    with pytest.raises(Conflict, match=f'"/web" is already in use by container "{first}"'):
        await rig.create("web")
    await containers_rename.rename(rig.backend, "web", "old-web")
    await rig.create("web")
    with pytest.raises(InvalidParameter, match="same name"):
        await containers_rename.rename(rig.backend, "web", "/web")


async def test_an_agent_that_drops_out_is_dialled_again(rig: Rig) -> None:
    rig.prepare = forever
    container = await rig.create()
    await containers_start.start(rig.backend, container)
    agent = rig.agents[0]
    await agent.close()
    await agent.listen()
    await containers_stop.stop(rig.backend, container, 5, None)
    assert agent.signals == [15]


async def test_a_task_that_stops_behind_our_back_ends_the_container_with_ecss_code(rig: Rig) -> None:
    rig.prepare = forever
    container = await rig.create()
    await containers_start.start(rig.backend, container)
    waiter = containers_wait.begin_wait(rig.backend, container, "not-running")
    rig.ecs.end(next(iter(rig.ecs.tasks)), 3)
    await rig.agents[0].close()
    assert (await asyncio.wait_for(waiter, 10)).status_code == 3


@pytest.mark.parametrize("told_by", ["the agent", "ECS"])
async def test_a_spot_interruption_is_the_containers_error(rig: Rig, told_by: str) -> None:
    rig.prepare = forever
    container = await rig.create()
    await containers_start.start(rig.backend, container)
    waiter = containers_wait.begin_wait(rig.backend, container, "not-running")
    taken_at = datetime.now(UTC)
    if told_by == "the agent":
        await rig.agents[0].exit(143)
    rig.ecs.end(next(iter(rig.ecs.tasks)), 143, "Your Spot Task was interrupted.", "SpotInterruption", taken_at)
    await rig.agents[0].close()
    assert (await asyncio.wait_for(waiter, 10)).status_code == 143
    said = "the Fargate Spot task was interrupted by AWS: Your Spot Task was interrupted."
    await eventually(lambda: rig.backend.store.container(container).state.error.startswith(said), timeout_s=45)
    record = rig.backend.store.container(container)
    assert (record.state.status, record.state.exit_code, record.task) == ("exited", 143, None)


async def test_a_container_that_had_ended_before_its_task_was_taken_has_no_error(rig: Rig) -> None:
    container = await rig.create()
    await containers_start.start(rig.backend, container)
    await eventually(lambda: rig.status(container) == "exited")
    rig.ecs.end(next(iter(rig.ecs.tasks)), 0, "Your Spot Task was interrupted.", "SpotInterruption")
    await rig.agents[0].close()
    await eventually(lambda: rig.backend.store.container(container).task is None, timeout_s=10)
    assert rig.backend.store.container(container).state.error == ""


async def test_a_task_is_asked_for_on_the_provider_that_is_configured(rig: Rig) -> None:
    rig.backend.config = replace(rig.backend.config, capacity_providers=(("FARGATE_SPOT", 1),))
    await containers_start.start(rig.backend, await rig.create())
    (task,) = rig.ecs.tasks.values()
    assert task["asked"]["capacityProviderStrategy"] == [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
    assert "launchType" not in task["asked"]


async def test_a_task_above_the_deployments_maximum_is_refused_and_nothing_is_made(rig: Rig) -> None:
    rig.backend.config = replace(rig.backend.config, max_memory_mib=2048)
    with pytest.raises(InvalidParameter, match="--memory 3072 MiB needs"):
        await rig.create(Memory=3 << 30)
    assert rig.backend.store.containers() == []
    await rig.create(Memory=2 << 30)
    assert rig.ecs.definitions[-1]["memory"] == "2048"


async def test_a_stop_whose_link_breaks_goes_on_over_the_next_one(rig: Rig) -> None:
    rig.prepare = forever
    container = await rig.create()
    await containers_start.start(rig.backend, container)
    rig.agents[0].cut_at = ["signal"]
    await containers_stop.stop(rig.backend, container, 5, None)
    assert (rig.agents[0].signals, rig.agents[0].cut_at) == ([15], [])
    assert rig.ecs.calls["ecs", "StopTask"] == 0
    assert rig.backend.store.container(container).state.exit_code == 143


def test_a_control_connection_outlives_a_network_that_is_held_for_20_s() -> None:
    assert 20 < HEARTBEAT_S / 2 <= HEARTBEAT_S * 1.5 <= LOST_S


async def test_prune_removes_what_does_not_run_and_matches(rig: Rig) -> None:
    rig.prepare = forever
    running = await rig.create("running")
    await containers_start.start(rig.backend, running)
    keep, drop = await rig.create("keep"), await rig.create("drop")
    assert await containers_remove.prune(rig.backend, lambda c: c.name != "keep") == [drop]
    assert {c.id for c in rig.backend.store.containers()} == {running, keep}


async def test_a_definition_deregistered_behind_our_back_is_registered_again(rig: Rig) -> None:
    container = await rig.create()
    failed: list[str] = []

    def inactive_once(operation: str) -> None:
        if operation == "RunTask" and not failed:
            failed.append(operation)
            raise InvalidParameter("TaskDefinition is inactive")

    rig.ecs.before = inactive_once
    await containers_start.start(rig.backend, container)
    assert len(rig.ecs.definitions) == 2
    assert rig.backend.store.container(container).task_definition_arn.endswith(":2")
