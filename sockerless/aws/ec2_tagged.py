"""EC2: what carries a tag, and the end of network interfaces and security groups.

Source: Amazon EC2 API reference (DescribeTags takes 200 values a filter).
"""

from __future__ import annotations

from collections.abc import Iterable

from sockerless import errors
from sockerless.aws.session import Aws
from sockerless.types import JsonObject

Tags = dict[str, str]
_VALUES_PER_FILTER = 200
_PAGE = 1000


async def tagged(aws: Aws, key: str, value: str) -> dict[str, Tags]:
    """All tags of each resource of EC2 that carries this one, by its id; EC2 knows its own tags at once."""
    rows = await _tags(aws, [{"Name": "key", "Values": [key]}, {"Name": "value", "Values": [value]}])
    ids = sorted({str(row["ResourceId"]) for row in rows})
    found: dict[str, Tags] = {id_: {} for id_ in ids}
    for start in range(0, len(ids), _VALUES_PER_FILTER):
        batch = ids[start : start + _VALUES_PER_FILTER]
        for row in await _tags(aws, [{"Name": "resource-id", "Values": batch}]):
            found[row["ResourceId"]][row["Key"]] = row["Value"]
    return found


async def interfaces(aws: Aws, ids: Iterable[str]) -> set[str]:
    """Those of these network interfaces that are still there."""
    wanted = sorted(ids)
    there: set[str] = set()
    for start in range(0, len(wanted), _VALUES_PER_FILTER):
        filters = [{"Name": "network-interface-id", "Values": wanted[start : start + _VALUES_PER_FILTER]}]
        answer = await aws.call("ec2", "DescribeNetworkInterfaces", Filters=filters)
        there |= {str(one["NetworkInterfaceId"]) for one in answer["NetworkInterfaces"]}
    return there


async def security_group_rules(aws: Aws, ids: Iterable[str]) -> list[JsonObject]:
    """These rules, as EC2 tells of them."""
    answer = await aws.call("ec2", "DescribeSecurityGroupRules", SecurityGroupRuleIds=list(ids))
    rules: list[JsonObject] = answer["SecurityGroupRules"]
    return rules


async def close_security_group(aws: Aws, group_id: str, untagged_only: bool = False) -> None:
    """Removes the group's rules, all of them or those that carry no tag: the way out that EC2 gives every new group."""
    answer = await aws.call("ec2", "DescribeSecurityGroupRules", Filters=[{"Name": "group-id", "Values": [group_id]}])
    rules = [rule for rule in answer["SecurityGroupRules"] if not (untagged_only and rule.get("Tags"))]
    for egress, operation in ((False, "RevokeSecurityGroupIngress"), (True, "RevokeSecurityGroupEgress")):
        ids = [rule["SecurityGroupRuleId"] for rule in rules if rule["IsEgress"] is egress]
        if ids:
            await aws.call("ec2", operation, GroupId=group_id, SecurityGroupRuleIds=ids)


async def delete_security_group(aws: Aws, group_id: str) -> None:
    """Deletes the group; one that is gone already is no failure, one that is in use raises."""
    try:
        await aws.call("ec2", "DeleteSecurityGroup", GroupId=group_id)
    except errors.NotFound:
        return


async def _tags(aws: Aws, filters: list[JsonObject]) -> list[JsonObject]:
    rows: list[JsonObject] = []
    page: JsonObject = {}
    while True:
        answer = await aws.call("ec2", "DescribeTags", Filters=filters, MaxResults=_PAGE, **page)
        rows.extend(answer["Tags"])
        if not answer.get("NextToken"):
            return rows
        page = {"NextToken": answer["NextToken"]}
