"""A daemon in the background counts as started when it serves itself, not when another one answers in its place."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sockerless.errors import Conflict, SystemFailure
from sockerless.kit import background, processes, serve, serving
from sockerless.kit import project as settings
from sockerless.kit.project import Project
from tests.conftest import free_port
from tests.e2e.docker_cli import eventually

ENVIRONMENT = """\
SOCKERLESS_ECS_SUBNETS=subnet-0a
SOCKERLESS_ECS_EXECUTION_ROLE_ARN=arn:aws:iam::123456789012:role/execution
SOCKERLESS_ENDPOINT_URL=http://127.0.0.1:1
SOCKERLESS_STATE_DIR={directory}/.sockerless/state
"""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A deployment that a daemon can serve: with nothing to run, it asks AWS nothing."""
    path = serve.env_file(tmp_path)
    path.parent.mkdir(mode=0o700)
    path.write_text(ENVIRONMENT.format(directory=tmp_path))
    yield settings.from_mapping(tmp_path, {})
    background.stop(processes.daemon_place(tmp_path))


@pytest.fixture
def foreground(project: Project) -> Iterator[subprocess.Popen[bytes]]:
    """`serve` in the foreground of the same directory."""
    argv = [sys.executable, "-m", "sockerless.kit", "serve", "--dir", str(project.directory)]
    process = subprocess.Popen(argv, stderr=subprocess.DEVNULL)
    eventually(lambda: serving.process(project.directory) is not None)
    yield process
    process.kill()
    process.wait(20)


def test_it_is_known_by_the_process_that_serves(project: Project) -> None:
    host = f"tcp://127.0.0.1:{free_port()}"
    processes.start_daemon(project, [serving.default_host(project.directory), host])
    assert serving.process(project.directory) == background.find(processes.daemon_place(project.directory))
    assert serving.hosts(project.directory) == [serving.default_host(project.directory), host]
    assert processes.daemon_answers(host)


def test_one_that_answers_there_already_is_not_taken_for_it(
    project: Project, foreground: subprocess.Popen[bytes]
) -> None:
    with pytest.raises(Conflict, match=r"another daemon answers at unix://.*\.sock already; end it"):
        processes.start_daemon(project, [serving.default_host(project.directory)])
    assert not processes.daemon_place(project.directory).pid_path.exists()
    assert foreground.poll() is None


def test_one_beside_it_in_the_foreground_lets_it_fail_and_leaves_no_pid_file(
    project: Project, foreground: subprocess.Popen[bytes]
) -> None:
    with pytest.raises(SystemFailure, match=rf"in use by another daemon \(pid {foreground.pid}\)"):
        processes.start_daemon(project, [f"tcp://127.0.0.1:{free_port()}"])
    assert not processes.daemon_place(project.directory).pid_path.exists()
    served = serving.process(project.directory)
    assert served is not None
    assert served.pid == foreground.pid


def test_one_that_was_killed_serves_no_more(project: Project, foreground: subprocess.Popen[bytes]) -> None:
    foreground.kill()
    foreground.wait(20)
    assert serving.process(project.directory) is None
    processes.start_daemon(project, [serving.default_host(project.directory)])
    assert serving.process(project.directory) is not None
