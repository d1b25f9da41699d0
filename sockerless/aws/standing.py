"""Whether what an ARN names still stands, asked of its own service: what the tagging API says lags behind.

Owns: which operation tells of which kind of ARN. Law: only a service's own "not found" counts as gone; a kind that is
not in the table is not confirmed. Source: Service Authorization Reference (ARN formats), API references.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from sockerless import errors
from sockerless.aws.session import Aws


@dataclass(frozen=True, slots=True)
class Arn:
    """An ARN and its parts: kind "subnet", id "subnet-0a" of arn:aws:ec2:REGION:ACCOUNT:subnet/subnet-0a."""

    text: str
    service: str
    kind: str
    id: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """standing: it is there. kept: why something of it remains all the same, like "deleted on 2026-01-02"."""

    standing: bool
    kept: str = ""


GONE, STANDS = Verdict(False), Verdict(True)
Probe = Callable[[Aws, Arn], Awaitable[Verdict]]


def parse(arn: str) -> Arn:
    """The parts of an ARN."""
    _, _, service, _, _, rest = arn.split(":", 5)
    slash, colon = rest.find("/"), rest.find(":")
    cut = min(position for position in (slash, colon, len(rest)) if position >= 0)
    if cut == len(rest):
        return Arn(arn, service, "", rest)
    return Arn(arn, service, rest[:cut], rest[cut + 1 :].removesuffix(":*"))


async def verdict(aws: Aws, arn: str) -> Verdict | None:
    """How the resource stands; None for a kind that nobody here can ask for."""
    parts = parse(arn)
    probe = _probe(parts)
    if probe is None:
        return None
    try:
        return await probe(aws, parts)
    except errors.NotFound:
        return GONE


def _probe(parts: Arn) -> Probe | None:
    if parts.service == "ec2" and parts.kind in _EC2:
        return _listed_by("ec2", *_EC2[parts.kind])
    return _PROBES.get((parts.service, parts.kind))


_EC2 = {
    "vpc": ("DescribeVpcs", "VpcIds", "Vpcs"),
    "subnet": ("DescribeSubnets", "SubnetIds", "Subnets"),
    "internet-gateway": ("DescribeInternetGateways", "InternetGatewayIds", "InternetGateways"),
    "elastic-ip": ("DescribeAddresses", "AllocationIds", "Addresses"),
    "natgateway": ("DescribeNatGateways", "NatGatewayIds", "NatGateways"),
    "route-table": ("DescribeRouteTables", "RouteTableIds", "RouteTables"),
    "security-group": ("DescribeSecurityGroups", "GroupIds", "SecurityGroups"),
    "security-group-rule": ("DescribeSecurityGroupRules", "SecurityGroupRuleIds", "SecurityGroupRules"),
    "vpc-endpoint": ("DescribeVpcEndpoints", "VpcEndpointIds", "VpcEndpoints"),
    "vpc-flow-log": ("DescribeFlowLogs", "FlowLogIds", "FlowLogs"),
    "network-interface": ("DescribeNetworkInterfaces", "NetworkInterfaceIds", "NetworkInterfaces"),
}
"""Kind to operation, its list of ids, its answer's list."""
_GOING = {"deleted", "deleting"}
"""States of what AWS still shows for a while after its end."""


def _listed_by(service: str, operation: str, name: str, member: str) -> Probe:
    """A probe by an operation that lists what one id names; its parameter takes a list when it is called ...s."""

    async def probe(aws: Aws, arn: Arn) -> Verdict:
        asked = [arn.id] if name.endswith("s") else arn.id
        answer = await aws.call(service, operation, **{name: asked})
        found = [one for one in answer[member] if str(_state(one)).lower() not in _GOING]
        return STANDS if found else GONE

    return probe


def _state(one: Any) -> Any:
    return one.get("State") or one.get("LifeCycleState") or ""


