"""Tasks that really run: what a client of ECS sees of them from RunTask to STOPPED."""

from __future__ import annotations

import platform
import socket
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sockerless.simulator.server import Simulator

from .conftest import Account, logged, until

pytestmark = pytest.mark.engine


def shell(image: str, script: str, **members: Any) -> dict[str, Any]:
    """A logged container definition that runs a shell script."""
    return logged(image=image, entryPoint=["/bin/sh", "-c"], command=[script], **members)


def exited(task: dict[str, Any], name: str = "main") -> int | None:
    """The exit code of one container, None when there is none."""
    container = next(container for container in task["containers"] if container["name"] == name)
    code: int | None = container.get("exitCode")
    return code


def test_a_task_reports_its_containers_exit_code_and_why_it_stopped(account: Account, image: str) -> None:
    account.register("exits", shell(image, "exit 7"))
    task = account.stopped(account.run("exits")["taskArn"])
    assert exited(task) == 7
    assert (task["stopCode"], task["stoppedReason"]) == (
        "EssentialContainerExited",
        "Essential container in task exited",
    )
    order = [
        "createdAt",
        "pullStartedAt",
        "pullStoppedAt",
        "startedAt",
        "stoppingAt",
        "executionStoppedAt",
        "stoppedAt",
    ]
    times = [task[name] for name in order]
    assert times == sorted(times)
    assert task["containers"][0]["imageDigest"].startswith("sha256:")


def test_output_of_both_streams_is_in_the_log_stream_when_the_task_is_stopped(account: Account, image: str) -> None:
    account.register("logs", shell(image, "echo out; echo; echo err >&2; printf tail"))
    task = account.stopped(account.run("logs")["taskArn"])
    assert sorted(account.log_lines(task["taskArn"])) == ["err", "out", "tail"]


def test_two_hundred_thousand_lines_arrive_complete_and_in_order(account: Account, image: str) -> None:
    account.register("many", shell(image, "seq 1 200000"), cpu="1024", memory="2048")
    task = account.stopped(account.run("many")["taskArn"], timeout_s=120)
    assert account.log_lines(task["taskArn"]) == [str(number) for number in range(1, 200_001)]


def test_the_interface_is_in_ec2_at_the_address_where_the_task_is_reached(account: Account, image: str) -> None:
    account.register("serves", shell(image, "echo hello | nc -l -p 9111"))
    arn = account.run("serves")["taskArn"]
    details = {d["name"]: d["value"] for d in account.running(arn)["attachments"][0]["details"]}
    interfaces = account.client("ec2").describe_network_interfaces(NetworkInterfaceIds=[details["networkInterfaceId"]])
    interface = interfaces["NetworkInterfaces"][0]
    assert interface["PrivateIpAddress"] == details["privateIPv4Address"]
    assert interface["SubnetId"] == details["subnetId"] == account.subnet
    assert [group["GroupId"] for group in interface["Groups"]] == [account.security_group]

    def greeting() -> bytes:
        try:
            with socket.create_connection((details["privateIPv4Address"], 9111), timeout=5) as connection:
                return connection.recv(100)
        except ConnectionRefusedError:
            return b""

    assert until(greeting, bool) == b"hello\n"
    account.stopped(arn)
    remaining = account.client("ec2").describe_network_interfaces()["NetworkInterfaces"]
    assert details["networkInterfaceId"] not in {entry["NetworkInterfaceId"] for entry in remaining}


def test_a_public_address_is_shown_where_clients_look_for_it(account: Account, image: str) -> None:
    account.register("public", shell(image, "sleep 60"))
    network = {"subnets": [account.subnet], "assignPublicIp": "ENABLED"}
    arn = account.run("public", networkConfiguration={"awsvpcConfiguration": network})["taskArn"]
    details = {d["name"]: d["value"] for d in account.running(arn)["attachments"][0]["details"]}
    interfaces = account.client("ec2").describe_network_interfaces(NetworkInterfaceIds=[details["networkInterfaceId"]])
    assert interfaces["NetworkInterfaces"][0]["Association"]["PublicIp"] == details["privateIPv4Address"]
    account.client("ecs").stop_task(cluster=account.cluster, task=arn)


