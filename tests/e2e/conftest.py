"""One deployment for all end-to-end tests: its docker, what stands behind it, and its daemon's sudden death."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sockerless.kit import background, processes, project
from tests.conftest import Deployed
from tests.e2e.docker_cli import Docker, eventually
from tests.e2e.scene import Scene
from tests.registry.registries import DockerRegistry

MIRRORED = "mirrored:v1"


@pytest.fixture(scope="session")
def docker(deployment: Deployed, tmp_path_factory: pytest.TempPathFactory) -> Docker:
    """The docker CLI against the shared deployment's daemon."""
    return Docker(deployment.docker_host, str(tmp_path_factory.mktemp("docker-config")))


@pytest.fixture(scope="session")
def scene(deployment: Deployed) -> Scene:
    """The shared deployment's store and simulated AWS."""
    settings = dict(
        line.split("=", 1)
        for line in (deployment.directory / ".sockerless/daemon.env").read_text().splitlines()
        if "=" in line and not line.startswith("#")
    )
    return Scene(
        cluster=settings["SOCKERLESS_ECS_CLUSTER"],
        log_group=settings["SOCKERLESS_ECS_LOG_GROUP"],
        store=next(Path(settings["SOCKERLESS_STATE_DIR"]).glob("*.sqlite*")),
        clients=deployment.client,
    )


def restart_daemon(deployment: Deployed, environment: dict[str, str]) -> None:
    """kill -9, then a new daemon with these variables added; returns once it answers."""
    place = processes.daemon_place(deployment.directory)
    running = background.find(place)
    assert running is not None, "no daemon runs"
    os.kill(running.pid, signal.SIGKILL)
    eventually(lambda: background.find(place) is None)
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    try:
        processes.start_daemon(project.load(deployment.directory), [deployment.docker_host])
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


@pytest.fixture(scope="session")
def crash(deployment: Deployed) -> Callable[[], None]:
    """A function that kills the daemon with -9 and starts it again."""
    return lambda: restart_daemon(deployment, {})


@pytest.fixture(scope="module")
def mirrored(
    deployment: Deployed, engine_image: str, engine_address: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """An image that only a mirror of Docker Hub has; the daemon asks that mirror while the module's tests run."""
    registry = DockerRegistry(tmp_path_factory.mktemp("mirror"))
    local = ["docker", "--host", engine_address]
    reference = f"{registry.host}/library/{MIRRORED}"
    subprocess.run([*local, "tag", engine_image, reference], check=True)
    subprocess.run([*local, "push", "-q", reference], check=True, capture_output=True)
    subprocess.run([*local, "rmi", reference], check=True, capture_output=True)
    restart_daemon(deployment, {"SOCKERLESS_REGISTRY_MIRRORS": f"http://{registry.host}"})
    yield MIRRORED
    restart_daemon(deployment, {})
    registry.stop()
