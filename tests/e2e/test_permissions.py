"""A deployment that is built, used and destroyed with nothing but the policies that the kit prints.

IAM is enforced by the simulated AWS, so whatever a policy lacks fails here. The whole end-to-end suite runs so with
`pytest tests/e2e --enforce-iam`.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sockerless.kit import serve
from tests import enforced, policies
from tests.conftest import REGION, Deployed, bring_up_enforced, take_down
from tests.e2e.docker_cli import Docker
from tests.registry.registries import DockerRegistry

BOUNDARY = "arn:aws:iam::123456789012:policy/edge"
pytestmark = [pytest.mark.engine, pytest.mark.terraform, pytest.mark.slow]


@dataclass(frozen=True)
class Held:
    """The deployment, its docker, and AWS as the daemon's user sees it."""

    deployed: Deployed
    docker: Docker

    def as_daemon(self, service: str) -> Any:
        path = serve.env_file(self.deployed.directory)
        credentials = serve.parse_env(path.read_text(), str(path))[enforced.CREDENTIALS]
        return enforced.client(service, self.deployed.endpoint_url, REGION, credentials)


def _make_boundary(iam: Any) -> None:
    """The policy that bounds every role: all but IAM."""
    statements = [{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}]
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    assert iam.create_policy(PolicyName="edge", PolicyDocument=document)["Policy"]["Arn"] == BOUNDARY


@pytest.fixture(scope="module")
def held(engine_image: str, engine_address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Held]:
    """A deployment in which every call is held to the policies."""
    with tempfile.TemporaryDirectory(prefix="sockerless-") as name:
        settings = ("--permissions-boundary", BOUNDARY, "--pull-through", "quay")
        deployed = bring_up_enforced(Path(name), *settings, prepare=_make_boundary)
        docker = Docker(deployed.docker_host, str(tmp_path_factory.mktemp("docker-config")))
        saved = subprocess.run(["docker", "--host", engine_address, "save", engine_image], capture_output=True)
        docker.ok("load", stdin=saved.stdout)
        yield Held(deployed, docker)
        take_down(deployed.directory)


