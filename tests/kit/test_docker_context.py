"""The docker context of a deployment, by the real docker command line with a configuration of its own."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sockerless.kit import init, serving
from sockerless.kit.cli import cli
from tests.conftest import Deployed

DOCKER = shutil.which("docker")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A deployment named ci whose docker command line knows no context but the default."""
    assert DOCKER, "install a docker command line"
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    init.run(tmp_path / "ci", {"name": "ci"})
    return tmp_path / "ci"


def context(directory: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["context", "--dir", str(directory), *arguments])


def docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True).stdout


def contexts() -> dict[str, str]:
    """The daemon's address by context."""
    lines = docker("context", "ls", "--format", "{{json .}}").splitlines()
    return {one["Name"]: one["DockerEndpoint"] for one in map(json.loads, lines)}


def test_a_context_is_made_with_the_deployment_s_name_and_socket(here: Path) -> None:
    done = context(here)
    assert done.exit_code == 0, done.output
    assert contexts()["ci"] == f"unix://{here}/.sockerless/docker.sock"
    assert done.output.splitlines()[-1] == "next: docker --context ci ps"


def test_it_follows_the_daemon_to_another_address(here: Path) -> None:
    context(here)
    serving.remember(here, ["tcp://127.0.0.1:2375"])
    done = context(here)
    assert done.output.startswith("updated the docker context ci")
    assert contexts()["ci"] == "tcp://127.0.0.1:2375"


def test_it_may_have_another_name(here: Path) -> None:
    context(here, "--name", "fargate")
    assert set(contexts()) == {"default", "fargate"}
    assert context(here, "--name", "fargate", "--rm").exit_code == 0
    assert set(contexts()) == {"default"}


def test_removing_what_is_not_there_says_so(here: Path) -> None:
    done = context(here, "--rm")
    assert (done.exit_code, done.stderr) == (1, "Error: there is no docker context ci\n")


def test_somebody_s_context_is_left_alone(here: Path) -> None:
    docker("context", "create", "ci", "--docker", "host=unix:///theirs.sock")
    for arguments in ((), ("--rm",)):
        done = context(here, *arguments)
        assert done.exit_code == 1
        assert "is not of the kit's making; choose another with --name" in done.stderr
    assert contexts()["ci"] == "unix:///theirs.sock"


def test_the_context_in_use_is_removed_only_once_it_is_not(here: Path) -> None:
    context(here)
    docker("context", "use", "ci")
    done = context(here, "--rm")
    assert done.exit_code == 1
    assert "`docker context use default` first" in done.stderr
    docker("context", "use", "default")
    assert context(here, "--rm").exit_code == 0


def test_a_name_that_docker_refuses_is_told_in_its_words(here: Path) -> None:
    done = context(here, "--name", "not a name")
    assert done.exit_code == 1
    assert "invalid" in done.stderr


def test_without_a_docker_command_line_the_fix_is_told(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(here))
    done = context(here)
    assert done.exit_code == 1
    assert "no docker command line in PATH; install one" in done.stderr


def test_a_docker_host_that_would_win_is_warned_of(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///elsewhere.sock")
    assert "DOCKER_HOST is set and wins over every context" in context(here).stderr


def test_machines_get_the_name_and_the_address(here: Path) -> None:
    told = [json.loads(line) for line in context(here, "--json").stdout.splitlines()]
    host = f"unix://{here}/.sockerless/docker.sock"
    assert told[0] == {"type": "context", "context": "ci", "host": host}


@pytest.mark.engine
@pytest.mark.terraform
def test_docker_talks_to_the_daemon_through_it(deployment: Deployed, here: Path) -> None:
    made = context(deployment.directory, "--name", "up")
    assert made.exit_code == 0, made.output
    ours = deployment.docker("version", "--format", "{{.Server.Version}}").stdout.decode()
    assert docker("--context", "up", "version", "--format", "{{.Server.Version}}") == ours
