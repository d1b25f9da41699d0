"""The options of what holds data, is watched and where tasks run, by terraform against the simulated AWS."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sockerless.simulator.options import SimulatorOptions
from sockerless.simulator.server import Simulator
from tests.simulator.conftest import Account
from tests.simulator.remains import remains
from tests.templates.directory import Directory

pytestmark = [pytest.mark.terraform, pytest.mark.slow]

LITTLE = {
    "name": "little",
    "encryption": "aws",
    "efs_backups": False,
    "scan_on_push": False,
    "log_retention_days": 30,
    "container_insights": "disabled",
    "task_events": False,
    "dashboard": False,
    "alarms": False,
}
MUCH = {
    "image_tags": "immutable",
    "untagged_image_days": 7,
    "efs_backups": True,
    "scan_on_push": True,
    "log_retention_days": 731,
    "container_insights": "enhanced",
    "task_events": True,
    "dashboard": True,
    "alarms": True,
    "task_quota": 10,
    "fargate_weight": 1,
    "spot_weight": 3,
    "pull_through": ["docker-hub", "public-ecr", "quay", "kubernetes"],
}
KEEPING = ("aws_ecr_repository", "aws_efs_file_system", "aws_cloudwatch_log_group", "aws_ecs_cluster", "aws_kms_key")


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """A simulated AWS in which only terraform works."""
    options = SimulatorOptions(throttle=False, spare_interfaces=0)
    running = Simulator(port=0, state_dir=tmp_path_factory.mktemp("simulator"), options=options)
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def account(simulator: Simulator) -> Account:
    """The account, with nothing of a deployment in it."""
    return Account(simulator.endpoint_url)


@pytest.fixture(scope="module")
def given(account: Account) -> dict[str, str]:
    """What a person has before: the secret with a Docker Hub account, a topic for alarms."""
    secret = account.client("secretsmanager").create_secret(Name="ecr-pullthroughcache/hub", SecretString="{}")
    topic = account.client("sns").create_topic(Name="alarms")
    return {"docker_hub_secret_arn": secret["ARN"], "alarm_topic_arn": topic["TopicArn"]}


def test_much_with_a_key_of_one_s_own_is_applied_and_destroyed_without_a_rest(
    tmp_path: Path, simulator: Simulator, account: Account, given: dict[str, str]
) -> None:
    before, here = remains(account), Directory(tmp_path, simulator.endpoint_url)
    here.render(**MUCH, **given, name="much", encryption="customer", repository_prefix="team")
    here.init()
    here.apply()
    key = here.output("kms_key_arn")
    groups = account.client("logs").describe_log_groups(logGroupNamePrefix="/much")["logGroups"]
    (group,) = [one for one in groups if one["logGroupName"] == "/much"]
    assert (group["kmsKeyId"], group["retentionInDays"]) == (key, 731)
    (cluster,) = account.client("ecs").describe_clusters(clusters=["much"], include=["CONFIGURATIONS"])["clusters"]
    storage = cluster["configuration"]["managedStorageConfiguration"]
    assert storage["fargateEphemeralStorageKmsKeyId"] == key
    assert here.output("pull_through") == {
        "docker.io": f"{simulator.registry}/team/docker-hub",
        "public.ecr.aws": f"{simulator.registry}/team/public-ecr",
        "quay.io": f"{simulator.registry}/team/quay",
        "registry.k8s.io": f"{simulator.registry}/team/kubernetes",
    }
    queue = here.output("events_queue_url")
    attributes = account.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    assert (attributes["KmsMasterKeyId"], attributes["MessageRetentionPeriod"]) == (key, "3600")
    here.destroy()
    assert remains(account) == before


def test_what_stands_takes_other_options_without_losing_what_it_holds(
    tmp_path: Path, simulator: Simulator, account: Account, given: dict[str, str]
) -> None:
    before, here = remains(account), Directory(tmp_path, simulator.endpoint_url)
    here.render(**LITTLE)
    here.init()
    here.apply()
    assert (here.output("kms_key_arn"), here.output("events_queue_url"), here.output("pull_through")) == ("", "", {})
    here.render(**{**LITTLE, **MUCH, **given})
    lost = {address: actions for address, actions in here.changes().items() if "delete" in actions}
    assert [address for address in lost if address.split(".")[2] in KEEPING] == []
    here.apply()
    here.render(**LITTLE)
    here.apply()
    here.destroy()
    assert remains(account) == before
