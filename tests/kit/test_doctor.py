"""doctor names what is missing and how to fix it, and ends with 1 then. The real command in a bare environment."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sockerless.kit import doctor
from sockerless.kit.doctor import Finding
from tests.conftest import free_port


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
    assert doctor.line(Finding("thing", True, "here", "never shown")) == "ok        thing: here"
    assert doctor.line(Finding("thing", False, "gone", "get it")) == "missing   thing: gone\n          fix: get it"
