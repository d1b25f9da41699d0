"""The legal Fargate sizes, and the one that fits what Docker was asked for.

Owns the table of (cpu units, memory MiB) pairs. Knows neither create bodies nor task definitions.
Source: Amazon ECS developer guide, "Task CPU and memory" for Fargate on Linux, platform version 1.4.0.
"""

from __future__ import annotations

from sockerless.errors import InvalidParameter
from sockerless.types import TaskSize

SIZES: dict[int, tuple[int, ...]] = {
    256: (512, 1024, 2048),
    512: tuple(range(1024, 4096 + 1, 1024)),
    1024: tuple(range(2048, 8192 + 1, 1024)),
    2048: tuple(range(4096, 16384 + 1, 1024)),
    4096: tuple(range(8192, 30720 + 1, 1024)),
    8192: tuple(range(16384, 61440 + 1, 4096)),
    16384: tuple(range(32768, 122880 + 1, 8192)),
}
"""cpu units (1024 = one vCPU) to the memory sizes in MiB that Fargate offers with them, both ascending."""

_UNITS_PER_VCPU = 1024
_NANO = 1_000_000_000
_MIB = 1024 * 1024
_MAX_CPU_UNITS = max(SIZES)
_MAX_MEMORY_MIB = max(SIZES[_MAX_CPU_UNITS])


def size_for(nano_cpus: int, memory_bytes: int) -> TaskSize:
    """The smallest legal pair that holds both; 0 asks for nothing, so (0, 0) is 256 units with 512 MiB.

    InvalidParameter when either is negative or beyond Fargate's largest size (16 vCPU, 120 GiB).
    """
    _refuse_impossible(nano_cpus, memory_bytes)
    cpu_needed = -(-nano_cpus * _UNITS_PER_VCPU // _NANO)
    memory_needed = -(-memory_bytes // _MIB)
    return next(
        TaskSize(cpu_units, memory_mib)
        for cpu_units, memories in SIZES.items()
        for memory_mib in memories
        if cpu_units >= cpu_needed and memory_mib >= memory_needed
    )


def rounding_note(nano_cpus: int, memory_bytes: int, size: TaskSize) -> str | None:
    """The sentence that tells what was rounded up; None when the size is what was asked, or nothing was."""
    asked = []
    if nano_cpus and nano_cpus * _UNITS_PER_VCPU != size.cpu_units * _NANO:
        asked.append(f"{nano_cpus / _NANO:g} CPUs")
    if memory_bytes and memory_bytes != size.memory_mib * _MIB:
        asked.append(_memory(memory_bytes))
    if not asked:
        return None
    return (
        f"Fargate has fixed sizes: {' and '.join(asked)} rounded up to "
        f"{size.cpu_units / _UNITS_PER_VCPU:g} vCPU with {size.memory_mib} MiB of memory."
    )


def _memory(memory_bytes: int) -> str:
    if memory_bytes % _MIB:
        return f"{memory_bytes} bytes of memory"
    return f"{memory_bytes // _MIB} MiB of memory"


def _refuse_impossible(nano_cpus: int, memory_bytes: int) -> None:
    if nano_cpus < 0 or memory_bytes < 0:
        raise InvalidParameter("CPUs and memory must not be negative")
    if nano_cpus * _UNITS_PER_VCPU > _MAX_CPU_UNITS * _NANO:
        raise InvalidParameter(
            f"{nano_cpus / _NANO:g} CPUs are more than a Fargate task can have: at most "
            f"{_MAX_CPU_UNITS // _UNITS_PER_VCPU} vCPU"
        )
    if memory_bytes > _MAX_MEMORY_MIB * _MIB:
        raise InvalidParameter(
            f"{_memory(memory_bytes)} are more than a Fargate task can have: at most {_MAX_MEMORY_MIB // 1024} GiB"
        )
