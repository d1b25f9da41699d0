"""Which policies of a queue let an EventBridge rule in."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sockerless.simulator.service_policy import lets

QUEUE = "arn:aws:sqs:us-east-1:123456789012:events"
RULE = "arn:aws:events:us-east-1:123456789012:rule/tasks"


def lets_rule_send(document: str | None) -> bool:
    """Whether the rule may send to the queue."""
    source = {"aws:SourceArn": RULE, "aws:SourceAccount": "123456789012"}
    return lets(document, "events.amazonaws.com", "sqs:SendMessage", QUEUE, source)


def statement(**members: Any) -> dict[str, Any]:
    """A statement that lets every rule in, changed by members."""
    allowing = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage"}
    return {**allowing, "Resource": QUEUE, **members}


DENIED = statement(Effect="Deny", Principal="*", Action="sqs:*")

LETTING = {
    "every rule": [statement()],
    "everybody": [statement(Principal={"AWS": "*"}, Action="SQS:*", Resource="*")],
    "this rule": [statement(Condition={"ArnEquals": {"aws:SourceArn": RULE}})],
    "rules like it": [statement(Condition={"ArnLike": {"AWS:SourceArn": [f"{RULE[:-5]}*"]}})],
    "rules of the account": [statement(Condition={"StringEquals": {"aws:SourceAccount": "123456789012"}})],
    "what comes by TLS": [statement(), DENIED | {"Condition": {"Bool": {"aws:SecureTransport": "false"}}}],
}

REFUSING = {
    "no statement": [],
    "another service": [statement(Principal={"Service": "sns.amazonaws.com"})],
    "another action": [statement(Action=["sqs:ReceiveMessage", "sqs:DeleteMessage"])],
    "another queue": [statement(Resource=f"{QUEUE}-2")],
    "another rule": [statement(Condition={"ArnEquals": {"aws:SourceArn": f"{RULE}-2"}})],
    "another account": [statement(Condition={"StringEquals": {"aws:SourceAccount": "210987654321"}})],
    "a key that is not there": [statement(Condition={"StringEquals": {"aws:PrincipalOrgID": "o-1"}})],
    "an operator unknown here": [statement(Condition={"DateLessThan": {"aws:CurrentTime": "2026-01-01"}})],
    "a denial": [statement(), DENIED],
    "a denial by an operator unknown here": [
        statement(),
        DENIED | {"Condition": {"DateLessThan": {"aws:CurrentTime": "2026-01-01"}}},
    ],
}


@pytest.mark.parametrize("who", LETTING)
def test_a_rule_is_let_in_by(who: str) -> None:
    assert lets_rule_send(json.dumps({"Statement": LETTING[who]}))


@pytest.mark.parametrize("who", REFUSING)
def test_a_rule_is_not_let_in_by(who: str) -> None:
    assert not lets_rule_send(json.dumps({"Statement": REFUSING[who]}))


def test_a_queue_without_a_policy_lets_no_rule_in() -> None:
    assert not lets_rule_send(None)
