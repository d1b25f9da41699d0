"""Staying in touch with a task's agent while AWS throttles, refuses and recovers; where it is dialled, and as whom."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from sockerless.backend import containers_start, containers_stop, containers_wait
from sockerless.backend.agent_link import AgentLink
from sockerless.errors import Forbidden, SockerlessError, Unavailable
from sockerless.wire.agent import ENV_TOKEN
from tests.backend.fakes import FakeAgent
from tests.backend.rig import Rig, eventually

LOOK_UP = "DescribeNetworkInterfaces"
NOBODY = "127.77.255.254"


def forever(agent: FakeAgent) -> None:
    agent.exit_code = None


async def again(rig: Rig, **settings: str) -> None:
    """The next daemon starts, with these settings."""
    await rig.die()
    rig.settings = {f"SOCKERLESS_{name}": value for name, value in settings.items()}
    await rig.boot()


@pytest.fixture
async def public(rig: Rig) -> Rig:
    """A daemon that gives tasks public addresses; nobody answers at their private ones."""

    def prepare(agent: FakeAgent) -> None:
        forever(agent)
        rig.ecs.public, rig.private = agent.address, NOBODY

    rig.prepare = prepare
    await again(rig, ECS_PUBLIC_IP="true")
    return rig


def refuse(rig: Rig, operation: str, *errors: SockerlessError) -> None:
    """The next calls of this operation fail."""
    left = list(errors)

    def before(called: str) -> None:
        if called == operation and left:
            raise left.pop(0)

    rig.ecs.before = before


def change_binding(rig: Rig, container: str, **changes: Any) -> None:
    """Makes the record say something else of the container's task."""
    record = rig.backend.store.container(container)
    assert record.task is not None
    rig.backend.store.save_container(replace(record, task=replace(record.task, **changes)))


def link(rig: Rig, container: str) -> AgentLink | None:
    return rig.backend.lives.of(container).link


async def test_a_public_address_is_asked_for_and_dialled(public: Rig) -> None:
    container = await public.create()
    await containers_start.start(public.backend, container)
    (request,) = public.ecs.runs
    assert request["networkConfiguration"]["awsvpcConfiguration"]["assignPublicIp"] == "ENABLED"
    await containers_stop.stop(public.backend, container, 5, None)
    assert public.agents[0].signals == [15]


async def test_an_agent_that_drops_out_is_dialled_again_without_asking_for_its_address_again(public: Rig) -> None:
    container = await public.create()
    await containers_start.start(public.backend, container)
    before = link(public, container)
    await public.agents[0].close()
    await eventually(lambda: link(public, container) is None)
    await public.agents[0].listen()
    await eventually(lambda: link(public, container) not in {None, before})
    assert public.ecs.calls["ec2", LOOK_UP] == 1


async def test_a_start_outlasts_a_throttled_look_up(public: Rig) -> None:
    container = await public.create()
    refuse(public, LOOK_UP, Unavailable("Rate exceeded"), Unavailable("Rate exceeded"))
    await containers_start.start(public.backend, container)
    assert public.ecs.calls["ec2", LOOK_UP] == 3


async def test_a_start_is_told_at_once_that_the_look_up_is_forbidden(public: Rig) -> None:
    container = await public.create()
    refuse(public, LOOK_UP, Forbidden("ec2:DescribeNetworkInterfaces failed: grant it"))
    with pytest.raises(Forbidden, match="grant it"):
        await containers_start.start(public.backend, container)
    await eventually(lambda: [task["lastStatus"] for task in public.ecs.tasks.values()] == ["STOPPED"])


async def adopted_without_address(public: Rig, *errors: SockerlessError) -> str:
    """A running container whose address the daemon before did not live to record; looking it up fails at first."""
    container = await public.create()
    await containers_start.start(public.backend, container)
    change_binding(public, container, address=None)
    refuse(public, LOOK_UP, *errors)
    await again(public, ECS_PUBLIC_IP="true")
    return container


async def test_an_adopted_container_is_reached_once_aws_answers_again(public: Rig) -> None:
    container = await adopted_without_address(public, Unavailable("Rate exceeded"), Forbidden("expired"))
    await eventually(lambda: link(public, container) is not None)


async def test_a_task_that_ends_while_aws_refuses_the_look_up_ends_its_container(public: Rig) -> None:
    container = await adopted_without_address(public, *[Unavailable("Rate exceeded")] * 1000)
    await eventually(lambda: public.ecs.calls["ec2", LOOK_UP] == 3)
    waiter = containers_wait.begin_wait(public.backend, container, "not-running")
    await public.agents[0].close()
    public.ecs.end(next(iter(public.ecs.tasks)), 4)
    assert (await asyncio.wait_for(waiter, 10)).status_code == 4


async def test_a_task_that_calls_a_daemon_that_takes_no_calls_is_still_watched(rig: Rig) -> None:
    rig.prepare = forever
    container = await rig.create()
    await containers_start.start(rig.backend, container)
    change_binding(rig, container, calls=True)
    await again(rig)
    with pytest.raises(Unavailable, match="SOCKERLESS_CALLBACK_URL"):
        await containers_stop.kill(rig.backend, container, "HUP")
    waiter = containers_wait.begin_wait(rig.backend, container, "not-running")
    rig.ecs.end(next(iter(rig.ecs.tasks)), 4)
    assert (await asyncio.wait_for(waiter, 10)).status_code == 4


async def test_the_configured_token_is_what_agents_are_given_and_shown(rig: Rig) -> None:
    await again(rig, AGENT_TOKEN="only-this-one")
    rig.prepare = forever
    container = await rig.create()
    await containers_start.start(rig.backend, container)
    assert rig.agents[0].env[ENV_TOKEN] == "only-this-one"
    await containers_stop.stop(rig.backend, container, 5, None)
    assert rig.agents[0].signals == [15]
