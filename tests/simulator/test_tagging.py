"""GetResources: every kind that a deployment makes, and for a while what is gone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sockerless.simulator.server import Simulator

from .conftest import Account

POLICY = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}]}
)
TAGS = {"sockerless:project": "tagged"}
ROWS = [{"Key": key, "Value": value} for key, value in TAGS.items()]


@pytest.fixture
def account(simulator: Simulator) -> Account:
    return Account(simulator.endpoint_url)


def told(account: Account) -> set[str]:
    """The ARNs that carry the tag, all pages, as "service:kind"."""
    client = account.client("resourcegroupstaggingapi")
    filters = [{"Key": key, "Values": [value]} for key, value in TAGS.items()]
    pages = client.get_paginator("get_resources").paginate(TagFilters=filters, ResourcesPerPage=2)
    return {one["ResourceARN"] for page in pages for one in page["ResourceTagMappingList"]}


def specification(kind: str) -> dict[str, Any]:
    return {"TagSpecifications": [{"ResourceType": kind, "Tags": ROWS}]}


def test_it_tells_of_every_kind_that_a_deployment_makes(account: Account) -> None:
    ec2 = account.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.77.0.0/16", **specification("vpc"))["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.77.1.0/24", **specification("subnet"))["Subnet"]["SubnetId"]
    group = ec2.create_security_group(
        GroupName="tagged", Description="x", VpcId=vpc, **specification("security-group")
    )["GroupId"]
    permission = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
    ec2.authorize_security_group_ingress(
        GroupId=group, IpPermissions=[permission], **specification("security-group-rule")
    )
    ec2.allocate_address(Domain="vpc", **specification("elastic-ip"))
    ec2.create_network_interface(SubnetId=subnet, **specification("network-interface"))
    account.client("ecr").create_repository(repositoryName="tagged", tags=ROWS)
    account.client("events").put_rule(Name="tagged", EventPattern='{"source": ["x"]}', Tags=ROWS)
    account.client("iam").create_policy(PolicyName="tagged", PolicyDocument=POLICY, Tags=ROWS)
    account.client("logs").create_log_group(logGroupName="/tagged", tags=TAGS)
    kinds = {":".join(arn.split(":")[2:3] + arn.split(":")[5:6]).partition("/")[0] for arn in told(account)}
    assert kinds == {
        "ec2:vpc",
        "ec2:subnet",
        "ec2:security-group",
        "ec2:security-group-rule",
        "ec2:elastic-ip",
        "ec2:network-interface",
        "ecr:repository",
        "events:rule",
        "iam:policy",
        "logs:log-group",
    }


def test_it_goes_on_telling_of_what_is_gone(account: Account) -> None:
    before = told(account)
    account.client("logs").delete_log_group(logGroupName="/tagged")
    account.client("ecr").delete_repository(repositoryName="tagged")
    assert told(account) == before
