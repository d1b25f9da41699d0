"""EC2's networks: VPCs, and what is in them. What stands is read, nothing is changed.

Law: what is not there is left out of an answer, or None; a call that fails raises.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sockerless.aws.session import Aws
from sockerless.types import JsonObject

_ANY_PROTOCOL = "-1"
_PAGE = 1000
"""The most that DescribeVpcs lists at a time."""
_TARGETS = (
    "GatewayId",
    "NatGatewayId",
    "TransitGatewayId",
    "NetworkInterfaceId",
    "VpcPeeringConnectionId",
    "LocalGatewayId",
    "CarrierGatewayId",
    "CoreNetworkArn",
)
"""The members of a Route that say where it leads (EC2 API reference, Route)."""


@dataclass(frozen=True, slots=True)
class Vpc:
    """A VPC and whether it resolves names (enableDnsSupport) and gives them (enableDnsHostnames)."""

    id: str
    dns_support: bool
    dns_hostnames: bool


@dataclass(frozen=True, slots=True)
class VpcRange:
    """A VPC, its tags, and the IPv4 ranges it has ("10.0.0.0/16")."""

    id: str
    tags: Mapping[str, str]
    cidrs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Subnet:
    """A subnet: its VPC, its availability zone, and where its default route leads.

    default_route: the gateway's id by its kind ("igw-...", "nat-...", "tgw-..."), "" when it has none.
    """

    id: str
    vpc_id: str
    zone: str
    default_route: str = ""


@dataclass(frozen=True, slots=True)
class SecurityGroup:
    """A security group: its VPC, and the TCP ports it lets in from anywhere at all, as (first, last)."""

    id: str
    vpc_id: str
    tcp_ports: tuple[tuple[int, int], ...]


async def vpc(aws: Aws, vpc_id: str) -> Vpc | None:
    """The VPC of this id in the region, None when there is none."""
    found = await aws.call("ec2", "DescribeVpcs", Filters=_is("vpc-id", [vpc_id]))
    if not found["Vpcs"]:
        return None
    support = await aws.call("ec2", "DescribeVpcAttribute", VpcId=vpc_id, Attribute="enableDnsSupport")
    names = await aws.call("ec2", "DescribeVpcAttribute", VpcId=vpc_id, Attribute="enableDnsHostnames")
    return Vpc(vpc_id, support["EnableDnsSupport"]["Value"], names["EnableDnsHostnames"]["Value"])


async def vpc_ranges(aws: Aws) -> list[VpcRange]:
    """Every VPC of the region that the account sees, those that others share with it too, by id."""
    rows: list[JsonObject] = []
    page: JsonObject = {}
    while True:
        answer = await aws.call("ec2", "DescribeVpcs", MaxResults=_PAGE, **page)
        rows += answer["Vpcs"]
        if not answer.get("NextToken"):
            return sorted(map(_vpc_range, rows), key=lambda one: one.id)
        page = {"NextToken": answer["NextToken"]}


async def subnets_by_id(aws: Aws, subnet_ids: Sequence[str]) -> dict[str, Subnet]:
    """Those of these subnets that are in the region, whatever their VPC; their routes are not asked for."""
    return _subnets(await aws.call("ec2", "DescribeSubnets", Filters=_is("subnet-id", subnet_ids)), [])


async def subnets_of(aws: Aws, vpc_id: str) -> dict[str, Subnet]:
    """The VPC's subnets by id, with their default routes."""
    tables = await aws.call("ec2", "DescribeRouteTables", Filters=_is("vpc-id", [vpc_id]))
    return _subnets(
        await aws.call("ec2", "DescribeSubnets", Filters=_is("vpc-id", [vpc_id])), list(tables["RouteTables"])
    )


async def security_groups_by_id(aws: Aws, group_ids: Sequence[str]) -> dict[str, SecurityGroup]:
    """Those of these security groups that are in the region, whatever their VPC."""
    found = await aws.call("ec2", "DescribeSecurityGroups", Filters=_is("group-id", group_ids))
    return {
        one["GroupId"]: SecurityGroup(one["GroupId"], one["VpcId"], _tcp_ports(one["IpPermissions"]))
        for one in found["SecurityGroups"]
    }


async def endpoint_services(aws: Aws, vpc_id: str) -> frozenset[str]:
    """The services that the VPC has endpoints for, without their prefix: "s3", "ecr.api"."""
    found = await aws.call("ec2", "DescribeVpcEndpoints", Filters=_is("vpc-id", [vpc_id]))
    names = (one["ServiceName"] for one in found["VpcEndpoints"] if one["State"].lower() == "available")
    return frozenset(".".join(name.split(".")[3:]) for name in names)


def _vpc_range(row: JsonObject) -> VpcRange:
    """Source: EC2 API reference, VpcCidrBlockState (what is not associated has left or never came)."""
    held = [one for one in row["CidrBlockAssociationSet"] if one["CidrBlockState"]["State"] == "associated"]
    tags = {tag["Key"]: tag["Value"] for tag in row.get("Tags") or []}
    return VpcRange(row["VpcId"], tags, tuple(one["CidrBlock"] for one in held))


def _is(name: str, values: Sequence[str]) -> list[JsonObject]:
    return [{"Name": name, "Values": list(values)}]


def _subnets(answer: JsonObject, tables: Sequence[JsonObject]) -> dict[str, Subnet]:
    return {
        one["SubnetId"]: Subnet(
            one["SubnetId"], one["VpcId"], one["AvailabilityZone"], _default_route(one["SubnetId"], tables)
        )
        for one in answer["Subnets"]
    }


def _default_route(subnet_id: str, tables: Sequence[JsonObject]) -> str:
    """Of the subnet's route table, or the VPC's main one where it has none of its own."""
    own = [table for table in tables if any(link.get("SubnetId") == subnet_id for link in table["Associations"])]
    main = [table for table in tables if any(link.get("Main") for link in table["Associations"])]
    for table in (own or main)[:1]:
        for route in table["Routes"]:
            if route.get("DestinationCidrBlock") == "0.0.0.0/0" and route.get("State") != "blackhole":
                return next((str(value) for key, value in route.items() if key in _TARGETS), "")
    return ""


def _tcp_ports(permissions: Sequence[JsonObject]) -> tuple[tuple[int, int], ...]:
    ranges = []
    for one in permissions:
        if one["IpProtocol"] == _ANY_PROTOCOL:
            ranges.append((0, 65535))
        elif one["IpProtocol"] in ("tcp", "6"):
            ranges.append((one["FromPort"], one["ToPort"]))
    return tuple(ranges)
