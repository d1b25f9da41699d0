"""IAM: what a principal's policies would decide."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sockerless import errors
from sockerless.aws.session import Aws
from sockerless.types import JsonObject

_SESSION = re.compile(r"arn:(?P<partition>[^:]+):sts::(?P<account>\d{12}):assumed-role/(?P<role>[^/]+)/.*")


async def policy_source(aws: Aws, caller_arn: str) -> str:
    """The user or role whose policies bind a caller: of a session its role, whose path only IAM knows.

    Whoever may not ask IAM for it is taken to have a role without a path.
    """
    session = _SESSION.fullmatch(caller_arn)
    if session is None:
        return caller_arn
    try:
        answer = await aws.call("iam", "GetRole", RoleName=session["role"])
    except errors.Forbidden:
        return f"arn:{session['partition']}:iam::{session['account']}:role/{session['role']}"
    return str(answer["Role"]["Arn"])


async def denied(
    aws: Aws, source_arn: str, actions: Sequence[str], resources: Sequence[str], context: Sequence[JsonObject]
) -> list[str]:
    """Those of the actions that the principal's policies do not allow on every one of the resources, in their order.

    context: ContextEntries as the API takes them. No action may hold a wildcard.
    """
    request = {"PolicySourceArn": source_arn, "ActionNames": list(actions), "ResourceArns": list(resources)}
    refused: list[str] = []
    page: JsonObject = {}
    while True:
        answer = await aws.call("iam", "SimulatePrincipalPolicy", **request, ContextEntries=list(context), **page)
        refused += [one["EvalActionName"] for one in answer["EvaluationResults"] if one["EvalDecision"] != "allowed"]
        if not answer.get("IsTruncated"):
            return list(dict.fromkeys(refused))
        page = {"Marker": answer["Marker"]}
