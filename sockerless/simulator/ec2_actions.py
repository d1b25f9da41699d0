"""What Terraform asks of EC2 and moto answers differently from AWS.

Source: EC2 API reference, SecurityGroupRule, DeleteNatGateway, DeleteSubnet; moto 5.2, ec2/models/security_groups.py
(a rule's description is read from its address range only, although a rule that names a group keeps it beside the
group, and one that names a prefix list forgets it), nat_gateways.py (a deleted gateway's interface stays) and
subnets.py (one with interfaces can be deleted).
"""

from __future__ import annotations

from typing import Any

from moto.ec2.exceptions import DependencyViolationError
from moto.ec2.models.nat_gateways import NatGateway, NatGatewayBackend
from moto.ec2.models.security_groups import SecurityGroupRule
from moto.ec2.models.subnets import Subnet, SubnetBackend

from sockerless.simulator.hooks import Hooks

_KEPT = "description_of_prefix_list"


def _description(rule: SecurityGroupRule) -> str | None:
    own: str | None = rule.__dict__.get(_KEPT)
    return own or rule.ip_range.get("Description") or rule.source_group.get("Description")


def install(hooks: Hooks) -> None:
    """Serves EC2 as this simulator does."""

    def make_rule(
        rule: SecurityGroupRule,
        backend: Any,
        ip_protocol: str,
        group_id: str,
        from_port: str | None,
        to_port: str | None,
        ip_range: dict[str, str] | None,
        source_group: dict[str, str] | None = None,
        prefix_list_id: dict[str, str] | None = None,
        **more: Any,
    ) -> None:
        make(rule, backend, ip_protocol, group_id, from_port, to_port, ip_range, source_group, prefix_list_id, **more)
        rule.__dict__[_KEPT] = (prefix_list_id or {}).get("Description")

    def delete_nat_gateway(backend: NatGatewayBackend, nat_gateway_id: str) -> NatGateway:
        gateway: NatGateway = delete(backend, nat_gateway_id)
        backend.enis.pop(gateway._eni.id, None)  # type: ignore[attr-defined]  # of EC2Backend, which mixes this in
        return gateway

    def delete_subnet(backend: SubnetBackend, subnet_id: str) -> Subnet:
        if any(interface.subnet.id == subnet_id for interface in backend.enis.values()):  # type: ignore[attr-defined]
            raise DependencyViolationError(f"The subnet '{subnet_id}' has dependencies and cannot be deleted.")
        deleted: Subnet = delete_plainly(backend, subnet_id)
        return deleted

    make = hooks.replace(SecurityGroupRule, "__init__", make_rule)
    hooks.replace(SecurityGroupRule, "description", property(_description))
    delete = hooks.replace(NatGatewayBackend, "delete_nat_gateway", delete_nat_gateway)
    delete_plainly = hooks.replace(SubnetBackend, "delete_subnet", delete_subnet)
