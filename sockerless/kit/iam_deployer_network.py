"""What a deployer may do in EC2: make a network that is tagged as the deployment's, and change what carries the tag.

Reading is by "*": EC2 takes no narrower resource for it. Source: Service Authorization Reference, Amazon EC2;
terraform's AWS provider 5.100 for what it calls.
"""

from __future__ import annotations

from sockerless.kit.iam_scope import PROJECT_TAG, Scope, allow
from sockerless.types import JsonObject

_READS = (
    "DescribeAddresses DescribeAddressesAttribute DescribeAvailabilityZones DescribeFlowLogs DescribeInternetGateways "
    "DescribeNatGateways DescribeNetworkAcls DescribeNetworkInterfaces DescribePrefixLists "
    "DescribeRouteTables DescribeSecurityGroupRules DescribeSecurityGroups DescribeSubnets DescribeTags "
    "DescribeVpcAttribute DescribeVpcEndpoints DescribeVpcs"
)
_GROUPS = "AuthorizeSecurityGroupEgress AuthorizeSecurityGroupIngress CreateSecurityGroup"
_CREATES = (
    f"AllocateAddress {_GROUPS} CreateFlowLogs CreateInternetGateway CreateNatGateway CreateRouteTable CreateSubnet "
    "CreateVpc CreateVpcEndpoint"
)
_CREATED = (
    "elastic-ip internet-gateway natgateway route-table security-group security-group-rule subnet vpc vpc-endpoint "
    "vpc-flow-log"
)
_GROUP_CHANGES = (
    "AuthorizeSecurityGroupEgress AuthorizeSecurityGroupIngress DeleteSecurityGroup ModifySecurityGroupRules "
    "RevokeSecurityGroupEgress RevokeSecurityGroupIngress"
)
_CHANGES = (
    f"AssociateRouteTable AttachInternetGateway {_GROUP_CHANGES} CreateFlowLogs CreateNatGateway CreateRoute "
    "CreateRouteTable CreateSecurityGroup CreateSubnet CreateVpcEndpoint DeleteFlowLogs DeleteInternetGateway "
    "DeleteNatGateway DeleteRoute DeleteRouteTable DeleteSubnet DeleteVpc DeleteVpcEndpoints DetachInternetGateway "
    "DisassociateAddress DisassociateRouteTable ModifySubnetAttribute ModifyVpcAttribute ModifyVpcEndpoint "
    "ReleaseAddress ReplaceRoute ReplaceRouteTableAssociation"
)
_THROUGH_EFS = {"Bool": {"aws:ViaAWSService": "true"}}


def statements(scope: Scope) -> list[JsonObject]:
    """For a network made here, or for a VPC of somebody else's, in which only security groups are made."""
    own = scope.project.network != "existing"
    return [
        allow("SeeNetworks", "ec2", _READS),
        *(_own(scope) if own else _existing(scope)),
        *(_tags(scope, _CREATES, _CREATED) if own else _tags(scope, _GROUPS, "security-group security-group-rule")),
        *_mount_targets(scope, own),
    ]


def _own(scope: Scope) -> list[JsonObject]:
    untagged = {"Null": {f"aws:ResourceTag/{PROJECT_TAG}": "true"}}
    return [
        allow("MakeWhatIsTagged", "ec2", _CREATES, scope.ec2(_CREATED), scope.made),
        allow("ChangeWhatIsTagged", "ec2", _CHANGES, scope.ec2(_CREATED), scope.mine),
        # A VPC comes with a default group that nobody can tag beforehand; it is tagged, then closed.
        allow("TakeTheDefaultGroup", "ec2", "CreateTags", scope.ec2("security-group"), scope.made, untagged),
        allow(
            "ResolveEndpoints",
            "route53",
            "AssociateVPCWithHostedZone",
            f"arn:{scope.partition}:route53:::hostedzone/*",
        ),
    ]


def _existing(scope: Scope) -> list[JsonObject]:
    vpc = scope.arns("ec2", f"vpc/{scope.project.vpc_id}")
    return [
        allow("MakeGroupsThatAreTagged", "ec2", _GROUPS, scope.ec2("security-group security-group-rule"), scope.made),
        allow("MakeThemInTheVPC", "ec2", "CreateSecurityGroup", vpc),
        allow("ChangeWhatIsTagged", "ec2", _GROUP_CHANGES, scope.ec2("security-group security-group-rule"), scope.mine),
    ]


def _tags(scope: Scope, creates: str, kinds: str) -> list[JsonObject]:
    creating = {"StringEquals": {"ec2:CreateAction": sorted(set(creates.split()))}}
    return [
        allow("TagWhatIsMade", "ec2", "CreateTags", scope.ec2(kinds), creating),
        allow("TagWhatIsTagged", "ec2", "CreateTags DeleteTags", scope.ec2(kinds), scope.mine),
    ]


def _mount_targets(scope: Scope, own: bool) -> list[JsonObject]:
    """What EFS does with the caller's permissions. Source: EFS API reference, CreateMountTarget, DeleteMountTarget."""
    subnets = scope.ec2("subnet") if own else scope.arns("ec2", *(f"subnet/{id}" for id in scope.project.subnet_ids))
    theirs = [] if own else [allow("MountInTheSubnets", "ec2", "CreateNetworkInterface", subnets, _THROUGH_EFS)]
    tagged = scope.ec2("security-group subnet" if own else "security-group")
    return [
        *theirs,
        allow("MountInWhatIsTagged", "ec2", "CreateNetworkInterface", tagged, scope.mine, _THROUGH_EFS),
        allow(
            "MountTargets",
            "ec2",
            "CreateNetworkInterface DeleteNetworkInterface",
            scope.ec2("network-interface"),
            _THROUGH_EFS,
        ),
    ]
