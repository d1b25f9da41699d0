"""What every test may ask for: a container engine, terraform, an image, one whole deployment in the simulated AWS.

Tests marked engine or terraform need what not every machine has: there they fail in CI (the environment variable CI is
set) and are skipped with the reason elsewhere. Tests marked slow run with --all only.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import functools
import json
import os
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest

from sockerless.kit import doctor, engines, processes, project
from tests import enforced
from tests.machine import withhold

ROOT = Path(__file__).resolve().parent.parent
ENGINE_IMAGE = "busybox:test"
REGION = "us-east-1"


def pytest_addoption(parser: pytest.Parser) -> None:
    """--all, for the tests marked slow; --enforce-iam, for the policies of deployer and daemon."""
    parser.addoption("--all", action="store_true", help="run the tests marked slow too")
    parser.addoption(
        "--enforce-iam",
        action="store_true",
        help="deploy with nothing but the deployer's policies, and serve with nothing but the daemon's",
    )


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skips or fails a test whose machine lacks what its marks ask for."""
    if item.get_closest_marker("slow") and not item.config.getoption("--all"):
        pytest.skip("slow: runs with --all")
    for mark, missing in (("engine", _engine_missing), ("terraform", _terraform_missing)):
        if item.get_closest_marker(mark) and (reason := missing()):
            withhold(reason)


@functools.cache
def _engine_missing() -> str:
    return "" if engines.find() else "no container engine answers; scripts/test starts one where it can"


@functools.cache
def _terraform_missing() -> str:
    findings = (doctor.terraform_binary(), doctor.aws_provider(ROOT))
    return "; ".join(f"{finding.name}: {finding.detail}; {finding.fix}" for finding in findings if not finding.ok)


@pytest.fixture(scope="session")
def engine_address() -> str:
    """Where the local container engine listens: unix://PATH."""
    address = engines.find()
    if address is None:
        withhold(_engine_missing())
    return address


@pytest.fixture(scope="session")
def engine_image(engine_address: str) -> str:
    """A busybox image in the local engine, made from this machine's own when it is not there."""
    inspect = ["docker", "--host", engine_address, "image", "inspect", ENGINE_IMAGE]
    with (ROOT / "scripts/build-image").open() as only_one:
        fcntl.flock(only_one, fcntl.LOCK_EX)  # of several pytest workers
        if subprocess.run(inspect, capture_output=True, check=False).returncode != 0:
            subprocess.run([ROOT / "scripts/build-image", ENGINE_IMAGE, engine_address], check=True)
    return ENGINE_IMAGE


