"""Whether the caller may do what apply, destroy and doctor do: the deployer's policies, simulated by IAM itself.

Owns: how a policy becomes questions for IAM, and the wording. Makes no change. What only the moment of a call decides
(an organisation's conditions on source addresses, MFA) is not in the answer. Source: IAM API reference,
SimulatePrincipalPolicy.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

from sockerless.aws import iam
from sockerless.aws.session import Aws
from sockerless.aws.sts import Identity
from sockerless.errors import SockerlessError
from sockerless.kit.finding import Finding, unknown
from sockerless.types import JsonObject

NAME = "permissions"
_AT_A_TIME = 4
"""Simulations under way: IAM answers few at once."""
_SHOWN = 5
_NEGATED = ("StringNotEquals", "StringNotLike", "ArnNotEquals", "ArnNotLike")


async def examine(aws: Aws, identity: Identity, policies: Mapping[str, JsonObject]) -> Finding:
    """Whether the caller may do all that the policies allow. policies: documents by name."""
    if identity.arn.endswith(":root"):
        return Finding(NAME, True, f"{identity.arn} may do everything; a role with the deployer's policies is safer")
    statements = [one for document in policies.values() for one in document["Statement"]]
    limit = asyncio.Semaphore(_AT_A_TIME)
    try:
        source = await iam.policy_source(aws, identity.arn)
        refused = await asyncio.gather(*(_denied(aws, source, statement, limit) for statement in statements))
    except SockerlessError as error:
        fix = (
            "allow iam:SimulatePrincipalPolicy and iam:GetRole, or compare with `sockerless-kit iam deployer` yourself"
        )
        return unknown(NAME, error, fix)
    missing = list(dict.fromkeys(action for actions in refused for action in actions))
    return _finding(source, missing, len({action for one in statements for action in _actions(one)}))


def _finding(source: str, missing: list[str], asked: int) -> Finding:
    if not missing:
        return Finding(NAME, True, f"{source} may do all {asked} actions of the deployer's policies")
    more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
    told = f"{source} may not do {len(missing)} of {asked} actions: {', '.join(missing[:_SHOWN])}{more}"
    return Finding(NAME, False, told, "attach the policies that `sockerless-kit iam deployer` prints")


async def _denied(aws: Aws, source: str, statement: JsonObject, limit: asyncio.Semaphore) -> list[str]:
    resources = [one for one in _texts(statement["Resource"]) if "${" not in one]  # IAM fills in none when it simulates
    if not resources:
        return []
    async with limit:
        return await iam.denied(aws, source, _actions(statement), resources, context(statement))


def context(statement: JsonObject) -> list[JsonObject]:
    """ContextEntries of a request that the statement's own conditions take."""
    return list(_entries(statement.get("Condition") or {}))


def _entries(conditions: Mapping[str, Any]) -> Iterator[JsonObject]:
    for operator, keys in conditions.items():
        quantifier, _, name = operator.removesuffix("IfExists").rpartition(":")
        for key, values in keys.items():
            given = _texts(values)
            if name in _NEGATED or (name == "Null" and given == ["true"]):
                continue  # takes a request that lacks the key
            kind = "boolean" if name == "Bool" else "stringList" if quantifier else "string"
            found = ["anything"] if name == "Null" else given if quantifier else given[:1]
            yield {"ContextKeyName": key, "ContextKeyValues": found, "ContextKeyType": kind}


def _actions(statement: JsonObject) -> list[str]:
    return _texts(statement["Action"])


def _texts(value: Any) -> list[str]:
    return [
        str(one).lower() if isinstance(one, bool) else str(one)
        for one in (value if isinstance(value, list) else [value])
    ]
