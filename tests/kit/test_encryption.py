"""A standing deployment gives its own key up: what is kept by the key is replaced, and nothing names it afterwards."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from . import live
from .live import Live

pytestmark = [pytest.mark.engine, pytest.mark.terraform, pytest.mark.slow]


@pytest.fixture
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    made = live.init(tmp_path_factory.mktemp("keyed"), "--name", "keyed", region="eu-central-1")
    try:
        made.done("apply", "--yes")
        yield made
    finally:
        made.kit("destroy", "--yes")
        made.kit("down")


def test_from_a_key_of_its_own_to_those_of_aws(standing: Live) -> None:
    ecs, efs, logs = (standing.client(service) for service in ("ecs", "efs", "logs"))
    before = ecs.describe_clusters(clusters=["keyed"], include=["CONFIGURATIONS"])["clusters"][0]
    assert before["configuration"]["managedStorageConfiguration"]["fargateEphemeralStorageKmsKeyId"]
    [keyed] = efs.describe_file_systems()["FileSystems"]
    standing.set(encryption='"aws"')
    shown = standing.done("apply", "--yes")
    assert "replace module.cluster.aws_ecs_cluster.this" in shown
    assert "replace module.efs.aws_efs_file_system.this" in shown
    after = ecs.describe_clusters(clusters=["keyed"], include=["CONFIGURATIONS"])["clusters"][0]
    assert (after["status"], after.get("configuration", {}).get("managedStorageConfiguration")) == ("ACTIVE", None)
    assert set(after["capacityProviders"]) == {"FARGATE", "FARGATE_SPOT"}
    [plain] = efs.describe_file_systems()["FileSystems"]
    assert plain["FileSystemId"] != keyed["FileSystemId"]
    assert plain.get("KmsKeyId") != keyed["KmsKeyId"]
    assert not [group for group in logs.describe_log_groups()["logGroups"] if "kmsKeyId" in group]
    assert "Nothing to change" in standing.done("plan")
