"""up from every state a directory can be in, and down, which leaves nothing that up started."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from sockerless.kit import background, probe, processes, serving
from sockerless.kit.cli import cli
from tests.conftest import Deployed
from tests.e2e.docker_cli import eventually


def test_an_existing_deployment_on_aws_is_not_taken_for_a_simulated_one(tmp_path: Path) -> None:
    (tmp_path / "sockerless.toml").write_text('target = "aws"\n')
    done = CliRunner().invoke(cli, ["up", "--simulator", "--dir", str(tmp_path)])
    assert done.exit_code == 2
    assert 'says target = "aws"' in done.output


def test_an_existing_simulated_deployment_is_not_taken_to_aws(tmp_path: Path) -> None:
    (tmp_path / "sockerless.toml").write_text('target = "simulator"\n')
    done = CliRunner().invoke(cli, ["up", "--aws", "--dir", str(tmp_path)])
    assert done.exit_code == 2
    assert 'says target = "simulator"; leave --aws out' in done.output


def test_a_new_deployment_is_made_nowhere_until_somebody_says_where(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["up", "--yes", "--detach", "--dir", str(tmp_path)])
    assert done.exit_code == 2
    assert "--simulator, a simulated AWS on this machine, or --aws, your AWS account, which costs money" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_directory_too_deep_for_a_socket_is_refused_before_anything_is_built(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100)
    done = CliRunner().invoke(cli, ["up", "--simulator", "--dir", str(deep)])
    assert done.exit_code == 2
    assert "a unix socket may have 107" in done.output
    assert not deep.exists()


def test_down_in_a_directory_without_a_deployment_says_so(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["down", "--dir", str(tmp_path)])
    assert done.exit_code == 1
    assert "there is no sockerless.toml" in done.output


def test_down_where_nothing_runs_ends_with_0(tmp_path: Path) -> None:
    (tmp_path / "sockerless.toml").write_text('target = "aws"\n')
    done = CliRunner().invoke(cli, ["down", "--dir", str(tmp_path)])
    assert done.exit_code == 0
    assert "no daemon of this directory runs" in done.output
    assert "`sockerless-kit destroy`" in done.output


@pytest.fixture(scope="module")
def own(deploy: Callable[[], Deployed]) -> Deployed:
    """A deployment of this file's own, which it may take down and bring up."""
    return deploy()


def up(own: Deployed) -> str:
    done = own.kit("up", "--detach", "--yes")
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def pid_of(own: Deployed, name: str) -> int:
    found = background.find(background.Place(name, own.directory / ".sockerless"))
    assert found is not None, f"no {name} runs"
    return found.pid


def kill(pid: int) -> None:
    descriptor = os.pidfd_open(pid)
    os.kill(pid, signal.SIGKILL)
    assert select.select([descriptor], [], [], 10)[0]
    os.close(descriptor)


def load_and_run(own: Deployed, saved_image: bytes, image: str) -> bytes:
    loaded = own.docker("load", input=saved_image)
    assert loaded.returncode == 0, loaded.stderr.decode()
    ran = own.docker("run", "--rm", image, "echo", "it runs")
    assert ran.returncode == 0, ran.stderr.decode()
    return ran.stdout


@pytest.fixture(scope="module")
def saved_image(engine_image: str, engine_address: str) -> bytes:
    done = subprocess.run(["docker", "--host", engine_address, "save", engine_image], capture_output=True, check=True)
    return done.stdout


@pytest.fixture
def foreground(own: Deployed) -> Iterator[subprocess.Popen[bytes]]:
    """`serve` in the foreground instead of the daemon that up left."""
    background.stop(processes.daemon_place(own.directory))
    process = subprocess.Popen(
        [sys.executable, "-m", "sockerless.kit", "serve", "--dir", own.directory], stderr=subprocess.PIPE
    )
    yield process
    process.kill()
    process.communicate()


@pytest.mark.engine
@pytest.mark.terraform
@pytest.mark.slow
class TestTheLifeOfADeployment:
    """In this order: one deployment for all, because each fresh one costs most of a minute."""

    def test_a_second_up_changes_nothing_and_restarts_nothing(self, own: Deployed) -> None:
        before = (pid_of(own, "daemon"), pid_of(own, "simulator"))
        said = up(own)
        assert "Nothing to change" in said
        assert "the daemon is up already" in said
        assert said.splitlines()[-1] == f"export DOCKER_HOST={own.docker_host}"
        assert (pid_of(own, "daemon"), pid_of(own, "simulator")) == before

    def test_ctrl_c_ends_serve_cleanly_and_leaves_containers_running(
        self, own: Deployed, foreground: subprocess.Popen[bytes], saved_image: bytes, engine_image: str
    ) -> None:
        eventually(lambda: processes.daemon_answers(own.docker_host))
        load_and_run(own, saved_image, engine_image)
        started = own.docker("run", "--detach", "--name", "survivor", engine_image, "sleep", "600")
        assert started.returncode == 0, started.stderr.decode()
        foreground.send_signal(signal.SIGINT)
        _, log = foreground.communicate(timeout=30)
        assert foreground.returncode == 0, log.decode()
        assert b"Traceback" not in log
        assert probe.get(own.docker_host, "/_ping") is None
        up(own)
        running = own.docker("ps", "--format", "{{.Names}} {{.State}}").stdout.decode()
        assert "survivor running" in running

    def test_up_replaces_a_daemon_that_was_killed(self, own: Deployed, engine_image: str) -> None:
        kill(pid_of(own, "daemon"))
        assert "the daemon serves" in up(own)
        assert own.docker("run", "--rm", engine_image, "true").returncode == 0

    def test_down_leaves_no_process_no_socket_and_no_pid_file(self, own: Deployed) -> None:
        pids = [pid_of(own, "daemon"), pid_of(own, "simulator")]
        said = own.kit("down").stdout.decode()
        assert said.splitlines() == ["ended the daemon", "ended the simulator"]
        eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))
        left = {path.name for path in (own.directory / ".sockerless").iterdir()}
        assert not left & {"daemon.pid", "simulator.pid", serving.SOCKET}

    def test_up_after_down_starts_from_nothing_and_works(
        self, own: Deployed, saved_image: bytes, engine_image: str
    ) -> None:
        said = up(own)
        assert "started the simulated AWS" in said
        assert own.docker("ps", "--all", "--quiet").stdout == b""
        assert load_and_run(own, saved_image, engine_image) == b"it runs\n"

    def test_up_after_the_simulator_was_killed_starts_from_nothing_too(
        self, own: Deployed, saved_image: bytes, engine_image: str
    ) -> None:
        kill(pid_of(own, "simulator"))
        up(own)
        assert load_and_run(own, saved_image, engine_image) == b"it runs\n"
