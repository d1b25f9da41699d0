"""The simulated EC2 is as strict about networks as AWS is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sockerless.simulator.server import Simulator

from .conftest import Account

SERVICE = "com.amazonaws.us-east-1"


@dataclass(frozen=True)
class Network:
    """A VPC of a test's own with one subnet and one security group."""

    ec2: Any
    vpc_id: str
    subnet_id: str
    group_id: str

    def endpoint(self, service: str, **more: Any) -> dict[str, Any]:
        """An interface endpoint in the subnet with the group."""
        place = {"SubnetIds": [self.subnet_id], "SecurityGroupIds": [self.group_id], "VpcEndpointType": "Interface"}
        made: dict[str, Any] = self.ec2.create_vpc_endpoint(
            VpcId=self.vpc_id, ServiceName=f"{SERVICE}.{service}", **place, **more
        )["VpcEndpoint"]
        return made


@pytest.fixture
def network(simulator: Simulator) -> Network:
    ec2 = Account(simulator.endpoint_url).client("ec2")
    vpc_id = ec2.create_vpc(CidrBlock="10.40.0.0/16")["Vpc"]["VpcId"]
    subnet_id = ec2.create_subnet(VpcId=vpc_id, CidrBlock="10.40.0.0/24")["Subnet"]["SubnetId"]
    group_id = ec2.create_security_group(GroupName="own", Description="own", VpcId=vpc_id)["GroupId"]
    return Network(ec2, vpc_id, subnet_id, group_id)


def code(refused: Callable[[], object]) -> str:
    """The code AWS refuses this with."""
    with pytest.raises(ClientError) as error:
        refused()
    return str(error.value.response["Error"]["Code"])


@pytest.mark.parametrize(
    ("filters", "zones"),
    [
        ({"zone-name": "us-east-1?"}, 6),
        ({"zone-name": "us-east-1a"}, 1),
        ({"zone-name": "us-east-1?", "opt-in-status": "opt-in-not-required"}, 6),
        ({"zone-name": "us-east-1-*"}, 0),
        ({"opt-in-status": "opted-in"}, 0),
    ],
)
def test_zones_are_found_by_wildcards(network: Network, filters: dict[str, str], zones: int) -> None:
    asked = [{"Name": name, "Values": [value]} for name, value in filters.items()]
    assert len(network.ec2.describe_availability_zones(Filters=asked)["AvailabilityZones"]) == zones


def test_an_endpoint_of_an_unknown_service_is_refused(network: Network) -> None:
    assert code(lambda: network.endpoint("nonsense")) == "InvalidServiceName"


def test_only_one_endpoint_of_a_service_has_aws_s_own_name(network: Network) -> None:
    network.endpoint("sqs", PrivateDnsEnabled=True)
    assert code(lambda: network.endpoint("sqs", PrivateDnsEnabled=True)) == "InvalidParameter"
    network.endpoint("logs", PrivateDnsEnabled=True)


def test_an_endpoint_s_interfaces_carry_its_security_groups(network: Network) -> None:
    made = network.endpoint("ecs")
    interfaces = network.ec2.describe_network_interfaces(NetworkInterfaceIds=made["NetworkInterfaceIds"])
    [interface] = interfaces["NetworkInterfaces"]
    assert [group["GroupId"] for group in interface["Groups"]] == [network.group_id]
    assert (interface["RequesterManaged"], interface["InterfaceType"]) == (True, "vpc_endpoint")


def test_an_interface_endpoint_moves_with_its_subnets(network: Network) -> None:
    ec2 = network.ec2
    made = network.endpoint("ecs")["VpcEndpointId"]
    other = ec2.create_subnet(VpcId=network.vpc_id, CidrBlock="10.40.1.0/24")["Subnet"]["SubnetId"]
    ec2.modify_vpc_endpoint(VpcEndpointId=made, AddSubnetIds=[other], RemoveSubnetIds=[network.subnet_id])
    interfaces = ec2.describe_network_interfaces(Filters=[{"Name": "vpc-id", "Values": [network.vpc_id]}])
    [interface] = interfaces["NetworkInterfaces"]
    assert interface["SubnetId"] == other
    assert [group["GroupId"] for group in interface["Groups"]] == [network.group_id]
    ec2.delete_subnet(SubnetId=network.subnet_id)


