"""A network that is there already, and the range of a new one, are checked beforehand; moto is the AWS."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from sockerless.errors import InvalidParameter
from sockerless.kit import network, project
from tests.kit.answering import answering

REGION = "eu-central-1"
NONE_HERE = "vpc-0123456789abcdef0"


@dataclass(frozen=True)
class There:
    """A VPC with two subnets in one zone and one in another, and what a test adds to it."""

    endpoint_url: str
    ec2: Any
    vpc_id: str
    subnet_ids: tuple[str, ...]

    def examined(self, **settings: Any) -> list[str]:
        """The warnings about a deployment there, with other settings where they are given."""
        asked = {"network": "existing", "vpc_id": self.vpc_id, "subnet_ids": self.subnet_ids[1:]} | settings
        simulated = {"target": "simulator", "endpoint_url": self.endpoint_url, "region": REGION}
        return network.examine(project.from_mapping(Path("/nowhere"), asked | simulated))

    def refusal(self, **settings: Any) -> str:
        """The sentence that such a deployment is refused with."""
        with pytest.raises(InvalidParameter) as refused:
            self.examined(**settings)
        return refused.value.message

    def group(self, vpc_id: str, *ports: tuple[str, int, int]) -> str:
        """A security group of the VPC that lets these in from anywhere: protocol, first and last port."""
        made: str = self.ec2.create_security_group(GroupName=f"g-{ports}", Description="d", VpcId=vpc_id)["GroupId"]
        for protocol, first, last in ports:
            self.ec2.authorize_security_group_ingress(
                GroupId=made,
                IpPermissions=[
                    {"IpProtocol": protocol, "FromPort": first, "ToPort": last, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
                ],
            )
        return made

    def leads_out_by(self, **target: str) -> None:
        """Gives the VPC's main route table this default route."""
        [table] = self.ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [self.vpc_id]}])["RouteTables"]
        self.ec2.create_route(RouteTableId=table["RouteTableId"], DestinationCidrBlock="0.0.0.0/0", **target)

    def internet_gateway(self) -> str:
        """An internet gateway of the VPC."""
        made: str = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self.ec2.attach_internet_gateway(InternetGatewayId=made, VpcId=self.vpc_id)
        return made

    def nat_gateway(self) -> str:
        """A NAT gateway in the VPC."""
        address = self.ec2.allocate_address(Domain="vpc")["AllocationId"]
        made = self.ec2.create_nat_gateway(SubnetId=self.subnet_ids[0], AllocationId=address)
        return str(made["NatGateway"]["NatGatewayId"])


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    """moto as a server; its URL."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture
def there(aws: str) -> There:
    """A VPC of its own for each test."""
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    ec2 = boto3.client("ec2", endpoint_url=aws, region_name=REGION, **keys)
    vpc_id = _vpc(ec2)
    zones = [f"{REGION}a", f"{REGION}a", f"{REGION}b"]
    return There(aws, ec2, vpc_id, tuple(_subnet(ec2, vpc_id, index, zone) for index, zone in enumerate(zones)))


def _vpc(ec2: Any) -> str:
    made: str = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    ec2.modify_vpc_attribute(VpcId=made, EnableDnsHostnames={"Value": True})
    return made


def _subnet(ec2: Any, vpc_id: str, index: int, zone: str) -> str:
    made = ec2.create_subnet(VpcId=vpc_id, CidrBlock=f"10.9.{index}.0/24", AvailabilityZone=zone)
    return str(made["Subnet"]["SubnetId"])


def test_a_network_behind_nat_is_taken_without_a_word(there: There) -> None:
    there.leads_out_by(NatGatewayId=there.nat_gateway())
    assert there.examined() == []


def test_a_vpc_that_is_not_there_is_named(there: There) -> None:
    assert there.refusal(vpc_id=NONE_HERE) == (f"vpc_id: there is no VPC {NONE_HERE} in {REGION} of this AWS account")


def test_a_vpc_without_subnets_is_named(there: There) -> None:
    empty = _vpc(there.ec2)
    assert there.refusal(vpc_id=empty) == (f"vpc_id: {empty} has no subnet; make one there, or choose another network")


def test_a_vpc_without_dns_names_is_refused_with_the_command_that_helps(there: There) -> None:
    there.ec2.modify_vpc_attribute(VpcId=there.vpc_id, EnableDnsHostnames={"Value": False})
    assert there.refusal() == (
        f"vpc_id: {there.vpc_id} has enableDnsHostnames off, and tasks find EFS by its DNS name; turn it on with "
        "`aws ec2 modify-vpc-attribute`"
    )


def test_a_subnet_that_is_not_there_is_named_with_those_that_are(there: There) -> None:
    assert there.refusal(subnet_ids=("subnet-0123456789abcdef0",)) == (
        f"subnet_ids: there is no subnet-0123456789abcdef0 in {there.vpc_id}; it has "
        f"{', '.join(sorted(there.subnet_ids))}"
    )


def test_a_subnet_of_another_vpc_is_named_with_its_own(there: There) -> None:
    other = _vpc(there.ec2)
    strange = _subnet(there.ec2, other, 0, f"{REGION}a")
    assert there.refusal(subnet_ids=(strange,)).startswith(
        f"subnet_ids: {strange} is in {other}, not in {there.vpc_id}; it has "
    )


def test_a_security_group_that_is_not_there_is_named(there: There) -> None:
    assert there.refusal(security_group_ids=("sg-0123456789abcdef0",)) == (
        f"security_group_ids: there is no sg-0123456789abcdef0 in {there.vpc_id}"
    )


def test_a_security_group_of_another_vpc_is_named_with_its_own(there: There) -> None:
    other = _vpc(there.ec2)
    strange = there.group(other)
    assert there.refusal(security_group_ids=(strange,)) == (
        f"security_group_ids: {strange} is in {other}, not in {there.vpc_id}"
    )


def test_two_subnets_in_one_zone_are_a_warning(there: There) -> None:
    there.leads_out_by(NatGatewayId=there.nat_gateway())
    assert there.examined(subnet_ids=there.subnet_ids) == [
        f"2 of subnet_ids are in {REGION}a: EFS has one mount target there, in the first of them by id"
    ]


def test_no_way_out_and_no_endpoints_are_a_warning(there: There) -> None:
    [warning, _] = there.examined()
    assert warning == (
        f"{there.subnet_ids[1]} has no default route, and the VPC no endpoint for ecr.api, ecr.dkr, logs, s3"
    )


def test_endpoints_lead_out(there: There) -> None:
    for service in ("ecr.api", "ecr.dkr", "logs"):
        name = f"com.amazonaws.{REGION}.{service}"
        there.ec2.create_vpc_endpoint(VpcId=there.vpc_id, ServiceName=name, VpcEndpointType="Interface")
    assert "no endpoint for s3" in there.examined()[0]
    there.ec2.create_vpc_endpoint(VpcId=there.vpc_id, ServiceName=f"com.amazonaws.{REGION}.s3")
    assert there.examined() == []


def test_private_addresses_do_not_pass_an_internet_gateway(there: There) -> None:
    there.leads_out_by(GatewayId=there.internet_gateway())
    [warning, _] = there.examined()
    assert warning == (
        f"{there.subnet_ids[1]} leads out through an internet gateway, which only public addresses pass: "
        "set assign_public_ip"
    )
    assert there.examined(assign_public_ip=True) == []


def test_public_addresses_are_not_reached_through_nat(there: There) -> None:
    gateway = there.nat_gateway()
    there.leads_out_by(NatGatewayId=gateway)
    [warning, _] = there.examined(assign_public_ip=True)
    assert warning == f"{there.subnet_ids[1]} leads out through {gateway}, where nobody reaches public addresses"


def test_a_subnet_s_own_route_table_counts_before_the_main_one(there: There) -> None:
    there.leads_out_by(NatGatewayId=there.nat_gateway())
    own = there.ec2.create_route_table(VpcId=there.vpc_id)["RouteTable"]["RouteTableId"]
    there.ec2.associate_route_table(RouteTableId=own, SubnetId=there.subnet_ids[1])
    [warning] = there.examined()
    assert warning.startswith(f"{there.subnet_ids[1]} has no default route")


@pytest.mark.parametrize(
    ("ports", "warned"),
    [
        ((), True),
        ((("tcp", 80, 443),), True),
        ((("udp", 9111, 9111),), True),
        ((("tcp", 9111, 9111),), False),
        ((("tcp", 22, 22), ("tcp", 9000, 9200)), False),
        ((("-1", -1, -1),), False),
    ],
)
def test_security_groups_that_let_nobody_dial_the_agents_are_a_warning(
    there: There, ports: tuple[tuple[str, int, int], ...], warned: bool
) -> None:
    there.leads_out_by(NatGatewayId=there.nat_gateway())
    warnings = there.examined(security_group_ids=(there.group(there.vpc_id, *ports),))
    assert [("none of security_group_ids lets TCP 9111 in" in one) for one in warnings] == ([True] if warned else [])


@pytest.mark.parametrize(
    ("settings", "warned"),
    [
        ({"network": "public"}, True),
        ({"network": "public", "daemon_cidrs": ["203.0.113.7/32"]}, False),
        ({"network": "public", "target": "simulator"}, False),
        ({"network": "nat"}, False),
        ({"network": "private"}, False),
    ],
)
def test_public_addresses_that_nobody_may_dial_are_a_warning(settings: dict[str, Any], warned: bool) -> None:
    warnings = network.examine(project.from_mapping(Path("/nowhere"), settings))
    assert [one.startswith("daemon_cidrs is empty") for one in warnings] == ([True] if warned else [])


def test_a_cache_that_a_private_network_cannot_fill_is_a_warning() -> None:
    settings = {"network": "private", "pull_through": ["public-ecr"]}
    [warning] = network.examine(project.from_mapping(Path("/nowhere"), settings))
    assert warning.startswith("ECR pulls an image through its cache for the first time only where")


def _tagged(there: There, cidr: str, **tags: str) -> str:
    """A further VPC; tags: its own, with _ for the colon."""
    listed = [{"Key": key.replace("_", ":"), "Value": value} for key, value in tags.items()]
    made = there.ec2.create_vpc(CidrBlock=cidr, TagSpecifications=[{"ResourceType": "vpc", "Tags": listed}])
    return str(made["Vpc"]["VpcId"])


def _overlap(there: There, **settings: Any) -> str:
    simulated = {"target": "simulator", "endpoint_url": there.endpoint_url, "region": REGION}
    return network.warn_of_overlap(project.from_mapping(Path("/nowhere"), settings | simulated))


def test_a_vpc_with_the_same_addresses_is_named(there: There) -> None:
    taken = _tagged(there, "10.77.0.0/16", Name="prod")
    assert _overlap(there, network_cidr="10.77.128.0/20") == (
        f"network_cidr: 10.77.128.0/20 overlaps {taken} (prod, 10.77.0.0/16) in {REGION}, so the two can never be "
        "peered and a daemon there never reaches the tasks; choose another range unless they stay apart"
    )
    assert _overlap(there, network_cidr="10.78.0.0/20") == ""


def test_a_range_that_a_vpc_got_later_counts_too(there: There) -> None:
    taken = _tagged(there, "10.80.0.0/16", Name="grown")
    there.ec2.associate_vpc_cidr_block(VpcId=taken, CidrBlock="10.81.0.0/16")
    assert f"overlaps {taken} (grown, 10.80.0.0/16, 10.81.0.0/16)" in _overlap(there, network_cidr="10.81.0.0/24")


def test_the_deployment_s_own_vpc_is_in_nobody_s_way(there: There) -> None:
    _tagged(there, "10.82.0.0/16", sockerless_project="sockerless")
    assert _overlap(there, network_cidr="10.82.0.0/16") == ""
    assert "overlaps vpc-" in _overlap(there, network_cidr="10.82.0.0/16", name="another")


def test_a_network_that_is_there_already_overlaps_nothing(there: There) -> None:
    existing = {"network": "existing", "vpc_id": there.vpc_id, "subnet_ids": there.subnet_ids[1:]}
    assert _overlap(there, network_cidr="10.9.0.0/16", **existing) == ""


def test_that_ranges_could_not_be_asked_is_said() -> None:
    refusal = b"<Response><Errors><Error><Code>UnauthorizedOperation</Code></Error></Errors></Response>"
    with answering(None, {"/": (403, refusal)}) as url:
        simulated = {"target": "simulator", "endpoint_url": url, "region": REGION}
        told = network.warn_of_overlap(project.from_mapping(Path("/nowhere"), simulated))
    assert told.startswith(
        "network_cidr: whether another VPC has the range could not be asked: ec2:DescribeVpcs failed"
    )


@pytest.mark.parametrize(
    ("settings", "warned"),
    [
        ({"network_cidr": "172.17.0.0/16"}, True),
        ({"network_cidr": "172.17.4.0/24"}, True),
        ({"network_cidr": "172.17.0.0/16", "target": "simulator"}, False),
        ({"network_cidr": "172.18.0.0/16"}, False),
    ],
)
def test_the_bridge_of_a_docker_engine_is_a_warning(settings: dict[str, Any], warned: bool) -> None:
    warnings = network.examine(project.from_mapping(Path("/nowhere"), settings))
    assert [one.startswith("network_cidr: 172.17.") and "own bridge" in one for one in warnings] == [True] * warned
