"""Task changes reach the daemon by ECS's events, through EventBridge and SQS, without ECS being asked."""

from __future__ import annotations

import subprocess

import pytest

from tests.conftest import Deployed
from tests.e2e.daemon import Daemon
from tests.e2e.docker_cli import Docker, eventually
from tests.e2e.scene import Scene

pytestmark = [
    pytest.mark.engine,
    pytest.mark.terraform,
    pytest.mark.parametrize("direction", ["forward"], indirect=True),  # the daemon whose queue it is
]


def described(deployment: Deployed) -> int:
    """How often DescribeTasks was called."""
    return deployment.calls()["ecs"].get("DescribeTasks", 0)


def kill_agent(engine_address: str, task_arn: str) -> None:
    """kill -9 of the task's main container: nobody but ECS can tell of its end."""
    local = ["docker", "--host", engine_address]
    named = f"name=sockerless-{task_arn.rpartition('/')[2][:12]}-main"
    found = subprocess.run([*local, "ps", "-q", "--filter", named], capture_output=True, check=True)
    subprocess.run([*local, "kill", found.stdout.decode().strip()], capture_output=True, check=True)


def test_a_container_runs_from_create_to_exit_without_a_question_about_its_task(
    docker: Docker, image: str, deployment: Deployed
) -> None:
    before = described(deployment)
    assert docker.ok("run", "--rm", image, "echo", "told") == "told"
    assert docker("run", "--rm", image, "false").returncode == 1
    assert described(deployment) == before
    assert deployment.calls()["sqs"]["ReceiveMessage"] > 0


def test_a_task_that_ends_without_a_word_of_its_agent_is_told_of_by_ecs(
    docker: Docker, image: str, scene: Scene, deployment: Deployed, engine_address: str
) -> None:
    container = docker.ok("run", "-d", image, "sleep", "300")
    waiting = docker.start("wait", container)
    before = described(deployment)
    kill_agent(engine_address, scene.task_arn(container))
    assert waiting.communicate(timeout=30)[0] == b"137\n"
    assert described(deployment) == before
    docker.ok("rm", container)


def test_a_task_that_somebody_stops_ends_its_container_with_the_reason(
    docker: Docker, image: str, scene: Scene, deployment: Deployed
) -> None:
    container = docker.ok("run", "-d", image, "sleep", "300")
    arn = scene.task_arn(container)
    waiting = docker.start("wait", container)
    before = described(deployment)
    scene.clients("ecs").stop_task(cluster=scene.cluster, task=arn, reason="by the operator")
    assert waiting.communicate(timeout=30)[0] == b"143\n"
    eventually(lambda: docker.inspect(container, "{{.State.Error}}") == "the task was stopped: by the operator")
    assert described(deployment) == before
    docker.ok("rm", container)


@pytest.mark.slow
def test_while_the_queue_cannot_be_read_ecs_is_asked(
    daemon: Daemon, docker: Docker, image: str, scene: Scene, deployment: Deployed, engine_address: str
) -> None:
    refused = {"kind": "error", "times": 1000, "target": "sqs.ReceiveMessage", "code": "AccessDenied", "reason": "No."}
    with deployment.faults(refused):
        eventually(lambda: "cannot read the queue of task events" in daemon.log, timeout_s=40)
        before = described(deployment)
        container = docker.ok("run", "-d", image, "sleep", "300")
        waiting = docker.start("wait", container)
        kill_agent(engine_address, scene.task_arn(container))
        assert waiting.communicate(timeout=30)[0] == b"137\n"
        assert described(deployment) > before
    told = daemon.log.count("tells of task changes")
    eventually(lambda: daemon.log.count("tells of task changes") > told, timeout_s=90)
    assert daemon.log.count("cannot read the queue of task events") == 1
    assert "grant sqs:ReceiveMessage" in daemon.log
    before = described(deployment)
    assert docker.ok("run", "--rm", image, "echo", "told again") == "told again"
    assert described(deployment) == before
    docker.ok("rm", container)
