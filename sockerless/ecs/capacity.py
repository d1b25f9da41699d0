"""Which of Fargate's capacity providers a task runs on.

Each container is a RunTask call of its own, and AWS spreads by weight only the tasks of one call. So the daemon draws a
provider for each task, by weight, and asks for that one. Law: the draw depends on the client token alone, because a
repeated request must be the same request.
Source: ECS API reference, RunTask and CapacityProviderStrategyItem (launchType and a strategy exclude each other).
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence

from sockerless.types import JsonObject

ON_DEMAND = "FARGATE"
SPOT = "FARGATE_SPOT"

Weights = Sequence[tuple[str, int]]
"""Providers with their shares, as SOCKERLESS_ECS_CAPACITY_PROVIDERS gives them; one share at least is above 0."""


def launch(weights: Weights, client_token: str) -> JsonObject:
    """The parameters of RunTask that say what the task runs on: a launch type where all of them run on demand."""
    shares = [(name, weight) for name, weight in weights if weight]
    if [name for name, _ in shares] == [ON_DEMAND]:
        return {"launchType": ON_DEMAND}
    return {"capacityProviderStrategy": [{"capacityProvider": drawn(shares, client_token), "weight": 1}]}


def drawn(weights: Weights, client_token: str) -> str:
    """The provider of the task with this client token."""
    upper_bounds = list(itertools.accumulate(weight for _, weight in weights))
    number = int.from_bytes(hashlib.sha256(client_token.encode()).digest()) % upper_bounds[-1]
    return next(name for (name, _), bound in zip(weights, upper_bounds, strict=True) if number < bound)