def test_the_daemon_serves_what_people_do_all_day(held: Held, engine_image: str, tmp_path: Path) -> None:
    docker = held.docker
    done = docker("run", "--rm", engine_image, "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (done.stdout, done.stderr, done.returncode) == (b"out\n", b"err\n", 7)
    name = docker.ok("run", "-d", "--name", "worker", engine_image, "sh", "-c", "echo ready; sleep 300")
    assert docker.ok("ps", "-q", "--no-trunc") == name
    assert docker.ok("exec", "worker", "cat", "/etc/hostname") == name[:12]
    (tmp_path / "in").write_text("carried\n")
    docker.ok("cp", str(tmp_path / "in"), "worker:/tmp/in")
    docker.ok("cp", "worker:/tmp/in", str(tmp_path / "out"))
    assert (tmp_path / "out").read_text() == "carried\n"
    assert docker.ok("logs", "worker") == "ready"
    docker.ok("stop", "-t", "1", "worker")
    assert docker.ok("wait", "worker") == "143"
    assert docker.ok("logs", "worker") == "ready"
    docker.ok("rm", "worker")
    assert docker.ok("image", "ls", "-q") != ""


def test_daemon_and_tasks_pull_through_the_cache_that_their_policies_know(
    held: Held, engine_image: str, engine_address: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    quay = DockerRegistry(tmp_path_factory.mktemp("quay"))
    local, name = ["docker", "--host", engine_address], f"{quay.host}/team/cached:v1"
    for command in (["tag", engine_image, name], ["push", "-q", name], ["rmi", name]):
        subprocess.run([*local, *command], check=True, capture_output=True)
    held.deployed.place_upstream("quay.io", f"http://{quay.host}")
    done = held.docker("run", "--rm", "quay.io/team/cached:v1", "echo", "through ECR")
    quay.stop()
    assert done.stdout == b"through ECR\n", done.stderr.decode()
    made = held.deployed.client("ecr").describe_repositories(repositoryNames=["sockerless/quay/team/cached"])
    assert len(made["repositories"]) == 1


Call = Callable[[Held], Any]
_OTHER_CLUSTER = "arn:aws:ecs:us-east-1:123456789012:cluster/other"


def _definition(held: Held) -> str:
    """A definition of the deployment's, registered by its root user."""
    found = held.deployed.client("ecs").list_task_definitions(
        familyPrefix="sockerless-agent-installer", status="INACTIVE"
    )
    return str(found["taskDefinitionArns"][0])


def _registration(role: str, family: str = "sockerless-x") -> dict[str, Any]:
    arn = f"arn:aws:iam::123456789012:role/sockerless-us-east-1-{role}"
    return {"family": family, "taskRoleArn": arn, "containerDefinitions": [{"name": "main", "image": "busybox"}]}


REFUSED: dict[str, tuple[str, Call]] = {
    "make a user": ("iam:CreateUser", lambda held: held.as_daemon("iam").create_user(UserName="mallory")),
    "change its own policy": (
        "iam:PutUserPolicy",
        lambda held: held.as_daemon("iam").put_user_policy(UserName="daemon", PolicyName="p", PolicyDocument="{}"),
    ),
    "run a task on another cluster": (
        "ecs:RunTask",
        lambda held: held.as_daemon("ecs").run_task(cluster=_OTHER_CLUSTER, taskDefinition=_definition(held)),
    ),
    "stop a task of another cluster": (
        "ecs:StopTask",
        lambda held: held.as_daemon("ecs").stop_task(cluster=_OTHER_CLUSTER, task="0" * 32),
    ),
    "pass the installer's role": (
        "iam:PassRole",
        lambda held: held.as_daemon("ecs").register_task_definition(**_registration("agent-installer")),
    ),
    "register a definition of another name": (
        "ecs:RegisterTaskDefinition",
        lambda held: held.as_daemon("ecs").register_task_definition(**_registration("task", "other")),
    ),
    "delete the cluster": (
        "ecs:DeleteCluster",
        lambda held: held.as_daemon("ecs").delete_cluster(cluster="sockerless"),
    ),
    "replace the agent": (
        "ecr:InitiateLayerUpload",
        lambda held: held.as_daemon("ecr").initiate_layer_upload(repositoryName="sockerless/agent"),
    ),
    "read another log group": (
        "logs:GetLogEvents",
        lambda held: held.as_daemon("logs").get_log_events(logGroupName="/other", logStreamName="s"),
    ),
    "delete the file system": (
        "elasticfilesystem:DeleteFileSystem",
        lambda held: held.as_daemon("efs").delete_file_system(FileSystemId="fs-01234567"),
    ),
}


@pytest.mark.parametrize(("action", "call"), REFUSED.values(), ids=REFUSED)
def test_the_daemon_s_user_may_not(held: Held, action: str, call: Call) -> None:
    with pytest.raises(ClientError, match=f"is not authorized to perform: {action} on resource: "):
        call(held)


def test_every_role_is_bounded_and_a_linter_finds_nothing_above_low_in_any_policy(held: Held) -> None:
    iam = held.deployed.client("iam")
    assert {"agent-installer", "ecr-cache", "execution", "task"} <= {_short(role) for role in _roles(held)}
    for role in _roles(held):
        name = role["RoleName"]
        assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == BOUNDARY, name
        assert policies.trust_findings(role["AssumeRolePolicyDocument"]) == [], name
        inline = iam.list_role_policies(RoleName=name)["PolicyNames"]
        documents = [iam.get_role_policy(RoleName=name, PolicyName=one)["PolicyDocument"] for one in inline]
        assert sum(map(policies.characters, documents)) <= policies.INLINE_CHARACTERS
        assert [policies.findings(document) for document in documents] == [[]] * len(documents), name


def test_every_trust_names_the_account_that_it_works_for(held: Held) -> None:
    for role in _roles(held):
        (statement,) = policies.statements(role["AssumeRolePolicyDocument"])
        assert set(statement["Principal"]) == {"Service"}
        keys = {key for condition in statement["Condition"].values() for key in condition}
        assert "aws:SourceAccount" in keys, role["RoleName"]


def _roles(held: Held) -> list[dict[str, Any]]:
    """The deployment's roles, in full."""
    iam = held.deployed.client("iam")
    names = [one["RoleName"] for one in iam.list_roles()["Roles"] if one["RoleName"].startswith("sockerless-")]
    return [iam.get_role(RoleName=name)["Role"] for name in names]


def _short(role: dict[str, Any]) -> str:
    return str(role["RoleName"]).removeprefix("sockerless-us-east-1-")


def test_a_refused_call_is_one_sentence_with_the_action_to_grant(held: Held) -> None:
    environment = {enforced.CREDENTIALS: enforced.make_user(held.deployed.client("iam"), "nobody", [])}
    refused = enforced.kit(held.deployed.directory, environment, "plan")
    assert refused.returncode == 1
    assert "is not authorized to perform" in refused.stderr
    assert "AccessDenied" in refused.stderr or "UnauthorizedOperation" in refused.stderr


def test_a_second_plan_is_empty_and_the_deployer_destroys_all_of_it(held: Held) -> None:
    planned = held.deployed.kit("plan")
    assert planned.returncode == 0, planned.stderr.decode()
    assert b"Nothing to change" in planned.stdout, planned.stdout.decode()
    destroyed = held.deployed.kit("destroy", "--yes", timeout_s=600)
    assert destroyed.returncode == 0, destroyed.stderr.decode()
    found = held.deployed.client("ec2").describe_vpcs(Filters=[{"Name": "isDefault", "Values": ["false"]}])
    assert found["Vpcs"] == []
    assert _roles(held) == []
