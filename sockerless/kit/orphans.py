"""What stands in AWS though terraform's state does not know it, matched with what a plan would create.

Owns: how a planned resource is recognised: by a name that AWS takes once, by its place in its parent, or by its tags.
Changes nothing. Law: only what matches one planned resource, and that one alone, is told; when two could be meant,
neither is. Source of the document: Terraform's JSON output format 1.2 (resource_changes).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sockerless.aws import ec2_tagged, existing, standing, tagging
from sockerless.aws.session import Aws
from sockerless.ecs import tags
from sockerless.kit import account
from sockerless.kit.project import Project

_RULES = ("aws_vpc_security_group_ingress_rule", "aws_vpc_security_group_egress_rule")
_TAGGED = {
    "aws_vpc": "vpc-",
    "aws_subnet": "subnet-",
    "aws_internet_gateway": "igw-",
    "aws_eip": "eipalloc-",
    "aws_nat_gateway": "nat-",
    "aws_route_table": "rtb-",
    "aws_security_group": "sg-",
    **dict.fromkeys(_RULES, "sgr-"),
    "aws_vpc_endpoint": "vpce-",
    "aws_flow_log": "fl-",
    "aws_efs_access_point": "fsap-",
    "aws_kms_key": "key/",
}
"""Kinds without a name of their own, and what their ids begin with; a key's is told apart by its ARN."""


@dataclass(frozen=True, slots=True)
class Orphan:
    """A resource that is there: the address that the plan would create it under, and the id it is imported by."""

    address: str
    kind: str
    id: str


@dataclass(frozen=True, slots=True)
class _Planned:
    address: str
    kind: str
    values: Mapping[str, Any]


def find(project: Project, document: Mapping[str, Any], not_ours: frozenset[str]) -> list[Orphan]:
    """Everything that the plan would create and that is there already. not_ours: ids that are never told."""
    return asyncio.run(_find(project, document, not_ours))


def named(project: Project, document: Mapping[str, Any]) -> list[Orphan]:
    """What of it is there by name: creating it would fail, or quietly take over what is somebody else's."""
    planned = [one for one in _created(document) if one.kind not in existing.IN_A_PARENT]
    return asyncio.run(_by_name(project, planned))


def carrying_the_name(project: Project) -> frozenset[str]:
    """The ids of everything that carries the deployment's tag now."""
    return asyncio.run(_ids(project))


async def _find(project: Project, document: Mapping[str, Any], not_ours: frozenset[str]) -> list[Orphan]:
    planned = list(_created(document))
    async with account.opened(account.of(project)) as aws:
        found = await _lookup(aws, planned)
        tagged = {id_: told for id_, told in (await _tagged(aws, project)).items() if id_ not in not_ours}
        known = {str(one["change"]["before"].get("id")) for one in _resources(document) if one["change"].get("before")}
        found += await _by_tags(aws, planned, {id_: told for id_, told in tagged.items() if _bare(id_) not in known})
    return found


async def _by_name(project: Project, planned: list[_Planned]) -> list[Orphan]:
    async with account.opened(account.of(project)) as aws:
        return await _lookup(aws, planned)


async def _ids(project: Project) -> frozenset[str]:
    async with account.opened(account.of(project)) as aws:
        return frozenset(await _tagged(aws, project))


async def _lookup(aws: Aws, planned: list[_Planned]) -> list[Orphan]:
    ids = await asyncio.gather(*(existing.import_id(aws, one.kind, one.values) for one in planned))
    return [Orphan(one.address, one.kind, id_) for one, id_ in zip(planned, ids, strict=True) if id_]


async def _tagged(aws: Aws, project: Project) -> dict[str, dict[str, str]]:
    """The tags by id of what carries the deployment's name: EC2 tells at once, the tagging API after a while."""
    told = await tagging.tagged(aws, tags.PROJECT, project.name)
    found = {_id_of(arn): one for arn, one in told.items()}
    return found | await ec2_tagged.tagged(aws, tags.PROJECT, project.name)


def _id_of(arn: str) -> str:
    parts = standing.parse(arn)
    return f"key/{parts.id}" if parts.service == "kms" else parts.id


def _bare(id_: str) -> str:
    """The id as terraform has it."""
    return id_.removeprefix("key/")


async def _by_tags(aws: Aws, planned: list[_Planned], tagged: dict[str, dict[str, str]]) -> list[Orphan]:
    rules = {str(one["SecurityGroupRuleId"]): one for one in await _rules(aws, tagged)}
    matches: list[tuple[_Planned, str]] = []
    for one in planned:
        matches += [(one, id_) for id_, told in tagged.items() if _means(one, id_, told, rules.get(id_))]
    by_address, by_id = _counted(one.address for one, _ in matches), _counted(id_ for _, id_ in matches)
    return [
        Orphan(one.address, one.kind, _bare(id_)) for one, id_ in matches if by_address[one.address] == by_id[id_] == 1
    ]


def _means(one: _Planned, id_: str, told: Mapping[str, str], rule: Mapping[str, Any] | None) -> bool:
    """Whether this id, with these tags, is what is planned."""
    if one.kind not in _TAGGED or not id_.startswith(_TAGGED[one.kind]) or told != one.values.get("tags_all"):
        return False
    return one.kind not in _RULES or (rule is not None and _same_rule(one, rule))


def _same_rule(one: _Planned, rule: Mapping[str, Any]) -> bool:
    """Rules may carry the same tags: they are told apart by what they let through."""
    known = {
        "from_port": rule.get("FromPort"),
        "prefix_list_id": rule.get("PrefixListId"),
        "referenced_security_group_id": rule.get("ReferencedGroupInfo", {}).get("GroupId"),
        "security_group_id": rule["GroupId"],
    }
    return (
        (one.kind == _RULES[1]) is bool(rule["IsEgress"])
        and one.values.get("cidr_ipv4") == rule.get("CidrIpv4")
        and one.values.get("ip_protocol") == rule["IpProtocol"]
        and all(one.values.get(name) in {None, value} for name, value in known.items())
    )


async def _rules(aws: Aws, tagged: Mapping[str, object]) -> list[dict[str, Any]]:
    ids = [id_ for id_ in tagged if id_.startswith("sgr-")]
    return await ec2_tagged.security_group_rules(aws, ids) if ids else []


def _counted(names: Iterator[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    return counts


def _resources(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from (one for one in document.get("resource_changes", []) if one["mode"] == "managed")


def _created(document: Mapping[str, Any]) -> Iterator[_Planned]:
    for one in _resources(document):
        if one["change"]["actions"] == ["create"]:
            yield _Planned(one["address"], one["type"], one["change"]["after"] or {})
