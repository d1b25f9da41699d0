"""What a user reads when terraform itself fails: one sentence with the resource, the reason, the fix and the log.

Real terraform against the simulated AWS, whose calls fail as AWS's do. No task runs, so no engine is needed.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Simulated
from .live import Live

pytestmark = [pytest.mark.terraform, pytest.mark.slow]
SMALL = (
    "--zones",
    "1",
    "--encryption",
    "aws",
    "--no-alarms",
    "--no-dashboard",
    "--no-task-events",
    "--flow-logs",
    "off",
)


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory, simulated: Simulated) -> Live:
    """A deployment of which nothing stands yet; what one test builds is there in the next."""
    made = Live(tmp_path_factory.mktemp("failing"), simulated.simulator.endpoint_url, "us-east-1")
    made.done("init", "--yes", "--simulator", "--endpoint-url", made.endpoint_url, "--name", "failing", *SMALL)
    return made


def sentence(standing: Live, *arguments: str) -> str:
    """What the failing command says on standard error: one line."""
    done = standing.kit(*arguments)
    assert done.returncode == 1, done.stdout
    [line] = done.stderr.splitlines()
    assert line.startswith("Error: ")
    return line


def log(standing: Live) -> str:
    return f"the whole log is {standing.directory}/.sockerless/terraform.log"


def test_wrong_credentials(standing: Live, simulated: Simulated) -> None:
    simulated.inject("InvalidClientTokenId", "sts.GetCallerIdentity", "The security token included is invalid.")
    said = sentence(standing, "plan")
    assert "aws_caller_identity" in said
    assert "InvalidClientTokenId: The security token included is invalid" in said
    assert "the AWS credentials are wrong or expired, or the region is not enabled for their account" in said
    assert log(standing) in said


def test_no_permission_to_look(standing: Live, simulated: Simulated) -> None:
    simulated.inject("UnauthorizedOperation", "ec2.DescribeAvailabilityZones", "You are not authorized to do this.")
    said = sentence(standing, "plan")
    assert "module.vpc.data.aws_availability_zones.available" in said
    assert "let whoever runs this do it (`sockerless-kit iam deployer` prints all that is needed)" in said
    assert log(standing) in said


def test_a_name_that_is_taken_is_refused_before_anything_is_made(standing: Live, simulated: Simulated) -> None:
    logs = simulated.client("logs")
    logs.create_log_group(logGroupName="/failing")
    said = sentence(standing, "apply", "--yes")
    assert "module.cloudwatch.aws_cloudwatch_log_group.this cannot be created: /failing exists already" in said
    assert "choose another name in" in said
    assert simulated.client("ecr").describe_repositories()["repositories"] == []
    logs.delete_log_group(logGroupName="/failing")


def test_a_range_that_another_vpc_has_is_a_warning_beside_the_plan(standing: Live, simulated: Simulated) -> None:
    ec2 = simulated.client("ec2")
    taken = ec2.create_vpc(CidrBlock="10.0.0.0/20")["Vpc"]["VpcId"]
    planned = standing.kit("plan")
    [warning] = planned.stderr.splitlines()
    assert (planned.returncode, warning.partition(" in ")[0]) == (
        0,
        f"warning: network_cidr: 10.0.0.0/16 overlaps {taken} (10.0.0.0/20)",
    )
    ec2.delete_vpc(VpcId=taken)
    assert standing.kit("plan").stderr == ""


def test_a_region_that_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "made up")
    here = Live(tmp_path, "", "xx-nowhere-1")
    here.done("init", "--yes", "--aws", "--region", "xx-nowhere-1")
    said = sentence(here, "plan")
    assert "invalid AWS Region: xx-nowhere-1" in said
    assert "name a region in sockerless.toml that exists and is enabled for the account" in said


def test_no_credentials_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path))
    here = Live(tmp_path, "", "eu-central-1")
    here.done("init", "--yes", "--aws", "--region", "eu-central-1")
    said = sentence(here, "plan")
    assert "No valid credential sources found" in said
    assert "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" in said