def test_stop_task_lets_the_process_handle_its_signal_and_drops_the_tags(account: Account, image: str) -> None:
    account.register("traps", shell(image, "trap 'exit 9' TERM; echo ready; while :; do sleep 0.05; done"))
    arn = account.run("traps", tags=[{"key": "who", "value": "me"}])["taskArn"]
    assert account.running(arn)["tags"] == [{"key": "who", "value": "me"}]
    until(lambda: account.log_lines(arn), lambda lines: lines == ["ready"])
    stopping = account.client("ecs").stop_task(cluster=account.cluster, task=arn, reason="enough")["task"]
    assert stopping["desiredStatus"] == "STOPPED"
    task = account.stopped(arn)
    assert (task["stopCode"], task["stoppedReason"], exited(task)) == ("UserInitiated", "enough", 9)
    assert task["tags"] == []


def test_a_process_that_ignores_its_signal_is_killed_after_the_stop_timeout(account: Account, image: str) -> None:
    account.register("ignores", shell(image, "trap '' TERM; while :; do sleep 1; done", stopTimeout=2))
    arn = account.run("ignores")["taskArn"]
    account.running(arn)
    account.client("ecs").stop_task(cluster=account.cluster, task=arn)
    task = account.stopped(arn)
    assert exited(task) == 137
    assert 1.5 < (task["executionStoppedAt"] - task["stoppingAt"]).total_seconds() < 10


def test_a_task_stopped_before_it_ran_stops_without_an_exit_code(account: Account, image: str) -> None:
    account.register("early", shell(image, "sleep 60", stopTimeout=2))
    arns = [account.run("early")["taskArn"] for _ in range(4)]
    for arn in arns:
        account.client("ecs").stop_task(cluster=account.cluster, task=arn)
    for arn in arns:
        task = account.stopped(arn)
        assert task["stopCode"] == "UserInitiated"
        assert exited(task) is None or "startedAt" in task


def test_an_image_that_is_not_there_stops_the_task_with_the_pull_error(account: Account, image: str) -> None:
    missing = image.replace(":1", ":nosuch")
    account.register("missing", shell(missing, "true"))
    task = account.stopped(account.run("missing")["taskArn"])
    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"].startswith("CannotPullContainerError: pull image manifest has been retried")
    assert missing in task["stoppedReason"]
    assert exited(task) is None


def test_a_program_that_is_not_there_stops_the_task_with_the_start_error(account: Account, image: str) -> None:
    account.register("noprogram", logged(image=image, entryPoint=["/no/such/program"]))
    task = account.stopped(account.run("noprogram")["taskArn"])
    assert task["stopCode"] == "TaskFailedToStart"
    assert task["containers"][0]["reason"].startswith("CannotStartContainerError: ")
    assert "/no/such/program" in task["containers"][0]["reason"]
    assert exited(task) is None


def test_a_missing_log_group_stops_the_task_as_awslogs_does(account: Account, image: str) -> None:
    container = shell(image, "true")
    options = container["logConfiguration"]["options"] | {"awslogs-group": "/nosuch"}
    account.register("nogroup", container | {"logConfiguration": {"logDriver": "awslogs", "options": options}})
    task = account.stopped(account.run("nogroup")["taskArn"])
    assert task["stoppedReason"].startswith("ResourceInitializationError: failed to validate logger args")
    assert "The specified log group does not exist." in task["stoppedReason"]


def test_awslogs_create_group_makes_the_group(account: Account, image: str) -> None:
    container = shell(image, "echo made")
    options = container["logConfiguration"]["options"] | {"awslogs-group": "/made", "awslogs-create-group": "true"}
    account.register("creategroup", container | {"logConfiguration": {"logDriver": "awslogs", "options": options}})
    account.stopped(account.run("creategroup")["taskArn"])
    streams = account.client("logs").describe_log_streams(logGroupName="/made")["logStreams"]
    assert len(streams) == 1
    assert streams[0]["lastEventTimestamp"] >= streams[0]["firstEventTimestamp"] > 0


