"""kill -9 the daemon: whatever it was doing, the next one finds everything."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable

import pytest

from tests.conftest import Deployed
from tests.e2e.docker_cli import Docker, eventually
from tests.e2e.scene import Scene

pytestmark = [pytest.mark.engine, pytest.mark.terraform]


def test_running_created_and_exited_containers_answer_as_before(
    docker: Docker, image: str, scene: Scene, crash: Callable[[], None]
) -> None:
    created = docker.ok("create", "--name", "c-created", image, "echo", "from created")
    exited = docker.ok("run", "-d", "--name", "c-exited", image, "sh", "-c", "echo gone; echo err >&2; exit 5")
    docker.ok("wait", exited)
    scene.end_task(exited)
    lingering = docker.ok("run", "-d", "--name", "c-lingering", image, "sh", "-c", "echo linger; exit 6")
    docker.ok("wait", lingering)
    script = "trap 'exit 8' TERM; i=0; while :; do i=$((i+1)); echo line $i; sleep 0.05; done"
    running = docker.ok("run", "-d", "--name", "c-running", image, "sh", "-c", script)
    before = docker.ok("ps", "-a", "--no-trunc", "--filter", "name=c-", "--format", "{{.ID}} {{.Names}} {{.State}}")

    crash()

    after = docker.ok("ps", "-a", "--no-trunc", "--filter", "name=c-", "--format", "{{.ID}} {{.Names}} {{.State}}")
    assert after == before
    assert docker("logs", exited).stderr == b"err\n"
    assert docker.ok("logs", lingering) == "linger"
    assert docker.ok("wait", lingering) == "6"
    lines = docker.ok("logs", running).splitlines()
    assert lines == [f"line {number}" for number in range(1, len(lines) + 1)]
    eventually(lambda: len(docker.ok("logs", running).splitlines()) > len(lines))
    docker.ok("stop", running)
    assert docker.ok("wait", running) == "8"
    assert docker.ok("start", "-a", created) == "from created"
    docker.ok("rm", created, exited, lingering, running)


def test_an_exit_while_the_daemon_is_away_is_not_lost(docker: Docker, image: str, crash: Callable[[], None]) -> None:
    container = docker.ok("run", "-d", image, "sh", "-c", "sleep 1; echo late; exit 12")
    removed = docker.ok("run", "-d", "--rm", image, "sh", "-c", "sleep 1; exit 13")
    crash()
    assert docker.ok("wait", container) == "12"
    assert docker.ok("logs", container) == "late"
    eventually(lambda: docker.ok("ps", "-aq", "--no-trunc", "--filter", f"id={removed}") == "")
    docker.ok("rm", container)


def test_a_daemon_killed_in_the_middle_of_starts_leaves_no_task_without_a_container(
    docker: Docker, image: str, scene: Scene, crash: Callable[[], None]
) -> None:
    threads = [
        threading.Thread(target=docker, args=("run", "-d", "--name", f"half-{number}", image, "sleep", "300"))
        for number in range(4)
    ]
    for thread in threads:
        thread.start()
    eventually(lambda: docker.ok("ps", "-aq", "--filter", "name=half-") != "")
    crash()
    for thread in threads:
        thread.join()
    kept = docker.ok("ps", "-aq", "--no-trunc", "--filter", "name=half-").split()
    running = {scene.task_arn(c) for c in kept if docker.inspect(c, "{{.State.Status}}") == "running"}

    def live() -> set[str]:
        arns = scene.clients("ecs").list_tasks(cluster=scene.cluster, desiredStatus="RUNNING")["taskArns"]
        names = {arn: {tag["key"]: tag["value"] for tag in scene.tasks(arn)[0].get("tags", [])} for arn in arns}
        return {arn for arn, tags in names.items() if tags.get("sockerless:name", "").startswith("half-")}

    eventually(lambda: live() == running)
    for left in kept:
        if docker.inspect(left, "{{.State.Status}}") == "created":
            docker.ok("start", left)
        assert docker.inspect(left, "{{.State.Status}}") == "running"
    taken = {docker.inspect(left, "{{.Name}}") for left in kept}
    free = [f"half-{number}" for number in range(4) if f"/half-{number}" not in taken]
    again = [docker.ok("run", "-d", "--name", name, image, "sleep", "300") for name in free]
    docker.ok("rm", "-f", *kept, *again)


def test_a_daemon_killed_in_the_middle_of_a_create_leaves_no_container_and_its_name_free(
    docker: Docker, image: str, deployment: Deployed, crash: Callable[[], None]
) -> None:
    limit = f"nofile={1024 + secrets.randbelow(3_000)}"  # a shape that no daemon of this cluster has registered
    create = ("create", "--name", "unborn", "--ulimit", limit, image, "echo", "born")
    with deployment.faults({"kind": "throttle", "target": "ecs.RegisterTaskDefinition", "times": 1000}):
        creating = docker.start(*create)
        eventually(lambda: docker.ok("ps", "-a", "--filter", "name=unborn", "--format", "{{.Names}}") == "unborn")
        crash()
        assert creating.wait(timeout=60) != 0
    assert docker.ok("ps", "-aq", "--filter", "name=unborn") == ""
    created = docker.ok(*create)
    assert docker.ok("start", "-a", created) == "born"
    docker.ok("rm", created)
