"""Pause and unpause: states, conflicts, signals to what is paused, and a daemon that was away."""

from __future__ import annotations

import time
from typing import Any

import pytest

from sockerless.backend import (
    containers_pause,
    containers_remove,
    containers_start,
    containers_stop,
    containers_top,
    events,
    streams,
)
from sockerless.errors import Conflict, SystemFailure
from tests.backend.rig import Rig, eventually


async def running(rig: Rig, **config: Any) -> str:
    rig.prepare = lambda agent: setattr(agent, "exit_code", None)
    container = await rig.create("web", config)
    await containers_start.start(rig.backend, container)
    return container


async def told(rig: Rig) -> list[str]:
    return [event.action async for event in events.stream(rig.backend, {}, None, time.time_ns())]


async def test_a_pause_shows_until_it_ends(rig: Rig) -> None:
    container = await running(rig)
    await containers_pause.pause(rig.backend, "web")
    assert (rig.status(container), rig.agents[0].paused) == ("paused", True)
    await containers_pause.unpause(rig.backend, "web")
    assert (rig.status(container), rig.agents[0].paused) == ("running", False)
    assert await told(rig) == ["create", "start", "pause", "unpause"]


async def test_what_a_state_does_not_allow_is_refused_in_dockers_words(rig: Rig) -> None:
    container = await rig.create("web")
    with pytest.raises(Conflict, match=f"Container {container} is not running"):
        await containers_pause.pause(rig.backend, "web")
    with pytest.raises(Conflict, match=f"Container {container} is not running"):
        await containers_top.top(rig.backend, "web", "")
    with pytest.raises(SystemFailure, match=f"Container {container} is not paused"):
        await containers_pause.unpause(rig.backend, "web")
    rig.prepare = lambda agent: setattr(agent, "exit_code", None)
    await containers_start.start(rig.backend, container)
    await containers_pause.pause(rig.backend, "web")
    with pytest.raises(Conflict, match=f"Container {container} is already paused"):
        await containers_pause.pause(rig.backend, "web")
    with pytest.raises(Conflict, match="cannot start a paused container, try unpause instead"):
        await containers_start.start(rig.backend, "web")
    with pytest.raises(Conflict, match=f"container {container} is paused, unpause the container before attach"):
        await streams.attach(
            rig.backend, "web", stdin=False, stdout=True, stderr=True, stream=True, logs=False, detach_keys=""
        )


async def test_stop_wakes_what_is_paused_so_that_it_can_end_its_own_way(rig: Rig) -> None:
    container = await running(rig)
    await containers_pause.pause(rig.backend, container)
    await containers_stop.stop(rig.backend, container, 5, None)
    assert rig.backend.store.container(container).state.exit_code == 143
    assert (await told(rig))[2:] == ["pause", "kill", "unpause", "die", "stop"]


async def test_kill_ends_what_is_paused_at_once(rig: Rig) -> None:
    container = await running(rig)
    await containers_pause.pause(rig.backend, container)
    await containers_stop.kill(rig.backend, container, "KILL")
    assert rig.status(container) == "exited"
    assert (await told(rig))[2:] == ["pause", "kill", "die"]


async def test_a_signal_other_than_the_own_stop_signal_does_not_wake(rig: Rig) -> None:
    container = await running(rig, StopSignal="SIGQUIT")
    await containers_pause.pause(rig.backend, container)
    await containers_stop.kill(rig.backend, container, "HUP")
    assert rig.status(container) == "paused"
    await containers_stop.kill(rig.backend, container, "QUIT")
    await eventually(lambda: rig.status(container) == "exited")


async def test_a_paused_container_can_be_removed_by_force(rig: Rig) -> None:
    container = await running(rig)
    await containers_pause.pause(rig.backend, container)
    with pytest.raises(Conflict, match="You cannot remove a running container"):
        await containers_remove.remove(rig.backend, container, force=False, volumes=False)
    await containers_remove.remove(rig.backend, container, force=True, volumes=False)
    assert rig.backend.store.find_containers(container) == []


@pytest.mark.parametrize("paused", [True, False])
async def test_the_next_daemon_learns_from_the_agent_what_is_paused(rig: Rig, paused: bool) -> None:
    container = await running(rig)
    if not paused:
        await containers_pause.pause(rig.backend, container)
    await rig.die()
    rig.agents[0].paused = paused
    await rig.boot()
    await eventually(lambda: rig.status(container) == ("paused" if paused else "running"))


async def test_top_passes_the_arguments_of_ps_on(rig: Rig) -> None:
    container = await running(rig)
    assert await containers_top.top(rig.backend, container, "aux") == {"Titles": ["PID"], "Processes": [["aux"]]}
    assert (await containers_top.top(rig.backend, container, ""))["Processes"] == [["-ef"]]
