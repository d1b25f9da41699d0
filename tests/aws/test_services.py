"""EC2, CloudWatch Logs, ECR, STS, EFS and Service Quotas, against moto or prepared answers."""

from __future__ import annotations

import time

import pytest

from sockerless import errors
from sockerless.aws import ec2, ecr, efs, logs, quotas, regions, sts
from sockerless.aws.session import Aws
from tests.aws.conftest import ScriptedAws


async def _interface(aws: Aws) -> str:
    vpc = await aws.call("ec2", "CreateVpc", CidrBlock="10.0.0.0/16")
    subnet = await aws.call("ec2", "CreateSubnet", VpcId=vpc["Vpc"]["VpcId"], CidrBlock="10.0.0.0/24")
    made = await aws.call("ec2", "CreateNetworkInterface", SubnetId=subnet["Subnet"]["SubnetId"])
    return str(made["NetworkInterface"]["NetworkInterfaceId"])


async def _stream(aws: Aws, group: str, messages: list[str]) -> int:
    now = int(time.time() * 1000)
    await aws.call("logs", "CreateLogGroup", logGroupName=group)
    await aws.call("logs", "CreateLogStream", logGroupName=group, logStreamName="s")
    events = [{"timestamp": now + i, "message": message} for i, message in enumerate(messages)]
    await aws.call("logs", "PutLogEvents", logGroupName=group, logStreamName="s", logEvents=events)
    return now


async def test_a_public_address_is_the_one_associated_with_the_interface(aws: Aws) -> None:
    eni_id = await _interface(aws)
    assert await ec2.public_address(aws, eni_id) is None
    address = await aws.call("ec2", "AllocateAddress", Domain="vpc")
    await aws.call("ec2", "AssociateAddress", AllocationId=address["AllocationId"], NetworkInterfaceId=eni_id)
    assert await ec2.public_address(aws, eni_id) == address["PublicIp"]


async def test_the_address_of_an_interface_that_is_gone_is_not_found(aws: Aws) -> None:
    with pytest.raises(errors.NotFound, match="eni-0123"):
        await ec2.public_address(aws, "eni-0123")


async def test_a_streams_events_come_in_order_with_their_times(aws: Aws) -> None:
    now = await _stream(aws, "/ordered", ["one", "zwei ü", ""][:2])
    page = await logs.log_events(aws, "/ordered", "s", None)
    assert page.messages == [(now, "one"), (now + 1, "zwei ü")]


async def test_the_end_of_a_stream_is_the_same_token_twice(aws: Aws) -> None:
    await _stream(aws, "/ended", ["one"])
    first = await logs.log_events(aws, "/ended", "s", None)
    second = await logs.log_events(aws, "/ended", "s", first.next_token)
    assert second.messages == []
    third = await logs.log_events(aws, "/ended", "s", second.next_token)
    assert (third.messages, third.next_token) == ([], second.next_token)


async def test_a_page_is_asked_from_the_head_with_the_token(scripted_aws: Aws, script: ScriptedAws) -> None:
    script.answers(events=[], nextForwardToken="f/2", nextBackwardToken="b/2")
    page = await logs.log_events(scripted_aws, "/g", "s", "f/1")
    assert page == logs.LogPage([], "f/2")
    assert script.asked[0].parameters == {
        "logGroupName": "/g",
        "logStreamName": "s",
        "startFromHead": True,
        "nextToken": "f/1",
    }


async def test_a_stream_that_is_not_there_yet_is_not_found(aws: Aws) -> None:
    await aws.call("logs", "CreateLogGroup", logGroupName="/streamless")
    with pytest.raises(errors.NotFound, match="no stream sockerless/main/1"):
        await logs.log_events(aws, "/streamless", "sockerless/main/1", None)


async def test_a_missing_log_group_is_a_failure_and_not_an_absent_stream(aws: Aws) -> None:
    with pytest.raises(errors.SystemFailure, match="SOCKERLESS_ECS_LOG_GROUP"):
        await logs.log_events(aws, "/nosuch", "s", None)


