"""What a reviewer's linter says of an IAM policy, and IAM's own limits on it.

The linter is parliament (PyPI: ol-parliament): it knows each action, the resources it takes and its condition keys,
from AWS's Service Authorization Reference.
"""

from __future__ import annotations

import json
from typing import Any

import parliament
import parliament.statement

MANAGED_CHARACTERS, INLINE_CHARACTERS = 6144, 10240
"""Source: IAM user guide, "IAM and AWS STS quotas": a managed policy; all inline policies of a role together."""

# Newer than parliament's list. Source: IAM user guide, "AWS global condition context keys".
parliament.statement.GLOBAL_CONDITION_KEYS.setdefault("aws:ViaAWSService", "Bool")
_MISMATCH = "RESOURCE_MISMATCH"


def findings(policy: dict[str, Any]) -> list[str]:
    """All findings above low, as "SEVERITY ISSUE detail".

    parliament looks at each statement by itself. An action that needs two resources under two conditions stands in two
    statements: what one of them lacks is no finding when another has it.
    """
    merged = _by_action(policy)
    found = []
    for one in parliament.analyze_policy_string(json.dumps(policy)).findings:
        finding = parliament.enhance_finding(one)
        if finding.issue == _MISMATCH:
            finding.detail = [detail for detail in finding.detail if detail in merged.get(detail["action"], [detail])]
        if finding.severity not in {"LOW", "MUTED"} and finding.detail:
            found.append(f"{finding.severity} {finding.issue} {finding.detail}")
    return found


def trust_findings(policy: dict[str, Any]) -> list[str]:
    """The same of a role's trust policy, which names no resource: the role is it. parliament does not know that."""
    return findings({**policy, "Statement": [{**one, "Resource": "*"} for one in statements(policy)]})


def characters(policy: dict[str, Any]) -> int:
    """The policy's length as IAM counts it: without whitespace."""
    return len("".join(json.dumps(policy).split()))


def statements(policy: dict[str, Any]) -> list[dict[str, Any]]:
    """Its statements."""
    found = policy["Statement"]
    return list(found) if isinstance(found, list) else [found]


def listed(value: Any) -> list[str]:
    """A policy element's texts, of which it may hold one or a list."""
    return list(value) if isinstance(value, list) else [value]


def _by_action(policy: dict[str, Any]) -> dict[str, list[Any]]:
    """What each action still lacks once all that the policy allows it is counted together."""
    resources: dict[str, list[str]] = {}
    for statement in statements(policy):
        for action in listed(statement.get("Action", [])):
            if statement["Effect"] == "Allow":
                resources.setdefault(action, []).extend(listed(statement.get("Resource", [])))
    return {action: _lacking(action, sorted(set(arns))) for action, arns in resources.items()}


def _lacking(action: str, resources: list[str]) -> list[Any]:
    statement = {"Effect": "Allow", "Action": action, "Resource": resources}
    whole = parliament.analyze_policy_string(json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    return [detail for one in whole.findings if one.issue == _MISMATCH for detail in one.detail]
