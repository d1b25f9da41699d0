"""One sample of what the container uses, in the shape of Docker's stats, from its own cgroup and /proc.

Owns the files of cgroup v1 and v2 and their translation. The agent is in the same cgroup as what it runs, so its own
few MiB are in the numbers, as docker-init's are in Docker's. A file that the kernel does not show leaves its part out.
Sources: Linux Documentation/admin-guide/cgroup-v1 and cgroup-v2, proc(5); the shape: Engine API 1.44,
ContainerStatsResponse; which files: runc's and moby's cgroup statistics.

The sample: {"read_ns", "num_procs": 0, "pids_stats", "cpu_stats", "memory_stats", "blkio_stats", "networks"}.
memory_stats.limit is the cgroup's own and absent without one; the daemon knows the task's size.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CGROUP = Path("/sys/fs/cgroup")
PROC = Path("/proc")
NO_LIMIT = 1 << 62
"""cgroup v1 writes a number near 2**63 where there is no limit."""
_TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
_NET_FIELDS = (
    ("rx_bytes", 0), ("rx_packets", 1), ("rx_errors", 2), ("rx_dropped", 3),
    ("tx_bytes", 8), ("tx_packets", 9), ("tx_errors", 10), ("tx_dropped", 11),
)  # fmt: skip
_BLKIO_NAMES = (
    "io_service_bytes_recursive", "io_serviced_recursive", "io_queue_recursive", "io_service_time_recursive",
    "io_wait_time_recursive", "io_merged_recursive", "io_time_recursive", "sectors_recursive",
)  # fmt: skip


def sample(cgroup: Path = CGROUP, proc: Path = PROC) -> dict[str, Any]:
    """What is used at this moment."""
    unified = (cgroup / "cgroup.controllers").exists()
    cpu, memory, blkio = (_cpu_v2, _memory_v2, _blkio_v2) if unified else (_cpu_v1, _memory_v1, _blkio_v1)
    return {
        "read_ns": time.time_ns(),
        "num_procs": 0,
        "pids_stats": _pids(cgroup if unified else cgroup / "pids"),
        "cpu_stats": {
            **cpu(cgroup),
            "system_cpu_usage": system_cpu_ns(_text(proc / "stat")),
            "online_cpus": len(os.sched_getaffinity(0)),
        },
        "memory_stats": memory(cgroup),
        "blkio_stats": {name: [] for name in _BLKIO_NAMES} | blkio(cgroup),
        "networks": networks(_text(proc / "net/dev")),
    }


def system_cpu_ns(stat: str) -> int:
    """What all processors have done since boot, idling included, from /proc/stat: user up to softirq, as in moby."""
    first = stat.partition("\n")[0].split()
    return sum(map(int, first[1:8])) * _TICK_NS


def networks(dev: str) -> dict[str, dict[str, int]]:
    """Docker's counters by interface, the loopback left out, from /proc/net/dev."""
    found: dict[str, dict[str, int]] = {}
    for line in dev.splitlines()[2:]:
        name, _, counters = line.partition(":")
        numbers = counters.split()
        if name.strip() != "lo":
            found[name.strip()] = {field: int(numbers[place]) for field, place in _NET_FIELDS}
    return found


def _pids(directory: Path) -> dict[str, int]:
    found = {"current": _text(directory / "pids.current").strip(), "limit": _text(directory / "pids.max").strip()}
    return {name: int(text) for name, text in found.items() if text.isdecimal()}


def _cpu_v1(cgroup: Path) -> dict[str, Any]:
    split = _numbers(cgroup / "cpuacct/cpuacct.stat")
    throttling = _numbers(cgroup / "cpu/cpu.stat")
    return {
        "cpu_usage": {
            "total_usage": int(_text(cgroup / "cpuacct/cpuacct.usage") or 0),
            "percpu_usage": [int(part) for part in _text(cgroup / "cpuacct/cpuacct.usage_percpu").split()],
            "usage_in_kernelmode": split.get("system", 0) * _TICK_NS,
            "usage_in_usermode": split.get("user", 0) * _TICK_NS,
        },
        "throttling_data": _throttling(throttling, throttling.get("throttled_time", 0)),
    }


def _cpu_v2(cgroup: Path) -> dict[str, Any]:
    numbers = _numbers(cgroup / "cpu.stat")
    return {
        "cpu_usage": {
            "total_usage": numbers.get("usage_usec", 0) * 1000,
            "usage_in_kernelmode": numbers.get("system_usec", 0) * 1000,
            "usage_in_usermode": numbers.get("user_usec", 0) * 1000,
        },
        "throttling_data": _throttling(numbers, numbers.get("throttled_usec", 0) * 1000),
    }


def _throttling(numbers: dict[str, int], time_ns: int) -> dict[str, int]:
    periods, throttled = numbers.get("nr_periods", 0), numbers.get("nr_throttled", 0)
    return {"periods": periods, "throttled_periods": throttled, "throttled_time": time_ns}


def _memory_v1(cgroup: Path) -> dict[str, Any]:
    directory = cgroup / "memory"
    names = (("usage", "usage_in_bytes"), ("max_usage", "max_usage_in_bytes"), ("limit", "limit_in_bytes"))
    found = {field: _text(directory / f"memory.{name}").strip() for field, name in (*names, ("failcnt", "failcnt"))}
    numbers = {field: int(text) for field, text in found.items() if text}
    return _limited(numbers) | {"stats": _numbers(directory / "memory.stat")}


def _memory_v2(cgroup: Path) -> dict[str, Any]:
    found = {"usage": _text(cgroup / "memory.current").strip(), "limit": _text(cgroup / "memory.max").strip()}
    numbers = {field: int(text) for field, text in found.items() if text.isdecimal()}
    return _limited(numbers) | {"stats": _numbers(cgroup / "memory.stat")}


def _limited(numbers: dict[str, int]) -> dict[str, Any]:
    """Without zeros, as Docker writes them, and without a limit that is none."""
    return {name: number for name, number in numbers.items() if number and (name != "limit" or number < NO_LIMIT)}


def _blkio_v1(cgroup: Path) -> dict[str, Any]:
    files = {name: cgroup / f"blkio/blkio.throttle.{name}" for name in _BLKIO_NAMES[:2]}
    return {name: [*_v1_entries(_text(path))] for name, path in files.items()}


def _v1_entries(text: str) -> Iterator[dict[str, Any]]:
    """The entries of lines like "8:0 Read 4096"."""
    for line in text.splitlines():
        parts = line.split()
        if len(parts) == 3:
            major, _, minor = parts[0].partition(":")
            yield {"major": int(major), "minor": int(minor), "op": parts[1], "value": int(parts[2])}


def _blkio_v2(cgroup: Path) -> dict[str, Any]:
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in _BLKIO_NAMES[:2]}
    kinds = {"rbytes": (0, "read"), "wbytes": (0, "write"), "rios": (1, "read"), "wios": (1, "write")}
    for line in _text(cgroup / "io.stat").splitlines():
        device, *counters = line.split()
        major, _, minor = device.partition(":")
        for name, _, value in (counter.partition("=") for counter in counters):
            if name in kinds:
                place, op = kinds[name]
                entry = {"major": int(major), "minor": int(minor), "op": op, "value": int(value)}
                found[_BLKIO_NAMES[place]].append(entry)
    return found


def _numbers(path: Path) -> dict[str, int]:
    """The "name number" lines of a file."""
    lines = (line.split() for line in _text(path).splitlines())
    return {parts[0]: int(parts[1]) for parts in lines if len(parts) == 2}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except OSError:
        return ""
