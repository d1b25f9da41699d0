"""SimulatePrincipalPolicy: what a principal's own policies would decide, without making the call.

The caller holds the simulator's lock. Source: IAM API reference, SimulatePrincipalPolicy. moto 5.2 has no such action.
Groups of resources (ResourceHandlingOption), further policies and resource policies are not simulated and refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moto.core.responses import BaseResponse
from moto.iam.exceptions import NotFoundException, ValidationError
from moto.iam.responses import IamResponse

from sockerless.simulator import iam_principals
from sockerless.simulator.hooks import Hooks
from sockerless.simulator.iam_policy import Decision, Request, decide
from sockerless.simulator.iam_principals import Principal

_TAKEN = {"PolicySourceArn", "ActionNames", "ResourceArns", "ContextEntries", "MaxItems"}
_DECISIONS = {Decision.ALLOWED: "allowed", Decision.DENIED: "explicitDeny", Decision.SILENT: "implicitDeny"}


def install(hooks: Hooks) -> None:
    """Serves the action."""
    hooks.action(IamResponse, "simulate_principal_policy", _simulate)


def _simulate(response: BaseResponse, document: dict[str, Any]) -> dict[str, Any]:
    for member in document:
        if member not in _TAKEN:
            raise ValidationError(f"{member} is not simulated.")
    source = str(document["PolicySourceArn"])
    principal = iam_principals.of_arn(response.current_account, source)
    if principal is None:
        raise NotFoundException(f"The principal {source} cannot be found.")
    for action in document["ActionNames"]:
        if ":" not in action or "*" in action:
            raise ValidationError(f"Invalid Input ActionNames: {action}")
    results = [
        _result(principal, action, resource, _context(principal, document))
        for action in document["ActionNames"]
        for resource in document.get("ResourceArns") or ["*"]
    ]
    return {"EvaluationResults": results, "IsTruncated": False}


def _result(principal: Principal, action: str, resource: str, context: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    request = Request(action, resource, context)
    decisions = [decide(principal.identity, request)]
    if principal.boundary is not None:
        decisions.append(decide(principal.boundary, request))
    least = next(one for one in (Decision.DENIED, Decision.SILENT, Decision.ALLOWED) if one in decisions)
    return {
        "EvalActionName": action,
        "EvalResourceName": resource,
        "EvalDecision": _DECISIONS[least],
        "MatchedStatements": [],
        "MissingContextValues": [],
    }


def _context(principal: Principal, document: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    given = {
        str(entry["ContextKeyName"]).lower(): tuple(map(str, entry["ContextKeyValues"]))
        for entry in document.get("ContextEntries") or []
    }
    return {key.lower(): values for key, values in principal.keys.items()} | given
