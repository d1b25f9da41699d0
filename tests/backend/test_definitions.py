"""Definitions that no container uses: swept in the background, at once or after their time, within AWS's budget."""

from __future__ import annotations

import asyncio
import time

import pytest

from sockerless.backend import containers_remove, containers_start, containers_wait, definitions
from sockerless.errors import Unavailable
from tests.backend.rig import Rig, eventually


@pytest.fixture
async def at_once(rig: Rig) -> Rig:
    """A daemon that keeps no unused definition."""
    await rig.die()
    rig.settings["SOCKERLESS_DEFINITION_RETENTION_S"] = "0"
    await rig.boot()
    return rig


async def test_a_removal_does_not_wait_for_its_definition_which_goes_at_once(at_once: Rig) -> None:
    began_s = time.monotonic()
    for size in (1, 2, 3):
        await containers_remove.remove(at_once.backend, await at_once.create(Memory=size << 30), False, False)
    assert time.monotonic() - began_s < definitions.DEREGISTER_SPACING_S
    await eventually(lambda: len(at_once.ecs.inactive) == 3, 3 * definitions.DEREGISTER_SPACING_S + 5)
    assert at_once.backend.store.task_definitions() == []


async def test_a_removal_stands_though_its_definition_cannot_be_deregistered_now(at_once: Rig) -> None:
    def refuse(operation: str) -> None:
        if operation == "DeregisterTaskDefinition":
            raise Unavailable("Rate exceeded")

    container = await at_once.create()
    at_once.ecs.before = refuse
    await containers_remove.remove(at_once.backend, container, force=False, volumes=False)
    await eventually(lambda: at_once.ecs.calls["ecs", "DeregisterTaskDefinition"] == 1)
    at_once.ecs.before = lambda operation: None
    await containers_remove.remove(at_once.backend, await at_once.create(), force=False, volumes=False)
    await eventually(lambda: len(at_once.ecs.inactive) == 1)


async def test_an_auto_removed_container_leaves_no_definition(at_once: Rig) -> None:
    container = await at_once.create(AutoRemove=True)
    waiter = containers_wait.begin_wait(at_once.backend, container, "removed")
    await containers_start.start(at_once.backend, container)
    await waiter
    await eventually(lambda: len(at_once.ecs.inactive) == 1)


async def test_a_create_does_not_wait_for_a_sweep_and_its_definition_is_kept(at_once: Rig) -> None:
    for size in (1, 2, 3):
        await at_once.create(Memory=size << 30)
    await containers_remove.prune(at_once.backend, lambda container: True)
    await eventually(lambda: len(at_once.ecs.inactive) == 1)
    began_s = time.monotonic()
    kept = [await at_once.create(Memory=size << 30) for size in (1, 2, 3)]
    assert time.monotonic() - began_s < definitions.DEREGISTER_SPACING_S
    await asyncio.wait_for(definitions.sweep(at_once.backend), 5)
    used = {at_once.backend.store.container(container).task_definition_arn for container in kept}
    assert used & at_once.ecs.inactive == set()


async def test_an_unused_definition_is_kept_for_its_time(rig: Rig) -> None:
    await containers_remove.remove(rig.backend, await rig.create(), force=False, volumes=False)
    await definitions.sweep(rig.backend)
    assert rig.ecs.inactive == set()
