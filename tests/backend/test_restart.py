"""Restart policies: when they apply, how long is waited, and what stops, kills, removals and daemons do to them."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from sockerless.backend import (
    containers_pause,
    containers_remove,
    containers_start,
    containers_stop,
    containers_update,
    containers_wait,
    events,
    exec,
)
from sockerless.backend.restart_policy import applies, next_pause_s
from sockerless.errors import Conflict, InvalidParameter, NotModified, Unavailable
from sockerless.types import Container, TaskSize
from sockerless.wire.agent_exec import Refused
from tests.backend.rig import Rig, eventually


def container(policy: str, most: int = 0, **changes: Any) -> Container:
    host = {"RestartPolicy": {"Name": policy, "MaximumRetryCount": most}}
    return Container(
        "1", "web", 1, "img", "sha256:1", "linux/amd64", {}, host, {}, TaskSize(256, 512), "arn", **changes
    )


@pytest.mark.parametrize(
    ("exited", "code", "again"),
    [
        (container("no"), 1, False),
        (container(""), 1, False),
        (container("always"), 0, True),
        (container("always", stopped_by_user=True), 0, False),
        (container("unless-stopped"), 0, True),
        (container("unless-stopped", stopped_by_user=True), 137, False),
        (container("on-failure"), 0, False),
        (container("on-failure"), 1, True),
        (container("on-failure", 2, restart_count=1), 1, True),
        (container("on-failure", 2, restart_count=2), 1, False),
    ],
)
def test_when_a_policy_applies(exited: Container, code: int, again: bool) -> None:
    assert applies(exited, code) is again


def test_pauses_double_from_100_ms_to_a_minute_and_begin_again_after_a_long_run() -> None:
    pauses, pause_s = [], 0.0
    for _ in range(12):
        pauses.append(pause_s := next_pause_s(pause_s, ran_s=1))
    assert pauses[:4] == [0.1, 0.2, 0.4, 0.8]
    assert pauses[-2:] == [60.0, 60.0]
    assert next_pause_s(60.0, ran_s=10) == 0.1


async def begun(rig: Rig, policy: str, most: int = 0, code: int = 3) -> str:
    """A started container whose runs all end at once with this code."""
    rig.prepare = lambda agent: setattr(agent, "exit_code", code)
    created = await rig.create("web", RestartPolicy={"Name": policy, "MaximumRetryCount": most})
    await containers_start.start(rig.backend, created)
    return created


def record(rig: Rig, reference: str) -> Container:
    return rig.backend.store.container(reference)


async def told(rig: Rig) -> list[str]:
    return [event.action async for event in events.stream(rig.backend, {}, None, time.time_ns())]


async def test_on_failure_runs_it_again_so_many_times_in_the_same_task(rig: Rig) -> None:
    created = await begun(rig, "on-failure", 2)
    await eventually(lambda: rig.status(created) == "exited")
    assert (record(rig, created).restart_count, record(rig, created).state.exit_code) == (2, 3)
    assert await told(rig) == ["create", *["start", "die"] * 3]
    assert (rig.agents[0].starts, rig.ecs.calls["ecs", "RunTask"]) == (3, 1)
    assert rig.agents[0].process.linger_s >= 60


async def test_while_it_waits_it_is_restarting_and_says_so(rig: Rig) -> None:
    created = await begun(rig, "always")
    await eventually(lambda: rig.status(created) == "restarting")
    with pytest.raises(Conflict, match=f"Container {created} is restarting, wait until the container is running"):
        await containers_pause.pause(rig.backend, created)
    with pytest.raises(Conflict, match=f"You cannot remove a restarting container {created}"):
        await containers_remove.remove(rig.backend, created, force=False, volumes=False)
    with pytest.raises(NotModified):
        await containers_start.start(rig.backend, created)
    await containers_remove.remove(rig.backend, created, force=True, volumes=False)


async def test_an_exec_that_meets_the_exit_is_told_that_it_is_restarting(rig: Rig) -> None:
    created = await begun(rig, "always", code=None)  # type: ignore[arg-type]
    exec_id = exec.create(rig.backend, created, {"Cmd": ["x"]})
    rig.agents[0].execs.refusal = Refused("conflict", "the process is not running")
    starting = asyncio.create_task(exec.start(rig.backend, exec_id, detach=True, tty=False, console_size=None))
    await eventually(lambda: rig.agents[0].execs.asked != [])
    await rig.agents[0].exit(1)
    with pytest.raises(Conflict, match=f"Container {created} is restarting, wait until the container is running"):
        await starting


async def test_stop_ends_the_waiting_for_good_and_a_start_counts_anew(rig: Rig) -> None:
    created = await begun(rig, "always")
    await eventually(lambda: record(rig, created).restart_count >= 2 and rig.status(created) == "restarting")
    waiter = containers_wait.begin_wait(rig.backend, created, "not-running")
    await containers_stop.stop(rig.backend, created, 0, None)
    assert (await waiter).status_code == 3
    assert (rig.status(created), record(rig, created).stopped_by_user) == ("exited", True)
    rig.agents[0].exit_code = None
    await containers_start.start(rig.backend, created)
    assert (record(rig, created).restart_count, record(rig, created).stopped_by_user) == (0, False)


@pytest.mark.parametrize("end", ["stop", "kill"])
async def test_what_is_stopped_or_killed_by_hand_stays_so(rig: Rig, end: str) -> None:
    created = await begun(rig, "always", code=None)  # type: ignore[arg-type]
    if end == "stop":
        await containers_stop.stop(rig.backend, created, 1, None)
    else:
        await containers_stop.kill(rig.backend, created, "KILL")
    assert rig.status(created) == "exited"
    await rig.die()
    await rig.boot()
    assert rig.status(created) == "exited"


async def test_restart_by_hand_is_no_restart_of_the_policy(rig: Rig) -> None:
    created = await begun(rig, "always", code=None)  # type: ignore[arg-type]
    await containers_stop.restart(rig.backend, created, 1, None)
    assert (rig.status(created), record(rig, created).restart_count) == ("running", 0)


async def test_an_exit_while_the_daemon_is_away_is_followed_by_a_run_in_the_same_task(rig: Rig) -> None:
    created = await begun(rig, "always", code=None)  # type: ignore[arg-type]
    await rig.die()
    await rig.agents[0].exit(4)
    await rig.boot()
    await eventually(lambda: record(rig, created).restart_count == 1 and rig.status(created) == "running")
    assert rig.ecs.calls["ecs", "RunTask"] == 1


async def test_a_lost_task_is_followed_by_a_run_in_a_new_one(rig: Rig) -> None:
    created = await begun(rig, "always", code=None)  # type: ignore[arg-type]
    (arn,) = rig.ecs.tasks
    await rig.agents[0].close()
    rig.ecs.end(arn, None, "Fargate needed the machine")
    await eventually(lambda: record(rig, created).restart_count == 1 and rig.status(created) == "running")
    assert rig.ecs.calls["ecs", "RunTask"] == 2


async def test_where_aws_has_no_place_it_is_tried_again(rig: Rig) -> None:
    refusals = [Unavailable("Capacity is unavailable"), Unavailable("Capacity is unavailable")]

    def refuse(operation: str) -> None:
        if operation == "RunTask" and refusals:
            raise refusals.pop()

    created = await begun(rig, "always", code=None)  # type: ignore[arg-type]
    rig.ecs.before = refuse
    (arn,) = rig.ecs.tasks
    await rig.agents[0].close()
    rig.ecs.end(arn, None)
    await eventually(lambda: rig.status(created) == "running" and len(rig.agents) == 2)
    assert refusals == []


async def test_a_policy_beside_auto_remove_is_refused(rig: Rig) -> None:
    with pytest.raises(InvalidParameter, match="can't create 'AutoRemove' container with restart policy"):
        await rig.create(AutoRemove=True, RestartPolicy={"Name": "always"})
    created = await rig.create(AutoRemove=True)
    with pytest.raises(Conflict, match="Restart policy cannot be updated because AutoRemove is enabled"):
        await containers_update.update(rig.backend, created, {"RestartPolicy": {"Name": "always"}})


async def test_an_updated_policy_applies_to_the_run_under_way(rig: Rig) -> None:
    created = await begun(rig, "no", code=None)  # type: ignore[arg-type]
    await containers_update.update(rig.backend, created, {"RestartPolicy": {"Name": "on-failure"}})
    await rig.agents[0].exit(1)
    await eventually(lambda: record(rig, created).restart_count == 1)
