"""The event stream over a real store: what verbs tell, replay and live, filters, a daemon's death in between."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from sockerless.backend import (
    containers_remove,
    containers_rename,
    containers_start,
    containers_stop,
    containers_wait,
    events,
)
from sockerless.errors import InvalidParameter
from sockerless.types import Event
from tests.backend.rig import Rig


async def told(rig: Rig, **filters: tuple[str, ...]) -> list[str]:
    """The actions of everything kept that passes the filters."""
    kept = events.stream(rig.backend, filters, None, time.time_ns())
    return [event.action async for event in kept]


def forever(agent: Any) -> None:
    agent.exit_code = None


async def test_a_life_is_told_in_dockers_order(rig: Rig) -> None:
    rig.prepare = forever
    container = await rig.create("web", {"Labels": {"team": "x"}})
    await containers_start.start(rig.backend, container)
    await containers_rename.rename(rig.backend, container, "app")
    await containers_stop.restart(rig.backend, container, 10, None)
    await containers_stop.kill(rig.backend, container, "KILL")
    await containers_remove.remove(rig.backend, container, force=False, volumes=False)
    assert await told(rig) == [
        "create", "start", "rename", "kill", "die", "stop", "start", "restart", "kill", "die", "destroy",
    ]  # fmt: skip


async def test_an_auto_removed_container_dies_before_it_is_destroyed(rig: Rig) -> None:
    container = await rig.create(AutoRemove=True)
    waiter = containers_wait.begin_wait(rig.backend, container, "removed")
    await containers_start.start(rig.backend, container)
    await waiter
    assert await told(rig) == ["create", "start", "die", "destroy"]


async def test_events_carry_labels_image_name_and_particulars(rig: Rig) -> None:
    rig.prepare = lambda agent: setattr(agent, "exit_code", 3)
    container = await rig.create("web", {"Labels": {"team": "x"}})
    waiter = containers_wait.begin_wait(rig.backend, container, "next-exit")
    await containers_start.start(rig.backend, container)
    await waiter
    died = await anext(events.stream(rig.backend, {"event": ("die",)}, None, time.time_ns()))
    assert (died.type, died.actor_id) == ("container", container)
    assert died.attributes == {"team": "x", "image": "img", "name": "web", "exitCode": "3", "execDuration": "0"}


async def test_replay_goes_over_into_live_without_gap_or_repetition(rig: Rig) -> None:
    await rig.create("first")
    stream = events.stream(rig.backend, {"event": ("create",)}, 0, None)
    assert (await anext(stream)).attributes["name"] == "first"
    coming = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    await rig.create("second")
    assert (await asyncio.wait_for(coming, 5)).attributes["name"] == "second"


async def test_without_since_only_what_comes_after_the_call_is_told(rig: Rig) -> None:
    await rig.create("before")
    stream = events.stream(rig.backend, {}, None, None)
    await rig.create("after")
    assert (await anext(stream)).attributes["name"] == "after"


async def test_a_stream_with_until_in_the_future_ends_then(rig: Rig) -> None:
    stream = events.stream(rig.backend, {}, None, time.time_ns() + 200_000_000)
    assert [event async for event in stream] == []


async def test_events_outlive_the_daemon(rig: Rig) -> None:
    await rig.create("before")
    await rig.die()
    await rig.boot()
    await rig.create("after")
    stream = events.stream(rig.backend, {"type": ("container",)}, 0, time.time_ns())
    assert [event.attributes["name"] async for event in stream] == ["before", "after"]


EXEC = Event("container", "exec_create: sh -c true", "ab12", {"image": "alpine:3.10", "name": "web", "k": "v"}, 1)
PULL = Event("image", "pull", "reg.example:5000/a/b:1", {"name": "reg.example:5000/a/b"}, 2)


@pytest.mark.parametrize(
    ("event", "filters", "passes"),
    [
        (EXEC, {"event": ("exec_create",)}, True),
        (EXEC, {"event": ("exec",)}, False),
        (EXEC, {"event": ("exec_create: sh -c true",)}, True),
        (EXEC, {"event": ("start", "exec_create")}, True),
        (EXEC, {"container": ("ab",)}, True),
        (EXEC, {"container": ("web",)}, True),
        (EXEC, {"container": ("b12",)}, False),
        (EXEC, {"type": ("container",), "event": ("start",)}, False),
        (EXEC, {"label": ("k", "k=v")}, True),
        (EXEC, {"label": ("k=w",)}, False),
        (EXEC, {"image": ("alpine:3.10",)}, True),
        (EXEC, {"image": ("alpine",)}, True),
        (EXEC, {"image": ("alpin",)}, False),
        (EXEC, {"scope": ("swarm",)}, False),
        (EXEC, {"scope": ("local",)}, True),
        (PULL, {"image": ("reg.example:5000/a/b",)}, True),
        (PULL, {"image": ("reg.example:5000/a/b:1",)}, True),
        (PULL, {"image": ("reg.example",)}, False),
        (PULL, {"container": ("reg.example:5000/a/b",), "type": ("container",)}, False),
        (PULL, {}, True),
    ],
)
def test_filters_match_as_dockers(event: Event, filters: dict[str, tuple[str, ...]], passes: bool) -> None:
    assert events.matches(event, filters) is passes


async def test_an_unknown_filter_is_refused(rig: Rig) -> None:
    with pytest.raises(InvalidParameter, match="invalid filter 'color'"):
        events.stream(rig.backend, {"color": ("red",)}, None, None)
