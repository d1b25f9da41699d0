"""stats: the same shape from either version of cgroups, and real numbers of a real container."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sockerless.agent.stats import networks, sample, system_cpu_ns
from tests.agent.container import AgentContainer

NET = """\
Inter-|   Receive                                        |  Transmit
 face |bytes  packets errs drop fifo frame compressed multi|bytes  packets errs drop fifo colls carrier compressed
    lo:     9       9    0    0    0     0          0     0      9       9    0    0    0     0       0          0
  eth0:   646       7    1    2    0     0          0     0    100       3    4    5    0     0       0          0
"""
V1 = {
    "cpuacct/cpuacct.usage": "19593927\n",
    "cpuacct/cpuacct.usage_percpu": "10437304 9156623 \n",
    "cpuacct/cpuacct.stat": "user 3\nsystem 2\n",
    "cpu/cpu.stat": "nr_periods 4\nnr_throttled 1\nthrottled_time 500\n",
    "memory/memory.usage_in_bytes": "655360\n",
    "memory/memory.max_usage_in_bytes": "4341760\n",
    "memory/memory.limit_in_bytes": "536870912\n",
    "memory/memory.failcnt": "0\n",
    "memory/memory.stat": "cache 45056\ntotal_inactive_file 4096\n",
    "pids/pids.current": "2\n",
    "pids/pids.max": "max\n",
    "blkio/blkio.throttle.io_service_bytes_recursive": "8:0 Read 4096\n8:0 Write 0\nTotal 4096\n",
    "blkio/blkio.throttle.io_serviced_recursive": "8:0 Read 1\n",
}
V2 = {
    "cgroup.controllers": "cpu io memory pids\n",
    "cpu.stat": "usage_usec 19593\nuser_usec 30000\nsystem_usec 20000\nnr_periods 4\nnr_throttled 1\nthrottled_usec 2",
    "memory.current": "655360\n",
    "memory.max": "536870912\n",
    "memory.stat": "anon 1\ninactive_file 4096\n",
    "pids.current": "2\n",
    "pids.max": "100\n",
    "io.stat": "8:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0\n",
}


def machine(directory: Path, files: dict[str, str]) -> dict[str, Any]:
    """A sample of a machine whose cgroup has these files."""
    proc = {"proc/stat": "cpu  1 2 3 4 5 6 7 8 9 10\ncpu0 1\n", "proc/net/dev": NET}
    for name, text in ({f"cgroup/{name}": text for name, text in files.items()} | proc).items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return sample(directory / "cgroup", directory / "proc")


def test_cgroup_v1_is_read(tmp_path: Path) -> None:
    found = machine(tmp_path, V1)
    assert found["cpu_stats"]["cpu_usage"] == {
        "total_usage": 19593927,
        "percpu_usage": [10437304, 9156623],
        "usage_in_kernelmode": 20_000_000,
        "usage_in_usermode": 30_000_000,
    }
    assert found["cpu_stats"]["throttling_data"] == {"periods": 4, "throttled_periods": 1, "throttled_time": 500}
    assert found["memory_stats"] == {
        "usage": 655360, "max_usage": 4341760, "limit": 536870912,
        "stats": {"cache": 45056, "total_inactive_file": 4096},
    }  # fmt: skip
    assert found["pids_stats"] == {"current": 2}
    assert found["blkio_stats"]["io_service_bytes_recursive"] == [
        {"major": 8, "minor": 0, "op": "Read", "value": 4096},
        {"major": 8, "minor": 0, "op": "Write", "value": 0},
    ]
    assert found["blkio_stats"]["sectors_recursive"] == []


def test_cgroup_v2_is_read(tmp_path: Path) -> None:
    found = machine(tmp_path, V2)
    usage = {"total_usage": 19_593_000, "usage_in_kernelmode": 20_000_000, "usage_in_usermode": 30_000_000}
    assert found["cpu_stats"]["cpu_usage"] == usage
    assert found["cpu_stats"]["throttling_data"]["throttled_time"] == 2000
    assert found["memory_stats"] == {
        "usage": 655360, "limit": 536870912, "stats": {"anon": 1, "inactive_file": 4096},
    }  # fmt: skip
    assert found["pids_stats"] == {"current": 2, "limit": 100}
    assert found["blkio_stats"]["io_serviced_recursive"] == [
        {"major": 8, "minor": 0, "op": "read", "value": 1},
        {"major": 8, "minor": 0, "op": "write", "value": 0},
    ]


@pytest.mark.parametrize(
    ("files", "name", "text"),
    [(V1, "memory/memory.limit_in_bytes", "9223372036854771712\n"), (V2, "memory.max", "max\n")],
)
def test_a_cgroup_without_a_limit_says_none(tmp_path: Path, files: dict[str, str], name: str, text: str) -> None:
    assert "limit" not in machine(tmp_path, {**files, name: text})["memory_stats"]


def test_the_machine_s_time_and_traffic_are_mobys(tmp_path: Path) -> None:
    assert system_cpu_ns("cpu  1 2 3 4 5 6 7 8 9 10\n") == 28 * 10_000_000
    assert networks(NET) == {
        "eth0": {
            "rx_bytes": 646, "rx_packets": 7, "rx_errors": 1, "rx_dropped": 2,
            "tx_bytes": 100, "tx_packets": 3, "tx_errors": 4, "tx_dropped": 5,
        }
    }  # fmt: skip


@pytest.mark.engine
async def test_a_busy_container_s_numbers_grow(container: AgentContainer) -> None:
    control = await container.control()
    stream = await container.streams()
    await control.start("sh", "-c", "echo ready; while :; do :; done")
    await stream.until(b"ready")
    first = (await control.request("stats")).result
    second = first
    while second["cpu_stats"]["cpu_usage"]["total_usage"] < first["cpu_stats"]["cpu_usage"]["total_usage"] + 50_000_000:
        second = (await control.request("stats")).result
    assert second["cpu_stats"]["system_cpu_usage"] >= first["cpu_stats"]["system_cpu_usage"]
    assert second["networks"]["eth0"]["rx_bytes"] > first["networks"]["eth0"]["rx_bytes"]
    assert second["memory_stats"]["usage"] > 1_000_000
    assert second["pids_stats"]["current"] >= 2