@dataclass(frozen=True, slots=True)
class Deployed:
    """A deployment that is up in the simulated AWS, with a daemon in the background."""

    directory: Path
    docker_host: str
    endpoint_url: str
    environment: dict[str, str]
    kit_environment: dict[str, str] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        """A boto3 client of the simulated AWS."""
        return boto3.client(
            service,
            endpoint_url=self.endpoint_url,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    @contextlib.contextmanager
    def faults(self, *documents: dict[str, Any]) -> Iterator[None]:
        """These faults of the simulated AWS while it lasts."""
        for document in documents:
            self._admin("faults", "POST", json.dumps(document).encode())
        try:
            yield
        finally:
            self._admin("faults", "DELETE")

    def calls(self) -> dict[str, dict[str, int]]:
        """How often each operation of the simulated AWS was called, by service."""
        counts: dict[str, dict[str, int]] = json.loads(self._admin("calls", "GET"))
        return counts

    def place_upstream(self, host: str, url: str) -> None:
        """From now on the simulated ECR finds the registry that it caches as host at url."""
        self._admin("upstreams", "PUT", json.dumps({host: url}).encode())

    def interrupt(self, task_arn: str) -> None:
        """Takes a task's Spot capacity back."""
        self._admin("faults", "POST", json.dumps({"kind": "spot", "target": task_arn}).encode())

    def _admin(self, path: str, method: str, body: bytes | None = None) -> bytes:
        request = urllib.request.Request(f"{self.endpoint_url}/_sockerless/{path}", body, method=method)  # noqa: S310
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            content: bytes = answer.read()
            return content

    def docker(self, *arguments: str, timeout_s: float = 120, **more: Any) -> subprocess.CompletedProcess[bytes]:
        """`docker ARGUMENTS` against the daemon: its exit code, stdout and stderr as bytes."""
        return subprocess.run(
            ["docker", *arguments], env=self.environment, capture_output=True, timeout=timeout_s, check=False, **more
        )

    def kit(self, *arguments: str, timeout_s: float = 300) -> subprocess.CompletedProcess[bytes]:
        """`sockerless-kit ARGUMENTS` by this interpreter, in the deployment's directory."""
        return _kit(*arguments, directory=self.directory, timeout_s=timeout_s, environment=self.kit_environment)


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nothing listens on now."""
    with socket.socket() as plug:
        plug.bind(("127.0.0.1", 0))
        port: int = plug.getsockname()[1]
    return port


def _kit(
    *arguments: str, directory: Path, timeout_s: float, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "sockerless.kit", *arguments],
        cwd=directory,
        env=os.environ | (environment or {}),
        capture_output=True,
        timeout=timeout_s,
        check=False,
    )


def bring_up(directory: Path) -> Deployed:
    """`init` and `up --detach` in the directory, at a free port; the test fails with what they printed otherwise."""
    deployed = _deployed(directory)
    _must(deployed, "init", "--simulator", "--endpoint-url", deployed.endpoint_url, "--yes")
    _must(deployed, "up", "--detach", "--yes")
    return deployed


def bring_up_enforced(directory: Path, *settings: str, prepare: Callable[[Any], None] = lambda iam: None) -> Deployed:
    """The same in a simulated AWS that enforces IAM: `apply` by a deployer, then a daemon, with nothing but the kit's
    policies. settings: options of init; prepare: is given root's IAM before anything is made."""
    deployed = _deployed(directory)
    _must(deployed, "init", "--simulator", "--endpoint-url", deployed.endpoint_url, "--yes", *settings)
    enforced.start_simulator(directory, deployed.endpoint_url)
    iam = deployed.client("iam")
    prepare(iam)
    deployer = enforced.make_deployer(directory, iam)
    deployed = dataclasses.replace(deployed, kit_environment=deployer)
    _must(deployed, "apply", "--yes")
    enforced.make_daemon(directory, deployer, iam)
    processes.start_daemon(project.load(directory), [deployed.docker_host])
    return deployed


def _deployed(directory: Path) -> Deployed:
    docker_host = f"unix://{directory}/.sockerless/docker.sock"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DOCKER_")}
    endpoint_url = f"http://127.0.0.1:{free_port()}"
    return Deployed(directory, docker_host, endpoint_url, environment | {"DOCKER_HOST": docker_host})


def _must(deployed: Deployed, *command: str) -> None:
    done = deployed.kit(*command, timeout_s=600)
    if done.returncode != 0:
        take_down(deployed.directory)
        pytest.fail(f"sockerless-kit {' '.join(command)} failed:\n{done.stdout.decode()}{done.stderr.decode()}")


def take_down(directory: Path) -> None:
    """`down` in the directory."""
    _kit("down", directory=directory, timeout_s=120)


@pytest.fixture(scope="session")
def deploy(request: pytest.FixtureRequest) -> Iterator[Callable[[], Deployed]]:
    """A function that brings up a deployment of its own in a new directory; all are taken down at the end."""
    directories: list[tempfile.TemporaryDirectory[str]] = []
    one = bring_up_enforced if request.config.getoption("--enforce-iam") else bring_up

    def one_more() -> Deployed:
        directories.append(tempfile.TemporaryDirectory(prefix="sockerless-"))  # short: it holds a unix socket
        return one(Path(directories[-1].name))

    yield one_more
    for directory in directories:
        take_down(Path(directory.name))
        directory.cleanup()


@pytest.fixture(scope="session")
def deployment(deploy: Callable[[], Deployed]) -> Deployed:
    """The one deployment that end-to-end tests share, provisioned by Terraform and up."""
    return deploy()


@pytest.fixture(scope="session")
def image(deployment: Deployed, engine_image: str, engine_address: str) -> str:
    """engine_image, loaded into the shared deployment."""
    saved = subprocess.run(["docker", "--host", engine_address, "save", engine_image], capture_output=True, check=True)
    loaded = deployment.docker("load", input=saved.stdout)
    assert loaded.returncode == 0, loaded.stderr.decode()
    return engine_image
