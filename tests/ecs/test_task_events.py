"""A message in the queue says of a task what DescribeTasks would, or is refused with the reason."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from sockerless.ecs.state import view
from sockerless.ecs.task_events import cluster_name, parse
from sockerless.errors import InvalidParameter
from tests.ecs.task_events import CLUSTER_ARN, TASK_ARN, event

ENI = [
    {"name": "subnetId", "value": "subnet-0a"},
    {"name": "networkInterfaceId", "value": "eni-0a"},
    {"name": "privateIPv4Address", "value": "10.0.0.139"},
]


def test_an_event_tells_what_describe_tasks_would() -> None:
    containers = [{"name": "main", "lastStatus": "STOPPED", "exitCode": 143}]
    told = parse(
        event(
            6,
            "STOPPED",
            attachments=[{"id": "1", "type": "eni", "status": "ATTACHED", "details": ENI}],
            containers=containers,
            startedAt="2026-01-23T17:57:58.103Z",
            stoppingAt="2026-01-23T18:00:00Z",
            stoppedAt="2026-01-23T18:00:20.5+00:00",
            stopCode="SpotInterruption",
            stoppedReason="Your Spot Task was interrupted.",
        )
    )
    described = view(
        {
            "taskArn": TASK_ARN,
            "lastStatus": "STOPPED",
            "desiredStatus": "STOPPED",
            "attachments": [{"type": "ElasticNetworkInterface", "status": "ATTACHED", "details": ENI}],
            "containers": containers,
            "startedAt": datetime(2026, 1, 23, 17, 57, 58, 103000, tzinfo=UTC),
            "stoppingAt": datetime(2026, 1, 23, 18, 0, tzinfo=UTC),
            "stoppedAt": datetime(2026, 1, 23, 18, 0, 20, 500000, tzinfo=UTC),
            "stopCode": "SpotInterruption",
            "stoppedReason": "Your Spot Task was interrupted.",
            "version": 6,
        }
    )
    assert (told.cluster, told.view) == ("test", described)
    assert (told.view.private_address, told.view.eni_id) == ("10.0.0.139", "eni-0a")


def test_members_that_nobody_knows_yet_do_no_harm() -> None:
    assert parse(event(1, "PENDING", tomorrow={"new": []}, attributes=[{"name": "x"}])).view.last_status == "PENDING"


def _without(member: str) -> str:
    document = json.loads(event(1))
    del document["detail"][member]
    return json.dumps(document)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "not an event"),
        ("not JSON", "not an event"),
        ("[]", "not an event"),
        ("null", "not an event"),
        ('{"source": "aws.ecs"}', "not an event"),
        (event(1).replace("aws.ecs", "mine"), "from 'mine'"),
        (event(1).replace("ECS Task State Change", "ECS Service Action"), "of type 'ECS Service Action'"),
        (event(1, containers="x"), "not an event"),
        (event(1, attachments=[1]), "not an event"),
        (event(1, startedAt="yesterday"), "not an event"),
        (event(1, startedAt=5), "not an event"),
        (_without("taskArn"), "not an event"),
        (_without("clusterArn"), "not an event"),
        (_without("version"), "neither the task's version nor its status"),
        (_without("lastStatus"), "neither the task's version nor its status"),
        (json.dumps({"detail": 1, "source": "aws.ecs", "detail-type": "ECS Task State Change"}), "not an event"),
        ("[" * 100_000, "not an event"),
    ],
)
def test_what_is_no_event_is_refused_with_the_reason(body: str, reason: str) -> None:
    with pytest.raises(InvalidParameter, match=reason):
        parse(body)


@pytest.mark.parametrize("given", ["test", CLUSTER_ARN])
def test_a_cluster_is_known_by_name_and_by_arn(given: str) -> None:
    assert cluster_name(given) == "test"
