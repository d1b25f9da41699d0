"""Whom a trust policy lets take its role, as tables."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sockerless.simulator.iam_principals import Principal
from sockerless.simulator.iam_trust import Trust, of_principal, trusts_service

ACCOUNT, OTHER = "123456789012", "210987654321"
ECS = {"Service": "ecs-tasks.amazonaws.com"}
ANNA = f"arn:aws:iam::{ACCOUNT}:user/anna"


def trust(principal: Any, **more: Any) -> str:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"} | more
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (trust(ECS), True),
        (trust({"Service": ["ec2.amazonaws.com", "ecs-tasks.amazonaws.com"]}), True),
        (trust({"Service": "ec2.amazonaws.com"}), False),
        (trust({"AWS": "*"}), False),
        (trust(ECS, Action="sts:TagSession"), False),
        (trust(ECS, Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}}), True),
        (trust(ECS, Condition={"StringEquals": {"aws:SourceAccount": OTHER}}), False),
        (trust(ECS, Condition={"ArnLike": {"aws:SourceArn": f"arn:aws:ecs:eu-central-1:{ACCOUNT}:*"}}), True),
        (trust(ECS, Condition={"ArnLike": {"aws:SourceArn": f"arn:aws:ecs:us-east-1:{ACCOUNT}:*"}}), False),
        (trust(ECS, Condition={"ArnLike": {"aws:SourceArn": f"arn:aws:ecs:eu-central-1:{ACCOUNT}:task/x/*"}}), False),
    ],
)
def test_a_service_takes_a_role_under_the_conditions_of_its_trust(document: str, expected: bool) -> None:
    source = f"arn:aws:ecs:eu-central-1:{ACCOUNT}:*"
    assert trusts_service(document, "ecs-tasks.amazonaws.com", ACCOUNT, source) is expected


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (trust({"AWS": ANNA}), Trust.NAMED),
        (trust({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}), Trust.ACCOUNT),
        (trust({"AWS": ACCOUNT}), Trust.ACCOUNT),
        (trust("*"), Trust.ACCOUNT),
        (trust({"AWS": f"arn:aws:iam::{OTHER}:root"}), Trust.NONE),
        (trust(ECS), Trust.NONE),
        (trust({"AWS": ANNA}, Effect="Deny"), Trust.NONE),
        (trust({"AWS": ANNA}, Condition={"StringEquals": {"sts:ExternalId": "7"}}), Trust.NAMED),
        (trust({"AWS": ANNA}, Condition={"StringEquals": {"sts:ExternalId": "8"}}), Trust.NONE),
    ],
)
def test_a_principal_is_trusted_by_name_by_account_or_not(document: str, expected: Trust) -> None:
    anna = Principal(ANNA, ACCOUNT, keys={"aws:PrincipalArn": (ANNA,)})
    assert of_principal(document, anna, {"sts:externalid": ("7",)}) is expected
