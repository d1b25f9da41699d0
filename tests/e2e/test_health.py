"""HEALTHCHECK, the image's and the container's: run beside the process, shown, filtered, told, without a daemon too."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import docker as docker_sdk
import pytest

from tests.e2e.docker_cli import Docker, eventually

pytestmark = [pytest.mark.engine, pytest.mark.terraform]
CHECK = ("--health-cmd", "echo out; echo err >&2; test -f /ok", "--health-interval", "200ms", "--health-retries", "2")


def health(docker: Docker, container: str) -> Any:
    return json.loads(docker.inspect(container, "{{json .State.Health}}"))


def is_(docker: Docker, container: str, status: str) -> Callable[[], bool]:
    return lambda: health(docker, container)["Status"] == status


@pytest.fixture(scope="module")
def checked_image(docker: Docker, engine_image: str, engine_address: str) -> Iterator[str]:
    """An image with a HEALTHCHECK of its own."""
    name, local = "with-health:1", ["docker", "--host", engine_address]
    made = (
        subprocess.run([*local, "create", engine_image, "true"], capture_output=True, check=True)
        .stdout.decode()
        .strip()
    )
    change = "HEALTHCHECK --interval=200ms --retries=1 CMD test -f /image-ok"
    subprocess.run([*local, "commit", "--change", change, made, name], capture_output=True, check=True)
    saved = subprocess.run([*local, "save", name], capture_output=True, check=True).stdout
    docker.ok("load", stdin=saved)
    for command in (["rm", made], ["rmi", name]):
        subprocess.run([*local, *command], capture_output=True, check=True)
    yield name
    docker.ok("rmi", "-f", name)


def test_a_container_becomes_unhealthy_and_healthy_and_says_so(docker: Docker, image: str) -> None:
    container = docker.ok("run", "-d", "--name", "checked", *CHECK, image, "sleep", "1000")
    eventually(is_(docker, container, "unhealthy"))
    assert docker.ok("ps", "--filter", "name=checked", "--format", "{{.Status}}").endswith("(unhealthy)")
    found = health(docker, container)
    assert found["FailingStreak"] >= 2
    assert (found["Log"][-1]["ExitCode"], found["Log"][-1]["Output"]) == (1, "out\nerr\n")
    docker.ok("exec", container, "touch", "/ok")
    eventually(is_(docker, container, "healthy"))
    assert docker.ok("ps", "-q", "--no-trunc", "--filter", "health=healthy", "--filter", "name=checked") == container
    assert docker.ok("ps", "-q", "--filter", "health=unhealthy", "--filter", "name=checked") == ""
    eventually(lambda: len(health(docker, container)["Log"]) == 5)
    docker.ok("stop", "-t", "1", container)
    assert health(docker, container)["Status"] == "unhealthy"
    docker.ok("rm", container)


def test_it_is_starting_until_the_first_result(docker: Docker, image: str) -> None:
    container = docker.ok("run", "-d", "--health-cmd", "true", "--health-interval", "1h", image, "sleep", "1000")
    assert health(docker, container) == {"Status": "starting", "FailingStreak": 0, "Log": []}
    assert docker.ok("ps", "--filter", f"id={container}", "--format", "{{.Status}}").endswith("(health: starting)")
    docker.ok("rm", "-f", container)


def test_a_probe_that_hangs_is_ended_and_counts_as_a_failure(docker: Docker, image: str) -> None:
    options = ("--health-cmd", "sleep 60", "--health-interval", "200ms", "--health-timeout", "300ms")
    container = docker.ok("run", "-d", *options, "--health-retries", "1", image, "sleep", "1000")
    eventually(is_(docker, container, "unhealthy"))
    first = health(docker, container)["Log"][0]
    assert (first["ExitCode"], first["Output"]) == (-1, "Health check exceeded timeout (300ms)")
    docker.ok("rm", "-f", container)


def test_the_images_check_is_run_unless_there_is_to_be_none(docker: Docker, checked_image: str) -> None:
    container = docker.ok("run", "-d", checked_image, "sleep", "1000")
    eventually(is_(docker, container, "unhealthy"))
    assert json.loads(docker.inspect(container, "{{json .Config.Healthcheck}}"))["Test"][1] == "test -f /image-ok"
    docker.ok("exec", container, "touch", "/image-ok")
    eventually(is_(docker, container, "healthy"))
    without = docker.ok("run", "-d", "--no-healthcheck", checked_image, "sleep", "1000")
    assert docker.inspect(without, "{{.State.Health}}") == "<nil>"
    docker.ok("rm", "-f", container, without)


def test_the_sdk_asks_for_a_check_and_sees_it(sdk: docker_sdk.DockerClient, image: str) -> None:
    check = {"test": ["CMD", "true"], "interval": 200_000_000}
    container = sdk.containers.run(image, ["sleep", "1000"], healthcheck=check, detach=True)

    def is_healthy() -> bool:
        container.reload()
        return bool(container.attrs["State"]["Health"]["Status"] == "healthy")

    eventually(is_healthy)
    container.remove(force=True)


def test_probes_go_on_while_the_daemon_is_away(docker: Docker, image: str, crash: Callable[[], None]) -> None:
    container = docker.ok("run", "-d", *CHECK, image, "sh", "-c", "sleep 1; touch /ok; sleep 1000")
    eventually(is_(docker, container, "unhealthy"))
    crash()
    eventually(is_(docker, container, "healthy"))
    docker.ok("rm", "-f", container)
