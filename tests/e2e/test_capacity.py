"""Spot and the sizes that a deployment allows, as `docker` users meet them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import Deployed
from tests.e2e.daemon import Daemon
from tests.e2e.docker_cli import Docker, eventually
from tests.e2e.scene import Scene

pytestmark = [
    pytest.mark.engine,
    pytest.mark.terraform,
    pytest.mark.parametrize("direction", ["forward"], indirect=True),
]


@pytest.fixture(scope="module", autouse=True)
def on_spot(daemon: Daemon) -> Iterator[None]:
    """The daemon starts its tasks on Spot, and small ones only."""
    daemon.restart(
        {
            "SOCKERLESS_ECS_CAPACITY_PROVIDERS": "FARGATE=0,FARGATE_SPOT=1",
            "SOCKERLESS_DEFAULT_MEMORY_MIB": "1024",
            "SOCKERLESS_MAX_CPU_UNITS": "512",
            "SOCKERLESS_MAX_MEMORY_MIB": "2048",
        }
    )
    yield
    daemon.restart()


def test_a_spot_interruption_ends_the_container_with_awss_reason(
    docker: Docker, image: str, scene: Scene, deployment: Deployed
) -> None:
    container = docker.ok("run", "-d", image, "sleep", "300")
    arn = scene.task_arn(container)
    assert scene.tasks(arn)[0]["capacityProviderName"] == "FARGATE_SPOT"
    waiting = docker.start("wait", container)
    deployment.interrupt(arn)
    assert waiting.communicate(timeout=30)[0] == b"143\n"
    reason = "the Fargate Spot task was interrupted by AWS: Your Spot Task was interrupted."
    eventually(lambda: docker.inspect(container, "{{.State.Error}}").startswith(reason))
    docker.ok("rm", container)


def test_spot_without_capacity_is_told_with_the_remedy(docker: Docker, image: str, deployment: Deployed) -> None:
    with deployment.faults({"kind": "capacity"}):
        failed = docker("run", "--rm", image, "true")
    assert failed.returncode == 125
    assert "on Fargate Spot: Capacity is unavailable" in failed.stderr.decode()
    assert "fargate_weight" in failed.stderr.decode()


def test_a_container_that_asks_for_nothing_has_the_default_size_and_none_has_more_than_the_largest(
    docker: Docker, image: str, scene: Scene
) -> None:
    container = docker.ok("create", image, "true")
    arn = scene.record(container)["task_definition_arn"]
    definition = scene.clients("ecs").describe_task_definition(taskDefinition=arn)["taskDefinition"]
    assert (definition["cpu"], definition["memory"]) == ("256", "1024")
    refused = docker("create", "--memory", "3g", image, "true")
    assert refused.returncode == 1
    assert "--memory 3072 MiB needs a Fargate task of 0.5 vCPU with 3072 MiB of memory" in refused.stderr.decode()
    assert "at most 0.5 vCPU and 2048 MiB of memory (SOCKERLESS_MAX_CPU_UNITS" in refused.stderr.decode()
    assert docker.ok("info", "--format", "{{.NCPU}} {{.MemTotal}}") == f"1 {2 << 30}"
    docker.ok("rm", container)
