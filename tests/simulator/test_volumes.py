"""EFS file systems and access points under tasks."""

from __future__ import annotations

import json
import stat
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sockerless.simulator.server import Simulator

from .conftest import Account, logged

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def file_system(account: Account) -> str:
    """A file system with a mount target where tasks run."""
    efs = account.client("efs")
    file_system_id: str = efs.create_file_system(CreationToken="volumes", Encrypted=True)["FileSystemId"]
    efs.create_mount_target(FileSystemId=file_system_id, SubnetId=account.subnet)
    return file_system_id


def access_point(account: Account, file_system: str, path: str, create: bool = True) -> str:
    """An access point whose root belongs to 1000:1001."""
    root: dict[str, Any] = {"Path": path}
    if create:
        root["CreationInfo"] = {"OwnerUid": 1000, "OwnerGid": 1001, "Permissions": "0750"}
    made = account.client("efs").create_access_point(
        ClientToken=path, FileSystemId=file_system, PosixUser={"Uid": 1000, "Gid": 1001}, RootDirectory=root
    )
    access_point_id: str = made["AccessPointId"]
    return access_point_id


def mounting(
    account: Account, image: str, script: str, configuration: dict[str, Any], read_only: bool = False
) -> dict[str, Any]:
    """Runs a script with an EFS volume at /data; the stopped task."""
    point = {"sourceVolume": "data", "containerPath": "/data", "readOnly": read_only}
    container = logged(image=image, entryPoint=["sh", "-c"], command=[script], mountPoints=[point])
    account.register("mounting", container, volumes=[{"name": "data", "efsVolumeConfiguration": configuration}])
    return account.stopped(account.run("mounting")["taskArn"])


def through(file_system: str, access_point_id: str) -> dict[str, Any]:
    """An EFSVolumeConfiguration through an access point."""
    return {
        "fileSystemId": file_system,
        "transitEncryption": "ENABLED",
        "authorizationConfig": {"accessPointId": access_point_id, "iam": "ENABLED"},
    }


def test_an_access_points_root_is_made_as_its_creation_info_says(
    account: Account, image: str, file_system: str, simulator: Simulator
) -> None:
    point = access_point(account, file_system, "/volumes/made")
    task = mounting(account, image, "echo kept > /data/file", through(file_system, point))
    assert task["containers"][0]["exitCode"] == 0
    directory = simulator.state_dir / "efs" / file_system / "volumes" / "made"
    status = directory.stat()
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (1000, 1001, 0o750)
    assert (directory / "file").read_text() == "kept\n"


def test_what_one_task_wrote_another_reads_through_the_whole_file_system(
    account: Account, image: str, file_system: str
) -> None:
    point = access_point(account, file_system, "/one")
    mounting(account, image, "echo shared > /data/file", through(file_system, point))
    task = mounting(account, image, "cat /data/one/file", {"fileSystemId": file_system})
    assert account.log_lines(task["taskArn"]) == ["shared"]


def test_a_read_only_mount_cannot_be_written(account: Account, image: str, file_system: str) -> None:
    point = access_point(account, file_system, "/readonly")
    task = mounting(account, image, "touch /data/x", through(file_system, point), read_only=True)
    assert task["containers"][0]["exitCode"] == 1


def test_a_root_that_nobody_creates_fails_the_mount(account: Account, image: str, file_system: str) -> None:
    point = access_point(account, file_system, "/absent", create=False)
    task = mounting(account, image, "true", through(file_system, point))
    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"].startswith("ResourceInitializationError: failed to invoke EFS utils commands")
    assert "No such file or directory" in task["stoppedReason"]


def test_a_file_system_without_a_mount_target_fails_the_mount(account: Account, image: str) -> None:
    lonely = account.client("efs").create_file_system(CreationToken="lonely")["FileSystemId"]
    task = mounting(account, image, "true", {"fileSystemId": lonely})
    assert f'Failed to resolve "{lonely}.efs.us-east-1.amazonaws.com"' in task["stoppedReason"]


@pytest.mark.parametrize("path", ["relative", "/" + "x" * 100, "/a/b/c/d/e"])
def test_an_access_point_path_is_absolute_short_and_shallow(account: Account, file_system: str, path: str) -> None:
    with pytest.raises(ClientError, match="Invalid root directory path"):
        access_point(account, file_system, path)


def test_an_access_point_is_made_once_a_token_and_only_on_a_file_system_that_is_there(
    account: Account, file_system: str
) -> None:
    efs = account.client("efs")
    access_point(account, file_system, "/once")
    with pytest.raises(efs.exceptions.AccessPointAlreadyExists):
        access_point(account, file_system, "/once")
    with pytest.raises(efs.exceptions.FileSystemNotFound):
        access_point(account, "fs-00000000", "/nowhere")


def test_an_access_point_path_cannot_leave_its_file_system(
    account: Account, image: str, file_system: str, simulator: Simulator
) -> None:
    point = access_point(account, file_system, "/../../escaped")
    mounting(account, image, "touch /data/here", through(file_system, point))
    assert (simulator.state_dir / "efs" / file_system / "escaped" / "here").exists()


def test_deleting_a_file_system_removes_its_content(account: Account, image: str, simulator: Simulator) -> None:
    efs = account.client("efs")
    doomed = efs.create_file_system(CreationToken="doomed")["FileSystemId"]
    target = efs.create_mount_target(FileSystemId=doomed, SubnetId=account.subnet)["MountTargetId"]
    mounting(account, image, "echo x > /data/x", {"fileSystemId": doomed})
    assert (simulator.state_dir / "efs" / doomed / "x").exists()
    efs.delete_mount_target(MountTargetId=target)
    efs.delete_file_system(FileSystemId=doomed)
    assert not (simulator.state_dir / "efs" / doomed).exists()


def test_a_file_system_s_policy_lets_in_only_what_it_may(account: Account, image: str) -> None:
    efs = account.client("efs")
    made = efs.create_file_system(CreationToken="guarded", Encrypted=True)
    guarded, everybody = made["FileSystemId"], {"Principal": {"AWS": "*"}, "Resource": made["FileSystemArn"]}
    efs.create_mount_target(FileSystemId=guarded, SubnetId=account.subnet)
    denial = {"Effect": "Deny", "Action": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}, **everybody}
    efs.put_file_system_policy(FileSystemId=guarded, Policy=json.dumps({"Statement": [denial]}))
    point = access_point(account, guarded, "/guarded")
    for refused in (
        {"fileSystemId": guarded},
        {"fileSystemId": guarded, "transitEncryption": "ENABLED"},
        through(guarded, point) | {"authorizationConfig": {"accessPointId": point}},
    ):
        assert "access denied by server" in mounting(account, image, "true", refused)["stoppedReason"]
    assert mounting(account, image, "true", through(guarded, point))["containers"][0]["exitCode"] == 0
    allowing = {"Effect": "Allow", "Action": "elasticfilesystem:ClientMount", **everybody}
    efs.put_file_system_policy(FileSystemId=guarded, Policy=json.dumps({"Statement": [denial, allowing]}))
    anybody = {"fileSystemId": guarded, "transitEncryption": "ENABLED"}
    assert mounting(account, image, "true", anybody)["containers"][0]["exitCode"] == 0
    assert "access denied" in mounting(account, image, "true", {"fileSystemId": guarded})["stoppedReason"]
