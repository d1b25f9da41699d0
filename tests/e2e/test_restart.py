"""--restart: run again by the daemon, in the same task, until somebody stops it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.e2e.docker_cli import Docker, eventually
from tests.e2e.scene import Scene

pytestmark = [pytest.mark.engine, pytest.mark.terraform]


def test_on_failure_runs_it_again_so_many_times_with_its_files(docker: Docker, image: str, scene: Scene) -> None:
    script = "echo run >> /runs; wc -l < /runs; exit 3"
    container = docker.ok("run", "-d", "--restart", "on-failure:2", image, "sh", "-c", script)
    task = scene.task_arn(container)
    eventually(lambda: docker.inspect(container, "{{.State.Status}} {{.RestartCount}}") == "exited 2")
    assert docker.ok("logs", container).split() == ["1", "2", "3"]
    assert docker.inspect(container, "{{.State.ExitCode}} {{.HostConfig.RestartPolicy.Name}}") == "3 on-failure"
    assert scene.task_arn(container) == task
    docker.ok("rm", container)


def test_what_waits_for_its_next_run_is_restarting_until_it_is_stopped(docker: Docker, image: str) -> None:
    container = docker.ok("run", "-d", "--restart", "always", image, "sh", "-c", "exit 4")
    eventually(lambda: docker.inspect(container, "{{.State.Restarting}}") == "true")
    eventually(
        lambda: docker.ok("ps", "--filter", f"id={container}", "--format", "{{.Status}}").startswith("Restarting (4)")
    )
    docker.ok("stop", container)
    assert docker.inspect(container, "{{.State.Status}} {{.State.Restarting}} {{.State.ExitCode}}") == "exited false 4"
    docker.ok("rm", container)


def test_an_exit_while_the_daemon_is_away_is_followed_by_a_run(
    docker: Docker, image: str, crash: Callable[[], None]
) -> None:
    script = "echo run; test -f /once || { touch /once; sleep 1; exit 5; }; sleep 1000"
    container = docker.ok("run", "-d", "--restart", "unless-stopped", image, "sh", "-c", script)
    crash()
    eventually(lambda: docker.inspect(container, "{{.State.Status}} {{.RestartCount}}") == "running 1")
    eventually(lambda: docker.ok("logs", container).split() == ["run", "run"])
    docker.ok("rm", "-f", container)


def test_a_policy_beside_rm_is_refused(docker: Docker, image: str) -> None:
    container = docker.ok("create", "--rm", image, "true")
    refused = docker("update", "--restart", "always", container)
    assert "Restart policy cannot be updated because AutoRemove is enabled" in refused.stderr.decode()
    docker.ok("rm", container)
