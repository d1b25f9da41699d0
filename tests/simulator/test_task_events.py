"""What ECS tells of tasks, as a queue receives it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from sockerless.simulator.server import Simulator

from .conftest import Account, logged, statement_for, until

pytestmark = pytest.mark.engine

STATUSES = [
    "PROVISIONING",
    "PENDING",
    "ACTIVATING",
    "RUNNING",
    "DEACTIVATING",
    "STOPPING",
    "DEPROVISIONING",
    "STOPPED",
]


@pytest.fixture
def queue(account: Account, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a queue that gets all events of tasks while the test runs."""
    url, arn = account.queue(request.node.name[:60])
    events = account.client("events")
    pattern = {"source": ["aws.ecs"], "detail-type": ["ECS Task State Change"]}
    rule_arn = events.put_rule(Name="tasks", EventPattern=json.dumps(pattern))["RuleArn"]
    events.put_targets(Rule="tasks", Targets=[{"Id": "queue", "Arn": arn}])
    account.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": statement_for(rule_arn, arn)})
    yield url
    events.remove_targets(Rule="tasks", Ids=["queue"])


def told(account: Account, queue: str, arn: str) -> list[dict[str, Any]]:
    """The details of a task's events, up to the one that says it stopped."""
    details: list[dict[str, Any]] = []

    def ask() -> list[dict[str, Any]]:
        events = account.received(queue)
        assert all(event["resources"] == [event["detail"]["taskArn"]] for event in events)
        details.extend(event["detail"] for event in events if event["detail"]["taskArn"] == arn)
        return details

    return until(ask, lambda found: bool(found) and found[-1]["lastStatus"] == "STOPPED")


def without_repeats(values: list[str]) -> list[str]:
    """values, each run of equal ones once."""
    return [value for index, value in enumerate(values) if index == 0 or values[index - 1] != value]


def test_every_status_is_told_once_and_in_order(account: Account, image: str, queue: str) -> None:
    account.register("told", logged(image=image, command=["true"]))
    arn = account.run("told", startedBy="somebody")["taskArn"]
    details = told(account, queue, arn)
    assert without_repeats([detail["lastStatus"] for detail in details]) == STATUSES
    versions = [detail["version"] for detail in details]
    assert versions == sorted(set(versions)), "a version came twice, or back"
    last = details[-1]
    described = account.stopped(arn)
    assert (last["stopCode"], last["stoppedReason"]) == ("EssentialContainerExited", described["stoppedReason"])
    assert last["containers"][0]["exitCode"] == 0
    assert last["startedBy"] == "somebody"
    assert last["version"] == described["version"]
    assert last["attachments"][0]["type"] == "eni"
    assert last["stoppedAt"].endswith("Z")
    assert "tags" not in last
    assert set(last) - {"updatedAt"} == set(described) - {"tags"}


def test_a_stop_is_told_before_the_task_stops(account: Account, image: str, queue: str) -> None:
    account.register("ended", logged(image=image, command=["sleep", "60"], stopTimeout=2))
    arn = account.running(account.run("ended")["taskArn"])["taskArn"]
    account.client("ecs").stop_task(cluster=account.cluster, task=arn)
    details = told(account, queue, arn)
    asked = [detail for detail in details if detail["desiredStatus"] == "STOPPED"]
    assert asked[0]["lastStatus"] == "RUNNING"
    assert asked[0]["stopCode"] == "UserInitiated"


def test_a_failed_start_says_so(account: Account, queue: str) -> None:
    account.register("failing", logged(image="127.0.0.1:1/no/such:image"))
    details = told(account, queue, account.run("failing")["taskArn"])
    assert details[-1]["stopCode"] == "TaskFailedToStart"
    assert "CannotPullContainerError" in details[-1]["stoppedReason"]


def test_an_event_can_be_lost(account: Account, image: str, queue: str, simulator: Simulator) -> None:
    simulator.faults.inject({"kind": "event", "target": "RUNNING", "times": 1})
    account.register("lost", logged(image=image, command=["true"]))
    details = told(account, queue, account.run("lost")["taskArn"])
    assert "ACTIVATING" in [detail["lastStatus"] for detail in details]
    assert len([detail for detail in details if detail["lastStatus"] == "RUNNING"]) <= 1