def test_a_gateway_endpoint_is_in_its_route_tables(network: Network) -> None:
    ec2 = network.ec2
    first, second = (ec2.create_route_table(VpcId=network.vpc_id)["RouteTable"]["RouteTableId"] for _ in range(2))
    made = ec2.create_vpc_endpoint(VpcId=network.vpc_id, ServiceName=f"{SERVICE}.s3", RouteTableIds=[first])
    endpoint = made["VpcEndpoint"]["VpcEndpointId"]
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, AddRouteTableIds=[second], RemoveRouteTableIds=[first])

    def through(table_id: str) -> bool:
        [table] = ec2.describe_route_tables(RouteTableIds=[table_id])["RouteTables"]
        return any(route.get("GatewayId") == endpoint for route in table["Routes"])

    assert (through(first), through(second)) == (False, True)
    ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])
    assert not through(second)


def test_a_security_group_that_an_interface_carries_stays(network: Network) -> None:
    made = network.endpoint("ecs")
    assert code(lambda: network.ec2.delete_security_group(GroupId=network.group_id)) == "DependencyViolation"
    network.ec2.delete_vpc_endpoints(VpcEndpointIds=[made["VpcEndpointId"]])
    network.ec2.delete_security_group(GroupId=network.group_id)


def test_a_security_group_that_another_one_s_rule_names_stays(network: Network) -> None:
    ec2, pair = network.ec2, [{"GroupId": network.group_id}]
    other = ec2.create_security_group(GroupName="other", Description="other", VpcId=network.vpc_id)["GroupId"]
    rule = [{"IpProtocol": "tcp", "FromPort": 1, "ToPort": 2, "UserIdGroupPairs": pair}]
    ec2.authorize_security_group_ingress(GroupId=other, IpPermissions=rule)
    assert code(lambda: ec2.delete_security_group(GroupId=network.group_id)) == "DependencyViolation"
    ec2.delete_security_group(GroupId=other)
    ec2.delete_security_group(GroupId=network.group_id)


def test_a_rule_keeps_the_description_of_its_prefix_list(network: Network) -> None:
    ec2 = network.ec2
    [s3] = ec2.describe_prefix_lists(Filters=[{"Name": "prefix-list-name", "Values": [f"{SERVICE}.s3"]}])["PrefixLists"]
    lists = [{"PrefixListId": s3["PrefixListId"], "Description": "layers"}]
    rule = [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "PrefixListIds": lists}]
    ec2.authorize_security_group_egress(GroupId=network.group_id, IpPermissions=rule)
    group = [{"Name": "group-id", "Values": [network.group_id]}]
    rules = ec2.describe_security_group_rules(Filters=group)["SecurityGroupRules"]
    assert [one["Description"] for one in rules if "PrefixListId" in one] == ["layers"]


def test_a_request_sent_again_makes_nothing_twice(network: Network) -> None:
    ec2 = network.ec2
    asked = {"VpcId": network.vpc_id, "ClientToken": "once"}
    first, second = (ec2.create_route_table(**asked)["RouteTable"]["RouteTableId"] for _ in range(2))
    assert first == second
    assert ec2.create_route_table(VpcId=network.vpc_id)["RouteTable"]["RouteTableId"] != first
    other = ec2.create_vpc(CidrBlock="10.41.0.0/16")["Vpc"]["VpcId"]
    assert code(lambda: ec2.create_route_table(**asked | {"VpcId": other})) == "IdempotentParameterMismatch"


def test_a_refused_request_may_be_sent_again(network: Network) -> None:
    asked = {"VpcId": network.vpc_id, "ClientToken": "again", "ServiceName": f"{SERVICE}.nonsense"}
    for _ in range(2):
        assert code(lambda: network.ec2.create_vpc_endpoint(**asked)) == "InvalidServiceName"


def test_a_vpc_goes_last(network: Network) -> None:
    ec2, vpc_id = network.ec2, network.vpc_id
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc_id)
    made = ec2.create_vpc_endpoint(VpcId=vpc_id, ServiceName=f"{SERVICE}.s3")["VpcEndpoint"]["VpcEndpointId"]
    for remove in (
        lambda: ec2.delete_subnet(SubnetId=network.subnet_id),
        lambda: ec2.delete_security_group(GroupId=network.group_id),
        lambda: ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc_id),
        lambda: ec2.delete_vpc_endpoints(VpcEndpointIds=[made]),
    ):
        assert code(lambda: ec2.delete_vpc(VpcId=vpc_id)) == "DependencyViolation"
        remove()
    ec2.delete_vpc(VpcId=vpc_id)
