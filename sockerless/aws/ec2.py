"""EC2: what only it knows of a task's network interface."""

from __future__ import annotations

from sockerless.aws.session import Aws


async def public_address(aws: Aws, eni_id: str) -> str | None:
    """The interface's public IPv4 address, None while it has none; errors.NotFound when the interface is gone."""
    answer = await aws.call("ec2", "DescribeNetworkInterfaces", NetworkInterfaceIds=[eni_id])
    for interface in answer["NetworkInterfaces"]:
        address = interface.get("Association", {}).get("PublicIp")
        if address:
            return str(address)
    return None
