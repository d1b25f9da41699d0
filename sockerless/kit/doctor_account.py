"""What doctor asks of the AWS account: region, clock, credentials, permissions, quotas, addresses, range.

Owns: these requirements and their wording. Changes nothing. Law: what could not be asked is said to be so, with the
reason; it is neither ok nor missing.
"""

from __future__ import annotations

import asyncio
import difflib
from datetime import UTC, datetime

from sockerless.aws import clock, ec2, quotas, regions, sts
from sockerless.aws.session import Aws
from sockerless.errors import InvalidParameter, NotFound, SockerlessError
from sockerless.kit import account, apply, doctor_permissions, estimate, iam_deployer, network
from sockerless.kit.account import Account
from sockerless.kit.finding import Finding, unknown
from sockerless.kit.iam_scope import Scope
from sockerless.kit.project import Project

_CREDENTIALS = "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or use an instance role"
_CLOCK = "let the machine keep its clock: `timedatectl set-ntp true`, or chrony"
_ASKED_VCPUS = 64
"""What the fix proposes to ask AWS for: 256 containers of the smallest size."""
_ALARM_SHARE = 0.8


def examine(where: Account, project: Project | None) -> list[Finding]:
    """All findings about the account that `where` leads to; project: None before there is a deployment."""
    return asyncio.run(_examine(where, project))


async def _examine(where: Account, project: Project | None) -> list[Finding]:
    place = await region(where, project)
    if not place.ok:
        return [place]
    async with account.opened(where) as aws:
        time, (who, identity) = await asyncio.gather(clock_skew(where), credentials(aws))
        found = [place, time, who]
        if identity is None or project is None:
            return found
        further = await asyncio.gather(
            doctor_permissions.examine(aws, identity, iam_deployer.policies(Scope(project, identity.account))),
            vcpus(aws, project, spot=False),
            vcpus(aws, project, spot=True),
            addresses(aws, project),
            network_range(aws, project),
        )
    return [*found, *(finding for finding in further if finding is not None)]


async def region(where: Account, project: Project | None) -> Finding:
    """Whether there is such a region, and whether the account has enabled it."""
    known = regions.known()
    if where.region not in known:
        near = difflib.get_close_matches(where.region, known, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        fix = "set region in sockerless.toml; if AWS has just opened it, `pip install --upgrade boto3`"
        return Finding("region", False, f"AWS has no region {where.region} with ECS{hint}", fix)
    if project is None:
        return Finding("region", True, f"{where.region}, unless `sockerless-kit init --region` chooses another")
    first = regions.open_region(known[where.region])
    if where.endpoint_url or first is None:
        return Finding("region", True, where.region)
    try:
        async with account.opened(Account(first)) as aws:
            status = await ec2.region_status(aws, where.region)
    except InvalidParameter as error:
        return Finding("region", False, error.message, "set region in sockerless.toml")
    except SockerlessError:
        return Finding("region", True, f"{where.region}; whether the account has enabled it could not be asked")
    if status == ec2.OPTED_OUT:
        fix = f"enable it: `aws account enable-region --region-name {where.region}`, which takes AWS minutes to hours"
        return Finding("region", False, f"{where.region} is not enabled in this account", fix)
    return Finding("region", True, f"{where.region} ({status})")


async def clock_skew(where: Account) -> Finding:
    """How far this machine's clock is from AWS's."""
    asked = datetime.now(UTC)
    try:
        theirs = await clock.server_time(where)
    except SockerlessError as error:
        return unknown("clock", error, "see that this machine reaches AWS: network, proxy, certificates")
    answered = datetime.now(UTC)
    skew_s = (asked + (answered - asked) / 2 - theirs).total_seconds()
    told = f"{abs(skew_s):.0f} s {'ahead of' if skew_s > 0 else 'behind'} AWS's"
    if abs(skew_s) > clock.MOST_SKEW_S:
        return Finding("clock", False, f"{told}: AWS refuses signatures beyond {clock.MOST_SKEW_S:g} s", _CLOCK)
    return Finding("clock", True, told)


async def credentials(aws: Aws) -> tuple[Finding, sts.Identity | None]:
    """Whom AWS takes us for."""
    try:
        identity = await sts.identity(aws)
    except SockerlessError as error:
        return Finding("AWS credentials", False, error.message, _CREDENTIALS), None
    return Finding("AWS credentials", True, identity.arn), identity


async def vcpus(aws: Aws, project: Project, spot: bool) -> Finding | None:
    """Whether Fargate lets the account run a container of the default size; None where none runs that way."""
    if not (project.spot_weight if spot else project.fargate_weight):
        return None
    name = f"Fargate {'Spot' if spot else 'on-demand'} vCPU quota"
    code = quotas.SPOT_VCPUS if spot else quotas.ON_DEMAND_VCPUS
    try:
        granted = await quotas.fargate_vcpus(aws, code)
    except SockerlessError as error:
        return unknown(name, error, f"allow servicequotas:GetServiceQuota, or look at {code} in Service Quotas")
    size = estimate.default_size(project)
    at_once = int(granted * 1024 // size.cpu_units)
    told = f"{granted:g} vCPU, {at_once} containers of the default size at a time"
    if not at_once:
        fix = (
            f"ask AWS for more: `aws service-quotas request-service-quota-increase --region {project.region} "
            f"--service-code fargate --quota-code {code} --desired-value {_ASKED_VCPUS}`"
        )
        return Finding(name, False, told, fix)
    if project.alarms and not project.spot_weight and at_once < project.task_quota * _ALARM_SHARE:
        told += f"; the alarm on task_quota = {project.task_quota} would not ring before"
    return Finding(name, True, told)


async def addresses(aws: Aws, project: Project) -> Finding | None:
    """Whether each subnet has addresses for tasks; None before there are subnets."""
    name = "addresses in subnets"
    fix = "stop tasks, or give tasks more room: a larger network_cidr, more zones, or other subnets"
    try:
        ids = _subnets(project)
        found = await ec2.subnets(aws, ids) if ids else []
    except SockerlessError as error:
        return unknown(name, error, "allow ec2:DescribeSubnets, and see that the subnets are there")
    if not found:
        return None
    told = ", ".join(f"{subnet.free_addresses} free in {subnet.id} ({subnet.zone})" for subnet in found)
    return Finding(name, all(subnet.free_addresses for subnet in found), told, fix)


async def network_range(aws: Aws, project: Project) -> Finding | None:
    """Whether another VPC has addresses of network_cidr, which AWS allows; None in a network that is there already."""
    if project.network == "existing":
        return None
    name = "network range"
    try:
        told = await network.overlapped(aws, project)
    except SockerlessError as error:
        return unknown(name, error, "allow ec2:DescribeVpcs")
    fix = "set network_cidr in sockerless.toml to a range that nobody uses"
    return Finding(name, not told, told or f"{project.network_cidr} is nobody else's", fix, required=False)


def _subnets(project: Project) -> tuple[str, ...]:
    """Where tasks run: what was built, or what network existing will use."""
    try:
        return apply.load(project).outputs.task_subnet_ids
    except NotFound:
        return project.subnet_ids
