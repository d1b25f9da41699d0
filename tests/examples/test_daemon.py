"""examples/daemon: the unit as systemd reads it, the image as an engine runs it, the definition as ECS takes it."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sockerless.kit import daemon_bundle, processes
from tests.conftest import ROOT, Deployed, free_port
from tests.e2e import daemon as daemons
from tests.e2e.docker_cli import Docker, eventually

EXAMPLE = ROOT / "examples" / "daemon"


def test_the_unit_is_one_that_systemd_takes(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    unit = (EXAMPLE / "sockerless.service").read_text()
    for path in ("/opt/sockerless/bin/sockerless-kit", "/srv/mydocker"):
        assert path in unit
    copied = tmp_path / "sockerless.service"
    copied.write_text(unit.replace("/opt/sockerless/bin/sockerless-kit", "/bin/true"))
    done = subprocess.run(["systemd-analyze", "verify", copied], capture_output=True, text=True, check=False)
    assert "sockerless.service:" not in done.stderr, done.stderr


@pytest.mark.parametrize("name", ["trust.json", "state.json"])
def test_the_policies_are_json(name: str) -> None:
    assert json.loads((EXAMPLE / name).read_text())["Statement"]


@pytest.mark.engine
@pytest.mark.terraform
def test_ecs_takes_the_task_definition_and_no_secret_stands_in_it(deployment: Deployed) -> None:
    point = "fsap-0123456789abcdef0"
    role = "arn:aws:iam::123456789012:role/mydocker-daemon"
    printed = deployment.kit("daemon", "task-definition", "--role-arn", role, "--access-point", point)
    assert printed.returncode == 0, printed.stderr
    definition = json.loads(printed.stdout)
    registered = deployment.client("ecs").register_task_definition(**definition)["taskDefinition"]
    container = registered["containerDefinitions"][0]
    names = {variable["name"] for variable in container["environment"]}
    assert {"SOCKERLESS_ECS_CLUSTER", "SOCKERLESS_ECS_SUBNETS", "SOCKERLESS_STATE_DIR"} <= names
    assert "SOCKERLESS_AGENT_TOKEN" not in names
    deployment.client("ecs").deregister_task_definition(taskDefinition=registered["taskDefinitionArn"])


@pytest.fixture(scope="module")
def pushed(deployment: Deployed, engine_address: str) -> Iterator[str]:
    """The daemon's image, pushed by the kit and pulled by the local engine."""
    answer = deployment.kit("daemon", "push", timeout_s=300)
    assert answer.returncode == 0, answer.stderr.decode()
    image = answer.stdout.decode().strip()
    local = ["docker", "--host", engine_address]
    token = deployment.client("ecr").get_authorization_token()["authorizationData"][0]["authorizationToken"]
    user, _, password = base64.b64decode(token).decode().partition(":")
    login = [*local, "login", "-u", user, "--password-stdin", image.partition("/")[0]]
    subprocess.run(login, input=password.encode(), capture_output=True, check=True)
    subprocess.run([*local, "pull", "-q", image], capture_output=True, check=True)
    yield image
    subprocess.run([*local, "rmi", "-f", image], capture_output=True, check=True)


@pytest.mark.engine
@pytest.mark.terraform
@pytest.mark.slow
def test_the_daemon_s_image_serves_docker(
    deployment: Deployed, pushed: str, engine_address: str, engine_image: str, tmp_path: Path
) -> None:
    port = free_port()
    settings = daemons.shared(deployment).settings | {"SOCKERLESS_STATE_DIR": "/state"}
    given = [part for name, value in settings.items() if value for part in ("--env", f"{name}={value}")]
    credentials = ["--env", "AWS_ACCESS_KEY_ID=test", "--env", "AWS_SECRET_ACCESS_KEY=test"]
    command = daemon_bundle.command(["serve", "--host", f"tcp://127.0.0.1:{port}"])
    local = ["docker", "--host", engine_address]
    options = ["--network", "host", "--volume", "/state", "--entrypoint", command[0]]
    started = subprocess.run(
        [*local, "run", "-d", *options, *given, *credentials, pushed, *command[1:]], capture_output=True, check=False
    )
    assert started.returncode == 0, started.stderr.decode()
    container = started.stdout.decode().strip()
    try:
        host = f"tcp://127.0.0.1:{port}"
        eventually(lambda: processes.daemon_answers(host))
        docker = Docker(host, str(tmp_path))
        saved = subprocess.run([*local, "save", engine_image], capture_output=True, check=True).stdout
        docker.ok("load", stdin=saved)
        done = docker("run", "--rm", engine_image, "sh", "-c", "echo out; echo err >&2; exit 7")
        assert (done.stdout, done.stderr, done.returncode) == (b"out\n", b"err\n", 7)
    finally:
        subprocess.run([*local, "rm", "-f", "-v", container], capture_output=True, check=True)