def _named_by(service: str, operation: str, name: str, of: Callable[[Arn], str]) -> Probe:
    """A probe by an operation that fails when the name is nobody's."""

    async def probe(aws: Aws, arn: Arn) -> Verdict:
        await aws.call(service, operation, **{name: of(arn)})
        return STANDS

    return probe


def _whole(arn: Arn) -> str:
    return arn.text


def _id(arn: Arn) -> str:
    return arn.id


def _last(arn: Arn) -> str:
    return arn.id.rsplit("/", 1)[-1]


async def _log_group(aws: Aws, arn: Arn) -> Verdict:
    answer = await aws.call("logs", "DescribeLogGroups", logGroupNamePrefix=arn.id)
    return STANDS if any(group["logGroupName"] == arn.id for group in answer["logGroups"]) else GONE


async def _alarm(aws: Aws, arn: Arn) -> Verdict:
    answer = await aws.call("cloudwatch", "DescribeAlarms", AlarmNames=[arn.id])
    return STANDS if answer.get("MetricAlarms") else GONE


async def _key(aws: Aws, arn: Arn) -> Verdict:
    key = (await aws.call("kms", "DescribeKey", KeyId=arn.id))["KeyMetadata"]
    if key["KeyState"] in {"PendingDeletion", "PendingReplicaDeletion"}:
        return Verdict(False, f"AWS deletes it on {key['DeletionDate']:%Y-%m-%d}")
    return STANDS


async def _cluster(aws: Aws, arn: Arn) -> Verdict:
    answer = await aws.call("ecs", "DescribeClusters", clusters=[arn.id])
    return STANDS if any(found["status"] != "INACTIVE" for found in answer["clusters"]) else GONE


async def _definition(aws: Aws, arn: Arn) -> Verdict:
    try:
        answer = await aws.call("ecs", "DescribeTaskDefinition", taskDefinition=arn.id)
    except errors.InvalidParameter as error:
        if "Unable to describe task definition" in error.message:  # what ECS says of one that is not there
            return GONE
        raise
    status = answer["taskDefinition"]["status"]
    return {"ACTIVE": STANDS, "INACTIVE": Verdict(False, "deregistered")}.get(status, GONE)


async def _task(aws: Aws, arn: Arn) -> Verdict:
    cluster, _, task_id = arn.id.rpartition("/")
    if not (await _cluster(aws, Arn(arn.text, "ecs", "cluster", cluster))).standing:
        return GONE  # its tasks went before it: ECS deletes no cluster that runs any
    answer = await aws.call("ecs", "DescribeTasks", cluster=cluster, tasks=[task_id])
    return STANDS if any(task["lastStatus"] != "STOPPED" for task in answer["tasks"]) else GONE


async def _backup(aws: Aws, arn: Arn) -> Verdict:
    return Verdict(False, "AWS Backup keeps it for its own time")


_PROBES: dict[tuple[str, str], Probe] = {
    ("elasticfilesystem", "file-system"): _listed_by("efs", "DescribeFileSystems", "FileSystemId", "FileSystems"),
    ("elasticfilesystem", "access-point"): _listed_by("efs", "DescribeAccessPoints", "AccessPointId", "AccessPoints"),
    ("ecr", "repository"): _listed_by("ecr", "DescribeRepositories", "repositoryNames", "repositories"),
    ("ecs", "cluster"): _cluster,
    ("ecs", "task-definition"): _definition,
    ("ecs", "task"): _task,
    ("logs", "log-group"): _log_group,
    ("cloudwatch", "alarm"): _alarm,
    ("kms", "key"): _key,
    ("sqs", ""): _named_by("sqs", "GetQueueUrl", "QueueName", _id),
    ("events", "rule"): _named_by("events", "DescribeRule", "Name", _last),
    ("iam", "role"): _named_by("iam", "GetRole", "RoleName", _last),
    ("iam", "policy"): _named_by("iam", "GetPolicy", "PolicyArn", _whole),
    ("s3", ""): _named_by("s3", "HeadBucket", "Bucket", _id),
    ("backup", "recovery-point"): _backup,
}
