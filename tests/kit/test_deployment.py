"""A whole deployment in the simulated AWS, by the command line alone: apply, an empty second plan, destroy.

One deployment for all facts (an apply takes most of a minute); they are told in the order in which it lives.
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from sockerless import config

from . import live
from .live import Live

pytestmark = [pytest.mark.engine, pytest.mark.terraform]
NAME = "kit-test"
REGION = "eu-central-1"


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    directory = tmp_path_factory.mktemp("deployment")
    made = live.init(directory, "--name", NAME, "--tag", "team=platform", region=REGION)
    try:
        (directory / "applied").write_text(made.done("apply", "--yes"))
        yield made
    finally:
        made.kit("down")


def test_apply_shows_the_plan_and_each_resource_with_its_seconds(standing: Live) -> None:
    lines = (standing.directory / "applied").read_text().splitlines()
    [(_, added, *others)] = [line.split() for line in lines if line.startswith("total ")]
    assert others == ["0", "0"]
    assert sum(line.startswith("created module.") and line.endswith(" s)") for line in lines) == int(added) > 40
    assert lines[-1] == "next: sockerless-kit serve"


def test_the_daemon_s_configuration_is_complete(standing: Live) -> None:
    read = config.load(standing.variables())
    assert (read.region, read.cluster, read.endpoint_url) == (REGION, NAME, standing.endpoint_url)
    assert len(read.subnets) == 2
    assert read.agent_version
    assert read.agent_image.endswith(f"/{NAME}/agent:{read.agent_version}")
    assert stat.S_IMODE((standing.directory / ".sockerless" / "daemon.env").stat().st_mode) == 0o600


def test_tasks_get_private_subnets_in_two_zones(standing: Live) -> None:
    subnets = standing.client("ec2").describe_subnets(SubnetIds=list(config.load(standing.variables()).subnets))[
        "Subnets"
    ]
    assert {subnet["CidrBlock"] for subnet in subnets} == {"10.0.0.0/19", "10.0.32.0/19"}
    assert len({subnet["AvailabilityZone"] for subnet in subnets}) == 2
    assert not any(subnet["MapPublicIpOnLaunch"] for subnet in subnets)


def test_everything_carries_the_deployment_s_tags(standing: Live) -> None:
    described = standing.client("efs").describe_file_systems()["FileSystems"][0]
    tags = {tag["Key"]: tag["Value"] for tag in described["Tags"]}
    assert tags == {
        "Name": NAME,
        "sockerless:project": NAME,
        "sockerless:environment": "dev",
        "sockerless:managed-by": "terraform",
        "team": "platform",
    }


def test_outputs_are_printed_for_people_for_machines_and_for_the_daemon(standing: Live) -> None:
    values = json.loads(standing.kit("outputs", "--json").stdout)
    assert values["cluster_name"] == NAME
    shown = standing.kit("outputs").stdout
    assert f"cluster_name = {NAME}\n" in shown
    assert "daemon_policy = see `sockerless-kit iam daemon`\n" in shown
    written = standing.kit("outputs", "--daemon-env").stdout
    assert written == (standing.directory / ".sockerless" / "daemon.env").read_text()


def test_a_second_apply_changes_nothing_and_runs_no_task(standing: Live) -> None:
    before = (standing.directory / ".sockerless" / "daemon.env").read_text()
    tasks = _all_tasks(standing)
    again = standing.kit("apply", "--yes")
    assert again.returncode == 0, again.stderr
    assert "Nothing to change" in again.stdout
    assert _all_tasks(standing) == tasks
    assert (standing.directory / ".sockerless" / "daemon.env").read_text() == before


def test_an_edit_of_the_settings_is_planned_as_that_change_alone(standing: Live) -> None:
    settings = standing.directory / "sockerless.toml"
    original = settings.read_text()
    settings.write_text(original.replace("log_retention_days = 365", "log_retention_days = 90"))
    try:
        planned = standing.kit("plan")
    finally:
        settings.write_text(original)
    assert "rendered terraform.tfvars" in planned.stdout
    assert "  change module.cloudwatch.aws_cloudwatch_log_group.this" in planned.stdout
    assert "  change module.vpc.aws_cloudwatch_log_group.flow_logs[0]" in planned.stdout
    assert any(line.split() == ["total", "0", "2", "0"] for line in planned.stdout.splitlines())


def test_an_existing_network_is_looked_at_before_terraform_plans(standing: Live, tmp_path: Path) -> None:
    beside = ("--simulator", "--endpoint-url", standing.endpoint_url, "--region", REGION)
    existing = ("--network", "existing", "--vpc-id", "vpc-0123abcd", "--subnet-id", "subnet-0123abcd")
    assert live.kit(tmp_path, "init", "--yes", *beside, *existing).returncode == 0
    planned = live.kit(tmp_path, "plan")
    assert planned.returncode != 0
    assert f"vpc_id: there is no VPC vpc-0123abcd in {REGION} of this AWS account" in planned.stderr
    assert not (tmp_path / ".terraform").exists()


def test_destroy_without_a_yes_destroys_nothing(standing: Live) -> None:
    asked = standing.kit("destroy")
    assert asked.returncode == 1
    assert "holds data: module.efs.aws_efs_file_system.this" in asked.stdout
    assert standing.client("efs").describe_file_systems()["FileSystems"]


def test_destroy_stops_the_tasks_and_leaves_nothing(standing: Live, engine_address: str, engine_image: str) -> None:
    _run_sleeper(standing, _pushed(standing, engine_address, engine_image))
    destroyed = standing.kit("destroy", "--yes")
    assert destroyed.returncode == 0, destroyed.stdout + destroyed.stderr
    said = destroyed.stdout
    assert "stopped 1 task, 1 network interface gone\n" in said, said
    assert "removed what was made at run time: " in said
    assert re.search(r"^nothing is left: \d\d resources asked for one by one, by tag and by name$", said, re.M)
    assert re.search(r"^  kept: arn:aws:kms:\S+: AWS deletes it on \d{4}-\d\d-\d\d$", said, re.M)
    assert _left(standing) == {}
    assert not (standing.directory / ".sockerless" / "daemon.env").exists()
    assert standing.kit("outputs").returncode == 1
    again = standing.kit("destroy", "--yes")
    assert again.returncode == 0
    assert "Nothing to change" in again.stdout


def _all_tasks(standing: Live) -> set[str]:
    ecs = standing.client("ecs")
    return {
        arn
        for status in ("RUNNING", "STOPPED")
        for arn in ecs.list_tasks(cluster=NAME, desiredStatus=status)["taskArns"]
    }


def _pushed(standing: Live, engine_address: str, image: str) -> str:
    """The image in the deployment's repository of loaded images, where a destroy has to delete it."""
    repository = config.load(standing.variables()).ecr_repository
    granted = standing.client("ecr").get_authorization_token()["authorizationData"][0]["authorizationToken"]
    username, _, password = base64.b64decode(granted).decode().partition(":")
    with contextlib.closing(docker.DockerClient(base_url=engine_address)) as engine:
        engine.images.get(image).tag(repository, "sleeper")
        told = engine.images.push(repository, "sleeper", auth_config={"username": username, "password": password})
        engine.images.remove(f"{repository}:sleeper")
    assert '"error"' not in told
    return f"{repository}:sleeper"


