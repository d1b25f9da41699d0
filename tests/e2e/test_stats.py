"""docker stats and docker update: what a task uses, and the size it has."""

from __future__ import annotations

import json
from collections.abc import Iterator

import docker as docker_sdk
import pytest

from tests.e2e.docker_cli import Docker

pytestmark = [pytest.mark.engine, pytest.mark.terraform]


@pytest.fixture(scope="module")
def busy(docker: Docker, image: str) -> Iterator[str]:
    """A container that does nothing but compute."""
    container = docker.ok("run", "-d", image, "sh", "-c", "while :; do :; done")
    yield container
    docker.ok("rm", "-f", container)


def test_one_sample_shows_processor_memory_network_and_processes(docker: Docker, busy: str) -> None:
    shown = json.loads(docker.ok("stats", "--no-stream", "--format", "json", busy))
    assert shown["ID"] == busy[:12]
    assert 5 < float(shown["CPUPerc"].rstrip("%")) < 250
    assert shown["MemUsage"].endswith(" / 512MiB")
    assert 0 < float(shown["MemPerc"].rstrip("%")) < 100
    assert int(shown["PIDs"]) >= 2
    assert shown["NetIO"] != "0B / 0B"


def test_a_stream_goes_on_once_a_second(sdk: docker_sdk.DockerClient, busy: str) -> None:
    samples = sdk.containers.get(busy).stats(decode=True, stream=True)
    first, second = next(samples), next(samples)
    assert first["precpu_stats"]["cpu_usage"]["total_usage"] == 0
    assert second["precpu_stats"] == first["cpu_stats"]
    assert second["cpu_stats"]["system_cpu_usage"] > first["cpu_stats"]["system_cpu_usage"]
    assert second["cpu_stats"]["online_cpus"] >= 1
    assert second["memory_stats"]["limit"] == 512 << 20
    samples.close()


def test_one_shot_does_not_wait_for_a_second_sample(sdk: docker_sdk.DockerClient, busy: str) -> None:
    sample = sdk.api.stats(busy, stream=False, one_shot=True)
    assert sample["read"] > "2020"
    assert sample["preread"] == "0001-01-01T00:00:00Z"


def test_what_does_not_run_uses_nothing(docker: Docker, image: str) -> None:
    container = docker.ok("create", "--name", "idle", image, "true")
    shown = json.loads(docker.ok("stats", "--no-stream", "--format", "json", container))
    assert (shown["CPUPerc"], shown["MemUsage"], shown["PIDs"]) == ("0.00%", "0B / 0B", "0")
    docker.ok("rm", container)


def test_a_created_container_gets_the_size_it_is_updated_to(docker: Docker, image: str) -> None:
    container = docker.ok("create", image, "sleep", "1000")
    done = docker("update", "--memory", "2g", "--memory-swap", "-1", container)
    assert done.returncode == 0, done.stderr
    docker.ok("start", container)
    shown = json.loads(docker.ok("stats", "--no-stream", "--format", "json", container))
    assert shown["MemUsage"].endswith(" / 2GiB")
    refused = docker("update", "--memory", "4g", container).stderr.decode()
    assert f"Cannot update container {container}: Fargate fixes a task's size and limits when it starts" in refused
    docker.ok("rm", "-f", container)
