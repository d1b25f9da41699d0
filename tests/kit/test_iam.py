"""The deployer's policies: what they allow and what not, their sizes, a linter's opinion, and how they are printed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from sockerless.kit import iam_deployer, project
from sockerless.kit.cli import cli
from sockerless.kit.iam_scope import Scope
from tests import policies

ACCOUNT = "123456789012"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/edge"
EXISTING = {"network": "existing", "vpc_id": "vpc-01234567", "subnet_ids": ["subnet-01234567", "subnet-89abcdef"]}
SETTINGS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "bounded": {"permissions_boundary": BOUNDARY},
    "state in S3": {"state": "s3"},
    "existing network": EXISTING,
    "the longest": {
        "name": "a-deployment-of-32-characters-xx",
        "region": "ap-southeast-1",
        "repository_prefix": "a-prefix-of-30-characters-xxxx",
        "permissions_boundary": f"arn:aws:iam::{ACCOUNT}:policy/{'x' * 128}",
        "state": "s3",
        "state_bucket": "b" * 63,
    },
    "the longest in an existing network": {
        **EXISTING,
        "name": "a-deployment-of-32-characters-xx",
        "region": "ap-southeast-1",
        "subnet_ids": [f"subnet-{number:017x}" for number in range(16)],
    },
    "China": {"region": "cn-north-1"},
    "GovCloud": {"region": "us-gov-east-1"},
}


def made(**settings: Any) -> dict[str, Any]:
    return iam_deployer.policies(Scope(project.from_mapping(Path("/nowhere"), settings), ACCOUNT))


def statements(**settings: Any) -> dict[str, dict[str, Any]]:
    """All statements by their Sid."""
    found = [one for policy in made(**settings).values() for one in policies.statements(policy)]
    assert len({one["Sid"] for one in found}) == len(found)
    return {one["Sid"]: one for one in found}


def allowing(action: str, **settings: Any) -> list[dict[str, Any]]:
    return [one for one in statements(**settings).values() if action in policies.listed(one["Action"])]


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_a_linter_finds_nothing_above_low(settings: dict[str, Any]) -> None:
    for name, policy in made(**settings).items():
        assert policies.findings(policy) == [], name


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_each_fits_into_a_managed_policy(settings: dict[str, Any]) -> None:
    for name, policy in made(**settings).items():
        assert policies.characters(policy) <= policies.MANAGED_CHARACTERS, name
        assert len(name) <= 128, "IAM's longest policy name"


def test_the_linter_would_say_so() -> None:
    wrong = {"Sid": "Wrong", "Effect": "Allow", "Action": "ecs:RunTask", "Resource": "arn:aws:s3:::bucket"}
    unknown = {"Sid": "Unknown", "Effect": "Allow", "Action": "ecs:StopTask", "Resource": "*"}
    unknown["Condition"] = {"StringEquals": {"ecs:nosuchkey": "x"}}  # type: ignore[assignment]
    found = policies.findings({"Version": "2012-10-17", "Statement": [wrong, unknown]})
    assert [text.split()[:2] for text in found] == [
        ["MEDIUM", "RESOURCE_MISMATCH"],
        ["MEDIUM", "UNKNOWN_CONDITION_FOR_ACTION"],
    ]


def test_no_action_is_a_wildcard() -> None:
    for settings in SETTINGS.values():
        for statement in statements(**settings).values():
            assert not any("*" in action for action in policies.listed(statement["Action"]))


def test_everything_is_allowed_where_aws_takes_no_resource_and_on_nothing_else() -> None:
    everywhere = {
        action for one in statements().values() if one["Resource"] == "*" for action in policies.listed(one["Action"])
    }
    writes = {action for action in everywhere if not action.partition(":")[2].startswith(("Describe", "Get", "List"))}
    assert writes == {
        "ecr:CreatePullThroughCacheRule",
        "ecr:CreateRepositoryCreationTemplate",
        "ecr:DeletePullThroughCacheRule",
        "ecr:DeleteRepositoryCreationTemplate",
        "ecr:UpdatePullThroughCacheRule",
        "ecr:UpdateRepositoryCreationTemplate",
        "ecs:DeregisterTaskDefinition",
        "elasticfilesystem:CreateFileSystem",
        "kms:CreateKey",
    }
    for action in ("elasticfilesystem:CreateFileSystem", "kms:CreateKey"):
        (statement,) = allowing(action)
        assert statement["Condition"]["StringEquals"] == {"aws:RequestTag/sockerless:project": "sockerless"}


def test_roles_are_passed_one_by_one_to_the_service_they_are_for() -> None:
    prefix = f"arn:aws:iam::{ACCOUNT}:role/sockerless-us-east-1"
    passed = {
        one["Condition"]["StringEquals"]["iam:PassedToService"]: policies.listed(one["Resource"])
        for one in allowing("iam:PassRole")
    }
    assert passed == {
        "ecs-tasks.amazonaws.com": [f"{prefix}-agent-installer", f"{prefix}-execution"],
        "vpc-flow-logs.amazonaws.com": [f"{prefix}-flow-logs"],
        "ecr.amazonaws.com": [f"{prefix}-ecr-cache"],
    }


def test_roles_and_policies_are_only_those_of_the_deployment() -> None:
    for statement in statements().values():
        if any(action.startswith("iam:") for action in policies.listed(statement["Action"])):
            for resource in policies.listed(statement["Resource"]):
                name = resource.partition("/")[2]
                assert name.startswith("sockerless-us-east-1-") or statement["Sid"] in {"RolesOfServices", "Simulate"}


def test_a_deployer_may_write_no_policy_and_no_role_that_it_could_carry_itself() -> None:
    for statement in statements().values():
        writes = {
            action
            for action in policies.listed(statement["Action"])
            if action.startswith("iam:") and not action.startswith(("iam:Get", "iam:List", "iam:Simulate"))
        }
        if writes and statement["Sid"] != "RolesOfServices":
            names = {
                resource.rpartition("sockerless-us-east-1-")[2] for resource in policies.listed(statement["Resource"])
            }
            assert names <= {"daemon", "execution", "task", "agent-installer", "flow-logs", "ecr-cache"}


def test_with_a_boundary_a_role_is_made_and_filled_only_within_it() -> None:
    for action in ("iam:CreateRole", "iam:PutRolePolicy", "iam:PutRolePermissionsBoundary"):
        (statement,) = allowing(action, permissions_boundary=BOUNDARY)
        assert statement["Condition"] == {"StringEquals": {"iam:PermissionsBoundary": BOUNDARY}}
    assert allowing("iam:DeleteRolePermissionsBoundary", permissions_boundary=BOUNDARY) == []
    assert "Condition" not in allowing("iam:CreateRole")[0]


def test_in_an_existing_network_only_security_groups_are_made() -> None:
    found = statements(**EXISTING)
    creates = {
        action
        for one in found.values()
        for action in policies.listed(one["Action"])
        if action.startswith("ec2:Create") and action != "ec2:CreateTags"
    }
    assert creates == {"ec2:CreateSecurityGroup", "ec2:CreateNetworkInterface"}
    assert found["MakeThemInTheVPC"]["Resource"] == f"arn:aws:ec2:us-east-1:{ACCOUNT}:vpc/vpc-01234567"
    assert found["MountInTheSubnets"]["Resource"] == [
        f"arn:aws:ec2:us-east-1:{ACCOUNT}:subnet/subnet-01234567",
        f"arn:aws:ec2:us-east-1:{ACCOUNT}:subnet/subnet-89abcdef",
    ]


def test_the_bucket_of_the_state_is_named_only_where_the_state_is_in_it() -> None:
    assert allowing("s3:PutObject") == []
    (statement,) = allowing("s3:PutObject", state="s3")
    assert statement["Resource"] == f"arn:aws:s3:::sockerless-{ACCOUNT}-us-east-1-terraform/*"
    (statement,) = allowing("s3:PutObject", state="s3", state_bucket="mine-in-s3")
    assert statement["Resource"] == "arn:aws:s3:::mine-in-s3/*"


@pytest.mark.parametrize(
    ("region", "partition", "suffix"),
    [("cn-north-1", "aws-cn", "amazonaws.com.cn"), ("us-gov-east-1", "aws-us-gov", "amazonaws.com")],
)
def test_other_partitions_have_their_own_arns(region: str, partition: str, suffix: str) -> None:
    arns = [arn for one in statements(region=region).values() for arn in policies.listed(one["Resource"])]
    assert {arn.split(":")[1] for arn in arns if arn != "*"} == {partition}
    (statement,) = allowing("kms:CreateGrant", region=region)
    assert f"ecr.{region}.{suffix}" in statement["Condition"]["StringEquals"]["kms:ViaService"]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


@pytest.fixture
def here(tmp_path: Path) -> Path:
    assert run("init", str(tmp_path), "--simulator", "--yes", "--endpoint-url", "http://127.0.0.1:1").exit_code == 0
    return tmp_path


def test_the_policies_are_printed_by_name(here: Path) -> None:
    printed = run("iam", "deployer", "--dir", str(here), "--account-id", ACCOUNT)
    assert printed.exit_code == 0, printed.output
    assert json.loads(printed.output) == made()
    assert run("iam", "deployer", "--dir", str(here), "--account-id", ACCOUNT, "--json").output == printed.output


def test_the_policies_are_written_to_files_of_their_names(here: Path, tmp_path: Path) -> None:
    written = run("iam", "deployer", "--dir", str(here), "--account-id", ACCOUNT, "--output", str(tmp_path / "to"))
    assert written.exit_code == 0, written.output
    read = {path.stem: json.loads(path.read_text()) for path in (tmp_path / "to").iterdir()}
    assert read == made()


def test_an_account_that_is_none_is_refused(here: Path) -> None:
    refused = run("iam", "deployer", "--dir", str(here), "--account-id", "12345")
    assert refused.exit_code == 2
    assert "'12345' is not 12 digits" in refused.output


def test_without_credentials_the_account_cannot_be_known(here: Path) -> None:
    refused = run("iam", "deployer", "--dir", str(here))
    assert refused.exit_code == 1
    assert "sts:GetCallerIdentity failed" in refused.output


def test_the_daemon_s_policy_is_not_there_before_apply(here: Path) -> None:
    refused = run("iam", "daemon", "--dir", str(here))
    assert refused.exit_code == 1
    assert "run `sockerless-kit apply`" in refused.output
