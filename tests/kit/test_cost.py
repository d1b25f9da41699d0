"""What runs now costs what AWS lists, task by task, beside what stands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sockerless.errors import SystemFailure
from sockerless.kit import cost, estimate
from sockerless.kit import project as settings
from tests.conftest import Deployed

ARN = "arn:aws:ecs:us-east-1:123456789012:task/test/0123456789abcdef0123456789abcdef"


def task(**more: Any) -> dict[str, Any]:
    """A task as DescribeTasks tells it: a quarter of a vCPU with half a GB, on demand."""
    return {
        "taskArn": ARN,
        "lastStatus": "RUNNING",
        "cpu": "256",
        "memory": "512",
        "ephemeralStorage": {"sizeInGiB": 20},
        "attributes": [{"name": "ecs.cpu-architecture", "value": "x86_64"}],
        "tags": [{"key": "sockerless:name", "value": "clock"}],
        **more,
    }


ARM = [{"name": "ecs.cpu-architecture", "value": "arm64"}]


@pytest.mark.parametrize(
    ("told", "public", "usd_per_hour"),
    [
        (task(), False, 0.012343),
        (task(), True, 0.017343),
        (task(attributes=ARM), False, 0.009875),
        (task(cpu="4096", memory="8192"), False, 0.19748),
        (task(ephemeralStorage={"sizeInGiB": 100}), False, 0.021222),
        (task(capacityProviderName="FARGATE"), False, 0.012343),
        (task(capacityProviderName="FARGATE_SPOT"), False, 0.00395),
    ],
)
def test_a_task_is_priced_by_what_ecs_tells_of_it(told: dict[str, Any], public: bool, usd_per_hour: float) -> None:
    found = cost.of_task(told, public)
    assert found.usd_per_hour == pytest.approx(usd_per_hour, abs=1e-6)
    assert (found.name, found.id) == ("clock", "0123456789abcdef0123456789abcdef")


def test_a_task_whose_architecture_is_not_told_is_an_error_not_a_guess() -> None:
    with pytest.raises(SystemFailure, match="tells no architecture"):
        cost.of_task(task(attributes=[]), False)


def test_the_sum_is_of_what_stands_and_what_runs(tmp_path: Path) -> None:
    here = settings.from_mapping(tmp_path, {})
    standing = estimate.of_resources(here, [estimate.Resource("aws_nat_gateway", {})])
    small = cost.of_task(task(tags=[]), False)
    large = cost.of_task(task(cpu="4096", memory="8192", capacityProviderName="FARGATE_SPOT"), True)
    found = cost.of(standing, [small, large])
    assert found.tasks == (large, small)
    assert found.tasks_usd_per_hour == round(0.012343 + 0.19748 * 0.32 + 0.005, 4)
    assert found.usd_per_month == pytest.approx(32.85 + 730 * (0.012343 + 0.19748 * 0.32 + 0.005), abs=0.01)
    told = cost.lines(found)
    assert "running now: 2 tasks" in told
    assert " ".join(told[-3].split()) == "clock $0.0682/h $49.78/month 4 vCPU, 8 GB, X86_64, Spot, public address"
    assert told[-2].split()[0] == "0123456789ab"
    assert (
        told[-1] == f"all of it: ${found.usd_per_hour:.4f} an hour, ${found.usd_per_month:.2f} a month if it goes on so"
    )


@pytest.mark.engine
@pytest.mark.terraform
def test_a_deployment_that_is_up_tells_what_stands_and_what_runs(deployment: Deployed, image: str) -> None:
    started = deployment.docker("run", "--detach", "--name", "priced", "--cpus", "1", image, "sleep", "600")
    assert started.returncode == 0, started.stderr
    try:
        told = json.loads(deployment.kit("cost", "--json").stdout)
    finally:
        deployment.docker("rm", "--force", "priced")
    standing = {line["name"]: line["count"] for line in told["infrastructure"]["standing"]}
    assert (standing["NAT gateway"], standing["public IPv4 address"]) == (1, 1)
    mine = next(one for one in told["tasks"] if one["name"] == "priced")
    assert (mine["cpu_units"], mine["memory_mib"], mine["usd_per_month"]) == (1024, 2048, 36.04)
