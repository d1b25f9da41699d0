"""What RunTask, StopTask, DescribeTasks and ListTasks refuse, in AWS's codes and words. Needs no engine."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import TRUST, Account

MAIN = {"name": "main", "image": "busybox"}
SUBNET_NOT_FOUND = (
    "Error retrieving subnet information for [subnet-00000000]: The subnet ID 'subnet-00000000' does not exist "
    "(ErrorCode: InvalidSubnetID.NotFound)"
)


@pytest.fixture(scope="module", autouse=True)
def _definition(account: Account) -> None:
    account.register("plain", MAIN)


def network(account: Account, **members: Any) -> dict[str, Any]:
    """A networkConfiguration member for RunTask."""
    return {"networkConfiguration": {"awsvpcConfiguration": {"subnets": [account.subnet]} | members}}


ROWS: list[tuple[dict[str, Any], str, str]] = [
    ({"cluster": "nosuch"}, "ClusterNotFoundException", "Cluster not found."),
    ({"taskDefinition": "nosuch"}, "ClientException", "TaskDefinition not found."),
    ({"taskDefinition": "plain:99"}, "ClientException", "TaskDefinition not found."),
    ({"count": 11}, "InvalidParameterException", "Count must be between 1 and 10."),
    ({"startedBy": "a b"}, "InvalidParameterException", "Invalid startedBy"),
    ({"startedBy": "x" * 129}, "InvalidParameterException", "Invalid startedBy"),
    ({"clientToken": "x" * 65}, "InvalidParameterException", "Invalid clientToken"),
    ({"launchType": "EC2"}, "InvalidParameterException", "only FARGATE is"),
    ({"networkConfiguration": {}}, "InvalidParameterException", "Network Configuration must be provided"),
    (
        {"networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-00000000"]}}},
        "InvalidParameterException",
        SUBNET_NOT_FOUND,
    ),
    ({"platformVersion": "0.9"}, "PlatformUnknownException", "The specified platform does not exist."),
    (
        {"overrides": {"containerOverrides": [{"name": "other"}]}},
        "InvalidParameterException",
        "Override for container named other is not a container in the TaskDefinition.",
    ),
    (
        {"overrides": {"containerOverrides": [{"name": "main", "command": ["x" * 8192]}]}},
        "InvalidParameterException",
        "Container Overrides length must be at most 8192",
    ),
    ({"overrides": {"cpu": "512", "memory": "512"}}, "ClientException", "No Fargate configuration exists"),
    ({"tags": [{"key": "aws:x", "value": ""}]}, "InvalidParameterException", "reserved for AWS use"),
    ({"enableExecuteCommand": True}, "InvalidParameterException", "enableExecuteCommand is not simulated."),
]


@pytest.mark.parametrize(("members", "code", "message"), ROWS, ids=[f"{c}: {m[:40]}" for _, c, m in ROWS])
def test_run_task_refuses(account: Account, members: dict[str, Any], code: str, message: str) -> None:
    with pytest.raises(ClientError) as error:
        account.run("plain", **members)
    assert error.value.response["Error"]["Code"] == code
    assert message in error.value.response["Error"]["Message"]


def test_a_security_group_must_be_of_the_subnets_network(account: Account) -> None:
    ec2 = account.client("ec2")
    other_vpc = ec2.create_vpc(CidrBlock="10.99.0.0/16")["Vpc"]["VpcId"]
    foreign = ec2.create_security_group(GroupName="foreign", Description="x", VpcId=other_vpc)["GroupId"]
    for group in ("sg-00000000", foreign):
        with pytest.raises(ClientError, match=f"security group '{group}' does not exist"):
            account.run("plain", **network(account, securityGroups=[group]))


def test_a_strategy_names_the_clusters_providers_and_excludes_a_launch_type(account: Account) -> None:
    strategy = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
    with pytest.raises(ClientError, match="but not both"):
        account.run("plain", capacityProviderStrategy=strategy)
    account.client("ecs").create_cluster(clusterName="bare")
    request = account.run_request("plain", cluster="bare", capacityProviderStrategy=strategy)
    del request["launchType"]
    with pytest.raises(ClientError, match="not associated with the cluster"):
        account.client("ecs").run_task(**request)
    del request["capacityProviderStrategy"]
    with pytest.raises(ClientError, match="No Container Instances were found in your cluster"):
        account.client("ecs").run_task(**request)


def test_an_inactive_definition_and_one_for_ec2_do_not_run(account: Account) -> None:
    ecs = account.client("ecs")
    arn = account.register("retired", MAIN)["taskDefinitionArn"]
    ecs.deregister_task_definition(taskDefinition=arn)
    with pytest.raises(ClientError, match="TaskDefinition is inactive"):
        account.run(arn)
    with pytest.raises(ClientError, match=r"TaskDefinition not found\."):
        account.run("retired")
    ecs.register_task_definition(family="forec2", containerDefinitions=[MAIN | {"memory": 64}])
    with pytest.raises(ClientError, match="does not support launch_type FARGATE"):
        account.run("forec2")


def test_roles_must_exist_and_trust_ecs_tasks(account: Account) -> None:
    iam = account.client("iam")
    elsewhere = TRUST.replace("ecs-tasks", "ec2")
    arn = iam.create_role(RoleName="elsewhere", AssumeRolePolicyDocument=elsewhere)["Role"]["Arn"]
    theirs = TRUST.replace('"Action"', '"Condition": {"StringEquals": {"aws:SourceAccount": "1"}}, "Action"')
    other_account = iam.create_role(RoleName="theirs", AssumeRolePolicyDocument=theirs)["Role"]["Arn"]
    for role in (arn, other_account, arn.replace("elsewhere", "nosuch")):
        account.register("roles", MAIN, taskRoleArn=role)
        with pytest.raises(ClientError, match=f"ECS was unable to assume the role '{role}'"):
            account.run("roles")


def test_a_task_that_is_not_there_is_missing_not_an_error(account: Account) -> None:
    ecs = account.client("ecs")
    arn = f"arn:aws:ecs:us-east-1:123456789012:task/{account.cluster}/{'0' * 32}"
    answer = ecs.describe_tasks(cluster=account.cluster, tasks=[arn, "1" * 32])
    assert answer["tasks"] == []
    assert answer["failures"] == [
        {"arn": arn, "reason": "MISSING"},
        {"arn": arn.replace("0" * 32, "1" * 32), "reason": "MISSING"},
    ]
    with pytest.raises(ClientError, match=r"The referenced task was not found\."):
        ecs.stop_task(cluster=account.cluster, task=arn)


def test_describe_tasks_takes_one_to_a_hundred(account: Account) -> None:
    ecs = account.client("ecs")
    with pytest.raises(ClientError, match="Tasks cannot be empty"):
        ecs.describe_tasks(cluster=account.cluster, tasks=[])
    with pytest.raises(ClientError, match="100"):
        ecs.describe_tasks(cluster=account.cluster, tasks=["0" * 32] * 101)
    with pytest.raises(ecs.exceptions.ClusterNotFoundException):
        ecs.describe_tasks(cluster="nosuch", tasks=["0" * 32])


def test_started_by_is_a_filter_of_its_own(account: Account) -> None:
    with pytest.raises(ClientError, match="startedBy must be the only filter"):
        account.client("ecs").list_tasks(cluster=account.cluster, startedBy="x", family="plain")
