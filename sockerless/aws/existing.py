"""Whether something of the name that terraform would create is there already, and the id by which it is imported.

Owns: the kinds (as the AWS provider calls them) whose names AWS takes once, and those that stand once in their parent.
What carries a tag and no name is found by its tags (ec2.py, tagging.py). values: a resource's planned attributes; what
is not known yet is missing, and then nothing is found.
Source: AWS provider 5.100, "Import" of each resource; API references.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from sockerless import errors
from sockerless.aws import sts
from sockerless.aws.session import Aws

Values = Mapping[str, Any]
Lookup = Callable[[Aws, Values], Awaitable[str | None]]


async def import_id(aws: Aws, kind: str, values: Values) -> str | None:
    """The id by which terraform imports what is there already; None when nothing is, or the kind has no such name."""
    wanted, lookup = _LOOKUPS.get(kind, ((), _none))
    if not wanted or any(not values.get(name) for name in wanted):
        return None
    try:
        return await lookup(aws, values)
    except errors.NotFound:
        return None


async def _none(aws: Aws, values: Values) -> str | None:
    return None


def _by_name(service: str, operation: str, parameter: str, attribute: str, many: bool = False) -> Lookup:
    """A lookup by an operation that fails when nothing has the name, which is the import's id."""

    async def lookup(aws: Aws, values: Values) -> str | None:
        name = str(values[attribute])
        await aws.call(service, operation, **{parameter: [name] if many else name})
        return name

    return lookup


async def _policy(aws: Aws, values: Values) -> str | None:
    who = await sts.identity(aws)
    arn = f"arn:{who.arn.split(':')[1]}:iam::{who.account}:policy{values.get('path') or '/'}{values['name']}"
    await aws.call("iam", "GetPolicy", PolicyArn=arn)
    return arn


async def _log_group(aws: Aws, values: Values) -> str | None:
    answer = await aws.call("logs", "DescribeLogGroups", logGroupNamePrefix=values["name"])
    names = [str(group["logGroupName"]) for group in answer["logGroups"]]
    return values["name"] if values["name"] in names else None


async def _file_system(aws: Aws, values: Values) -> str | None:
    answer = await aws.call("efs", "DescribeFileSystems", CreationToken=values["creation_token"])
    return next((str(found["FileSystemId"]) for found in answer["FileSystems"]), None)


async def _mount_target(aws: Aws, values: Values) -> str | None:
    answer = await aws.call("efs", "DescribeMountTargets", FileSystemId=values["file_system_id"])
    targets = {target["SubnetId"]: str(target["MountTargetId"]) for target in answer["MountTargets"]}
    return targets.get(values["subnet_id"])


async def _alias(aws: Aws, values: Values) -> str | None:
    """By the list of all: who may describe our keys may not ask for a key that is not there."""
    page: dict[str, str] = {}
    while True:
        answer = await aws.call("kms", "ListAliases", **page)
        if any(alias["AliasName"] == values["name"] for alias in answer["Aliases"]):
            return str(values["name"])
        if not answer.get("Truncated"):
            return None
        page = {"Marker": str(answer["NextMarker"])}


async def _queue(aws: Aws, values: Values) -> str | None:
    return str((await aws.call("sqs", "GetQueueUrl", QueueName=values["name"]))["QueueUrl"])


async def _rule(aws: Aws, values: Values) -> str | None:
    bus = values.get("event_bus_name") or "default"
    await aws.call("events", "DescribeRule", Name=values["name"], EventBusName=bus)
    return f"{bus}/{values['name']}"


async def _cluster(aws: Aws, values: Values) -> str | None:
    answer = await aws.call("ecs", "DescribeClusters", clusters=[values["name"]])
    return next((str(found["clusterName"]) for found in answer["clusters"] if found["status"] == "ACTIVE"), None)


async def _template(aws: Aws, values: Values) -> str | None:
    answer = await aws.call("ecr", "DescribeRepositoryCreationTemplates", prefixes=[values["prefix"]])
    return values["prefix"] if answer["repositoryCreationTemplates"] else None


async def _route(aws: Aws, values: Values) -> str | None:
    table, destination = values["route_table_id"], values["destination_cidr_block"]
    answer = await aws.call("ec2", "DescribeRouteTables", RouteTableIds=[table])
    routes = [route.get("DestinationCidrBlock") for found in answer["RouteTables"] for route in found["Routes"]]
    return f"{table}_{destination}" if destination in routes else None


async def _association(aws: Aws, values: Values) -> str | None:
    table, subnet = values["route_table_id"], values["subnet_id"]
    answer = await aws.call("ec2", "DescribeRouteTables", RouteTableIds=[table])
    joined = [one.get("SubnetId") for found in answer["RouteTables"] for one in found["Associations"]]
    return f"{subnet}/{table}" if subnet in joined else None


_LOOKUPS: dict[str, tuple[tuple[str, ...], Lookup]] = {
    "aws_iam_role": (("name",), _by_name("iam", "GetRole", "RoleName", "name")),
    "aws_iam_policy": (("name",), _policy),
    "aws_ecr_repository": (("name",), _by_name("ecr", "DescribeRepositories", "repositoryNames", "name", many=True)),
    "aws_ecr_pull_through_cache_rule": (
        ("ecr_repository_prefix",),
        _by_name("ecr", "DescribePullThroughCacheRules", "ecrRepositoryPrefixes", "ecr_repository_prefix", many=True),
    ),
    "aws_ecr_repository_creation_template": (("prefix",), _template),
    "aws_cloudwatch_log_group": (("name",), _log_group),
    "aws_cloudwatch_event_rule": (("name",), _rule),
    "aws_ecs_cluster": (("name",), _cluster),
    "aws_efs_file_system": (("creation_token",), _file_system),
    "aws_kms_alias": (("name",), _alias),
    "aws_sqs_queue": (("name",), _queue),
    "aws_efs_mount_target": (("file_system_id", "subnet_id"), _mount_target),
    "aws_route": (("route_table_id", "destination_cidr_block"), _route),
    "aws_route_table_association": (("route_table_id", "subnet_id"), _association),
}
IN_A_PARENT = frozenset({"aws_efs_mount_target", "aws_route", "aws_route_table_association"})
"""The kinds that have no name of their own, but stand once in their parent."""
