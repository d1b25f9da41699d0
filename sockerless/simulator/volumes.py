"""Task volumes as directories of this machine: EFS file systems and access points, and task-scoped storage.

An EFS file system is state_dir/efs/<file-system-id>; a task's own volumes are state_dir/tasks/<task-id>/<volume>.
Differs from AWS: an access point's posixUser is not forced on every operation, so a container works on files as its own
user; of a client with IAM, only what the file system's policy denies is denied, unless IAM is enforced (iam_tasks.py,
where a posixUser that is root may only read without ClientRootAccess).
Source: EFS API reference, CreateAccessPoint; user guide, "Using IAM to control access to file systems"; ECS developer
guide, EFSVolumeConfiguration.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path, PurePosixPath
from typing import Any

from moto.efs.models import FileSystem, efs_backends

from sockerless.simulator.failures import ResourceInitializationError
from sockerless.simulator.iam_policy import Decision, Request, decide
from sockerless.simulator.tasks import Interface, Task

_EFS_FAILED = "failed to invoke EFS utils commands to set up EFS volumes: stderr: "


def _inside(root: Path, path: str) -> Path:
    """path, absolute in a file system whose root is root, with no way out of it."""
    parts = [part for part in PurePosixPath(path).parts if part not in {"/", "..", "."}]
    return root.joinpath(*parts)


class Volumes:
    """Where volumes live. account_id, region: whose EFS."""

    def __init__(self, state_dir: Path) -> None:
        self._efs = state_dir / "efs"
        self._tasks = state_dir / "tasks"

    def directory(self, account_id: str, region: str, task: Task, volume: dict[str, Any]) -> Path:
        """The directory of one volume of a task, made when it may be; ResourceInitializationError as AWS words it."""
        configuration = volume.get("efsVolumeConfiguration")
        if configuration is None:
            directory = self._tasks / task.id / str(volume["name"])
            directory.mkdir(parents=True, exist_ok=True)
            return directory
        return self._efs_directory(account_id, region, task.interface, configuration)

    def _efs_directory(self, account_id: str, region: str, interface: Interface, configuration: dict[str, Any]) -> Path:
        backend = efs_backends[account_id][region]
        file_system_id = str(configuration["fileSystemId"])
        file_system = backend.file_systems_by_id.get(file_system_id)
        if file_system is None or not _has_mount_target(file_system, interface.availability_zone):
            raise ResourceInitializationError(
                f'{_EFS_FAILED}Failed to resolve "{file_system_id}.efs.{region}.amazonaws.com" - check that your file '
                "system ID is correct, and ensure that the VPC has an EFS mount target for this file system ID. "
                "See https://docs.aws.amazon.com/console/efs/mount-dns-name for more detail. "
                ": unsuccessful EFS utils command execution; code: 1"
            )
        if not _lets_in(file_system, configuration):
            raise access_denied()
        root = self._efs / file_system_id
        root.mkdir(parents=True, exist_ok=True)
        access_point_id = (configuration.get("authorizationConfig") or {}).get("accessPointId")
        if not access_point_id:
            return _existing(_inside(root, configuration.get("rootDirectory") or "/"), file_system_id)
        access_point = backend.access_points.get(access_point_id)
        if access_point is None or access_point.file_system_id != file_system_id:
            raise access_denied()
        return _access_point_directory(root, access_point.root_directory, file_system_id)

    def forget_task(self, task_id: str) -> None:
        """Removes a task's own volumes."""
        shutil.rmtree(self._tasks / task_id, ignore_errors=True)

    def forget_file_system(self, file_system_id: str) -> None:
        """Removes a deleted file system's content."""
        shutil.rmtree(self._efs / file_system_id, ignore_errors=True)

    def clear(self) -> None:
        """Removes every volume."""
        shutil.rmtree(self._efs, ignore_errors=True)
        shutil.rmtree(self._tasks, ignore_errors=True)


def _has_mount_target(file_system: FileSystem, availability_zone: str) -> bool:
    return any(target.availability_zone_name == availability_zone for target in file_system.iter_mount_targets())


def _lets_in(file_system: FileSystem, configuration: dict[str, Any]) -> bool:
    """Whether the file system's policy, if it has one, lets this mount in. Without IAM, it must allow it."""
    if file_system.file_system_policy is None:
        return True
    encrypted = configuration.get("transitEncryption") == "ENABLED"
    keys = {
        "aws:securetransport": (str(encrypted).lower(),),
        "elasticfilesystem:accessedviamounttarget": ("true",),
    }
    request = Request("elasticfilesystem:ClientMount", file_system.file_system_arn, keys)
    decision = decide([file_system.file_system_policy], request)
    with_iam = (configuration.get("authorizationConfig") or {}).get("iam") == "ENABLED"
    return decision is Decision.ALLOWED or (decision is Decision.SILENT and with_iam)


def access_denied() -> ResourceInitializationError:
    """What a mount ends with that nobody allows."""
    return ResourceInitializationError(
        f"{_EFS_FAILED}b'mount.nfs4: access denied by server while mounting 127.0.0.1:/' : unsuccessful EFS utils "
        "command execution; code: 32"
    )


def _existing(directory: Path, file_system_id: str) -> Path:
    if not directory.is_dir():
        raise ResourceInitializationError(
            f"{_EFS_FAILED}b'mount.nfs4: mounting {file_system_id}.efs:/ failed, reason given by server: No such file "
            "or directory' : unsuccessful EFS utils command execution; code: 32"
        )
    return directory


def _access_point_directory(root: Path, root_directory: dict[str, Any], file_system_id: str) -> Path:
    directory = _inside(root, root_directory.get("Path") or "/")
    creation = root_directory.get("CreationInfo")
    if creation and not directory.exists():
        directory.mkdir(parents=True)
        os.chown(directory, int(creation["OwnerUid"]), int(creation["OwnerGid"]))
        directory.chmod(int(str(creation["Permissions"]), 8))
    return _existing(directory, file_system_id)
