"""What stands in AWS and terraform does not know: recognised when one planned resource alone can be meant."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sockerless.errors import Conflict
from sockerless.kit import adopt, orphans
from sockerless.kit.plan import Plan
from sockerless.kit.project import Project

from .conftest import Simulated

NAME = "ci"


def tagged(name: str) -> dict[str, str]:
    """What the provider's default tags and a resource's own make of tags_all."""
    return {"sockerless:project": NAME, "Name": name}


def planned(kind: str, /, address: str = "", **values: Any) -> dict[str, Any]:
    """A resource that a plan would create, as `terraform show -json` tells it."""
    change = {"actions": ["create"], "before": None, "after": values}
    return {"address": address or f"module.m.{kind}.this", "mode": "managed", "type": kind, "change": change}


def found(project: Project, *changes: dict[str, Any], not_ours: frozenset[str] = frozenset()) -> dict[str, str]:
    return {one.address: one.id for one in orphans.find(project, {"resource_changes": list(changes)}, not_ours)}


@pytest.fixture(scope="module")
def network(simulated: Simulated) -> dict[str, str]:
    """A network that an apply made and could not note, as far as it got."""
    ec2 = simulated.client("ec2")

    def tags(kind: str, name: str) -> list[dict[str, Any]]:
        return [{"ResourceType": kind, "Tags": [{"Key": key, "Value": value} for key, value in tagged(name).items()]}]

    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=tags("vpc", "ci"))["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", TagSpecifications=tags("subnet", f"ci-{number}"))
        for number in (1, 2)
    ]
    table = ec2.create_route_table(VpcId=vpc, TagSpecifications=tags("route-table", "ci"))["RouteTable"]["RouteTableId"]
    group = ec2.create_security_group(
        GroupName="ci", Description="ci", VpcId=vpc, TagSpecifications=tags("security-group", "ci")
    )["GroupId"]
    rules = [
        ec2.authorize_security_group_ingress(
            GroupId=group,
            IpPermissions=[{"IpProtocol": "tcp", "FromPort": 9, "ToPort": 9, "IpRanges": [{"CidrIp": cidr}]}],
            TagSpecifications=tags("security-group-rule", "ci-agent"),
        )["SecurityGroupRules"][0]["SecurityGroupRuleId"]
        for cidr in ("10.1.0.0/16", "10.2.0.0/16")
    ]
    gateway = ec2.create_internet_gateway(TagSpecifications=tags("internet-gateway", "ci"))["InternetGateway"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway["InternetGatewayId"], VpcId=vpc)
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway["InternetGatewayId"])
    first = subnets[0]["Subnet"]["SubnetId"]
    ec2.associate_route_table(RouteTableId=table, SubnetId=first)
    return {"vpc": vpc, "subnet": first, "table": table, "group": group, "rule": rules[0], "other rule": rules[1]}


@pytest.fixture
def project(in_simulator: Callable[..., Project]) -> Project:
    return in_simulator(name=NAME)


def test_what_has_no_name_of_its_own_is_known_by_its_tags(project: Project, network: dict[str, str]) -> None:
    vpc = planned("aws_vpc", tags_all=tagged("ci"))
    subnet = planned("aws_subnet", tags_all=tagged("ci-1"))
    assert found(project, vpc, subnet) == {vpc["address"]: network["vpc"], subnet["address"]: network["subnet"]}


@pytest.mark.parametrize("tags", [{}, {"sockerless:project": NAME}, tagged("else"), {**tagged("ci"), "team": "x"}])
def test_other_tags_are_another_resource(project: Project, network: dict[str, str], tags: dict[str, str]) -> None:
    assert found(project, planned("aws_vpc", tags_all=tags)) == {}


def test_what_carried_the_name_before_is_not_ours(project: Project, network: dict[str, str]) -> None:
    vpc = planned("aws_vpc", tags_all=tagged("ci"))
    assert network["vpc"] in orphans.carrying_the_name(project)
    assert found(project, vpc, not_ours=orphans.carrying_the_name(project)) == {}


def test_what_terraform_knows_is_no_orphan(project: Project, network: dict[str, str]) -> None:
    known = planned("aws_vpc", "a")
    known["change"] = {"actions": ["no-op"], "before": {"id": network["vpc"]}, "after": {}}
    assert found(project, known, planned("aws_vpc", "b", tags_all=tagged("ci"))) == {}


def test_when_two_are_meant_neither_is(project: Project, network: dict[str, str]) -> None:
    twice = [planned("aws_vpc", address, tags_all=tagged("ci")) for address in ("a", "b")]
    assert found(project, *twice) == {}


def test_rules_with_the_same_tags_are_told_apart_by_what_they_let_through(
    project: Project, network: dict[str, str]
) -> None:
    rules = [
        planned(
            "aws_vpc_security_group_ingress_rule",
            f'rule["{cidr}"]',
            tags_all=tagged("ci-agent"),
            cidr_ipv4=cidr,
            ip_protocol="tcp",
            from_port=9,
        )
        for cidr in ("10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16")
    ]
    assert found(project, *rules) == {
        'rule["10.1.0.0/16"]': network["rule"],
        'rule["10.2.0.0/16"]': network["other rule"],
    }


def test_what_stands_in_a_parent_is_known_once_the_parent_is(project: Project, network: dict[str, str]) -> None:
    table, subnet = network["table"], network["subnet"]
    route = planned("aws_route", route_table_id=table, destination_cidr_block="0.0.0.0/0")
    other = planned("aws_route", "other", route_table_id=table, destination_cidr_block="10.9.0.0/16")
    joined = planned("aws_route_table_association", route_table_id=table, subnet_id=subnet)
    unknown = planned("aws_route", "unknown", destination_cidr_block="0.0.0.0/0")
    assert found(project, route, other, joined, unknown) == {
        route["address"]: f"{table}_0.0.0.0/0",
        joined["address"]: f"{subnet}/{table}",
    }


NAMED: dict[str, tuple[dict[str, str], str]] = {
    "aws_iam_role": ({"name": "ci-task"}, "ci-task"),
    "aws_iam_policy": ({"name": "ci-daemon", "path": "/"}, "arn:aws:iam::123456789012:policy/ci-daemon"),
    "aws_ecr_repository": ({"name": "ci/images"}, "ci/images"),
    "aws_cloudwatch_log_group": ({"name": "/ci"}, "/ci"),
    "aws_cloudwatch_event_rule": ({"name": "ci-events"}, "default/ci-events"),
    "aws_ecs_cluster": ({"name": "ci"}, "ci"),
    "aws_kms_alias": ({"name": "alias/ci"}, "alias/ci"),
    "aws_sqs_queue": ({"name": "ci-events"}, "/123456789012/ci-events"),
    "aws_efs_file_system": ({"creation_token": "ci"}, "fs-"),
    "aws_ecr_pull_through_cache_rule": ({"ecr_repository_prefix": "ci/quay"}, "ci/quay"),
    "aws_ecr_repository_creation_template": ({"prefix": "ci/quay"}, "ci/quay"),
}
"""Each kind with a name that AWS takes once: its planned attributes, and what the import's id has in it."""


