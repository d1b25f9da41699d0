"""Fargate sizes: the documented table, and rounding that is smallest, sufficient and told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sockerless.config import Config, load
from sockerless.ecs.fargate import SIZES, Limits, limits_of, rounding_note, size_for
from sockerless.errors import InvalidParameter
from sockerless.types import TaskSize

MIB = 1024 * 1024
GIB = 1024 * MIB
CPU = 1_000_000_000

nano_cpus_asked = st.integers(0, 16 * CPU)
memory_asked = st.integers(0, 120 * GIB)


def _pairs() -> list[TaskSize]:
    return [TaskSize(cpu, memory) for cpu, memories in SIZES.items() for memory in memories]


@pytest.mark.parametrize(
    ("cpu_units", "first_mib", "last_mib", "how_many"),
    [
        (256, 512, 2048, 3),
        (512, 1024, 4096, 4),
        (1024, 2048, 8192, 7),
        (2048, 4096, 16384, 13),
        (4096, 8192, 30720, 23),
        (8192, 16384, 61440, 12),
        (16384, 32768, 122880, 12),
    ],
)
def test_the_table_is_the_one_aws_documents(cpu_units: int, first_mib: int, last_mib: int, how_many: int) -> None:
    memories = SIZES[cpu_units]
    assert (memories[0], memories[-1], len(memories)) == (first_mib, last_mib, how_many)


@pytest.mark.parametrize(
    ("cpus", "memory_bytes", "size"),
    [
        (0, 0, TaskSize(256, 512)),
        (0.25, 512 * MIB, TaskSize(256, 512)),
        (0, 512 * MIB + 1, TaskSize(256, 1024)),
        (0, 3 * GIB, TaskSize(512, 3072)),
        (0.3, 0, TaskSize(512, 1024)),
        (0.5, 100 * MIB, TaskSize(512, 1024)),
        (1, 1 * GIB, TaskSize(1024, 2048)),
        (1.5, 4 * GIB, TaskSize(2048, 4096)),
        (4, 31 * GIB, TaskSize(8192, 32768)),
        (6, 17 * GIB, TaskSize(8192, 20480)),
        (16, 120 * GIB, TaskSize(16384, 122880)),
        (0.001, 61 * GIB, TaskSize(16384, 65536)),
    ],
)
def test_what_is_asked_becomes_the_next_legal_pair(cpus: float, memory_bytes: int, size: TaskSize) -> None:
    assert size_for(int(cpus * CPU), memory_bytes) == size


@given(nano_cpus_asked, memory_asked)
def test_the_pair_is_legal_and_holds_what_was_asked(nano_cpus: int, memory_bytes: int) -> None:
    size = size_for(nano_cpus, memory_bytes)
    assert size in _pairs()
    assert size.cpu_units * CPU >= nano_cpus * 1024
    assert size.memory_mib * MIB >= memory_bytes


@given(nano_cpus_asked, memory_asked)
def test_no_legal_pair_that_fits_has_less_cpu_or_at_this_cpu_less_memory(nano_cpus: int, memory_bytes: int) -> None:
    size = size_for(nano_cpus, memory_bytes)
    fitting = [p for p in _pairs() if p.cpu_units * CPU >= nano_cpus * 1024 and p.memory_mib * MIB >= memory_bytes]
    assert min(fitting, key=lambda pair: (pair.cpu_units, pair.memory_mib)) == size


@given(st.sampled_from(_pairs()))
def test_a_legal_pair_stays_itself_and_needs_no_note(pair: TaskSize) -> None:
    nano_cpus, memory_bytes = pair.cpu_units * CPU // 1024, pair.memory_mib * MIB
    assert size_for(nano_cpus, memory_bytes) == pair
    assert rounding_note(nano_cpus, memory_bytes, pair) is None


@given(nano_cpus_asked, memory_asked)
def test_the_note_speaks_exactly_when_something_asked_was_rounded(nano_cpus: int, memory_bytes: int) -> None:
    size = size_for(nano_cpus, memory_bytes)
    cpu_rounded = nano_cpus != 0 and nano_cpus * 1024 != size.cpu_units * CPU
    memory_rounded = memory_bytes != 0 and memory_bytes != size.memory_mib * MIB
    note = rounding_note(nano_cpus, memory_bytes, size)
    assert (note is not None) == (cpu_rounded or memory_rounded)


def test_the_note_names_what_was_asked_and_what_it_became() -> None:
    note = rounding_note(int(0.3 * CPU), 700 * MIB, size_for(int(0.3 * CPU), 700 * MIB))
    assert note == (
        "Fargate has fixed sizes: 0.3 CPUs and 700 MiB of memory rounded up to 0.5 vCPU with 1024 MiB of memory."
    )


@pytest.mark.parametrize(
    ("nano_cpus", "memory_bytes", "words"),
    [
        (16 * CPU + 1, 0, "at most 16 vCPU"),
        (32 * CPU, 0, "32 CPUs are more than a Fargate task can have"),
        (0, 120 * GIB + 1, "at most 120 GiB"),
        (0, 121 * GIB, "123904 MiB of memory are more than a Fargate task can have"),
        (-1, 0, "must not be negative"),
        (0, -1, "must not be negative"),
    ],
)
def test_the_impossible_is_refused_with_words(nano_cpus: int, memory_bytes: int, words: str) -> None:
    with pytest.raises(InvalidParameter, match=words):
        size_for(nano_cpus, memory_bytes)


LIMITS = Limits(default_cpu_units=512, default_memory_mib=3072, max_cpu_units=2048, max_memory_mib=8192)


@pytest.mark.parametrize(
    ("cpus", "memory_bytes", "size"),
    [
        (0, 0, TaskSize(512, 3072)),
        (1, 0, TaskSize(1024, 3072)),
        (0, 1 * GIB, TaskSize(512, 1024)),
        (0.25, 512 * MIB, TaskSize(256, 512)),
        (2, 8 * GIB, TaskSize(2048, 8192)),
    ],
)
def test_what_is_not_asked_for_takes_the_deployments_default(cpus: float, memory_bytes: int, size: TaskSize) -> None:
    assert size_for(int(cpus * CPU), memory_bytes, LIMITS) == size


@pytest.mark.parametrize(
    ("cpus", "memory_bytes", "needs"),
    [
        (2.5, 0, "--cpus 2.5 needs a Fargate task of 4 vCPU with 8192 MiB of memory"),
        (0, 8 * GIB + 1, "--memory 8589934593 bytes needs a Fargate task of 2 vCPU with 9216 MiB of memory"),
        (0.5, 9 * GIB, "--cpus 0.5 with --memory 9216 MiB needs a Fargate task of 2 vCPU with 9216 MiB of memory"),
    ],
)
def test_more_than_the_deployment_allows_is_refused_with_option_limit_and_remedy(
    cpus: float, memory_bytes: int, needs: str
) -> None:
    with pytest.raises(InvalidParameter) as refused:
        size_for(int(cpus * CPU), memory_bytes, LIMITS)
    assert refused.value.message.startswith(needs)
    assert "allows at most 2 vCPU and 8192 MiB of memory (SOCKERLESS_MAX_CPU_UNITS" in refused.value.message
    assert "raise max_cpu_units and max_memory_mib in sockerless.toml" in refused.value.message


def _config(**variables: str) -> Config:
    role = "arn:aws:iam::123456789012:role/execution"
    required = {"SOCKERLESS_ECS_SUBNETS": "subnet-0", "SOCKERLESS_ECS_EXECUTION_ROLE_ARN": role}
    return load(required | {f"SOCKERLESS_{name}": text for name, text in variables.items()})


def test_the_limits_are_those_of_the_configuration() -> None:
    assert limits_of(_config()) == Limits()
    given = _config(DEFAULT_CPU_UNITS="512", DEFAULT_MEMORY_MIB="3072", MAX_CPU_UNITS="2048", MAX_MEMORY_MIB="8192")
    assert limits_of(given) == LIMITS


def test_a_default_whose_task_is_above_the_maximum_is_refused() -> None:
    with pytest.raises(InvalidParameter, match="a container that asks for no size needs a Fargate task of 1 vCPU"):
        limits_of(_config(DEFAULT_MEMORY_MIB="8192", MAX_CPU_UNITS="512"))
