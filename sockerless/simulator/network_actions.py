"""VPC endpoints, zones and what a network's parts hold fast of each other, where moto is laxer than AWS.

Source: EC2 API reference, DescribeAvailabilityZones (wildcards in filters), CreateVpcEndpoint, ModifyVpcEndpoint,
DeleteSecurityGroup, DeleteVpc; AWS PrivateLink guide, "Private DNS" (one endpoint a service and VPC may have it); moto
5.2, ec2/models: vpcs.py (a service need not exist, an endpoint's interfaces carry the default security group, a changed
endpoint keeps the routes and interfaces it was made with), security_groups.py (a group that is carried or named by
another can be deleted), availability_zones_and_regions.py (filters compare whole).
"""

from __future__ import annotations

import fnmatch
from typing import Any

from moto.ec2.exceptions import DependencyViolationError, EC2ClientError, InvalidServiceName
from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend, Zone
from moto.ec2.models.security_groups import SecurityGroupBackend
from moto.ec2.models.vpcs import VPC, VPCBackend, VPCEndPoint

from sockerless.simulator.hooks import Hooks

_NO_OPT_IN = "opt-in-not-required"
"""The opt-in status of a region's own zones, the only ones moto knows."""


def install(hooks: Hooks) -> None:
    """Serves networks as this simulator does."""

    def describe_availability_zones(
        backend: Any,
        filters: dict[str, Any] | None = None,
        zone_names: list[str] | None = None,
        zone_ids: list[str] | None = None,
    ) -> list[Zone]:
        rest = {name: values for name, values in (filters or {}).items() if name not in {"zone-name", "opt-in-status"}}
        zones = plainly_described(backend, rest, zone_names, zone_ids)
        return [zone for zone in zones if _passes(zone, filters or {})]

    def create_vpc_endpoint(
        backend: Any, vpc_id: str, service_name: str, endpoint_type: str | None, *rest: Any, **more: Any
    ) -> VPCEndPoint:
        _check_service(backend, vpc_id, service_name, more)
        made: VPCEndPoint = plainly_created(backend, vpc_id, service_name, endpoint_type or "Gateway", *rest, **more)
        _give_groups(backend, made)
        return made

    def modify_vpc_endpoint(backend: Any, vpc_id: str, **changes: Any) -> None:
        [endpoint] = backend.describe_vpc_endpoints(vpc_end_point_ids=[vpc_id])
        plainly_modified(backend, vpc_id, **changes)
        _move_routes(backend, endpoint, changes["add_route_tables"], changes["remove_route_tables"])
        _move_interfaces(backend, endpoint, changes["add_subnets"], changes["remove_subnets"])
        _give_groups(backend, endpoint)

    def delete_security_group(backend: Any, name: str | None = None, group_id: str | None = None) -> None:
        if group_id and (_carried(backend, group_id) or _named_by_another(backend, group_id)):
            raise DependencyViolationError(f"resource {group_id} has a dependent object")
        plainly_deleted(backend, name, group_id)

    def delete_vpc(backend: Any, vpc_id: str) -> VPC:
        if _occupied(backend, vpc_id):
            raise DependencyViolationError(f"The vpc '{vpc_id}' has dependencies and cannot be deleted.")
        deleted: VPC = plainly_ended(backend, vpc_id)
        return deleted

    plainly_described = hooks.replace(
        RegionsAndZonesBackend, "describe_availability_zones", describe_availability_zones
    )
    plainly_created = hooks.replace(VPCBackend, "create_vpc_endpoint", create_vpc_endpoint)
    plainly_modified = hooks.replace(VPCBackend, "modify_vpc_endpoint", modify_vpc_endpoint)
    plainly_deleted = hooks.replace(SecurityGroupBackend, "delete_security_group", delete_security_group)
    plainly_ended = hooks.replace(VPCBackend, "delete_vpc", delete_vpc)


def _passes(zone: Zone, filters: dict[str, Any]) -> bool:
    names = filters.get("zone-name")
    if names is not None and not any(fnmatch.fnmatchcase(zone.name, pattern) for pattern in names):
        return False
    return _NO_OPT_IN in filters.get("opt-in-status", [_NO_OPT_IN])


def _check_service(backend: Any, vpc_id: str, service_name: str, asked: dict[str, Any]) -> None:
    offered = VPCBackend._collect_default_endpoint_services(backend.account_id, backend.region_name)
    if service_name not in {one["ServiceName"] for one in offered}:
        raise InvalidServiceName(service_name)
    if asked.get("private_dns_enabled") and any(
        one.private_dns_enabled and one.service_name == service_name for one in _endpoints(backend, vpc_id)
    ):
        raise EC2ClientError(
            "InvalidParameter",
            "private-dns-enabled cannot be set because there is already a conflicting DNS domain for "
            f"{service_name} in the VPC {vpc_id}",
        )


def _give_groups(backend: Any, endpoint: VPCEndPoint) -> None:
    """Its interfaces carry its security groups, and are AWS's to delete."""
    groups = [backend.get_security_group_from_id(group_id) for group_id in endpoint.security_group_ids]
    for interface in (backend.enis[interface_id] for interface_id in endpoint.network_interface_ids):
        interface.requester_managed, interface.interface_type = True, "vpc_endpoint"
        interface._group_set = groups or interface._group_set


def _move_routes(backend: Any, endpoint: VPCEndPoint, added: list[str], removed: list[str]) -> None:
    """A gateway endpoint has a route to its prefix list in each of its route tables."""
    prefix_list = endpoint.destination_prefix_list_id
    for table_id in added:
        backend.create_route(table_id, None, gateway_id=endpoint.id, destination_prefix_list_id=prefix_list)
    for table_id in removed:
        backend.delete_route(table_id, prefix_list)


def _move_interfaces(backend: Any, endpoint: VPCEndPoint, added: list[str], removed: list[str]) -> None:
    """An interface endpoint has an interface in each of its subnets."""
    for interface_id in list(endpoint.network_interface_ids):
        if backend.enis[interface_id].subnet.id in removed:
            del backend.enis[interface_id]
            endpoint.network_interface_ids.remove(interface_id)
    endpoint.network_interface_ids += [backend.create_network_interface(one, "").id for one in added]


def _endpoints(backend: Any, vpc_id: str) -> list[VPCEndPoint]:
    return [one for one in backend.vpc_end_points.values() if one.vpc_id == vpc_id and one.state != "deleted"]


def _carried(backend: Any, group_id: str) -> bool:
    return any(group.id == group_id for interface in backend.enis.values() for group in interface.group_set)


def _named_by_another(backend: Any, group_id: str) -> bool:
    groups = [group for of_vpc in backend.groups.values() for group in of_vpc.values() if group.id != group_id]
    rules = [rule for group in groups for rule in (*group.ingress_rules, *group.egress_rules)]
    return any(rule.source_group.get("GroupId") == group_id for rule in rules)


def _occupied(backend: Any, vpc_id: str) -> bool:
    """Whether something stands in the VPC that AWS wants gone first and moto does not ask for."""
    gateways = [one for one in backend.internet_gateways.values() if one.vpc is not None and one.vpc.id == vpc_id]
    groups = [group for group in backend.groups.get(vpc_id, {}).values() if group.name != "default"]
    return bool(gateways or groups or _endpoints(backend, vpc_id))