def _run_sleeper(standing: Live, image: str) -> None:
    """Starts a task that would go on for ten minutes, and waits until it runs."""
    ecs, built = standing.client("ecs"), config.load(standing.variables())
    ecs.register_task_definition(
        family=f"{NAME}-sleeper",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        executionRoleArn=built.execution_role_arn,
        containerDefinitions=[
            {"name": "main", "image": image, "essential": True, "stopTimeout": 2, "command": ["sleep", "600"]}
        ],
    )
    network = {"subnets": list(built.subnets), "securityGroups": list(built.security_groups)}
    started = ecs.run_task(
        cluster=NAME,
        taskDefinition=f"{NAME}-sleeper",
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": network},
    )
    ecs.get_waiter("tasks_running").wait(
        cluster=NAME, tasks=[started["tasks"][0]["taskArn"]], WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )


def _left(standing: Live) -> dict[str, list[str]]:
    """What is still there, by kind; nothing that the account itself has."""
    ec2, iam = standing.client("ec2"), standing.client("iam")
    mine = [{"Name": "tag:sockerless:project", "Values": [NAME]}]
    left = {
        "vpcs": [one["VpcId"] for one in ec2.describe_vpcs(Filters=mine)["Vpcs"]],
        "subnets": [one["SubnetId"] for one in ec2.describe_subnets(Filters=mine)["Subnets"]],
        "groups": [one["GroupId"] for one in ec2.describe_security_groups(Filters=mine)["SecurityGroups"]],
        "addresses": [one["AllocationId"] for one in ec2.describe_addresses(Filters=mine)["Addresses"]],
        "gateways": [
            one["NatGatewayId"]
            for one in ec2.describe_nat_gateways(Filters=mine)["NatGateways"]
            if one["State"] != "deleted"
        ],
        "clusters": [
            one["clusterName"]
            for one in standing.client("ecs").describe_clusters(clusters=[NAME])["clusters"]
            if one["status"] == "ACTIVE"
        ],
        "file systems": [one["FileSystemId"] for one in standing.client("efs").describe_file_systems()["FileSystems"]],
        "repositories": [
            one["repositoryName"] for one in standing.client("ecr").describe_repositories()["repositories"]
        ],
        "log groups": [one["logGroupName"] for one in standing.client("logs").describe_log_groups()["logGroups"]],
        "roles": [one["RoleName"] for one in iam.list_roles()["Roles"] if one["RoleName"].startswith(NAME)],
        "policies": [one["PolicyName"] for one in iam.list_policies(Scope="Local")["Policies"]],
    }
    return {kind: names for kind, names in left.items() if names}
