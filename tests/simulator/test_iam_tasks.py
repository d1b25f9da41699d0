"""What a task's roles may is asked before its containers run, where IAM is enforced."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sockerless.simulator.engine import Engine

from .conftest import TRUST, Account, logged, push

pytestmark = pytest.mark.engine
ENFORCE_IAM = True
ECR = "arn:aws:ecr:us-east-1:123456789012:repository/tests/busybox"
STREAMS = "arn:aws:logs:us-east-1:123456789012:log-group:/tests:*"
FILE_SYSTEMS = "arn:aws:elasticfilesystem:us-east-1:123456789012:file-system/*"
LOGIN = {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"}
READ = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
PULL = {"Effect": "Allow", "Action": READ, "Resource": ECR}
LOG = {"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": STREAMS}
DENY_PLAIN = {"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "*", "Resource": "*"} | {
    "Condition": {"Bool": {"aws:SecureTransport": "false"}}
}


@pytest.fixture(scope="module")
def image(engine_address: str, engine_image: str, account: Account) -> str:
    """busybox in the simulated ECR."""
    uri = account.client("ecr").create_repository(repositoryName="tests/busybox")["repository"]["repositoryUri"]
    push(Engine(engine_address), account, engine_image, uri, "1")
    return f"{uri}:1"


def may(account: Account, role: str, *statements: dict[str, Any]) -> None:
    text = json.dumps({"Version": "2012-10-17", "Statement": list(statements) or [LOGIN]})
    account.client("iam").put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=text)


def ended(account: Account, definition: dict[str, Any]) -> dict[str, Any]:
    arn = account.register("roles", definition["container"], **definition["more"])["taskDefinitionArn"]
    return account.stopped(account.run(arn)["taskArn"])


def plain(image: str, command: str = "true") -> dict[str, Any]:
    return {"container": logged(image=image, command=["sh", "-c", command]), "more": {}}


def test_an_execution_role_that_may_pull_and_log_is_enough(account: Account, image: str) -> None:
    may(account, "execution", LOGIN, PULL, LOG)
    task = ended(account, plain(image, "echo hi"))
    assert task["containers"][0]["exitCode"] == 0, task["stoppedReason"]
    assert account.log_lines(task["taskArn"]) == ["hi"]


@pytest.mark.parametrize(
    ("statements", "words"),
    [
        ((PULL, LOG), "ResourceInitializationError: unable to pull secrets or registry auth"),
        ((PULL, LOG), "execution/"),
        ((LOGIN, LOG), "CannotPullContainerError: pull image manifest has been retried 1 time(s)"),
        ((LOGIN, LOG), f"ecr:BatchCheckLayerAvailability on resource: {ECR}"),
        ((LOGIN, PULL), "ResourceInitializationError: failed to validate logger args"),
        ((LOGIN, PULL), "logs:CreateLogStream on resource: arn:aws:logs:us-east-1:123456789012:log-group:/tests:log-"),
    ],
)
def test_an_execution_role_that_lacks_something_ends_the_task(
    account: Account, image: str, statements: tuple[dict[str, Any], ...], words: str
) -> None:
    may(account, "execution", *statements)
    task = ended(account, plain(image))
    assert task["stopCode"] == "TaskFailedToStart"
    assert words in task["stoppedReason"]


@pytest.fixture(scope="module")
def volume(account: Account) -> dict[str, Any]:
    """An EFS volume by IAM, of a file system whose policy only denies, and a task role without permissions."""
    efs = account.client("efs")
    system = efs.create_file_system(CreationToken="roles")["FileSystemId"]
    efs.create_mount_target(FileSystemId=system, SubnetId=account.subnet)
    efs.put_file_system_policy(
        FileSystemId=system, Policy=json.dumps({"Version": "2012-10-17", "Statement": [DENY_PLAIN]})
    )
    root = {"Path": "/data", "CreationInfo": {"OwnerUid": 0, "OwnerGid": 0, "Permissions": "0755"}}
    point = efs.create_access_point(FileSystemId=system, ClientToken="roles", RootDirectory=root)["AccessPointId"]
    account.client("iam").create_role(RoleName="containers", AssumeRolePolicyDocument=TRUST)
    authorization = {"accessPointId": point, "iam": "ENABLED"}
    configuration = {"fileSystemId": system, "transitEncryption": "ENABLED", "authorizationConfig": authorization}
    return {"name": "data", "efsVolumeConfiguration": configuration}


def mounting(image: str, volume: dict[str, Any]) -> dict[str, Any]:
    points = [{"sourceVolume": "data", "containerPath": "/data"}]
    command = ["sh", "-c", "echo x > /data/file && cat /data/file"]
    role = "arn:aws:iam::123456789012:role/containers"
    container = logged(image=image, command=command, mountPoints=points)
    return {"container": container, "more": {"volumes": [volume], "taskRoleArn": role}}


def client(*actions: str, point: str = "*") -> dict[str, Any]:
    arn = f"arn:aws:elasticfilesystem:us-east-1:123456789012:access-point/{point}"
    names = [f"elasticfilesystem:Client{action}" for action in actions]
    condition = {"ArnLike": {"elasticfilesystem:AccessPointArn": arn}}
    return {"Effect": "Allow", "Action": names, "Resource": FILE_SYSTEMS, "Condition": condition}


def test_a_task_role_that_may_mount_and_write_writes(account: Account, image: str, volume: dict[str, Any]) -> None:
    may(account, "execution", LOGIN, PULL, LOG)
    may(account, "containers", client("Mount", "Write"))
    task = ended(account, mounting(image, volume))
    assert account.log_lines(task["taskArn"]) == ["x"]


def test_a_task_role_that_may_only_mount_reads(account: Account, image: str, volume: dict[str, Any]) -> None:
    may(account, "execution", LOGIN, PULL, LOG)
    may(account, "containers", client("Mount"))
    task = ended(account, mounting(image, volume))
    assert task["containers"][0]["exitCode"] == 1
    assert "Read-only file system" in account.log_lines(task["taskArn"])[0]


@pytest.mark.parametrize(("actions", "exit_code"), [(["Write"], 1), (["Write", "RootAccess"], 0)])
def test_a_user_made_root_writes_with_root_access_only(
    account: Account, image: str, volume: dict[str, Any], actions: list[str], exit_code: int
) -> None:
    """EFS squashes root; this simulator, to whom may only read."""
    may(account, "execution", LOGIN, PULL, LOG)
    may(account, "containers", client("Mount", *actions))
    configuration = volume["efsVolumeConfiguration"]
    made = account.client("efs").create_access_point(
        FileSystemId=configuration["fileSystemId"],
        ClientToken=f"root-{exit_code}",
        PosixUser={"Uid": 0, "Gid": 0},
        RootDirectory={"Path": "/root", "CreationInfo": {"OwnerUid": 0, "OwnerGid": 0, "Permissions": "0755"}},
    )
    authorization = {"accessPointId": made["AccessPointId"], "iam": "ENABLED"}
    of_root = volume | {"efsVolumeConfiguration": configuration | {"authorizationConfig": authorization}}
    task = ended(account, mounting(image, of_root))
    assert task["containers"][0]["exitCode"] == exit_code, account.log_lines(task["taskArn"])


@pytest.mark.parametrize("statement", [LOGIN, client("Mount", "Write", point="fsap-other")])
def test_a_task_role_that_may_not_mount_ends_the_task(
    account: Account, image: str, volume: dict[str, Any], statement: dict[str, Any]
) -> None:
    may(account, "execution", LOGIN, PULL, LOG)
    may(account, "containers", statement)
    task = ended(account, mounting(image, volume))
    assert "mount.nfs4: access denied by server" in task["stoppedReason"]


def test_a_file_system_that_denies_what_is_not_encrypted_is_not_mounted_without_tls(
    account: Account, image: str, volume: dict[str, Any]
) -> None:
    may(account, "execution", LOGIN, PULL, LOG)
    may(account, "containers", client("Mount", "Write"))
    configuration = volume["efsVolumeConfiguration"]
    plain_volume = {"name": "data", "efsVolumeConfiguration": {"fileSystemId": configuration["fileSystemId"]}}
    task = ended(account, mounting(image, plain_volume))
    assert "mount.nfs4: access denied by server" in task["stoppedReason"]
