"""doctor names what is missing and how to fix it, and ends with 1 then. The real command in a bare environment."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sockerless.kit import doctor, finding, serving
from sockerless.kit.finding import Finding
from tests.conftest import free_port
from tests.kit.answering import answering


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """An environment with an empty HOME, no terraform, no provider and no engine."""
    for folder in ("bin", "home", "mirror"):
        (tmp_path / folder).mkdir()
    kept = {name: os.environ[name] for name in ("LANG", "LC_ALL") if name in os.environ}
    return kept | {
        "PATH": str(tmp_path / "bin"),
        "HOME": str(tmp_path / "home"),
        "SOCKERLESS_TERRAFORM_PLUGIN_DIR": str(tmp_path / "mirror"),
        "SOCKERLESS_ENGINE": f"unix://{tmp_path}/nobody.sock",
    }


def examine(environment: dict[str, str], directory: Path, *arguments: str) -> tuple[int, dict[str, str]]:
    """doctor's exit code, and what it says by requirement: its line and the fix below."""
    done = subprocess.run(
        [sys.executable, "-m", "sockerless.kit", "doctor", "--dir", directory, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said: dict[str, str] = {}
    name = ""
    for line in done.stdout.splitlines():
        if not line.startswith(" "):
            name = line[10:].partition(":")[0]
        said[name] = f"{said.get(name, '')}{line}\n"
    return done.returncode, said


def test_a_missing_terraform_is_named_with_its_fix(bare: dict[str, str], tmp_path: Path) -> None:
    code, said = examine(bare, tmp_path)
    assert code == 1
    assert said["terraform"].startswith("missing ")
    assert "developer.hashicorp.com/terraform/install" in said["terraform"]


def test_a_missing_provider_is_named_with_its_fix(bare: dict[str, str], tmp_path: Path) -> None:
    code, said = examine(bare, tmp_path)
    assert code == 1
    assert said["AWS provider"].startswith("missing ")
    assert f"{tmp_path}/mirror holds no hashicorp/aws provider" in said["AWS provider"]


def test_a_dead_engine_is_named_with_its_fix(bare: dict[str, str], tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(f"{tmp_path}/nobody.sock")  # a socket that nobody listens on, as a killed engine leaves it
        code, said = examine(bare, tmp_path)
    assert code == 1
    assert said["container engine"].startswith("missing ")
    assert f"none answers at unix://{tmp_path}/nobody.sock" in said["container engine"]
    assert "start Docker or Podman" in said["container engine"]


def test_a_missing_docker_client_is_optional(bare: dict[str, str], tmp_path: Path) -> None:
    _, said = examine(bare, tmp_path)
    assert said["docker client"].startswith("optional  docker client: not in PATH")


def test_aws_without_credentials_says_what_to_set(bare: dict[str, str], tmp_path: Path) -> None:
    nowhere = {"AWS_EC2_METADATA_DISABLED": "true"}
    code, said = examine(bare | nowhere, tmp_path, "--aws")
    assert code == 1
    assert said["AWS credentials"].startswith("missing ")
    assert "AWS_PROFILE" in said["AWS credentials"]
    assert "container engine" not in said


@pytest.fixture
def stranger() -> Iterator[int]:
    """A port on which something listens that is no simulator."""
    with socket.create_server(("127.0.0.1", 0)) as plug:
        yield plug.getsockname()[1]


def test_a_port_taken_by_a_stranger_is_named(bare: dict[str, str], tmp_path: Path, stranger: int) -> None:
    settings = f'target = "simulator"\nendpoint_url = "http://127.0.0.1:{stranger}"\n'
    (tmp_path / "sockerless.toml").write_text(settings)
    code, said = examine(bare, tmp_path)
    assert code == 1
    assert "is not a simulated AWS" in said["simulator port"]


def test_a_free_port_is_fine(bare: dict[str, str], tmp_path: Path) -> None:
    settings = f'target = "simulator"\nendpoint_url = "http://127.0.0.1:{free_port()}"\n'
    (tmp_path / "sockerless.toml").write_text(settings)
    _, said = examine(bare, tmp_path)
    assert said["simulator port"].startswith("ok ")


@pytest.mark.engine
@pytest.mark.terraform
def test_a_machine_that_has_everything_ends_with_0(tmp_path: Path) -> None:
    settings = f'target = "simulator"\nendpoint_url = "http://127.0.0.1:{free_port()}"\n'
    (tmp_path / "sockerless.toml").write_text(settings)
    code, said = examine(dict(os.environ), tmp_path)
    assert code == 0, said
    assert all(lines.startswith(("ok ", "optional ")) for lines in said.values())


def test_a_finding_that_is_missing_shows_its_fix_below() -> None:
    assert finding.line(Finding("thing", True, "here", "never shown")) == "ok        thing: here"
    assert finding.line(Finding("thing", False, "gone", "get it")) == "missing   thing: gone\n          fix: get it"


def test_a_free_daemon_address_is_ok(tmp_path: Path) -> None:
    host = serving.default_host(tmp_path)
    assert doctor.daemon_address(tmp_path, host) == Finding("daemon address", True, f"{host} (free)")


def test_a_daemon_address_that_this_deployment_s_daemon_serves_is_ok(tmp_path: Path) -> None:
    (tmp_path / ".sockerless").mkdir()
    host = serving.default_host(tmp_path)
    serving.remember(tmp_path, [host])  # as the daemon, which this process plays
    with answering(Path(host.removeprefix("unix://")), {"/_ping": (200, b"OK")}):
        found = doctor.daemon_address(tmp_path, host)
    assert found == Finding("daemon address", True, f"{host} (process {os.getpid()} serves this deployment)")


def test_a_daemon_address_that_somebody_else_has_is_named(tmp_path: Path, stranger: int) -> None:
    found = doctor.daemon_address(tmp_path, f"tcp://127.0.0.1:{stranger}")
    assert not found.ok
    assert "is taken by something that is not this deployment's daemon" in found.detail
    assert "serve --host" in found.fix


def test_a_socket_path_that_is_too_long_is_named(tmp_path: Path) -> None:
    found = doctor.daemon_address(tmp_path, f"unix:///{'long/' * 30}docker.sock")
    assert not found.ok
    assert "use a shorter directory" in found.fix


def test_a_docker_client_that_does_not_work_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "docker"
    broken.write_text("#!/bin/sh\necho no such library >&2\nexit 127\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert doctor.docker_client().detail == f"{broken} (no such library)"
    assert (doctor.docker_client().ok, doctor.docker_client().required) == (False, False)


def test_machines_get_every_finding(bare: dict[str, str], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sockerless.kit", "doctor", "--json", "--dir", tmp_path],
        env=bare,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    told = json.loads(done.stdout)
    assert (done.returncode, told["ok"]) == (1, False)
    missing = {one["name"]: one["fix"] for one in told["findings"] if not one["ok"] and one["required"]}
    assert set(missing) == {"terraform", "AWS provider", "container engine"}
    assert all(missing.values())
