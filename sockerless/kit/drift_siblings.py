"""Attributes in which a resource shows what resources beside it manage: a group's rules, a table's routes, an
endpoint's tables, a role's policies. They differ after every first apply; drift is in them only what no resource beside
it accounts for.

Owns: which attributes these are, and what accounts for what. Pure. What is missing beside it, terraform tells of the
resource that managed it. Source: the AWS provider 5.x, schemas of these resources.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

Values = Mapping[str, Any]


class Beside(NamedTuple):
    """A managed resource: its terraform type and attributes."""

    kind: str
    values: Values


def strangers(kind: str, name: str, values: Values, beside: Sequence[Beside]) -> list[str] | None:
    """What the attribute holds that nothing beside it manages, in words; None for an attribute of its own."""
    found = _COLLECTED.get((kind, name))
    return found(values, beside) if found else None


def measured(kind: str, name: str) -> bool:
    """Whether AWS fills the attribute in by itself: nobody changes it, and it is managed by no one."""
    return name in _MEASURED.get(kind, ()) or (kind, name) in _MANAGED_APART


def _rules(attribute: str, rule_kind: str) -> Callable[[Values, Sequence[Beside]], list[str]]:
    def extra(group: Values, beside: Sequence[Beside]) -> list[str]:
        managed = {
            _managed_rule(one.values)
            for one in beside
            if one.kind == rule_kind and one.values.get("security_group_id") == group.get("id")
        }
        present = (atom for rule in group.get(attribute) or () for atom in _atoms(rule, str(group.get("id"))))
        return [_worded(atom) for atom in present if atom not in managed]

    return extra


def _managed_rule(rule: Values) -> tuple[str, int, int, str]:
    sources = ("cidr_ipv4", "cidr_ipv6", "prefix_list_id", "referenced_security_group_id")
    source = next((str(rule[name]) for name in sources if rule.get(name)), "")
    return str(rule.get("ip_protocol")), _port(rule.get("from_port")), _port(rule.get("to_port")), source


def _atoms(rule: Values, group_id: str) -> Iterator[tuple[str, int, int, str]]:
    """A rule as the group shows it, one source each."""
    lists = ("cidr_blocks", "ipv6_cidr_blocks", "prefix_list_ids", "security_groups")
    sources = [str(source) for name in lists for source in rule.get(name) or ()]
    for source in [*sources, *([group_id] if rule.get("self") else [])]:
        yield str(rule.get("protocol")), _port(rule.get("from_port")), _port(rule.get("to_port")), source


def _port(value: Any) -> int:
    """A rule for all protocols has no ports, or 0 or -1, depending on who tells it."""
    return max(int(value or 0), 0)


def _worded(atom: tuple[str, int, int, str]) -> str:
    protocol, first, last, source = atom
    ports = "" if protocol == "-1" else f" {first}" if first == last else f" {first}-{last}"
    return f"{'all traffic' if protocol == '-1' else protocol}{ports} with {source}"


def _routes(table: Values, beside: Sequence[Beside]) -> list[str]:
    managed = {
        _destination(one.values, "destination_cidr_block", "destination_ipv6_cidr_block")
        for one in beside
        if one.kind == "aws_route" and one.values.get("route_table_id") == table.get("id")
    }
    present = (_destination(route, "cidr_block", "ipv6_cidr_block") for route in table.get("route") or ())
    return [f"route to {destination}" for destination in present if destination not in managed]


def _destination(route: Values, *names: str) -> str:
    return next((str(route[name]) for name in (*names, "destination_prefix_list_id") if route.get(name)), "")


def _tables(endpoint: Values, beside: Sequence[Beside]) -> list[str]:
    managed = {
        one.values.get("route_table_id")
        for one in beside
        if one.kind == "aws_vpc_endpoint_route_table_association"
        and one.values.get("vpc_endpoint_id") == endpoint.get("id")
    }
    return [f"route table {table}" for table in endpoint.get("route_table_ids") or () if table not in managed]


def _inline_policies(role: Values, beside: Sequence[Beside]) -> list[str]:
    managed = _of_role(role, beside, "aws_iam_role_policy", "name")
    present = [str(policy.get("name")) for policy in role.get("inline_policy") or () if policy.get("name")]
    return [f"policy {name}" for name in present if name not in managed]


def _attached_policies(role: Values, beside: Sequence[Beside]) -> list[str]:
    managed = _of_role(role, beside, "aws_iam_role_policy_attachment", "policy_arn")
    return [str(arn) for arn in role.get("managed_policy_arns") or () if arn not in managed]


def _of_role(role: Values, beside: Sequence[Beside], kind: str, attribute: str) -> set[Any]:
    return {
        one.values.get(attribute) for one in beside if one.kind == kind and one.values.get("role") == role.get("name")
    }


_COLLECTED: dict[tuple[str, str], Callable[[Values, Sequence[Beside]], list[str]]] = {
    ("aws_security_group", "ingress"): _rules("ingress", "aws_vpc_security_group_ingress_rule"),
    ("aws_security_group", "egress"): _rules("egress", "aws_vpc_security_group_egress_rule"),
    ("aws_route_table", "route"): _routes,
    ("aws_vpc_endpoint", "route_table_ids"): _tables,
    ("aws_iam_role", "inline_policy"): _inline_policies,
    ("aws_iam_role", "managed_policy_arns"): _attached_policies,
}
_MANAGED_APART = {("aws_s3_bucket", "policy")}
"""Terraform tells of it at the resource that manages it."""
_MEASURED: dict[str, tuple[str, ...]] = {
    "aws_efs_file_system": ("number_of_mount_targets", "size_in_bytes"),
    "aws_eip": ("association_id", "instance", "network_interface", "private_dns", "private_ip", "public_dns"),
    "aws_iam_policy": ("attachment_count",),
    "aws_vpc_endpoint": ("cidr_blocks", "dns_entry", "network_interface_ids", "prefix_list_id", "state"),
}
"""What AWS fills in once something else is made, or counts."""
