"""KMS keys that services must be let use: log groups, queues of events, the storage of tasks."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import Account, statement_for

ROOT = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "kms:*", "Resource": "*"}
UNUSABLE = "does not exist or is not allowed to be used"


def key(account: Account, *services: str) -> str:
    """A key that these services may use; its ARN."""
    using = [{"Effect": "Allow", "Principal": {"Service": one}, "Action": "kms:*", "Resource": "*"} for one in services]
    policy = {"Version": "2012-10-17", "Statement": [ROOT, *using]}
    arn: str = account.client("kms").create_key(Policy=json.dumps(policy))["KeyMetadata"]["Arn"]
    return arn


def group(account: Account, name: str) -> dict[str, Any]:
    """A log group as it is described."""
    (found,) = account.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    described: dict[str, Any] = found
    return described


def test_a_log_group_takes_a_key_when_made_and_later(account: Account) -> None:
    logs, first, second = (
        account.client("logs"),
        key(account, "logs.us-east-1.amazonaws.com"),
        key(account, "logs.us-east-1.amazonaws.com"),
    )
    logs.create_log_group(logGroupName="/keyed", kmsKeyId=first)
    assert group(account, "/keyed")["kmsKeyId"] == first
    logs.associate_kms_key(logGroupName="/keyed", kmsKeyId=second)
    assert group(account, "/keyed")["kmsKeyId"] == second
    logs.disassociate_kms_key(logGroupName="/keyed")
    assert "kmsKeyId" not in group(account, "/keyed")


def test_a_key_that_logs_may_not_use_is_refused(account: Account) -> None:
    logs = account.client("logs")
    logs.create_log_group(logGroupName="/plain")
    disabled = key(account, "logs.us-east-1.amazonaws.com")
    account.client("kms").disable_key(KeyId=disabled.rpartition("/")[2])
    for unusable in (key(account, "logs.eu-west-1.amazonaws.com"), disabled, disabled[:-1]):
        with pytest.raises(ClientError, match=UNUSABLE):
            logs.associate_kms_key(logGroupName="/plain", kmsKeyId=unusable)
        with pytest.raises(ClientError, match=UNUSABLE):
            logs.create_log_group(logGroupName="/refused", kmsKeyId=unusable)


@pytest.mark.parametrize(("service", "arrives"), [("events.amazonaws.com", True), ("sns.amazonaws.com", False)])
def test_events_reach_an_encrypted_queue_only_by_a_key_that_eventbridge_may_use(
    account: Account, service: str, arrives: bool
) -> None:
    name = service.split(".")[0]
    url, arn = account.queue(f"encrypted-{name}")
    events, sqs = account.client("events"), account.client("sqs")
    rule = events.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))["RuleArn"]
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])
    attributes = {"Policy": statement_for(rule, arn), "KmsMasterKeyId": key(account, service)}
    sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)
    events.put_events(Entries=[{"Source": name, "DetailType": "test", "Detail": "{}"}])
    assert bool(account.received(url)) is arrives


@pytest.mark.engine
@pytest.mark.parametrize("service", ["fargate.amazonaws.com", "ecs.amazonaws.com"])
def test_tasks_start_only_with_a_storage_key_that_fargate_may_use(account: Account, image: str, service: str) -> None:
    arn = key(account, service)
    storage = {"managedStorageConfiguration": {"fargateEphemeralStorageKmsKeyId": arn}}
    name = service.split(".")[0]
    account.client("ecs").create_cluster(clusterName=name, configuration=storage)
    account.register("stored", {"name": "main", "image": image, "command": ["true"]})
    made = account.run("stored", cluster=name)["taskArn"]
    other = Account(account.endpoint_url, cluster=name)
    task = other.stopped(made)
    assert task["fargateEphemeralStorage"]["kmsKeyId"] == arn
    if service == "fargate.amazonaws.com":
        assert task["containers"][0]["exitCode"] == 0
    else:
        assert task["stopCode"] == "TaskFailedToStart"
        assert arn in task["stoppedReason"]
