"""examples/daemon: the unit as systemd reads it, the image as an engine runs it, the definition as ECS takes it."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sockerless.kit import daemon_bundle, daemon_image, processes
from tests.conftest import REGION, ROOT, Deployed, free_port
from tests.e2e import daemon as daemons
from tests.e2e.docker_cli import Docker, eventually

EXAMPLE = ROOT / "examples" / "daemon"
MISSING = ", ".join(program for program in ("aws", "jq") if shutil.which(program) is None)


def test_the_unit_is_one_that_systemd_takes(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    unit = (EXAMPLE / "sockerless.service").read_text()
    for path in ("/opt/sockerless/bin/sockerless-kit", "/srv/mydocker"):
        assert path in unit
    copied = tmp_path / "sockerless.service"
    copied.write_text(unit.replace("/opt/sockerless/bin/sockerless-kit", "/bin/true"))
    done = subprocess.run(["systemd-analyze", "verify", copied], capture_output=True, text=True, check=False)
    assert "sockerless.service:" not in done.stderr, done.stderr


def only_statement(name: str) -> dict[str, Any]:
    (statement,) = json.loads((EXAMPLE / name).read_text())["Statement"]
    return dict(statement)


def test_the_role_may_mount_one_access_point_as_no_root() -> None:
    statement = only_statement("state.json")
    assert statement["Action"] == ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"]
    assert statement["Resource"].endswith(":file-system/FILE_SYSTEM")
    point = statement["Condition"]["ArnEquals"]["elasticfilesystem:AccessPointArn"]
    assert point.endswith(":access-point/POINT")


def test_the_role_is_taken_by_tasks_of_the_account_only() -> None:
    assert only_statement("trust.json")["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "ACCOUNT"},
        "ArnLike": {"aws:SourceArn": "arn:aws:ecs:REGION:ACCOUNT:*"},
    }


def shell_blocks() -> list[str]:
    """The README's commands, a script a block."""
    return re.findall(r"```sh\n(.*?)```", (EXAMPLE / "README.md").read_text(), re.DOTALL)


@pytest.fixture
def example_role(deployment: Deployed) -> Iterator[None]:
    """The role that the README makes goes with its policies when the test ends."""
    iam, name = deployment.client("iam"), "mydocker-daemon"
    yield
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        iam.delete_role_policy(RoleName=name, PolicyName=policy)
    for attached in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
        iam.detach_role_policy(RoleName=name, PolicyArn=attached["PolicyArn"])
    iam.delete_role(RoleName=name)


@pytest.mark.engine
@pytest.mark.terraform
def test_ecs_takes_the_task_definition_and_no_secret_stands_in_it(deployment: Deployed) -> None:
    point = "fsap-0123456789abcdef0"
    role = "arn:aws:iam::123456789012:role/mydocker-daemon"
    printed = deployment.kit("daemon", "task-definition", "--role-arn", role, "--access-point", point)
    assert printed.returncode == 0, printed.stderr
    definition = json.loads(printed.stdout)
    registered = deployment.client("ecs").register_task_definition(**definition)["taskDefinition"]
    container = registered["containerDefinitions"][0]
    names = {variable["name"] for variable in container["environment"]}
    assert {"SOCKERLESS_ECS_CLUSTER", "SOCKERLESS_ECS_SUBNETS", "SOCKERLESS_STATE_DIR"} <= names
    assert "SOCKERLESS_AGENT_TOKEN" not in names
    assert container["user"] == daemon_image.USER
    deployment.client("ecs").deregister_task_definition(taskDefinition=registered["taskDefinitionArn"])


