"""The EFS actions moto lacks, what it does not check of access points, and the end of a file system's content.

Source: EFS API reference; moto 5.2, efs/models.py and efs/urls.py (whose paths reach these actions).
"""

from __future__ import annotations

import re

from moto.core.responses import BaseResponse
from moto.efs.exceptions import BadRequest, EFSError, FileSystemNotFound
from moto.efs.models import AccessPoint, EFSBackend, FileSystem, efs_backends
from moto.efs.responses import EFSResponse

from sockerless.simulator.hooks import Hooks
from sockerless.simulator.tasks import JsonObject
from sockerless.simulator.volumes import Volumes

MAX_PATH_CHARACTERS, MAX_PATH_LEVELS = 100, 4


def _file_system(response: BaseResponse, document: JsonObject) -> FileSystem:
    file_system_id = document["FileSystemId"]
    found = efs_backends[response.current_account][response.region].file_systems_by_id.get(file_system_id)
    if found is None:
        raise FileSystemNotFound(file_system_id)
    return found


def put_backup_policy(response: BaseResponse, document: JsonObject) -> JsonObject:
    """PutBackupPolicy."""
    status = document["BackupPolicy"]["Status"]
    _file_system(response, document)._backup = status == "ENABLED"
    return {"BackupPolicy": {"Status": status}}


def describe_backup_policy(response: BaseResponse, document: JsonObject) -> JsonObject:
    """DescribeBackupPolicy: DISABLED where moto knows of none."""
    return {"BackupPolicy": _file_system(response, document).backup_policy or {"Status": "DISABLED"}}


def delete_file_system_policy(response: BaseResponse, document: JsonObject) -> JsonObject:
    """DeleteFileSystemPolicy."""
    _file_system(response, document).file_system_policy = None
    return {}


def update_file_system(response: BaseResponse, document: JsonObject) -> JsonObject:
    """UpdateFileSystem."""
    file_system = _file_system(response, document)
    file_system.throughput_mode = document.get("ThroughputMode") or file_system.throughput_mode
    if file_system.throughput_mode == "provisioned":
        file_system.provisioned_throughput_in_mibps = document["ProvisionedThroughputInMibps"]
    described: JsonObject = file_system.info_json()
    return described


class AccessPointAlreadyExists(EFSError):
    """The client token was used before."""

    code = 409

    def __init__(self, access_point_id: str) -> None:
        super().__init__("AccessPointAlreadyExists", f"Access point already exists: {access_point_id}")


def _check_access_point(backend: EFSBackend, client_token: str, file_system_id: str, root: JsonObject | None) -> None:
    if file_system_id not in backend.file_systems_by_id:
        raise FileSystemNotFound(file_system_id)
    for access_point in backend.access_points.values():
        if access_point.client_token == client_token:
            raise AccessPointAlreadyExists(access_point.access_point_id)
    path = str((root or {}).get("Path") or "/")
    levels = [part for part in path.split("/") if part]
    if not path.startswith("/") or len(path) > MAX_PATH_CHARACTERS or len(levels) > MAX_PATH_LEVELS:
        raise BadRequest(f"Invalid root directory path {path}: absolute, at most 100 characters and four levels.")
    creation = (root or {}).get("CreationInfo")
    if creation and not re.fullmatch(r"[0-7]{3,4}", str(creation.get("Permissions", ""))):
        raise BadRequest("Invalid root directory permissions: three or four octal digits.")


def install(hooks: Hooks, volumes: Volumes) -> None:
    """Serves the EFS actions of this simulator."""
    for action in (put_backup_policy, describe_backup_policy, delete_file_system_policy, update_file_system):
        hooks.action(EFSResponse, action.__name__, action)

    def delete_file_system(backend: EFSBackend, file_system_id: str) -> None:
        delete(backend, file_system_id)
        volumes.forget_file_system(file_system_id)

    def create_access_point(
        backend: EFSBackend,
        client_token: str,
        tags: list[dict[str, str]],
        file_system_id: str,
        posix_user: JsonObject,
        root_directory: JsonObject | None,
    ) -> AccessPoint:
        _check_access_point(backend, client_token, file_system_id, root_directory)
        made: AccessPoint = create(backend, client_token, tags, file_system_id, posix_user, root_directory)
        return made

    create = hooks.replace(EFSBackend, "create_access_point", create_access_point)
    delete = hooks.replace(EFSBackend, "delete_file_system", delete_file_system)
