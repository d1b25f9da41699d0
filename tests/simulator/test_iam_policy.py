"""What policy documents decide, as tables: conditions, wildcards, denials. Source: IAM user guide."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sockerless.errors import InvalidParameter, NotSupported
from sockerless.simulator.iam_conditions import holds
from sockerless.simulator.iam_policy import Decision, Request, decide

TASK = "arn:aws:ecs:eu-central-1:123456789012:task/sockerless/0123"
CONTEXT = {
    "ecs:cluster": ("arn:aws:ecs:eu-central-1:123456789012:cluster/sockerless",),
    "aws:tagkeys": ("Name", "team"),
    "aws:requesttag/team": ("platform",),
    "aws:username": ("anna",),
    "aws:securetransport": ("true",),
    "s3:max-keys": ("10",),
}


@pytest.mark.parametrize(
    ("operator", "key", "values", "expected"),
    [
        ("StringEquals", "aws:RequestTag/team", "platform", True),
        ("StringEquals", "AWS:requesttag/TEAM", "platform", True),
        ("StringEquals", "aws:RequestTag/team", ["sales", "platform"], True),
        ("StringEquals", "aws:RequestTag/team", "Platform", False),
        ("StringEquals", "aws:RequestTag/absent", "platform", False),
        ("StringEqualsIfExists", "aws:RequestTag/absent", "platform", True),
        ("StringEqualsIfExists", "aws:RequestTag/team", "sales", False),
        ("StringEqualsIgnoreCase", "aws:RequestTag/team", "PLATFORM", True),
        ("StringNotEquals", "aws:RequestTag/team", ["sales", "law"], True),
        ("StringNotEquals", "aws:RequestTag/team", ["sales", "platform"], False),
        ("StringNotEquals", "aws:RequestTag/absent", "platform", True),
        ("StringLike", "aws:RequestTag/team", "plat*", True),
        ("StringLike", "aws:RequestTag/team", "plat?orm", True),
        ("StringLike", "aws:RequestTag/team", "[pq]latform", False),
        ("StringNotLike", "aws:RequestTag/team", "plat*", False),
        ("StringEquals", "aws:RequestTag/team", "${aws:username}", False),
        ("StringEquals", "aws:username", "${aws:username}", True),
        ("StringEquals", "aws:username", "${aws:userid}", False),
        ("ArnEquals", "ecs:cluster", "arn:aws:ecs:eu-central-1:123456789012:cluster/sockerless", True),
        ("ArnEquals", "ecs:cluster", "arn:aws:ecs:eu-central-1:123456789012:cluster/other", False),
        ("ArnLike", "ecs:cluster", "arn:aws:ecs:*:*:cluster/*", True),
        ("ArnLike", "ecs:cluster", "arn:aws:*/sockerless", False),
        ("ArnNotLike", "ecs:cluster", "arn:aws:ecs:*:*:cluster/*", False),
        ("Bool", "aws:SecureTransport", True, True),
        ("Bool", "aws:SecureTransport", "false", False),
        ("Null", "aws:RequestTag/absent", "true", True),
        ("Null", "aws:RequestTag/team", "true", False),
        ("Null", "aws:RequestTag/team", False, True),
        ("NumericLessThanEquals", "s3:max-keys", "10", True),
        ("NumericLessThan", "s3:max-keys", "10", False),
        ("NumericGreaterThan", "s3:max-keys", 9, True),
        ("ForAllValues:StringEquals", "aws:TagKeys", ["Name", "team", "cost"], True),
        ("ForAllValues:StringEquals", "aws:TagKeys", ["Name"], False),
        ("ForAllValues:StringEquals", "aws:Absent", ["Name"], True),
        ("ForAnyValue:StringEquals", "aws:TagKeys", ["Name"], True),
        ("ForAnyValue:StringEquals", "aws:TagKeys", ["cost"], False),
        ("ForAnyValue:StringEquals", "aws:Absent", ["Name"], False),
        ("ForAllValues:StringNotEquals", "aws:TagKeys", ["team"], False),
    ],
)
def test_a_condition_holds_as_the_user_guide_says(operator: str, key: str, values: Any, expected: bool) -> None:
    assert holds({operator: {key: values}}, CONTEXT) is expected


def test_every_operator_and_every_key_must_hold() -> None:
    one, other = {"aws:username": "anna"}, {"aws:RequestTag/team": "sales"}
    assert holds({"StringEquals": one, "StringNotEquals": other}, CONTEXT)
    assert not holds({"StringEquals": one | other}, CONTEXT)


@pytest.mark.parametrize("operator", ["DateLessThan", "IpAddress", "ForSome:StringEquals", "StringMatches"])
def test_an_operator_that_is_not_evaluated_is_named(operator: str) -> None:
    with pytest.raises(NotSupported, match=operator):
        holds({operator: {"aws:username": "anna"}}, CONTEXT)


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource} | more


DENY_STOP = {"Effect": "Deny", "Action": "ecs:StopTask", "Resource": "*"}


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([], Decision.SILENT),
        ([allow("ecs:StopTask")], Decision.ALLOWED),
        ([allow("ECS:stoptask")], Decision.ALLOWED),
        ([allow("ecs:*")], Decision.ALLOWED),
        ([allow("ecs:Stop????")], Decision.ALLOWED),
        ([allow(["ecs:RunTask", "ecs:DescribeTasks"])], Decision.SILENT),
        ([allow("ecs:StopTask", TASK)], Decision.ALLOWED),
        ([allow("ecs:StopTask", "arn:aws:ecs:eu-central-1:123456789012:task/sockerless/*")], Decision.ALLOWED),
        ([allow("ecs:StopTask", "arn:aws:ecs:eu-central-1:123456789012:task/other/*")], Decision.SILENT),
        ([allow("ecs:StopTask", "arn:aws:ecs:*:task/sockerless/*")], Decision.SILENT),
        ([allow("ecs:StopTask", ["arn:aws:s3:::a", TASK])], Decision.ALLOWED),
        ([allow("ecs:StopTask", "arn:aws:ecs:eu-central-1:123456789012:task/${aws:username}/*")], Decision.SILENT),
        ([allow("ecs:StopTask", Condition={"StringEquals": {"aws:username": "anna"}})], Decision.ALLOWED),
        ([allow("ecs:StopTask", Condition={"StringEquals": {"aws:username": "bob"}})], Decision.SILENT),
        ([allow("ecs:*"), DENY_STOP], Decision.DENIED),
        ([DENY_STOP, allow("ecs:*")], Decision.DENIED),
        ([allow("*"), DENY_STOP | {"Condition": {"Bool": {"aws:SecureTransport": "false"}}}], Decision.ALLOWED),
        ([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}], Decision.ALLOWED),
        ([{"Effect": "Allow", "NotAction": "ecs:*", "Resource": "*"}], Decision.SILENT),
        ([{"Effect": "Allow", "Action": "ecs:*", "NotResource": TASK}], Decision.SILENT),
        ([allow("*"), {"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:s3:::*"}], Decision.DENIED),
    ],
)
def test_a_document_decides_as_the_user_guide_says(statements: list[dict[str, Any]], expected: Decision) -> None:
    assert decide([policy(*statements)], Request("ecs:StopTask", TASK, CONTEXT)) is expected


def test_an_allow_that_is_scoped_to_arns_does_not_reach_an_action_without_a_resource() -> None:
    request = Request("ecs:ListTasks", "*", CONTEXT)
    assert decide([policy(allow("ecs:ListTasks", "arn:aws:ecs:*:*:*"))], request) is Decision.SILENT
    assert decide([policy(allow("ecs:ListTasks"))], request) is Decision.ALLOWED


def test_a_denial_in_one_document_ends_what_another_allows() -> None:
    request = Request("ecs:StopTask", TASK, CONTEXT)
    assert decide([policy(allow("ecs:*")), policy(DENY_STOP)], request) is Decision.DENIED


def test_a_single_statement_needs_no_list() -> None:
    document = json.dumps({"Version": "2012-10-17", "Statement": allow("ecs:StopTask")})
    assert decide([document], Request("ecs:StopTask", TASK, CONTEXT)) is Decision.ALLOWED


@pytest.mark.parametrize("document", ["", "[]", "{}", '{"Statement": [{"Effect": "Perhaps", "Action": "*"}]}'])
def test_what_is_no_policy_is_refused(document: str) -> None:
    with pytest.raises(InvalidParameter):
        decide([document], Request("ecs:StopTask", TASK, {}))
