"""A disk that is full for a while, and daemons that die just then: nothing that was told is lost."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from sockerless.backend import containers_start, containers_wait
from sockerless.errors import InvalidParameter
from sockerless.store.sqlite import open_store
from tests.backend.rig import Rig, eventually


def forever(agent: object) -> None:
    agent.exit_code = None  # type: ignore[attr-defined]


async def exited_unrecorded(rig: Rig, code: int, **host: object) -> str:
    """A container whose process has ended, which could not be recorded so far."""
    rig.prepare = forever
    container = await rig.create(**host)
    await containers_start.start(rig.backend, container)
    rig.disk.full = True
    await rig.agents[0].exit(code)
    await eventually(lambda: rig.disk.refused > 0)
    assert rig.status(container) == "running"
    return container


async def test_an_exit_is_recorded_and_told_once_there_is_room(rig: Rig) -> None:
    container = await exited_unrecorded(rig, 3)
    waiter = containers_wait.begin_wait(rig.backend, container, "not-running")
    rig.disk.full = False
    assert (await asyncio.wait_for(waiter, 5)).status_code == 3
    assert rig.status(container) == "exited"


async def test_an_auto_removed_container_is_removed_once_there_is_room(rig: Rig) -> None:
    container = await exited_unrecorded(rig, 3, AutoRemove=True)
    waiter = containers_wait.begin_wait(rig.backend, container, "removed")
    rig.disk.full = False
    assert (await asyncio.wait_for(waiter, 5)).status_code == 3
    assert rig.backend.store.containers() == []


async def test_a_restart_policy_runs_the_container_again_once_there_is_room(rig: Rig) -> None:
    container = await exited_unrecorded(rig, 3, RestartPolicy={"Name": "always"})
    rig.disk.full = False
    await eventually(lambda: rig.agents[0].starts == 2 and rig.status(container) == "running")


async def test_the_agents_exit_code_stands_though_its_task_has_ended_meanwhile(rig: Rig) -> None:
    container = await exited_unrecorded(rig, 3)
    await rig.agents[0].close()
    rig.ecs.end(next(iter(rig.ecs.tasks)), 137)
    await eventually(lambda: rig.disk.refused > 1)
    rig.disk.full = False
    await eventually(lambda: rig.backend.store.container(container).task is None)
    assert rig.backend.store.container(container).state.exit_code == 3


async def test_a_restart_that_cannot_be_recorded_is_tried_again(rig: Rig) -> None:
    rig.prepare = lambda agent: setattr(agent, "exit_code", 3)
    container = await rig.create(RestartPolicy={"Name": "always"})
    await containers_start.start(rig.backend, container)
    await eventually(lambda: rig.status(container) == "restarting")
    starts, rig.disk.full = rig.agents[0].starts, True
    await eventually(lambda: rig.disk.refused > 0)
    rig.disk.full = False
    await eventually(lambda: rig.agents[0].starts > starts)


async def test_a_start_tells_its_own_error_and_no_wait_hangs_when_nothing_can_be_recorded(rig: Rig) -> None:
    def refuse(agent: object) -> None:
        agent.refusal = ("not_found", "no such program")  # type: ignore[attr-defined]
        agent.on_start = lambda: setattr(rig.disk, "full", True)  # type: ignore[attr-defined]

    rig.prepare = refuse
    container = await rig.create(AutoRemove=True)
    waiter = containers_wait.begin_wait(rig.backend, container, "removed")
    with pytest.raises(InvalidParameter, match="no such program"):
        await containers_start.start(rig.backend, container)
    assert "disk is full" in str((await asyncio.wait_for(waiter, 5)).error)
    await eventually(lambda: [task["lastStatus"] for task in rig.ecs.tasks.values()] == ["STOPPED"])


@pytest.mark.parametrize("keeps_task", [True, False])
async def test_death_between_an_exit_and_its_auto_removal_is_made_good(rig: Rig, keeps_task: bool) -> None:
    rig.prepare = forever
    created = await rig.create(AutoRemove=True)
    await containers_start.start(rig.backend, created)
    record = rig.backend.store.container(created)
    await rig.die()
    await rig.agents[0].exit(0)
    store, task = open_store(rig.directory), record.task if keeps_task else None
    store.save_container(replace(record, state=replace(record.state, status="exited"), task=task))
    store.close()
    await rig.boot()
    await eventually(lambda: rig.backend.store.containers() == [])