def test_overrides_reach_the_container_and_the_definitions_environment_stays(account: Account, image: str) -> None:
    environment = [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]
    account.register("overridden", shell(image, "true", environment=environment))
    override = {
        "name": "main",
        "command": ["echo $A $B $AWS_REGION $AWS_EXECUTION_ENV; env | grep -c METADATA"],
        "environment": [{"name": "B", "value": "3"}],
    }
    task = account.stopped(account.run("overridden", overrides={"containerOverrides": [override]})["taskArn"])
    assert account.log_lines(task["taskArn"]) == ["1 3 us-east-1 AWS_ECS_FARGATE", "0"]


def test_settings_of_the_container_definition_reach_the_process(account: Account, image: str) -> None:
    script = "id -u; pwd; touch /x 2>/dev/null || echo readonly; ulimit -n; tty -s && echo tty; cat /proc/1/comm"
    container = shell(
        image,
        script,
        user="1000:1000",
        workingDirectory="/tmp",
        readonlyRootFilesystem=True,
        pseudoTerminal=True,
        ulimits=[{"name": "nofile", "softLimit": 512, "hardLimit": 1024}],
        linuxParameters={"initProcessEnabled": True, "capabilities": {"drop": ["ALL"]}},
    )
    account.register("settings", container)
    task = account.stopped(account.run("settings")["taskArn"])
    lines = [line.rstrip("\r") for line in account.log_lines(task["taskArn"])]
    assert lines == ["1000", "/tmp", "readonly", "512", "tty", "docker-init"]


def test_memory_beyond_the_task_size_is_an_out_of_memory_kill(account: Account, image: str) -> None:
    script = "head -c 900000000 /dev/zero | tail"
    account.register("hungry", shell(image, f"exec sh -c '{script}'"))
    task = account.stopped(account.run("hungry")["taskArn"])
    assert task["containers"][0]["reason"] == "OutOfMemoryError: Container killed due to memory usage"


def test_the_same_client_token_is_the_same_task(account: Account, image: str) -> None:
    account.register("token", shell(image, "sleep 60"))
    token = uuid.uuid4().hex
    first = account.run("token", clientToken=token)
    again = account.run("token", clientToken=token)
    assert again["taskArn"] == first["taskArn"]
    ecs = account.client("ecs")
    with pytest.raises(ecs.exceptions.ConflictException) as refusal:
        account.run("token", clientToken=token, count=2)
    assert refusal.value.response["resourceIds"] == [first["taskArn"]]
    ecs.stop_task(cluster=account.cluster, task=first["taskArn"])


def test_secrets_come_from_parameter_store_and_secrets_manager(account: Account, image: str) -> None:
    account.client("ssm").put_parameter(Name="/tests/plain", Value="one", Type="SecureString")
    secret = account.client("secretsmanager").create_secret(Name="tests", SecretString='{"key": "two"}')["ARN"]
    secrets = [{"name": "ONE", "valueFrom": "/tests/plain"}, {"name": "TWO", "valueFrom": f"{secret}:key::"}]
    account.register("secrets", shell(image, "echo $ONE $TWO", secrets=secrets))
    task = account.stopped(account.run("secrets")["taskArn"])
    assert account.log_lines(task["taskArn"]) == ["one two"]
    account.register("nosecret", shell(image, "true", secrets=[{"name": "X", "valueFrom": "/tests/nosuch"}]))
    failed = account.stopped(account.run("nosecret")["taskArn"])
    assert failed["stoppedReason"].startswith("ResourceInitializationError: unable to pull secrets")


def test_list_tasks_finds_tasks_by_status_family_and_starter(account: Account, image: str) -> None:
    account.register("listed", shell(image, "sleep 60"))
    arns = {account.run("listed", startedBy="lister")["taskArn"] for _ in range(3)}
    ecs = account.client("ecs")
    pages = ecs.get_paginator("list_tasks").paginate(
        cluster=account.cluster, startedBy="lister", PaginationConfig={"PageSize": 2}
    )
    assert {arn for page in pages for arn in page["taskArns"]} == arns
    assert set(ecs.list_tasks(cluster=account.cluster, family="listed")["taskArns"]) == arns
    for arn in arns:
        ecs.stop_task(cluster=account.cluster, task=arn)
    assert ecs.list_tasks(cluster=account.cluster, startedBy="lister")["taskArns"] == []
    stopped = ecs.list_tasks(cluster=account.cluster, startedBy="lister", desiredStatus="STOPPED")
    assert set(stopped["taskArns"]) == arns


