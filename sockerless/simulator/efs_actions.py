"""The EFS actions moto lacks, and the end of a file system's content.

Source: EFS API reference; moto 5.2, efs/models.py and efs/urls.py (whose paths reach these actions).
"""

from __future__ import annotations

from moto.core.responses import BaseResponse
from moto.efs.exceptions import FileSystemNotFound
from moto.efs.models import EFSBackend, FileSystem, efs_backends
from moto.efs.responses import EFSResponse

from sockerless.simulator.hooks import Hooks
from sockerless.simulator.tasks import JsonObject
from sockerless.simulator.volumes import Volumes


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


def install(hooks: Hooks, volumes: Volumes) -> None:
    """Serves the EFS actions of this simulator."""
    for action in (put_backup_policy, describe_backup_policy, delete_file_system_policy, update_file_system):
        hooks.action(EFSResponse, action.__name__, action)

    def delete_file_system(backend: EFSBackend, file_system_id: str) -> None:
        delete(backend, file_system_id)
        volumes.forget_file_system(file_system_id)

    delete = hooks.replace(EFSBackend, "delete_file_system", delete_file_system)
