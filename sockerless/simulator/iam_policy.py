"""IAM policy documents and what they decide of one request: explicit deny before allow before nothing. Pure.

Knows no principal and no service. Source: IAM user guide, "Policy evaluation logic" and "IAM JSON policy elements
reference". Stricter than AWS in one thing: a wildcard in a Resource does not reach over an ARN's first five colons.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any

from sockerless.errors import InvalidParameter
from sockerless.simulator.iam_conditions import Context, arn_like, holds, like, substituted


class Decision(Enum):
    """What documents say of a request."""

    ALLOWED = "allowed"
    DENIED = "denied"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Request:
    """One action on one resource: an ARN, or "*" for an action that AWS knows no resource of."""

    action: str
    resource: str
    context: Context


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement. negated_*: the patterns are those of NotAction or NotResource. principals: of a trust policy."""

    allows: bool
    actions: tuple[str, ...]
    negated_actions: bool
    resources: tuple[str, ...]
    negated_resources: bool
    conditions: Mapping[str, Any]
    principals: Mapping[str, tuple[str, ...]]

    def speaks_of(self, request: Request) -> bool:
        """Whether the statement applies to the request."""
        action = request.action.lower()
        return (
            any(like(pattern.lower(), action) for pattern in self.actions) != self.negated_actions
            and self._speaks_of_resource(request) != self.negated_resources
            and holds(self.conditions, request.context)
        )

    def _speaks_of_resource(self, request: Request) -> bool:
        filled = (substituted(pattern, request.context) for pattern in self.resources)
        return any(pattern is not None and _takes(pattern, request.resource) for pattern in filled)


@lru_cache(maxsize=512)
def parse(document: str) -> tuple[Statement, ...]:
    """The statements of a policy document; InvalidParameter when it is none."""
    try:
        statements = _listed(json.loads(document)["Statement"])
        return tuple(_statement(one) for one in statements)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidParameter(f"not a policy document: {error}") from error


def decide(documents: Iterable[str], request: Request) -> Decision:
    """What these documents together say: DENIED when one denies, ALLOWED when one allows."""
    speaking = [one for document in documents for one in parse(document) if one.speaks_of(request)]
    if not speaking:
        return Decision.SILENT
    return Decision.ALLOWED if all(one.allows for one in speaking) else Decision.DENIED


def _takes(pattern: str, resource: str) -> bool:
    return pattern == "*" or (resource != "*" and arn_like(pattern, resource))


def _statement(document: Mapping[str, Any]) -> Statement:
    if document["Effect"] not in {"Allow", "Deny"}:
        raise InvalidParameter(f"the Effect {document['Effect']!r} is neither Allow nor Deny")
    return Statement(
        allows=document["Effect"] == "Allow",
        actions=_texts(document["NotAction"] if "NotAction" in document else document["Action"]),
        negated_actions="NotAction" in document,
        resources=_texts(document["NotResource"] if "NotResource" in document else document.get("Resource", "*")),
        negated_resources="NotResource" in document,
        conditions=document.get("Condition", {}),
        principals=_principals(document.get("Principal", {})),
    )


def _principals(element: Any) -> dict[str, tuple[str, ...]]:
    if element == "*":
        return {"AWS": ("*",), "Service": ("*",)}
    return {kind: _texts(names) for kind, names in element.items()}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(str(one) for one in _listed(value))
