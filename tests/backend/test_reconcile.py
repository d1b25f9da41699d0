"""kill -9 at every AWS call and in every state: the next daemon finds everything and leaves no task behind."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from sockerless.backend import containers_remove, containers_start, containers_stop, containers_wait
from sockerless.errors import InvalidParameter, SystemFailure, Unavailable
from tests.backend.rig import Rig, eventually


class Killed(BaseException):
    """The daemon died inside an AWS call."""


def forever(agent: object) -> None:
    agent.exit_code = None  # type: ignore[attr-defined]


async def test_a_running_container_is_adopted(rig: Rig) -> None:
    rig.prepare = forever
    container = await rig.create()
    await containers_start.start(rig.backend, container)
    await rig.die()
    await rig.boot()
    assert rig.status(container) == "running"
    waiter = containers_wait.begin_wait(rig.backend, container, "not-running")
    await containers_stop.stop(rig.backend, container, 5, None)
    assert (await waiter).status_code == 143
    assert rig.ecs.calls["ecs", "RunTask"] == 1


async def test_an_exit_while_nobody_watched_is_told_by_the_lingering_agent(rig: Rig) -> None:
    rig.prepare = forever
    container = await rig.create()
    await containers_start.start(rig.backend, container)
    await rig.die()
    await rig.agents[0].exit(9)
    await rig.boot()
    waiter = containers_wait.begin_wait(rig.backend, container, "not-running")
    assert (await asyncio.wait_for(waiter, 5)).status_code == 9


async def test_an_exit_while_nobody_watched_is_told_by_ecs_when_the_task_is_gone(rig: Rig) -> None:
    rig.prepare = forever
    container = await rig.create()
    await containers_start.start(rig.backend, container)
    await rig.die()
    await rig.agents[0].close()
    rig.ecs.end(next(iter(rig.ecs.tasks)), 4)
    await rig.boot()
    record = rig.backend.store.container(container)
    assert (record.state.status, record.state.exit_code, record.task) == ("exited", 4, None)


async def test_a_task_that_ecs_forgot_ends_the_container_with_255_and_says_so(rig: Rig) -> None:
    rig.prepare = forever
    container = await rig.create()
    await containers_start.start(rig.backend, container)
    await rig.die()
    rig.ecs.tasks.clear()
    await rig.boot()
    state = rig.backend.store.container(container).state
    assert (state.status, state.exit_code) == ("exited", 255)
    assert "no longer knows the task" in state.error


async def test_created_and_exited_containers_stay_as_they_were(rig: Rig) -> None:
    created = await rig.create("created")
    done = await rig.create("done")
    waiter = containers_wait.begin_wait(rig.backend, done, "next-exit")
    await containers_start.start(rig.backend, done)
    await waiter
    await rig.die()
    await rig.boot()
    assert (rig.status(created), rig.status(done)) == ("created", "exited")
    await containers_remove.remove(rig.backend, done, force=False, volumes=False)


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_death_around_run_task_leaves_the_container_created_and_no_task(rig: Rig, moment: str) -> None:
    def die(operation: str) -> None:
        if operation == "RunTask":
            raise Killed

    def die_after(task: dict[str, object], env: dict[str, str]) -> None:
        raise Killed

    container = await rig.create()
    saved = rig.ecs.on_run
    if moment == "before":
        rig.ecs.before = die
    else:
        rig.ecs.on_run = die_after
    with contextlib.suppress(Killed):
        await containers_start.start(rig.backend, container)
    await rig.die()
    rig.ecs.before, rig.ecs.on_run = lambda operation: None, saved
    await rig.boot()
    assert rig.status(container) == "created"
    await eventually(lambda: all(task["lastStatus"] == "STOPPED" for task in rig.ecs.tasks.values()))
    await containers_start.start(rig.backend, container)
    assert len(rig.agents) == 1


async def test_death_while_the_agent_is_dialled_rolls_the_start_back(rig: Rig) -> None:
    rig.answers = False
    container = await rig.create()
    start = asyncio.create_task(containers_start.start(rig.backend, container))
    await eventually(lambda: bool(rig.ecs.tasks))
    await eventually(lambda: rig.backend.lives.of(container).supervisor is not None)
    await rig.die()
    start.cancel()
    await asyncio.gather(start, return_exceptions=True)
    await rig.boot()
    assert rig.status(container) == "created"
    assert [task["lastStatus"] for task in rig.ecs.tasks.values()] == ["STOPPED"]


async def test_death_while_an_auto_removed_container_starts_removes_it(rig: Rig) -> None:
    rig.answers = False
    created = await rig.create(AutoRemove=True)
    start = asyncio.create_task(containers_start.start(rig.backend, created))
    await eventually(lambda: rig.backend.lives.of(created).supervisor is not None)
    await rig.die()
    start.cancel()
    await asyncio.gather(start, return_exceptions=True)
    await rig.boot()
    assert rig.backend.store.containers() == []
    assert [task["lastStatus"] for task in rig.ecs.tasks.values()] == ["STOPPED"]


@pytest.mark.parametrize("operation", ["ListTaskDefinitions", "RegisterTaskDefinition"])
async def test_death_while_a_definition_is_registered_leaves_no_container_and_frees_its_name(
    rig: Rig, operation: str
) -> None:
    def die(called: str) -> None:
        if called == operation:
            rig.disk.full = True  # what a create does about a failure, a dead daemon does not do
            raise Killed

    rig.ecs.before = die
    with pytest.raises((Killed, SystemFailure)):
        await rig.create("web")
    rig.ecs.before = lambda operation: None
    assert [container.name for container in rig.backend.store.containers()] == ["web"]
    await rig.die()
    await rig.boot()
    assert rig.backend.store.containers() == []
    await containers_start.start(rig.backend, await rig.create("web"))


async def test_a_task_whose_stop_failed_is_stopped_by_the_next_daemon(rig: Rig) -> None:
    def refuse(operation: str) -> None:
        if operation == "StopTask":
            raise Unavailable("Rate exceeded")

    rig.prepare = lambda agent: setattr(agent, "refusal", ("not_found", "no such program"))
    created = await rig.create()
    rig.ecs.before = refuse
    with pytest.raises(InvalidParameter, match="no such program"):
        await containers_start.start(rig.backend, created)
    await eventually(lambda: rig.ecs.calls["ecs", "StopTask"] > 0)
    await rig.die()
    rig.ecs.before = lambda operation: None
    await rig.boot()
    assert [task["lastStatus"] for task in rig.ecs.tasks.values()] == ["STOPPED"]


async def test_an_aws_error_at_start_up_never_reads_as_gone(rig: Rig) -> None:
    def refuse(operation: str) -> None:
        if operation in {"ListTasks", "DescribeTasks"}:
            raise Unavailable("ecs cannot be reached")

    rig.prepare = forever
    container = await rig.create()
    await containers_start.start(rig.backend, container)
    await rig.die()
    rig.ecs.before = refuse
    booting = asyncio.create_task(rig.boot())
    await eventually(lambda: rig.ecs.calls["ecs", "ListTasks"] > 1)
    assert rig.status(container) == "running"
    rig.ecs.before = lambda operation: None
    await booting
    await containers_stop.stop(rig.backend, container, 5, None)
    assert rig.status(container) == "exited"


async def test_only_this_daemons_tasks_are_stopped(rig: Rig) -> None:
    rig.answers = False
    foreign = {"taskArn": "arn:aws:ecs:us-east-1:123456789012:task/test/f", "lastStatus": "RUNNING"}
    rig.ecs.tasks["f"] = {**foreign, "desiredStatus": "RUNNING", "startedBy": "sockerless/other", "tags": []}
    await rig.die()
    await rig.boot()
    assert rig.ecs.tasks["f"]["lastStatus"] == "RUNNING"
    assert rig.ecs.calls["ecs", "StopTask"] == 0
