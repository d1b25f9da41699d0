"""The simulated AWS was really used, and nothing secret lies in it."""

from __future__ import annotations

import pytest

from sockerless.wire import agent as wire
from tests.agent.container import new_credentials
from tests.e2e.daemon import Daemon
from tests.e2e.docker_cli import Docker, eventually
from tests.e2e.scene import Scene

pytestmark = [pytest.mark.engine, pytest.mark.terraform]


def test_a_running_container_is_a_fargate_task_with_its_interface_stream_and_access_point(
    docker: Docker, image: str, scene: Scene
) -> None:
    container = docker.ok("run", "-d", "--name", "seen", image, "sh", "-c", "echo hello; sleep 100")
    task = scene.tasks(scene.task_arn(container))[0]
    assert (task["lastStatus"], task["launchType"]) == ("RUNNING", "FARGATE")
    assert {"key": "sockerless:name", "value": "seen"} in task["tags"]

    details = {detail["name"]: detail["value"] for detail in task["attachments"][0]["details"]}
    interfaces = scene.clients("ec2").describe_network_interfaces(NetworkInterfaceIds=[details["networkInterfaceId"]])
    address = interfaces["NetworkInterfaces"][0]["PrivateIpAddress"]
    assert address == details["privateIPv4Address"] == docker.inspect(container, "{{.NetworkSettings.IPAddress}}")

    definition = scene.clients("ecs").describe_task_definition(taskDefinition=task["taskDefinitionArn"])
    volume = next(v for v in definition["taskDefinition"]["volumes"] if "efsVolumeConfiguration" in v)
    access_point = volume["efsVolumeConfiguration"]["authorizationConfig"]["accessPointId"]
    found = scene.clients("efs").describe_access_points(AccessPointId=access_point)["AccessPoints"]
    assert [point["LifeCycleState"] for point in found] == ["available"]

    eventually(lambda: any(line.endswith(" stdout F hello") for line in scene.archived(task["taskArn"])))
    docker.ok("rm", "-f", container)
    eventually(lambda: scene.tasks(task["taskArn"])[0]["lastStatus"] == "STOPPED")


def test_two_runs_of_one_image_share_one_definition_and_no_secret_stands_in_it(
    docker: Docker, image: str, scene: Scene
) -> None:
    first = docker.ok("create", "-e", "PASSWORD=hunter2", "--label", "a=b", image, "echo", "hunter3")
    second = docker.ok("create", "-u", "1000", image, "true")
    definitions = {scene.record(container)["task_definition_arn"] for container in (first, second)}
    assert len(definitions) == 1
    described = scene.clients("ecs").describe_task_definition(taskDefinition=definitions.pop())
    assert "hunter" not in str(described)
    docker.ok("rm", first, second)


def test_memory_and_cpu_choose_the_fargate_size(docker: Docker, image: str, scene: Scene) -> None:
    created = docker("create", "--memory", "3g", "--cpus", "0.7", image, "true")
    container = created.stdout.decode().strip()
    definition = scene.clients("ecs").describe_task_definition(
        taskDefinition=scene.record(container)["task_definition_arn"]
    )["taskDefinition"]
    assert (definition["cpu"], definition["memory"]) == ("1024", "3072")
    assert "1 vCPU" in created.stderr.decode() or "1024" in created.stderr.decode()
    docker.ok("rm", container)


def test_nothing_runs_in_aws_for_a_container_that_is_gone(docker: Docker, image: str, scene: Scene) -> None:
    container = docker.ok("run", "-d", image, "sleep", "100")
    arn = scene.task_arn(container)
    docker.ok("rm", "-f", container)
    eventually(lambda: scene.tasks(arn)[0]["lastStatus"] == "STOPPED")


def test_an_agent_whose_daemon_never_comes_ends_with_125_and_says_so_in_cloudwatch(
    docker: Docker, image: str, scene: Scene, daemon: Daemon
) -> None:
    credentials = new_credentials()
    given = {
        wire.ENV_AGENT_ID: credentials.agent_id,
        wire.ENV_TOKEN: credentials.token,
        wire.ENV_CERTIFICATE: credentials.certificate_pem,
        wire.ENV_KEY: credentials.key_pem,
        wire.ENV_PATIENCE_S: "1",
    }
    container = docker.ok("create", image, "true")
    network = {
        "subnets": daemon.settings["SOCKERLESS_ECS_SUBNETS"].split(","),
        "securityGroups": daemon.settings["SOCKERLESS_ECS_SECURITY_GROUPS"].split(","),
    }
    environment = [{"name": name, "value": value} for name, value in given.items()]
    ran = scene.clients("ecs").run_task(
        cluster=scene.cluster,
        taskDefinition=scene.record(container)["task_definition_arn"],
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": network},
        overrides={"containerOverrides": [{"name": "main", "environment": environment}]},
    )
    arn = ran["tasks"][0]["taskArn"]
    eventually(lambda: scene.tasks(arn)[0]["lastStatus"] == "STOPPED")
    assert [one["exitCode"] for one in scene.tasks(arn)[0]["containers"] if one["name"] == "main"] == [125]
    assert any(" agent F nobody started a process within 1" in line for line in scene.archived(arn))
    docker.ok("rm", container)
