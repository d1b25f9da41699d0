"""The agent without EFS: a container of its image copies it into a volume of the task, before the user's starts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import Deployed
from tests.e2e import daemon as daemons
from tests.e2e.conftest import load_image
from tests.e2e.daemon import Daemon
from tests.e2e.docker_cli import Docker

pytestmark = [pytest.mark.engine, pytest.mark.terraform]
NO_EFS = {"SOCKERLESS_AGENT_EFS_ID": "", "SOCKERLESS_AGENT_EFS_ACCESS_POINT": ""}


@pytest.fixture(scope="module")
def without_efs(deployment: Deployed) -> Iterator[Daemon]:
    """A daemon that knows the agent's image only."""
    daemon = daemons.beside(deployment, NO_EFS)
    daemon.start()
    yield daemon
    daemon.end()


@pytest.fixture(scope="module")
def docker(
    without_efs: Daemon, engine_image: str, engine_address: str, tmp_path_factory: pytest.TempPathFactory
) -> Docker:
    """The docker CLI against it, with engine_image loaded."""
    docker = Docker(without_efs.host, str(tmp_path_factory.mktemp("docker-config")))
    load_image(docker, engine_image, engine_address)
    return docker


def test_a_container_runs_and_its_task_has_no_file_system_but_its_own(
    docker: Docker, engine_image: str, deployment: Deployed, without_efs: Daemon
) -> None:
    done = docker("run", "-i", "--name", "delivered", engine_image, "sh", "-c", "cat; exit 3", stdin=b"hi\n")
    assert (done.stdout, done.stderr, done.returncode) == (b"hi\n", b"", 3)
    ecs, cluster = deployment.client("ecs"), without_efs.settings["SOCKERLESS_ECS_CLUSTER"]
    tasks = ecs.describe_tasks(cluster=cluster, tasks=ecs.list_tasks(cluster=cluster)["taskArns"], include=["TAGS"])
    task = next(t for t in tasks["tasks"] if {"key": "sockerless:name", "value": "delivered"} in t["tags"])
    assert {container["name"]: container.get("exitCode") for container in task["containers"]} == {
        "main": None, "agent": 0,
    }  # fmt: skip
    definition = ecs.describe_task_definition(taskDefinition=task["taskDefinitionArn"])["taskDefinition"]
    assert all("efsVolumeConfiguration" not in volume for volume in definition["volumes"])
    docker.ok("rm", "-f", "delivered")


def test_a_read_only_root_is_no_obstacle(docker: Docker, engine_image: str) -> None:
    assert (
        docker.ok("run", "--rm", "--read-only", "-u", "1000", engine_image, "sh", "-c", "touch /x || id -u") == "1000"
    )


def test_the_user_s_container_cannot_change_the_agent(docker: Docker, engine_image: str) -> None:
    done = docker("run", "--rm", engine_image, "sh", "-c", "touch /.sockerless/agent/x")
    assert b"Read-only file system" in done.stderr


def test_an_agent_image_that_cannot_be_pulled_fails_the_start_with_the_reason(
    docker: Docker, engine_image: str, without_efs: Daemon
) -> None:
    repository = without_efs.settings["SOCKERLESS_AGENT_IMAGE"].rpartition(":")[0]
    without_efs.restart({"SOCKERLESS_AGENT_IMAGE": f"{repository}:never-pushed"})
    done = docker("run", "--rm", engine_image, "true")
    assert done.returncode == 125
    assert b"CannotPullContainerError" in done.stderr
    assert b"never-pushed" in done.stderr
    without_efs.restart()
