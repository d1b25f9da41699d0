"""A capacity provider strategy: whether ECS takes it, and which provider each task of one RunTask gets.

Source: ECS API reference, CapacityProviderStrategyItem; errors as near to AWS's words as its documents give them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from moto.ecs.exceptions import InvalidParameterException

MAX_WEIGHT, MAX_BASE = 1000, 100_000
_SIMULATED = ("FARGATE", "FARGATE_SPOT")


@dataclass(frozen=True, slots=True)
class Share:
    """One item of a strategy."""

    provider: str
    weight: int
    base: int


def strategy(items: Sequence[dict[str, Any]], of_cluster: Collection[str]) -> list[Share]:
    """The items as ECS reads them; InvalidParameterException for what it refuses. of_cluster: what the cluster has."""
    shares = [
        Share(str(item["capacityProvider"]), int(item.get("weight") or 0), int(item.get("base") or 0)) for item in items
    ]
    for share in shares:
        _check(share, of_cluster)
    if len({share.provider for share in shares}) != len(shares):
        raise InvalidParameterException("A capacity provider strategy can name a capacity provider only once.")
    if sum(share.base > 0 for share in shares) > 1:
        raise InvalidParameterException("Only one capacity provider in a capacity provider strategy can have a base.")
    if len(shares) > 1 and not any(share.weight for share in shares):
        raise InvalidParameterException("At least one capacity provider must have a weight greater than zero.")
    return shares


def _check(share: Share, of_cluster: Collection[str]) -> None:
    if share.provider not in of_cluster:
        raise InvalidParameterException(
            "The specified capacity provider strategy cannot contain a capacity provider that is not "
            "associated with the cluster. Associate the capacity provider with the cluster and try again."
        )
    if share.provider not in _SIMULATED:
        raise InvalidParameterException(f"Capacity provider {share.provider} is not simulated.")
    if not 0 <= share.weight <= MAX_WEIGHT or not 0 <= share.base <= MAX_BASE:
        raise InvalidParameterException(f"Weight must be from 0 to {MAX_WEIGHT} and base from 0 to {MAX_BASE}.")


def providers(shares: Sequence[Share], count: int) -> list[str]:
    """The provider of each of count tasks of one call: the base first, then whoever is furthest below its weight."""
    if len(shares) == 1:
        return [shares[0].provider] * count
    placed = [share.provider for share in shares for _ in range(share.base)][:count]
    based = len(placed)
    while len(placed) < count:
        weighted = [share for share in shares if share.weight]
        after_base = placed[based:]
        placed.append(min(weighted, key=lambda share: (after_base.count(share.provider) + 1) / share.weight).provider)
    return placed
