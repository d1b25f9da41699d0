"""Stats, and update: samples beside the one before them; the size of a container before it has a task."""

from __future__ import annotations

from typing import Any

import pytest

from sockerless.backend import containers_remove, containers_start, containers_stats, containers_update
from sockerless.errors import Conflict, InvalidParameter, NotFound
from sockerless.types import JsonObject, TaskSize
from tests.backend.rig import IMAGE, Rig

GIB = 1 << 30


def sample(used_ns: int, **memory: int) -> dict[str, Any]:
    usage = {"total_usage": used_ns, "usage_in_kernelmode": 0, "usage_in_usermode": used_ns}
    return {
        "read_ns": 1_795_493_555_000_000_000 + used_ns,
        "num_procs": 0,
        "pids_stats": {"current": 2},
        "cpu_stats": {"cpu_usage": usage, "system_cpu_usage": 10 * used_ns, "online_cpus": 2},
        "memory_stats": {"usage": 5, "stats": {}, **memory},
        "blkio_stats": {},
        "networks": {"eth0": {"rx_bytes": 1}},
    }


async def running(rig: Rig, *samples: dict[str, Any], **host: Any) -> str:
    def prepare(agent: Any) -> None:
        agent.exit_code, agent.samples = None, list(samples)

    rig.prepare = prepare
    container = await rig.create("web", **host)
    await containers_start.start(rig.backend, container)
    return container


async def taken(rig: Rig, container: str, count: int, *, stream: bool, one_shot: bool = False) -> list[JsonObject]:
    found = []
    async for one in containers_stats.stats(rig.backend, container, stream, one_shot):
        found.append(one)
        if len(found) == count:
            break
    return found


async def test_one_sample_has_the_one_a_second_before_it(rig: Rig) -> None:
    container = await running(rig, sample(100), sample(300))
    (one,) = await taken(rig, container, 9, stream=False)
    assert one["cpu_stats"]["cpu_usage"]["total_usage"] == 300
    assert one["precpu_stats"]["cpu_usage"]["total_usage"] == 100
    assert (one["preread"], one["read"]) == ("2026-11-24T04:12:35.0000001Z", "2026-11-24T04:12:35.0000003Z")
    assert (one["name"], one["id"], one["networks"]) == ("/web", container, {"eth0": {"rx_bytes": 1}})


async def test_one_shot_is_at_once_and_has_none_before_it(rig: Rig) -> None:
    container = await running(rig, sample(100))
    (one,) = await taken(rig, container, 9, stream=False, one_shot=True)
    assert one["precpu_stats"]["cpu_usage"]["total_usage"] == 0
    assert one["preread"] == "0001-01-01T00:00:00Z"


async def test_a_stream_begins_at_once_and_goes_on(rig: Rig) -> None:
    container = await running(rig, sample(100), sample(300))
    first, second = await taken(rig, container, 2, stream=True)
    assert "system_cpu_usage" not in first["precpu_stats"]
    assert second["precpu_stats"] == first["cpu_stats"]


@pytest.mark.parametrize(
    ("memory", "limit"), [({}, 512 << 20), ({"limit": 5000}, 5000), ({"limit": 99 * GIB}, 512 << 20)]
)
async def test_the_limit_is_the_tasks_size_or_less(rig: Rig, memory: dict[str, int], limit: int) -> None:
    container = await running(rig, sample(1, **memory))
    (one,) = await taken(rig, container, 9, stream=False, one_shot=True)
    assert one["memory_stats"]["limit"] == limit


async def test_what_does_not_run_uses_nothing(rig: Rig) -> None:
    container = await rig.create("web")
    (one,) = await taken(rig, container, 9, stream=False)
    assert one == {
        "read": "0001-01-01T00:00:00Z", "preread": "0001-01-01T00:00:00Z", "pids_stats": {}, "num_procs": 0,
        "blkio_stats": dict.fromkeys(containers_stats._BLKIO_NAMES), "storage_stats": {}, "memory_stats": {},
        "cpu_stats": containers_stats._NO_CPU, "precpu_stats": containers_stats._NO_CPU,
        "name": "/web", "id": container,
    }  # fmt: skip


