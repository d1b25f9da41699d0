"""What the simulated account must be asked to authorise a call: what an id stands for, and the tags of resources.

The caller holds the simulator's lock. Whatever is not there is found as nothing: AWS authorises before it looks.
Source: moto 5.2's records.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from moto.ec2.models import ec2_backends
from moto.ecs.models import ecs_backends
from moto.efs.models import efs_backends
from moto.iam.models import Role, iam_backends
from moto.kms.models import kms_backends
from moto.sqs.models import sqs_backends

from sockerless.simulator.iam_targets import Call, Check, arn


def role(account_id: str, name_or_arn: str) -> Role | None:
    """The role of this name or ARN."""
    name = name_or_arn.rpartition("/")[2]
    found = (one for one in iam_backends[account_id]["aws"].roles.values() if one.name == name)
    return next(found, None)


def boundary_of_role(call: Call) -> list[str]:
    """The permissions boundary of the role that the call names."""
    found = role(call.account_id, str(call.parameters["RoleName"]))
    return [found.permissions_boundary_arn] if found and found.permissions_boundary_arn else []


def definition_roles(call: Call) -> list[str]:
    """The roles in the task definition that RunTask names."""
    wanted = str(call.parameters["taskDefinition"]).rpartition("/")[2]
    family, _, revision = wanted.partition(":")
    revisions = ecs_backends[call.account_id][call.region].task_definitions.get(family, {})
    found = revisions.get(int(revision) if revision else max(revisions, default=0))
    roles = (getattr(found, name, None) for name in ("task_role_arn", "execution_role_arn"))
    return [str(one) for one in roles if one]


def file_system_of_mount_target(call: Call) -> list[str]:
    """The file system that the call's mount target is of; any, of a mount target that is not there."""
    targets = _efs(call).mount_targets_by_id
    return [targets[id].file_system_id if id in targets else "*" for id in call.find("MountTargetId")]


def tagged_file_system(call: Call) -> list[str]:
    """ResourceId, when it is a file system."""
    return [id for id in call.find("ResourceId") if not id.startswith("fsap-")]


def tagged_access_point(call: Call) -> list[str]:
    """ResourceId, when it is an access point."""
    return [id for id in call.find("ResourceId") if id.startswith("fsap-")]


def encrypted(call: Call) -> list[str]:
    """elasticfilesystem:Encrypted of CreateFileSystem."""
    return ["true" if call.parameters.get("Encrypted") else "false"]


def key(call: Call) -> list[str]:
    """The key that KeyId names: an id, an ARN, or an alias."""
    given = call.find("KeyId")
    return [found for one in given for found in (_key_of_alias(call, one) if "alias/" in one else [one])]


def key_of_alias(call: Call) -> list[str]:
    """The key that AliasName stands for."""
    return _key_of_alias(call, str(call.parameters["AliasName"]))


def queue_key(call: Call) -> list[str]:
    """The id or ARN of the key that encrypts the call's queue."""
    name = str(call.parameters["QueueUrl"]).rpartition("/")[2]
    queue = sqs_backends[call.account_id][call.region].queues.get(name)
    found = str(getattr(queue, "kms_master_key_id", None) or "")
    return [found.rpartition("/")[2]] if found and not found.startswith("alias/aws/") else []


def table_of_association(call: Call) -> list[str]:
    """The route table of AssociationId."""
    return [table for table, _ in _association(call)]


def subnet_of_association(call: Call) -> list[str]:
    """The subnet of AssociationId."""
    return [subnet for _, subnet in _association(call)]


def address_of_association(call: Call) -> list[str]:
    """The elastic address of AssociationId."""
    wanted = call.parameters.get("AssociationId")
    addresses = ec2_backends[call.account_id][call.region].addresses
    return [one.allocation_id for one in addresses if one.association_id == wanted and one.allocation_id]


def private_zone(call: Call) -> Iterable[Check]:
    """An interface endpoint with private DNS associates a hosted zone. Source: reference, CreateVpcEndpoint."""
    if call.parameters.get("VpcEndpointType") == "Interface" and call.parameters.get("PrivateDnsEnabled"):
        yield Check("route53:AssociateVPCWithHostedZone", "arn:aws:route53:::hostedzone/*")


def tags(call: Call, kind: str, id: str) -> Mapping[str, str]:
    """The tags of a resource, for kinds that policies may name by tag; {} for the others and for what is not there."""
    service, name = kind.partition(":")[0], id.rpartition("/")[2]
    if service == "ec2":
        return dict(ec2_backends[call.account_id][call.region].tags.get(name, {}))
    if service == "elasticfilesystem":
        return _dict(_efs(call).tagging_service.get_tag_dict_for_resource(name))
    if kind == "kms:key":
        return _dict(kms_backends[call.account_id][call.region].tagger.get_tag_dict_for_resource(name))
    if kind == "ecs:cluster":
        cluster = ecs_backends[call.account_id][call.region].clusters.get(name)
        return {tag["key"]: tag["value"] for tag in cluster.tags or []} if cluster else {}
    return {}


def _dict(found: Mapping[str, str | None]) -> dict[str, str]:
    return {key: value or "" for key, value in found.items()}


def _efs(call: Call) -> Any:
    return efs_backends[call.account_id][call.region]


def _key_of_alias(call: Call, alias: str) -> list[str]:
    name = f"alias/{alias.rpartition('alias/')[2]}"
    for one in kms_backends[call.account_id][call.region].keys.values():
        if name in one.aliases:
            return [arn(call, "kms:key", one.id)]
    return []


def _association(call: Call) -> list[tuple[str, str]]:
    wanted = call.parameters.get("AssociationId")
    tables = ec2_backends[call.account_id][call.region].route_tables.values()
    return [(table.id, table._associations[wanted]) for table in tables if wanted in table._associations]
