"""What an AWS call needs to be allowed: which actions on which resources, with which condition keys. Pure.

The rows themselves are in iam_table.py. Source: Service Authorization Reference, "Actions, resources, and condition
keys for AWS services", whose resource types and ARNs these are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jmespath

Ids = Callable[["Call"], Iterable[str]]


@dataclass(frozen=True, slots=True)
class Call:
    """One AWS call as it came in. service: boto3's name; parameters: the decoded request."""

    service: str
    operation: str
    parameters: Mapping[str, Any]
    account_id: str
    region: str

    def find(self, path: str) -> list[str]:
        """The texts at a JMESPath of the parameters, [] when there are none."""
        found = jmespath.search(path, self.parameters)
        return [str(one) for one in (found if isinstance(found, list) else [found]) if one not in (None, "")]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must be allowed. keys: condition keys of this action and resource; kind and id: the resource."""

    action: str
    resource: str
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    kind: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """A resource a call needs: its kind ("ec2:subnet") and where its ids or ARNs stand in the request.

    ids: a JMESPath, or a function of the call; "" for what the call makes, whose id is not known yet.
    """

    kind: str
    ids: str | Ids = ""

    def found(self, call: Call) -> list[str]:
        """The ids in this call."""
        return call.find(self.ids) if isinstance(self.ids, str) else list(self.ids(call))


@dataclass(frozen=True, slots=True)
class Row:
    """What one operation needs.

    action: when it is not named as the operation. targets: each must be allowed; none: the action is on "*". keys:
    condition key to JMESPath. tag: the action that tagging what is made asks for, tagged: what that is when it is no
    target. passes: JMESPath of roles, and the service they are handed to. linked: service-linked roles that the first
    such call in an account makes, as (service, role). more: what else is needed, as the request says.
    """

    targets: tuple[Target, ...] = ()
    action: str = ""
    keys: Mapping[str, str | Ids] = field(default_factory=dict)
    tag: str = ""
    tagged: Target | None = None
    passes: tuple[str, str] | None = None
    linked: tuple[str, str] | None = None
    more: Callable[[Call], Iterable[Check]] | None = None


PREFIXES = {"efs": "elasticfilesystem", "resourcegroupstaggingapi": "tag", "service-quotas": "servicequotas"}
"""Services whose actions are not named as boto3 names the service."""
_CREATE_ACTION_KEYS = {"ec2": "ec2:CreateAction", "ecs": "ecs:CreateAction", "efs": "elasticfilesystem:CreateAction"}

ARNS: Mapping[str, str] = {
    "cloudwatch:alarm": "arn:{partition}:cloudwatch:{region}:{account}:alarm:{id}",
    "cloudwatch:dashboard": "arn:{partition}:cloudwatch::{account}:dashboard/{id}",
    "ec2:elastic-ip": "arn:{partition}:ec2:{region}:{account}:elastic-ip/{id}",
    "ec2:internet-gateway": "arn:{partition}:ec2:{region}:{account}:internet-gateway/{id}",
    "ec2:natgateway": "arn:{partition}:ec2:{region}:{account}:natgateway/{id}",
    "ec2:network-interface": "arn:{partition}:ec2:{region}:{account}:network-interface/{id}",
    "ec2:route-table": "arn:{partition}:ec2:{region}:{account}:route-table/{id}",
    "ec2:security-group": "arn:{partition}:ec2:{region}:{account}:security-group/{id}",
    "ec2:security-group-rule": "arn:{partition}:ec2:{region}:{account}:security-group-rule/{id}",
    "ec2:subnet": "arn:{partition}:ec2:{region}:{account}:subnet/{id}",
    "ec2:vpc": "arn:{partition}:ec2:{region}:{account}:vpc/{id}",
    "ec2:vpc-endpoint": "arn:{partition}:ec2:{region}:{account}:vpc-endpoint/{id}",
    "ec2:vpc-flow-log": "arn:{partition}:ec2:{region}:{account}:vpc-flow-log/{id}",
    "ecr:repository": "arn:{partition}:ecr:{region}:{account}:repository/{id}",
    "ecs:capacity-provider": "arn:{partition}:ecs:{region}:{account}:capacity-provider/{id}",
    "ecs:cluster": "arn:{partition}:ecs:{region}:{account}:cluster/{id}",
    "ecs:task": "arn:{partition}:ecs:{region}:{account}:task/{id}",
    "ecs:task-definition": "arn:{partition}:ecs:{region}:{account}:task-definition/{id}",
    "elasticfilesystem:access-point": "arn:{partition}:elasticfilesystem:{region}:{account}:access-point/{id}",
    "elasticfilesystem:file-system": "arn:{partition}:elasticfilesystem:{region}:{account}:file-system/{id}",
    "events:rule-on-default-event-bus": "arn:{partition}:events:{region}:{account}:rule/{id}",
    "iam:policy": "arn:{partition}:iam::{account}:policy/{id}",
    "iam:user": "arn:{partition}:iam::{account}:user/{id}",
    "iam:role": "arn:{partition}:iam::{account}:role/{id}",
    "kms:alias": "arn:{partition}:kms:{region}:{account}:{id}",
    "kms:key": "arn:{partition}:kms:{region}:{account}:key/{id}",
    "logs:log-group": "arn:{partition}:logs:{region}:{account}:log-group:{id}",
    "logs:log-stream": "arn:{partition}:logs:{region}:{account}:log-group:{id}",
    "s3:bucket": "arn:{partition}:s3:::{id}",
    "s3:object": "arn:{partition}:s3:::{id}",
    "secretsmanager:Secret": "arn:{partition}:secretsmanager:{region}:{account}:secret:{id}",
    "servicequotas:quota": "arn:{partition}:servicequotas:{region}:{account}:{id}",
    "sqs:queue": "arn:{partition}:sqs:{region}:{account}:{id}",
}
"""Resource types to their ARNs. The id of a nested one holds its parents: cluster/task, group:log-stream:stream."""


def rows(service: str, operations: str, *targets: Target, **more: object) -> dict[str, Row]:
    """The same row for several operations."""
    return {f"{service}.{operation}": Row(targets, **more) for operation in operations.split()}  # type: ignore[arg-type]


def arn(call: Call, kind: str, id: str) -> str:
    """The ARN of a resource: the id itself when it is one."""
    if id.startswith("arn:"):
        return id
    return ARNS[kind].format(partition="aws", region=call.region, account=call.account_id, id=id)


def action_of(call: Call, row: Row) -> str:
    """The call's own action."""
    return row.action or f"{PREFIXES.get(call.service, call.service)}:{call.operation}"