async def test_a_stream_ends_with_the_container(rig: Rig) -> None:
    container = await rig.create("web")
    samples = containers_stats.stats(rig.backend, container, True, False)
    await anext(samples)
    await containers_remove.remove(rig.backend, container, force=False, volumes=False)
    with pytest.raises(StopAsyncIteration):
        await anext(samples)
    with pytest.raises(NotFound):
        containers_stats.stats(rig.backend, container, True, False)


async def test_a_container_without_a_task_gets_another_size_and_its_shape(rig: Rig) -> None:
    container = await rig.create("web")
    warnings = await containers_update.update(rig.backend, container, {"Memory": 3 * GIB // 2})
    assert "1536 MiB of memory rounded up to 0.25 vCPU with 2048 MiB" in warnings[0]
    record = rig.backend.store.container(container)
    assert (record.size, record.host_config["Memory"]) == (TaskSize(256, 2048), 3 * GIB // 2)
    await containers_start.start(rig.backend, container)
    assert rig.ecs.definitions[-1]["memory"] == "2048"
    assert record.task_definition_arn.endswith(f":{len(rig.ecs.definitions)}")


async def test_cpus_replace_a_quota(rig: Rig) -> None:
    container = await rig.create("web", CpuQuota=100_000, CpuPeriod=100_000)
    await containers_update.update(rig.backend, container, {"NanoCpus": 500_000_000})
    record = rig.backend.store.container(container)
    assert record.size.cpu_units == 512
    assert (record.host_config["CpuQuota"], record.host_config["CpuPeriod"]) == (0, 0)


async def test_a_tasks_size_is_fixed_but_what_fits_it_may_be_asked_for(rig: Rig) -> None:
    container = await running(rig)
    message = f"Cannot update container {container}: Fargate fixes a task's size and limits when it starts"
    with pytest.raises(Conflict, match=message):
        await containers_update.update(rig.backend, container, {"Memory": GIB})
    assert "Memory" not in rig.backend.store.container(container).host_config
    assert await containers_update.update(rig.backend, container, {"Memory": 400 << 20}) == []
    assert rig.backend.store.container(container).host_config["Memory"] == 400 << 20


FILES = [{"Name": "nofile", "Soft": 2000, "Hard": 4000}]


async def test_another_limit_of_open_files_is_another_definition(rig: Rig) -> None:
    container = await rig.create("web")
    assert await containers_update.update(rig.backend, container, {"Ulimits": FILES}) == []
    await containers_start.start(rig.backend, container)
    limits = rig.ecs.definitions[-1]["containerDefinitions"][0]["ulimits"]
    assert limits == [{"name": "nofile", "softLimit": 2000, "hardLimit": 4000}]
    record = rig.backend.store.container(container)
    assert record.task_definition_arn.endswith(f":{len(rig.ecs.definitions)}")


async def test_a_tasks_limit_of_open_files_is_fixed(rig: Rig) -> None:
    container = await running(rig, Ulimits=FILES)
    with pytest.raises(Conflict, match="Fargate fixes a task's size and limits when it starts"):
        await containers_update.update(rig.backend, container, {"Ulimits": [{**FILES[0], "Hard": 5000}]})
    assert rig.backend.store.container(container).host_config["Ulimits"] == FILES
    assert await containers_update.update(rig.backend, container, {"Ulimits": FILES}) == []


async def test_a_restart_policy_changes_without_the_image(rig: Rig) -> None:
    container = await rig.create("web")
    rig.backend.store.delete_image(IMAGE.id)
    await containers_update.update(rig.backend, container, {"RestartPolicy": {"Name": "always"}})
    assert rig.backend.store.container(container).host_config["RestartPolicy"] == {"Name": "always"}


async def test_no_container_gets_more_than_fargate_has(rig: Rig) -> None:
    container = await rig.create("web")
    with pytest.raises(InvalidParameter, match="at most 120 GiB"):
        await containers_update.update(rig.backend, container, {"Memory": 500 * GIB})
