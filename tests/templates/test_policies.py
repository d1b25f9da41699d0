"""The policies that terraform makes in the module iam, as IAM has them: a linter's opinion, their sizes, boundaries.

The module stands alone against moto's IAM, once as it is by default and once with every option.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from sockerless.kit import provider, reference
from tests import policies

pytestmark = pytest.mark.terraform
ROOT = Path(__file__).resolve().parents[2]
ACCOUNT, REGION = "123456789012", "ap-southeast-1"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/edge"
ROLES = ("execution", "task", "agent-installer")
PROVIDER = """
provider "aws" {
  region                      = "%(region)s"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true

  endpoints {
    iam = "%(url)s"
    sts = "%(url)s"
  }
}
"""
MODULE = """
module "%(label)s" {
  source = "./iam"

  name                   = "%(name)s"
  region                 = "%(region)s"
  cluster_arn            = "arn:aws:ecs:%(region)s:%(account)s:cluster/%(name)s"
  log_group_arn          = "arn:aws:logs:%(region)s:%(account)s:log-group:/%(name)s"
  images_repository_arn  = "arn:aws:ecr:%(region)s:%(account)s:repository/%(name)s/images"
  agent_repository_arn   = "arn:aws:ecr:%(region)s:%(account)s:repository/%(name)s/agent"
  file_system_arn        = "arn:aws:elasticfilesystem:%(region)s:%(account)s:file-system/fs-0123456789abcdef0"
  agent_access_point_arn = "arn:aws:elasticfilesystem:%(region)s:%(account)s:access-point/fsap-0123456789abcdef0"
%(options)s}

output "%(label)s" {
  value = module.%(label)s
}
"""
OPTIONS = """
  permissions_boundary         = "%(boundary)s"
  events_queue_arn             = "arn:aws:sqs:%(region)s:%(account)s:%(name)s-task-events"
  kms_key_arn                  = "arn:aws:kms:%(region)s:%(account)s:key/01234567-89ab-cdef-0123-456789abcdef"
  pull_through_repository_arns = [
    for one in ["docker-hub", "kubernetes", "public-ecr", "quay"] :
    "arn:aws:ecr:%(region)s:%(account)s:repository/%(name)s/${one}/*"
  ]
"""
NAMES = {"plain": "plain", "full": "a-deployment-of-32-characters-xx"}


@dataclass(frozen=True)
class Standing:
    """What was made: IAM, and the outputs of each of the two modules."""

    iam: Any
    outputs: dict[str, dict[str, Any]]

    def role(self, label: str, role: str) -> dict[str, Any]:
        found: dict[str, Any] = self.iam.get_role(RoleName=f"{NAMES[label]}-{REGION}-{role}")["Role"]
        return found

    def inline(self, label: str, role: str) -> list[dict[str, Any]]:
        name = f"{NAMES[label]}-{REGION}-{role}"
        given = self.iam.list_role_policies(RoleName=name)["PolicyNames"]
        return [self.iam.get_role_policy(RoleName=name, PolicyName=one)["PolicyDocument"] for one in given]

    def daemon(self, label: str) -> dict[str, Any]:
        arn = self.outputs[label]["daemon_policy_arn"]
        version = self.iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        found: dict[str, Any] = self.iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]
        document: dict[str, Any] = found["Document"]
        return document


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    """Both modules, applied."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    directory = tmp_path_factory.mktemp("policies")
    shutil.copytree(ROOT / reference.DIRECTORY / "modules" / "iam", directory / "iam")
    values = {"region": REGION, "account": ACCOUNT, "boundary": BOUNDARY, "url": url}
    modules = [
        MODULE
        % (values | {"label": label, "name": name, "options": OPTIONS % (values | {"name": name}) * (label == "full")})
        for label, name in NAMES.items()
    ]
    (directory / "main.tf").write_text(PROVIDER % values + "".join(modules))
    mirror = provider.find(ROOT).plugin_dir
    terraform(directory, "init", *(["-plugin-dir", str(mirror)] if mirror else []))
    terraform(directory, "apply", "-auto-approve")
    outputs = json.loads(terraform(directory, "output", "-json"))
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    iam = boto3.client("iam", endpoint_url=url, region_name=REGION, **keys)
    yield Standing(iam, {label: output["value"] for label, output in outputs.items()})
    server.stop()


def terraform(directory: Path, *arguments: str) -> str:
    environment = os.environ | {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}
    done = subprocess.run(
        ["terraform", *arguments], cwd=directory, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("label", NAMES)
def test_a_linter_finds_nothing_above_low(standing: Standing, label: str) -> None:
    assert policies.findings(standing.daemon(label)) == []
    for role in ROLES:
        assert policies.trust_findings(standing.role(label, role)["AssumeRolePolicyDocument"]) == [], role
        for policy in standing.inline(label, role):
            assert policies.findings(policy) == [], role


@pytest.mark.parametrize("label", NAMES)
def test_they_fit_into_what_iam_takes(standing: Standing, label: str) -> None:
    assert policies.characters(standing.daemon(label)) <= policies.MANAGED_CHARACTERS
    for role in ROLES:
        assert sum(map(policies.characters, standing.inline(label, role))) <= policies.INLINE_CHARACTERS
        assert len(standing.role(label, role)["RoleName"]) <= 64, "IAM's longest role name"


@pytest.mark.parametrize("label", NAMES)
def test_the_text_that_the_kit_prints_is_the_daemon_s(standing: Standing, label: str) -> None:
    assert json.loads(standing.outputs[label]["daemon_policy"]) == standing.daemon(label)


@pytest.mark.parametrize("role", ROLES)
def test_a_boundary_stands_where_it_was_asked_for(standing: Standing, role: str) -> None:
    assert standing.role("full", role)["PermissionsBoundary"]["PermissionsBoundaryArn"] == BOUNDARY
    assert "PermissionsBoundary" not in standing.role("plain", role)


@pytest.mark.parametrize("label", NAMES)
def test_containers_may_mount_and_nothing_else(standing: Standing, label: str) -> None:
    allowed = {
        action
        for policy in standing.inline(label, "task")
        for statement in policies.statements(policy)
        if statement["Effect"] == "Allow"
        for action in policies.listed(statement["Action"])
    }
    assert allowed == {"elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"}
