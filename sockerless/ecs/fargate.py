"""The legal Fargate sizes, and the one that fits what Docker was asked for.

Owns the table of (cpu units, memory MiB) pairs and what a deployment allows of it. Knows neither create bodies nor
task definitions.
Source: Amazon ECS developer guide, "Task CPU and memory" for Fargate on Linux, platform version 1.4.0.
"""

from __future__ import annotations

from dataclasses import dataclass

from sockerless.config import FILL_COMMAND, Config
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


@dataclass(frozen=True, slots=True)
class Limits:
    """What one deployment gives its containers: the size of one that asks for none, and the most a task may have."""

    default_cpu_units: int = min(SIZES)
    default_memory_mib: int = SIZES[min(SIZES)][0]
    max_cpu_units: int = _MAX_CPU_UNITS
    max_memory_mib: int = _MAX_MEMORY_MIB


FARGATE_LIMITS = Limits()
"""Fargate's own: the smallest size unless more is asked, up to the largest."""


def limits_of(config: Config) -> Limits:
    """The deployment's limits; InvalidParameter when a container that asks for nothing could not have its task."""
    limits = Limits(config.default_cpu_units, config.default_memory_mib, config.max_cpu_units, config.max_memory_mib)
    size_for(0, 0, limits)
    return limits


def size_for(nano_cpus: int, memory_bytes: int, limits: Limits = FARGATE_LIMITS) -> TaskSize:
    """The smallest legal pair that holds both; 0 asks for nothing, so it takes the default.

    InvalidParameter when either is negative, beyond Fargate's largest size (16 vCPU, 120 GiB) or beyond the limits.
    """
    _refuse_impossible(nano_cpus, memory_bytes)
    cpu_needed = -(-nano_cpus * _UNITS_PER_VCPU // _NANO) or limits.default_cpu_units
    memory_needed = -(-memory_bytes // _MIB) or limits.default_memory_mib
    size = _smallest(cpu_needed, memory_needed)
    if not _within(size, limits):
        raise _too_large(nano_cpus, memory_bytes, size, limits)
    return size


def rounding_note(nano_cpus: int, memory_bytes: int, size: TaskSize) -> str | None:
    """The sentence that tells what was rounded up; None when the size is what was asked, or nothing was."""
    asked = []
    if nano_cpus and nano_cpus * _UNITS_PER_VCPU != size.cpu_units * _NANO:
        asked.append(f"{nano_cpus / _NANO:g} CPUs")
    if memory_bytes and memory_bytes != size.memory_mib * _MIB:
        asked.append(_memory(memory_bytes))
    if not asked:
        return None
    return f"Fargate has fixed sizes: {' and '.join(asked)} rounded up to {_shown(size)}."


def _within(size: TaskSize, limits: Limits) -> bool:
    return size.cpu_units <= limits.max_cpu_units and size.memory_mib <= limits.max_memory_mib


def _smallest(cpu_needed: int, memory_needed: int) -> TaskSize:
    return next(
        TaskSize(cpu_units, memory_mib)
        for cpu_units, memories in SIZES.items()
        for memory_mib in memories
        if cpu_units >= cpu_needed and memory_mib >= memory_needed
    )


def _too_large(nano_cpus: int, memory_bytes: int, size: TaskSize, limits: Limits) -> InvalidParameter:
    asked = [f"--cpus {nano_cpus / _NANO:g}"] if nano_cpus else []
    asked += [f"--memory {_plain(memory_bytes)}"] if memory_bytes else []
    what = " with ".join(asked) or "a container that asks for no size"
    return InvalidParameter(
        f"{what} needs a Fargate task of {_shown(size)}, and this deployment allows at most "
        f"{limits.max_cpu_units / _UNITS_PER_VCPU:g} vCPU and {limits.max_memory_mib} MiB of memory "
        "(SOCKERLESS_MAX_CPU_UNITS, SOCKERLESS_MAX_MEMORY_MIB): ask for less, or raise max_cpu_units and "
        f"max_memory_mib in sockerless.toml and run `{FILL_COMMAND}`"
    )


def _shown(size: TaskSize) -> str:
    return f"{size.cpu_units / _UNITS_PER_VCPU:g} vCPU with {size.memory_mib} MiB of memory"


def _memory(memory_bytes: int) -> str:
    return f"{_plain(memory_bytes)} of memory"


def _plain(memory_bytes: int) -> str:
    return f"{memory_bytes} bytes" if memory_bytes % _MIB else f"{memory_bytes // _MIB} MiB"


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
