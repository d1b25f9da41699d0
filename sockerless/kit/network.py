"""What can be known of the network before it is built: a VPC that is there already, its range, who reaches the agents.

Owns: these checks and their sentences. Changes nothing.
Law: what cannot work is refused with the key to change; what may be meant so is a warning.
Source: Amazon ECS Developer Guide, "Fargate task networking" and "Amazon ECS interface VPC endpoints"; Amazon EFS User
Guide, "Managing mount targets" (one a zone); Amazon VPC Peering Guide, "VPC peering limitations" (no ranges that
overlap).
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections import Counter
from collections.abc import Iterable, Sequence

from sockerless.aws import ec2_network
from sockerless.aws.ec2_network import SecurityGroup, Subnet, Vpc
from sockerless.aws.session import Aws
from sockerless.errors import InvalidParameter, SockerlessError
from sockerless.kit import account
from sockerless.kit.iam_scope import PROJECT_TAG
from sockerless.kit.project import Project
from sockerless.wire import agent

TASK_SERVICES = ("ecr.api", "ecr.dkr", "logs", "s3")
"""What a task on Fargate asks of AWS through its own network interface: its image, its layers, its log stream."""
DOCKER_BRIDGE = "172.17.0.0/16"
"""What Docker Engine gives its default bridge. Source: moby, daemon/libnetwork/ipamutils, the local default pools."""
_MOST_NAMED = 6


def examine(project: Project) -> list[str]:
    """Warnings about the network that sockerless.toml asks for, a sentence each.

    InvalidParameter, in one sentence that starts with the key, when the existing network cannot hold a deployment.
    """
    warnings = [*_unreached(project), *_behind_the_bridge(project)]
    if project.network == "private" and project.pull_through:
        warnings.append(
            "ECR pulls an image through its cache for the first time only where there is a way to the internet, and "
            "network private has none: pull it once from elsewhere"
        )
    if project.network == "existing":
        warnings += asyncio.run(_examine_existing(project))
    return warnings


def _unreached(project: Project) -> list[str]:
    """A warning when tasks have public addresses and nobody may dial them. The simulator has no security groups."""
    public = project.network == "public" or (project.assign_public_ip and not project.security_group_ids)
    if not public or project.daemon_cidrs or project.simulator:
        return []
    return [
        "daemon_cidrs is empty, so nothing reaches the agents at their public addresses: name the ranges the daemon "
        "dials from, or let the agents call the daemon (SOCKERLESS_CALLBACK_URL)"
    ]


def _behind_the_bridge(project: Project) -> list[str]:
    """A warning when a machine with a Docker Engine would look for the tasks on its own bridge."""
    if project.network == "existing" or project.simulator or not _overlap(project.network_cidr, DOCKER_BRIDGE):
        return []
    return [
        f"network_cidr: {project.network_cidr} overlaps {DOCKER_BRIDGE}, Docker Engine's own bridge: a daemon on a "
        "machine that runs one does not reach the tasks; choose another range"
    ]


async def overlapped(aws: Aws, project: Project) -> str:
    """What network_cidr overlaps, in one sentence that starts with the key; "" when it is nobody's.

    AWS lets VPCs overlap, so it is no refusal. The deployment's own VPC does not count, nor does network existing.
    """
    if project.network == "existing":
        return ""
    others = [
        f"{one.id} ({', '.join(filter(None, [one.tags.get('Name'), *one.cidrs]))})"
        for one in await ec2_network.vpc_ranges(aws)
        if one.tags.get(PROJECT_TAG) != project.name and any(_overlap(project.network_cidr, cidr) for cidr in one.cidrs)
    ]
    if not others:
        return ""
    return (
        f"network_cidr: {project.network_cidr} overlaps {_named(others)} in {project.region}, so the two can never be "
        "peered and a daemon there never reaches the tasks; choose another range unless they stay apart"
    )


def warn_of_overlap(project: Project) -> str:
    """overlapped() by a door of its own; that it could not be asked is said too."""

    async def ask() -> str:
        async with account.opened(account.of(project)) as aws:
            return await overlapped(aws, project)

    try:
        return asyncio.run(ask())
    except SockerlessError as error:
        return f"network_cidr: whether another VPC has the range could not be asked: {error.message}"


def _overlap(one: str, other: str) -> bool:
    return ipaddress.IPv4Network(one).overlaps(ipaddress.IPv4Network(other))


async def _examine_existing(project: Project) -> list[str]:
    async with account.opened(account.of(project)) as aws:
        _check_vpc(project, await ec2_network.vpc(aws, project.vpc_id))
        subnets = await _checked_subnets(aws, project)
        groups = await _checked_groups(aws, project)
        endpoints = await ec2_network.endpoint_services(aws, project.vpc_id)
    return [*_zones(subnets), *_ways_out(project, subnets, endpoints), *_ways_in(groups)]


def _check_vpc(project: Project, vpc: Vpc | None) -> None:
    if vpc is None:
        raise InvalidParameter(f"vpc_id: there is no VPC {project.vpc_id} in {project.region} of this AWS account")
    lacking = [
        name
        for name, on in (("enableDnsSupport", vpc.dns_support), ("enableDnsHostnames", vpc.dns_hostnames))
        if not on
    ]
    if lacking:
        raise InvalidParameter(
            f"vpc_id: {vpc.id} has {' and '.join(lacking)} off, and tasks find EFS by its DNS name; turn it on with "
            "`aws ec2 modify-vpc-attribute`"
        )


async def _checked_subnets(aws: Aws, project: Project) -> list[Subnet]:
    """The subnets that subnet_ids names, in its order."""
    there = await ec2_network.subnets_of(aws, project.vpc_id)
    if not there:
        raise InvalidParameter(f"vpc_id: {project.vpc_id} has no subnet; make one there, or choose another network")
    strange = [one for one in project.subnet_ids if one not in there]
    if strange:
        elsewhere = {one.id: one.vpc_id for one in (await ec2_network.subnets_by_id(aws, strange)).values()}
        raise InvalidParameter(f"subnet_ids: {_where(project, strange[0], elsewhere)}; it has {_named(there)}")
    return [there[one] for one in project.subnet_ids]


async def _checked_groups(aws: Aws, project: Project) -> list[SecurityGroup]:
    """The security groups that security_group_ids names, in its order."""
    if not project.security_group_ids:
        return []
    found = await ec2_network.security_groups_by_id(aws, project.security_group_ids)
    belong = {one.id: one.vpc_id for one in found.values()}
    for one in project.security_group_ids:
        if belong.get(one) != project.vpc_id:
            raise InvalidParameter(f"security_group_ids: {_where(project, one, belong)}")
    return [found[one] for one in project.security_group_ids]


def _where(project: Project, identifier: str, elsewhere: dict[str, str]) -> str:
    if identifier in elsewhere:
        return f"{identifier} is in {elsewhere[identifier]}, not in {project.vpc_id}"
    return f"there is no {identifier} in {project.vpc_id}"


def _named(identifiers: Iterable[str]) -> str:
    names = sorted(identifiers)
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more


def _zones(subnets: Sequence[Subnet]) -> list[str]:
    """A warning for each zone with several subnets."""
    return [
        f"{count} of subnet_ids are in {zone}: EFS has one mount target there, in the first of them by id"
        for zone, count in sorted(Counter(one.zone for one in subnets).items())
        if count > 1
    ]


def _ways_out(project: Project, subnets: Sequence[Subnet], endpoints: frozenset[str]) -> list[str]:
    """A warning for each subnet whose tasks could not pull their image; none where the VPC's endpoints lead there."""
    missing = [service for service in TASK_SERVICES if service not in endpoints]
    if not missing:
        return []
    warnings = []
    for subnet in subnets:
        through_internet_gateway = subnet.default_route.startswith("igw-")
        if not subnet.default_route:
            reason = f"has no default route, and the VPC no endpoint for {', '.join(missing)}"
        elif through_internet_gateway and not project.assign_public_ip:
            reason = "leads out through an internet gateway, which only public addresses pass: set assign_public_ip"
        elif not through_internet_gateway and project.assign_public_ip:
            reason = f"leads out through {subnet.default_route}, where nobody reaches public addresses"
        else:
            continue
        warnings.append(f"{subnet.id} {reason}")
    return warnings


def _ways_in(groups: Sequence[SecurityGroup]) -> list[str]:
    """A warning when your own security groups let nobody dial the agents."""
    open_to_agents = any(first <= agent.PORT <= last for one in groups for first, last in one.tcp_ports)
    if not groups or open_to_agents:
        return []
    return [
        f"none of security_group_ids lets TCP {agent.PORT} in: the daemon cannot dial the agents, so let them call it "
        "(SOCKERLESS_CALLBACK_URL)"
    ]
