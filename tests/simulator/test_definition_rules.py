"""What RegisterTaskDefinition takes and refuses, asked through AWS's own client. One row, one rule."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import ROLE, Account, logged

MAIN = {"name": "main", "image": "busybox"}
EFS = {"fileSystemId": "fs-0123456789abcdef0"}
POINT = {"accessPointId": "fsap-0123456789abcdef0"}


def refusal(account: Account, *containers: dict[str, Any], **members: Any) -> str:
    """The message a definition is refused with; fails when it is taken."""
    with pytest.raises(ClientError) as error:
        account.register("refused", *containers, **members)
    assert error.value.response["Error"]["Code"] in {"ClientException", "InvalidParameterException"}
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    return str(error.value.response["Error"]["Message"])


TASK_RULES: list[tuple[dict[str, Any], str]] = [
    ({"networkMode": "bridge"}, "Fargate only supports network mode ‘awsvpc’."),  # noqa: RUF001 - AWS's quotes
    ({"cpu": ""}, "Fargate requires that 'cpu' be defined at the task level."),
    ({"memory": ""}, "Fargate requires that 'memory' be defined at the task level."),
    ({"cpu": "256", "memory": "4096"}, "No Fargate configuration exists for given values: 256 CPU, 4096 memory."),
    ({"cpu": "300"}, "No Fargate configuration exists for given values: 300 CPU, 512 memory."),
    ({"cpu": "much"}, "Invalid 'cpu' setting for task."),
    ({"family": "no/slash"}, "Family contains invalid characters."),
    ({"pidMode": "host"}, "Tasks using the Fargate launch type do not support pidMode 'host'."),
    ({"ipcMode": "task"}, "Tasks using the Fargate launch type do not support ipcMode."),
    ({"ephemeralStorage": {"sizeInGiB": 20}}, "Ephemeral storage must be between 21 and 200 GiB."),
    (
        {"placementConstraints": [{"type": "memberOf", "expression": "x"}]},
        "Fargate does not support task placement constraints.",
    ),
    ({"tags": [{"key": "aws:mine", "value": "x"}]}, "Tag keys that begin with 'aws:' are reserved for AWS use."),
    ({"tags": [{"key": f"k{n}", "value": "x"} for n in range(51)]}, "Tags can not have more than 50 elements."),
    ({"tags": [{"key": "k" * 129, "value": "x"}]}, "Invalid tag key"),
    ({"tags": [{"key": "k", "value": "semi;colon"}]}, "Invalid tag value"),
    ({"volumes": [{"name": "v", "host": {"sourcePath": "/etc"}}]}, "host.sourcePath should not be set for volumes"),
    ({"volumes": [{"name": "v"}, {"name": "v"}]}, "Volume names must be given and unique"),
    (
        {"volumes": [{"name": "v", "efsVolumeConfiguration": EFS | {"authorizationConfig": POINT}}]},
        "EFS transit encryption must be enabled",
    ),
    (
        {"volumes": [{"name": "v", "efsVolumeConfiguration": EFS | {"authorizationConfig": {"iam": "ENABLED"}}}]},
        "EFS transit encryption must be enabled",
    ),
    (
        {"volumes": [{"name": "v", "efsVolumeConfiguration": EFS | {"rootDirectory": "/x",
         "transitEncryption": "ENABLED", "authorizationConfig": POINT}}]},
        "Root directory must either be omitted or set to /",
    ),
    ({"proxyConfiguration": {"containerName": "main"}}, "TaskDefinition.proxyConfiguration is not simulated."),
]  # fmt: skip


@pytest.mark.parametrize(("members", "message"), TASK_RULES, ids=[message for _, message in TASK_RULES])
def test_a_task_definition_is_refused(account: Account, members: dict[str, Any], message: str) -> None:
    assert message in refusal(account, MAIN, **members)


CONTAINER_RULES: list[tuple[dict[str, Any], str]] = [
    ({"name": ""}, "Container.name should not be null or empty."),
    ({"name": "a b"}, "Container.name contains invalid characters."),
    ({"image": ""}, "Container.image should not be null or empty."),
    ({"privileged": True}, "Tasks using the Fargate launch type do not support privileged."),
    ({"linuxParameters": {"devices": [{"hostPath": "/dev/fuse"}]}}, "do not support devices."),
    ({"linuxParameters": {"sharedMemorySize": 64}}, "do not support sharedMemorySize."),
    ({"linuxParameters": {"capabilities": {"add": ["NET_ADMIN"]}}}, "Only SYS_PTRACE is supported."),
    ({"hostname": "x"}, "hostname is not supported on container when networkMode=awsvpc."),
    ({"extraHosts": [{"hostname": "x", "ipAddress": "1.2.3.4"}]}, "extraHosts is not supported on container"),
    ({"links": ["x"]}, "links is not supported on container"),
    ({"portMappings": [{"containerPort": 80, "hostPort": 8080}]}, "the host ports and container ports"),
    ({"stopTimeout": 121}, "must be between 2 and 120"),
    ({"memory": 1024}, "The 'memory' setting for container is greater than for the task."),
    ({"memory": 256, "memoryReservation": 300}, "memoryReservation should be smaller or equal to memory."),
    ({"cpu": 512}, "Invalid 'cpu' setting for task"),
    ({"ulimits": [{"name": "nofile", "softLimit": 2, "hardLimit": 1}]}, "soft limit must not exceed hard limit"),
    ({"ulimits": [{"name": "nofile", "softLimit": 1, "hardLimit": 2_000_000}]}, "at most 1048576 on Fargate"),
    ({"logConfiguration": {"logDriver": "json-file"}}, "do not support the log driver json-file."),
    ({"logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "g"}}}, "awslogs requires options"),
    ({"healthCheck": {"command": ["true"]}}, "HealthCheck.command must start with"),
    ({"healthCheck": {"command": ["CMD", "true"], "interval": 1}}, "HealthCheck.interval must be between 5 and 300."),
    ({"mountPoints": [{"sourceVolume": "nosuch", "containerPath": "/x"}]}, "Unknown volume 'nosuch'."),
    ({"volumesFrom": [{"sourceContainer": "nosuch"}]}, "Unknown container 'nosuch' in volumesFrom."),
    ({"dependsOn": [{"containerName": "nosuch", "condition": "START"}]}, "Unknown container 'nosuch' in dependsOn"),
    ({"essential": False}, "at least one essential container"),
    ({"restartPolicy": {"enabled": True}}, "Container.restartPolicy is not simulated."),
    ({"environmentFiles": [{"type": "s3", "value": "arn"}]}, "Container.environmentFiles is not simulated."),
    (
        {"environment": [{"name": "X", "value": "1"}], "secrets": [{"name": "X", "valueFrom": "p"}]},
        "The secret name must be unique and not shared",
    ),
]


@pytest.mark.parametrize(("members", "message"), CONTAINER_RULES, ids=[message for _, message in CONTAINER_RULES])
def test_a_container_definition_is_refused(account: Account, members: dict[str, Any], message: str) -> None:
    assert message in refusal(account, MAIN | members)


@pytest.mark.parametrize(
    ("container", "feature"),
    [
        (logged(image="busybox"), "log driver awslogs"),
        ({"name": "main", "image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/x"}, "ECR images"),
    ],
)
def test_what_needs_an_execution_role_is_refused_without_one(
    account: Account, container: dict[str, Any], feature: str
) -> None:
    request = account.definition("noexecutionrole", container)
    del request["executionRoleArn"]
    with pytest.raises(ClientError, match=f"execution role ARN to support {feature}"):
        account.client("ecs").register_task_definition(**request)


def test_dependencies_between_containers_must_make_sense(account: Account) -> None:
    def needing(name: str, other: str, condition: str, **members: Any) -> dict[str, Any]:
        needs = [{"containerName": other, "condition": condition}]
        return {"name": name, "image": "busybox", "dependsOn": needs} | members

    assert "cannot be essential with condition SUCCESS" in refusal(account, MAIN, needing("b", "main", "SUCCESS"))
    assert "must have a health check" in refusal(account, MAIN, needing("b", "main", "HEALTHY"))
    circle = [needing("a", "b", "START"), needing("b", "a", "START")]
    assert "must not form a circle" in refusal(account, *circle)
    assert "must be unique" in refusal(account, MAIN, MAIN)
    assert "Too many containers" in refusal(account, *(MAIN | {"name": f"c{n}"} for n in range(11)))


def test_the_size_limit_is_64_kibibytes(account: Account) -> None:
    environment = [{"name": f"N{number}", "value": "v" * 1000} for number in range(60)]
    account.register("large", MAIN | {"environment": environment})
    more = [*environment, *({"name": f"M{number}", "value": "v" * 1000} for number in range(10))]
    assert "Max allowed length is '65536' bytes." in refusal(account, MAIN | {"environment": more})


@pytest.mark.parametrize(
    ("cpu", "memory"),
    [("256", "512"), ("0.5 vCPU", "1 GB"), ("1024", "8192"), ("4096", "30720"), ("8192", "16384"), ("16384", "122880")],
)
def test_every_legal_size_is_taken(account: Account, cpu: str, memory: str) -> None:
    assert account.register("sized", MAIN, cpu=cpu, memory=memory)["status"] == "ACTIVE"


def test_what_was_registered_is_described_with_aws_defaults(account: Account) -> None:
    account.register("defaults", MAIN | {"portMappings": [{"containerPort": 80}]}, tags=[{"key": "k", "value": "v"}])
    described = account.client("ecs").describe_task_definition(taskDefinition="defaults", include=["TAGS"])
    definition = described["taskDefinition"]
    assert described["tags"] == [{"key": "k", "value": "v"}]
    assert (definition["revision"], definition["status"], definition["networkMode"]) == (1, "ACTIVE", "awsvpc")
    assert (definition["executionRoleArn"], definition["compatibilities"]) == (ROLE, ["EC2", "FARGATE"])
    assert definition["registeredAt"] is not None
    container = definition["containerDefinitions"][0]
    assert container["portMappings"] == [{"containerPort": 80, "hostPort": 80, "protocol": "tcp"}]
    assert (container["essential"], container["cpu"], container["mountPoints"]) == (True, 0, [])


def test_definitions_are_listed_in_pages_by_family_and_status(account: Account) -> None:
    ecs = account.client("ecs")
    arns = [account.register("paged", MAIN)["taskDefinitionArn"] for _ in range(3)]
    ecs.deregister_task_definition(taskDefinition=arns[0])

    def listed(**members: Any) -> list[str]:
        pages = ecs.get_paginator("list_task_definitions").paginate(
            familyPrefix="paged", PaginationConfig={"PageSize": 1}, **members
        )
        return [arn for page in pages for arn in page["taskDefinitionArns"]]

    assert listed() == arns[1:]
    assert listed(sort="DESC") == arns[:0:-1]
    assert listed(status="INACTIVE") == arns[:1]
