"""The rows of iam_targets.py for EC2: what a network is made of.

Describe calls need no row: EC2 knows no resource of them, but for those here. Source: Service Authorization
Reference, "Actions, resources, and condition keys for Amazon EC2".
"""

from __future__ import annotations

from collections.abc import Mapping

from sockerless.simulator import iam_lookups as lookups
from sockerless.simulator.iam_targets import Row, Target


def _row(*targets: Target, **more: object) -> Row:
    return Row(targets, tag="ec2:CreateTags", **more)  # type: ignore[arg-type]


def _new(kind: str) -> Target:
    return Target(f"ec2:{kind}")


def _of(kind: str, path: str) -> Target:
    return Target(f"ec2:{kind}", path)


_VPC, _SUBNET = _of("vpc", "VpcId"), _of("subnet", "SubnetId")
_GATEWAY, _TABLE = _of("internet-gateway", "InternetGatewayId"), _of("route-table", "RouteTableId")
_GROUP = _of("security-group", "GroupId")
_BY_ASSOCIATION = (
    Target("ec2:route-table", lookups.table_of_association),
    Target("ec2:subnet", lookups.subnet_of_association),
)
_ANY = Target("", "Resources")

_OPERATIONS: Mapping[str, Row] = {
    "AllocateAddress": _row(_new("elastic-ip")),
    "AssociateRouteTable": _row(_TABLE, _SUBNET),
    "AttachInternetGateway": _row(_GATEWAY, _VPC),
    "AuthorizeSecurityGroupEgress": _row(_GROUP, _new("security-group-rule")),
    "AuthorizeSecurityGroupIngress": _row(_GROUP, _new("security-group-rule")),
    "CreateFlowLogs": _row(
        _new("vpc-flow-log"),
        _of("vpc", "ResourceIds"),
        passes=("DeliverLogsPermissionArn", "vpc-flow-logs.amazonaws.com"),
    ),
    "CreateInternetGateway": _row(_new("internet-gateway")),
    "CreateNatGateway": _row(_new("natgateway"), _of("elastic-ip", "AllocationId"), _SUBNET),
    "CreateRoute": _row(_TABLE),
    "CreateRouteTable": _row(_new("route-table"), _VPC),
    "CreateSecurityGroup": _row(_new("security-group"), _VPC),
    "CreateSubnet": _row(_new("subnet"), _VPC),
    "CreateTags": Row((_ANY,)),
    "CreateVpc": _row(_new("vpc")),
    "CreateVpcEndpoint": _row(
        _new("vpc-endpoint"),
        _VPC,
        _of("route-table", "RouteTableIds"),
        _of("security-group", "SecurityGroupIds"),
        _of("subnet", "SubnetIds"),
        more=lookups.private_zone,
    ),
    "DeleteFlowLogs": _row(_of("vpc-flow-log", "FlowLogIds")),
    "DeleteInternetGateway": _row(_GATEWAY),
    "DeleteNatGateway": _row(_of("natgateway", "NatGatewayId")),
    "DeleteRoute": _row(_TABLE),
    "DeleteRouteTable": _row(_TABLE),
    "DeleteSecurityGroup": _row(_GROUP),
    "DeleteSubnet": _row(_SUBNET),
    "DeleteTags": Row((_ANY,)),
    "DeleteVpc": _row(_VPC),
    "DeleteVpcEndpoints": _row(_of("vpc-endpoint", "VpcEndpointIds")),
    "DescribeVpcAttribute": _row(_VPC),
    "DetachInternetGateway": _row(_GATEWAY, _VPC),
    "DisassociateAddress": _row(Target("ec2:elastic-ip", lookups.address_of_association)),
    "DisassociateRouteTable": _row(*_BY_ASSOCIATION),
    "ModifySecurityGroupRules": _row(_GROUP, _of("security-group-rule", "SecurityGroupRules[].SecurityGroupRuleId")),
    "ModifySubnetAttribute": _row(_SUBNET),
    "ModifyVpcAttribute": _row(_VPC),
    "ModifyVpcEndpoint": _row(
        _of("vpc-endpoint", "VpcEndpointId"),
        _of("route-table", "[AddRouteTableIds, RemoveRouteTableIds][]"),
        _of("security-group", "[AddSecurityGroupIds, RemoveSecurityGroupIds][]"),
        _of("subnet", "[AddSubnetIds, RemoveSubnetIds][]"),
    ),
    "ReleaseAddress": _row(_of("elastic-ip", "AllocationId")),
    "ReplaceRoute": _row(_TABLE),
    "ReplaceRouteTableAssociation": _row(_TABLE, Target("ec2:subnet", lookups.subnet_of_association)),
    "RevokeSecurityGroupEgress": _row(_GROUP),
    "RevokeSecurityGroupIngress": _row(_GROUP),
    "UpdateSecurityGroupRuleDescriptionsEgress": _row(_GROUP),
    "UpdateSecurityGroupRuleDescriptionsIngress": _row(_GROUP),
}
EC2: Mapping[str, Row] = {f"ec2.{operation}": row for operation, row in _OPERATIONS.items()}
"""Operation ("ec2.CreateVpc") to what it needs."""
