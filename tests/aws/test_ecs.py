"""ECS calls: definitions against moto, tasks against prepared answers of AWS's documented form."""

from __future__ import annotations

import pytest

from sockerless import errors
from sockerless.aws import ecs
from sockerless.aws.session import Aws
from sockerless.ecs.taskdef import AgentDelivery, Shape, task_definition
from sockerless.types import TaskSize
from tests.aws.conftest import ScriptedAws

CLUSTER = "sockerless"
ARN = "arn:aws:ecs:eu-central-1:123456789012:task/sockerless/"
SHAPE = Shape(
    image="app@sha256:" + "a" * 64,
    size=TaskSize(256, 512),
    architecture="X86_64",
    execution_role_arn="arn:aws:iam::123456789012:role/execution",
    task_role_arn="arn:aws:iam::123456789012:role/task",
    log_group="/sockerless",
    region="eu-central-1",
    agent=AgentDelivery("1", "fs-0a", "fsap-0a"),
)
REQUEST = {"cluster": CLUSTER, "taskDefinition": "d", "clientToken": "t"}


async def test_a_registered_definition_is_found_by_its_family_until_deregistered(aws: Aws) -> None:
    definition = task_definition(SHAPE, "found", [])
    assert await ecs.find_task_definition(aws, definition["family"]) is None
    arn = await ecs.register_task_definition(aws, definition)
    assert await ecs.find_task_definition(aws, definition["family"]) == arn
    await ecs.deregister_task_definition(aws, arn)
    assert await ecs.find_task_definition(aws, definition["family"]) is None


async def test_the_newest_of_ten_revisions_is_found_by_number(aws: Aws) -> None:
    definition = task_definition(SHAPE, "revised", [])
    arns = [await ecs.register_task_definition(aws, definition) for _ in range(10)]
    assert await ecs.find_task_definition(aws, definition["family"]) == arns[-1]
    assert arns[-1].endswith(":10")


async def test_a_family_is_not_found_by_its_beginning(scripted_aws: Aws, script: ScriptedAws) -> None:
    script.answers(taskDefinitionArns=["arn:aws:ecs:r:1:task-definition/app-2:7"])
    assert await ecs.find_task_definition(scripted_aws, "app") is None


async def test_deregistering_what_does_not_exist_raises(aws: Aws) -> None:
    with pytest.raises(errors.SockerlessError, match="ecs:DeregisterTaskDefinition failed"):
        await ecs.deregister_task_definition(aws, "nosuch:1")


async def test_a_cluster_is_described_and_a_missing_one_is_not_found_with_the_fix(aws: Aws) -> None:
    await aws.call("ecs", "CreateCluster", clusterName="there")
    assert (await ecs.describe_cluster(aws, "there"))["status"] == "ACTIVE"
    with pytest.raises(errors.NotFound, match="sockerless-kit apply"):
        await ecs.describe_cluster(aws, "nosuch")


async def test_an_inactive_cluster_is_not_found(scripted_aws: Aws, script: ScriptedAws) -> None:
    script.answers(clusters=[{"clusterName": CLUSTER, "status": "INACTIVE"}], failures=[])
    with pytest.raises(errors.NotFound):
        await ecs.describe_cluster(scripted_aws, CLUSTER)


async def test_a_run_task_is_returned(scripted_aws: Aws, script: ScriptedAws) -> None:
    script.answers(tasks=[{"taskArn": ARN + "1", "lastStatus": "PROVISIONING"}], failures=[])
    assert await ecs.run_task(scripted_aws, REQUEST) == {"taskArn": ARN + "1", "lastStatus": "PROVISIONING"}
    assert script.asked[0].parameters == REQUEST


@pytest.mark.parametrize(
    ("reason", "remedy"),
    [
        ("RESOURCE:ENI", "use more subnets"),
        ("Capacity is unavailable at this time. Please try again later", "subnets in other zones"),
        ("You've reached the limit on the number of vCPUs you can run concurrently", "quota L-3032A538"),
        ("AGENT", "try again later"),
    ],
)
async def test_a_placement_failure_inside_a_success_raises_with_awss_reason(
    scripted_aws: Aws, script: ScriptedAws, reason: str, remedy: str
) -> None:
    script.answers(tasks=[], failures=[{"reason": reason}])
    with pytest.raises(errors.Unavailable) as caught:
        await ecs.run_task(scripted_aws, REQUEST)
    assert reason in caught.value.message
    assert remedy in caught.value.message


