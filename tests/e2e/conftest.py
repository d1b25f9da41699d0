"""One deployment for all end-to-end tests, in both directions of dialling: its docker, and what stands behind it.

Whatever a test asks for here, it gets twice: of a daemon that dials its agents, and of one whose agents call it. The
second runs with --all only, but for tests marked both_directions.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import docker as docker_sdk
import pytest

from tests.conftest import Deployed, free_port
from tests.e2e import daemon as daemons
from tests.e2e.daemon import Daemon
from tests.e2e.docker_cli import Docker
from tests.e2e.scene import Scene
from tests.registry.registries import DockerRegistry

MIRRORED = "mirrored:v1"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what is repeated in reverse mode as slow, unless its test asks for both directions always."""
    for item in items:
        parameters = getattr(getattr(item, "callspec", None), "params", {})
        if parameters.get("direction") == "reverse" and not item.get_closest_marker("both_directions"):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session", params=["forward", "reverse"])
def direction(request: pytest.FixtureRequest) -> str:
    """Who dials: "forward", the daemon; "reverse", the agents."""
    return str(request.param)


@pytest.fixture(scope="session")
def gateway(engine_address: str, engine_image: str) -> str:
    """The address of this machine that tasks reach."""
    local = ["docker", "--host", engine_address]
    template = "{{.NetworkSettings.Gateway}}"
    made = subprocess.run([*local, "run", "-d", engine_image, "sleep", "60"], capture_output=True, check=True)
    container = made.stdout.decode().strip()
    shown = subprocess.run([*local, "inspect", "-f", template, container], capture_output=True, check=True)
    subprocess.run([*local, "rm", "-f", container], capture_output=True, check=True)
    return shown.stdout.decode().strip()


@pytest.fixture(scope="session")
def daemon(direction: str, deployment: Deployed, gateway: str) -> Iterator[Daemon]:
    """The daemon of this direction."""
    if direction == "forward":
        yield daemons.shared(deployment)
        return
    url = f"http://{gateway}:{free_port()}/behind/a/proxy"
    reverse = daemons.beside(deployment, {"SOCKERLESS_CALLBACK_URL": url})
    reverse.start()
    yield reverse
    reverse.end()


@pytest.fixture(scope="session")
def docker(daemon: Daemon, tmp_path_factory: pytest.TempPathFactory) -> Docker:
    """The docker CLI against the daemon."""
    return Docker(daemon.host, str(tmp_path_factory.mktemp("docker-config")))


@pytest.fixture
def sdk(docker: Docker) -> Iterator[docker_sdk.DockerClient]:
    """The Docker SDK for Python against the daemon."""
    client = docker_sdk.DockerClient(base_url=docker.host, timeout=300)
    yield client
    client.close()


@pytest.fixture(scope="session")
def image(docker: Docker, engine_image: str, engine_address: str) -> str:
    """engine_image, loaded through the daemon."""
    load_image(docker, engine_image, engine_address)
    return engine_image


def load_image(docker: Docker, name: str, engine_address: str) -> None:
    """Loads an image of the local engine through a daemon."""
    saved = subprocess.run(["docker", "--host", engine_address, "save", name], capture_output=True, check=True)
    docker.ok("load", stdin=saved.stdout)


@pytest.fixture(scope="session")
def scene(deployment: Deployed, daemon: Daemon) -> Scene:
    """The daemon's store and the simulated AWS."""
    settings = daemon.settings
    return Scene(
        cluster=settings["SOCKERLESS_ECS_CLUSTER"],
        log_group=settings["SOCKERLESS_ECS_LOG_GROUP"],
        store=next(Path(settings["SOCKERLESS_STATE_DIR"]).glob("*.sqlite*")),
        clients=deployment.client,
    )


@pytest.fixture(scope="session")
def crash(daemon: Daemon) -> Callable[[], None]:
    """A function that kills the daemon with -9 and starts it again."""
    return daemon.restart


@pytest.fixture(scope="module")
def mirrored(
    daemon: Daemon, docker: Docker, image: str, engine_address: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """An image that only a mirror of Docker Hub has; the daemon asks that mirror while the module's tests run.

    It is image by another name: that one is loaded again in the end, or its layers would be looked for in the mirror.
    """
    registry = DockerRegistry(tmp_path_factory.mktemp("mirror"))
    local = ["docker", "--host", engine_address]
    reference = f"{registry.host}/library/{MIRRORED}"
    subprocess.run([*local, "tag", image, reference], check=True)
    subprocess.run([*local, "push", "-q", reference], check=True, capture_output=True)
    subprocess.run([*local, "rmi", reference], check=True, capture_output=True)
    daemon.restart({"SOCKERLESS_REGISTRY_MIRRORS": f"http://{registry.host}"})
    yield MIRRORED
    daemon.restart()
    load_image(docker, image, engine_address)
    registry.stop()
