"""What the option matrix leaves out of networks: one changed into another, and a VPC of yours that stays as it was."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sockerless.simulator.options import SimulatorOptions
from sockerless.simulator.server import Simulator
from tests.simulator.conftest import Account
from tests.simulator.remains import remains
from tests.templates.directory import Directory

pytestmark = [pytest.mark.terraform, pytest.mark.slow, pytest.mark.timeout(1200)]
PREFIX = "com.amazonaws.us-east-1."


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """A simulated AWS in which only terraform works."""
    options = SimulatorOptions(throttle=False, spare_interfaces=0)
    running = Simulator(port=0, state_dir=tmp_path_factory.mktemp("simulator"), options=options)
    running.start()
    yield Account(running.endpoint_url)
    running.stop()


def test_a_network_is_changed_into_each_other_kind_and_back(account: Account, tmp_path: Path) -> None:
    before = remains(account)
    directory = Directory(tmp_path, account.endpoint_url)
    small = {"zones": 3, "network_cidr": "10.0.7.0/24"}
    directory.render(network="nat", nat_gateways="zone", **small)
    directory.init()
    directory.apply()
    assert ways_out(account, directory) == ({"nat-"}, 3, {"s3"})
    directory.render(network="public", flow_logs="all", **small)
    directory.apply()
    assert ways_out(account, directory) == ({"igw-"}, 0, {"s3"})
    directory.render(network="private", daemon_cidrs=["192.168.7.0/24"], flow_logs="off", **small)
    directory.apply()
    assert ways_out(account, directory) == (set(), 0, {"s3", "ecr.api", "ecr.dkr", "logs"})
    small["zones"] = 2
    directory.render(network="private", daemon_cidrs=["192.168.7.0/24"], flow_logs="off", **small)
    directory.apply()
    assert len(directory.output("task_subnet_ids")) == 2
    assert bucket_statements(account, directory) == ["LayersOfImages", "BucketsOfThisAccount"]
    directory.render(network="nat", **small)
    directory.apply()
    assert ways_out(account, directory) == ({"nat-"}, 1, {"s3"})
    assert bucket_statements(account, directory) == ["AnyBucket"]
    directory.destroy()
    assert remains(account) == before


def ways_out(account: Account, directory: Directory) -> tuple[set[str], int, set[str]]:
    """What the tasks' default routes lead to, by kind; how many NAT gateways there are; what has an endpoint."""
    ec2, outputs = account.client("ec2"), directory.outputs()
    vpc = [{"Name": "vpc-id", "Values": [outputs["vpc_id"]]}]
    subnets = [{"Name": "association.subnet-id", "Values": outputs["task_subnet_ids"]}]
    routes = [route for table in ec2.describe_route_tables(Filters=subnets)["RouteTables"] for route in table["Routes"]]
    leads = [route for route in routes if route.get("DestinationCidrBlock") == "0.0.0.0/0"]
    gateways = [one for one in ec2.describe_nat_gateways(Filters=vpc)["NatGateways"] if one["State"] == "available"]
    endpoints = [one for one in ec2.describe_vpc_endpoints(Filters=vpc)["VpcEndpoints"] if one["State"] != "deleted"]
    return (
        {(route.get("NatGatewayId") or route["GatewayId"])[:4] for route in leads},
        len(gateways),
        {one["ServiceName"].removeprefix(PREFIX) for one in endpoints},
    )


def bucket_statements(account: Account, directory: Directory) -> list[str]:
    """What the policy of S3's endpoint allows, by name."""
    mine = [{"Name": "vpc-id", "Values": [directory.output("vpc_id")]}]
    endpoints = account.client("ec2").describe_vpc_endpoints(Filters=mine)["VpcEndpoints"]
    [policy] = [one["PolicyDocument"] for one in endpoints if one["ServiceName"] == f"{PREFIX}s3"]
    return [statement["Sid"] for statement in json.loads(policy)["Statement"]]


@pytest.mark.parametrize("own_groups", [False, True], ids=["groups made", "groups given"])
def test_nothing_of_an_existing_network_is_changed(account: Account, tmp_path: Path, own_groups: bool) -> None:
    ec2 = account.client("ec2")
    existing = given(ec2)
    group = ec2.create_security_group(GroupName="yours", Description="yours", VpcId=existing["vpc_id"])["GroupId"]
    groups = {"security_group_ids": [group], "assign_public_ip": True} if own_groups else {}
    before, held_before = described(ec2), remains(account)
    directory = Directory(tmp_path, account.endpoint_url)
    directory.render(name="mine", network="existing", **existing, **groups)
    directory.init()
    directory.apply()
    standing, outputs = described(ec2), directory.outputs()
    assert [one for kind, ones in before.items() for one in ones if one not in standing[kind]] == []
    assert outputs["zone_names"] == ["us-east-1a", "us-east-1b"]
    assert (outputs["security_group_ids"] == [group]) == own_groups
    assert bool(outputs["daemon_security_group_ids"]) != own_groups
    assert outputs["assign_public_ip"] == own_groups
    directory.destroy()
    assert described(ec2) == before
    assert remains(account) == held_before


def given(ec2: Any) -> dict[str, Any]:
    """The settings for somebody else's VPC: three subnets, two of them in one zone."""
    vpc_id = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    ec2.modify_vpc_attribute(VpcId=vpc_id, EnableDnsHostnames={"Value": True})
    subnets = [
        ec2.create_subnet(VpcId=vpc_id, CidrBlock=f"10.9.{number}.0/24", AvailabilityZone=zone)["Subnet"]
        for number, zone in enumerate(("us-east-1a", "us-east-1a", "us-east-1b"))
    ]
    return {"vpc_id": vpc_id, "subnet_ids": [subnet["SubnetId"] for subnet in subnets]}


def described(ec2: Any) -> dict[str, Any]:
    """Everything a change of somebody else's network would show in; a subnet's free addresses are no such thing."""
    subnets = ec2.describe_subnets()["Subnets"]
    return {
        "vpcs": ec2.describe_vpcs()["Vpcs"],
        "subnets": [{key: value for key, value in one.items() if key != "AvailableIpAddressCount"} for one in subnets],
        "route tables": ec2.describe_route_tables()["RouteTables"],
        "security groups": ec2.describe_security_groups()["SecurityGroups"],
        "flow logs": ec2.describe_flow_logs()["FlowLogs"],
    }