@pytest.fixture(scope="module")
def pushed(deployment: Deployed, engine_address: str) -> Iterator[str]:
    """The daemon's image, pushed by the kit and pulled by the local engine."""
    answer = deployment.kit("daemon", "push", timeout_s=300)
    assert answer.returncode == 0, answer.stderr.decode()
    image = answer.stdout.decode().strip()
    local = ["docker", "--host", engine_address]
    token = deployment.client("ecr").get_authorization_token()["authorizationData"][0]["authorizationToken"]
    user, _, password = base64.b64decode(token).decode().partition(":")
    login = [*local, "login", "-u", user, "--password-stdin", image.partition("/")[0]]
    subprocess.run(login, input=password.encode(), capture_output=True, check=True)
    subprocess.run([*local, "pull", "-q", image], capture_output=True, check=True)
    yield image
    subprocess.run([*local, "rmi", "-f", image], capture_output=True, check=True)


@pytest.mark.engine
@pytest.mark.terraform
@pytest.mark.slow
@pytest.mark.skipif(bool(MISSING), reason=f"the README's commands need {MISSING}, which is not installed")
@pytest.mark.usefixtures("pushed", "example_role")
def test_the_readme_s_commands_run_a_daemon_that_keeps_its_records(deployment: Deployed) -> None:
    """As far as a task of the simulated AWS gets, which does not reach that AWS's own address."""
    making, running, _ = shell_blocks()
    script = f"""exec 3>&1 1>&2
set -euo pipefail
sockerless-kit() {{ {sys.executable} -m sockerless.kit "$@"; }}
examples={EXAMPLE}
{making}{running}
echo "$task $point" >&3
"""
    credentials = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": REGION}
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=deployment.directory,
        env=os.environ | deployment.kit_environment | credentials | {"AWS_ENDPOINT_URL": deployment.endpoint_url},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    task, point = done.stdout.split()
    ecs, efs, cluster = deployment.client("ecs"), deployment.client("efs"), task.split("/")[-2]
    try:
        made = efs.describe_access_points(AccessPointId=point)["AccessPoints"][0]
        content = deployment.directory / ".sockerless/simulator/efs" / made["FileSystemId"]
        records = content / "daemon/records.sqlite3"
        eventually(records.exists)
        assert records.stat().st_uid == made["PosixUser"]["Uid"] == 1000
    finally:
        stopped = ecs.stop_task(cluster=cluster, task=task)["task"]
        ecs.deregister_task_definition(taskDefinition=stopped["taskDefinitionArn"])
        efs.delete_access_point(AccessPointId=point)


@pytest.mark.engine
@pytest.mark.terraform
@pytest.mark.slow
def test_the_daemon_s_image_serves_docker(
    deployment: Deployed, pushed: str, engine_address: str, engine_image: str, tmp_path: Path
) -> None:
    port = free_port()
    settings = daemons.shared(deployment).settings | {"SOCKERLESS_STATE_DIR": "/state"}
    given = [part for name, value in settings.items() if value for part in ("--env", f"{name}={value}")]
    credentials = ["--env", "AWS_ACCESS_KEY_ID=test", "--env", "AWS_SECRET_ACCESS_KEY=test"]
    command = daemon_bundle.command(["serve", "--dir", "/state", "--host", f"tcp://127.0.0.1:{port}"])
    local = ["docker", "--host", engine_address]
    user, _, group = daemon_image.USER.partition(":")
    state = f"/state:uid={user},gid={group},mode=0700"
    options = ["--network", "host", "--tmpfs", state, "--user", daemon_image.USER, "--entrypoint", command[0]]
    started = subprocess.run(
        [*local, "run", "-d", *options, *given, *credentials, pushed, *command[1:]], capture_output=True, check=False
    )
    assert started.returncode == 0, started.stderr.decode()
    container = started.stdout.decode().strip()
    try:
        host = f"tcp://127.0.0.1:{port}"
        eventually(lambda: processes.daemon_answers(host))
        docker = Docker(host, str(tmp_path))
        saved = subprocess.run([*local, "save", engine_image], capture_output=True, check=True).stdout
        docker.ok("load", stdin=saved)
        done = docker("run", "--rm", engine_image, "sh", "-c", "echo out; echo err >&2; exit 7")
        assert (done.stdout, done.stderr, done.returncode) == (b"out\n", b"err\n", 7)
    finally:
        subprocess.run([*local, "rm", "-f", "-v", container], capture_output=True, check=True)
