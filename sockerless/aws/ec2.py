"""EC2: what only it knows: of a task's network interface, of subnets, of regions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sockerless.aws.session import Aws

OPTED_OUT = "not-opted-in"


async def public_address(aws: Aws, eni_id: str) -> str | None:
    """The interface's public IPv4 address, None while it has none; errors.NotFound when the interface is gone."""
    answer = await aws.call("ec2", "DescribeNetworkInterfaces", NetworkInterfaceIds=[eni_id])
    for interface in answer["NetworkInterfaces"]:
        address = interface.get("Association", {}).get("PublicIp")
        if address:
            return str(address)
    return None


@dataclass(frozen=True, slots=True)
class Subnet:
    """A subnet and how many of its IPv4 addresses nobody has."""

    id: str
    zone: str
    free_addresses: int


async def subnets(aws: Aws, ids: Sequence[str]) -> list[Subnet]:
    """These subnets, in this order; errors.NotFound names one that is not there."""
    answer = await aws.call("ec2", "DescribeSubnets", SubnetIds=list(ids))
    found = {
        one["SubnetId"]: Subnet(one["SubnetId"], one["AvailabilityZone"], int(one["AvailableIpAddressCount"]))
        for one in answer["Subnets"]
    }
    return [found[id] for id in ids]


async def region_status(aws: Aws, region: str) -> str:
    """Whether the account may use a region: opt-in-not-required, opted-in or not-opted-in.

    aws: of a region that is open to everybody, for one that is not enabled knows no credentials.
    errors.InvalidParameter for a region that AWS does not know.
    """
    answer = await aws.call("ec2", "DescribeRegions", RegionNames=[region], AllRegions=True)
    return str(answer["Regions"][0]["OptInStatus"])
