"""What terraform asks of a file system: backups, policy, lifecycle, throughput. No task runs here."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from .conftest import Account


@pytest.fixture
def file_system(account: Account, request: pytest.FixtureRequest) -> str:
    """A file system of this test."""
    made: str = account.client("efs").create_file_system(CreationToken=request.node.name[:64])["FileSystemId"]
    return made


def test_backups_are_off_until_they_are_put_on_and_off_again(account: Account, file_system: str) -> None:
    efs = account.client("efs")
    assert efs.describe_backup_policy(FileSystemId=file_system)["BackupPolicy"] == {"Status": "DISABLED"}
    for status in ("ENABLED", "DISABLED"):
        assert efs.put_backup_policy(FileSystemId=file_system, BackupPolicy={"Status": status})
        assert efs.describe_backup_policy(FileSystemId=file_system)["BackupPolicy"] == {"Status": status}


def test_a_policy_is_there_from_put_to_delete(account: Account, file_system: str) -> None:
    efs, policy = account.client("efs"), json.dumps({"Version": "2012-10-17", "Statement": []})
    with pytest.raises(efs.exceptions.PolicyNotFound):
        efs.describe_file_system_policy(FileSystemId=file_system)
    efs.put_file_system_policy(FileSystemId=file_system, Policy=policy)
    assert json.loads(efs.describe_file_system_policy(FileSystemId=file_system)["Policy"]) == json.loads(policy)
    efs.delete_file_system_policy(FileSystemId=file_system)
    with pytest.raises(efs.exceptions.PolicyNotFound):
        efs.describe_file_system_policy(FileSystemId=file_system)


def test_throughput_and_lifecycle_can_be_changed(account: Account, file_system: str) -> None:
    efs = account.client("efs")
    efs.update_file_system(FileSystemId=file_system, ThroughputMode="elastic")
    (described,) = efs.describe_file_systems(FileSystemId=file_system)["FileSystems"]
    assert described["ThroughputMode"] == "elastic"
    rules = [{"TransitionToIA": "AFTER_30_DAYS"}, {"TransitionToPrimaryStorageClass": "AFTER_1_ACCESS"}]
    efs.put_lifecycle_configuration(FileSystemId=file_system, LifecyclePolicies=rules)
    assert efs.describe_lifecycle_configuration(FileSystemId=file_system)["LifecyclePolicies"] == rules


@pytest.mark.parametrize("action", ["describe_backup_policy", "delete_file_system_policy", "update_file_system"])
def test_a_file_system_that_is_not_there_is_not_found(account: Account, action: str) -> None:
    with pytest.raises(ClientError) as refusal:
        getattr(account.client("efs"), action)(FileSystemId="fs-0123456789abcdef0")
    assert refusal.value.response["Error"]["Code"] == "FileSystemNotFound"
