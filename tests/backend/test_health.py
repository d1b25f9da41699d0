"""Health: what is merged, what the agent is told to run, and what its reports do to record, list and events."""

from __future__ import annotations

import time
from typing import Any

import pytest

from sockerless.backend import containers_list, containers_pause, containers_start, containers_stop, events
from sockerless.backend.health_check import health_check, merge
from sockerless.types import Health, HealthProbe
from sockerless.wire.agent_health import HealthCheck, HealthReport, Probe
from tests.backend.rig import Rig, eventually

S = 1_000_000_000
CHECK = {"Healthcheck": {"Test": ["CMD-SHELL", "test -f /ok"], "Interval": S}}


@pytest.mark.parametrize(
    ("config", "check"),
    [
        ({}, None),
        ({"Healthcheck": None}, None),
        ({"Healthcheck": {"Test": ["NONE"]}}, None),
        ({"Healthcheck": {"Test": ["FOO", "x"]}}, None),
        ({"Healthcheck": {"Interval": S}}, None),
        (
            {"Healthcheck": {"Test": ["CMD", "a", "b c"]}},
            HealthCheck(["a", "b c"], 30 * S, 30 * S, 0, 5 * S, 3),
        ),
        (
            {
                "Healthcheck": {
                    "Test": ["CMD-SHELL", "a | b"],
                    "Interval": S,
                    "Timeout": 2 * S,
                    "StartPeriod": 3 * S,
                    "StartInterval": 4 * S,
                    "Retries": 5,
                },
                "Shell": ["/bin/bash", "-c"],
            },
            HealthCheck(["/bin/bash", "-c", "a | b"], S, 2 * S, 3 * S, 4 * S, 5),
        ),
    ],
)
def test_what_the_agent_runs(config: dict[str, Any], check: HealthCheck | None) -> None:
    assert health_check(config) == check


@pytest.mark.parametrize(
    ("asked", "image", "merged"),
    [
        (None, {"Test": ["CMD", "i"]}, {"Test": ["CMD", "i"]}),
        ({"Test": ["CMD", "a"]}, None, {"Test": ["CMD", "a"]}),
        ({"Interval": S}, {"Test": ["CMD", "i"], "Interval": 9}, {"Test": ["CMD", "i"], "Interval": S}),
        ({"Test": ["NONE"]}, {"Test": ["CMD", "i"], "Retries": 2}, {"Test": ["NONE"], "Retries": 2}),
        (None, None, None),
    ],
)
def test_the_image_completes_what_was_asked(asked: Any, image: Any, merged: Any) -> None:
    assert merge(asked, image) == merged


def report(status: Any, streak: int = 0) -> HealthReport:
    return HealthReport(status, streak, [Probe(1, 2, streak, "out")])


async def checked(rig: Rig) -> str:
    rig.prepare = lambda agent: setattr(agent, "exit_code", None)
    container = await rig.create("web", dict(CHECK))
    await containers_start.start(rig.backend, container)
    return container


def health(rig: Rig, container: str) -> Health | None:
    return rig.backend.store.container(container).health


async def told(rig: Rig) -> list[str]:
    kept = events.stream(rig.backend, {"event": ("health_status",)}, None, time.time_ns())
    return [event.action async for event in kept]


async def test_reports_reach_the_record_and_changes_are_told_once(rig: Rig) -> None:
    container = await checked(rig)
    agent = rig.agents[0]
    assert health(rig, container) == Health("starting")
    for sent in (report("starting", 1), report("healthy"), report("healthy", 1), report("unhealthy", 2)):
        await agent.report(sent)
    await eventually(lambda: health(rig, container) == Health("unhealthy", 2, (HealthProbe(1, 2, 2, "out"),)))
    assert await told(rig) == ["health_status: healthy", "health_status: unhealthy"]


async def test_a_container_without_a_check_has_no_health_and_the_filter_says_none(rig: Rig) -> None:
    rig.prepare = lambda agent: setattr(agent, "exit_code", None)
    plain = await rig.create("plain")
    await containers_start.start(rig.backend, plain)
    container = await checked(rig)
    await rig.agents[1].report(report("healthy"))
    await eventually(lambda: (health(rig, container) or Health()).status == "healthy")
    assert health(rig, plain) is None

    def listed(status: str) -> list[str]:
        found = containers_list.list_containers(rig.backend, {"health": (status,)}, False, 0)
        return [each.name for each in found]

    assert (listed("healthy"), listed("none"), listed("starting")) == (["web"], ["plain"], [])


async def test_pause_and_exit_leave_it_unhealthy_without_an_event_and_a_start_begins_anew(rig: Rig) -> None:
    container = await checked(rig)
    await rig.agents[0].report(report("healthy"))
    await eventually(lambda: (health(rig, container) or Health()).status == "healthy")
    await containers_pause.pause(rig.backend, container)
    assert (health(rig, container) or Health()).status == "unhealthy"
    await containers_pause.unpause(rig.backend, container)
    await rig.agents[0].report(report("healthy"))
    await eventually(lambda: (health(rig, container) or Health()).status == "healthy")
    await containers_stop.stop(rig.backend, container, 1, None)
    assert (health(rig, container) or Health()).status == "unhealthy"
    await containers_start.start(rig.backend, container)
    assert health(rig, container) == Health("starting")
    assert await told(rig) == ["health_status: healthy", "health_status: healthy"]


async def test_probes_go_on_without_the_daemon_and_the_next_one_hears_of_them(rig: Rig) -> None:
    container = await checked(rig)
    await rig.agents[0].report(report("healthy"))
    await eventually(lambda: (health(rig, container) or Health()).status == "healthy")
    await rig.die()
    rig.agents[0].health = report("unhealthy", 3)
    await rig.boot()
    await eventually(lambda: (health(rig, container) or Health()).status == "unhealthy")
    assert await told(rig) == ["health_status: healthy", "health_status: unhealthy"]