async def test_ecrs_token_becomes_basic_credentials_for_its_registry(aws: Aws) -> None:
    authorization = await ecr.authorization(aws)
    assert authorization.username == "AWS"
    assert authorization.password
    assert authorization.proxy_endpoint == "https://123456789012.dkr.ecr.eu-central-1.amazonaws.com"
    assert authorization.expires_at.tzinfo is not None


async def test_ecrs_password_may_hold_colons_and_is_never_shown(scripted_aws: Aws, script: ScriptedAws) -> None:
    script.answers(
        authorizationData=[
            {"authorizationToken": "QVdTOnNlY3I6ZXQ=", "proxyEndpoint": "https://r", "expiresAt": 1767323045.0}
        ]
    )
    authorization = await ecr.authorization(scripted_aws)
    assert authorization.password == "secr:et"
    assert "secr:et" not in repr(authorization)
    assert authorization.expires_at.timestamp() == 1767323045.0


async def test_ecr_without_credentials_in_its_answer_raises(scripted_aws: Aws, script: ScriptedAws) -> None:
    script.answers(authorizationData=[])
    with pytest.raises(errors.SystemFailure):
        await ecr.authorization(scripted_aws)


async def test_the_identity_is_account_and_arn(aws: Aws) -> None:
    found = await sts.identity(aws)
    assert found.account == "123456789012"
    assert found.arn.startswith("arn:aws:sts::123456789012:")


async def test_an_access_point_is_described_and_a_missing_one_not_found(aws: Aws) -> None:
    system = await aws.call("efs", "CreateFileSystem", CreationToken="t")
    made = await aws.call("efs", "CreateAccessPoint", ClientToken="t", FileSystemId=system["FileSystemId"])
    point = await efs.access_point(aws, made["AccessPointId"])
    assert point["FileSystemId"] == system["FileSystemId"]
    with pytest.raises(errors.NotFound, match="fsap-0123"):
        await efs.access_point(aws, "fsap-0123")


async def test_awss_own_words_for_a_missing_stream_need_no_second_call(scripted_aws: Aws, script: ScriptedAws) -> None:
    script.refuses("ResourceNotFoundException", "The specified log stream does not exist.")
    with pytest.raises(errors.NotFound, match="log stream does not exist"):
        await logs.log_events(scripted_aws, "/g", "s", None)
    assert len(script.asked) == 1


async def test_a_quota_that_was_never_changed_is_aws_s_default(scripted_aws: Aws, script: ScriptedAws) -> None:
    script.refuses("NoSuchResourceException", "The request failed because the specified service quota does not exist.")
    script.answers(Quota={"Value": 6.0})
    assert await quotas.fargate_vcpus(scripted_aws, quotas.SPOT_VCPUS) == 6.0
    assert [asked.operation for asked in script.asked] == ["GetServiceQuota", "GetAWSDefaultServiceQuota"]
    assert script.asked[1].parameters == {"ServiceCode": "fargate", "QuotaCode": "L-36FBB829"}


async def test_a_region_tells_whether_the_account_may_use_it(aws: Aws) -> None:
    assert await ec2.region_status(aws, "eu-central-1") == "opt-in-not-required"


async def test_free_addresses_are_those_of_the_subnets_asked_for_in_their_order(aws: Aws) -> None:
    vpc = await aws.call("ec2", "CreateVpc", CidrBlock="10.1.0.0/16")
    made = [
        (await aws.call("ec2", "CreateSubnet", VpcId=vpc["Vpc"]["VpcId"], CidrBlock=cidr))["Subnet"]["SubnetId"]
        for cidr in ("10.1.0.0/28", "10.1.1.0/24")
    ]
    found = await ec2.subnets(aws, list(reversed(made)))
    assert [(subnet.id, subnet.free_addresses) for subnet in found] == [(made[1], 251), (made[0], 11)]


def test_regions_are_known_with_their_partitions() -> None:
    known = regions.known()
    assert (known["us-east-1"], known["cn-north-1"], known["us-gov-west-1"]) == ("aws", "aws-cn", "aws-us-gov")
    assert "eu-central-9" not in known
    assert {regions.open_region(known[region]) in known for region in ("eu-west-1", "cn-northwest-1")} == {True}