async def test_spot_without_capacity_names_what_makes_tasks_run_on_demand(
    scripted_aws: Aws, script: ScriptedAws
) -> None:
    on_spot = REQUEST | {"capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]}
    script.answers(tasks=[], failures=[{"reason": "Capacity is unavailable at this time"}])
    with pytest.raises(errors.Unavailable, match=r"on Fargate Spot: Capacity is unavailable .*fargate_weight"):
        await ecs.run_task(scripted_aws, on_spot)


async def test_an_answer_with_neither_task_nor_failure_raises(scripted_aws: Aws, script: ScriptedAws) -> None:
    script.answers(tasks=[], failures=[])
    with pytest.raises(errors.SystemFailure):
        await ecs.run_task(scripted_aws, REQUEST)


async def test_a_client_token_used_before_yields_the_task_it_started(scripted_aws: Aws, script: ScriptedAws) -> None:
    script.refuses("ConflictException", "token was used", resourceIds=[ARN + "1"])
    script.answers(tasks=[{"taskArn": ARN + "1", "lastStatus": "RUNNING"}], failures=[])
    assert (await ecs.run_task(scripted_aws, REQUEST))["taskArn"] == ARN + "1"
    assert script.asked[1].operation == "DescribeTasks"
    assert script.asked[1].parameters == {"cluster": CLUSTER, "tasks": [ARN + "1"]}


async def test_a_client_token_whose_task_is_gone_stays_a_conflict(scripted_aws: Aws, script: ScriptedAws) -> None:
    script.refuses("ConflictException", "token was used", resourceIds=[ARN + "1"])
    script.answers(tasks=[], failures=[{"arn": ARN + "1", "reason": "MISSING"}])
    with pytest.raises(errors.Conflict, match="token was used"):
        await ecs.run_task(scripted_aws, REQUEST)


async def test_a_conflict_that_names_no_task_stays_a_conflict(scripted_aws: Aws, script: ScriptedAws) -> None:
    script.refuses("ConflictException", "token was used")
    with pytest.raises(errors.Conflict):
        await ecs.run_task(scripted_aws, REQUEST)


async def test_tasks_are_described_100_to_a_call(scripted_aws: Aws, script: ScriptedAws) -> None:
    arns = [f"{ARN}{number}" for number in range(250)]
    for _ in range(3):
        script.answers(tasks=[], failures=[])
    await ecs.describe_tasks(scripted_aws, CLUSTER, arns)
    assert sorted(len(asked.parameters["tasks"]) for asked in script.asked) == [50, 100, 100]
    assert sorted(arn for asked in script.asked for arn in asked.parameters["tasks"]) == sorted(arns)


async def test_no_tasks_are_described_without_a_call(scripted_aws: Aws, script: ScriptedAws) -> None:
    assert await ecs.describe_tasks(scripted_aws, CLUSTER, []) == {}
    assert script.asked == []


async def test_a_missing_task_is_absent_and_the_others_are_there(scripted_aws: Aws, script: ScriptedAws) -> None:
    script.answers(tasks=[{"taskArn": ARN + "1"}], failures=[{"arn": ARN + "2", "reason": "MISSING"}])
    assert await ecs.describe_tasks(scripted_aws, CLUSTER, [ARN + "1", ARN + "2"]) == {
        ARN + "1": {"taskArn": ARN + "1"}
    }


async def test_any_other_failure_to_describe_raises(scripted_aws: Aws, script: ScriptedAws) -> None:
    script.answers(tasks=[{"taskArn": ARN + "1"}], failures=[{"arn": ARN + "2", "reason": "ACCESS", "detail": "why"}])
    with pytest.raises(errors.SystemFailure, match="ACCESS why"):
        await ecs.describe_tasks(scripted_aws, CLUSTER, [ARN + "1", ARN + "2"])


async def test_a_missing_cluster_is_not_an_empty_answer(scripted_aws: Aws, script: ScriptedAws) -> None:
    script.refuses("ClusterNotFoundException", "Cluster not found.")
    with pytest.raises(errors.SystemFailure, match="sockerless-kit apply"):
        await ecs.describe_tasks(scripted_aws, CLUSTER, [ARN + "1"])


async def test_tags_are_asked_for_when_wanted(scripted_aws: Aws, script: ScriptedAws) -> None:
    script.answers(tasks=[], failures=[])
    await ecs.describe_tasks(scripted_aws, CLUSTER, [ARN + "1"], with_tags=True)
    assert script.asked[0].parameters["include"] == ["TAGS"]


async def test_all_pages_of_tasks_are_listed(scripted_aws: Aws, script: ScriptedAws) -> None:
    script.answers(taskArns=["a", "b"], nextToken="2")
    script.answers(taskArns=[], nextToken="3")
    script.answers(taskArns=["c"])
    assert await ecs.list_tasks(scripted_aws, CLUSTER, "sockerless/1", "STOPPED") == ["a", "b", "c"]
    assert [asked.parameters.get("nextToken") for asked in script.asked] == [None, "2", "3"]
    assert all(asked.parameters["startedBy"] == "sockerless/1" for asked in script.asked)
    assert all(asked.parameters["desiredStatus"] == "STOPPED" for asked in script.asked)


async def test_a_page_that_fails_is_not_a_shorter_list(scripted_aws: Aws, script: ScriptedAws) -> None:
    script.answers(taskArns=["a", "b"], nextToken="2")
    script.refuses("AccessDeniedException", "no")
    with pytest.raises(errors.Forbidden):
        await ecs.list_tasks(scripted_aws, CLUSTER, None, "RUNNING")


async def test_tasks_of_every_starter_are_listed_without_a_filter(scripted_aws: Aws, script: ScriptedAws) -> None:
    script.answers(taskArns=[])
    await ecs.list_tasks(scripted_aws, CLUSTER, None, "RUNNING")
    assert "startedBy" not in script.asked[0].parameters


async def test_a_task_is_stopped_with_its_reason_cut_to_the_255_characters_of_awss_reference(
    scripted_aws: Aws, script: ScriptedAws
) -> None:
    script.answers(task={"taskArn": ARN + "1"})
    await ecs.stop_task(scripted_aws, CLUSTER, ARN + "1", "r" * 2000)
    assert script.asked[0].parameters == {"cluster": CLUSTER, "task": ARN + "1", "reason": "r" * 255}


async def test_stopping_a_task_that_ecs_no_longer_knows_is_done(scripted_aws: Aws, script: ScriptedAws) -> None:
    script.refuses("InvalidParameterException", "The referenced task was not found.")
    await ecs.stop_task(scripted_aws, CLUSTER, ARN + "1", "gone")


async def test_stopping_where_asking_fails_raises(scripted_aws: Aws, script: ScriptedAws) -> None:
    script.refuses("AccessDeniedException", "no")
    with pytest.raises(errors.Forbidden):
        await ecs.stop_task(scripted_aws, CLUSTER, ARN + "1", "done")