def checks(call: Call, row: Row) -> list[Check]:
    """Everything that must be allowed for the call to be served."""
    action, tags = action_of(call, row), request_tags(call)
    keys = {key: _values(call, where) for key, where in row.keys.items()}
    keys = {key: values for key, values in keys.items() if values}
    found = [
        Check(action, one.resource, keys | _tag_keys(call, tags, one.kind, made), one.kind, one.id)
        for made, one in _resources(call, row.targets)
    ]
    if not found:
        found = [Check(action, "*", keys | _tag_keys(call, tags, "", True))]
    found += _tagging(call, row, tags)
    found += _passing(call, row)
    if row.linked:
        found.append(_linking(call, *row.linked))
    return [*found, *(row.more(call) if row.more else ())]


def passed(call: Call, role: str, service: str) -> Check:
    """iam:PassRole of a role, named or by ARN, to a service."""
    return Check("iam:PassRole", arn(call, "iam:role", role), {"iam:PassedToService": (service,)})


def request_tags(call: Call) -> dict[str, dict[str, str]]:
    """The request's tags by the kind of resource they are for; "" for the request's only ones."""
    if "TagSpecifications" in call.parameters:
        specifications = call.parameters["TagSpecifications"] or []
        return {f"ec2:{one['ResourceType']}": _pairs(one.get("Tags") or []) for one in specifications}
    given = call.parameters.get("tags") or call.parameters.get("Tags") or {}
    return {"": dict(given) if isinstance(given, Mapping) else _pairs(given)} if given else {}


def _resources(call: Call, targets: Iterable[Target]) -> Iterable[tuple[bool, Check]]:
    for target in targets:
        for id in ["*"] if target.ids == "" else target.found(call):
            kind = target.kind or kind_of_id(id)
            yield target.ids == "", Check("", arn(call, kind, id), kind=kind, id=id)


def _values(call: Call, where: str | Ids) -> tuple[str, ...]:
    return tuple(call.find(where) if isinstance(where, str) else where(call))


def _tag_keys(call: Call, tags: Mapping[str, Mapping[str, str]], kind: str, made: bool) -> dict[str, tuple[str, ...]]:
    """aws:RequestTag and aws:TagKeys for a resource: EC2's tags are for the kind they name, others for all."""
    found = tags.get(kind if made else "") or tags.get("") or {}
    keys = {f"aws:RequestTag/{key}": (value,) for key, value in found.items()}
    names = tuple(found) or tuple(call.find("tagKeys || TagKeys || []"))
    return keys | ({"aws:TagKeys": names} if names else {})


def _tagging(call: Call, row: Row, tags: Mapping[str, Mapping[str, str]]) -> list[Check]:
    if not row.tag or not any(tags.values()):
        return []
    targets = [row.tagged] if row.tagged else [one for one in row.targets if one.ids == "" or call.service != "ec2"]
    create = _CREATE_ACTION_KEYS.get(call.service)
    keys = {create: (call.operation,)} if create else {}
    return [
        Check(row.tag, one.resource, keys | _tag_keys(call, tags, one.kind, True))
        for _, one in _resources(call, targets)
        if tags.get(one.kind) or tags.get("")
    ]


def _passing(call: Call, row: Row) -> list[Check]:
    if row.passes is None:
        return []
    path, service = row.passes
    return [passed(call, role, service) for role in call.find(path)]


def _linking(call: Call, service: str, role: str) -> Check:
    resource = arn(call, "iam:role", f"aws-service-role/{service}/{role}")
    return Check("iam:CreateServiceLinkedRole", resource, {"iam:AWSServiceName": (service,)})


def kind_of_id(id: str) -> str:
    """The kind of an EC2 resource by its id's prefix."""
    return _EC2_PREFIXES[id.rpartition("-")[0]]


_EC2_PREFIXES = {
    "eipalloc": "ec2:elastic-ip",
    "eni": "ec2:network-interface",
    "fl": "ec2:vpc-flow-log",
    "igw": "ec2:internet-gateway",
    "nat": "ec2:natgateway",
    "rtb": "ec2:route-table",
    "sg": "ec2:security-group",
    "sgr": "ec2:security-group-rule",
    "subnet": "ec2:subnet",
    "vpc": "ec2:vpc",
    "vpce": "ec2:vpc-endpoint",
}


def _pairs(tags: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Key to value of a list of tags, whatever the service calls the two."""
    return {
        str(tag.get("Key") or tag.get("key") or tag.get("TagKey")): str(
            tag.get("Value") or tag.get("value") or tag.get("TagValue") or ""
        )
        for tag in tags
    }
