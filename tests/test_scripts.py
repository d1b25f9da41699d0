"""The first of the README's two commands, and the wheel: each does its job from a place of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

from sockerless.kit import reference
from sockerless.simulator import fargate
from tests.conftest import ROOT, free_port

pytestmark = [pytest.mark.slow, pytest.mark.engine, pytest.mark.terraform]


def ran(*command: str | Path, directory: Path, environment: dict[str, str], stdin: bytes = b"") -> str:
    """Its standard output; fails with what it printed when it does not end with 0."""
    done = subprocess.run(
        command, cwd=directory, env=environment, input=stdin, capture_output=True, timeout=900, check=False
    )
    assert done.returncode == 0, (done.stdout + done.stderr).decode()
    return done.stdout.decode()


def environment_of(home: Path) -> dict[str, str]:
    """What a newcomer's shell has: nothing of this checkout's virtual environment, and an empty home."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DOCKER_", "VIRTUAL_", "PYTHON"))}
    path = [part for part in kept["PATH"].split(os.pathsep) if not Path(part).is_relative_to(Path(sys.prefix))]
    return {**kept, "PATH": os.pathsep.join(path), "HOME": str(home), "TMPDIR": str(home)}


@pytest.fixture
def home() -> Iterator[dict[str, str]]:
    """The environment of a newcomer, whose home has a short name: it holds unix sockets."""
    with tempfile.TemporaryDirectory(prefix="home-") as directory:
        yield environment_of(Path(directory))


def left_behind(engine_address: str, home: Path) -> set[str]:
    """The engine's things whose simulator has ended, the processes that name the home, and what lies in it."""
    local = ["docker", "--host", engine_address]
    label = ("--filter", f"label={fargate.LABEL_OWNER}", "--format", f'{{{{.Label "{fargate.LABEL_OWNER}"}}}}')
    listed = (("ps", "-a"), ("network", "ls"), ("volume", "ls"))
    owners = [subprocess.run([*local, *one, *label], capture_output=True, text=True, check=True) for one in listed]
    orphans = {owner for found in owners for owner in found.stdout.split() if _has_ended(owner)}
    commands = {path: _content(path) for path in Path("/proc").glob("[0-9]*/cmdline")}
    processes = {str(path) for path, command in commands.items() if str(home).encode() in command}
    return orphans | processes | {str(path) for path in home.glob("sockerless-*")}


def _has_ended(owner: str) -> bool:
    try:
        return fargate.owner(int(owner.split("/")[1])) != owner
    except FileNotFoundError:
        return True


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
        return b""


def test_the_demo_runs_in_a_clean_clone_and_again_and_leaves_nothing(
    tmp_path: Path, home: dict[str, str], engine_address: str
) -> None:
    clone = tmp_path / "clone"
    ran("git", "clone", "-q", ROOT, clone, directory=tmp_path, environment=home)
    for _ in range(2):
        said = ran("sh", "-c", "scripts/demo 2>&1", directory=clone, environment=home)
        assert "Hello from a Fargate task" in said
        assert "DOCKER_HOST" not in said  # of a daemon that is down again
        assert left_behind(engine_address, Path(home["HOME"])) == set()


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of a new virtual environment that holds the built wheel and what it depends on."""
    directory = tmp_path_factory.mktemp("wheel")
    environment = environment_of(directory)
    ran(sys.executable, "-m", "build", "--wheel", "-o", directory, ROOT, directory=directory, environment=environment)
    venv.create(directory / "venv", with_pip=True)
    programs = directory / "venv" / "bin"
    wheel = next(directory.glob("*.whl"))
    ran(programs / "pip", "install", "-q", wheel, directory=directory, environment=environment)
    return programs


@pytest.fixture
def scratch(installed: Path, tmp_path: Path, home: dict[str, str]) -> Iterator[Path]:
    """A directory that is taken down by the installed kit afterwards."""
    yield tmp_path
    ran(installed / "sockerless-kit", "down", "--dir", tmp_path, directory=tmp_path, environment=home)


def test_the_wheel_renders_what_the_checkout_renders(installed: Path, tmp_path: Path, home: dict[str, str]) -> None:
    ran(installed / "sockerless-kit", "init", "--yes", tmp_path / "made", directory=tmp_path, environment=home)
    for name, text in reference.files().items():
        assert (tmp_path / "made" / name).read_text() == text


def test_the_wheel_brings_up_a_deployment_that_runs_containers(
    installed: Path, scratch: Path, home: dict[str, str], engine_image: str, engine_address: str
) -> None:
    kit = installed / "sockerless-kit"
    endpoint = f"http://127.0.0.1:{free_port()}"
    ran(kit, "init", "--simulator", "--endpoint-url", endpoint, "--yes", directory=scratch, environment=home)
    ran(kit, "up", "--detach", "--yes", directory=scratch, environment=home)
    saved = subprocess.run(["docker", "--host", engine_address, "save", engine_image], capture_output=True, check=True)
    docker = {**home, "DOCKER_HOST": f"unix://{scratch}/.sockerless/docker.sock"}
    ran("docker", "load", directory=scratch, environment=docker, stdin=saved.stdout)
    assert ran("docker", "run", "--rm", engine_image, "echo", "hi", directory=scratch, environment=docker) == "hi\n"
