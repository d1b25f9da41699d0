"""Terraform itself, with the real provider: apply, an empty second plan, a destroy that leaves nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from sockerless.kit import provider
from sockerless.simulator.server import Simulator

from .conftest import Account

DEPLOYMENT = Path(__file__).parent / "deployment" / "main.tf"

Terraform = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = pytest.mark.terraform


@pytest.fixture
def terraform(tmp_path: Path, simulator: Simulator) -> Terraform:
    """Runs terraform in a directory that holds the deployment, initialised."""
    shutil.copy(DEPLOYMENT, tmp_path)
    environment = {**os.environ, "TF_VAR_endpoint_url": simulator.endpoint_url, "CHECKPOINT_DISABLE": "1"}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = ["terraform", *arguments, "-no-color", "-input=false"]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    mirror = provider.find(tmp_path).plugin_dir
    initialised = run("init", *(["-plugin-dir", str(mirror)] if mirror else []))
    assert initialised.returncode == 0, initialised.stderr
    return run


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
        "log groups": [g["logGroupName"] for g in account.client("logs").describe_log_groups()["logGroups"]],
        "file systems": file_systems,
        "access points": [p["AccessPointId"] for p in efs.describe_access_points()["AccessPoints"]],
        "repositories": [r["repositoryName"] for r in account.client("ecr").describe_repositories()["repositories"]],
    }


def test_a_deployment_is_applied_planned_empty_and_destroyed_without_a_rest(
    terraform: Terraform, simulator: Simulator
) -> None:
    account = Account(simulator.endpoint_url)
    before = remains(account)
    applied = terraform("apply", "-auto-approve")
    assert applied.returncode == 0, applied.stderr
    assert remains(account) != before
    planned = terraform("plan", "-detailed-exitcode")
    assert planned.returncode == 0, planned.stdout + planned.stderr
    destroyed = terraform("destroy", "-auto-approve")
    assert destroyed.returncode == 0, destroyed.stderr
    assert remains(account) == before
