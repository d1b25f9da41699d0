"""The CPU and memory pairs Fargate has. Pure.

Source: ECS developer guide, "Task CPU and memory" on Fargate (Linux, platform version 1.4.0).
"""

from __future__ import annotations

import re

_GIB = 1024
SIZES: dict[int, frozenset[int]] = {
    256: frozenset({512, 1024, 2048}),
    512: frozenset(range(1 * _GIB, 4 * _GIB + 1, _GIB)),
    1024: frozenset(range(2 * _GIB, 8 * _GIB + 1, _GIB)),
    2048: frozenset(range(4 * _GIB, 16 * _GIB + 1, _GIB)),
    4096: frozenset(range(8 * _GIB, 30 * _GIB + 1, _GIB)),
    8192: frozenset(range(16 * _GIB, 60 * _GIB + 1, 4 * _GIB)),
    16384: frozenset(range(32 * _GIB, 120 * _GIB + 1, 8 * _GIB)),
}
"""cpu_units to the memory_mib it may be paired with."""

_CPU = re.compile(r"\s*(?P<number>\d+(\.\d+)?)\s*(?P<unit>vcpus?)?\s*", re.IGNORECASE)
_MEMORY = re.compile(r"\s*(?P<number>\d+(\.\d+)?)\s*(?P<unit>gb|mb)?\s*", re.IGNORECASE)


def cpu_units(text: str) -> int | None:
    """1024 for "1024", "1 vCPU"; None for anything that is no CPU size."""
    match = _CPU.fullmatch(text)
    if not match:
        return None
    return int(float(match["number"]) * (1024 if match["unit"] else 1))


def memory_mib(text: str) -> int | None:
    """2048 for "2048", "2 GB"; None for anything that is no memory size."""
    match = _MEMORY.fullmatch(text)
    if not match:
        return None
    return int(float(match["number"]) * (_GIB if (match["unit"] or "").lower() == "gb" else 1))


def is_legal(cpu: int, memory: int) -> bool:
    """Whether Fargate has this pair."""
    return memory in SIZES.get(cpu, frozenset())
