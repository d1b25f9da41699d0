"""The simulator in the background: started when none answers, never over a stranger, its end forgets its AWS."""

from __future__ import annotations

import json
import os
import select
import signal
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from sockerless.errors import Conflict, SystemFailure, Unavailable
from sockerless.kit import background, processes, serving, up
from sockerless.kit import project as settings
from sockerless.kit.project import Project
from tests.conftest import free_port

STATE = {"version": 4, "resources": [{"mode": "managed", "type": "aws_vpc", "instances": [{}]}]}


def make_project(directory: Path, endpoint_url: str) -> Project:
    return settings.from_mapping(directory, {"target": "simulator", "endpoint_url": endpoint_url})


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A project at a free port, whose simulator ends with the test."""
    made = make_project(tmp_path, f"http://127.0.0.1:{free_port()}")
    yield made
    background.stop(processes.simulator_place(tmp_path))


def leave_state(project: Project) -> None:
    """What a deployment leaves in its directory: Terraform's state, the daemon's records and variables."""
    (project.directory / "terraform.tfstate").write_text(json.dumps(STATE))
    (project.state_directory / "state").mkdir(parents=True, exist_ok=True)
    (project.state_directory / "daemon.env").write_text("")


@pytest.mark.engine
def test_one_is_started_when_none_answers_and_only_then(project: Project) -> None:
    assert processes.ensure_simulator(project)
    health = processes.simulator_health(project.endpoint_url)
    assert health is not None
    found = background.find(processes.simulator_place(project.directory))
    assert found is not None
    assert found.pid == health.pid
    assert not processes.ensure_simulator(project)
    assert processes.simulator_health(project.endpoint_url) == health


@pytest.mark.engine
def test_while_it_runs_the_state_stays(project: Project) -> None:
    processes.ensure_simulator(project)
    leave_state(project)
    processes.ensure_simulator(project)
    assert (project.directory / "terraform.tfstate").exists()
    assert (project.state_directory / "daemon.env").exists()


@pytest.mark.engine
def test_a_new_one_puts_aside_what_was_true_in_the_one_before(project: Project) -> None:
    processes.ensure_simulator(project)
    leave_state(project)
    found = background.find(processes.simulator_place(project.directory))
    assert found is not None
    descriptor = os.pidfd_open(found.pid)
    os.kill(found.pid, signal.SIGKILL)
    assert select.select([descriptor], [], [], 10)[0], "the killed simulator did not end"
    os.close(descriptor)
    assert processes.ensure_simulator(project)
    assert not (project.directory / "terraform.tfstate").exists()
    assert not (project.state_directory / "state").exists()
    assert json.loads((project.state_directory / "before" / "terraform.tfstate").read_text()) == STATE


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[Project, Project]]:
    """Two environments of one sockerless.toml that share a free endpoint."""
    (tmp_path / "sockerless.toml").write_text(
        f'target = "simulator"\nendpoint_url = "http://127.0.0.1:{free_port()}"\n[environments.a]\n[environments.b]\n'
    )
    made = (settings.load(tmp_path, "a"), settings.load(tmp_path, "b"))
    yield made
    for one in made:
        background.stop(processes.simulator_place(one.directory))


@pytest.mark.engine
def test_environments_share_one_and_keep_their_state_in_it(two: tuple[Project, Project]) -> None:
    first, second = two
    assert processes.ensure_simulator(first)
    assert not processes.ensure_simulator(second)
    for one in two:
        leave_state(one)
        processes.ensure_simulator(one)
        assert (one.directory / "terraform.tfstate").exists()


@pytest.mark.engine
def test_down_leaves_the_shared_one_to_a_daemon_that_works_in_it(
    two: tuple[Project, Project], capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = two
    for one in two:
        processes.ensure_simulator(one)
    serving.remember(second.directory, [])  # as a daemon does: this process
    up.down(first)
    assert f"the simulated AWS goes on: the daemon of {second.directory} works in it" in capsys.readouterr().out
    assert processes.simulator_health(first.endpoint_url) is not None
    (second.state_directory / "hosts.json").unlink()
    up.down(second)
    assert capsys.readouterr().out.splitlines()[-1] == "ended the simulator"
    assert processes.simulator_health(first.endpoint_url) is None


@pytest.mark.engine
def test_one_of_another_region_is_not_shared(tmp_path: Path, project: Project) -> None:
    processes.ensure_simulator(project)
    other = settings.from_mapping(tmp_path / "other", settings.to_mapping(project) | {"region": "eu-central-1"})
    with pytest.raises(Conflict, match="plays us-east-1 and this deployment is in eu-central-1; give it an endpoint"):
        processes.ensure_simulator(other)


def test_terraform_state_of_a_real_account_is_never_touched(project: Project) -> None:
    leave_state(project)
    with pytest.raises(Conflict, match="not made in a simulated AWS"):
        processes.ensure_simulator(project)
    assert (project.directory / "terraform.tfstate").exists()


class _Stranger(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, format: str, *arguments: object) -> None:
        """Says nothing."""


def test_a_port_that_is_taken_by_something_else_is_an_error(tmp_path: Path) -> None:
    with HTTPServer(("127.0.0.1", 0), _Stranger) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        project = make_project(tmp_path, f"http://127.0.0.1:{server.server_port}")
        with pytest.raises(Conflict, match="is not a simulated AWS"):
            processes.ensure_simulator(project)
        server.shutdown()


def test_one_on_another_machine_is_not_started_here(tmp_path: Path) -> None:
    project = make_project(tmp_path, f"http://localhost.invalid:{free_port()}")
    with pytest.raises((Unavailable, Conflict)):
        processes.ensure_simulator(project)
    assert background.find(processes.simulator_place(tmp_path)) is None


def test_one_that_dies_says_why(project: Project, environment_of_a_dead_engine: None) -> None:
    with pytest.raises(SystemFailure, match="no container engine answers at unix:///nowhere"):
        processes.ensure_simulator(project)


@pytest.fixture
def environment_of_a_dead_engine() -> Iterator[None]:
    """SOCKERLESS_ENGINE leads nowhere while the test runs."""
    before = os.environ.get("SOCKERLESS_ENGINE")
    os.environ["SOCKERLESS_ENGINE"] = "unix:///nowhere"
    yield
    os.environ.pop("SOCKERLESS_ENGINE") if before is None else os.environ.update(SOCKERLESS_ENGINE=before)