def test_the_cluster_counts_its_running_tasks(account: Account, image: str) -> None:
    ecs = account.client("ecs")
    ecs.create_cluster(clusterName="counted")
    account.register("counts", shell(image, "sleep 60"))
    arn = account.run("counts", cluster="counted")["taskArn"]

    def counts() -> tuple[int, int]:
        cluster = ecs.describe_clusters(clusters=["counted"])["clusters"][0]
        return cluster["runningTasksCount"], cluster["pendingTasksCount"]

    until(counts, lambda found: found == (1, 0))
    ecs.stop_task(cluster="counted", task=arn)
    until(counts, lambda found: found == (0, 0))


def test_what_a_running_task_uses_cannot_be_deleted(account: Account, image: str) -> None:
    ecs, ec2 = account.client("ecs"), account.client("ec2")
    ecs.create_cluster(clusterName="used")
    account.register("uses", shell(image, "sleep 60", stopTimeout=2))
    arn = account.run("uses", cluster="used")["taskArn"]
    with pytest.raises(ecs.exceptions.ClusterContainsTasksException):
        ecs.delete_cluster(cluster="used")
    with pytest.raises(ClientError, match="has dependencies and cannot be deleted"):
        ec2.delete_subnet(SubnetId=account.subnet)
    ecs.stop_task(cluster="used", task=arn)

    def status() -> str:
        return str(ecs.describe_tasks(cluster="used", tasks=[arn])["tasks"][0]["lastStatus"])

    until(status, lambda found: found == "STOPPED")
    assert ecs.delete_cluster(cluster="used")["cluster"]["status"] == "INACTIVE"
    with pytest.raises(ecs.exceptions.ClusterNotFoundException):
        account.run("uses", cluster="used")


def test_a_task_for_another_architecture_fails_instead_of_running_on_this_one(account: Account, image: str) -> None:
    other = "X86_64" if platform.machine() in {"aarch64", "arm64"} else "ARM64"
    account.register("other", shell(image, "true"), runtimePlatform={"cpuArchitecture": other})
    task = account.stopped(account.run("other")["taskArn"])
    assert task["stopCode"] == "TaskFailedToStart"
    assert other.lower() in task["stoppedReason"]


def test_tags_of_a_task_are_listed_changed_and_removed(account: Account, image: str) -> None:
    ecs = account.client("ecs")
    account.register("tagged", shell(image, "sleep 60"), tags=[{"key": "from", "value": "definition"}])
    arn = account.run("tagged", tags=[{"key": "a", "value": "1"}], propagateTags="TASK_DEFINITION")["taskArn"]
    ecs.tag_resource(resourceArn=arn, tags=[{"key": "b", "value": "2"}])
    ecs.untag_resource(resourceArn=arn, tagKeys=["a"])
    listed = ecs.list_tags_for_resource(resourceArn=arn)["tags"]
    assert {tag["key"]: tag["value"] for tag in listed} == {"from": "definition", "b": "2"}
    found = account.client("resourcegroupstaggingapi").get_resources(TagFilters=[{"Key": "b", "Values": ["2"]}])
    assert [entry["ResourceARN"] for entry in found["ResourceTagMappingList"]] == [arn]
    ecs.stop_task(cluster=account.cluster, task=arn)


def test_nothing_of_a_stopped_task_is_left_in_the_engine(account: Account, image: str, simulator: Simulator) -> None:
    account.register("leaves", shell(image, "true", mountPoints=[{"sourceVolume": "v", "containerPath": "/v"}]),
                     volumes=[{"name": "v"}])  # fmt: skip
    task = account.stopped(account.run("leaves")["taskArn"])
    task_id = task["taskArn"].split("/")[-1]

    def names() -> list[str]:
        containers = simulator.engine.call("GET", "/containers/json", {"all": "1"})
        return [name for container in containers for name in container["Names"]]

    until(names, lambda found: not [name for name in found if task_id[:12] in name])
    until(lambda: (simulator.state_dir / "tasks" / task_id).exists(), lambda exists: not exists)
