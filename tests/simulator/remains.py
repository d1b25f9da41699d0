"""What an account of the simulated AWS holds, to compare before and after."""

from __future__ import annotations

from .conftest import Account


def enabled(account: Account, key_id: str) -> bool:
    """Whether a key can be used: one that is deleted stays until its window is over."""
    described = account.client("kms").describe_key(KeyId=key_id)["KeyMetadata"]
    return bool(described["KeyState"] == "Enabled")


def remains(account: Account) -> dict[str, list[str]]:
    """Ids of what an account holds, by kind; AWS's own defaults (default VPC and what belongs to it) left out."""
    ec2, ecs, efs = account.client("ec2"), account.client("ecs"), account.client("efs")
    own = {"Filters": [{"Name": "isDefault", "Values": ["false"]}]}
    vpcs = [vpc["VpcId"] for vpc in ec2.describe_vpcs(**own)["Vpcs"]]

    def in_vpcs(operation: str, members: str, identifier: str) -> list[str]:
        found = getattr(ec2, operation)()[members]
        return [each[identifier] for each in found if each.get("VpcId") in vpcs]

    file_systems = [each["FileSystemId"] for each in efs.describe_file_systems()["FileSystems"]]
    clusters = ecs.describe_clusters(clusters=ecs.list_clusters()["clusterArns"])["clusters"]
    return {
        "vpcs": vpcs,
        "subnets": in_vpcs("describe_subnets", "Subnets", "SubnetId"),
        "security groups": in_vpcs("describe_security_groups", "SecurityGroups", "GroupId"),
        "route tables": in_vpcs("describe_route_tables", "RouteTables", "RouteTableId"),
        "interfaces": [i["NetworkInterfaceId"] for i in ec2.describe_network_interfaces()["NetworkInterfaces"]],
        "addresses": [address["AllocationId"] for address in ec2.describe_addresses()["Addresses"]],
        "internet gateways": [g["InternetGatewayId"] for g in ec2.describe_internet_gateways()["InternetGateways"]],
        "nat gateways": [
            gateway["NatGatewayId"]
            for gateway in ec2.describe_nat_gateways()["NatGateways"]
            if gateway["State"] != "deleted"
        ],
        "endpoints": [
            e["VpcEndpointId"] for e in ec2.describe_vpc_endpoints()["VpcEndpoints"] if e["State"] != "deleted"
        ],
        "clusters": [cluster["clusterArn"] for cluster in clusters if cluster["status"] == "ACTIVE"],
        "definitions": ecs.list_task_definitions()["taskDefinitionArns"],
        "roles": [role["RoleName"] for role in account.client("iam").list_roles()["Roles"]],
        "policies": [p["PolicyName"] for p in account.client("iam").list_policies(Scope="Local")["Policies"]],
        "keys": [key["KeyId"] for key in account.client("kms").list_keys()["Keys"] if enabled(account, key["KeyId"])],
        "queues": account.client("sqs").list_queues().get("QueueUrls", []),
        "rules": [rule["Name"] for rule in account.client("events").list_rules()["Rules"]],
        "alarms": [a["AlarmName"] for a in account.client("cloudwatch").describe_alarms()["MetricAlarms"]],
        "dashboards": [
            d["DashboardName"] for d in account.client("cloudwatch").list_dashboards().get("DashboardEntries", [])
        ],
        "cache rules": [
            rule["ecrRepositoryPrefix"]
            for rule in account.client("ecr").describe_pull_through_cache_rules()["pullThroughCacheRules"]
        ],
        "templates": [
            template["prefix"]
            for template in account.client("ecr").describe_repository_creation_templates()[
                "repositoryCreationTemplates"
            ]
        ],
        "log groups": [g["logGroupName"] for g in account.client("logs").describe_log_groups()["logGroups"]],
        "file systems": file_systems,
        "access points": [p["AccessPointId"] for p in efs.describe_access_points()["AccessPoints"]],
        "repositories": [r["repositoryName"] for r in account.client("ecr").describe_repositories()["repositories"]],
    }