@pytest.fixture(scope="module")
def names(simulated: Simulated) -> None:
    """One of each."""
    policy = '{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:ListBucket", "Resource": "*"}]}'
    iam, kms, ecr = simulated.client("iam"), simulated.client("kms"), simulated.client("ecr")
    iam.create_role(RoleName="ci-task", AssumeRolePolicyDocument="{}")
    iam.create_policy(PolicyName="ci-daemon", PolicyDocument=policy)
    ecr.create_repository(repositoryName="ci/images")
    ecr.create_pull_through_cache_rule(ecrRepositoryPrefix="ci/quay", upstreamRegistryUrl="quay.io")
    ecr.create_repository_creation_template(prefix="ci/quay", appliedFor=["PULL_THROUGH_CACHE"])
    simulated.client("logs").create_log_group(logGroupName="/ci")
    simulated.client("events").put_rule(Name="ci-events", EventPattern='{"source": ["x"]}')
    simulated.client("ecs").create_cluster(clusterName="ci")
    kms.create_alias(AliasName="alias/ci", TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"])
    simulated.client("sqs").create_queue(QueueName="ci-events")
    simulated.client("efs").create_file_system(CreationToken="ci")


@pytest.mark.parametrize("kind", NAMED)
def test_a_name_that_is_taken_is_found(project: Project, names: None, kind: str) -> None:
    values, id_ = NAMED[kind]
    one = planned(kind, **values)
    [(address, import_id)] = found(project, one).items()
    assert address == one["address"]
    assert id_ in import_id


@pytest.mark.parametrize("kind", NAMED)
def test_a_name_that_is_free_is_not(project: Project, names: None, kind: str) -> None:
    values, _ = NAMED[kind]
    assert found(project, planned(kind, **{key: f"{value}-free" for key, value in values.items()})) == {}


def test_a_plan_that_would_create_what_is_there_is_refused(project: Project, names: None) -> None:
    document = {"resource_changes": [planned(kind, **NAMED[kind][0]) for kind in ("aws_iam_role", "aws_ecs_cluster")]}
    plan = Plan(project.directory / "plan", (), (), document)
    with pytest.raises(Conflict) as refused:
        adopt.refuse_taken_names(project, plan)
    assert "aws_iam_role.this cannot be created: ci-task exists already (and 1 more)" in refused.value.message
    assert "choose another name in" in refused.value.message
    assert "`sockerless-kit apply --adopt`" in refused.value.message


def test_a_plan_that_takes_no_name_is_not(project: Project, names: None) -> None:
    adopt.refuse_taken_names(project, Plan(project.directory / "plan", (), (), {"resource_changes": []}))
