"""Rules, queues and long polls, through boto3. No task runs here: test_task_events.py has those."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import Account, statement_for, until


@pytest.fixture
def queue(account: Account, request: pytest.FixtureRequest) -> tuple[str, str]:
    """A queue of this test: URL and ARN."""
    return account.queue(request.node.name[:60])


def rule(account: Account, name: str, queue_arn: str, pattern: dict[str, Any]) -> str:
    """A rule that sends what it matches to a queue; its ARN."""
    events = account.client("events")
    arn: str = events.put_rule(Name=name, EventPattern=json.dumps(pattern))["RuleArn"]
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": queue_arn}])
    return arn


def put(account: Account, source: str, detail: dict[str, Any]) -> None:
    """Puts an event."""
    entry = {"Source": source, "DetailType": "test", "Detail": json.dumps(detail), "Resources": ["arn:x"]}
    assert account.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0


def test_what_a_rule_matches_reaches_the_queue_with_all_its_members(account: Account, queue: tuple[str, str]) -> None:
    url, queue_arn = queue
    arn = rule(account, "matching", queue_arn, {"source": ["matching"], "detail": {"kind": ["good"]}})
    account.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": statement_for(arn, queue_arn)})
    put(account, "matching", {"kind": "bad"})
    put(account, "matching", {"kind": "good"})
    (event,) = account.received(url)
    assert {name: event[name] for name in ("version", "source", "detail-type", "account", "region", "resources")} == {
        "version": "0",
        "source": "matching",
        "detail-type": "test",
        "account": "123456789012",
        "region": "us-east-1",
        "resources": ["arn:x"],
    }
    assert event["detail"] == {"kind": "good"}
    assert event["time"].endswith("Z")
    assert set(event) - {"id", "time", "detail"} == {
        "version",
        "source",
        "detail-type",
        "account",
        "region",
        "resources",
    }


def test_a_queue_whose_policy_does_not_let_the_rule_gets_nothing(account: Account, queue: tuple[str, str]) -> None:
    url, queue_arn = queue
    arn = rule(account, "strange", queue_arn, {"source": ["strange"]})
    policy = statement_for(f"{arn}-other", queue_arn)
    account.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    put(account, "strange", {"n": 1})
    assert account.received(url) == []


def test_a_disabled_rule_sends_nothing(account: Account, queue: tuple[str, str]) -> None:
    url, queue_arn = queue
    arn = rule(account, "disabled", queue_arn, {"source": ["disabled"]})
    account.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": statement_for(arn, queue_arn)})
    account.client("events").disable_rule(Name="disabled")
    put(account, "disabled", {"n": 1})
    assert account.received(url) == []


def test_a_queue_that_is_gone_loses_events_quietly_as_on_aws(account: Account, queue: tuple[str, str]) -> None:
    url, queue_arn = queue
    rule(account, "gone", queue_arn, {"source": ["gone"]})
    account.client("sqs").delete_queue(QueueUrl=url)
    put(account, "gone", {"n": 1})


@pytest.mark.parametrize(
    "target", [{"Arn": "arn:aws:sns:us-east-1:123456789012:t"}, {"Arn": "arn:aws:sqs:us-east-1:1:q", "Input": "{}"}]
)
def test_targets_that_are_not_simulated_are_refused(account: Account, target: dict[str, str]) -> None:
    events = account.client("events")
    events.put_rule(Name="refusing", EventPattern='{"source": ["x"]}')
    with pytest.raises(ClientError, match="Not simulated"):
        events.put_targets(Rule="refusing", Targets=[{"Id": "1", **target}])


def in_background(work: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    """Does work on a thread of its own; the thread and where its result will be."""
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(work()))
    thread.start()
    return thread, results


def test_a_long_poll_ends_with_the_first_message_and_holds_up_nobody(account: Account, queue: tuple[str, str]) -> None:
    url, _ = queue
    poller = Account(account.endpoint_url).client("sqs")
    began, before = time.monotonic(), account.calls("sqs", "ReceiveMessage")
    thread, results = in_background(lambda: poller.receive_message(QueueUrl=url, WaitTimeSeconds=20))
    until(lambda: account.calls("sqs", "ReceiveMessage"), lambda calls: calls > before)
    account.client("ecs").list_clusters()
    assert results == []
    account.client("sqs").send_message(QueueUrl=url, MessageBody="here")
    thread.join(timeout=10)
    assert [message["Body"] for message in results[0]["Messages"]] == ["here"]
    assert time.monotonic() - began < 10


def test_a_long_poll_of_an_empty_queue_ends_in_time(account: Account, queue: tuple[str, str]) -> None:
    url, _ = queue
    began = time.monotonic()
    assert "Messages" not in account.client("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=1)
    assert 0.9 < time.monotonic() - began < 5


def test_a_long_poll_gets_a_message_that_becomes_visible_again(account: Account, queue: tuple[str, str]) -> None:
    url, _ = queue
    sqs = account.client("sqs")
    sqs.send_message(QueueUrl=url, MessageBody="again")
    sqs.receive_message(QueueUrl=url, VisibilityTimeout=1)
    (message,) = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=10)["Messages"]
    assert message["Body"] == "again"


def test_a_queue_keeps_its_policy_when_something_else_of_it_is_set(account: Account, queue: tuple[str, str]) -> None:
    url, arn = queue
    sqs, policy = account.client("sqs"), statement_for("arn:aws:events:us-east-1:123456789012:rule/r", arn)
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "7"})
    kept = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert (json.loads(kept["Policy"]), kept["VisibilityTimeout"]) == (json.loads(policy), "7")
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
    assert "Policy" not in sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
