"""The network of each mode, as the templates render it: applied, planned empty again, destroyed without a rest."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sockerless.kit import project, provider, render
from sockerless.simulator.server import Simulator

from .conftest import Account
from .remains import remains

pytestmark = [pytest.mark.terraform, pytest.mark.slow]
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
MODES: dict[str, dict[str, Any]] = {
    "nat in each zone": {"network": "nat", "nat_gateways": "zone", "zones": 3, "network_cidr": "10.0.7.0/24"},
    "public": {"network": "public", "daemon_cidrs": ["203.0.113.7/32"], "flow_logs": "all", "encryption": "aws"},
    "private": {"network": "private", "flow_logs": "off"},
    "existing": {"network": "existing"},
    "existing with security groups": {"network": "existing", "assign_public_ip": True},
}


@dataclass(frozen=True, slots=True)
class Rendered:
    """A rendered deployment, of which everything is planned and applied by terraform itself."""

    directory: Path

    def terraform(self, *arguments: str) -> str:
        """What terraform prints; the test fails with it when terraform does."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
        done = subprocess.run(
            ["terraform", *arguments, "-no-color"],
            cwd=self.directory,
            env=environment | KEYS,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def rendered(directory: Path, simulator: Simulator, settings: dict[str, Any]) -> Rendered:
    """The templates' rendering for these settings, initialised."""
    simulated = {"target": "simulator", "endpoint_url": simulator.endpoint_url}
    here = project.from_mapping(directory, settings | simulated)
    render.write(here, render.render_terraform(here))
    made = Rendered(directory)
    mirror = provider.find(directory).plugin_dir
    made.terraform("init", *(["-plugin-dir", str(mirror)] if mirror else []))
    return made


def given(ec2: Any, mode: str) -> dict[str, Any]:
    """The settings of the mode, with a VPC made for it where it wants one: three subnets, two of them in one zone."""
    settings = MODES[mode]
    if settings["network"] != "existing":
        return settings
    vpc_id = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    ec2.modify_vpc_attribute(VpcId=vpc_id, EnableDnsHostnames={"Value": True})
    zones = ["us-east-1a", "us-east-1a", "us-east-1b"]
    subnet_ids = [
        ec2.create_subnet(VpcId=vpc_id, CidrBlock=f"10.9.{number}.0/24", AvailabilityZone=zone)["Subnet"]["SubnetId"]
        for number, zone in enumerate(zones)
    ]
    own = {"vpc_id": vpc_id, "subnet_ids": subnet_ids}
    if "security groups" in mode:
        own["security_group_ids"] = [
            ec2.create_security_group(GroupName="yours", Description="yours", VpcId=vpc_id)["GroupId"]
        ]
    return settings | own


def described(ec2: Any) -> dict[str, Any]:
    """Everything a change of somebody else's network would show in; a subnet's free addresses are no such thing."""
    subnets = ec2.describe_subnets()["Subnets"]
    return {
        "vpcs": ec2.describe_vpcs()["Vpcs"],
        "subnets": [{key: value for key, value in one.items() if key != "AvailableIpAddressCount"} for one in subnets],
        "route tables": ec2.describe_route_tables()["RouteTables"],
        "security groups": ec2.describe_security_groups()["SecurityGroups"],
        "flow logs": ec2.describe_flow_logs()["FlowLogs"],
    }


@pytest.mark.parametrize("mode", MODES)
def test_the_network_is_applied_planned_empty_and_destroyed_without_a_rest(
    tmp_path: Path, simulator: Simulator, mode: str
) -> None:
    account = Account(simulator.endpoint_url)
    ec2 = account.client("ec2")
    settings = given(ec2, mode)
    before, rest_before = described(ec2), remains(account)
    here = rendered(tmp_path, simulator, settings)
    here.terraform("apply", "-auto-approve")
    here.terraform("plan", "-detailed-exitcode")
    standing = described(ec2)
    changed = [one for kind, ones in before.items() for one in ones if one not in standing[kind]]
    assert changed == [], "somebody else's"
    check(ec2, mode, {name: one["value"] for name, one in json.loads(here.terraform("output", "-json")).items()})
    here.terraform("destroy", "-auto-approve")
    assert described(ec2) == before
    assert remains(account) == rest_before


def check(ec2: Any, mode: str, outputs: dict[str, Any]) -> None:
    """The network that stands is the one of its mode."""
    vpc = [{"Name": "vpc-id", "Values": [outputs["vpc_id"]]}]
    subnets = ec2.describe_subnets(SubnetIds=outputs["task_subnet_ids"])["Subnets"]
    gateways = [one for one in ec2.describe_nat_gateways(Filters=vpc)["NatGateways"] if one["State"] == "available"]
    endpoints = [one for one in ec2.describe_vpc_endpoints(Filters=vpc)["VpcEndpoints"] if one["State"] != "deleted"]
    services = {one["ServiceName"].removeprefix("com.amazonaws.us-east-1.") for one in endpoints}
    assert {one["VpcId"] for one in subnets} == {outputs["vpc_id"]}
    assert outputs["assign_public_ip"] == (mode in {"public", "existing with security groups"})
    assert len(gateways) == (3 if mode == "nat in each zone" else 0)
    if mode.startswith("existing"):
        assert services == set()
        assert len(outputs["zone_names"]) == 2
    else:
        assert services == {"s3", *outputs["interface_endpoints"]}
        assert {one["AvailabilityZone"] for one in subnets} == set(outputs["zone_names"])
    private = ["ecr.api", "ecr.dkr", "ecs", "elasticfilesystem", "logs", "sqs"]
    assert outputs["interface_endpoints"] == (private if mode == "private" else [])
