"""Whether a role's trust policy lets somebody take the role: an AWS service, or a principal by AssumeRole.

Source: IAM user guide, "The confused deputy problem" and "How IAM roles differ from resource-based policies"; ECS
developer guide, "Amazon ECS task IAM role", for what ECS says of itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from sockerless.simulator.iam_policy import Request, Statement, parse
from sockerless.simulator.iam_principals import Principal

_ACTION = "sts:AssumeRole"


class Trust(Enum):
    """How far a role trusts a principal: not, as one of an account that must itself allow it, or by name."""

    NONE = "none"
    ACCOUNT = "account"
    NAMED = "named"


def trusts_service(document: str, service: str, source_account: str, source_arn: str) -> bool:
    """Whether the service may take the role for work on source_arn in source_account."""
    keys = {"aws:sourceaccount": (source_account,), "aws:sourcearn": (source_arn,)}
    request = Request(_ACTION, "*", keys)
    speaking = [one for one in parse(document) if service in _of(one, "Service") and one.speaks_of(request)]
    return bool(speaking) and all(one.allows for one in speaking)


def of_principal(document: str, principal: Principal, context: Mapping[str, tuple[str, ...]]) -> Trust:
    """How far the role trusts the principal."""
    found = Trust.NONE
    for statement in parse(document):
        named = _of(statement, "AWS")
        speaks = statement.speaks_of(Request(_ACTION, "*", context))
        names = {principal.arn, *principal.keys.get("aws:PrincipalArn", ())} & set(named)
        account = {principal.account_id, f"arn:aws:iam::{principal.account_id}:root", "*"} & set(named)
        if not speaks or not (names or account):
            continue
        if not statement.allows:
            return Trust.NONE
        found = Trust.NAMED if names or found is Trust.NAMED else Trust.ACCOUNT
    return found


def _of(statement: Statement, kind: str) -> tuple[str, ...]:
    return statement.principals.get(kind, ())
