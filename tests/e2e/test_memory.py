"""A process that takes more memory than its task has: OOMKilled, 137, and an event."""

from __future__ import annotations

import time

import pytest

from tests.e2e.docker_cli import Docker

pytestmark = [pytest.mark.engine, pytest.mark.terraform]
BEGAN = f"{time.time():.9f}"


def test_a_process_that_eats_more_than_the_task_has_is_oom_killed_with_137(docker: Docker, image: str) -> None:
    done = docker("run", "--name", "eats", "--memory", "64m", image, "tail", "/dev/zero", timeout_s=300)
    assert done.returncode == 137
    assert docker.inspect("eats", "{{.State.OOMKilled}} {{.State.ExitCode}} {{.State.Status}}") == "true 137 exited"
    window = ("--since", BEGAN, "--until", f"{time.time():.9f}")
    told = docker.ok("events", *window, "--filter", "container=eats", "--format", "{{.Action}}")
    assert told.splitlines() == ["create", "attach", "start", "oom", "die"]
    docker.ok("rm", "eats")


def test_a_killed_process_is_not_mistaken_for_one_without_memory(docker: Docker, image: str) -> None:
    container = docker.ok("run", "-d", image, "sleep", "1000")
    docker.ok("kill", container)
    assert docker.inspect(container, "{{.State.OOMKilled}} {{.State.ExitCode}}") == "false 137"
    docker.ok("rm", container)
