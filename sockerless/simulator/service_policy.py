"""Whether a resource's own policy lets an AWS service act on it: queues for EventBridge, keys for whoever encrypts.

What cannot be evaluated lets nobody in. Source: IAM user guide, "Policy evaluation logic"; SQS and KMS developer
guides on their policies.
"""

from __future__ import annotations

from collections.abc import Mapping

from sockerless.errors import InvalidParameter, NotSupported
from sockerless.simulator.iam_policy import Request, Statement, parse


def lets(document: str | None, service: str, action: str, resource: str, keys: Mapping[str, str]) -> bool:
    """Whether some statement allows it to the service (logs.us-east-1.amazonaws.com) and none denies it.

    document: the resource's policy. keys: the condition keys of the request.
    """
    context = {key.lower(): (value,) for key, value in keys.items()} | {"aws:securetransport": ("true",)}
    request = Request(action, resource, context)
    try:
        speaking = [one for one in parse(document or "") if _names(one, service) and one.speaks_of(request)]
    except (InvalidParameter, NotSupported):
        return False
    return bool(speaking) and all(statement.allows for statement in speaking)


def _names(statement: Statement, service: str) -> bool:
    everybody = "*" in statement.principals.get("AWS", ())
    return everybody or not {"*", service}.isdisjoint(statement.principals.get("Service", ()))
